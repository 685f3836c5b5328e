/* SPDX-License-Identifier: Apache-2.0 */
#include "istio/compile_listener.h"

#include "istio/compile_grow.h"

#include <stdlib.h>

enum { ADDRESSES_MAX = 2 };

static uint32_t addresses_of(const struct um_compile *c, struct um_sockaddr addresses[ADDRESSES_MAX])
{
    if (c->options->has_bind) {
        addresses[0] = c->options->bind;
        return 1;
    }
    if (!c->is_gateway)
        return um_sockaddr_parse(UM_STR("127.0.0.1"), 0, &addresses[0]) == 0;
    return (uint32_t)(um_sockaddr_parse(UM_STR("0.0.0.0"), 0, &addresses[0]) == 0) +
           (uint32_t)(um_sockaddr_parse(UM_STR("::"), 0, &addresses[1]) == 0);
}

static void set_port(struct um_sockaddr *a, uint16_t port)
{
    if (a->u.any.sa_family == AF_INET6)
        a->u.v6.sin6_port = htons(port);
    else
        a->u.v4.sin_port = htons(port);
}

static uint16_t mapped(const struct um_compile_options *o, uint16_t port)
{
    for (uint32_t i = 0; i < o->n_port_maps; i++)
        if (o->port_maps[i].from == port)
            return o->port_maps[i].to;
    return port;
}

static void reserve_ports(struct um_compile *c, uint32_t n)
{
    c->snapshot->route_configs = um_compile_items(c, n, sizeof *c->snapshot->route_configs);
    c->snapshot->listeners = um_compile_items(c, n * (size_t)ADDRESSES_MAX, sizeof *c->snapshot->listeners);
}

/* 0.0.0.0_8080, [::]_8080; a port of the kernel's choice goes by the one in the YAML */
static struct um_str name_of(struct um_compile *c, const struct um_sockaddr *a, uint16_t port)
{
    char ip[UM_SOCKADDR_TEXT_BYTES];
    const char *format = a->u.any.sa_family == AF_INET6 ? "[%s]_%u" : "%s_%u";
    um_sockaddr_ip_text(a, ip);
    return um_compile_made(c, um_arena_printf(&c->snapshot->arena, format, ip, (unsigned)port));
}

void um_compile_add_port(struct um_compile *c, uint16_t port, struct um_route_config config, struct um_str origin)
{
    struct um_sockaddr addresses[ADDRESSES_MAX];
    uint16_t to = mapped(c->options, port);
    uint32_t n = addresses_of(c, addresses);
    if (um_compile_has_failed(c))
        return;
    struct um_route_config *routes = &c->snapshot->route_configs[c->snapshot->n_route_configs++];
    *routes = config;
    for (uint32_t i = 0; i < n; i++) {
        set_port(&addresses[i], to);
        c->snapshot->listeners[c->snapshot->n_listeners++] = (struct um_listener){
            .name = name_of(c, &addresses[i], to ? to : port),
            .addr = addresses[i],
            .port = port,
            .routes = routes,
            .origin = origin,
            .is_gateway = c->is_gateway,
        };
    }
}

/* two ports that --map-port moves to one address */
static void check_addresses(struct um_compile *c)
{
    struct um_map by_name;
    um_map_init(&by_name);
    for (uint32_t i = 0; !um_compile_has_failed(c) && i < c->snapshot->n_listeners; i++) {
        struct um_listener *l = &c->snapshot->listeners[i];
        const struct um_listener *other = um_map_get(&by_name, l->name);
        if (other)
            um_diag_add(c->diag, UM_SEVERITY_ERROR, (struct um_pos){"--map-port", 0, 0}, (struct um_diag_about){0},
                        "ports %u and %u would both listen on %.*s", (unsigned)other->port, (unsigned)l->port,
                        UM_STR_ARG(l->name));
        um_compile_put(c, &by_name, l->name, l);
    }
    um_map_release(&by_name);
}

static uint16_t number_of(const struct um_map_entry *entry)
{
    uint16_t number;
    memcpy(&number, entry->key.p, sizeof number);
    return number;
}

static int by_number(const void *a, const void *b)
{
    uint16_t x = number_of(*(struct um_map_entry *const *)a), y = number_of(*(struct um_map_entry *const *)b);
    return (x > y) - (x < y);
}

void um_compile_ports(struct um_compile *c, const struct um_map *ports, um_port_f *add)
{
    uint32_t n = 0;
    struct um_map_entry **entries = um_items_new(&c->scratch, ports->n_live, sizeof(struct um_map_entry *));
    if (!entries) {
        c->rc = UM_ENOMEM;
        return;
    }
    UM_MAP_EACH (entry, ports)
        entries[n++] = entry;
    qsort(entries, n, sizeof(struct um_map_entry *), by_number);
    reserve_ports(c, n);
    for (uint32_t i = 0; !um_compile_has_failed(c) && i < n; i++)
        add(c, entries[i]->value);
    check_addresses(c);
}

struct um_virtual_host *um_compile_new_vhost(struct um_compile *c, struct um_vhosts *hosts, struct um_str host,
                                             uint16_t port)
{
    struct um_virtual_host *items = um_grow(&c->scratch, hosts->items, hosts->n, sizeof *items);
    if (!items) {
        c->rc = UM_ENOMEM;
        return NULL;
    }
    hosts->items = items;
    items += hosts->n++;
    *items = (struct um_virtual_host){
        .name = um_compile_made(c, um_arena_printf(&c->snapshot->arena, "%.*s:%u", UM_STR_ARG(host), (unsigned)port))};
    return items;
}

struct um_route_config um_compile_route_config(struct um_compile *c, struct um_str name, const struct um_vhosts *hosts)
{
    struct um_route_config config = {.name = um_compile_made(c, name), .is_gateway = c->is_gateway};
    config.virtual_hosts = um_compile_items(c, hosts->n, sizeof *config.virtual_hosts);
    if (config.virtual_hosts && hosts->n)
        memcpy(config.virtual_hosts, hosts->items, hosts->n * sizeof *hosts->items);
    config.n_virtual_hosts = config.virtual_hosts ? hosts->n : 0;
    return config;
}
