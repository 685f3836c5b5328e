/* SPDX-License-Identifier: Apache-2.0
 * upstream: clusters at run time: endpoints, balancing, limits, circuit breakers, connection pools. One code for
 * primary and shadow: each cluster has two sides, so that copies can never use up what production needs.
 *
 *   process   um_cluster_shared (limits), um_host_shared (breaker)      relaxed atomics, found by the control thread
 *   worker    um_upstream -> um_cluster_rt[index].sides[] -> um_host -> connections, waiting legs
 *
 * What lives here outlives a configuration: a new snapshot only hands over new settings and endpoint sets by
 * um_cluster_update. Owner: the worker; shared parts: um_upstream_registry (control thread), for the life of the
 * process. Thread: the worker's; registry: control. */
#ifndef UM_UPSTREAM_UPSTREAM_H
#define UM_UPSTREAM_UPSTREAM_H

#include "base/arena.h"
#include "base/map.h"
#include "base/rand.h"
#include "http/h1_parse.h"
#include "io/loop.h"
#include "model/cluster.h"
#include "model/shadow_policy.h"
#include "stats/counters.h"

enum um_side { UM_SIDE_PRIMARY, UM_SIDE_SHADOW, UM_SIDES };

/* per cluster and side; counts of the whole process, kept only where a limit is set (shadow legs: always) */
struct um_cluster_shared {
    struct {
        _Atomic uint32_t connections, pending, requests, retries;
    } sides[UM_SIDES] __attribute__((aligned(64)));
};

/* per endpoint of a cluster and side: the circuit breaker of copies (closed, open until a time, half open with one
 * probe) */
struct um_host_shared {
    _Atomic uint32_t failures;      /* consecutive */
    _Atomic uint64_t open_until_ms; /* 0: closed */
    _Atomic uint32_t openings;      /* consecutive; doubles the delay */
    _Atomic bool is_probing;
} __attribute__((aligned(64)));

enum {
    UM_BREAKER_FAILURES = 5,    /* consecutive connect failures, time-outs or resets open it */
    UM_BREAKER_DELAY_MS = 1000, /* doubles with each failed probe, jittered by a quarter */
    UM_BREAKER_DELAY_MAX_MS = 8000,
};

bool um_breaker_is_open(const struct um_host_shared *, uint64_t now_ms);
/* false: closed to this leg. True lets it pass; past the delay one leg passes as the probe. */
bool um_breaker_admit(struct um_host_shared *, uint64_t now_ms);
void um_breaker_success(struct um_host_shared *);
void um_breaker_failure(struct um_host_shared *, uint64_t now_ms, struct um_rand *);
/* the leg that was let through ended without telling anything about the endpoint */
void um_breaker_forget(struct um_host_shared *);

struct um_cluster_rt;

/* an endpoint as a worker sees it */
struct um_host {
    struct um_cluster_rt *cluster;
    enum um_side side;
    struct um_sockaddr addr;
    uint32_t weight;
    bool is_healthy;
    bool is_retired; /* no longer in the cluster's set: goes when its last connection does */
    struct um_host_shared *shared;
    uint32_t n_connections, n_connecting, n_waiting, rq_active;
    struct um_list idle;        /* connections, last used first */
    struct um_list connections; /* all of them */
    struct um_list waiting;     /* legs */
    struct um_task pump;        /* opens connections for legs that wait */
    struct um_endpoint_stats stats;
};

struct um_cluster_side {
    struct um_host **hosts;
    uint32_t n_hosts, n_usable;
    uint64_t total_weight;
    bool is_weighted; /* weights differ */
    uint32_t next;    /* round robin */
};

struct um_cluster_rt {
    struct um_upstream *upstream;
    uint32_t index;
    struct um_str name; /* of the process's table of names */
    struct um_cluster_limits limits;
    enum um_lb_policy lb;
    struct um_cluster_shared *shared;
    struct um_cluster_side sides[UM_SIDES];
};

