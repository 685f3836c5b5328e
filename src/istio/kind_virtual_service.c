/* SPDX-License-Identifier: Apache-2.0 */
#include "istio/kind_action.h"
#include "istio/kind_match.h"
#include "istio/kind_rules.h"
#include "istio/names.h"

enum { MAX_PERCENT = 100 };

/* ---- http[].route, mirrors ---- */

static const struct um_field_row ROUTE_DESTINATION_ROWS[] = {
    UM_ROW(OBJECT, "destination", um_route_destination, destination, .table = &um_destination_table,
           .is_required = true),
    UM_ROW(OPT_U32, "weight", um_route_destination, weight, .max = INT32_MAX),
    UM_ROW(OBJECT, "headers", um_route_destination, headers, .table = &um_http_headers_table),
};
static const struct um_table route_destination_table = UM_TABLE(ROUTE_DESTINATION_ROWS, um_route_destination);

static const struct um_field_row MIRROR_ROWS[] = {
    UM_ROW(OBJECT, "destination", um_http_mirror, destination, .table = &um_destination_table, .is_required = true),
    UM_ROW(OBJECT, "percentage", um_http_mirror, percentage, .table = &um_percent_table),
};
static const struct um_table mirror_table = UM_TABLE(MIRROR_ROWS, um_http_mirror);

static const struct um_field_row DELEGATE_ROWS[] = {
    UM_ROW(TEXT, "name", um_delegate, name, .is_required = true, .rule = um_rule_object_name),
    UM_ROW(TEXT, "namespace", um_delegate, namespace_name, .rule = um_rule_label),
};
static const struct um_table delegate_table = UM_TABLE(DELEGATE_ROWS, um_delegate);

/* ---- http[] ---- */

/* which of two fields that exclude each other are both there */
static void check_apart(struct um_decoder *d, const struct um_http_route *r)
{
    static const char *const PAIRS[][2] = {
        {"route", "redirect"},       {"route", "directResponse"}, {"redirect", "directResponse"}, {"fault", "redirect"},
        {"fault", "directResponse"}, {"rewrite", "redirect"},     {"rewrite", "directResponse"},  {"delegate", "route"},
        {"delegate", "redirect"},    {"mirror", "mirrors"},
    };
    for (size_t i = 0; i < sizeof PAIRS / sizeof PAIRS[0]; i++)
        if (um_place_has(&r->place, PAIRS[i][0]) && um_place_has(&r->place, PAIRS[i][1]))
            um_decode_fault(d, &r->place, PAIRS[i][1], "cannot stand beside `%s`", PAIRS[i][0]);
}

static void check_action(struct um_decoder *d, const struct um_http_route *r)
{
    bool forwards = um_place_has(&r->place, "route");
    bool answers = um_place_has(&r->place, "redirect") || um_place_has(&r->place, "directResponse");
    if (!forwards && !answers && !um_place_has(&r->place, "delegate"))
        um_decode_fault(d, &r->place, NULL, "must have route, redirect or directResponse");
    if (answers && (um_place_has(&r->place, "mirror") || um_place_has(&r->place, "mirrors")))
        um_decode_warning(d, &r->place, um_place_has(&r->place, "mirror") ? "mirror" : "mirrors",
                          "nothing is mirrored: the rule answers by itself");
}

static void check_weights(struct um_decoder *d, const struct um_http_route *r)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < r->n_route; i++)
        total += r->route[i].weight.value;
    if (r->n_route > 1 && total == 0)
        um_complain(d->diag, UM_SEVERITY_ERROR, &r->place, "route", "give each destination a `weight`",
                    "the weights of several destinations must not add up to 0");
    if (total > UINT32_MAX)
        um_decode_fault(d, &r->place, "route", "the weights add up to more than %u", UINT32_MAX);
}

static void check_http_route(struct um_decoder *d, void *object)
{
    const struct um_http_route *r = object;
    check_apart(d, r);
    check_action(d, r);
    check_weights(d, r);
}

static const struct um_field_row HTTP_ROWS[] = {
    UM_ROW(TEXT, "name", um_http_route, name),
    UM_ROW_LIST(OBJECTS, "match", um_http_route, match, .table = &um_http_match_table),
    UM_ROW_LIST(OBJECTS, "route", um_http_route, route, .table = &route_destination_table),
    UM_ROW(OBJECT, "redirect", um_http_route, redirect, .table = &um_http_redirect_table),
    UM_ROW(OBJECT, "directResponse", um_http_route, direct_response, .table = &um_http_direct_response_table),
    UM_ROW(OBJECT, "delegate", um_http_route, delegate, .table = &delegate_table, .support = UM_UNSUPPORTED),
    UM_ROW(OBJECT, "rewrite", um_http_route, rewrite, .table = &um_http_rewrite_table),
    UM_ROW(OPT_MS, "timeout", um_http_route, timeout, .min = 1),
    UM_ROW(OBJECT, "retries", um_http_route, retries, .table = &um_http_retries_table),
    UM_ROW(OBJECT, "fault", um_http_route, fault, .table = &um_http_fault_table, .support = UM_UNSUPPORTED),
    UM_ROW(OBJECT, "mirror", um_http_route, mirror, .table = &um_destination_table),
    UM_ROW_LIST(OBJECTS, "mirrors", um_http_route, mirrors, .table = &mirror_table),
    UM_ROW(OPT_U32, "mirrorPercent", um_http_route, mirror_percent, .max = MAX_PERCENT, .support = UM_DEPRECATED,
           .note = "use `mirrorPercentage`, which wins over it"),
    UM_ROW(OBJECT, "mirrorPercentage", um_http_route, mirror_percentage, .table = &um_percent_table),
    UM_ROW(OBJECT, "corsPolicy", um_http_route, cors_policy, .table = &um_cors_policy_table, .support = UM_UNSUPPORTED),
    UM_ROW(OBJECT, "headers", um_http_route, headers, .table = &um_http_headers_table),
};
static const struct um_table http_route_table = UM_TABLE(HTTP_ROWS, um_http_route, .check = check_http_route);

