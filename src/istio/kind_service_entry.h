/* SPDX-License-Identifier: Apache-2.0
 * ServiceEntry and WorkloadEntry as decoded (networking.istio.io, service_entry.proto, workload_entry.proto). */
#ifndef UM_ISTIO_KIND_SERVICE_ENTRY_H
#define UM_ISTIO_KIND_SERVICE_ENTRY_H

#include "istio/meta.h"

enum um_location { UM_LOCATION_MESH_EXTERNAL, UM_LOCATION_MESH_INTERNAL };

enum um_resolution {
    UM_RESOLUTION_NONE,
    UM_RESOLUTION_STATIC,
    UM_RESOLUTION_DNS,
    UM_RESOLUTION_DNS_ROUND_ROBIN,
    UM_RESOLUTION_DYNAMIC_DNS,
};

struct um_entry_port {
    struct um_place place;
    struct um_opt_u32 number, target_port;
    struct um_str name, protocol; /* protocol as written: "HTTP", "http2"; may be absent */
};

struct um_workload { /* endpoints[] and the spec of a WorkloadEntry */
    struct um_place place;
    struct um_str address; /* IP, name or unix:// path; absent with a network gateway only */
    struct um_named_ports ports;
    struct um_pairs labels;
    struct um_str network, locality, service_account;
    struct um_opt_u32 weight;
};

struct um_service_entry {
    struct um_meta meta;
    struct um_place place; /* of spec */
    struct um_strs hosts, addresses, export_to, subject_alt_names;
    struct um_entry_port *ports;
    uint32_t n_ports;
    enum um_location location;
    enum um_resolution resolution;
    struct um_workload *endpoints;
    uint32_t n_endpoints;
    bool has_workload_selector;
    struct um_pairs workload_selector; /* labels */
};

struct um_workload_entry {
    struct um_meta meta;
    struct um_workload workload;
};

#endif
