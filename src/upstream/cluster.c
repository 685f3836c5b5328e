/* SPDX-License-Identifier: Apache-2.0 */
#include "upstream/pool.h"

#include <stdlib.h>

void um_upstream_init(struct um_upstream *u, struct um_loop *loop, struct um_chunk_pool *chunks,
                      struct um_worker_stats *stats, struct um_rand *rand)
{
    *u = (struct um_upstream){.loop = loop,
                              .chunks = chunks,
                              .stats = stats,
                              .rand = rand,
                              .answer_limits = {UM_H1_HEAD_BYTES_DEFAULT, UM_H1_FIELDS_DEFAULT}};
}

/* ---- endpoints of one side ------------------------------------------------------------------------ */

static struct um_host *find_host(const struct um_cluster_side *side, const struct um_sockaddr *addr)
{
    for (uint32_t i = 0; i < side->n_hosts; i++)
        if (um_sockaddr_eq(&side->hosts[i]->addr, addr))
            return side->hosts[i];
    return NULL;
}

static struct um_host *new_host(struct um_cluster_rt *rt, enum um_side side, const struct um_endpoint *e,
                                struct um_host_shared *shared)
{
    struct um_host *h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    h->cluster = rt;
    h->side = side;
    h->addr = e->addr;
    h->shared = shared;
    h->stats.cluster = rt->index;
    um_sockaddr_text(&e->addr, h->stats.address);
    um_pool_init(h);
    return h;
}

static void retire(struct um_host *h)
{
    h->is_retired = true;
    um_pool_retire(h);
}

static void summarise(struct um_cluster_side *side)
{
    side->n_usable = 0;
    side->total_weight = 0;
    side->is_weighted = false;
    for (uint32_t i = 0; i < side->n_hosts; i++) {
        side->n_usable += side->hosts[i]->is_healthy;
        side->total_weight += side->hosts[i]->weight;
        side->is_weighted |= side->hosts[i]->weight != side->hosts[0]->weight;
    }
}

/* healthy hosts come first in the array, so that picking is an index below n_usable */
static void sort_usable(struct um_cluster_side *side)
{
    uint32_t front = 0;
    for (uint32_t i = 0; i < side->n_hosts; i++)
        if (side->hosts[i]->is_healthy) {
            struct um_host *h = side->hosts[i];
            side->hosts[i] = side->hosts[front];
            side->hosts[front++] = h;
        }
}

/* the host of an endpoint as the new set has it: kept if it was there before; without memory the others serve on */
static void add_host(struct um_cluster_rt *rt, enum um_side which, struct um_cluster_side *next,
                     const struct um_endpoint *e, struct um_host_shared *shared)
{
    if (find_host(next, &e->addr))
        return; /* an address counts once */
    struct um_host *h = find_host(&rt->sides[which], &e->addr);
    if (!h)
        h = new_host(rt, which, e, shared);
    if (!h)
        return;
    h->weight = e->weight ? e->weight : 1;
    h->is_healthy = e->is_healthy;
    next->hosts[next->n_hosts++] = h;
}

static int apply_side(struct um_cluster_rt *rt, enum um_side which, const struct um_cluster_update *u)
{
    struct um_cluster_side old = rt->sides[which], next = old;
    next.n_hosts = 0;
    next.hosts = calloc(u->set->n + 1, sizeof *next.hosts);
    if (!next.hosts)
        return UM_ENOMEM;
    for (uint32_t i = 0; i < u->set->n; i++)
        add_host(rt, which, &next, &u->set->endpoints[i], u->hosts[which][i]);
    for (uint32_t i = 0; i < old.n_hosts; i++)
        if (!find_host(&next, &old.hosts[i]->addr))
            retire(old.hosts[i]);
    free(old.hosts);
    sort_usable(&next);
    summarise(&next);
    rt->sides[which] = next;
    return 0;
}

static int make_room(struct um_upstream *u, uint32_t index)
{
    if (index < u->n_clusters)
        return 0;
    uint32_t n = index + 64;
    struct um_cluster_rt **clusters = realloc(u->clusters, n * sizeof *clusters);
    if (!clusters)
        return UM_ENOMEM;
    memset(clusters + u->n_clusters, 0, (n - u->n_clusters) * sizeof *clusters);
    u->clusters = clusters;
    u->n_clusters = n;
    return 0;
}

int um_upstream_apply(struct um_upstream *u, const struct um_cluster_update *update)
{
    if (make_room(u, update->index))
        return UM_ENOMEM;
    struct um_cluster_rt *rt = u->clusters[update->index];
    if (!rt) {
        rt = calloc(1, sizeof *rt);
        if (!rt)
            return UM_ENOMEM;
        u->clusters[update->index] = rt;
        rt->upstream = u;
        rt->index = update->index;
    }
    rt->limits = update->limits;
    rt->lb = update->lb;
    rt->shared = update->shared;
    for (int side = 0; side < UM_SIDES; side++)
        if (apply_side(rt, (enum um_side)side, update))
            return UM_ENOMEM;
    return 0;
}

