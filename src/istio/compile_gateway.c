/* SPDX-License-Identifier: Apache-2.0
 * The gateway's role: a listener for each port of the Gateways whose selector fits, virtual hosts where the hosts of
 * a server and of a VirtualService meet. Source: the Istio API
 *
 *   Gateway --*- binding (one of its ports) --> port --*- draft of a virtual host --*- routes of a VirtualService
 *                   hosts that its servers admit */
#include "istio/compile_grow.h"
#include "istio/compile_listener.h"
#include "istio/compile_route.h"
#include "istio/compile_scope.h"
#include "istio/names.h"

#include <stdio.h>

/* a virtual host while VirtualServices add routes to it */
struct draft {
    struct um_str host;
    struct um_routes *parts; /* one of each VirtualService, oldest first */
    uint32_t n_parts, n_routes;
    const struct um_virtual_service *last; /* that added a part, and by which binding */
    const struct binding *last_binding;
};

struct port {
    uint16_t number;
    struct um_str origin;
    struct um_map drafts; /* host -> struct draft */
};

/* a host of a server, and the namespace whose VirtualServices may claim it */
struct admitted {
    struct um_str host;
    struct um_str namespace_name; /* empty: any */
    struct admitted *next;        /* the same host for another namespace */
};

/* the servers of one Gateway on one port */
struct binding {
    struct port *port;
    struct um_map exact, wildcard; /* host, or what follows the `*` -> struct admitted */
    struct binding *next;          /* another port of the Gateway */
    struct binding *next_of_all;
};

struct gateways {
    struct um_compile *c;
    struct um_map ports;    /* two bytes of the number -> struct port */
    struct um_map bindings; /* "NS/NAME" of a Gateway -> struct binding */
    struct binding *all;
};

/* ---- Gateways ----------------------------------------------------------------------------------- */

static struct port *port_of(struct gateways *g, const struct um_gateway *gateway, uint16_t number)
{
    struct port *p = um_map_get(&g->ports, um_port_key(&number));
    if (p)
        return p;
    p = um_items_new(&g->c->scratch, 1, sizeof *p);
    if (!p) {
        g->c->rc = UM_ENOMEM;
        return NULL;
    }
    p->number = number;
    p->origin = um_compile_made(g->c, um_arena_printf(&g->c->snapshot->arena, "Gateway %.*s/%.*s port %u",
                                                      UM_STR_ARG(gateway->meta.namespace_name),
                                                      UM_STR_ARG(gateway->meta.name), number));
    um_map_init(&p->drafts);
    um_compile_put(g->c, &g->ports, um_port_key(&p->number), p);
    return p;
}

/* the binding of that port among those of the Gateway, which begin at *first */
static struct binding *binding_of(struct gateways *g, struct binding **first, struct port *port)
{
    struct binding *b = *first;
    while (b && b->port != port)
        b = b->next;
    if (b)
        return b;
    b = um_items_new(&g->c->scratch, 1, sizeof *b);
    if (!b) {
        g->c->rc = UM_ENOMEM;
        return NULL;
    }
    *b = (struct binding){.port = port, .next = *first, .next_of_all = g->all};
    um_map_init(&b->exact);
    um_map_init(&b->wildcard);
    *first = g->all = b;
    return b;
}

/* "[NS/]HOST", NS "*" or absent: any, ".": the Gateway's */
static void admit(struct um_compile *c, struct binding *b, struct um_str written, struct um_str own_namespace)
{
    struct admitted *a = um_items_new(&c->scratch, 1, sizeof *a);
    if (!a) {
        c->rc = UM_ENOMEM;
        return;
    }
    ptrdiff_t slash = um_str_find(written, '/');
    if (slash >= 0)
        a->namespace_name = (struct um_str){written.p, (size_t)slash};
    if (um_str_eq(a->namespace_name, UM_STR("*")))
        a->namespace_name.n = 0;
    else if (um_str_eq(a->namespace_name, UM_STR(".")))
        a->namespace_name = own_namespace;
    a->host = um_compile_made(c, um_name_lower(&c->scratch, um_str_skip(written, (size_t)(slash + 1))));

    bool is_wildcard = um_name_is_wildcard(a->host);
    struct um_map *map = is_wildcard ? &b->wildcard : &b->exact;
    struct um_str key = is_wildcard ? um_str_skip(a->host, 1) : a->host;
    a->next = um_map_get(map, key);
    um_compile_put(c, map, key, a);
}

