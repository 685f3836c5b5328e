/* SPDX-License-Identifier: Apache-2.0
 * Listeners and the route configurations behind them, for both roles. Thread: control. */
#ifndef UM_ISTIO_COMPILE_LISTENER_H
#define UM_ISTIO_COMPILE_LISTENER_H

#include "istio/compile_context.h"

void um_compile_gateway(struct um_compile *); /* compile_gateway.c */
void um_compile_sidecar(struct um_compile *); /* compile_sidecar.c */

/* the key of a port in a map: the two bytes of a number that lives as long as the map */
static inline struct um_str um_port_key(const uint16_t *number)
{
    return (struct um_str){(const char *)number, sizeof *number};
}

/* Calls `add` for each value of a map of ports, by number, after making room for their listeners. It adds the port. */
typedef void um_port_f(struct um_compile *, void *port);
void um_compile_ports(struct um_compile *, const struct um_map *ports, um_port_f *add);
/* The next route configuration, and its listeners on every address that this proxy binds. */
void um_compile_add_port(struct um_compile *, uint16_t port, struct um_route_config, struct um_str origin);

/* virtual hosts of a port while they are found; in scratch */
struct um_vhosts {
    struct um_virtual_host *items;
    uint32_t n;
};
/* NULL without memory */
struct um_virtual_host *um_compile_new_vhost(struct um_compile *, struct um_vhosts *, struct um_str host,
                                             uint16_t port);
/* a route configuration with a copy of them in the snapshot */
struct um_route_config um_compile_route_config(struct um_compile *, struct um_str name, const struct um_vhosts *);

#endif
