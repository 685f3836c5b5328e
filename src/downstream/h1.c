/* SPDX-License-Identifier: Apache-2.0
 *
 * An HTTP/1.x connection from a client. Two half machines, input and output, go through an exchange each at its own
 * pace:
 *
 *   input:   HEAD -> BODY -> (TRAILERS) -> DONE      output:  IDLE -> SENDING -> DONE
 *              ^                            |                                    |
 *              +------- both DONE, out queue empty: on_sent, next request -------+
 *
 *   an answer that is complete while the upload is not: the upload is read on (the exchange may still want it)
 *   TUNNEL (both): bytes both ways until both sides have ended
 *   LINGER: the answer was the last; output is shut, input is dropped until the client closes (or a short time passes),
 * because closing a socket with unread input resets it and the client might lose the answer (RFC 9112 section 9.6)
 *
 * One file, though long: input, output and clock look at the same few states, and each is read with the others beside it.
 */
#include "downstream/downstream.h"

#include "io/input.h"
#include "io/outq.h"

#include <stdlib.h>
#include <unistd.h>

enum {
    HIGH_BYTES = 256 << 10,     /* send_body says UM_EAGAIN from here */
    LOW_BYTES = 64 << 10,       /* and on_room comes here */
    PIPELINED_BYTES = 16 << 10, /* of requests that wait for their turn */
    BULK_BYTES = 32 << 10,
    DRAIN_BYTES = 256 << 10, /* of a body nobody wants: cheaper to read than to lose the connection */
    LINGER_MS = 1000,
    GRACE_MS = 200,       /* for the first request of a connection, when draining */
    HALF_CLOSE_MS = 2000, /* how long a client that has shut its side waits for its answer to begin */
};

enum input_state { IN_HEAD, IN_BODY, IN_TRAILERS, IN_DONE, IN_TUNNEL, IN_LINGER };
enum output_state { OUT_IDLE, OUT_SENDING, OUT_DONE };

struct h1 {
    struct um_stream stream;
    struct um_downstream d;
    struct um_downstream_env *env;
    struct um_list node; /* env->connections */
    struct um_task flush;
    struct um_timer timer;
    uint64_t active_ns;     /* last byte moved */
    uint64_t head_since_ns; /* first byte of a head that is not whole; of a fresh connection its beginning; else 0 */
    struct um_input in;
    struct um_outq out;
    struct um_body_decoder body;
    struct um_peer_address peer, local;
    size_t scanned;
    uint8_t input, output; /* enum input_state, output_state */
    uint8_t out_framing;   /* enum um_framing of the answer's body */
    bool is_head_request, keep_alive, expects_100, wants_room;
    bool has_eof;  /* the client's side is shut */
    bool has_shut; /* our side is shut */
    bool is_cut;   /* the rest of the body is nobody's */
    bool is_last;  /* its listener goes away: no further request */
};

static struct h1 *of_stream(struct um_stream *s)
{
    return UM_CONTAINER(s, struct h1, stream);
}

static struct h1 *of_downstream(struct um_downstream *d)
{
    return UM_CONTAINER(d, struct h1, d);
}

static void count(struct h1 *c, enum um_counter id)
{
    c->env->stats->v[id]++;
}

/* ---- ends ----------------------------------------------------------------------------------------- */

static void on_closed(struct um_stream *s)
{
    struct h1 *c = of_stream(s);
    struct um_downstream_env *env = c->env;
    um_list_remove(&c->node);
    env->stats->cx_active--;
    count(c, UM_CTR_CX_DESTROY);
    free(c);
    if (env->handler->on_connections_changed)
        env->handler->on_connections_changed(env->handler);
}

/* the connection is over; an exchange is told why */
static void end(struct h1 *c, int err, bool reset)
{
    if (c->stream.is_closed)
        return;
    um_timer_stop(&c->timer);
    um_task_cancel(&c->flush);
    um_input_clear(&c->in);
    um_outq_clear(&c->out);
    um_stream_close(&c->stream, reset);
    if (c->d.exchange) {
        void *x = c->d.exchange;
        c->d.exchange = NULL;
        if (c->output != OUT_DONE)
            count(c, UM_CTR_RQ_RX_RESET);
        c->d.exchange_ops->on_abort(x, err);
    }
}

