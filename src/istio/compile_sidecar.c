/* SPDX-License-Identifier: Apache-2.0
 * The sidecar's role: a listener for each HTTP port of the services, and on it a virtual host for each service that has
 * the port, with the routes of the VirtualService that speaks for its host. Source: the Istio API,
 * docs/istio-observed.md 13 to 17.
 *
 *   VirtualService --*- claim (one of its hosts) --*- service --*- port --*- virtual host */
#include "istio/compile_grow.h"
#include "istio/compile_listener.h"
#include "istio/compile_route.h"
#include "istio/compile_scope.h"
#include "istio/names.h"

#include <stdio.h>

enum { FALLBACK_PORT = 80 }; /* of hosts that no service defines */

/* a host of VirtualServices, and the services that it stands for: one, or those that a wildcard covers */
struct claim {
    struct um_str host;
    const struct um_mesh_service **services;
    uint32_t n_services;
};

/* a VirtualService for sidecars */
struct mesh_vs {
    const struct um_virtual_service *vs;
    struct claim **claims; /* one for each of its hosts */
};

struct port {
    uint16_t number;
    const struct um_mesh_service **services; /* that have it, as HTTP */
    uint32_t n_services;
    const struct mesh_vs **virtual_services; /* oldest first */
    uint32_t n_virtual_services;
};

struct sidecar {
    struct um_compile *c;
    struct mesh_vs *virtual_services; /* oldest first */
    uint32_t n_virtual_services;
    struct um_map claims; /* host -> struct claim */
    struct um_map ports;  /* two bytes of the number -> struct port */
};

/* ---- who claims what ---------------------------------------------------------------------------- */

static struct claim *claim_of(struct sidecar *s, struct um_str host)
{
    struct claim *claim = um_map_get(&s->claims, host);
    if (claim)
        return claim;
    claim = um_items_new(&s->c->scratch, 1, sizeof *claim);
    if (!claim) {
        s->c->rc = UM_ENOMEM;
        return NULL;
    }
    claim->host = host;
    um_compile_put(s->c, &s->claims, host, claim);
    return claim;
}

static bool is_for_mesh(const struct um_virtual_service *vs)
{
    for (uint32_t i = 0; i < vs->gateways.n; i++)
        if (um_str_eq(vs->gateways.items[i], UM_STR("mesh")))
            return true;
    return vs->gateways.n == 0;
}

static void add_virtual_service(struct sidecar *s, const struct um_virtual_service *vs)
{
    struct um_compile *c = s->c;
    if (vs->meta.is_broken || vs->hosts.n == 0 || !is_for_mesh(vs) ||
        !um_is_exported(&vs->export_to, vs->meta.namespace_name, c->options->namespace_name))
        return;
    struct mesh_vs *r = &s->virtual_services[s->n_virtual_services];
    *r = (struct mesh_vs){vs, um_items_new(&c->scratch, vs->hosts.n, sizeof(struct claim *))};
    if (!r->claims) {
        c->rc = UM_ENOMEM;
        return;
    }
    for (uint32_t i = 0; i < vs->hosts.n; i++) {
        struct um_str host = um_compile_made(c, um_name_host(&c->scratch, vs->hosts.items[i], vs->meta.namespace_name));
        r->claims[i] = host.p ? claim_of(s, host) : NULL;
        if (!r->claims[i])
            return;
    }
    s->n_virtual_services++;
}

/* the host's own claim, else that of the narrowest wildcard around it */
static struct claim *find_claim(const struct sidecar *s, struct um_str host)
{
    char wildcard[256]; /* a host has at most 255 characters */
    struct claim *found = um_map_get(&s->claims, host);
    while (!found && um_name_next_suffix(&host)) {
        if (host.n >= sizeof wildcard)
            continue;
        wildcard[0] = '*';
        memcpy(wildcard + 1, host.p, host.n);
        found = um_map_get(&s->claims, (struct um_str){wildcard, host.n + 1});
    }
    return found;
}

