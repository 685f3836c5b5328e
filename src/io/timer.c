/* SPDX-License-Identifier: Apache-2.0
 *
 *   level 0: 64 slots of 1 tick      (4 ms .. 256 ms)      a timer stands in the level of its highest
 *   level 1: 64 slots of 64 ticks    (.. 16 s)             6-bit group in which due and now differ; when
 *   level 2: ... 64^2                (.. 17 min)           now reaches that group's value, the slot is
 *   level 3, level 4                 (.. 50 days)          spread over the levels below ("cascade")
 */
#include "io/timer.h"

#include "base/clock.h"

#include <stdbool.h>

enum { BITS = 6 };

static uint64_t tick_of(uint64_t ns)
{
    return ns / (UM_TIMER_TICK_MS * UM_NS_PER_MS);
}

void um_timer_wheel_init(struct um_timer_wheel *w, uint64_t now_ns)
{
    w->tick = tick_of(now_ns);
    for (int l = 0; l < UM_TIMER_LEVELS; l++) {
        w->used[l] = 0;
        for (int s = 0; s < UM_TIMER_SLOTS; s++)
            um_list_init(&w->slots[l][s]);
    }
}

void um_timer_init(struct um_timer *t, void (*on_due)(struct um_timer *))
{
    um_list_init(&t->node);
    t->due_tick = 0;
    t->on_due = on_due;
}

static void place(struct um_timer_wheel *w, struct um_timer *t)
{
    uint64_t differ = t->due_tick ^ w->tick;
    int level = differ ? (63 - __builtin_clzll(differ)) / BITS : 0;
    if (level >= UM_TIMER_LEVELS)
        level = UM_TIMER_LEVELS - 1; /* across the carry of all levels: the top one is round */
    unsigned slot = (unsigned)(t->due_tick >> (level * BITS)) & (UM_TIMER_SLOTS - 1);
    um_list_push(&w->slots[level][slot], &t->node);
    w->used[level] |= 1ULL << slot;
}

void um_timer_start(struct um_timer_wheel *w, struct um_timer *t, uint64_t now_ns, uint64_t delay_ms)
{
    const uint64_t farthest = w->tick + (1ULL << (BITS * UM_TIMER_LEVELS)) / 2;
    um_list_remove(&t->node);
    /* + 1: the tick of now is partly over, and a timer must not be early */
    t->due_tick = tick_of(now_ns + delay_ms * UM_NS_PER_MS) + 1;
    if (delay_ms > UINT64_MAX / 2 / UM_NS_PER_MS || t->due_tick > farthest)
        t->due_tick = farthest;
    if (t->due_tick <= w->tick)
        t->due_tick = w->tick + 1;
    place(w, t);
}

void um_timer_stop(struct um_timer *t)
{
    um_list_remove(&t->node);
    t->due_tick = 0;
}

static void fire(struct um_timer_wheel *w, unsigned slot)
{
    struct um_list due, *node;
    um_list_init(&due);
    um_list_splice(&due, &w->slots[0][slot]);
    w->used[0] &= ~(1ULL << slot);
    while ((node = um_list_pop(&due))) { /* a callback may stop timers of `due` too */
        struct um_timer *t = UM_CONTAINER(node, struct um_timer, node);
        t->due_tick = 0;
        t->on_due(t);
    }
}

static void cascade(struct um_timer_wheel *w, int level)
{
    unsigned slot = (unsigned)(w->tick >> (level * BITS)) & (UM_TIMER_SLOTS - 1);
    struct um_list moved, *node;
    um_list_init(&moved);
    um_list_splice(&moved, &w->slots[level][slot]);
    w->used[level] &= ~(1ULL << slot);
    while ((node = um_list_pop(&moved)))
        place(w, UM_CONTAINER(node, struct um_timer, node));
}

/* the first used slot of a level behind slot `at`, or -1; the top level goes round: slots 64 and up */
static int next_slot(const struct um_timer_wheel *w, int level, unsigned at)
{
    uint64_t behind = at == UM_TIMER_SLOTS - 1 ? 0 : ~0ULL << (at + 1);
    if (w->used[level] & behind)
        return __builtin_ctzll(w->used[level] & behind);
    bool is_round = level == UM_TIMER_LEVELS - 1;
    uint64_t before = (1ULL << at) - 1;
    return is_round && w->used[level] & before ? UM_TIMER_SLOTS + __builtin_ctzll(w->used[level] & before) : -1;
}

/* ticks from w->tick to the next one at which a slot has to be looked at; UINT64_MAX if there is none */
static uint64_t next_step(const struct um_timer_wheel *w)
{
    for (int l = 0; l < UM_TIMER_LEVELS; l++) {
        uint64_t position = w->tick >> (l * BITS);
        int slot = next_slot(w, l, (unsigned)position & (UM_TIMER_SLOTS - 1));
        if (slot >= 0)
            return (((position & ~(uint64_t)(UM_TIMER_SLOTS - 1)) + (uint64_t)slot) << (l * BITS)) - w->tick;
    }
    return UINT64_MAX;
}

void um_timer_wheel_run(struct um_timer_wheel *w, uint64_t now_ns)
{
    uint64_t now = tick_of(now_ns);
    while (w->tick < now) {
        uint64_t step = next_step(w);
        if (step > now - w->tick) {
            w->tick = now;
            return;
        }
        w->tick += step;
        for (int l = UM_TIMER_LEVELS - 1; l > 0; l--)
            if ((w->tick & ((1ULL << (l * BITS)) - 1)) == 0)
                cascade(w, l);
        fire(w, (unsigned)w->tick & (UM_TIMER_SLOTS - 1));
    }
}

static uint64_t next_due_ns(const struct um_timer_wheel *w)
{
    uint64_t step = next_step(w);
    return step == UINT64_MAX ? UINT64_MAX : (w->tick + step) * UM_TIMER_TICK_MS * UM_NS_PER_MS;
}

uint64_t um_timer_wheel_lag_ns(const struct um_timer_wheel *w, uint64_t now_ns)
{
    uint64_t due_ns = next_due_ns(w);
    return due_ns < now_ns ? now_ns - due_ns : 0;
}

uint64_t um_timer_wheel_wait_ns(const struct um_timer_wheel *w, uint64_t now_ns)
{
    uint64_t due_ns = next_due_ns(w);
    if (due_ns == UINT64_MAX)
        return UINT64_MAX;
    return due_ns > now_ns ? due_ns - now_ns : 0;
}