/* the timer fires no later than in ms; it looks at the states then, so that nothing has to stop it */
static void arm(struct h1 *c, uint64_t ms)
{
    uint64_t due_ms = c->timer.due_tick * UM_TIMER_TICK_MS, now_ms = c->stream.loop->now_ns / UM_NS_PER_MS;
    if (ms && (!um_timer_is_started(&c->timer) || due_ms > now_ms + ms))
        um_loop_timer(c->stream.loop, &c->timer, ms);
}

static void shut_output(struct h1 *c)
{
    if (!c->has_shut)
        um_stream_shutdown(&c->stream);
    c->has_shut = true;
}

static void linger(struct h1 *c)
{
    if (c->has_eof) {
        end(c, UM_EEOF, false);
        return;
    }
    c->input = IN_LINGER;
    um_input_clear(&c->in);
    c->active_ns = c->stream.loop->now_ns;
    shut_output(c);
    arm(c, LINGER_MS);
    um_stream_resume(&c->stream);
}

/* ---- output --------------------------------------------------------------------------------------- */

static void parse(struct h1 *c);

/* both directions of the exchange are through */
static void finish_exchange(struct h1 *c)
{
    void *x = c->d.exchange;
    const struct um_exchange_ops *ops = c->d.exchange_ops;
    c->d.exchange = NULL;
    count(c, UM_CTR_RQ_COMPLETED);
    if (x)
        ops->on_sent(x);
    if (c->stream.is_closed)
        return;
    if (!c->keep_alive || c->env->is_draining || c->is_cut || c->is_last) {
        linger(c);
        return;
    }
    c->input = IN_HEAD;
    c->output = OUT_IDLE;
    c->active_ns = c->stream.loop->now_ns;
    arm(c, c->env->settings->idle_timeout_ms);
    um_stream_resume(&c->stream);
    parse(c);
    if (c->has_eof && c->input == IN_HEAD) /* what is left is no request */
        end(c, UM_EEOF, false);
}

static void after_flush(struct h1 *c)
{
    if (c->wants_room && c->out.bytes <= LOW_BYTES && c->d.exchange) {
        c->wants_room = false;
        c->d.exchange_ops->on_room(c->d.exchange);
    }
    if (c->stream.is_closed || c->out.bytes || c->output != OUT_DONE)
        return;
    if (c->input == IN_DONE || c->is_cut || (c->input == IN_TUNNEL && c->has_eof))
        finish_exchange(c);
    else if (!c->keep_alive)
        shut_output(c); /* the upload goes on */
}

static void do_flush(struct um_task *t)
{
    struct h1 *c = UM_CONTAINER(t, struct h1, flush);
    size_t sent;
    int rc = um_outq_flush(&c->out, &c->stream, &sent);
    if (sent) {
        c->active_ns = c->stream.loop->now_ns;
        c->env->stats->v[UM_CTR_CX_TX_BYTES] += sent;
    }
    if (rc && rc != UM_EAGAIN) {
        end(c, UM_ERESET, false);
        return;
    }
    if (rc)
        arm(c, c->env->settings->stall_timeout_ms);
    after_flush(c);
}

static void on_writable(struct um_stream *s)
{
    do_flush(&of_stream(s)->flush);
}

static void flush_soon(struct h1 *c)
{
    if (!c->stream.wants_write)
        um_loop_soon(c->stream.loop, &c->flush);
}

static int write_head(struct h1 *c, const struct um_head *head, const struct um_edits *edits,
                      const struct um_h1_framing_out *f)
{
    char *to = um_outq_reserve(&c->out, um_h1_head_bytes(head, edits));
    if (!to)
        return UM_ENOMEM;
    um_outq_commit(&c->out, um_h1_write_response(to, head, edits, f));
    flush_soon(c);
    return 0;
}

static void resume_body(struct um_downstream *d)
{
    struct h1 *c = of_downstream(d);
    um_stream_resume(&c->stream);
    if (!um_input_is_empty(&c->in)) { /* bytes that were read before the pause */
        um_stream_wake(&c->stream);
    }
}

