/* SPDX-License-Identifier: Apache-2.0
 * Listeners and the route configurations behind them, for both roles. Thread: control. */
#ifndef UM_ISTIO_COMPILE_LISTENER_H
#define UM_ISTIO_COMPILE_LISTENER_H

#include "istio/compile_context.h"

void um_compile_gateway(struct um_compile *); /* compile_gateway.c */
void um_compile_sidecar(struct um_compile *); /* compile_sidecar.c */

/* room for the listeners and route configurations of so many ports */
void um_compile_reserve_ports(struct um_compile *, uint32_t n);
/* The next route configuration, and its listeners on every address that this proxy binds. `origin` is kept. */
void um_compile_add_port(struct um_compile *, uint16_t port, struct um_route_config, struct um_str origin);
/* after the last port: two that ended on one address are an error */
void um_compile_check_ports(struct um_compile *);

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
