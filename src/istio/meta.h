/* SPDX-License-Identifier: Apache-2.0
 * meta: what every resource has: kind, name, namespace, labels, age. Owner: the resources' arena. Thread: control. */
#ifndef UM_ISTIO_META_H
#define UM_ISTIO_META_H

#include "istio/place.h"

enum um_kind {
    UM_KIND_VIRTUAL_SERVICE,
    UM_KIND_DESTINATION_RULE,
    UM_KIND_SERVICE_ENTRY,
    UM_KIND_WORKLOAD_ENTRY,
    UM_KIND_GATEWAY,
    UM_KIND_SERVICE,
    UM_KIND_ENDPOINT_SLICE,
    UM_KIND_ENDPOINTS,
    UM_KIND_POD,
    UM_KIND_SHADOW_POLICY,
    UM_KINDS
};

struct um_meta {
    enum um_kind kind;
    struct um_str name, namespace_name;
    struct um_str resource; /* "Kind/namespace/name" */
    struct um_pairs labels, annotations;
    bool has_created;
    int64_t created_s;     /* creationTimestamp, seconds since 1970 */
    uint32_t order;        /* of appearance, over all kinds */
    bool is_broken;        /* an error was found in it: fields may be absent that are otherwise required */
    struct um_place place; /* of the whole resource: fields "metadata.name", "spec" */
};

/* Whether a is older than b: by creationTimestamp if both have one, else by name, then namespace. */
bool um_meta_is_older(const struct um_meta *a, const struct um_meta *b);

#endif