static int send_informational(struct um_downstream *d, const struct um_head *head, const struct um_edits *edits)
{
    struct h1 *c = of_downstream(d);
    if (c->d.version < UM_HTTP_11)
        return 0; /* RFC 9110 section 15.2: a 1.0 client gets none */
    if (head->status == 100)
        c->expects_100 = false;
    const struct um_h1_framing_out f = {.framing = UM_FRAMING_NONE};
    return write_head(c, head, edits, &f);
}

/* RFC 9110 sections 9.3.2, 15.3.5, 15.4.5 */
static bool has_no_body(const struct h1 *c, const struct um_head *head)
{
    return c->is_head_request || head->status == 204 || head->status == 304;
}

/* how the body's end will be seen by this client (RFC 9112 section 6.3) */
static void choose_framing(struct h1 *c, const struct um_head *head, bool ends, struct um_h1_framing_out *f)
{
    bool no_body = has_no_body(c, head);
    *f = (struct um_h1_framing_out){.framing = UM_FRAMING_NONE};
    if (head->framing == UM_FRAMING_TUNNEL) {
        f->framing = UM_FRAMING_TUNNEL;
        f->upgrade = head->status == 101;
    } else if (no_body) { /* the length that GET would have; ours or the one the upstream wrote */
        f->framing = c->is_head_request && head->framing == UM_FRAMING_LENGTH ? UM_FRAMING_LENGTH : UM_FRAMING_NONE;
        f->content_length = head->content_length;
        f->keep_length_field = head->status != 204;
    } else if (ends || head->framing == UM_FRAMING_LENGTH) {
        f->framing = UM_FRAMING_LENGTH;
        f->content_length = ends ? 0 : head->content_length;
    } else if (c->d.version >= UM_HTTP_11) {
        f->framing = UM_FRAMING_CHUNKED;
    } else {
        f->framing = UM_FRAMING_CLOSE;
        c->keep_alive = false;
    }
    /* a client that was never told to go on may send its body or not: nobody can tell what comes next (RFC 9110
     * section 10.1.1) */
    if (c->expects_100 && c->input != IN_DONE)
        c->keep_alive = false;
    if (c->env->is_draining || c->is_last)
        c->keep_alive = false;
    f->close = !c->keep_alive && f->framing != UM_FRAMING_TUNNEL;
    f->keep_alive = c->keep_alive && c->d.version < UM_HTTP_11;
}

static int send_head(struct um_downstream *d, const struct um_head *head, const struct um_edits *edits, bool ends)
{
    struct h1 *c = of_downstream(d);
    struct um_h1_framing_out f;
    choose_framing(c, head, ends, &f);
    c->out_framing = (uint8_t)(has_no_body(c, head) ? UM_FRAMING_NONE : f.framing);
    c->output = OUT_SENDING;
    count(c, (enum um_counter)(UM_CTR_RQ_1XX + (head->status < 600 ? head->status / 100 : 5) - 1));
    int rc = write_head(c, head, edits, &f);
    if (rc == 0 && f.framing == UM_FRAMING_TUNNEL) {
        c->input = IN_TUNNEL;
        c->keep_alive = false;
        count(c, UM_CTR_UPGRADES_TOTAL);
        arm(c, c->env->settings->idle_timeout_ms);
        um_stream_resume(&c->stream);
        um_stream_wake(&c->stream); /* what came behind the request, or its end, is the tunnel's */
    }
    return rc;
}

static int send_body(struct um_downstream *d, const struct um_slice *s)
{
    struct h1 *c = of_downstream(d);
    char size[20];
    int rc = 0;
    if (c->out_framing == UM_FRAMING_NONE || s->n == 0)
        return 0; /* RFC 9110 section 9.3.2: HEAD has no body, whatever the upstream sent */
    d->tx_bytes += s->n;
    if (c->out_framing == UM_FRAMING_CHUNKED)
        rc = um_outq_copy(&c->out, (struct um_str){size, um_h1_write_chunk_size(size, s->n)});
    if (rc == 0)
        rc = um_outq_push(&c->out, s);
    if (rc == 0 && c->out_framing == UM_FRAMING_CHUNKED)
        rc = um_outq_copy(&c->out, UM_STR("\r\n"));
    if (rc)
        return rc;
    flush_soon(c);
    c->wants_room = c->out.bytes > HIGH_BYTES;
    return c->wants_room ? UM_EAGAIN : 0;
}