void um_upstream_release(struct um_upstream *u)
{
    for (uint32_t i = 0; i < u->n_clusters; i++) {
        struct um_cluster_rt *rt = u->clusters[i];
        for (int side = 0; rt && side < UM_SIDES; side++) {
            for (uint32_t k = 0; k < rt->sides[side].n_hosts; k++) {
                um_conn_close_all(rt->sides[side].hosts[k]);
                retire(rt->sides[side].hosts[k]);
            }
            free(rt->sides[side].hosts);
        }
    }
    um_loop_turn(u->loop, 0); /* closed connections are told so, and free their hosts */
    for (uint32_t i = 0; i < u->n_clusters; i++)
        free(u->clusters[i]);
    free(u->clusters);
}

/* ---- balancing ------------------------------------------------------------------------------------ */

static struct um_host *draw_weighted(struct um_cluster_side *side, struct um_rand *rand)
{
    uint64_t at = um_rand_u64(rand) % side->total_weight;
    for (uint32_t i = 0; i < side->n_hosts; i++) {
        if (at < side->hosts[i]->weight)
            return side->hosts[i];
        at -= side->hosts[i]->weight;
    }
    return side->hosts[0];
}

static struct um_host *draw(struct um_cluster_side *side, struct um_rand *rand)
{
    if (side->is_weighted && side->n_usable == side->n_hosts)
        return draw_weighted(side, rand);
    return side->hosts[side->n_usable == 1 ? 0 : um_rand_below(rand, side->n_usable)];
}

static struct um_host *choose(struct um_cluster_rt *rt, struct um_cluster_side *side)
{
    struct um_rand *rand = rt->upstream->rand;
    if (side->n_usable == 1)
        return side->hosts[0];
    if (rt->lb == UM_LB_ROUND_ROBIN && !side->is_weighted)
        return side->hosts[side->next++ % side->n_usable];
    if (rt->lb != UM_LB_LEAST_REQUEST)
        return draw(side, rand);
    /* power of two choices (Envoy LeastRequestLbConfig choice_count 2) */
    struct um_host *a = draw(side, rand), *b = draw(side, rand);
    return b->rq_active < a->rq_active ? b : a;
}

enum um_pick_result um_upstream_pick(struct um_cluster_rt *rt, enum um_side which, const struct um_host *avoid,
                                     uint32_t tries, struct um_host **ret_host)
{
    struct um_cluster_side *side = &rt->sides[which];
    uint64_t now_ms = rt->upstream->loop->now_ns / UM_NS_PER_MS;
    if (side->n_usable == 0)
        return UM_PICK_NONE;
    struct um_host *h = choose(rt, side);
    for (uint32_t i = 0; i < tries && h == avoid && side->n_usable > 1; i++)
        h = choose(rt, side);
    *ret_host = h;
    if (which == UM_SIDE_PRIMARY || um_breaker_admit(h->shared, now_ms))
        return UM_PICK_OK;
    for (uint32_t i = 0; i < side->n_usable; i++)
        if (um_breaker_admit(side->hosts[i]->shared, now_ms)) {
            *ret_host = side->hosts[i];
            return UM_PICK_OK;
        }
    return UM_PICK_EJECTED;
}

bool um_upstream_has_host(const struct um_cluster_rt *rt, enum um_side side)
{
    return rt && rt->sides[side].n_usable > 0;
}

bool um_upstream_same_endpoints(const struct um_cluster_rt *a, const struct um_cluster_rt *b)
{
    const struct um_cluster_side *x = &a->sides[UM_SIDE_PRIMARY], *y = &b->sides[UM_SIDE_PRIMARY];
    if (x->n_hosts == 0 || x->n_hosts != y->n_hosts)
        return false;
    for (uint32_t i = 0; i < x->n_hosts; i++)
        if (!find_host(y, &x->hosts[i]->addr))
            return false;
    return true;
}

/* ---- scrape --------------------------------------------------------------------------------------- */

static uint32_t count_hosts(const struct um_upstream *u)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < u->n_clusters; i++)
        for (int side = 0; u->clusters[i] && side < UM_SIDES; side++)
            n += u->clusters[i]->sides[side].n_hosts;
    return n;
}

int um_upstream_endpoint_stats(const struct um_upstream *u, struct um_worker_stats *to)
{
    uint32_t n = count_hosts(u);
    struct um_endpoint_stats *rows = realloc(to->endpoints, (n + 1) * sizeof *rows);
    if (!rows)
        return UM_ENOMEM;
    to->endpoints = rows;
    to->n_endpoints = 0;
    uint64_t now_ms = u->loop->now_ns / UM_NS_PER_MS;
    for (uint32_t i = 0; i < u->n_clusters; i++)
        for (int side = 0; u->clusters[i] && side < UM_SIDES; side++)
            for (uint32_t k = 0; k < u->clusters[i]->sides[side].n_hosts; k++) {
                const struct um_host *h = u->clusters[i]->sides[side].hosts[k];
                struct um_endpoint_stats *row = &rows[to->n_endpoints++];
                *row = h->stats;
                row->cx_active = h->n_connections;
                row->rq_active = h->rq_active;
                row->is_ejected = um_breaker_is_open(h->shared, now_ms);
            }
    return 0;
}