static void add_server(struct gateways *g, const struct um_gateway *gateway, const struct um_server *server,
                       struct binding **first)
{
    const struct um_entry_port *written = server->port;
    if (!written || !written->number.is_set ||
        !um_protocol_is_http(um_protocol_of(written->protocol, (struct um_str){NULL, 0}, 0)))
        return;
    struct port *port = port_of(g, gateway, (uint16_t)written->number.value);
    struct binding *b = port ? binding_of(g, first, port) : NULL;
    for (uint32_t i = 0; b && i < server->hosts.n; i++)
        admit(g->c, b, server->hosts.items[i], gateway->meta.namespace_name);
}

static void add_gateway(struct gateways *g, const struct um_gateway *gateway)
{
    struct binding *first = NULL;
    if (g->c->options->n_labels && !um_proxy_has_labels(g->c->options, &gateway->selector))
        return;
    for (uint32_t i = 0; !um_compile_has_failed(g->c) && i < gateway->n_servers; i++)
        add_server(g, gateway, &gateway->servers[i], &first);
    struct um_str key =
        um_compile_made(g->c, um_name_key(&g->c->scratch, gateway->meta.namespace_name, gateway->meta.name));
    if (first && key.p)
        um_compile_put(g->c, &g->bindings, key, first);
}

/* ---- VirtualServices ---------------------------------------------------------------------------- */

static struct draft *draft_of(struct um_compile *c, struct port *port, struct um_str host)
{
    struct draft *d = um_map_get(&port->drafts, host);
    if (d)
        return d;
    d = um_items_new(&c->scratch, 1, sizeof *d);
    if (!d) {
        c->rc = UM_ENOMEM;
        return NULL;
    }
    d->host = host;
    um_compile_put(c, &port->drafts, host, d);
    return d;
}

/* what a VirtualService brings to the port of a binding */
struct offer {
    struct um_compile *c;
    const struct um_virtual_service *vs;
    const struct binding *binding;
    struct um_routes routes;
    bool is_taken; /* some host of it is admitted */
};

static void add_part(struct offer *o, struct um_str host)
{
    o->is_taken = true;
    struct draft *d = draft_of(o->c, o->binding->port, host);
    if (!d || (d->last == o->vs && d->last_binding == o->binding))
        return;
    d->parts = um_grow(&o->c->scratch, d->parts, d->n_parts, sizeof *d->parts);
    if (!d->parts) {
        o->c->rc = UM_ENOMEM;
        return;
    }
    d->parts[d->n_parts++] = o->routes;
    d->n_routes += o->routes.n;
    d->last = o->vs;
    d->last_binding = o->binding;
}

static bool is_admitted(const struct admitted *a, struct um_str namespace_name)
{
    while (a && a->namespace_name.n && !um_str_eq(a->namespace_name, namespace_name))
        a = a->next;
    return a != NULL;
}

/* the host stands within one of a server's */
static bool is_within_binding(const struct binding *b, struct um_str host, struct um_str namespace_name)
{
    if (!um_name_is_wildcard(host) && is_admitted(um_map_get(&b->exact, host), namespace_name))
        return true;
    while (um_name_next_suffix(&host))
        if (is_admitted(um_map_get(&b->wildcard, host), namespace_name))
            return true;
    return false;
}

/* hosts of servers that stand within a wildcard of the VirtualService */
static void add_narrower(struct offer *o, const struct um_map *admitted, struct um_str host)
{
    UM_MAP_EACH (entry, admitted) {
        const struct admitted *a = entry->value;
        if (um_name_is_within(a->host, host) && is_admitted(a, o->vs->meta.namespace_name))
            add_part(o, a->host);
    }
}

static void add_host(struct offer *o, struct um_str host)
{
    if (is_within_binding(o->binding, host, o->vs->meta.namespace_name))
        add_part(o, host);
    if (!um_name_is_wildcard(host))
        return;
    add_narrower(o, &o->binding->exact, host);
    add_narrower(o, &o->binding->wildcard, host);
}

/* false: the servers of this port admit none of its hosts */
static bool add_offer(struct gateways *g, const struct um_virtual_service *vs, struct um_str gateway,
                      const struct binding *binding)
{
    struct um_vantage at = {.gateway = gateway, .port = binding->port->number};
    struct offer o = {g->c, vs, binding, um_compile_routes(g->c, vs, &at), false};
    for (uint32_t i = 0; o.routes.n && i < vs->hosts.n; i++) {
        struct um_str host =
            um_compile_made(g->c, um_name_host(&g->c->scratch, vs->hosts.items[i], vs->meta.namespace_name));
        if (host.p)
            add_host(&o, host);
    }
    return o.is_taken || o.routes.n == 0;
}

