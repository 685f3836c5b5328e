/* SPDX-License-Identifier: Apache-2.0 */
#include "istio/compile_route.h"

#include "istio/check_destination.h"
#include "istio/compile_cluster.h"
#include "istio/compile_header.h"
#include "istio/compile_mirror.h"
#include "istio/compile_retry.h"
#include "istio/names.h"

enum { REDIRECT_STATUS = 301, SINGLE_WEIGHT = 100 };

/* what the routes of one VirtualService at one vantage have in common */
struct shared {
    struct um_compile *c;
    const struct um_virtual_service *vs;
    const struct um_vantage *at;
    struct um_str config_path;
};

/* ---- destinations ------------------------------------------------------------------------------- */

struct um_target um_compile_target(struct um_compile *c, const struct um_destination *d, struct um_str vs_namespace,
                                   uint16_t listener_port)
{
    struct um_target t = {.host = um_compile_made(c, um_name_host(&c->scratch, d->host, vs_namespace)),
                          .port = listener_port};
    t.service = um_registry_find(&c->registry, t.host);
    if (t.service && t.service->stands_for)
        t.service = t.service->stands_for;
    if (t.service)
        t.host = t.service->host;
    if (d->port.is_set)
        t.port = (uint16_t)d->port.value;
    else if (c->is_gateway && t.service && t.service->n_ports == 1) /* a sidecar has the listener's port only */
        t.port = t.service->ports[0].number;
    return t;
}

static void set_destination(const struct shared *sh, const struct um_destination *d, struct um_weighted_cluster *to)
{
    struct um_target t = um_compile_target(sh->c, d, sh->vs->meta.namespace_name, sh->at->port);
    to->cluster = um_compile_find_cluster(sh->c, t.host, t.port, d->subset, &to->cluster_name);
    if (!to->cluster)
        um_check_listener_port(sh->c, d, &t, sh->at);
}

static const struct um_header_changes *request_of(const struct um_http_headers *h)
{
    return h ? h->request : NULL;
}

static const struct um_header_changes *response_of(const struct um_http_headers *h)
{
    return h ? h->response : NULL;
}

static void set_single(const struct shared *sh, const struct um_http_route *http, struct um_route *route)
{
    const struct um_route_destination *d = &http->route[0];
    set_destination(sh, d->destination, &route->clusters[0]);
    route->clusters[0].weight = route->total_weight = SINGLE_WEIGHT;
    route->n_clusters = 1;
    route->request_headers = um_compile_headers(sh->c, request_of(http->headers), request_of(d->headers));
    route->response_headers = um_compile_headers(sh->c, response_of(http->headers), response_of(d->headers));
    if (route->host_rewrite.n == 0)
        route->host_rewrite = um_compile_keep(sh->c, um_header_authority(request_of(d->headers)));
}

static void add_weighted(const struct shared *sh, const struct um_route_destination *d, struct um_route *route)
{
    struct um_weighted_cluster *to = &route->clusters[route->n_clusters++];
    set_destination(sh, d->destination, to);
    to->weight = d->weight.value;
    route->total_weight += to->weight;
    to->request_headers = um_compile_headers(sh->c, request_of(d->headers), NULL);
    to->response_headers = um_compile_headers(sh->c, response_of(d->headers), NULL);
    if (route->host_rewrite.n == 0)
        to->host_rewrite = um_compile_keep(sh->c, um_header_authority(request_of(d->headers)));
}

/* those of weight 0 are left out, but the route stays a weighted one */
static void set_weighted(const struct shared *sh, const struct um_http_route *http, struct um_route *route)
{
    for (uint32_t i = 0; i < http->n_route; i++)
        if (http->route[i].destination && http->route[i].weight.value > 0)
            add_weighted(sh, &http->route[i], route);
    route->request_headers = um_compile_headers(sh->c, request_of(http->headers), NULL);
    route->response_headers = um_compile_headers(sh->c, response_of(http->headers), NULL);
}

/* ---- actions ------------------------------------------------------------------------------------ */

static void set_rewrite(struct um_compile *c, const struct um_http_rewrite *rewrite, struct um_route *route)
{
    if (rewrite && rewrite->uri.n) {
        route->has_path_rewrite = true;
        route->path_rewrite = um_compile_keep(c, rewrite->uri);
    }
    if (rewrite && rewrite->authority.n)
        route->host_rewrite = um_compile_keep(c, rewrite->authority);
}

/* false: there is nowhere to forward to */
static bool set_forward(const struct shared *sh, const struct um_http_route *http, struct um_route *route)
{
    struct um_compile *c = sh->c;
    route->action = UM_ACTION_FORWARD;
    route->clusters = um_compile_items(c, http->n_route, sizeof *route->clusters);
    if (!route->clusters)
        return false;
    route->host_rewrite = um_compile_keep(c, um_header_authority(request_of(http->headers)));
    set_rewrite(c, http->rewrite, route);
    if (http->n_route == 1 && http->route[0].destination)
        set_single(sh, http, route);
    else
        set_weighted(sh, http, route);
    route->timeout_ms = http->timeout.ms;
    route->retry = um_compile_retry(http->retries);
    return route->n_clusters > 0;
}

