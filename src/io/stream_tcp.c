/* SPDX-License-Identifier: Apache-2.0 */
#include "io/stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static struct um_stream *of_watch(struct um_watch *w)
{
    return UM_CONTAINER(w, struct um_stream, watch);
}

static struct um_stream *of_task(struct um_task *t)
{
    return UM_CONTAINER(t, struct um_stream, task);
}

enum { INPUT_EVENTS = EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR };

static void handle(struct um_stream *s, uint32_t events)
{
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        s->has_hung_up = true;
    if (s->wants_write && events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) {
        s->wants_write = false;
        s->events->on_writable(s);
    }
    if (s->is_closed || s->is_connecting || !(events & INPUT_EVENTS))
        return;
    s->is_readable = true;
    if (!s->is_paused)
        s->events->on_readable(s);
}

static void post_ready(struct um_stream *s);

static void on_event(struct um_watch *w, uint32_t events)
{
    struct um_stream *s = of_watch(w);
    if (!s->is_background || (!s->deferred && um_loop_takes_background(s->loop))) {
        handle(s, events);
        return;
    }
    s->deferred |= events;
    post_ready(s);
}

/* still readable from an earlier turn, or a background stream's events */
static void on_ready(struct um_task *t)
{
    struct um_stream *s = of_task(t);
    uint32_t events = s->deferred;
    bool was_readable = s->is_readable && !(events & INPUT_EVENTS);
    s->deferred = 0;
    if (events)
        handle(s, events);
    if (was_readable && s->is_readable && !s->is_paused && !s->is_closed)
        s->events->on_readable(s);
}

static void on_closing(struct um_task *t)
{
    struct um_stream *s = of_task(t);
    s->events->on_closed(s);
}

/* on the list of those that are called without an event */
static void post_ready(struct um_stream *s)
{
    if (s->is_background)
        um_loop_background(s->loop, &s->task);
    else
        um_loop_ready(s->loop, &s->task);
}

void um_stream_wake(struct um_stream *s)
{
    if (s->is_closed)
        return;
    s->is_readable = true;
    post_ready(s);
}

void um_stream_pause(struct um_stream *s)
{
    s->is_paused = true;
}

void um_stream_resume(struct um_stream *s)
{
    if (!s->is_paused)
        return;
    s->is_paused = false;
    if (s->is_readable && !s->is_closed)
        post_ready(s);
}

static size_t iov_bytes(const struct iovec *iov, int n)
{
    size_t sum = 0;
    for (int i = 0; i < n; i++)
        sum += iov[i].iov_len;
    return sum;
}

/* what a read of `asked` bytes that gave n says about the next one */
static ssize_t after_read(struct um_stream *s, ssize_t n, size_t asked)
{
    if (n < 0) {
        s->is_readable = errno == EAGAIN ? false : s->is_readable;
        return um_err_from_errno(errno);
    }
    if (n > 0 && (size_t)n < asked && !s->has_hung_up)
        s->is_readable = false;
    else if (n > 0)
        post_ready(s);
    return n;
}

static ssize_t tcp_readv(struct um_stream *s, struct iovec *iov, int n)
{
    if (n == 1)
        return after_read(s, recv(s->watch.fd, iov[0].iov_base, iov[0].iov_len, 0), iov[0].iov_len);
    return after_read(s, readv(s->watch.fd, iov, n), iov_bytes(iov, n));
}

static ssize_t tcp_discard(struct um_stream *s, size_t n)
{
    return after_read(s, recv(s->watch.fd, NULL, n, MSG_TRUNC), n);
}

static ssize_t tcp_writev(struct um_stream *s, struct iovec *iov, int n)
{
    struct msghdr msg = {.msg_iov = iov, .msg_iovlen = (size_t)n};
    ssize_t sent = n == 1 ? send(s->watch.fd, iov[0].iov_base, iov[0].iov_len, MSG_NOSIGNAL)
                          : sendmsg(s->watch.fd, &msg, MSG_NOSIGNAL);
    if (sent < 0) {
        s->wants_write = errno == EAGAIN;
        return um_err_from_errno(errno);
    }
    if ((size_t)sent < iov_bytes(iov, n))
        s->wants_write = true;
    return sent;
}

static void tcp_shutdown(struct um_stream *s)
{
    shutdown(s->watch.fd, SHUT_WR);
}

static void tcp_close(struct um_stream *s, bool reset)
{
    if (reset) {
        struct linger hard = {.l_onoff = 1};
        setsockopt(s->watch.fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    }
    s->is_closed = true;
    um_loop_unwatch_close(s->loop, &s->watch);
    s->task.run = on_closing;
    um_loop_closing(s->loop, &s->task);
}

static const struct um_stream_ops TCP_OPS = {tcp_readv, tcp_writev, tcp_discard, tcp_shutdown, tcp_close};

static int start(struct um_stream *s, struct um_loop *loop, int fd, const struct um_stream_events *events,
                 bool is_background)
{
    *s = (struct um_stream){
        .loop = loop, .ops = &TCP_OPS, .events = events, .watch.fd = -1, .is_background = is_background};
    um_task_init(&s->task, on_ready);
    int rc = um_loop_watch(loop, &s->watch, fd, on_event);
    if (rc)
        close(fd);
    return rc;
}

static void set_int(int fd, int level, int option, int value)
{
    setsockopt(fd, level, option, &value, sizeof value);
}

int um_stream_tcp_accept(struct um_stream *s, struct um_loop *loop, int fd, const struct um_stream_events *events)
{
    return start(s, loop, fd, events, false); /* TCP_NODELAY comes from the listening socket */
}

int um_stream_tcp_connect(struct um_stream *s, struct um_loop *loop, const struct sockaddr *addr, socklen_t n,
                          const struct um_connect_options *o, const struct um_stream_events *events)
{
    int fd = socket(addr->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return um_err_from_errno(errno);
    if (addr->sa_family != AF_UNIX)
        set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (o->has_notsent_lowat)
        set_int(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, UM_SOCKET_NOTSENT_LOWAT_BYTES);
    if (o->has_keepalive) {
        set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
        if (o->keepalive_probes)
            set_int(fd, IPPROTO_TCP, TCP_KEEPCNT, (int)o->keepalive_probes);
        if (o->keepalive_time_s)
            set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, (int)o->keepalive_time_s);
        if (o->keepalive_interval_s)
            set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, (int)o->keepalive_interval_s);
    }
    if (connect(fd, addr, n) && errno != EINPROGRESS) {
        int rc = um_err_from_errno(errno);
        close(fd);
        return rc == UM_EAGAIN ? UM_EUNREACH : rc;
    }
    int rc = start(s, loop, fd, events, o->is_background);
    if (rc)
        return rc;
    s->is_connecting = true;
    s->wants_write = true;
    return 0;
}

int um_stream_tcp_connect_result(struct um_stream *s)
{
    int err = 0;
    socklen_t n = sizeof err;
    if (getsockopt(s->watch.fd, SOL_SOCKET, SO_ERROR, &err, &n))
        err = errno;
    if (err)
        return um_err_from_errno(err);
    s->is_connecting = false;
    return 0;
}

bool um_stream_tcp_is_quiet(struct um_stream *s)
{
    char byte;
    return recv(s->watch.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}
