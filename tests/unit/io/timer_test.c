/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/rand.h"
#include "io/timer.h"

enum { TIMERS = 200 };
#define TICK_NS (UM_TIMER_TICK_MS * UM_NS_PER_MS)
#define HORIZON_TICKS (UINT64_C(1) << 29) /* about 25 days: longer delays are cut to it */

/* ---- against a slow model: a list of deadlines ----------------------------------------------------- */

struct model_timer {
    struct um_timer timer;
    struct model *model;
    uint64_t due_ns; /* 0: not started */
};

struct model {
    struct um_timer_wheel wheel;
    struct um_rand rand;
    uint64_t now_ns;
    uint64_t last_due_tick; /* of this run; timers fire in order */
    bool restarts;
    struct model_timer timers[TIMERS];
};

static void start(struct model *m, struct model_timer *t, uint64_t delay_ms)
{
    um_timer_start(&m->wheel, &t->timer, m->now_ns, delay_ms);
    t->due_ns = m->now_ns + delay_ms * UM_NS_PER_MS;
    assert_true(um_timer_is_started(&t->timer));
}

static void stop(struct model_timer *t)
{
    um_timer_stop(&t->timer);
    t->due_ns = 0;
}

static uint64_t random_delay_ms(struct um_rand *r)
{
    static const uint32_t SCALES_MS[] = {4, 300, 20000, 1200000, 80000000, 2000000000};
    return um_rand_below(r, SCALES_MS[um_rand_below(r, sizeof SCALES_MS / sizeof *SCALES_MS)]);
}

static struct model_timer *any_timer(struct model *m)
{
    return &m->timers[um_rand_below(&m->rand, TIMERS)];
}

static void on_due(struct um_timer *timer)
{
    struct model_timer *t = UM_CONTAINER(timer, struct model_timer, timer);
    struct model *m = t->model;
    assert_true(t->due_ns != 0);
    assert_true(t->due_ns <= m->now_ns);
    assert_false(um_timer_is_started(timer));
    assert_true(t->due_ns / TICK_NS >= m->last_due_tick);
    m->last_due_tick = t->due_ns / TICK_NS;
    t->due_ns = 0;
    if (!m->restarts)
        return;
    if (um_rand_below(&m->rand, 2) == 0)
        stop(any_timer(m));
    if (um_rand_below(&m->rand, 2) == 0)
        start(m, t, random_delay_ms(&m->rand));
}

static void model_init(struct model *m, uint64_t seed, uint64_t now_ns)
{
    um_rand_init_seed(&m->rand, seed);
    m->now_ns = now_ns;
    m->restarts = false;
    um_timer_wheel_init(&m->wheel, now_ns);
    for (int i = 0; i < TIMERS; i++) {
        um_timer_init(&m->timers[i].timer, on_due);
        m->timers[i].model = m;
        m->timers[i].due_ns = 0;
    }
}

/* after a run nothing is overdue by more than a tick, and the wheel wakes in time for the next */
static void check(const struct model *m)
{
    uint64_t first_ns = UINT64_MAX, wait_ns = um_timer_wheel_wait_ns(&m->wheel, m->now_ns);
    for (int i = 0; i < TIMERS; i++) {
        const struct model_timer *t = &m->timers[i];
        assert_int_equal(um_timer_is_started(&t->timer), t->due_ns != 0);
        if (t->due_ns && t->due_ns < first_ns)
            first_ns = t->due_ns;
    }
    assert_true(first_ns == UINT64_MAX || first_ns + TICK_NS > m->now_ns);
    if (first_ns == UINT64_MAX)
        assert_true(wait_ns == UINT64_MAX || wait_ns > 0);
    else
        assert_true(m->now_ns + wait_ns <= first_ns + TICK_NS);
    assert_int_equal(um_timer_wheel_lag_ns(&m->wheel, m->now_ns), 0);
}

