/* SPDX-License-Identifier: Apache-2.0
 * stat_view: everything that a scrape shows, gathered by whoever answers it. Borrowed for the time of a print. Thread:
 * its owner's. */
#ifndef UM_STATS_STAT_VIEW_H
#define UM_STATS_STAT_VIEW_H

#include "stats/counters.h"

struct um_stat_view {
    const struct um_worker_stats *stats; /* the workers' copies, added up */
    const struct um_stat_names *names;   /* an index without a name is not shown */
    struct um_str version;               /* of this build */
    uint64_t uptime_s;
    bool is_live; /* ready and not draining */
    uint64_t shadow_memory_limit_bytes;
    uint64_t reloads_succeeded, reloads_failed;
    bool has_last_reload_succeeded;
};

/* how many clusters and shadows have both counters and a name */
static inline uint32_t um_stat_view_clusters(const struct um_stat_view *view)
{
    return view->stats->n_clusters < view->names->n_clusters ? view->stats->n_clusters : view->names->n_clusters;
}

static inline uint32_t um_stat_view_shadows(const struct um_stat_view *view)
{
    return view->stats->n_shadows < view->names->n_shadows ? view->stats->n_shadows : view->names->n_shadows;
}

#endif
