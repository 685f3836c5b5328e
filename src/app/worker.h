/* SPDX-License-Identifier: Apache-2.0
 * worker: one thread, one loop, its own connections, pools and counters. It is told things by messages (I6); each
 * message carries what it hands over and comes back to the control thread when it has been read. Owner: the server
 * (control thread). Thread: new, start, post, join: control; all else its own. */
#ifndef UM_APP_WORKER_H
#define UM_APP_WORKER_H

#include "io/listener.h"
#include "io/mailbox.h"
#include "proxy/proxy.h"

#include <pthread.h>

struct um_worker;

/* one listening address as a worker is given it */
struct um_worker_listener_update {
    struct um_sockaddr addr; /* names it for the life of the process */
    int fd;                  /* a new socket to take over; -1: the one it has goes on */
    const struct um_listener *model;
};

/* a new configuration for one worker; the control thread makes it, the worker takes it apart */
struct um_worker_update {
    struct um_message message;
    struct um_hold *hold; /* NULL: endpoints only */
    struct um_cluster_update *clusters;
    uint32_t n_clusters;
    uint32_t n_stat_clusters, n_stat_shadows;    /* how many indexes there are now */
    struct um_worker_listener_update *listeners; /* all that are to be; others stop */
    uint32_t n_listeners;
};

struct um_worker_switches {
    struct um_message message;
    struct um_shadow_switches switches;
};

/* a copy of the worker's counters between two turns */
struct um_worker_scrape {
    struct um_message message;
    struct um_worker *worker;
    struct um_worker_stats stats;
    int rc;
    void *ctx; /* the asker's */
};

struct um_worker_settings {
    struct um_downstream_settings downstream;
    struct um_budget *shadow_budget; /* of the process */
    struct um_log_writer *log;       /* NULL: off */
    struct um_mailbox *control;
    /* on the control thread, with `server` as receiver */
    void (*on_hold_idle)(void *server, struct um_hold *);
    void (*on_scraped)(void *server, struct um_worker_scrape *);
    void (*on_drained)(void *server, struct um_worker *);
};

int um_worker_new(unsigned id, const struct um_worker_settings *, struct um_worker **ret_worker) UM_MUST_CHECK;
int um_worker_start(struct um_worker *) UM_MUST_CHECK;
/* after um_worker_stop: waits for the thread. Messages of the worker may still be in the control thread's mailbox: drain that,
 * then free. */
void um_worker_join(struct um_worker *);
void um_worker_free(struct um_worker *);

/* each takes the message over */
void um_worker_post_update(struct um_worker *, struct um_worker_update *);
void um_worker_post_switches(struct um_worker *, struct um_worker_switches *);
void um_worker_post_scrape(struct um_worker *, struct um_worker_scrape *);
/* accepts no more, closes idle connections, ends each exchange's connection with it; on_drained when the last is gone
 */
void um_worker_drain(struct um_worker *);
/* gives everything up and leaves the loop */
void um_worker_stop(struct um_worker *);

void um_worker_update_free(struct um_worker_update *);

#endif
