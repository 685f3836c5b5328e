/* SPDX-License-Identifier: Apache-2.0 */
#include "istio/check_destination.h"

#include "istio/check.h"
#include "istio/names.h"

/* what becomes of requests */
static const char FAILS[] = "requests get 503", COPIES_NOTHING[] = "nothing is mirrored";

/* "8000, 8443" */
static struct um_str ports_of(struct um_compile *c, const struct um_mesh_service *s)
{
    struct um_buf out;
    um_buf_init(&out, 0);
    for (uint32_t i = 0; i < s->n_ports; i++)
        um_buf_addf(&out, "%s%u", i ? ", " : "", s->ports[i].number);
    struct um_str text = um_compile_made(c, um_arena_str(&c->scratch, um_buf_str(&out)));
    um_buf_release(&out);
    return text;
}

static const struct um_host_rules *rules_of(const struct um_compile *c, const struct um_mesh_service *s)
{
    return um_rules_find(&c->rules, s, c->options->namespace_name);
}

void um_check_listener_port(struct um_compile *c, const struct um_destination *d, const struct um_target *t,
                            const struct um_vantage *at)
{
    if (d->port.is_set || !t->service || at->is_fallback || um_mesh_port_find(t->service, t->port))
        return;
    const char *hint =
        um_arena_printf(&c->scratch, "name one in `port.number`: %.*s", UM_STR_ARG(ports_of(c, t->service))).p;
    um_complain(c->diag, UM_SEVERITY_WARNING, &d->place, "host", hint,
                "names no port, so the listener's port %u counts, which '%.*s' does not have", at->port,
                UM_STR_ARG(t->host));
}

static const char *subset_hint(struct um_compile *c, const struct um_host_rules *rules, struct um_str subset)
{
    struct um_nearest nearest = um_nearest_to(subset);
    for (uint32_t i = 0; i < rules->n_subsets; i++)
        um_nearest_consider(&nearest, rules->subsets[i]->name);
    return nearest.name.p ? um_arena_printf(&c->scratch, "did you mean '%.*s'?", UM_STR_ARG(nearest.name)).p : NULL;
}

static void check_subset(struct um_compile *c, const struct um_destination *d, const struct um_mesh_service *s,
                         const char *effect)
{
    const struct um_host_rules *rules = rules_of(c, s);
    if (d->subset.n == 0 || um_rules_subset(rules, d->subset))
        return;
    if (rules)
        um_complain(c->diag, UM_SEVERITY_WARNING, &d->place, "subset", subset_hint(c, rules, d->subset),
                    "%.*s defines no subset '%.*s': %s", UM_STR_ARG(rules->first->meta.resource), UM_STR_ARG(d->subset),
                    effect);
    else
        um_complain(c->diag, UM_SEVERITY_WARNING, &d->place, "subset", NULL,
                    "no DestinationRule defines subsets of '%.*s': %s", UM_STR_ARG(s->host), effect);
}

static void check_destination(struct um_compile *c, const struct um_destination *d, struct um_str vs_namespace,
                              const char *effect)
{
    if (!d)
        return;
    struct um_target t = um_compile_target(c, d, vs_namespace, 0);
    if (!t.service) {
        um_complain(c->diag, UM_SEVERITY_WARNING, &d->place, "host", um_registry_hint(&c->registry, d->host, t.host),
                    "no Service or ServiceEntry has the host '%.*s': %s", UM_STR_ARG(t.host), effect);
        return;
    }
    check_subset(c, d, t.service, effect);
    if (d->port.is_set && !um_mesh_port_find(t.service, t.port)) {
        const char *hint = um_arena_printf(&c->scratch, "it has %.*s", UM_STR_ARG(ports_of(c, t.service))).p;
        um_complain(c->diag, UM_SEVERITY_WARNING, &d->place, "port.number", hint, "'%.*s' has no port %u: %s",
                    UM_STR_ARG(t.host), t.port, effect);
    }
}

static void check_http(struct um_compile *c, const struct um_virtual_service *vs, const struct um_http_route *http)
{
    struct um_str own = vs->meta.namespace_name;
    for (uint32_t i = 0; i < http->n_route; i++)
        check_destination(c, http->route[i].destination, own, FAILS);
    check_destination(c, http->mirror, own, COPIES_NOTHING);
    for (uint32_t i = 0; i < http->n_mirrors; i++)
        check_destination(c, http->mirrors[i].destination, own, COPIES_NOTHING);
}

void um_check_destinations(struct um_compile *c)
{
    for (uint32_t i = 0; i < c->resources->n_virtual_services; i++) {
        const struct um_virtual_service *vs = &c->resources->virtual_services[i];
        for (uint32_t k = 0; !um_compile_has_failed(c) && !vs->meta.is_broken && k < vs->n_http; k++)
            check_http(c, vs, &vs->http[k]);
    }
}