static void run_at(struct model *m, uint64_t now_ns)
{
    m->now_ns = now_ns;
    m->last_due_tick = 0;
    um_timer_wheel_run(&m->wheel, now_ns);
    check(m);
}

static void random_steps(struct model *m, int n)
{
    for (int i = 0; i < n; i++) {
        for (uint32_t k = um_rand_below(&m->rand, 8); k; k--)
            start(m, any_timer(m), random_delay_ms(&m->rand));
        if (um_rand_below(&m->rand, 4) == 0)
            stop(any_timer(m));
        m->restarts = um_rand_below(&m->rand, 4) == 0;
        run_at(m, m->now_ns + random_delay_ms(&m->rand) * UM_NS_PER_MS / 16 + um_rand_below(&m->rand, TICK_NS));
    }
}

static void random_operations(void **state)
{
    static struct model m;
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        model_init(&m, seed, um_rand_u64(&m.rand) % (400 * 86400 * UM_NS_PER_S));
        random_steps(&m, 1500);
    }
}

/* the top level's last slot: ticks carry beyond all levels, after 49.7 days of the clock */
static void across_the_carry_of_all_levels(void **state)
{
    static struct model m;
    const uint64_t carry_ns = (UINT64_C(1) << 30) * TICK_NS;
    (void)state;
    for (uint64_t before_s = 1; before_s < 4000000; before_s *= 3) {
        model_init(&m, before_s, 7 * carry_ns - before_s * UM_NS_PER_S);
        for (int i = 0; i < TIMERS; i++)
            start(&m, &m.timers[i], random_delay_ms(&m.rand) + (uint64_t)i * 10);
        run_at(&m, m.now_ns + before_s * UM_NS_PER_S - TICK_NS);
        run_at(&m, m.now_ns + TICK_NS);
        random_steps(&m, 200);
    }
}

/* turned as the loop turns it: asleep for as long as the wheel says */
static void sleeping_until_it_wants_to_run(void **state)
{
    static struct model m;
    (void)state;
    model_init(&m, 3, 123456789 * UM_NS_PER_S);
    for (int i = 0; i < TIMERS; i++)
        start(&m, &m.timers[i], random_delay_ms(&m.rand));
    int turns = 0;
    for (uint64_t wait_ns; (wait_ns = um_timer_wheel_wait_ns(&m.wheel, m.now_ns)) != UINT64_MAX; turns++)
        run_at(&m, m.now_ns + wait_ns);
    for (int i = 0; i < TIMERS; i++)
        assert_int_equal(m.timers[i].due_ns, 0);
    assert_true(turns < TIMERS * UM_TIMER_LEVELS);
}

/* ---- one at a time --------------------------------------------------------------------------------- */

struct counted {
    struct um_timer timer;
    int fired;
    struct um_timer *victim;
};

static void on_counted(struct um_timer *t)
{
    struct counted *c = UM_CONTAINER(t, struct counted, timer);
    c->fired++;
    if (c->victim)
        um_timer_stop(c->victim);
}

static void never_early_and_at_most_a_tick_late(void **state)
{
    static const uint64_t DELAYS_MS[] = {0, 1, 3, 4, 5, 255, 256, 257, 16383, 16384, 1048576, 67108864, 86400000};
    (void)state;
    for (size_t i = 0; i < sizeof DELAYS_MS / sizeof *DELAYS_MS; i++)
        for (uint64_t offset_ns = 0; offset_ns < TICK_NS; offset_ns += TICK_NS / 4 - 1) {
            struct um_timer_wheel w;
            struct counted c = {0};
            uint64_t now_ns = 5000000 * UM_NS_PER_S + offset_ns, due_ns = now_ns + DELAYS_MS[i] * UM_NS_PER_MS;
            um_timer_wheel_init(&w, now_ns);
            um_timer_init(&c.timer, on_counted);
            um_timer_start(&w, &c.timer, now_ns, DELAYS_MS[i]);
            um_timer_wheel_run(&w, due_ns - 1);
            assert_int_equal(c.fired, 0);
            um_timer_wheel_run(&w, due_ns + TICK_NS);
            assert_int_equal(c.fired, 1);
            um_timer_wheel_run(&w, due_ns + 100 * UM_NS_PER_S);
            assert_int_equal(c.fired, 1);
        }
}

