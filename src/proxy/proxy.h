/* SPDX-License-Identifier: Apache-2.0
 * proxy: what a worker does with requests: the handler that the downstream calls. Everything here is one worker's own.
 * Owner: the worker. Thread: its own. */
#ifndef UM_PROXY_PROXY_H
#define UM_PROXY_PROXY_H

#include "downstream/downstream.h"
#include "model/snapshot.h"
#include "proxy/access_log.h"
#include "upstream/upstream.h"

/* a snapshot as one worker holds it: exchanges are counted without atomics; the last one of a replaced snapshot tells
 * on_idle */
struct um_hold {
    struct um_snapshot *snapshot;
    uint32_t n_exchanges;
    bool is_current;
};

/* d->listener points at one; `model` follows the current snapshot, NULL once the listener is gone */
struct um_proxy_listener {
    const struct um_listener *model;
};

/* C8, by um_mirror.index */
struct um_shadow_switches {
    bool is_all_off;
    uint8_t *is_off; /* NULL: none is */
    uint32_t n;
};

struct um_proxy {
    struct um_handler handler; /* first: the downstream gives it back */
    struct um_loop *loop;
    struct um_chunk_pool *chunks;
    struct um_ledger *ledger;
    struct um_worker_stats *stats;
    struct um_rand *rand;
    struct um_upstream *upstream;
    struct um_access_log *log; /* NULL: off */
    struct um_hold *hold;      /* current */
    struct um_shadow_switches switches;
    void (*on_hold_idle)(void *ctx, struct um_hold *); /* a replaced snapshot is no longer used here */
    void *ctx;
    struct um_list copies; /* shadow legs, oldest first */
    struct um_task relief; /* drops copies while the ledger is over (C19) */
    uint32_t n_exchanges;
    char date[32]; /* of the second date_s, for answers without one */
    uint64_t date_s;
};

void um_proxy_init(struct um_proxy *, struct um_loop *, struct um_chunk_pool *, struct um_worker_stats *,
                   struct um_rand *, struct um_upstream *);
/* gives all copies up (shutdown); exchanges whose client is still there are the downstream's to end */
void um_proxy_drop_copies(struct um_proxy *);
/* the current hold is replaced; on_hold_idle comes for the old one, at once if nothing uses it */
void um_proxy_adopt(struct um_proxy *, struct um_hold *);

#endif
