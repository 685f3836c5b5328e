/* SPDX-License-Identifier: Apache-2.0
 * counters: what a worker counts. Plain stores to the worker's own memory; a scrape asks each worker by mailbox for a
 * copy taken between two loop turns, so that totals close (I8) in every scrape, and adds the copies up. Owner: the
 * worker; a copy: whoever asked. Thread: its worker's; a copy: its owner's. */
#ifndef UM_STATS_COUNTERS_H
#define UM_STATS_COUNTERS_H

#include "base/err.h"
#include "base/map.h"
#include "base/str.h"
#include "stats/histogram.h"

enum um_counter {
#define UM_COUNTER(id, name, help) UM_CTR_##id,
#include "stats/counters.def"
#undef UM_COUNTER
    UM_CTR_COUNT
};

enum um_cluster_counter {
#define UM_CLUSTER_COUNTER(id, name, help) UM_CLU_##id,
#define UM_CLUSTER_GAUGE(id, name, help) UM_CLU_##id,
#include "stats/cluster_counters.def"
#undef UM_CLUSTER_COUNTER
#undef UM_CLUSTER_GAUGE
    UM_CLU_COUNT
};

enum um_skip {
#define UM_SKIP(id, label, help) UM_SKIP_##id,
#include "stats/shadow_skip.def"
#undef UM_SKIP
    UM_SKIP_COUNT
};

enum um_drop {
#define UM_DROP(id, label, help) UM_DROP_##id,
#include "stats/shadow_drop.def"
#undef UM_DROP
    UM_DROP_COUNT
};

/* what the tables say, by the enums above */
struct um_stat_row {
    const char *name, *help;
    bool is_gauge;
};
extern const struct um_stat_row um_counter_rows[UM_CTR_COUNT], um_cluster_counter_rows[UM_CLU_COUNT];
extern const struct um_stat_row um_skip_rows[UM_SKIP_COUNT], um_drop_rows[UM_DROP_COUNT];

extern const char *const um_code_classes[6]; /* "1xx" to "5xx"; [0] unused */

const char *um_skip_label(enum um_skip);
const char *um_drop_label(enum um_drop);

struct um_cluster_stats {
    uint64_t v[UM_CLU_COUNT];
    struct um_histogram rq_time_ms;
};

/* one mirror of one route; I8: matched = mirrored + sum(skipped); mirrored = sum(completed) + sum(dropped) + active */
struct um_shadow_stats {
    uint64_t matched, mirrored, active;
    uint64_t skipped[UM_SKIP_COUNT];
    uint64_t completed[6]; /* by status class, [0] unused */
    uint64_t dropped[UM_DROP_COUNT];
    struct um_histogram duration_ms; /* first byte sent to last byte received */
};

struct um_worker_stats {
    uint64_t v[UM_CTR_COUNT];
    int64_t cx_active, rq_active;
    int64_t shadow_memory_bytes;
    struct um_histogram loop_lag_ms;
    struct um_cluster_stats *clusters; /* by um_cluster.index */
    uint32_t n_clusters;
    struct um_shadow_stats *shadows; /* by um_mirror.index */
    uint32_t n_shadows;
    /* per endpoint, for /clusters: filled by the worker's copy only */
    struct um_endpoint_stats *endpoints;
    uint32_t n_endpoints;
};

struct um_endpoint_stats {
    uint32_t cluster; /* index */
    char address[64];
    uint64_t cx_active, cx_total, cx_connect_fail, rq_active, rq_total, rq_success, rq_error, rq_timeout;
    bool is_ejected;
};

void um_worker_stats_init(struct um_worker_stats *);
void um_worker_stats_release(struct um_worker_stats *);
/* room for at least that many clusters and shadows; never shrinks; UM_ENOMEM */
int um_worker_stats_grow(struct um_worker_stats *, uint32_t n_clusters, uint32_t n_shadows) UM_MUST_CHECK;
/* deep copy into an initialised one, growing it; UM_ENOMEM: `to` is incomplete */
int um_worker_stats_copy(struct um_worker_stats *to, const struct um_worker_stats *from) UM_MUST_CHECK;
/* adds, endpoints of the same cluster and address merged; UM_ENOMEM: `to` is incomplete */
int um_worker_stats_add(struct um_worker_stats *to, const struct um_worker_stats *from) UM_MUST_CHECK;

/* names behind the indexes; owned by the control thread; indexes never change or go away */
struct um_stat_names {
    struct um_map cluster_indexes, shadow_indexes; /* index + 1, by name and by route NUL shadow */
    struct um_str *clusters;
    uint32_t n_clusters, cap_clusters;
    struct um_stat_shadow_name {
        struct um_str route, shadow;
    } * shadows;
    uint32_t n_shadows, cap_shadows;
};
void um_stat_names_init(struct um_stat_names *);
void um_stat_names_release(struct um_stat_names *);
/* index of that name, made if new; UM_ENOMEM */
int um_stat_names_cluster(struct um_stat_names *, struct um_str name, uint32_t *ret_index) UM_MUST_CHECK;
int um_stat_names_shadow(struct um_stat_names *, struct um_str route, struct um_str shadow,
                         uint32_t *ret_index) UM_MUST_CHECK;

#endif