static int send_end(struct um_downstream *d, const struct um_field *trailers, uint32_t n)
{
    struct h1 *c = of_downstream(d);
    if (c->out_framing == UM_FRAMING_CHUNKED) {
        char *to = um_outq_reserve(&c->out, um_h1_trailers_bytes(trailers, n));
        if (!to)
            return UM_ENOMEM;
        um_outq_commit(&c->out, um_h1_write_trailers(to, trailers, n));
    }
    c->output = OUT_DONE;
    flush_soon(c);
    return 0;
}

/* An answer whose length the client knows is seen to be cut when the connection closes, and keeps what was sent of it; one that
 * ends with the connection must be reset, or it would look whole. */
static void abort_answer(struct um_downstream *d)
{
    struct h1 *c = of_downstream(d);
    size_t sent;
    d->exchange = NULL;
    if (c->out.bytes && !c->stream.is_closed)
        (void)!um_outq_flush(&c->out, &c->stream, &sent);
    end(c, UM_ERESET, c->output == OUT_SENDING && c->out_framing == UM_FRAMING_CLOSE);
}

static void pause_body(struct um_downstream *d)
{
    um_stream_pause(&of_downstream(d)->stream);
}

static void cut_body(struct um_downstream *d)
{
    struct h1 *c = of_downstream(d);
    bool is_short = c->body.framing == UM_FRAMING_LENGTH && c->body.left <= DRAIN_BYTES && !c->expects_100;
    if (c->input == IN_DONE || (is_short && c->keep_alive))
        return;
    c->is_cut = true;
    flush_soon(c);
}

static const struct um_downstream_ops OPS = {
    send_informational, send_head, send_body, send_end, abort_answer, pause_body, resume_body, cut_body,
};

/* ---- input ---------------------------------------------------------------------------------------- */

/* an answer of the connection's own, for what never became a request; the connection ends with it */
static void refuse(struct h1 *c, unsigned status, const char *why)
{
    struct um_head head = {.version = UM_HTTP_11,
                           .is_response = true,
                           .status = (uint16_t)status,
                           .reason = um_status_reason(status),
                           .framing = UM_FRAMING_LENGTH};
    count(c, UM_CTR_CX_PROTOCOL_ERROR);
    count(c, status == 431 ? UM_CTR_RQ_TOO_LARGE : status == 408 ? UM_CTR_RQ_HEADER_TIMEOUT : UM_CTR_RQ_TOTAL);
    c->env->handler->on_refused(c->env->handler, &c->d, status, why);
    c->keep_alive = false;
    c->input = IN_DONE;
    c->d.version = UM_HTTP_11;
    c->is_head_request = false;
    if (send_head(&c->d, &head, NULL, true) || send_end(&c->d, NULL, 0))
        end(c, UM_ENOMEM, true);
}

static void begin_request(struct h1 *c, const struct um_head *head, struct um_chunk *holder)
{
    bool ends = head->framing == UM_FRAMING_NONE || (head->framing == UM_FRAMING_LENGTH && head->content_length == 0);
    const struct um_request_in rq = {head, holder, ends};
    c->d.version = head->version;
    c->is_head_request = head->method == UM_METHOD_HEAD;
    c->keep_alive = head->keep_alive;
    c->expects_100 = head->expects_100 && !ends;
    c->input = ends ? IN_DONE : IN_BODY;
    c->in.is_bulk = !ends && head->framing == UM_FRAMING_LENGTH ? head->content_length > BULK_BYTES : c->in.is_bulk;
    c->d.rx_bytes = c->d.tx_bytes = 0;
    c->wants_room = c->is_cut = false;
    if (!ends)
        arm(c, c->env->settings->stall_timeout_ms);
    um_body_decoder_init(&c->body, head->framing, head->content_length);
    count(c, UM_CTR_RQ_TOTAL);
    c->env->handler->on_request(c->env->handler, &c->d, &rq);
}

/* a parser has seen all contiguous bytes: true if there are more of them now */
static bool gather(struct h1 *c)
{
    int rc = um_input_gather(&c->in);
    if (rc < 0)
        end(c, rc, false);
    return rc > 0;
}

