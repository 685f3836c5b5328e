/* SPDX-License-Identifier: Apache-2.0 */
#include "io/loop.h"

#include <errno.h>
#include <limits.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

static void on_wake_event(struct um_watch *w, uint32_t events)
{
    struct um_loop *l = UM_CONTAINER(w, struct um_loop, wake);
    uint64_t count;
    if (read(w->fd, &count, sizeof count) == sizeof count && l->on_wake)
        l->on_wake(l->on_wake_ctx);
}

int um_loop_init(struct um_loop *l)
{
    *l = (struct um_loop){.epoll_fd = epoll_create1(EPOLL_CLOEXEC), .wake.fd = -1};
    l->now_ns = um_clock_ns();
    um_timer_wheel_init(&l->timers, l->now_ns);
    um_list_init(&l->soon);
    um_list_init(&l->late);
    um_list_init(&l->closing);
    um_list_init(&l->ready);
    um_list_init(&l->background);
    if (l->epoll_fd < 0)
        return um_err_from_errno(errno);
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int rc = fd < 0 ? um_err_from_errno(errno) : um_loop_watch_level(l, &l->wake, fd, EPOLLIN, on_wake_event);
    if (rc) {
        if (fd >= 0)
            close(fd);
        close(l->epoll_fd);
        l->epoll_fd = -1;
    }
    return rc;
}

void um_loop_release(struct um_loop *l)
{
    if (l->wake.fd >= 0)
        close(l->wake.fd);
    if (l->epoll_fd >= 0)
        close(l->epoll_fd);
    l->wake.fd = l->epoll_fd = -1;
}

static int watch(int epoll_fd, struct um_watch *w, int fd, uint32_t events, um_watch_f *on_event)
{
    struct epoll_event e = {.events = events, .data.ptr = w};
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &e))
        return um_err_from_errno(errno);
    w->fd = fd;
    w->on_event = on_event;
    return 0;
}

int um_loop_watch(struct um_loop *l, struct um_watch *w, int fd, um_watch_f *on_event)
{
    return watch(l->epoll_fd, w, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, on_event);
}

int um_loop_watch_level(struct um_loop *l, struct um_watch *w, int fd, uint32_t events, um_watch_f *on_event)
{
    return watch(l->epoll_fd, w, fd, events, on_event);
}

int um_loop_rewatch_level(struct um_loop *l, struct um_watch *w, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.ptr = w};
    return epoll_ctl(l->epoll_fd, EPOLL_CTL_MOD, w->fd, &e) ? um_err_from_errno(errno) : 0;
}

void um_loop_unwatch(struct um_loop *l, struct um_watch *w)
{
    if (w->fd < 0)
        return;
    epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, w->fd, NULL);
    w->fd = -1;
}

void um_loop_unwatch_close(struct um_loop *l, struct um_watch *w)
{
    if (w->fd < 0)
        return;
    close(w->fd); /* the kernel takes it out of the epoll set: nobody dups these descriptors */
    w->fd = -1;
}

void um_task_init(struct um_task *t, um_task_f *run)
{
    um_list_init(&t->node);
    t->run = run;
}

/* runs what is on the list now and what comes to it meanwhile */
static void run_all(struct um_list *list)
{
    struct um_list *node;
    while ((node = um_list_pop(list))) {
        struct um_task *t = UM_CONTAINER(node, struct um_task, node);
        t->run(t);
    }
}

/* runs what is on the list now, at most so many; what comes to it meanwhile waits for the next turn */
static void run_once(struct um_loop *l, struct um_list *list, unsigned most)
{
    struct um_list now, *node;
    um_list_init(&now);
    um_list_splice(&now, list);
    for (; most && (node = um_list_pop(&now)); most--) {
        struct um_task *t = UM_CONTAINER(node, struct um_task, node);
        t->run(t);
        if (!um_list_empty(&l->soon))
            run_all(&l->soon);
    }
    um_list_splice_front(list, &now);
}

static int wait_ms_of(const struct um_loop *l, int wait_ms)
{
    if (!um_list_empty(&l->background) || !um_list_empty(&l->ready) || !um_list_empty(&l->soon) ||
        !um_list_empty(&l->late) || !um_list_empty(&l->closing))
        return 0;
    uint64_t ns = um_timer_wheel_wait_ns(&l->timers, l->now_ns);
    if (ns == UINT64_MAX)
        return wait_ms;
    uint64_t ms = (ns + UM_NS_PER_MS - 1) / UM_NS_PER_MS;
    int until_timer = ms > 3600000 ? 3600000 : (int)ms;
    return wait_ms >= 0 && wait_ms < until_timer ? wait_ms : until_timer;
}

static void dispatch(struct um_loop *l, const struct epoll_event *events, int n)
{
    for (int i = 0; i < n; i++) {
        l->n_events++;
        struct um_watch *w = events[i].data.ptr;
        if (w->fd < 0)
            continue; /* closed earlier in this turn */
        w->on_event(w, events[i].events);
        if (!um_list_empty(&l->soon))
            run_all(&l->soon);
    }
}

static void report_lag(struct um_loop *l)
{
    uint64_t lag_ns = um_timer_wheel_lag_ns(&l->timers, l->now_ns);
    if (lag_ns && l->on_lag)
        l->on_lag(l->on_lag_ctx, lag_ns);
}

void um_loop_turn(struct um_loop *l, int wait_ms)
{
    struct epoll_event events[UM_LOOP_EVENTS];
    int n = epoll_wait(l->epoll_fd, events, UM_LOOP_EVENTS, wait_ms_of(l, wait_ms));
    l->now_ns = um_clock_ns();
    report_lag(l);
    dispatch(l, events, n);
    /* a burst of the shadows: what production has behind it is not to wait for their tasks */
    for (int i = 1; n == UM_LOOP_EVENTS && !um_list_empty(&l->background) && i < UM_LOOP_WAITS; i++) {
        n = epoll_wait(l->epoll_fd, events, UM_LOOP_EVENTS, 0);
        dispatch(l, events, n);
    }
    if (n < UM_LOOP_EVENTS)
        l->n_events = l->n_background = 0;
    run_once(l, &l->ready, UINT_MAX);
    um_timer_wheel_run(&l->timers, l->now_ns);
    run_all(&l->soon);
    run_once(l, &l->late, UINT_MAX);
    run_all(&l->soon);
    run_once(l, &l->background, UM_LOOP_BACKGROUND_TASKS);
    run_all(&l->closing);
}

void um_loop_run(struct um_loop *l)
{
    while (!l->is_stopping)
        um_loop_turn(l, -1);
}

void um_loop_stop(struct um_loop *l)
{
    l->is_stopping = true;
}

void um_loop_wake(struct um_loop *l)
{
    uint64_t one = 1;
    ssize_t n = write(l->wake.fd, &one, sizeof one); /* fails only when it is signalled already */
    (void)n;
}
