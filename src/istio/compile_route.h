/* SPDX-License-Identifier: Apache-2.0
 * http[] of a VirtualService as routes. Source: the Istio API, docs/istio-observed.md 1 and 22 to 25.
 * Thread: control. */
#ifndef UM_ISTIO_COMPILE_ROUTE_H
#define UM_ISTIO_COMPILE_ROUTE_H

#include "istio/compile_match.h"

struct um_routes {
    struct um_route *items; /* in the snapshot */
    uint32_t n;
};

/* its routes as seen from there, in order, up to the first catch-all; none without a match that applies */
struct um_routes um_compile_routes(struct um_compile *, const struct um_virtual_service *, const struct um_vantage *);

/* the route of a service that no VirtualService speaks for */
struct um_routes um_compile_default_route(struct um_compile *, const struct um_mesh_service *, uint16_t port);

/* what a destination names, at a listener's port */
struct um_target {
    struct um_str host;                    /* completed; of the service that an ExternalName stands for */
    const struct um_mesh_service *service; /* NULL: unknown */
    uint16_t port;
};
struct um_target um_compile_target(struct um_compile *, const struct um_destination *, struct um_str vs_namespace,
                                   uint16_t listener_port);

#endif
