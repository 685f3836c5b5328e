/* SPDX-License-Identifier: Apache-2.0
 * stream: bytes both ways on a connection: TCP, later TLS, and a test double with scripted short reads.
 *
 * Edge-triggered: on_readable says that input may be there; a read that comes back full, or a pause, leaves the stream
 * marked readable on the loop's ready list; a short read means drained unless the peer has hung up. One read per
 * on_readable keeps turns fair. Reads and writes give > 0 bytes, 0 for the end of input (reads), or UM_EAGAIN,
 * UM_ERESET, UM_EREFUSED, UM_ETIMEOUT, UM_EUNREACH, UM_EIO. After um_stream_close no event comes but on_closed, at the
 * end of the turn; until then the stream's memory must stay. Owner: the connection it is part of. Thread: its loop's.
 */
#ifndef UM_IO_STREAM_H
#define UM_IO_STREAM_H

#include "io/loop.h"

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

struct um_stream;

struct um_stream_ops {
    ssize_t (*readv)(struct um_stream *, struct iovec *, int n);
    ssize_t (*writev)(struct um_stream *, struct iovec *, int n);
    ssize_t (*discard)(struct um_stream *, size_t n); /* reads up to n bytes and drops them unseen */
    void (*shutdown)(struct um_stream *);             /* half close: no more output */
    void (*close)(struct um_stream *, bool reset);
};

/* what the owner of the stream is told */
struct um_stream_events {
    void (*on_readable)(struct um_stream *);
    void (*on_writable)(struct um_stream *); /* after a short write or when connected */
    void (*on_closed)(struct um_stream *);   /* last word; the memory may go */
};

struct um_stream {
    struct um_watch watch;
    struct um_task task; /* ready list, then closing list */
    struct um_loop *loop;
    const struct um_stream_ops *ops;
    const struct um_stream_events *events;
    uint32_t deferred; /* epoll events of a background stream that wait for its task */
    bool is_readable, is_paused, has_hung_up, wants_write, is_connecting, is_closed, is_background;
};

static inline ssize_t um_stream_readv(struct um_stream *s, struct iovec *iov, int n)
{
    return s->ops->readv(s, iov, n);
}
static inline ssize_t um_stream_writev(struct um_stream *s, struct iovec *iov, int n)
{
    return s->ops->writev(s, iov, n);
}
static inline ssize_t um_stream_discard(struct um_stream *s, size_t n)
{
    return s->ops->discard(s, n);
}
static inline void um_stream_shutdown(struct um_stream *s)
{
    s->ops->shutdown(s);
}
/* reset: the peer sees a RST, for answers that must not look whole */
static inline void um_stream_close(struct um_stream *s, bool reset)
{
    if (!s->is_closed)
        s->ops->close(s, reset);
}
/* on_readable is called once more, though no event comes: there is input that was read and not yet used, or an end to see */
void um_stream_wake(struct um_stream *);
void um_stream_pause(struct um_stream *);
void um_stream_resume(struct um_stream *);

/* ---- TCP ---- */
enum { UM_SOCKET_NOTSENT_LOWAT_BYTES = 64 << 10 };

/* takes over an accepted descriptor; UM_ENOMEM, UM_ELIMIT: the descriptor is closed */
int um_stream_tcp_accept(struct um_stream *, struct um_loop *, int fd, const struct um_stream_events *) UM_MUST_CHECK;

struct um_connect_options {
    uint32_t keepalive_probes, keepalive_time_s, keepalive_interval_s;
    bool has_keepalive;
    bool has_notsent_lowat; /* shadows: or megabytes hide in the kernel */
    bool is_background;     /* shadows: their events come behind all others */
};
/* begins to connect; on_writable when connected or failed: um_stream_tcp_connect_result tells which */
int um_stream_tcp_connect(struct um_stream *, struct um_loop *, const struct sockaddr *, socklen_t,
                          const struct um_connect_options *, const struct um_stream_events *) UM_MUST_CHECK;
/* 0, UM_EAGAIN (still connecting) or why not */
int um_stream_tcp_connect_result(struct um_stream *);
/* true if neither input nor an end of it is waiting to be read: an idle connection that the peer has not closed */
bool um_stream_tcp_is_quiet(struct um_stream *);

#endif
