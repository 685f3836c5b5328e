/* SPDX-License-Identifier: Apache-2.0
 * dump: the parts of /config_dump: what of a snapshot is printed in which message of Envoy's API. Private to admin/.
 * Sources: envoy.admin.v3, envoy.config.{cluster,endpoint,listener,route}.v3; members stand in the order of their field
 * numbers, and what has its default value is left out, as protobuf's JSON does. Thread: the view's. */
#ifndef UM_ADMIN_DUMP_H
#define UM_ADMIN_DUMP_H

#include "admin/call.h"

struct um_dump {
    const struct um_admin_view *view;
    const struct um_snapshot *snapshot;
    struct um_regex *names; /* NULL: all */
};

/* whether name_regex lets a resource of that name pass */
bool um_dump_wants(const struct um_dump *, struct um_str name);

/* each gives the members of one envoy.admin.v3.*ConfigDump without its @type; NULL without memory */
json_t *um_dump_bootstrap(const struct um_dump *);
json_t *um_dump_clusters(const struct um_dump *);
json_t *um_dump_endpoints(const struct um_dump *);
json_t *um_dump_listeners(const struct um_dump *);
json_t *um_dump_routes(const struct um_dump *);

/* version_info and last_updated of what came with the snapshot */
json_t *um_dump_version(const struct um_dump *);
json_t *um_dump_updated(const struct um_dump *);
/* filter_metadata.istio */
json_t *um_dump_istio_metadata(json_t *istio);

json_t *um_dump_circuit_breakers(const struct um_cluster_limits *);

/* "region/zone/sub_zone" */
struct um_dump_locality {
    struct um_str region, zone, sub_zone;
};
struct um_dump_locality um_dump_split_locality(struct um_str);
json_t *um_dump_locality_json(const struct um_dump_locality *);

#endif