/* ---- spec ---- */

static bool applies_to_mesh(const struct um_virtual_service *vs)
{
    for (uint32_t i = 0; i < vs->gateways.n; i++)
        if (um_str_eq(vs->gateways.items[i], UM_STR("mesh")))
            return true;
    return vs->gateways.n == 0;
}

static const char *indexed(struct um_decoder *d, const char *list, uint32_t i)
{
    return um_arena_printf(d->arena, "%s[%u]", list, (unsigned)i).p;
}

/* one covers the other */
static bool hosts_overlap(struct um_decoder *d, struct um_str a, struct um_str b)
{
    struct um_str low_a = um_name_lower(d->arena, a), low_b = um_name_lower(d->arena, b);
    if (!low_a.p || !low_b.p) {
        d->no_memory = true;
        return false;
    }
    if (a.n == 0 || b.n == 0)
        return false;
    return um_name_is_within(low_a, low_b) || um_name_is_within(low_b, low_a);
}

enum { MAX_COMPARED_HOSTS = 256 }; /* comparing is quadratic */

static void check_hosts(struct um_decoder *d, const struct um_virtual_service *vs)
{
    const struct um_strs *hosts = &vs->hosts;
    for (uint32_t i = 0; i < hosts->n; i++) {
        if (um_str_eq(hosts->items[i], UM_STR("*")) && applies_to_mesh(vs))
            um_complain(d->diag, UM_SEVERITY_ERROR, &vs->place, indexed(d, "hosts", i), "name `gateways` without mesh",
                        "`*` is not allowed on the mesh gateway");
        for (uint32_t j = 0; j < i && i < MAX_COMPARED_HOSTS; j++)
            if (hosts_overlap(d, hosts->items[i], hosts->items[j]))
                um_decode_fault(d, &vs->place, indexed(d, "hosts", i), "`%.*s` and `%.*s` overlap",
                                UM_STR_ARG(hosts->items[j]), UM_STR_ARG(hosts->items[i]));
    }
}

/* Istio's delegates are VirtualServices without hosts */
static void check_delegate(struct um_decoder *d, const struct um_virtual_service *vs)
{
    if (um_place_has(&vs->place, "hosts"))
        return;
    if (vs->gateways.n)
        um_decode_fault(d, &vs->place, "hosts", "is missing");
    else
        um_complain(d->diag, UM_SEVERITY_WARNING, &vs->place, NULL, "delegates are not supported yet",
                    "has no hosts, so nothing comes to it");
}

static void check_reachable(struct um_decoder *d, const struct um_virtual_service *vs)
{
    for (uint32_t i = 0; i + 1 < vs->n_http; i++)
        if (um_http_route_is_catch_all(&vs->http[i])) {
            um_decode_warning(d, &vs->http[i + 1].place, NULL, "is never reached: http[%u] matches every request",
                              (unsigned)i);
            return;
        }
}

static void check_names(struct um_decoder *d, const struct um_virtual_service *vs)
{
    struct um_map names;
    um_map_init(&names);
    for (uint32_t i = 0; i < vs->n_http; i++) {
        struct um_http_route *route = &vs->http[i];
        const struct um_http_route *first = route->name.n ? um_decode_claim(d, &names, route->name, route) : NULL;
        if (first)
            um_complain(d->diag, UM_SEVERITY_WARNING, &route->place, "name",
                        "metrics and ShadowPolicies cannot tell the two apart", "http[%d] has the same name",
                        (int)first->place.index);
    }
    um_map_release(&names);
}

static void check_virtual_service(struct um_decoder *d, void *object)
{
    const struct um_virtual_service *vs = object;
    const struct um_place *spec = &vs->place;
    check_delegate(d, vs);
    check_hosts(d, vs);
    check_reachable(d, vs);
    check_names(d, vs);
    if (!um_place_has(spec, "http") && !um_place_has(spec, "tls") && !um_place_has(spec, "tcp"))
        um_decode_fault(d, spec, "http", "is missing: a VirtualService must have http, tls or tcp");
}

static const struct um_field_row VIRTUAL_SERVICE_ROWS[] = {
    UM_ROW(TEXTS, "hosts", um_virtual_service, hosts, .rule = um_rule_wildcard_host),
    UM_ROW(TEXTS, "gateways", um_virtual_service, gateways, .rule = um_rule_gateway_reference),
    UM_ROW_LIST(OBJECTS, "http", um_virtual_service, http, .table = &http_route_table),
    UM_ROW_UNREAD("tls", .support = UM_NO_EFFECT, .note = "TLS is not served yet"),
    UM_ROW_UNREAD("tcp", .support = UM_NO_EFFECT, .note = "TCP is not served yet"),
    UM_ROW(TEXTS, "exportTo", um_virtual_service, export_to, .rule = um_rule_namespace_scope),
};
const struct um_table um_virtual_service_table =
    UM_TABLE(VIRTUAL_SERVICE_ROWS, um_virtual_service, .check = check_virtual_service);
