/* SPDX-License-Identifier: Apache-2.0
 * VirtualService as decoded (networking.istio.io, virtual_service.proto). Names of members are the API's in snake_case.
 */
#ifndef UM_ISTIO_KIND_VIRTUAL_SERVICE_H
#define UM_ISTIO_KIND_VIRTUAL_SERVICE_H

#include "istio/meta.h"

enum um_text_match_kind { UM_TEXT_PRESENT, UM_TEXT_EXACT, UM_TEXT_PREFIX, UM_TEXT_REGEX };

struct um_text_match { /* StringMatch; in a map (headers, queryParams) place.key is the name */
    struct um_place place;
    enum um_text_match_kind kind; /* PRESENT: `{}` */
    struct um_str text;
};

struct um_destination {
    struct um_place place;
    struct um_str host, subset;
    struct um_opt_u32 port;
};

struct um_header_changes { /* HeaderOperations */
    struct um_place place;
    struct um_pairs set, add;
    struct um_strs remove;
};

struct um_http_headers {
    struct um_place place;
    struct um_header_changes *request, *response;
};

struct um_http_match {
    struct um_place place;
    struct um_str name, stat_prefix, source_namespace;
    struct um_text_match *uri, *scheme, *method, *authority;
    struct um_text_match *headers, *without_headers, *query_params;
    uint32_t n_headers, n_without_headers, n_query_params;
    struct um_opt_u32 port;
    struct um_pairs source_labels;
    struct um_strs gateways;
    bool ignore_uri_case;
};

struct um_route_destination {
    struct um_place place;
    struct um_destination *destination;
    struct um_opt_u32 weight;
    struct um_http_headers *headers;
};

enum um_derive_port { UM_DERIVE_PORT_PROTOCOL_DEFAULT, UM_DERIVE_PORT_REQUEST };

struct um_http_redirect {
    struct um_place place;
    struct um_str uri, authority, scheme;
    struct um_opt_u32 port, redirect_code;
    bool has_derive_port;
    enum um_derive_port derive_port;
};

struct um_http_direct_response {
    struct um_place place;
    struct um_opt_u32 status;
    struct um_str body; /* of body.string or, decoded, body.bytes */
};

struct um_http_rewrite {
    struct um_place place;
    struct um_str uri, authority;
    struct um_regex_rewrite *uri_regex_rewrite;
};

struct um_regex_rewrite {
    struct um_place place;
    struct um_str match, rewrite;
};

struct um_http_retries {
    struct um_place place;
    struct um_opt_u32 attempts;
    struct um_opt_ms per_try_timeout, backoff;
    struct um_str retry_on;
    struct um_opt_bool retry_remote_localities, retry_ignore_previous_hosts;
};

struct um_percent {
    struct um_place place;
    struct um_opt_double value; /* absent in `{}`: 0 */
};

struct um_http_fault_delay {
    struct um_place place;
    struct um_opt_ms fixed_delay;
    struct um_opt_u32 percent;
    struct um_percent *percentage; /* both absent: 0 % */
};

struct um_http_fault_abort {
    struct um_place place;
    struct um_opt_u32 http_status;
    struct um_str grpc_status;
    struct um_percent *percentage; /* absent: 0 % */
};

struct um_http_fault {
    struct um_place place;
    struct um_http_fault_delay *delay;
    struct um_http_fault_abort *abort;
};

enum um_unmatched_preflights { UM_PREFLIGHTS_FORWARD, UM_PREFLIGHTS_IGNORE };

struct um_cors_policy {
    struct um_place place;
    struct um_text_match *allow_origins;
    uint32_t n_allow_origins;
    struct um_strs allow_origin, allow_methods, allow_headers, expose_headers;
    struct um_opt_ms max_age;
    struct um_opt_bool allow_credentials;
    enum um_unmatched_preflights unmatched_preflights;
};

struct um_http_mirror { /* mirrors[] */
    struct um_place place;
    struct um_destination *destination;
    struct um_percent *percentage; /* absent: 100 %; `{}`: 0 % */
};

struct um_delegate {
    struct um_place place;
    struct um_str name, namespace_name;
};

struct um_http_route {
    struct um_place place;
    struct um_str name;
    struct um_http_match *match;
    uint32_t n_match;
    struct um_route_destination *route;
    uint32_t n_route;
    struct um_http_redirect *redirect;
    struct um_http_direct_response *direct_response;
    struct um_delegate *delegate;
    struct um_http_rewrite *rewrite;
    struct um_opt_ms timeout; /* absent: none */
    struct um_http_retries *retries;
    struct um_http_fault *fault;
    struct um_destination *mirror;
    struct um_http_mirror *mirrors;
    uint32_t n_mirrors;
    struct um_percent *mirror_percentage;
    struct um_opt_u32 mirror_percent; /* only if mirror_percentage is absent */
    struct um_cors_policy *cors_policy;
    struct um_http_headers *headers;
};

struct um_virtual_service {
    struct um_meta meta;
    struct um_place place; /* of spec */
    struct um_strs hosts, gateways, export_to;
    struct um_http_route *http;
    uint32_t n_http;
};

#endif