struct um_upstream {
    struct um_loop *loop;
    struct um_chunk_pool *chunks;
    struct um_worker_stats *stats;
    struct um_rand *rand;
    struct um_cluster_rt **clusters; /* by um_cluster.index; NULL: not seen yet */
    uint32_t n_clusters;
    struct um_h1_limits answer_limits;
};

void um_upstream_init(struct um_upstream *, struct um_loop *, struct um_chunk_pool *, struct um_worker_stats *,
                      struct um_rand *);
/* closes every connection; legs must have ended */
void um_upstream_release(struct um_upstream *);

/* one cluster's settings and endpoints, made by the control thread for one worker; owns references */
struct um_cluster_update {
    uint32_t index;
    struct um_str name;
    struct um_cluster_limits limits;
    enum um_lb_policy lb;
    struct um_cluster_shared *shared;
    struct um_endpoint_set *set;             /* one reference */
    struct um_host_shared **hosts[UM_SIDES]; /* parallel to set->endpoints; the array is the update's */
};
void um_cluster_update_release(struct um_cluster_update *);
/* UM_ENOMEM: that cluster keeps what it had */
int um_upstream_apply(struct um_upstream *, const struct um_cluster_update *) UM_MUST_CHECK;

static inline struct um_cluster_rt *um_upstream_cluster(const struct um_upstream *u, const struct um_cluster *c)
{
    return c && c->index < u->n_clusters ? u->clusters[c->index] : NULL;
}

enum um_pick_result { UM_PICK_OK, UM_PICK_NONE, UM_PICK_EJECTED };
/* an endpoint for one leg. `avoid` (may be NULL) is taken only if tries run out (previous-hosts rule of retries). A
 * shadow's breaker has admitted the leg when this returns OK. */
enum um_pick_result um_upstream_pick(struct um_cluster_rt *, enum um_side, const struct um_host *avoid, uint32_t tries,
                                     struct um_host **ret_host);
/* true if some endpoint could be picked, without picking */
bool um_upstream_has_host(const struct um_cluster_rt *, enum um_side);
/* true if both have endpoints and they are the same set (C24) */
bool um_upstream_same_endpoints(const struct um_cluster_rt *, const struct um_cluster_rt *);

/* per-endpoint rows into a copy for a scrape; UM_ENOMEM */
int um_upstream_endpoint_stats(const struct um_upstream *, struct um_worker_stats *to) UM_MUST_CHECK;

/* Counts towards a limit of the process: false if it is reached, and nothing was counted. *ret_slot goes back to
 * um_limit_give; NULL if there is no limit and so no count, whatever limit there is by then. */
static inline bool um_limit_take(_Atomic uint32_t *count, uint32_t limit, _Atomic uint32_t **ret_slot)
{
    *ret_slot = NULL;
    if (limit == UINT32_MAX)
        return true;
    if (atomic_fetch_add_explicit(count, 1, memory_order_relaxed) < limit) {
        *ret_slot = count;
        return true;
    }
    atomic_fetch_sub_explicit(count, 1, memory_order_relaxed);
    return false;
}
static inline void um_limit_give(_Atomic uint32_t **slot) /* harmless when it was given already */
{
    if (*slot)
        atomic_fetch_sub_explicit(*slot, 1, memory_order_relaxed);
    *slot = NULL;
}

/* ---- registry: the process's part ---- */
struct um_upstream_registry {
    struct um_map clusters; /* name -> um_cluster_shared */
    struct um_map hosts;    /* "name side address" -> um_host_shared */
    struct um_arena arena;  /* keys and both kinds of entries; grows with the names ever seen */
};
void um_upstream_registry_init(struct um_upstream_registry *);
void um_upstream_registry_release(struct um_upstream_registry *);
/* fills an update for one worker; UM_ENOMEM leaves nothing to release */
int um_upstream_registry_update(struct um_upstream_registry *, const struct um_cluster *, struct um_endpoint_set *,
                                struct um_cluster_update *ret_update) UM_MUST_CHECK;

#endif
