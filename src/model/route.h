/* SPDX-License-Identifier: Apache-2.0
 * route: what a request is matched against and what then becomes of it. Immutable, part of a snapshot.
 * Source: Envoy RouteConfiguration, VirtualHost, Route; the Istio API */
#ifndef UM_MODEL_ROUTE_H
#define UM_MODEL_ROUTE_H

#include "base/map.h"
#include "base/regex.h"
#include "model/cluster.h"
#include "model/shadow_policy.h"

enum um_match_kind {
    UM_MATCH_ANY, /* no condition */
    UM_MATCH_EXACT,
    UM_MATCH_PREFIX, /* plain string prefix */
    UM_MATCH_REGEX,  /* RE2, whole text */
    UM_MATCH_PRESENT,
};

struct um_string_match {
    enum um_match_kind kind;
    bool ignore_case; /* EXACT and PREFIX, by uri only */
    struct um_str value;
    struct um_regex *regex;
};

enum um_match_subject {
    UM_SUBJECT_HEADER, /* each line of a repeated field is matched alone */
    UM_SUBJECT_METHOD,
    UM_SUBJECT_SCHEME,
    UM_SUBJECT_AUTHORITY, /* with port, case-sensitive */
    UM_SUBJECT_QUERY,     /* first value of the parameter, not decoded */
};

struct um_condition {
    enum um_match_subject subject;
    enum um_field_id id; /* HEADER */
    struct um_str name;  /* HEADER (lower-case), QUERY */
    struct um_string_match match;
    bool is_inverted; /* withoutHeaders */
};

struct um_route_match {
    struct um_string_match path; /* query not part of it */
    struct um_condition *conditions;
    uint32_t n_conditions;
};

struct um_mirror {
    struct um_str cluster_name;
    const struct um_cluster *cluster;      /* NULL: unknown, skipped as no_shadow_cluster (C7) */
    uint32_t numerator, denominator;       /* 1 000 000 or 100; sampled when random mod denominator < numerator */
    const struct um_shadow_policy *policy; /* never NULL */
    uint32_t index; /* of the (route label, shadow) counters; stable over reloads; set at publication */
};

struct um_weighted_cluster {
    struct um_str cluster_name;
    const struct um_cluster *cluster; /* NULL: unknown, 503 NC */
    uint32_t weight;
    struct um_header_ops request_headers,
        response_headers; /* only with several destinations; else merged into the route's */
    struct um_str host_rewrite;
};

enum um_route_action {
    UM_ACTION_FORWARD,
    UM_ACTION_REDIRECT,
    UM_ACTION_DIRECT_RESPONSE,
};

struct um_retry_policy {
    uint32_t attempts; /* retries after the first try; 0: none */
    bool on_connect_failure, on_reset_before_answer, on_refused_stream;
    uint64_t base_interval_ms; /* back-off, default 25, at most 10 times it */
    uint32_t host_attempts;    /* host_selection_retry_max_attempts, default 5 */
};

struct um_route {
    struct um_str name;        /* http[].name[.match[].name]; "default" */
    struct um_str label;       /* NAME.NAMESPACE/ROUTE for metrics; ROUTE its http[].name or index */
    struct um_str config_path; /* /apis/networking.istio.io/v1/namespaces/NS/virtual-service/NAME; may be empty */
    struct um_route_match match;
    enum um_route_action action;

    struct um_weighted_cluster *clusters; /* FORWARD: at least one */
    uint32_t n_clusters, total_weight;
    uint64_t timeout_ms; /* 0: none */
    struct um_retry_policy retry;
    struct um_header_ops request_headers, response_headers;
    struct um_str host_rewrite; /* empty: none */
    /* rewrite.uri: replaces the matched prefix (or the whole path of an EXACT or REGEX match) by plain text */
    bool has_path_rewrite;
    struct um_str path_rewrite;
    struct um_mirror *mirrors;
    uint32_t n_mirrors;

    uint16_t status; /* REDIRECT, DIRECT_RESPONSE */
    struct um_str redirect_path, redirect_authority, redirect_scheme, body;
};

struct um_virtual_host {
    struct um_str name;     /* httpbin.default.svc.cluster.local:8000 */
    struct um_str *domains; /* lower-case, without port; "*", "*.suffix" */
    uint32_t n_domains;
    struct um_route *routes; /* first match wins */
    uint32_t n_routes;
    struct um_route_index *index; /* owned by route/; NULL until um_route_index_build */
};

struct um_route_config {
    struct um_str name; /* http.80, 8000 */
    struct um_virtual_host *virtual_hosts;
    uint32_t n_virtual_hosts;
    struct um_domain_index *domain_index; /* owned by route/ */
    bool is_gateway;                      /* gateways answer 404 to a trailing dot, replace x-request-id, and so on */
};

#endif
