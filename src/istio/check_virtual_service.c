/* SPDX-License-Identifier: Apache-2.0 */
#include "istio/check.h"
#include "istio/compile_match.h"
#include "istio/compile_retry.h"
#include "istio/compile_scope.h"
#include "istio/kind_match.h"
#include "istio/names.h"

#include <stdio.h>

enum { FIELD_BYTES = 32, HINTS_MAX = 20 };

struct check {
    struct um_compile *c;
    struct um_map gateways; /* "NS/NAME" -> struct um_gateway */
    struct um_map hosts;    /* "GATEWAY host" -> the VirtualService that has it first */
    unsigned n_hints;
};

static const char *indexed(char out[FIELD_BYTES], const char *field, uint32_t i)
{
    snprintf(out, FIELD_BYTES, "%s[%u]", field, i);
    return out;
}

/* ---- gateways ----------------------------------------------------------------------------------- */

static const char *gateway_hint(struct check *ch, struct um_str key)
{
    struct um_nearest nearest = um_nearest_to(key);
    if (ch->n_hints++ >= HINTS_MAX)
        return NULL;
    UM_MAP_EACH (entry, &ch->gateways)
        um_nearest_consider(&nearest, entry->key);
    return nearest.name.p ? um_arena_printf(&ch->c->scratch, "did you mean '%.*s'?", UM_STR_ARG(nearest.name)).p : NULL;
}

static void check_gateways(struct check *ch, const struct um_place *place, const struct um_strs *gateways)
{
    char field[FIELD_BYTES];
    for (uint32_t i = 0; i < gateways->n; i++) {
        struct um_str key = um_gateway_key(ch->c, gateways->items[i], place->meta->namespace_name);
        if (!um_str_eq(key, UM_STR("mesh")) && !um_map_get(&ch->gateways, key))
            um_complain(ch->c->diag, UM_SEVERITY_WARNING, place, indexed(field, "gateways", i), gateway_hint(ch, key),
                        "there is no Gateway '%.*s'", UM_STR_ARG(key));
    }
}

/* ---- hosts -------------------------------------------------------------------------------------- */

static bool has_catch_all(const struct um_virtual_service *vs)
{
    for (uint32_t i = 0; i < vs->n_http; i++)
        if (um_http_route_is_catch_all(&vs->http[i]))
            return true;
    return false;
}

/* Sidecars take a host from the oldest VirtualService alone; gateways put the rules of all together. */
static void check_host_of(struct check *ch, const struct um_virtual_service *vs, uint32_t i, struct um_str gateway)
{
    struct um_compile *c = ch->c;
    char field[FIELD_BYTES];
    struct um_str host = um_name_host(&c->scratch, vs->hosts.items[i], vs->meta.namespace_name);
    struct um_str key =
        um_compile_made(c, um_arena_printf(&c->scratch, "%.*s %.*s", UM_STR_ARG(gateway), UM_STR_ARG(host)));
    const struct um_virtual_service *older = key.p ? um_map_get(&ch->hosts, key) : NULL;
    if (!older) {
        um_compile_put(c, &ch->hosts, key, (void *)(uintptr_t)vs);
        return;
    }
    if (um_str_eq(gateway, UM_STR("mesh")))
        um_complain(c->diag, UM_SEVERITY_WARNING, &vs->place, indexed(field, "hosts", i), "merge the two",
                    "sidecars take '%.*s' from the older %.*s, and these rules are not used", UM_STR_ARG(host),
                    UM_STR_ARG(older->meta.resource));
    else if (has_catch_all(older) && has_catch_all(vs))
        um_complain(c->diag, UM_SEVERITY_WARNING, &vs->place, indexed(field, "hosts", i), NULL,
                    "the older %.*s has a rule for every request to '%.*s' too, and that one counts",
                    UM_STR_ARG(older->meta.resource), UM_STR_ARG(host));
}

static void check_hosts(struct check *ch, const struct um_virtual_service *vs)
{
    if (!um_is_exported(&vs->export_to, vs->meta.namespace_name, ch->c->options->namespace_name))
        return;
    for (uint32_t i = 0; i < vs->hosts.n; i++) {
        if (vs->gateways.n == 0)
            check_host_of(ch, vs, i, UM_STR("mesh"));
        for (uint32_t k = 0; k < vs->gateways.n; k++)
            check_host_of(ch, vs, i, um_gateway_key(ch->c, vs->gateways.items[k], vs->meta.namespace_name));
    }
}

/* ---- one rule ----------------------------------------------------------------------------------- */

static void check_source_labels(struct um_compile *c, const struct um_http_match *m)
{
    if (m->source_labels.n && m->gateways.n == 0 && c->options->n_labels == 0)
        um_complain(c->diag, UM_SEVERITY_WARNING, &m->place, "sourceLabels", "say --labels",
                    "never fits: this proxy has no labels");
}

static void check_retry_on(struct um_compile *c, const struct um_http_retries *retries)
{
    struct um_str rest = retries ? retries->retry_on : (struct um_str){NULL, 0}, word;
    struct um_buf out;
    um_buf_init(&out, 0);
    while (um_str_split(&rest, ',', &word))
        if (word.n && !um_retry_word_is_served(word))
            um_buf_addf(&out, "%s%.*s", out.n ? ", " : "", UM_STR_ARG(word));
    if (out.n)
        um_complain(c->diag, UM_SEVERITY_WARNING, &retries->place, "retryOn", NULL,
                    "an answer is not retried yet, only a failed connect or reset before one: %.*s",
                    UM_STR_ARG(um_buf_str(&out)));
    um_buf_release(&out);
}

static void check_rules(struct check *ch, const struct um_virtual_service *vs)
{
    for (uint32_t i = 0; i < vs->n_http; i++) {
        const struct um_http_route *http = &vs->http[i];
        for (uint32_t k = 0; k < http->n_match; k++) {
            check_source_labels(ch->c, &http->match[k]);
            check_gateways(ch, &http->match[k].place, &http->match[k].gateways);
        }
        check_retry_on(ch->c, http->retries);
    }
}

void um_check_virtual_services(struct um_compile *c)
{
    struct check ch = {.c = c};
    um_map_init(&ch.gateways);
    um_map_init(&ch.hosts);
    for (uint32_t i = 0; i < c->resources->n_gateways; i++) {
        struct um_gateway *g = &c->resources->gateways[i];
        struct um_str key = um_compile_made(c, um_name_key(&c->scratch, g->meta.namespace_name, g->meta.name));
        if (key.p)
            um_compile_put(c, &ch.gateways, key, g);
    }
    for (uint32_t i = 0; !um_compile_has_failed(c) && i < c->resources->n_virtual_services; i++) {
        const struct um_virtual_service *vs = (const void *)c->virtual_services[i];
        if (vs->meta.is_broken)
            continue;
        check_gateways(&ch, &vs->place, &vs->gateways);
        check_hosts(&ch, vs);
        check_rules(&ch, vs);
        um_check_order(c, vs);
    }
    um_map_release(&ch.gateways);
    um_map_release(&ch.hosts);
}