static void restarting_moves_the_deadline(void **state)
{
    struct um_timer_wheel w;
    struct counted c = {0};
    (void)state;
    um_timer_wheel_init(&w, 0);
    um_timer_init(&c.timer, on_counted);
    um_timer_start(&w, &c.timer, 0, 100);
    um_timer_start(&w, &c.timer, 0, 500);
    um_timer_wheel_run(&w, 400 * UM_NS_PER_MS);
    assert_int_equal(c.fired, 0);
    um_timer_start(&w, &c.timer, 400 * UM_NS_PER_MS, 10);
    um_timer_wheel_run(&w, 420 * UM_NS_PER_MS);
    assert_int_equal(c.fired, 1);
    um_timer_stop(&c.timer);
    um_timer_stop(&c.timer);
    um_timer_wheel_run(&w, 9 * UM_NS_PER_S);
    assert_int_equal(c.fired, 1);
    assert_int_equal(um_timer_wheel_wait_ns(&w, 9 * UM_NS_PER_S), UINT64_MAX);
}

static void a_callback_may_stop_one_that_is_due_with_it(void **state)
{
    struct um_timer_wheel w;
    struct counted first = {0}, second = {0};
    (void)state;
    um_timer_wheel_init(&w, 0);
    um_timer_init(&first.timer, on_counted);
    um_timer_init(&second.timer, on_counted);
    first.victim = &second.timer;
    second.victim = &first.timer;
    um_timer_start(&w, &first.timer, 0, 8);
    um_timer_start(&w, &second.timer, 0, 8);
    um_timer_wheel_run(&w, UM_NS_PER_S);
    assert_int_equal(first.fired + second.fired, 1);
}

static void delays_beyond_the_wheel_are_cut(void **state)
{
    struct um_timer_wheel w;
    struct counted c = {0};
    (void)state;
    um_timer_wheel_init(&w, 0);
    um_timer_init(&c.timer, on_counted);
    um_timer_start(&w, &c.timer, 0, UINT64_MAX);
    um_timer_wheel_run(&w, (HORIZON_TICKS - 2) * TICK_NS);
    assert_int_equal(c.fired, 0);
    um_timer_wheel_run(&w, (HORIZON_TICKS + 2) * TICK_NS);
    assert_int_equal(c.fired, 1);
}

static void lag_is_what_the_wheel_is_late_by(void **state)
{
    struct um_timer_wheel w;
    struct counted c = {0};
    (void)state;
    um_timer_wheel_init(&w, 0);
    um_timer_init(&c.timer, on_counted);
    assert_int_equal(um_timer_wheel_lag_ns(&w, 9 * UM_NS_PER_S), 0);
    um_timer_start(&w, &c.timer, 0, 7);
    assert_int_equal(um_timer_wheel_lag_ns(&w, 8 * UM_NS_PER_MS), 0);
    assert_int_equal(um_timer_wheel_lag_ns(&w, 58 * UM_NS_PER_MS), 50 * UM_NS_PER_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_operations),
        cmocka_unit_test(across_the_carry_of_all_levels),
        cmocka_unit_test(sleeping_until_it_wants_to_run),
        cmocka_unit_test(never_early_and_at_most_a_tick_late),
        cmocka_unit_test(restarting_moves_the_deadline),
        cmocka_unit_test(a_callback_may_stop_one_that_is_due_with_it),
        cmocka_unit_test(delays_beyond_the_wheel_are_cut),
        cmocka_unit_test(lag_is_what_the_wheel_is_late_by),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