static void add_to_claim(struct sidecar *s, const struct um_mesh_service *service)
{
    struct claim *claim = find_claim(s, service->host);
    if (!claim)
        return;
    claim->services = um_grow(&s->c->scratch, claim->services, claim->n_services, sizeof(struct um_mesh_service *));
    if (claim->services)
        claim->services[claim->n_services++] = service;
    else
        s->c->rc = UM_ENOMEM;
}

/* ---- ports -------------------------------------------------------------------------------------- */

static struct port *find_port(const struct sidecar *s, uint16_t number)
{
    return um_map_get(&s->ports, um_port_key(&number));
}

static void add_service_port(struct sidecar *s, const struct um_mesh_service *service, uint16_t number)
{
    struct port *p = find_port(s, number);
    if (!p) {
        p = um_items_new(&s->c->scratch, 1, sizeof *p);
        if (!p) {
            s->c->rc = UM_ENOMEM;
            return;
        }
        p->number = number;
        um_compile_put(s->c, &s->ports, um_port_key(&p->number), p);
    }
    p->services = um_grow(&s->c->scratch, p->services, p->n_services, sizeof(struct um_mesh_service *));
    if (p->services)
        p->services[p->n_services++] = service;
    else
        s->c->rc = UM_ENOMEM;
}

static void add_service(struct sidecar *s, const struct um_mesh_service *service)
{
    add_to_claim(s, service);
    for (uint32_t i = 0; i < service->n_ports; i++)
        if (um_protocol_is_http(service->ports[i].protocol))
            add_service_port(s, service, service->ports[i].number);
}

static void add_to_port(struct sidecar *s, struct port *p, const struct mesh_vs *r)
{
    if (!p || (p->n_virtual_services && p->virtual_services[p->n_virtual_services - 1] == r))
        return;
    p->virtual_services = um_grow(&s->c->scratch, p->virtual_services, p->n_virtual_services, sizeof(struct mesh_vs *));
    if (p->virtual_services)
        p->virtual_services[p->n_virtual_services++] = r;
    else
        s->c->rc = UM_ENOMEM;
}

static bool has_http_port(const struct um_mesh_service *service, uint16_t number)
{
    const struct um_mesh_port *p = um_mesh_port_find(service, number);
    return p && um_protocol_is_http(p->protocol);
}

static void say_of_host(const struct sidecar *s, const struct mesh_vs *r, uint32_t i, const char *what)
{
    char field[32];
    snprintf(field, sizeof field, "hosts[%u]", i);
    um_complain(s->c->diag, UM_SEVERITY_WARNING, &r->vs->place, field, NULL, "%s", what);
}

static bool claims_any(const struct mesh_vs *r)
{
    for (uint32_t i = 0; i < r->vs->hosts.n; i++)
        if (r->claims[i]->n_services)
            return true;
    return false;
}

/* hosts that no listener serves; one that no service defines lives where the others of its VirtualService do */
static void check_hosts(const struct sidecar *s, const struct mesh_vs *r)
{
    bool has_port = find_port(s, FALLBACK_PORT) || claims_any(r);
    for (uint32_t i = 0; i < r->vs->hosts.n; i++) {
        if (r->claims[i]->n_services)
            continue;
        if (um_name_is_wildcard(r->claims[i]->host))
            say_of_host(s, r, i, "covers no Service or ServiceEntry, and no other host on a sidecar");
        else if (!has_port)
            say_of_host(s, r, i, "no Service or ServiceEntry has this host, and none listens on port 80 for it");
    }
}

/* the VirtualService has a say on every port of the services that it claims, and on the fallback port */
static void spread(struct sidecar *s, const struct mesh_vs *r)
{
    check_hosts(s, r);
    for (uint32_t i = 0; i < r->vs->hosts.n; i++)
        for (uint32_t k = 0; k < r->claims[i]->n_services; k++)
            for (uint32_t p = 0; p < r->claims[i]->services[k]->n_ports; p++)
                add_to_port(s, find_port(s, r->claims[i]->services[k]->ports[p].number), r);
    add_to_port(s, find_port(s, FALLBACK_PORT), r);
}