/* true if a request was begun, false if more bytes are needed or the connection is over */
static bool parse_head(struct h1 *c)
{
    struct um_field fields[UM_H1_FIELDS_MAX];
    struct um_head head;
    enum um_h1_fault fault = UM_H1_OK;
    head.fields = fields;
    ptrdiff_t n = um_h1_parse_request(um_input_bytes(&c->in), &c->env->settings->limits, &c->scanned, &head, &fault);
    if (n == UM_EAGAIN) {
        if (c->head_since_ns == 0)
            c->head_since_ns = c->stream.loop->now_ns;
        arm(c, c->env->settings->head_timeout_ms);
        return gather(c);
    }
    c->scanned = 0;
    c->head_since_ns = 0;
    if (n < 0) {
        refuse(c, um_h1_fault_status(fault), um_h1_fault_text(fault));
        return false;
    }
    struct um_chunk *holder = um_input_chunk(&c->in);
    um_chunk_ref(holder);
    um_input_eat(&c->in, (size_t)n);
    begin_request(c, &head, holder);
    um_chunk_unref(holder);
    return true;
}

static void end_of_body(struct h1 *c, const struct um_field *trailers, uint32_t n)
{
    c->input = IN_DONE;
    if (c->d.exchange)
        c->d.exchange_ops->on_end(c->d.exchange, trailers, n);
    if (c->output == OUT_DONE && !c->stream.is_closed)
        flush_soon(c); /* the answer was waiting for this */
}

/* the request's body breaks the grammar: what follows cannot be told apart from a request */
static void bad_body(struct h1 *c, enum um_h1_fault fault)
{
    count(c, UM_CTR_CX_PROTOCOL_ERROR);
    void *x = c->d.exchange;
    bool has_answer = c->output != OUT_IDLE;
    c->d.exchange = NULL;
    if (x)
        c->d.exchange_ops->on_abort(x, UM_EPROTO);
    if (has_answer)
        end(c, UM_EPROTO, true);
    else
        refuse(c, um_h1_fault_status(fault), um_h1_fault_text(fault));
}

/* true if there may be more to do with the bytes at hand */
static bool parse_body(struct h1 *c)
{
    struct um_str rest = um_input_bytes(&c->in), data = {NULL, 0};
    size_t before = rest.n;
    bool at_trailers = false;
    enum um_h1_fault fault = UM_H1_OK;
    struct um_chunk *holder = um_input_chunk(&c->in);
    enum um_body_state state = um_body_decode(&c->body, &rest, &data, &at_trailers, &fault);
    if (state == UM_BODY_FAULT) {
        bad_body(c, fault);
        return false;
    }
    um_chunk_ref(holder);
    um_input_eat(&c->in, before - rest.n);
    if (data.n) {
        const struct um_slice s = {holder, data.p, data.n};
        c->d.rx_bytes += data.n;
        if (c->d.exchange)
            c->d.exchange_ops->on_body(c->d.exchange, &s);
    }
    um_chunk_unref(holder);
    if (c->stream.is_closed)
        return false;
    if (state == UM_BODY_DONE && at_trailers)
        c->input = IN_TRAILERS;
    else if (state == UM_BODY_DONE)
        end_of_body(c, NULL, 0);
    return !um_input_is_empty(&c->in);
}

static bool parse_trailers(struct h1 *c)
{
    struct um_field fields[UM_H1_FIELDS_MAX];
    uint32_t n_fields = 0;
    enum um_h1_fault fault = UM_H1_OK;
    ptrdiff_t n =
        um_h1_parse_trailers(um_input_bytes(&c->in), &c->env->settings->limits, &c->scanned, fields, &n_fields, &fault);
    if (n == UM_EAGAIN)
        return gather(c);
    if (n < 0) {
        bad_body(c, fault);
        return false;
    }
    struct um_chunk *holder = um_input_chunk(&c->in);
    um_chunk_ref(holder);
    um_input_eat(&c->in, (size_t)n);
    c->scanned = 0;
    end_of_body(c, fields, n_fields);
    um_chunk_unref(holder);
    return !c->stream.is_closed;
}

