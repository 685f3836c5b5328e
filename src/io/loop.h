/* SPDX-License-Identifier: Apache-2.0
 * loop: one thread's event loop on epoll, edge-triggered, each descriptor registered once.
 *
 *   a turn:  epoll_wait -> events, and after each the `soon` tasks -> streams on the ready list -> timers -> mailbox
 *            -> `late` tasks (the shadows' writes, behind every primary's) -> a few background tasks (what shadows send)
 *            -> closed things are told so
 *
 * Events of background streams are served as they come while there are not many more of them than of production's. In a burst
 * they only go on a list: production's events among them are found and served first, the tasks follow a few per turn (I1).
 *
 * An object that closes during a turn stays in memory until the turn's end (on_closed), so that events which still name
 * it find fd -1 and are ignored. Owner: the thread that inits it. Thread: its own, but um_loop_wake any. Errors:
 * UM_ENOMEM, UM_ELIMIT (descriptors), UM_EIO. */
#ifndef UM_IO_LOOP_H
#define UM_IO_LOOP_H

#include "base/clock.h"
#include "base/err.h"
#include "io/timer.h"

#include <stdbool.h>

/* per wait: few, so that what a turn touches (a body chunk per request, sent once more at its end) is still in the cache */
enum { UM_LOOP_EVENTS = 32 };

enum {
    UM_LOOP_BURST = 64,            /* background events beyond twice production's, since the last wait that found few */
    UM_LOOP_BACKGROUND_TASKS = 16, /* per turn, of those that were put off */
    UM_LOOP_WAITS = 32,            /* in a row while they bring all they can */
};

struct um_watch; /* a descriptor in the loop */
struct um_task;
typedef void um_watch_f(struct um_watch *, uint32_t epoll_events);
typedef void um_task_f(struct um_task *);

struct um_watch {
    int fd; /* -1: closed */
    um_watch_f *on_event;
};

/* something to do once, soon or late in this turn; posting a posted task is harmless */
struct um_task {
    struct um_list node;
    um_task_f *run;
};

struct um_loop {
    int epoll_fd;
    struct um_watch wake; /* eventfd */
    bool is_stopping;
    uint64_t now_ns; /* of this turn; deadlines use it, durations read the clock */
    struct um_timer_wheel timers;
    struct um_list soon, late, closing;
    struct um_list background;       /* tasks of streams that shadows use */
    unsigned n_events, n_background; /* events in all and background ones, since the last wait that found few */
    struct um_list ready;            /* tasks to be run next turn without waiting (streams that still have input) */
    void (*on_wake)(void *ctx);      /* the mailbox */
    void *on_wake_ctx;
    void (*on_lag)(void *ctx, uint64_t lag_ns); /* timers were due that long ago */
    void *on_lag_ctx;
};

int um_loop_init(struct um_loop *) UM_MUST_CHECK;
void um_loop_release(struct um_loop *);
/* until um_loop_stop */
void um_loop_run(struct um_loop *);
void um_loop_stop(struct um_loop *);
/* one turn that waits at most wait_ms (-1: without end) */
void um_loop_turn(struct um_loop *, int wait_ms);
/* any thread: makes on_wake run soon */
void um_loop_wake(struct um_loop *);

/* edge-triggered on input, output and hang-up */
int um_loop_watch(struct um_loop *, struct um_watch *, int fd, um_watch_f *) UM_MUST_CHECK;
/* level-triggered on input, for what is not on the hot path (inotify, c-ares, signals) */
int um_loop_watch_level(struct um_loop *, struct um_watch *, int fd, uint32_t epoll_events, um_watch_f *) UM_MUST_CHECK;
/* changes what a level-triggered watch waits for */
int um_loop_rewatch_level(struct um_loop *, struct um_watch *, uint32_t epoll_events) UM_MUST_CHECK;
/* forgets the descriptor, which is another's to close */
void um_loop_unwatch(struct um_loop *, struct um_watch *);
/* forgets and closes the descriptor */
void um_loop_unwatch_close(struct um_loop *, struct um_watch *);

void um_task_init(struct um_task *, um_task_f *);
static inline bool um_task_is_posted(const struct um_task *t)
{
    return !um_list_empty(&t->node);
}
static inline void um_task_cancel(struct um_task *t)
{
    um_list_remove(&t->node);
}
static inline void um_loop_soon(struct um_loop *l, struct um_task *t)
{
    if (um_list_empty(&t->node))
        um_list_push(&l->soon, &t->node);
}
static inline void um_loop_late(struct um_loop *l, struct um_task *t)
{
    if (um_list_empty(&t->node))
        um_list_push(&l->late, &t->node);
}
static inline void um_loop_ready(struct um_loop *l, struct um_task *t)
{
    if (um_list_empty(&t->node))
        um_list_push(&l->ready, &t->node);
}
static inline void um_loop_background(struct um_loop *l, struct um_task *t)
{
    if (um_list_empty(&t->node))
        um_list_push(&l->background, &t->node);
}
/* whether a background stream's event may be served at once */
static inline bool um_loop_takes_background(struct um_loop *l)
{
    unsigned production = l->n_events - l->n_background;
    return l->n_background++ < UM_LOOP_BURST + 2 * production;
}
/* at the end of the turn, when nothing in flight can name the object any more */
static inline void um_loop_closing(struct um_loop *l, struct um_task *t)
{
    um_list_remove(&t->node);
    um_list_push(&l->closing, &t->node);
}
static inline void um_loop_timer(struct um_loop *l, struct um_timer *t, uint64_t delay_ms)
{
    um_timer_start(&l->timers, t, l->now_ns, delay_ms);
}

#endif
