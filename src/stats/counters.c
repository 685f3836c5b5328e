/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/counters.h"

#include <stdlib.h>

const struct um_stat_row um_counter_rows[UM_CTR_COUNT] = {
#define UM_COUNTER(id, name, help) [UM_CTR_##id] = {name, help, false},
#include "stats/counters.def"
#undef UM_COUNTER
};

const struct um_stat_row um_cluster_counter_rows[UM_CLU_COUNT] = {
#define UM_CLUSTER_COUNTER(id, name, help) [UM_CLU_##id] = {name, help, false},
#define UM_CLUSTER_GAUGE(id, name, help) [UM_CLU_##id] = {name, help, true},
#include "stats/cluster_counters.def"
#undef UM_CLUSTER_COUNTER
#undef UM_CLUSTER_GAUGE
};

const struct um_stat_row um_skip_rows[UM_SKIP_COUNT] = {
#define UM_SKIP(id, label, help) [UM_SKIP_##id] = {label, help, false},
#include "stats/shadow_skip.def"
#undef UM_SKIP
};

const struct um_stat_row um_drop_rows[UM_DROP_COUNT] = {
#define UM_DROP(id, label, help) [UM_DROP_##id] = {label, help, false},
#include "stats/shadow_drop.def"
#undef UM_DROP
};

const char *const um_code_classes[6] = {"", "1xx", "2xx", "3xx", "4xx", "5xx"};

const char *um_skip_label(enum um_skip reason)
{
    return um_skip_rows[reason].name;
}

const char *um_drop_label(enum um_drop reason)
{
    return um_drop_rows[reason].name;
}

void um_worker_stats_init(struct um_worker_stats *s)
{
    *s = (struct um_worker_stats){0};
}

void um_worker_stats_release(struct um_worker_stats *s)
{
    free(s->clusters);
    free(s->shadows);
    free(s->endpoints);
    *s = (struct um_worker_stats){0};
}

/* an array of *n entries gets room for `want`, the new ones cleared */
static int grow_array(void **array, uint32_t *n, uint32_t want, size_t size)
{
    if (want <= *n)
        return 0;
    char *p = realloc(*array, want * size);
    if (!p)
        return UM_ENOMEM;
    memset(p + *n * size, 0, (want - *n) * size);
    *array = p;
    *n = want;
    return 0;
}

int um_worker_stats_grow(struct um_worker_stats *s, uint32_t n_clusters, uint32_t n_shadows)
{
    int rc = grow_array((void **)&s->clusters, &s->n_clusters, n_clusters, sizeof *s->clusters);
    return rc ? rc : grow_array((void **)&s->shadows, &s->n_shadows, n_shadows, sizeof *s->shadows);
}

static void clear(struct um_worker_stats *s)
{
    if (s->n_clusters)
        memset(s->clusters, 0, s->n_clusters * sizeof *s->clusters);
    if (s->n_shadows)
        memset(s->shadows, 0, s->n_shadows * sizeof *s->shadows);
    *s = (struct um_worker_stats){.clusters = s->clusters,
                                  .n_clusters = s->n_clusters,
                                  .shadows = s->shadows,
                                  .n_shadows = s->n_shadows,
                                  .endpoints = s->endpoints};
}

int um_worker_stats_copy(struct um_worker_stats *to, const struct um_worker_stats *from)
{
    clear(to);
    return um_worker_stats_add(to, from);
}

static void add_cluster(struct um_cluster_stats *to, const struct um_cluster_stats *from)
{
    for (int i = 0; i < UM_CLU_COUNT; i++)
        to->v[i] += from->v[i];
    um_histogram_merge(&to->rq_time_ms, &from->rq_time_ms);
}

static void add_shadow(struct um_shadow_stats *to, const struct um_shadow_stats *from)
{
    to->matched += from->matched;
    to->mirrored += from->mirrored;
    to->active += from->active;
    for (int i = 0; i < UM_SKIP_COUNT; i++)
        to->skipped[i] += from->skipped[i];
    for (int i = 0; i < 6; i++)
        to->completed[i] += from->completed[i];
    for (int i = 0; i < UM_DROP_COUNT; i++)
        to->dropped[i] += from->dropped[i];
    um_histogram_merge(&to->duration_ms, &from->duration_ms);
}

static void add_endpoint(struct um_endpoint_stats *to, const struct um_endpoint_stats *from)
{
    to->cx_active += from->cx_active;
    to->cx_total += from->cx_total;
    to->cx_connect_fail += from->cx_connect_fail;
    to->rq_active += from->rq_active;
    to->rq_total += from->rq_total;
    to->rq_success += from->rq_success;
    to->rq_error += from->rq_error;
    to->rq_timeout += from->rq_timeout;
    to->is_ejected |= from->is_ejected;
}

/* cluster and address, which stand side by side */
static struct um_str endpoint_key(const struct um_endpoint_stats *e)
{
    _Static_assert(offsetof(struct um_endpoint_stats, address) == sizeof e->cluster, "no padding in the key");
    return (struct um_str){(const char *)e, sizeof e->cluster + strlen(e->address)};
}

static int merge_endpoint(struct um_worker_stats *to, struct um_map *known, const struct um_endpoint_stats *from)
{
    struct um_endpoint_stats *same = um_map_get(known, endpoint_key(from));
    if (same) {
        add_endpoint(same, from);
        return 0;
    }
    struct um_endpoint_stats *added = &to->endpoints[to->n_endpoints++];
    *added = *from;
    return um_map_put(known, endpoint_key(added), added, NULL);
}

static int add_endpoints(struct um_worker_stats *to, const struct um_worker_stats *from)
{
    if (from->n_endpoints == 0)
        return 0;
    size_t most = (size_t)to->n_endpoints + from->n_endpoints;
    void *p = realloc(to->endpoints, most * sizeof *to->endpoints);
    if (!p)
        return UM_ENOMEM;
    to->endpoints = p;
    struct um_map known;
    int rc = 0;
    um_map_init(&known);
    for (uint32_t i = 0; rc == 0 && i < to->n_endpoints; i++)
        rc = um_map_put(&known, endpoint_key(&to->endpoints[i]), &to->endpoints[i], NULL);
    for (uint32_t i = 0; rc == 0 && i < from->n_endpoints; i++)
        rc = merge_endpoint(to, &known, &from->endpoints[i]);
    um_map_release(&known);
    return rc;
}

int um_worker_stats_add(struct um_worker_stats *to, const struct um_worker_stats *from)
{
    int rc = um_worker_stats_grow(to, from->n_clusters, from->n_shadows);
    if (rc)
        return rc;
    for (int i = 0; i < UM_CTR_COUNT; i++)
        to->v[i] += from->v[i];
    to->cx_active += from->cx_active;
    to->rq_active += from->rq_active;
    to->shadow_memory_bytes += from->shadow_memory_bytes;
    um_histogram_merge(&to->loop_lag_ms, &from->loop_lag_ms);
    for (uint32_t i = 0; i < from->n_clusters; i++)
        add_cluster(&to->clusters[i], &from->clusters[i]);
    for (uint32_t i = 0; i < from->n_shadows; i++)
        add_shadow(&to->shadows[i], &from->shadows[i]);
    return add_endpoints(to, from);
}
