/* SPDX-License-Identifier: Apache-2.0
 * ShadowPolicy as decoded (umbra.mesh/v1alpha1): what Istio's API cannot say of a mirror. Every field is optional. */
#ifndef UM_ISTIO_KIND_SHADOW_POLICY_H
#define UM_ISTIO_KIND_SHADOW_POLICY_H

#include "istio/kind_virtual_service.h"

struct um_policy_target { /* targetRef: a VirtualService of the policy's namespace */
    struct um_place place;
    struct um_str group, kind, name;
    struct um_str section_name; /* http[].name; absent: every route */
};

struct um_policy_shadow { /* which of several mirrors; absent: all */
    struct um_place place;
    struct um_str host, subset;
};

enum um_policy_key {
    UM_POLICY_KEY_NONE,
    UM_POLICY_KEY_HEADER,
    UM_POLICY_KEY_COOKIE,
    UM_POLICY_KEY_QUERY,
    UM_POLICY_KEY_SOURCE_ADDRESS
};

struct um_policy_sampling_key {
    struct um_place place;
    enum um_policy_key kind;
    struct um_str name;  /* of the header, cookie or query parameter */
    bool source_address; /* SOURCE_ADDRESS alone; `false` is the same as no key */
};

struct um_policy_sampling {
    struct um_place place;
    struct um_policy_sampling_key *key;
    struct um_str salt;
};

enum um_policy_mode { UM_POLICY_MODE_DROP, UM_POLICY_MODE_BACKPRESSURE };
enum um_policy_body { UM_POLICY_BODY_STREAM, UM_POLICY_BODY_NONE };

struct um_policy { /* a ShadowPolicy; um_shadow_policy is what compile makes of it for one mirror */
    struct um_meta meta;
    struct um_place place;               /* of spec */
    struct um_policy_target *target_ref; /* required */
    struct um_policy_shadow *shadow;
    struct um_policy_sampling *sampling;
    struct um_strs methods; /* empty: all */
    struct um_opt_ms timeout;
    struct um_opt_bytes max_body_bytes;
    enum um_policy_mode mode;
    enum um_policy_body body;
    struct um_opt_bool host_suffix, distinct_endpoints;
    struct um_str host_rewrite;
    struct um_header_changes *headers;
};

#endif
