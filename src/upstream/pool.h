/* SPDX-License-Identifier: Apache-2.0
 * pool: the connections of one endpoint: idle ones, and legs that wait for one. Private to upstream/.
 * A primary's leg opens a connection when none is idle and limits allow. Copies are paced: few connects per turn and
 * few under way at once, for a connect per copy in production's loop is how a hiccup of the shadow hurts. Thread: its
 * worker's. */
#ifndef UM_UPSTREAM_POOL_H
#define UM_UPSTREAM_POOL_H

#include "upstream/leg.h"

enum { UM_SHADOW_CONNECTS_PER_TURN = 4, UM_SHADOW_CONNECTING_MAX = 16 };

void um_pool_init(struct um_host *);
/* the endpoint is gone: idle connections close, the host is freed with its last connection and leg */
void um_pool_retire(struct um_host *);
/* gives the leg an idle connection, or queues it and sees to a new one */
int um_pool_join(struct um_host *, struct um_leg *) UM_MUST_CHECK;
/* takes a waiting leg out */
void um_pool_leave(struct um_leg *);
/* a connection became free: the next leg that waits, or NULL */
struct um_leg *um_pool_next(struct um_host *);
/* a connection could not be made */
void um_pool_connect_failed(struct um_host *, const struct um_leg_failure *);
/* a connection ended: legs that wait may need another */
void um_pool_wake(struct um_host *);
/* the host's last user may have gone */
void um_pool_check(struct um_host *);

/* conn_h1.c */
/* connecting; joins host->connections. slot: of the cluster's limit of connections, taken over on success */
int um_conn_h1_open(struct um_host *, _Atomic uint32_t *slot) UM_MUST_CHECK;
void um_conn_attach(struct um_conn *, struct um_leg *);
struct um_conn *um_conn_idle_usable(struct um_host *, const struct um_leg *); /* NULL: none */
void um_conn_close_idle(struct um_host *);
void um_conn_close_all(struct um_host *); /* legs must have ended */
/* the leg is given up in the middle: the connection closes */
void um_conn_abandon(struct um_conn *);
void um_conn_flush(struct um_conn *);
int um_conn_local(const struct um_conn *, struct um_sockaddr *ret_addr) UM_MUST_CHECK;
void um_conn_pause(struct um_conn *);
void um_conn_resume(struct um_conn *);

/* leg.c, for connections */
void um_leg_fail(struct um_leg *, const struct um_leg_failure *); /* at once */
void um_leg_fail_soon(struct um_leg *, const struct um_leg_failure *);
void um_leg_attached(struct um_leg *); /* counts as active from here on, as pending before */
void um_leg_over(struct um_leg *);     /* releases what it holds; no callback */

static inline uint64_t *um_host_counters(const struct um_host *h)
{
    return h->cluster->upstream->stats->clusters[h->cluster->index].v;
}

#endif
