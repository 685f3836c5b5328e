/* SPDX-License-Identifier: Apache-2.0
 * listener: listening sockets, one per worker on the same address by SO_REUSEPORT.
 * SO_REUSEPORT would hide that another process of the same user holds the port, another umbra included: the first
 * socket binds and listens without it, gets it afterwards, and then the others join. Accepted sockets inherit
 * TCP_NODELAY. Owner: the control thread opens, a worker's loop accepts. Thread: as said. */
#ifndef UM_IO_LISTENER_H
#define UM_IO_LISTENER_H

#include "io/loop.h"

#include <sys/socket.h>

enum { UM_LISTEN_BACKLOG = 4096, UM_ACCEPTS_PER_TURN = 64 };

/* Opens n sockets into fds. With port 0 the kernel picks one, the same for all; *bound (address as given, in and out)
 * gets it. UM_EINUSE, UM_EPERM, UM_EUNREACH (no such address), UM_EIO; none is left open then. */
int um_listener_open(struct sockaddr *bound, socklen_t length, unsigned n, int *fds) UM_MUST_CHECK;

struct um_listener_socket {
    struct um_watch watch; /* fd -1: closed */
    struct um_loop *loop;
    int spare_fd; /* given up for a moment when descriptors run out, so that a client is refused and not left waiting */
    void (*on_accept)(struct um_listener_socket *, int fd);
    void (*on_reject)(struct um_listener_socket *);
};

int um_listener_start(struct um_listener_socket *, struct um_loop *, int fd) UM_MUST_CHECK;
/* accepts what is queued (closing the socket would reset it), then closes */
void um_listener_stop(struct um_listener_socket *);

#endif