static void add_to_gateway(struct gateways *g, const struct um_virtual_service *vs, uint32_t i)
{
    char field[32];
    bool is_taken = false;
    struct um_str key = um_gateway_key(g->c, vs->gateways.items[i], vs->meta.namespace_name);
    const struct binding *first = um_map_get(&g->bindings, key);
    for (const struct binding *b = first; b; b = b->next)
        is_taken |= add_offer(g, vs, key, b);
    if (is_taken || !first)
        return;
    snprintf(field, sizeof field, "gateways[%u]", i);
    um_complain(g->c->diag, UM_SEVERITY_WARNING, &vs->place, field, NULL,
                "no server of Gateway '%.*s' admits any of these hosts", UM_STR_ARG(key));
}

static void add_virtual_service(struct gateways *g, const struct um_virtual_service *vs)
{
    if (vs->meta.is_broken || !um_is_exported(&vs->export_to, vs->meta.namespace_name, g->c->options->namespace_name))
        return;
    for (uint32_t i = 0; i < vs->gateways.n; i++)
        add_to_gateway(g, vs, i);
}

/* ---- the snapshot's part ------------------------------------------------------------------------ */

static bool has_early_catch_all(const struct um_routes *routes)
{
    for (uint32_t i = 0; i + 1 < routes->n; i++)
        if (um_route_is_catch_all(&routes->items[i].match))
            return true;
    return false;
}

/* in the order of the VirtualServices, the catch-alls of all behind the others */
static void set_routes(struct um_compile *c, const struct draft *d, struct um_virtual_host *to)
{
    if (d->n_parts == 1 && !has_early_catch_all(&d->parts[0])) {
        to->routes = d->parts[0].items;
        to->n_routes = d->n_routes;
        return;
    }
    to->routes = um_compile_items(c, d->n_routes, sizeof *to->routes);
    for (int wants_catch_all = 0; to->routes && wants_catch_all < 2; wants_catch_all++)
        for (uint32_t p = 0; p < d->n_parts; p++)
            for (uint32_t i = 0; i < d->parts[p].n; i++)
                if (um_route_is_catch_all(&d->parts[p].items[i].match) == (wants_catch_all == 1))
                    to->routes[to->n_routes++] = d->parts[p].items[i];
}

static void set_domain(struct um_compile *c, struct um_virtual_host *to, struct um_str domain)
{
    to->domains = um_compile_items(c, 1, sizeof *to->domains);
    if (!to->domains)
        return;
    to->domains[0] = um_compile_keep(c, domain);
    to->n_domains = 1;
}

static void add_port(struct um_compile *c, void *value)
{
    const struct port *port = value;
    struct um_vhosts hosts = {0};
    UM_MAP_EACH (entry, &port->drafts) {
        const struct draft *d = entry->value;
        struct um_virtual_host *host = um_compile_new_vhost(c, &hosts, d->host, port->number);
        if (!host)
            return;
        set_domain(c, host, d->host);
        set_routes(c, d, host);
    }
    if (hosts.n == 0) { /* listens all the same, and answers 404 */
        struct um_virtual_host *host = um_compile_new_vhost(c, &hosts, UM_STR("blackhole"), port->number);
        if (host)
            set_domain(c, host, UM_STR("*"));
    }
    struct um_str name = um_arena_printf(&c->snapshot->arena, "http.%u", (unsigned)port->number);
    um_compile_add_port(c, port->number, um_compile_route_config(c, name, &hosts), port->origin);
}

static void release(struct gateways *g)
{
    UM_MAP_EACH (entry, &g->ports)
        um_map_release(&((struct port *)entry->value)->drafts);
    for (struct binding *b = g->all; b; b = b->next_of_all) {
        um_map_release(&b->exact);
        um_map_release(&b->wildcard);
    }
    um_map_release(&g->ports);
    um_map_release(&g->bindings);
}

void um_compile_gateway(struct um_compile *c)
{
    struct gateways g = {.c = c};
    um_map_init(&g.ports);
    um_map_init(&g.bindings);
    for (uint32_t i = 0; !um_compile_has_failed(c) && i < c->resources->n_gateways; i++)
        add_gateway(&g, &c->resources->gateways[i]);
    for (uint32_t i = 0; !um_compile_has_failed(c) && i < c->resources->n_virtual_services; i++)
        add_virtual_service(&g, (const void *)c->virtual_services[i]);
    if (!um_compile_has_failed(c))
        um_compile_ports(c, &g.ports, add_port);
    release(&g);
}
