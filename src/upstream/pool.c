/* SPDX-License-Identifier: Apache-2.0 */
#include "upstream/pool.h"

#include <stdlib.h>

static struct um_host *of_pump(struct um_task *t)
{
    return UM_CONTAINER(t, struct um_host, pump);
}

/* a new connection if limits allow; 0 also when the leg will have to wait for one that exists. An endpoint without any
 * gets one beyond the limit, or its legs would wait for ever (Envoy's rule). */
static int open_connection(struct um_host *h)
{
    _Atomic uint32_t *slot;
    if (!um_limit_take(&h->cluster->shared->sides[h->side].connections, h->cluster->limits.max_connections, &slot)) {
        um_host_counters(h)[UM_CLU_CX_OVERFLOW]++;
        if (h->n_connections + h->n_connecting)
            return 0;
    }
    int rc = um_conn_h1_open(h, slot);
    if (rc)
        um_limit_give(&slot);
    return rc;
}

static void on_open_error(struct um_host *h, int rc)
{
    const struct um_leg_failure failure = {.err = rc, .is_connect = true};
    um_host_counters(h)[UM_CLU_CX_CONNECT_FAIL]++;
    h->stats.cx_connect_fail++;
    if (h->side == UM_SIDE_SHADOW)
        um_breaker_failure(h->shared, h->cluster->upstream->loop->now_ns / UM_NS_PER_MS, h->cluster->upstream->rand);
    um_pool_connect_failed(h, &failure);
}

/* opens what the waiting legs need: for copies a few at a time, the rest next turn */
static void pump(struct um_task *t)
{
    struct um_host *h = of_pump(t);
    struct um_upstream *u = h->cluster->upstream;
    bool is_paced = h->side == UM_SIDE_SHADOW;
    for (int opened = 0; h->n_waiting > h->n_connecting; opened++) {
        if (is_paced && h->n_connecting >= UM_SHADOW_CONNECTING_MAX)
            return; /* each that ends pumps again */
        if (is_paced && opened == UM_SHADOW_CONNECTS_PER_TURN) {
            um_loop_ready(u->loop, &h->pump);
            return;
        }
        uint32_t before = h->n_connecting;
        int rc = open_connection(h);
        if (rc) {
            on_open_error(h, rc);
            return;
        }
        if (h->n_connecting == before)
            return; /* at the limit */
        u->stats->v[UM_CTR_SHADOW_CONNECTS] += is_paced;
    }
}

void um_pool_init(struct um_host *h)
{
    um_list_init(&h->idle);
    um_list_init(&h->connections);
    um_list_init(&h->waiting);
    um_task_init(&h->pump, pump);
}

static void on_unused(struct um_task *t)
{
    free(of_pump(t));
}

void um_pool_check(struct um_host *h)
{
    bool in_use = h->n_connections + h->n_connecting + h->n_waiting + h->rq_active > 0;
    if (!h->is_retired || in_use)
        return;
    h->pump.run = on_unused;
    um_loop_closing(h->cluster->upstream->loop, &h->pump);
}

void um_pool_retire(struct um_host *h)
{
    um_conn_close_idle(h);
    um_pool_check(h);
}

static int enqueue(struct um_host *h, struct um_leg *leg)
{
    if (!um_limit_take(&h->cluster->shared->sides[h->side].pending, h->cluster->limits.max_pending_requests,
                       &leg->pending_slot)) {
        um_host_counters(h)[UM_CLU_RQ_PENDING_OVERFLOW]++;
        return UM_ELIMIT;
    }
    leg->is_waiting = true;
    um_list_push(&h->waiting, &leg->node);
    h->n_waiting++;
    um_host_counters(h)[UM_CLU_RQ_PENDING_TOTAL]++;
    um_host_counters(h)[UM_CLU_RQ_PENDING_ACTIVE]++;
    return 0;
}

int um_pool_join(struct um_host *h, struct um_leg *leg)
{
    struct um_conn *idle = leg->needs_fresh ? NULL : um_conn_idle_usable(h, leg);
    if (idle) {
        um_conn_attach(idle, leg);
        return 0;
    }
    int rc = enqueue(h, leg);
    if (rc)
        return rc;
    if (h->side == UM_SIDE_SHADOW) {
        um_outq_compact(&leg->out);
        um_pool_wake(h);
        return 0;
    }
    rc = open_connection(h);
    if (rc)
        on_open_error(h, rc);
    return 0;
}

void um_pool_leave(struct um_leg *leg)
{
    struct um_host *h = leg->host;
    um_list_remove(&leg->node);
    if (!leg->is_waiting)
        return;
    leg->is_waiting = false;
    h->n_waiting--;
    um_limit_give(&leg->pending_slot);
    um_host_counters(h)[UM_CLU_RQ_PENDING_ACTIVE]--;
}

struct um_leg *um_pool_next(struct um_host *h)
{
    struct um_list *node = um_list_first(&h->waiting);
    if (!node)
        return NULL;
    struct um_leg *leg = UM_CONTAINER(node, struct um_leg, node);
    um_pool_leave(leg);
    return leg;
}

void um_pool_connect_failed(struct um_host *h, const struct um_leg_failure *failure)
{
    bool is_last = h->n_connections + h->n_connecting == 0;
    do {
        struct um_leg *leg = um_pool_next(h);
        if (!leg)
            break;
        um_leg_fail_soon(leg, failure);
    } while (is_last && !um_list_empty(&h->waiting));
    um_pool_wake(h);
    um_pool_check(h);
}

void um_pool_wake(struct um_host *h)
{
    if (h->n_waiting > h->n_connecting)
        um_loop_late(h->cluster->upstream->loop, &h->pump);
}