static bool parse_tunnel(struct h1 *c)
{
    struct um_str bytes = um_input_bytes(&c->in);
    struct um_chunk *holder = um_input_chunk(&c->in);
    const struct um_slice s = {holder, bytes.p, bytes.n};
    um_chunk_ref(holder);
    um_input_eat(&c->in, bytes.n);
    c->d.rx_bytes += bytes.n;
    if (c->d.exchange)
        c->d.exchange_ops->on_body(c->d.exchange, &s);
    um_chunk_unref(holder);
    return !um_input_is_empty(&c->in);
}

/* goes on with the bytes at hand as far as they and the states allow */
static void parse(struct h1 *c)
{
    bool more = true;
    while (more && !c->stream.is_closed && !um_input_is_empty(&c->in)) {
        if (c->stream.is_paused)
            return;
        switch ((enum input_state)c->input) {
        case IN_HEAD:
            more = parse_head(c);
            break;
        case IN_BODY:
            more = parse_body(c);
            break;
        case IN_TRAILERS:
            more = parse_trailers(c);
            break;
        case IN_TUNNEL:
            more = parse_tunnel(c);
            break;
        case IN_DONE: /* the next request waits for this one's answer */
            if (c->in.n_chunks > 1 || um_input_bytes(&c->in).n >= PIPELINED_BYTES)
                um_stream_pause(&c->stream);
            return;
        case IN_LINGER:
            um_input_clear(&c->in);
            return;
        }
    }
}

/* the client has sent its last byte */
static void on_eof(struct h1 *c)
{
    c->has_eof = true;
    um_stream_pause(&c->stream);
    if (c->input == IN_TUNNEL) {
        if (c->d.exchange)
            c->d.exchange_ops->on_tunnel_end(c->d.exchange);
        after_flush(c);
    } else if (c->input != IN_DONE) {
        end(c, UM_EEOF, false);
    } else if (c->output == OUT_IDLE) { /* half closed or gone, nobody can tell */
        c->active_ns = c->stream.loop->now_ns;
        arm(c, HALF_CLOSE_MS);
    }
}

static void on_linger_readable(struct h1 *c)
{
    ssize_t n = um_stream_discard(&c->stream, HIGH_BYTES);
    if (n <= 0 && n != UM_EAGAIN)
        end(c, UM_EEOF, false);
}

/* bytes that were read before and may be parsed now; true if there is reason to read more */
static bool parse_what_is_there(struct h1 *c)
{
    if (um_input_is_empty(&c->in))
        return !c->has_eof;
    parse(c);
    return !c->stream.is_closed && !c->stream.is_paused && !c->has_eof;
}

static void on_readable(struct um_stream *s)
{
    struct h1 *c = of_stream(s);
    if (c->input == IN_LINGER) {
        on_linger_readable(c);
        return;
    }
    bool can_read = parse_what_is_there(c);
    if (!c->stream.is_closed && c->has_eof && c->input == IN_TUNNEL && um_input_is_empty(&c->in))
        on_eof(c); /* it came before the tunnel did */
    if (!can_read)
        return;
    ssize_t n = um_input_read(&c->in, s);
    if (n > 0) {
        c->active_ns = s->loop->now_ns;
        c->env->stats->v[UM_CTR_CX_RX_BYTES] += (size_t)n;
        parse(c);
    } else if (n == 0) {
        on_eof(c);
    } else if (n != UM_EAGAIN) {
        end(c, (int)n, false);
    }
}

/* ---- time ----------------------------------------------------------------------------------------- */

static bool is_ending(const struct h1 *c)
{
    return c->is_last || c->env->is_draining;
}

/* which clock runs in the present states: since when, and how long it may */
static uint64_t running_clock(const struct h1 *c, uint64_t *ret_since_ns)
{
    const struct um_downstream_settings *settings = c->env->settings;
    *ret_since_ns = c->active_ns;
    if (c->input == IN_LINGER)
        return LINGER_MS;
    if (c->has_eof && c->output == OUT_IDLE)
        return HALF_CLOSE_MS;
    if (c->input == IN_HEAD && is_ending(c) && um_input_is_empty(&c->in))
        return GRACE_MS;
    if (c->input == IN_HEAD && c->head_since_ns) {
        *ret_since_ns = c->head_since_ns;
        return settings->head_timeout_ms;
    }
    if (c->input == IN_HEAD || c->input == IN_TUNNEL)
        return settings->idle_timeout_ms;
    bool waits_for_client = c->out.bytes || ((c->input == IN_BODY || c->input == IN_TRAILERS) && !c->stream.is_paused);
    if (!waits_for_client)
        *ret_since_ns = c->stream.loop->now_ns;
    return settings->stall_timeout_ms;
}

