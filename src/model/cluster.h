/* SPDX-License-Identifier: Apache-2.0
 * cluster: a named group of endpoints and how to reach them. Immutable, part of a snapshot; what outlives a snapshot (pools,
 * health, counters) lives in upstream/ and stats/ under `index`. Source: Envoy Cluster, Istio DestinationRule. */
#ifndef UM_MODEL_CLUSTER_H
#define UM_MODEL_CLUSTER_H

#include "model/endpoint.h"

enum um_discovery {
    UM_DISCOVERY_EDS,          /* endpoints from EndpointSlices, Pods, WorkloadEntries, STATIC ServiceEntries */
    UM_DISCOVERY_STRICT_DNS,   /* all addresses of dns_names */
    UM_DISCOVERY_LOGICAL_DNS,  /* one address of one name */
    UM_DISCOVERY_ORIGINAL_DST, /* not served in this interception mode: no endpoints */
};

enum um_lb_policy { UM_LB_LEAST_REQUEST, UM_LB_ROUND_ROBIN, UM_LB_RANDOM, UM_LB_CLUSTER_PROVIDED };

struct um_dns_name {
    struct um_str name;
    uint16_t port;
    uint32_t weight;
    struct um_str locality;
};

/* Circuit breakers and pool settings; UINT32_MAX: no limit (Istio's default 2^32-1) */
struct um_cluster_limits {
    uint32_t max_connections, max_pending_requests, max_requests, max_retries;
    uint32_t max_requests_per_connection;                              /* 0: no limit */
    uint64_t connect_timeout_ms;                                       /* default 10 000 */
    uint64_t idle_timeout_ms;                                          /* default 3 600 000; 0: none */
    uint64_t max_connection_duration_ms;                               /* 0: none */
    uint32_t keepalive_probes, keepalive_time_s, keepalive_interval_s; /* 0: the kernel's */
    bool has_keepalive;
};

struct um_cluster {
    struct um_str name;                            /* outbound|8000|v1|httpbin.default.svc.cluster.local */
    struct um_str host;                            /* FQDN of the service */
    struct um_str subset;                          /* may be empty */
    uint16_t port;                                 /* service port */
    struct um_str service_name, service_namespace; /* metadata istio.services[] */
    struct um_str
        config_path; /* DestinationRule: /apis/networking.istio.io/v1/namespaces/NS/destination-rule/NAME; may be empty */
    enum um_discovery discovery;
    enum um_lb_policy lb;
    struct um_cluster_limits limits;
    bool is_external; /* ServiceEntry MESH_EXTERNAL */

    struct um_endpoint *endpoints; /* EDS: the set to begin with */
    uint32_t n_endpoints;
    struct um_dns_name *dns_names; /* *_DNS */
    uint32_t n_dns_names;

    uint32_t index; /* stable for this name as long as the process lives; set at publication */
};

#endif
