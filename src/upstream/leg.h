/* SPDX-License-Identifier: Apache-2.0
 * leg: one upstream request, the same code for primary and shadow. A leg waits for a connection of its endpoint's pool,
 * sends, and tells its sink what comes back. It ends exactly once: by on_end, by on_fail, or by um_leg_cancel (after
 * which nothing is called).
 *
 *   start -> [waiting] -> on a connection: head, body as pushed -> on_informational* -> on_head -> on_body* -> on_end
 *
 * A shadow differs in its side (own pools and limits), in its queue's references (C19), and in that its writes are put
 * off to the end of the loop turn. Back-pressure: push says UM_EAGAIN (taken, wait for on_room); um_leg_pause stops
 * reading the answer. Owner: the exchange (memory, in its arena). Thread: its worker's. */
#ifndef UM_UPSTREAM_LEG_H
#define UM_UPSTREAM_LEG_H

#include "http/message.h"
#include "io/outq.h"
#include "upstream/upstream.h"

struct um_leg;
struct um_conn;

struct um_leg_failure {
    int err; /* UM_EREFUSED, UM_EUNREACH, UM_ETIMEOUT (connect), UM_ERESET, UM_EEOF, UM_EPROTO, UM_ELIMIT, UM_ENOMEM,
                UM_EDNS */
    bool is_connect;     /* no connection was made */
    bool has_answer;     /* some byte of an answer had come */
    bool is_unprocessed; /* certainly never read by the server: no byte of it was sent */
    const char *detail;  /* for the log; static text or NULL */
};

struct um_leg_sink {
    void (*on_room)(struct um_leg *);
    void (*on_informational)(struct um_leg *, const struct um_head *);
    /* slices of the head live in `holder`; ends: no body follows */
    void (*on_head)(struct um_leg *, const struct um_head *, struct um_chunk *holder, bool ends);
    void (*on_body)(struct um_leg *, const struct um_slice *);
    void (*on_excess)(struct um_leg *); /* answer_bytes is past answer_limit; never without one */
    void (*on_end)(struct um_leg *, const struct um_field *trailers, uint32_t n);
    void (*on_fail)(struct um_leg *, const struct um_leg_failure *);
};

struct um_leg_request {
    const struct um_head *head;
    const struct um_edits *edits;
    enum um_framing framing; /* of the request as this leg sends it: NONE, LENGTH, CHUNKED, TUNNEL (upgrade, CONNECT) */
    uint64_t content_length;
    bool is_upgrade;
    bool needs_fresh; /* a new connection, because idle ones have proved stale */
};

enum { UM_LEG_HIGH_BYTES = 256 << 10, UM_LEG_LOW_BYTES = 64 << 10, UM_LEG_INFORMATIONAL_MAX = 64 };

struct um_leg {
    const struct um_leg_sink *sink;
    void *ctx;
    struct um_host *host;
    struct um_conn *conn; /* NULL: waiting, or over */
    struct um_outq out;
    struct um_list node; /* host->waiting */
    struct um_task fail; /* a failure is told later, never from within um_leg_start */
    struct um_leg_failure failure;
    uint64_t sent_bytes;               /* head, body and framing */
    uint64_t body_bytes, answer_bytes; /* of the request's body as pushed, of the answer's body as it came */
    size_t high_bytes, low_bytes;      /* of the queue: push says UM_EAGAIN above high, on_room comes at low */
    uint64_t answer_limit;             /* 0: none */
    uint64_t first_sent_ns;            /* first byte handed to the kernel; 0: none */
    enum um_method method;
    uint8_t framing; /* enum um_framing of the request */
    uint8_t n_informational;
    _Atomic uint32_t *pending_slot, *request_slot; /* of the cluster's limits */
    bool is_shadow, is_over, needs_fresh, request_ended, wants_room, has_answer, discards_body, is_paused, is_waiting,
        counts_request, counts_active;
};

/* Picks no endpoint: host comes from um_upstream_pick. UM_ELIMIT: a circuit breaker refuses (nothing was started, no
 * callback); UM_ENOMEM likewise. */
int um_leg_start(struct um_leg *, struct um_host *, const struct um_leg_request *, const struct um_leg_sink *,
                 void *ctx) UM_MUST_CHECK;
/* a piece of the request's body. UM_EAGAIN: taken; UM_ENOMEM, UM_ELIMIT: not taken, cancel the leg */
int um_leg_push(struct um_leg *, const struct um_slice *) UM_MUST_CHECK;
/* all of a queue as one piece, for a retry; the queue keeps its bytes */
int um_leg_push_all(struct um_leg *, const struct um_outq *) UM_MUST_CHECK;
int um_leg_end(struct um_leg *, const struct um_field *trailers, uint32_t n) UM_MUST_CHECK;
/* gives the leg up: its connection is closed unless the exchange on it was complete */
void um_leg_cancel(struct um_leg *);
/* the same because its time is over: counts against the endpoint */
void um_leg_cancel_timeout(struct um_leg *);
/* the same because its answer is past what may be kept */
void um_leg_cancel_excess(struct um_leg *);
void um_leg_pause(struct um_leg *);
void um_leg_resume(struct um_leg *);
/* the address that the leg's connection comes from, for the log; 0 without a connection */
size_t um_leg_local_text(const struct um_leg *, char out[UM_SOCKADDR_TEXT_BYTES]);
static inline size_t um_leg_waiting_bytes(const struct um_leg *l)
{
    return l->out.bytes;
}
static inline bool um_leg_is_connected(const struct um_leg *l)
{
    return l->conn != NULL;
}

#endif
