/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- tasks ----------------------------------------------------------------------------------------- */

/* what ran, one letter each */
static char trace[64];

static void note(char letter)
{
    size_t n = strlen(trace);
    assert_true(n + 1 < sizeof trace);
    trace[n] = letter;
    trace[n + 1] = '\0';
}

struct step {
    struct um_task task;
    struct um_timer timer;
    struct um_loop *loop;
    char letter;
    struct step *then_soon, *then_late, *then_ready, *cancels;
};

static void perform(struct step *s)
{
    note(s->letter);
    if (s->then_soon)
        um_loop_soon(s->loop, &s->then_soon->task);
    if (s->then_late)
        um_loop_late(s->loop, &s->then_late->task);
    if (s->then_ready)
        um_loop_ready(s->loop, &s->then_ready->task);
    if (s->cancels)
        um_task_cancel(&s->cancels->task);
}

static void run_task(struct um_task *t)
{
    perform(UM_CONTAINER(t, struct step, task));
}

static void run_timer(struct um_timer *t)
{
    perform(UM_CONTAINER(t, struct step, timer));
}

static struct step step_of(struct um_loop *loop, char letter)
{
    return (struct step){.loop = loop, .letter = letter};
}

static void step_init(struct step *s)
{
    um_task_init(&s->task, run_task);
    um_timer_init(&s->timer, run_timer);
}

static int setup(void **state)
{
    struct um_loop *loop = calloc(1, sizeof *loop);
    *state = loop;
    trace[0] = '\0';
    return um_loop_init(loop);
}

static int teardown(void **state)
{
    um_loop_release(*state);
    free(*state);
    return 0;
}

static void kinds_of_tasks_run_in_order(void **state)
{
    struct um_loop *loop = *state;
    struct step ready = step_of(loop, 'r'), timer = step_of(loop, 't'), soon = step_of(loop, 's'),
                late = step_of(loop, 'l'), closing = step_of(loop, 'c');
    struct step *all[] = {&ready, &timer, &soon, &late, &closing};
    for (size_t i = 0; i < 5; i++)
        step_init(all[i]);
    um_loop_closing(loop, &closing.task);
    um_loop_late(loop, &late.task);
    um_loop_timer(loop, &timer.timer, 0);
    um_loop_soon(loop, &soon.task);
    um_loop_ready(loop, &ready.task);
    usleep(2 * UM_TIMER_TICK_MS * 1000); /* the timer is due in the same turn */
    um_loop_turn(loop, 0);
    assert_string_equal(trace, "rstlc");
}

static void soon_runs_within_the_turn_and_ready_waits_for_the_next(void **state)
{
    struct um_loop *loop = *state;
    struct step a = step_of(loop, 'a'), b = step_of(loop, 'b'), c = step_of(loop, 'c');
    step_init(&a);
    step_init(&b);
    step_init(&c);
    a.then_ready = &a; /* again and again, a turn each */
    a.then_soon = &b;
    b.then_late = &c;
    um_loop_ready(loop, &a.task);
    um_loop_turn(loop, -1);
    assert_string_equal(trace, "abc");
    um_loop_turn(loop, -1); /* does not wait: there is something to do */
    assert_string_equal(trace, "abcabc");
    um_task_cancel(&a.task);
    um_loop_turn(loop, 0);
    assert_string_equal(trace, "abcabc");
}

static void late_posted_by_late_waits_for_the_next_turn(void **state)
{
    struct um_loop *loop = *state;
    struct step a = step_of(loop, 'a');
    step_init(&a);
    a.then_late = &a;
    um_loop_late(loop, &a.task);
    um_loop_turn(loop, -1);
    assert_string_equal(trace, "a");
    um_loop_turn(loop, -1);
    assert_string_equal(trace, "aa");
    um_task_cancel(&a.task);
}

static void posted_twice_runs_once(void **state)
{
    struct um_loop *loop = *state;
    struct step a = step_of(loop, 'a');
    step_init(&a);
    assert_false(um_task_is_posted(&a.task));
    um_loop_soon(loop, &a.task);
    um_loop_late(loop, &a.task);
    um_loop_ready(loop, &a.task);
    assert_true(um_task_is_posted(&a.task));
    um_loop_turn(loop, 0);
    um_loop_turn(loop, 0);
    assert_string_equal(trace, "a");
}

static void a_task_may_cancel_another_of_its_turn(void **state)
{
    struct um_loop *loop = *state;
    struct step a = step_of(loop, 'a'), b = step_of(loop, 'b');
    step_init(&a);
    step_init(&b);
    a.cancels = &b;
    um_loop_ready(loop, &a.task);
    um_loop_ready(loop, &b.task);
    um_loop_turn(loop, 0);
    assert_string_equal(trace, "a");
}

static void timers_wake_the_loop(void **state)
{
    struct um_loop *loop = *state;
    struct step a = step_of(loop, 'a');
    step_init(&a);
    um_loop_timer(loop, &a.timer, 20);
    uint64_t from_ns = loop->now_ns;
    while (!trace[0])
        um_loop_turn(loop, -1);
    assert_true(loop->now_ns - from_ns >= 20 * UM_NS_PER_MS);
}

static void on_lag(void *ctx, uint64_t lag_ns)
{
    *(uint64_t *)ctx = lag_ns;
}