/* ---- virtual hosts of a port -------------------------------------------------------------------- */

struct draft {
    struct um_compile *c;
    const struct port *port;
    struct um_vhosts hosts;
    struct um_map names;   /* of hosts that have a virtual host, or whose service has been spoken for */
    struct um_map domains; /* taken */
};

enum { ALTERNATIVES_MAX = 3 };

/* NAME.NS and NAME.NS.svc of NAME.NS.svc.DOMAIN, and NAME alone in the proxy's own namespace */
static uint32_t alternatives(const struct um_compile *c, struct um_str host, struct um_str out[ALTERNATIVES_MAX])
{
    const char *svc = memmem(host.p, host.n, ".svc.", 5);
    ptrdiff_t dot = um_str_find(host, '.');
    size_t end = svc ? (size_t)(svc - host.p) : 0; /* of NAME.NS */
    uint32_t n = 0;
    if (!svc || (size_t)dot + 1 > end)
        return 0;
    struct um_str namespace_name = {host.p + dot + 1, end - (size_t)dot - 1};
    if (um_str_eq(namespace_name, c->options->namespace_name))
        out[n++] = (struct um_str){host.p, (size_t)dot};
    out[n++] = (struct um_str){host.p, end};
    out[n++] = (struct um_str){host.p, end + 4};
    return n;
}

static void add_domain(struct draft *d, struct um_virtual_host *host, struct um_str domain)
{
    if (!domain.p || um_map_get(&d->domains, domain))
        return;
    host->domains[host->n_domains++] = domain;
    um_compile_put(d->c, &d->domains, domain, d);
}

static void add_service_domains(struct draft *d, struct um_virtual_host *host, const struct um_mesh_service *service)
{
    struct um_str forms[ALTERNATIVES_MAX];
    struct um_arena *arena = &d->c->snapshot->arena;
    uint32_t n = alternatives(d->c, service->host, forms);
    if (!um_name_is_wildcard(service->host))
        add_domain(d, host, um_compile_made(d->c, um_arena_printf(arena, "%.*s.", UM_STR_ARG(service->host))));
    for (uint32_t i = 0; i < n; i++)
        if (!um_registry_find(&d->c->registry, forms[i])) /* a service of that very name keeps it */
            add_domain(d, host, um_compile_keep(d->c, forms[i]));
    for (uint32_t i = 0; i < service->n_addresses; i++) {
        struct um_str ip = service->addresses[i];
        if (um_str_find(ip, '/') >= 0) /* a CIDR is nobody's Host */
            continue;
        const char *format = um_str_find(ip, ':') >= 0 ? "[%.*s]" : "%.*s";
        add_domain(d, host, um_compile_made(d->c, um_arena_printf(arena, format, UM_STR_ARG(ip))));
    }
}

/* service is NULL for a host that none defines here */
static void add_vhost(struct draft *d, struct um_str name, const struct um_mesh_service *service,
                      struct um_routes routes)
{
    if (um_map_get(&d->names, name))
        return;
    um_compile_put(d->c, &d->names, name, d);
    struct um_virtual_host *host = um_compile_new_vhost(d->c, &d->hosts, name, d->port->number);
    if (!host)
        return;
    host->domains = um_compile_items(d->c, 2 + (size_t)ALTERNATIVES_MAX + (service ? service->n_addresses : 0),
                                     sizeof *host->domains);
    if (!host->domains)
        return;
    host->routes = routes.items;
    host->n_routes = routes.n;
    add_domain(d, host, um_compile_keep(d->c, name));
    if (service)
        add_service_domains(d, host, service);
    if (host->n_domains == 0) /* all taken by older ones */
        d->hosts.n--;
}

