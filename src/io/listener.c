/* SPDX-License-Identifier: Apache-2.0 */
#include "io/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { KEEPALIVE_S = 300 };

static int set_to(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value);
}

static int set(int fd, int level, int option)
{
    return set_to(fd, level, option, 1);
}

/* a bound socket; listening too unless bind fails. Returns fd or UM_E* */
static int open_one(struct sockaddr *addr, socklen_t length, bool shares_port)
{
    int fd = socket(addr->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return um_err_from_errno(errno);
    /* keep-alive probes find clients that have vanished without a word; accepted sockets inherit these */
    bool ok = set(fd, SOL_SOCKET, SO_REUSEADDR) == 0 && set(fd, IPPROTO_TCP, TCP_NODELAY) == 0 &&
              set(fd, SOL_SOCKET, SO_KEEPALIVE) == 0 && set_to(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_S) == 0;
    if (addr->sa_family == AF_INET6)
        ok = ok && set(fd, IPPROTO_IPV6, IPV6_V6ONLY) == 0;
    if (shares_port)
        ok = ok && set(fd, SOL_SOCKET, SO_REUSEPORT) == 0;
    ok = ok && bind(fd, addr, length) == 0 && listen(fd, UM_LISTEN_BACKLOG) == 0;
    if (ok && !shares_port)
        ok = set(fd, SOL_SOCKET, SO_REUSEPORT) == 0;
    if (ok)
        return fd;
    int rc = um_err_from_errno(errno);
    close(fd);
    return rc;
}

int um_listener_open(struct sockaddr *bound, socklen_t length, unsigned n, int *fds)
{
    for (unsigned i = 0; i < n; i++) {
        fds[i] = open_one(bound, length, i > 0);
        if (fds[i] < 0) {
            int rc = fds[i];
            while (i--)
                close(fds[i]);
            return rc;
        }
        if (i == 0)
            getsockname(fds[0], bound, &length);
    }
    return 0;
}

/* descriptors have run out: take the client in by the spare one and send it away; false if there is none */
static bool reject(struct um_listener_socket *s)
{
    close(s->spare_fd);
    int fd = accept4(s->watch.fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0) {
        close(fd);
        s->on_reject(s);
    }
    s->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return fd >= 0;
}

/* up to `most` connections; false when the queue is empty */
static bool accept_some(struct um_listener_socket *s, int most)
{
    for (int i = 0; i < most; i++) {
        int fd = accept4(s->watch.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0)
            s->on_accept(s, fd);
        else if (errno == EAGAIN)
            return false;
        else if ((errno == EMFILE || errno == ENFILE) && reject(s))
            continue; /* without descriptors an empty queue says EMFILE too */
        else if (errno != ECONNABORTED && errno != EINTR)
            return false;
    }
    return true;
}

static void on_event(struct um_watch *w, uint32_t events)
{
    (void)events;
    accept_some(UM_CONTAINER(w, struct um_listener_socket, watch), UM_ACCEPTS_PER_TURN);
}

int um_listener_start(struct um_listener_socket *s, struct um_loop *loop, int fd)
{
    s->loop = loop;
    s->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return um_loop_watch_level(loop, &s->watch, fd, EPOLLIN, on_event);
}

void um_listener_stop(struct um_listener_socket *s)
{
    if (s->watch.fd < 0)
        return;
    accept_some(s, UM_LISTEN_BACKLOG);
    um_loop_unwatch_close(s->loop, &s->watch);
    close(s->spare_fd);
}
