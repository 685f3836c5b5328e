/* SPDX-License-Identifier: Apache-2.0
 * listener: a socket address that serves a route configuration. Immutable, part of a snapshot. Source: Envoy Listener. */
#ifndef UM_MODEL_LISTENER_H
#define UM_MODEL_LISTENER_H

#include "model/route.h"

struct um_listener {
    struct um_str name;      /* 0.0.0.0_8080 */
    struct um_sockaddr addr; /* bound; port 0 asks the kernel */
    uint16_t port;           /* as the YAML has it, before --map-port */
    struct um_route_config *routes;
    struct um_str origin; /* for messages: "Gateway default/httpbin-gateway port 80" */
    bool is_gateway;
};

#endif