static void on_timeout(struct h1 *c)
{
    if (c->input == IN_HEAD && !um_input_is_empty(&c->in)) {
        refuse(c, 408, "the head did not arrive in time");
        return;
    }
    if (c->input == IN_HEAD)
        count(c, UM_CTR_CX_IDLE_TIMEOUT);
    else if (c->input != IN_LINGER && !c->has_eof)
        count(c, UM_CTR_RQ_TIMEOUT);
    end(c, c->has_eof ? UM_EEOF : UM_ETIMEOUT, c->output == OUT_SENDING);
}

static void on_timer(struct um_timer *t)
{
    struct h1 *c = UM_CONTAINER(t, struct h1, timer);
    uint64_t since_ns, limit_ms = running_clock(c, &since_ns), now_ns = c->stream.loop->now_ns;
    uint64_t passed_ms = now_ns > since_ns ? (now_ns - since_ns) / UM_NS_PER_MS : 0;
    if (limit_ms == 0)
        return;
    if (passed_ms >= limit_ms)
        on_timeout(c);
    else
        arm(c, limit_ms - passed_ms);
}

/* ---- connections ---------------------------------------------------------------------------------- */

static const struct um_stream_events EVENTS = {on_readable, on_writable, on_closed};

static void read_addresses(struct h1 *c, int fd)
{
    socklen_t n = sizeof c->peer, m = sizeof c->local;
    getpeername(fd, &c->peer.any, &n);
    getsockname(fd, &c->local.any, &m);
}

int um_h1_accept(struct um_downstream_env *env, int fd, void *listener)
{
    struct h1 *c = calloc(1, sizeof *c);
    if (!c) {
        close(fd);
        return UM_ENOMEM;
    }
    read_addresses(c, fd);
    int rc = um_stream_tcp_accept(&c->stream, env->loop, fd, &EVENTS);
    if (rc) {
        free(c);
        return rc;
    }
    c->env = env;
    c->d = (struct um_downstream){
        .ops = &OPS, .listener = listener, .peer = &c->peer, .local = &c->local, .version = UM_HTTP_11};
    um_list_push(&env->connections, &c->node);
    um_task_init(&c->flush, do_flush);
    um_timer_init(&c->timer, on_timer);
    um_input_init(&c->in, env->chunks, false);
    um_outq_init(&c->out, env->chunks, false);
    c->active_ns = c->head_since_ns = env->loop->now_ns;
    arm(c, env->settings->head_timeout_ms);
    env->stats->cx_active++;
    count(c, UM_CTR_CX_TOTAL);
    return 0;
}

/* A request may lie in the socket already: it is served, for closing now would reset it. A connection that has never carried one
 * gets a moment. */
static void drain_one(struct h1 *c)
{
    c->is_last = true;
    if (c->input != IN_HEAD)
        return;
    if (um_input_is_empty(&c->in))
        on_readable(&c->stream);
    if (c->stream.is_closed || c->input != IN_HEAD || !um_input_is_empty(&c->in))
        return;
    if (c->head_since_ns) {
        c->active_ns = c->stream.loop->now_ns;
        arm(c, GRACE_MS);
    } else {
        end(c, UM_EEOF, false);
    }
}

void um_downstream_drain(struct um_downstream_env *env, const void *listener)
{
    UM_LIST_EACH (node, &env->connections) {
        struct h1 *c = UM_CONTAINER(node, struct h1, node);
        if (!listener || c->d.listener == listener)
            drain_one(c);
    }
}

void um_downstream_close_all(struct um_downstream_env *env)
{
    UM_LIST_EACH (node, &env->connections)
        end(UM_CONTAINER(node, struct h1, node), UM_ERESET, true);
}
