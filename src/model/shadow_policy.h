/* SPDX-License-Identifier: Apache-2.0
 * shadow_policy: what a ShadowPolicy says of one mirror of one route (docs/configuration.md), defaults filled in. Immutable. */
#ifndef UM_MODEL_SHADOW_POLICY_H
#define UM_MODEL_SHADOW_POLICY_H

#include "model/header_op.h"

enum um_sampling_key {
    UM_SAMPLING_RANDOM,
    UM_SAMPLING_HEADER,
    UM_SAMPLING_COOKIE,
    UM_SAMPLING_QUERY,
    UM_SAMPLING_SOURCE_ADDRESS,
};

enum um_body_limit_mode { UM_BODY_LIMIT_DROP, UM_BODY_LIMIT_BACKPRESSURE };

enum { UM_SHADOW_TIMEOUT_MS = 15000, UM_SHADOW_BODY_BYTES = 1 << 20, UM_SHADOW_MAX_LEGS = 1024 };

struct um_shadow_policy {
    struct um_str name; /* "NAME.NAMESPACE"; empty: the built-in defaults */
    enum um_sampling_key sampling_key;
    struct um_str sampling_name; /* of the header, cookie or query parameter */
    struct um_str sampling_salt;
    uint32_t methods;             /* bit 1 << enum um_method for each method that is copied; 0: all */
    struct um_str *other_methods; /* names that have no enum value */
    uint32_t n_other_methods;
    uint64_t timeout_ms;     /* 0: the route's, else UM_SHADOW_TIMEOUT_MS */
    uint64_t max_body_bytes; /* bytes waiting to be sent */
    enum um_body_limit_mode mode;
    bool has_body; /* false: `body: none` */
    bool has_host_suffix;
    struct um_str host_rewrite; /* empty: none */
    bool wants_distinct_endpoints;
    struct um_header_ops headers;
};

#endif
