/* SPDX-License-Identifier: Apache-2.0
 * timer: a hierarchical wheel, ticks of 4 ms, no system calls, O(1) start and stop. A timer fires up to a tick late,
 * never early. Timers are part of what they time; a stopped timer may be freed. Owner: the loop. Thread: its loop's. */
#ifndef UM_IO_TIMER_H
#define UM_IO_TIMER_H

#include "base/list.h"

#include <stdint.h>

enum { UM_TIMER_TICK_MS = 4, UM_TIMER_LEVELS = 5, UM_TIMER_SLOTS = 64 };

struct um_timer {
    struct um_list node;
    uint64_t due_tick; /* 0: not started */
    void (*on_due)(struct um_timer *);
};

struct um_timer_wheel {
    uint64_t tick;                  /* the last one that was run */
    uint64_t used[UM_TIMER_LEVELS]; /* a bit per slot that may hold timers */
    struct um_list slots[UM_TIMER_LEVELS][UM_TIMER_SLOTS];
};

void um_timer_wheel_init(struct um_timer_wheel *, uint64_t now_ns);
/* fires what is due; a callback may start and stop any timer */
void um_timer_wheel_run(struct um_timer_wheel *, uint64_t now_ns);
/* nanoseconds until the wheel wants to run again; UINT64_MAX: no timer */
uint64_t um_timer_wheel_wait_ns(const struct um_timer_wheel *, uint64_t now_ns);
/* how late the wheel is now; 0 if it is not */
uint64_t um_timer_wheel_lag_ns(const struct um_timer_wheel *, uint64_t now_ns);

void um_timer_init(struct um_timer *, void (*on_due)(struct um_timer *));
/* (re)starts; delay counts from now_ns */
void um_timer_start(struct um_timer_wheel *, struct um_timer *, uint64_t now_ns, uint64_t delay_ms);
void um_timer_stop(struct um_timer *);
static inline int um_timer_is_started(const struct um_timer *t)
{
    return t->due_tick != 0;
}

#endif