static void lag_is_told(void **state)
{
    struct um_loop *loop = *state;
    struct step a = step_of(loop, 'a');
    uint64_t lag_ns = 0;
    step_init(&a);
    loop->on_lag = on_lag;
    loop->on_lag_ctx = &lag_ns;
    um_loop_timer(loop, &a.timer, 1);
    usleep(30000); /* something kept the thread */
    um_loop_turn(loop, -1);
    assert_true(lag_ns > 10 * UM_NS_PER_MS);
}

/* ---- descriptors ----------------------------------------------------------------------------------- */

struct pipe_end {
    struct um_watch watch;
    struct um_loop *loop;
    uint32_t events;
    int n_events;
    struct pipe_end *closes;
};

static void on_pipe(struct um_watch *w, uint32_t events)
{
    struct pipe_end *p = UM_CONTAINER(w, struct pipe_end, watch);
    p->events = events;
    p->n_events++;
    if (p->closes)
        um_loop_unwatch_close(p->loop, &p->closes->watch);
}

static void level_watches_tell_until_it_is_read(void **state)
{
    struct um_loop *loop = *state;
    struct pipe_end p = {.loop = loop};
    int fds[2];
    char byte;
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(um_loop_watch_level(loop, &p.watch, fds[0], EPOLLIN, on_pipe), 0);
    assert_int_equal(write(fds[1], "x", 1), 1);
    um_loop_turn(loop, 0);
    um_loop_turn(loop, 0);
    assert_int_equal(p.n_events, 2);
    assert_int_equal(um_loop_rewatch_level(loop, &p.watch, 0), 0);
    um_loop_turn(loop, 0);
    assert_int_equal(p.n_events, 2);
    assert_int_equal(um_loop_rewatch_level(loop, &p.watch, EPOLLIN), 0);
    um_loop_turn(loop, 0);
    assert_int_equal(p.n_events, 3);
    assert_int_equal(read(fds[0], &byte, 1), 1);
    um_loop_turn(loop, 0);
    assert_int_equal(p.n_events, 3);
    um_loop_unwatch(loop, &p.watch);
    assert_int_equal(p.watch.fd, -1);
    assert_int_equal(write(fds[1], "x", 1), 1); /* still open */
    um_loop_turn(loop, 0);
    assert_int_equal(p.n_events, 3);
    close(fds[0]);
    close(fds[1]);
}

static void edge_watches_tell_once(void **state)
{
    struct um_loop *loop = *state;
    struct pipe_end p = {.loop = loop};
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    assert_int_equal(um_loop_watch(loop, &p.watch, fds[0], on_pipe), 0);
    assert_int_equal(write(fds[1], "x", 1), 1);
    um_loop_turn(loop, 0);
    assert_true(p.events & EPOLLIN && p.events & EPOLLOUT);
    um_loop_turn(loop, 0);
    assert_int_equal(p.n_events, 1);
    close(fds[1]);
    um_loop_turn(loop, 0);
    assert_int_equal(p.n_events, 2);
    assert_true(p.events & EPOLLRDHUP);
    um_loop_unwatch_close(loop, &p.watch);
    um_loop_unwatch_close(loop, &p.watch);
}

/* two are ready in one turn, and whichever comes first closes the other: its event names a closed watch */
static void events_of_a_closed_watch_are_dropped(void **state)
{
    struct um_loop *loop = *state;
    struct pipe_end a = {.loop = loop}, b = {.loop = loop, .closes = &a};
    int one[2], two[2];
    a.closes = &b;
    assert_int_equal(pipe(one) | pipe(two), 0);
    assert_int_equal(um_loop_watch_level(loop, &a.watch, one[0], EPOLLIN, on_pipe), 0);
    assert_int_equal(um_loop_watch_level(loop, &b.watch, two[0], EPOLLIN, on_pipe), 0);
    assert_int_equal(write(one[1], "x", 1) + write(two[1], "x", 1), 2);
    um_loop_turn(loop, 0);
    assert_int_equal(a.n_events + b.n_events, 1);
    um_loop_unwatch_close(loop, &a.watch);
    um_loop_unwatch_close(loop, &b.watch);
    close(one[1]);
    close(two[1]);
}

static void bad_descriptors_are_errors(void **state)
{
    struct um_loop *loop = *state;
    struct um_watch w = {.fd = -1};
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    close(fds[1]);
    close(fds[0]);
    assert_true(um_loop_watch(loop, &w, fds[0], on_pipe) < 0);
    assert_int_equal(w.fd, -1);
}

static void on_wake(void *ctx)
{
    um_loop_stop(ctx);
}

static void wake_ends_a_wait(void **state)
{
    struct um_loop *loop = *state;
    loop->on_wake = on_wake;
    loop->on_wake_ctx = loop;
    um_loop_wake(loop);
    um_loop_wake(loop);
    um_loop_run(loop);
    assert_true(loop->is_stopping);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(kinds_of_tasks_run_in_order),
        TEST(soon_runs_within_the_turn_and_ready_waits_for_the_next),
        TEST(late_posted_by_late_waits_for_the_next_turn),
        TEST(posted_twice_runs_once),
        TEST(a_task_may_cancel_another_of_its_turn),
        TEST(timers_wake_the_loop),
        TEST(lag_is_told),
        TEST(level_watches_tell_until_it_is_read),
        TEST(edge_watches_tell_once),
        TEST(events_of_a_closed_watch_are_dropped),
        TEST(bad_descriptors_are_errors),
        TEST(wake_ends_a_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
