/* SPDX-License-Identifier: Apache-2.0
 * snapshot: a whole compiled configuration, immutable once published.
 *
 *   compile -> snapshot (refs 1, control thread) -> published: each worker holds it and counts its exchanges itself,
 *   without atomics -> the last exchange of a worker lets go: one release -> all released: freed by whoever is last.
 *
 * Names become indexes at publication: clusters[].index and mirrors[].index are stable for the life of the process.
 * Owner: references. Thread: read by any; um_snapshot_ref/unref any. */
#ifndef UM_MODEL_SNAPSHOT_H
#define UM_MODEL_SNAPSHOT_H

#include "model/listener.h"

struct um_snapshot {
    _Atomic uint32_t refs;
    struct um_arena arena; /* everything below */
    uint64_t version;      /* counts up from 1 */
    uint64_t made_wall_ns;

    struct um_listener *listeners;
    uint32_t n_listeners;
    struct um_route_config *route_configs;
    uint32_t n_route_configs;
    struct um_cluster *clusters;
    uint32_t n_clusters;
    struct um_map clusters_by_name;

    struct um_regex **regexes; /* owned; freed with the snapshot */
    uint32_t n_regexes;
    /* undo what route/ hung on it; called by the last unref */
    void (*on_free)(struct um_snapshot *);
};

/* an empty one, one reference */
struct um_snapshot *um_snapshot_new(void);
struct um_snapshot *um_snapshot_ref(struct um_snapshot *);
void um_snapshot_unref(struct um_snapshot *);
const struct um_cluster *um_snapshot_cluster(const struct um_snapshot *, struct um_str name);

#endif
