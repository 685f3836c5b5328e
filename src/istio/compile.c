/* SPDX-License-Identifier: Apache-2.0 */
#include "istio/compile.h"

#include "istio/check.h"
#include "istio/compile_cluster.h"
#include "istio/compile_listener.h"
#include "istio/compile_policy.h"
#include "istio/compile_scope.h"

static bool is_gateway(const struct um_resources *resources, const struct um_compile_options *options)
{
    return options->role == UM_ROLE_GATEWAY || (options->role == UM_ROLE_AUTO && resources->n_gateways > 0);
}

static void build_foundations(struct um_compile *c)
{
    c->rc = um_registry_build(&c->registry, c->resources, c->options, c->diag, &c->scratch);
    if (c->rc == 0)
        c->rc = um_rules_build(&c->rules, c->resources, c->options, c->diag, &c->scratch);
    c->virtual_services = um_by_age(&c->scratch, c->resources->virtual_services, c->resources->n_virtual_services,
                                    sizeof *c->resources->virtual_services);
    if (!c->virtual_services)
        c->rc = UM_ENOMEM;
}

static void build_snapshot(struct um_compile *c)
{
    um_compile_clusters(c);
    if (!um_compile_has_failed(c))
        um_compile_policies(c);
    if (um_compile_has_failed(c))
        return;
    if (c->is_gateway)
        um_compile_gateway(c);
    else
        um_compile_sidecar(c);
}

static void init(struct um_compile *c)
{
    um_arena_init(&c->scratch, NULL, 0);
    um_map_init(&c->registry.by_host);
    um_map_init(&c->rules.namespaces);
    um_map_init(&c->rules.subsets);
    um_map_init(&c->regexes);
    um_map_init(&c->policies);
    c->snapshot = um_snapshot_new();
    if (!c->snapshot)
        c->rc = UM_ENOMEM;
}

static void release(struct um_compile *c)
{
    um_registry_release(&c->registry);
    um_rules_release(&c->rules);
    um_map_release(&c->regexes);
    um_map_release(&c->policies);
    um_arena_release(&c->scratch);
}

int um_istio_compile(const struct um_resources *resources, const struct um_compile_options *options,
                     struct um_diag *diag, struct um_snapshot **ret_snapshot)
{
    struct um_compile c = {
        .resources = resources, .options = options, .diag = diag, .is_gateway = is_gateway(resources, options)};
    init(&c);
    if (!um_compile_has_failed(&c))
        build_foundations(&c);
    if (!um_compile_has_failed(&c))
        build_snapshot(&c);
    if (!um_compile_has_failed(&c))
        um_istio_check(&c);
    if (c.rc == 0 && um_diag_has_errors(diag))
        c.rc = UM_ESYNTAX;
    release(&c);
    if (c.rc == 0)
        *ret_snapshot = c.snapshot;
    else
        um_snapshot_unref(c.snapshot);
    return c.rc;
}

/* ---- why nothing listens ------------------------------------------------------------------------ */

static void add_selector(struct um_buf *out, const struct um_gateway *gateway)
{
    um_buf_addf(out, "%.*s wants", UM_STR_ARG(gateway->meta.resource));
    for (uint32_t i = 0; i < gateway->selector.n; i++)
        um_buf_addf(out, "%c%.*s=%.*s", i ? ',' : ' ', UM_STR_ARG(gateway->selector.items[i].key),
                    UM_STR_ARG(gateway->selector.items[i].value));
}

void um_istio_no_listener(const struct um_resources *resources, const struct um_compile_options *options,
                          struct um_buf *out)
{
    enum { SHOWN_MAX = 3 };
    if (!is_gateway(resources, options)) {
        um_buf_add_cstr(out, "no Service or ServiceEntry has an HTTP port");
        return;
    }
    if (resources->n_gateways == 0) {
        um_buf_add_cstr(out, "there is no Gateway (--role sidecar serves the ports of the services)");
        return;
    }
    for (uint32_t i = 0; i < resources->n_gateways; i++) {
        if (options->n_labels == 0 || um_proxy_has_labels(options, &resources->gateways[i].selector)) {
            um_buf_add_cstr(out, "no server of the Gateways speaks HTTP (TLS is not served yet)");
            return;
        }
    }
    um_buf_add_cstr(out, "--labels fits the selector of no Gateway: ");
    for (uint32_t i = 0; i < resources->n_gateways && i < SHOWN_MAX; i++) {
        um_buf_add_cstr(out, i ? "; " : "");
        add_selector(out, &resources->gateways[i]);
    }
    if (resources->n_gateways > SHOWN_MAX)
        um_buf_addf(out, "; and %u more", resources->n_gateways - SHOWN_MAX);
}