static void set_redirect(struct um_compile *c, const struct um_http_redirect *from, struct um_route *route)
{
    route->action = UM_ACTION_REDIRECT;
    route->status = from->redirect_code.is_set ? (uint16_t)from->redirect_code.value : REDIRECT_STATUS;
    route->redirect_path = um_compile_keep(c, from->uri);
    route->redirect_scheme = um_compile_keep(c, from->scheme);
    route->redirect_authority = um_compile_keep(c, from->authority);
}

static void set_direct_response(struct um_compile *c, const struct um_http_direct_response *from,
                                struct um_route *route)
{
    route->action = UM_ACTION_DIRECT_RESPONSE;
    route->status = (uint16_t)from->status.value;
    route->body = um_compile_keep(c, from->body);
}

/* An answer of the proxy's own has the route's response headers, and nobody to send the others to. Its mirrors get no copy,
 * but each is counted as skipped (C4). */
static bool set_action(const struct shared *sh, const struct um_http_route *http, struct um_route *route)
{
    um_compile_mirrors(sh->c, sh->vs, http, sh->at, route);
    if (!http->redirect && !http->direct_response)
        return set_forward(sh, http, route);
    route->response_headers = um_compile_headers(sh->c, response_of(http->headers), NULL);
    if (http->redirect)
        set_redirect(sh->c, http->redirect, route);
    else
        set_direct_response(sh->c, http->direct_response, route);
    return true;
}

/* ---- routes ------------------------------------------------------------------------------------- */

static void set_names(const struct shared *sh, const struct um_http_route *http, struct um_route *route)
{
    const struct um_meta *meta = &sh->vs->meta;
    struct um_arena *arena = &sh->c->snapshot->arena;
    route->config_path = sh->config_path;
    if (http->name.n)
        route->label = um_arena_printf(arena, "%.*s.%.*s/%.*s", UM_STR_ARG(meta->name),
                                       UM_STR_ARG(meta->namespace_name), UM_STR_ARG(http->name));
    else
        route->label = um_arena_printf(arena, "%.*s.%.*s/%u", UM_STR_ARG(meta->name), UM_STR_ARG(meta->namespace_name),
                                       (unsigned)(http - sh->vs->http));
    um_compile_made(sh->c, route->label);
    route->name = um_compile_keep(sh->c, http->name);
}

static void set_match(struct um_compile *c, const struct um_http_match *match, struct um_route *route)
{
    route->match = um_compile_match(c, match);
    if (match && match->name.n)
        route->name = um_compile_made(
            c, um_arena_printf(&c->snapshot->arena, "%.*s.%.*s", UM_STR_ARG(route->name), UM_STR_ARG(match->name)));
}

/* Appends a route for each match[] that applies: one action under several conditions. True after a catch-all. */
static bool add_http(const struct shared *sh, const struct um_http_route *http, struct um_routes *routes)
{
    struct um_route action = {0};
    bool has_action = false;
    for (uint32_t i = 0; i < (http->n_match ? http->n_match : 1); i++) {
        const struct um_http_match *match = http->n_match ? &http->match[i] : NULL;
        if (!um_match_applies(sh->c, match, sh->vs->meta.namespace_name, sh->at))
            continue;
        if (!has_action) {
            set_names(sh, http, &action);
            if (!set_action(sh, http, &action))
                return false;
            has_action = true;
        }
        struct um_route *route = &routes->items[routes->n++];
        *route = action;
        set_match(sh->c, match, route);
        if ((!match || match->uri) && um_route_is_catch_all(&route->match))
            return true;
    }
    return false;
}

struct um_routes um_compile_routes(struct um_compile *c, const struct um_virtual_service *vs,
                                   const struct um_vantage *at)
{
    struct um_routes routes = {0};
    size_t n = 0;
    for (uint32_t i = 0; i < vs->n_http; i++)
        n += vs->http[i].n_match ? vs->http[i].n_match : 1;
    struct shared sh = {c, vs, at,
                        um_compile_made(c, um_name_config_path(&c->snapshot->arena, "virtual-service",
                                                               vs->meta.namespace_name, vs->meta.name))};
    routes.items = um_compile_items(c, n, sizeof *routes.items);
    for (uint32_t i = 0; !um_compile_has_failed(c) && i < vs->n_http; i++)
        if (!vs->http[i].delegate && add_http(&sh, &vs->http[i], &routes))
            break;
    return routes;
}

struct um_routes um_compile_default_route(struct um_compile *c, const struct um_mesh_service *service, uint16_t port)
{
    const struct um_mesh_service *target = service->stands_for ? service->stands_for : service;
    struct um_routes routes = {um_compile_items(c, 1, sizeof *routes.items), 0};
    struct um_weighted_cluster *cluster = um_compile_items(c, 1, sizeof *cluster);
    if (!routes.items || !cluster)
        return routes;
    cluster->cluster = um_compile_find_cluster(c, target->host, port, (struct um_str){NULL, 0}, &cluster->cluster_name);
    cluster->weight = SINGLE_WEIGHT;
    routes.items[routes.n++] = (struct um_route){
        .name = UM_STR("default"),
        .match = um_compile_match(c, NULL),
        .action = UM_ACTION_FORWARD,
        .clusters = cluster,
        .n_clusters = 1,
        .total_weight = SINGLE_WEIGHT,
        .retry = um_compile_retry(NULL),
    };
    return routes;
}