static bool claims_at_port(const struct mesh_vs *r, uint16_t number, bool *ret_elsewhere)
{
    bool here = false;
    *ret_elsewhere = false;
    for (uint32_t i = 0; i < r->vs->hosts.n; i++)
        for (uint32_t k = 0; k < r->claims[i]->n_services; k++)
            if (has_http_port(r->claims[i]->services[k], number))
                here = true;
            else
                *ret_elsewhere = true;
    return here;
}

static void add_claim(struct draft *d, const struct claim *claim, struct um_routes routes)
{
    for (uint32_t k = 0; k < claim->n_services; k++)
        if (has_http_port(claim->services[k], d->port->number))
            add_vhost(d, claim->services[k]->host, claim->services[k], routes);
}

/* a host that is no service's here: a domain of its own, unless it is a wildcard */
static void add_foreign_host(struct draft *d, const struct claim *claim, struct um_routes routes)
{
    const struct um_mesh_service *service = um_registry_find(&d->c->registry, claim->host);
    if (!um_name_is_wildcard(claim->host) && !(service && um_mesh_port_find(service, d->port->number)))
        add_vhost(d, claim->host, NULL, routes);
}

static void add_vhosts(struct draft *d, const struct mesh_vs *r)
{
    struct um_vantage at = {.gateway = UM_STR("mesh"), .port = d->port->number};
    bool elsewhere;
    if (!claims_at_port(r, d->port->number, &elsewhere)) {
        if (d->port->number != FALLBACK_PORT)
            return;
        at.is_fallback = elsewhere;
    }
    struct um_routes routes = um_compile_routes(d->c, r->vs, &at);
    for (uint32_t i = 0; routes.n && i < r->vs->hosts.n; i++)
        add_foreign_host(d, r->claims[i], routes);
    for (uint32_t i = 0; routes.n && i < r->vs->hosts.n; i++)
        add_claim(d, r->claims[i], routes);
}

static void add_port(struct um_compile *c, void *value)
{
    const struct port *port = value;
    struct draft d = {.c = c, .port = port};
    um_map_init(&d.names);
    um_map_init(&d.domains);
    for (uint32_t i = 0; !um_compile_has_failed(c) && i < port->n_virtual_services; i++)
        add_vhosts(&d, port->virtual_services[i]);
    for (uint32_t i = 0; !um_compile_has_failed(c) && i < port->n_services; i++)
        if (!um_map_get(&d.names, port->services[i]->host))
            add_vhost(&d, port->services[i]->host, port->services[i],
                      um_compile_default_route(c, port->services[i], port->number));
    const struct um_meta *meta = port->services[0]->meta;
    struct um_str origin = um_compile_made(
        c, um_arena_printf(&c->snapshot->arena, "%.*s port %u", UM_STR_ARG(meta->resource), port->number));
    struct um_str name = um_arena_printf(&c->snapshot->arena, "%u", port->number);
    um_compile_add_port(c, port->number, um_compile_route_config(c, name, &d.hosts), origin);
    um_map_release(&d.names);
    um_map_release(&d.domains);
}

void um_compile_sidecar(struct um_compile *c)
{
    struct sidecar s = {.c = c};
    um_map_init(&s.claims);
    um_map_init(&s.ports);
    s.virtual_services = um_items_new(&c->scratch, c->resources->n_virtual_services, sizeof *s.virtual_services);
    if (!s.virtual_services)
        c->rc = UM_ENOMEM;
    for (uint32_t i = 0; !um_compile_has_failed(c) && i < c->resources->n_virtual_services; i++)
        add_virtual_service(&s, (const void *)c->virtual_services[i]);
    for (uint32_t i = 0; !um_compile_has_failed(c) && i < c->registry.n_services; i++)
        add_service(&s, c->registry.services[i]);
    for (uint32_t i = 0; !um_compile_has_failed(c) && i < s.n_virtual_services; i++)
        spread(&s, &s.virtual_services[i]);
    if (!um_compile_has_failed(c))
        um_compile_ports(c, &s.ports, add_port);
    um_map_release(&s.claims);
    um_map_release(&s.ports);
}
