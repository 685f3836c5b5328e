/* SPDX-License-Identifier: Apache-2.0
 * downstream: the client's side of an exchange, the same for HTTP/1.1 (one at a time per connection) and HTTP/2 (one
 * per stream), and the seam to who answers: the proxy, or the admin server.
 *
 *   client bytes -> on_request -> on_body* -> on_end         the handler's exchange answers by the um_downstream_*
 * calls, in any (or on_abort, once, at any time)    order of time with the request: informational*, head, body*, end
 *                                          ... -> on_sent    the answer's last byte is with the kernel and the request
 * is read (or given up): neither points at the other any more (I2)
 *
 * Owner: the connection. After on_abort or on_sent the exchange must not touch the downstream. Thread: its loop's. */
#ifndef UM_DOWNSTREAM_DOWNSTREAM_H
#define UM_DOWNSTREAM_DOWNSTREAM_H

#include "http/h1_parse.h"
#include "http/h1_write.h"
#include "io/stream.h"
#include "stats/counters.h"

#include <netinet/in.h>

struct um_downstream;
struct um_handler;

/* the exchange, as the downstream sees it */
struct um_exchange_ops {
    void (*on_body)(void *exchange, const struct um_slice *); /* take a reference on the chunk to keep it */
    void (*on_end)(void *exchange, const struct um_field *trailers, uint32_t n);
    void (*on_abort)(void *exchange,
                     int err); /* UM_ERESET, UM_EEOF: client gone; UM_ETIMEOUT; UM_EPROTO: its body was malformed */
    void (*on_room)(void *exchange); /* send_body may go on */
    void (*on_sent)(void *exchange);
    void (*on_tunnel_end)(void *exchange); /* tunnel: the client's side sent its last byte */
};

struct um_downstream_ops {
    int (*send_informational)(struct um_downstream *, const struct um_head *, const struct um_edits *);
    /* framing: LENGTH with its number, or STREAM where the length is not known; NONE for answers without body */
    int (*send_head)(struct um_downstream *, const struct um_head *, const struct um_edits *, bool ends);
    int (*send_body)(struct um_downstream *,
                     const struct um_slice *); /* UM_EAGAIN: taken, but wait for on_room before more */
    int (*send_end)(struct um_downstream *, const struct um_field *trailers, uint32_t n);
    void (*abort)(struct um_downstream *); /* the answer cannot be finished: the client must see that */
    void (*pause)(struct um_downstream *); /* reading of the request's body */
    void (*resume)(struct um_downstream *);
    void (*cut)(struct um_downstream *); /* the answer is complete and nobody wants the rest of the request's body */
};

struct um_peer_address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    };
};

struct um_downstream {
    const struct um_downstream_ops *ops;
    const struct um_exchange_ops *exchange_ops;
    void *exchange; /* NULL: none */
    void *listener; /* of the handler's choosing, per listening socket */
    const struct um_peer_address *peer, *local;
    enum um_version version;
    uint64_t rx_bytes, tx_bytes; /* of this exchange: body bytes received, sent */
};

struct um_request_in {
    const struct um_head
        *head; /* its bytes are in `holder`, its fields[] on the stack: copy the array, keep a reference */
    struct um_chunk *holder;
    bool ends; /* no body follows */
};

/* who answers. on_request sets d->exchange and exchange_ops, or aborts. */
struct um_handler {
    void (*on_request)(struct um_handler *, struct um_downstream *, const struct um_request_in *);
    /* a request that was refused before it was one; the downstream answers `status` itself */
    void (*on_refused)(struct um_handler *, struct um_downstream *, unsigned status, const char *why);
    void (*on_connections_changed)(struct um_handler *); /* one opened or closed; may be NULL */
};

/* settings, the same for all connections of a process; immutable */
struct um_downstream_settings {
    struct um_h1_limits limits;
    uint64_t head_timeout_ms;  /* first byte of a head to its last; and of a connection's first byte */
    uint64_t idle_timeout_ms;  /* between requests */
    uint64_t stall_timeout_ms; /* within a request while the client neither sends nor takes a byte */
};

/* what the connections of one thread share */
struct um_downstream_env {
    struct um_loop *loop;
    struct um_chunk_pool *chunks;
    struct um_worker_stats *stats;
    const struct um_downstream_settings *settings;
    struct um_handler *handler;
    struct um_list connections; /* all of them */
    bool is_draining;           /* answers carry connection: close */
};

/* an accepted descriptor becomes an HTTP/1.x connection; the descriptor is taken over, or closed on failure */
int um_h1_accept(struct um_downstream_env *, int fd, void *listener) UM_MUST_CHECK;
/* closes connections that wait for a request, lets the others finish their answer; of one listener, or of all (NULL) */
void um_downstream_drain(struct um_downstream_env *, const void *listener);
/* closes everything at once */
void um_downstream_close_all(struct um_downstream_env *);

#endif
