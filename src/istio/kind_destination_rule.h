/* SPDX-License-Identifier: Apache-2.0
 * DestinationRule as decoded (networking.istio.io, destination_rule.proto). */
#ifndef UM_ISTIO_KIND_DESTINATION_RULE_H
#define UM_ISTIO_KIND_DESTINATION_RULE_H

#include "istio/meta.h"

enum um_lb_simple {
    UM_LB_SIMPLE_UNSPECIFIED, /* absent, or said so */
    UM_LB_SIMPLE_ROUND_ROBIN,
    UM_LB_SIMPLE_RANDOM,
    UM_LB_SIMPLE_LEAST_REQUEST, /* LEAST_CONN too */
    UM_LB_SIMPLE_PASSTHROUGH,
};

struct um_load_balancer {
    struct um_place place;
    enum um_lb_simple simple;
};

struct um_tcp_keepalive {
    struct um_place place;
    struct um_opt_u32 probes;
    struct um_opt_ms time, interval;
};

struct um_tcp_pool {
    struct um_place place;
    struct um_opt_u32 max_connections;
    struct um_opt_ms connect_timeout, max_connection_duration, idle_timeout;
    struct um_tcp_keepalive *tcp_keepalive;
};

struct um_http_pool {
    struct um_place place;
    struct um_opt_u32 http1_max_pending_requests, http2_max_requests, max_requests_per_connection, max_retries;
    struct um_opt_ms idle_timeout;
};

struct um_connection_pool {
    struct um_place place;
    struct um_tcp_pool *tcp;
    struct um_http_pool *http;
};

struct um_outlier_detection {
    struct um_place place;
    struct um_opt_u32 consecutive_5xx_errors, consecutive_gateway_errors, consecutive_local_origin_failures;
    struct um_opt_bool split_external_local_origin_errors;
    struct um_opt_ms interval, base_ejection_time;
    struct um_opt_u32 max_ejection_percent, min_health_percent;
};

enum um_client_tls_mode { UM_TLS_DISABLE, UM_TLS_SIMPLE, UM_TLS_MUTUAL, UM_TLS_ISTIO_MUTUAL };

struct um_client_tls {
    struct um_place place;
    enum um_client_tls_mode mode;
    struct um_str client_certificate, private_key, ca_certificates, ca_crl, credential_name, sni;
    struct um_strs subject_alt_names;
    struct um_opt_bool insecure_skip_verify;
};

/* a block that is absent is inherited or falls to its default, as the merge rule has it */
struct um_traffic_blocks {
    struct um_load_balancer *load_balancer;
    struct um_connection_pool *connection_pool;
    struct um_outlier_detection *outlier_detection;
    struct um_client_tls *tls;
};

struct um_port_policy { /* portLevelSettings[] */
    struct um_place place;
    struct um_opt_u32 port;
    struct um_traffic_blocks blocks;
};

struct um_traffic_policy {
    struct um_place place;
    struct um_traffic_blocks blocks;
    struct um_port_policy *port_level_settings;
    uint32_t n_port_level_settings;
};

struct um_subset {
    struct um_place place;
    struct um_str name;
    struct um_pairs labels;
    struct um_traffic_policy *traffic_policy;
};

struct um_destination_rule {
    struct um_meta meta;
    struct um_place place; /* of spec */
    struct um_str host;
    struct um_strs export_to;
    struct um_traffic_policy *traffic_policy;
    struct um_subset *subsets;
    uint32_t n_subsets;
    struct um_pairs workload_selector; /* matchLabels; empty: every client */
};

#endif
