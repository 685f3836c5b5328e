/* SPDX-License-Identifier: Apache-2.0
 * services: the hosts that requests can be sent to, from Kubernetes Services and ServiceEntries, joined with the
 * endpoints that EndpointSlices, Endpoints, Pods, WorkloadEntries, ServiceEntries and --endpoint give them.
 *
 *   Service ------ EndpointSlice (or Endpoints) --- Pod (labels)        by name
 *       `--------- Pod (only where there is neither), WorkloadEntry     by selector
 *   ServiceEntry - its own endpoints, or Pods and WorkloadEntries       by selector
 *
 * Owner: the arena given to um_registry_build; slices of the resources are borrowed. Thread: control.
 * Source: the Istio API */
#ifndef UM_ISTIO_SERVICES_H
#define UM_ISTIO_SERVICES_H

#include "base/map.h"
#include "istio/compile_options.h"
#include "istio/resources.h"
#include "model/cluster.h"

enum um_protocol {
    UM_PROTOCOL_HTTP,
    UM_PROTOCOL_HTTP2,
    UM_PROTOCOL_GRPC,
    UM_PROTOCOL_GRPC_WEB,
    UM_PROTOCOL_UNNAMED, /* neither appProtocol nor name tells: taken as HTTP, as Istio's sniffing mostly would */
    UM_PROTOCOL_HTTPS,
    UM_PROTOCOL_TLS,
    UM_PROTOCOL_TCP,
    UM_PROTOCOL_UDP,
};

static inline bool um_protocol_is_http(enum um_protocol p)
{
    return p <= UM_PROTOCOL_UNNAMED;
}

/* By appProtocol, else the port name up to its first '-', else the number (a few are never HTTP). A ServiceEntry's
 * or Gateway's `protocol` goes through app_protocol. Any may be empty. */
enum um_protocol um_protocol_of(struct um_str app_protocol, struct um_str port_name, uint16_t number);
const char *um_protocol_name(enum um_protocol);

struct um_mesh_port {
    const struct um_place *place;
    struct um_str name;
    uint16_t number;
    uint16_t target;           /* of endpoints that do not say otherwise; 0: they must know target_name */
    struct um_str target_name; /* a container's port */
    enum um_protocol protocol;
};

struct um_mesh_instance {
    struct um_str address; /* an IP address; in a DNS service possibly a name */
    const struct um_pairs *labels;
    struct um_str locality;
    const uint16_t *ports; /* one for each of the service's; 0: not offered here */
    uint32_t weight;
    bool is_ready;
};

struct um_mesh_service {
    struct um_str host;
    struct um_str name, namespace_name;
    const struct um_meta *meta;
    const struct um_service *kubernetes; /* NULL: from a ServiceEntry */
    enum um_discovery discovery;
    bool is_external;
    bool has_slices, has_endpoints;
    struct um_str external_name;        /* type ExternalName */
    struct um_mesh_service *stands_for; /* what external_name names, if that is known */

    struct um_mesh_port *ports;
    uint32_t n_ports;
    struct um_str *addresses; /* ClusterIPs and VIPs */
    uint32_t n_addresses;
    struct um_mesh_instance *instances;
    uint32_t n_instances;
};

struct um_registry {
    struct um_arena *arena;
    struct um_mesh_service **services; /* Services first, then ServiceEntries by age */
    uint32_t n_services;
    struct um_map by_host;
    unsigned n_hints; /* so far: each costs a walk over all hosts */
};

/* To be released in any case. UM_ENOMEM. Diagnostics: unknown --endpoint hosts (errors), endpoints that cannot be
 * used, hosts that are defined twice (warnings). */
int um_registry_build(struct um_registry *, const struct um_resources *, const struct um_compile_options *,
                      struct um_diag *, struct um_arena *) UM_MUST_CHECK;
void um_registry_release(struct um_registry *);

/* NULL if there is none; `host` completed and lower-case */
struct um_mesh_service *um_registry_find(const struct um_registry *, struct um_str host);
const struct um_mesh_port *um_mesh_port_find(const struct um_mesh_service *, uint16_t number);

/* "did you mean 'X'?" for a host as it was written and completed; NULL if nothing is near */
const char *um_registry_hint(struct um_registry *, struct um_str written, struct um_str host);

#endif
