/* SPDX-License-Identifier: Apache-2.0
 * compile_options: who this proxy is and where it listens, as the command line says it (docs/umbra.1).
 * Slices are borrowed for the time of the compilation. Thread: any (plain data). */
#ifndef UM_ISTIO_COMPILE_OPTIONS_H
#define UM_ISTIO_COMPILE_OPTIONS_H

#include "model/endpoint.h"

enum um_role { UM_ROLE_AUTO, UM_ROLE_GATEWAY, UM_ROLE_SIDECAR }; /* AUTO: gateway if there is a Gateway document */

struct um_label {
    struct um_str key, value;
};

struct um_port_map {
    uint16_t from, to; /* to 0: a free port of the kernel's choice */
};

/* --endpoint HOST[,label=value...]=ADDR:PORT */
struct um_given_endpoint {
    struct um_str host; /* short name, name.namespace or full */
    struct um_label *labels;
    uint32_t n_labels;
    struct um_sockaddr addr;
};

struct um_compile_options {
    enum um_role role;
    struct um_label *labels; /* of the proxy; none: every Gateway */
    uint32_t n_labels;
    struct um_str namespace_name; /* "default" */
    bool has_bind;                /* false: 0.0.0.0 and [::] on a gateway, 127.0.0.1 on a sidecar */
    struct um_sockaddr bind;      /* its port is not looked at */
    struct um_port_map *port_maps;
    uint32_t n_port_maps;
    struct um_given_endpoint *endpoints;
    uint32_t n_endpoints;
    bool has_shadow_host_suffix; /* C10 */
};

#endif
