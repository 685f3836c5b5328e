/* SPDX-License-Identifier: Apache-2.0
 *
 * A connection to an endpoint, HTTP/1.1, one leg at a time:
 *
 *   CONNECTING -> IDLE <-> BUSY -> closed        BUSY has a leg: its queue is written, its answer parsed:
 *        |          |                            HEAD (1xx*, final) -> BODY -> (TRAILERS) -> end: IDLE again, or closed
 *      failed    time-out, peer closed
 *
 * A connection whose answer is complete before its request is, or whose peer does not keep it alive, is closed.
 */
#include "http/h1_parse.h"
#include "io/input.h"
#include "upstream/pool.h"

#include <errno.h>
#include <stdlib.h>

enum { BULK_BYTES = 32 << 10, DISCARD_BYTES = 1 << 20, CHECK_IDLE_NS = 1000000000 };

enum answer_state { ANSWER_HEAD, ANSWER_BODY, ANSWER_TRAILERS };

struct um_conn {
    struct um_stream stream;
    struct um_host *host;
    struct um_leg *leg; /* NULL: idle or connecting */
    struct um_list node, idle_node;
    struct um_task flush;
    struct um_timer timer; /* connect time-out, then idleness */
    uint64_t opened_ns, idle_since_ns;
    struct um_input in;
    struct um_body_decoder body;
    size_t scanned;
    uint32_t n_requests;
    uint8_t answer;         /* enum answer_state */
    _Atomic uint32_t *slot; /* of the cluster's limit of connections */
    bool is_connecting, keep_alive, write_failed, has_eof;
};

static struct um_conn *of_stream(struct um_stream *s)
{
    return UM_CONTAINER(s, struct um_conn, stream);
}

static uint64_t *counters(const struct um_conn *c)
{
    return um_host_counters(c->host);
}

static const struct um_h1_limits *limits_of(const struct um_conn *c)
{
    return &c->host->cluster->upstream->answer_limits;
}

static uint64_t now_ms(const struct um_conn *c)
{
    return c->stream.loop->now_ns / UM_NS_PER_MS;
}

/* ---- ends ----------------------------------------------------------------------------------------- */

static void on_closed(struct um_stream *s)
{
    struct um_conn *c = of_stream(s);
    struct um_host *h = c->host;
    free(c);
    um_pool_check(h);
}

static void close_conn(struct um_conn *c, bool reset)
{
    struct um_host *h = c->host;
    if (c->stream.is_closed)
        return;
    um_timer_stop(&c->timer);
    um_task_cancel(&c->flush);
    um_list_remove(&c->node);
    um_list_remove(&c->idle_node);
    um_input_clear(&c->in);
    if (c->is_connecting)
        h->n_connecting--;
    else
        h->n_connections--;
    counters(c)[UM_CLU_CX_ACTIVE]--;
    counters(c)[UM_CLU_CX_DESTROY]++;
    um_limit_give(&c->slot);
    um_stream_close(&c->stream, reset);
    um_pool_wake(h);
}

/* what a broken connection says of a shadow's endpoint: a kept connection may just have been stale */
static void judge(const struct um_conn *c, const struct um_leg *leg)
{
    struct um_host *h = c->host;
    if (!leg->is_shadow)
        return;
    if (c->n_requests > 1 && !leg->has_answer)
        um_breaker_forget(h->shared);
    else
        um_breaker_failure(h->shared, now_ms(c), h->cluster->upstream->rand);
}

/* the connection broke under its leg */
static void fail(struct um_conn *c, int err, const char *detail)
{
    struct um_leg *leg = c->leg;
    struct um_leg_failure failure = {.err = err, .detail = detail};
    if (leg) {
        failure.has_answer = leg->has_answer;
        failure.is_unprocessed = leg->sent_bytes == 0;
        counters(c)[err == UM_EPROTO || err == UM_ELIMIT ? UM_CLU_PROTOCOL_ERROR : UM_CLU_RQ_RX_RESET]++;
        judge(c, leg);
        c->leg = NULL;
    }
    close_conn(c, true);
    if (leg)
        um_leg_fail(leg, &failure);
}

static void fail_connect(struct um_conn *c, int err)
{
    struct um_host *h = c->host;
    const struct um_leg_failure failure = {.err = err, .is_connect = true};
    counters(c)[UM_CLU_CX_CONNECT_FAIL]++;
    counters(c)[UM_CLU_CX_CONNECT_TIMEOUT] += err == UM_ETIMEOUT;
    h->stats.cx_connect_fail++;
    if (h->side == UM_SIDE_SHADOW)
        um_breaker_failure(h->shared, now_ms(c), h->cluster->upstream->rand);
    close_conn(c, false);
    um_pool_connect_failed(h, &failure);
}

/* ---- reuse ---------------------------------------------------------------------------------------- */

static bool is_used_up(const struct um_conn *c)
{
    const struct um_cluster_limits *limits = &c->host->cluster->limits;
    uint64_t age_ms = (c->stream.loop->now_ns - c->opened_ns) / UM_NS_PER_MS;
    return (limits->max_requests_per_connection && c->n_requests >= limits->max_requests_per_connection) ||
           (limits->max_connection_duration_ms && age_ms >= limits->max_connection_duration_ms);
}

/* the connection has no leg: the next one that waits, or the idle list */
static void become_free(struct um_conn *c)
{
    bool used_up = is_used_up(c);
    struct um_leg *next = used_up ? NULL : um_pool_next(c->host);
    if (next) {
        um_conn_attach(c, next);
        return;
    }
    if (used_up || c->host->is_retired) {
        close_conn(c, false);
        return;
    }
    c->idle_since_ns = c->stream.loop->now_ns;
    um_list_push_front(&c->host->idle, &c->idle_node);
    uint64_t idle_ms = c->host->cluster->limits.idle_timeout_ms;
    if (idle_ms && !um_timer_is_started(&c->timer))
        um_loop_timer(c->stream.loop, &c->timer, idle_ms);
}

static struct um_conn *idle_first(struct um_host *h)
{
    struct um_list *node = um_list_first(&h->idle);
    return node ? UM_CONTAINER(node, struct um_conn, idle_node) : NULL;
}

void um_conn_close_idle(struct um_host *h)
{
    struct um_conn *c;
    while ((c = idle_first(h)))
        close_conn(c, false);
}

void um_conn_close_all(struct um_host *h)
{
    UM_LIST_EACH (node, &h->connections)
        close_conn(UM_CONTAINER(node, struct um_conn, node), true);
}

/* A request that must not be sent twice, or a connection that has been idle for long, is worth a look whether the server has
 * closed it in the meantime. */
struct um_conn *um_conn_idle_usable(struct um_host *h, const struct um_leg *leg)
{
    struct um_conn *c;
    while ((c = idle_first(h))) {
        bool is_old = c->stream.loop->now_ns - c->idle_since_ns > CHECK_IDLE_NS;
        if ((um_method_is_idempotent(leg->method) && !is_old) || um_stream_tcp_is_quiet(&c->stream))
            return c;
        close_conn(c, false);
    }
    return NULL;
}

void um_conn_attach(struct um_conn *c, struct um_leg *leg)
{
    um_list_remove(&c->idle_node);
    c->leg = leg;
    c->n_requests++;
    c->answer = ANSWER_HEAD;
    c->scanned = 0;
    c->write_failed = false;
    leg->conn = c;
    um_leg_attached(leg);
    if (leg->is_paused)
        um_stream_pause(&c->stream);
    um_conn_flush(c);
}

/* the answer is whole: the connection first, so that what on_end starts may use it */
static void end_answer(struct um_conn *c, const struct um_field *trailers, uint32_t n)
{
    struct um_leg *leg = c->leg;
    bool reusable = c->keep_alive && leg->request_ended && leg->out.bytes == 0 && um_input_is_empty(&c->in) &&
                    !c->write_failed && !c->has_eof;
    counters(c)[UM_CLU_RQ_COMPLETED]++;
    if (leg->is_shadow)
        um_breaker_success(c->host->shared);
    c->leg = NULL;
    um_stream_resume(&c->stream);
    um_leg_over(leg);
    if (reusable)
        become_free(c);
    else
        close_conn(c, !leg->request_ended);
    leg->sink->on_end(leg, trailers, n);
}

/* ---- output --------------------------------------------------------------------------------------- */

static void do_flush(struct um_task *t)
{
    struct um_conn *c = UM_CONTAINER(t, struct um_conn, flush);
    struct um_leg *leg = c->leg;
    size_t sent;
    if (!leg || c->is_connecting)
        return;
    int rc = um_outq_flush(&leg->out, &c->stream, &sent);
    leg->sent_bytes += sent;
    counters(c)[UM_CLU_CX_TX_BYTES] += sent;
    if (sent && leg->first_sent_ns == 0)
        leg->first_sent_ns = c->stream.loop->now_ns;
    if (rc && rc != UM_EAGAIN) { /* an answer may have come before the break: read until the end */
        c->write_failed = true;
        um_outq_clear(&leg->out);
        um_stream_wake(&c->stream);
    } else if (rc == 0 && leg->request_ended && leg->framing == UM_FRAMING_TUNNEL) {
        um_stream_shutdown(&c->stream);
    } else if (leg->wants_room && leg->out.bytes <= leg->low_bytes) {
        leg->wants_room = false;
        leg->sink->on_room(leg);
    }
}

void um_conn_flush(struct um_conn *c)
{
    if (c->stream.wants_write || c->is_connecting)
        return;
    if (c->host->side == UM_SIDE_SHADOW)
        um_loop_late(c->stream.loop, &c->flush);
    else
        um_loop_soon(c->stream.loop, &c->flush);
}

static void on_writable(struct um_stream *s)
{
    struct um_conn *c = of_stream(s);
    if (!c->is_connecting) {
        do_flush(&c->flush);
        return;
    }
    int rc = um_stream_tcp_connect_result(s);
    if (rc) {
        fail_connect(c, rc);
        return;
    }
    um_timer_stop(&c->timer);
    c->is_connecting = false;
    c->host->n_connecting--;
    c->host->n_connections++;
    become_free(c);
    um_pool_wake(c->host);
}

/* ---- input ---------------------------------------------------------------------------------------- */

static void count_status(const struct um_conn *c, unsigned status)
{
    uint64_t *v = counters(c);
    unsigned class = status / 100 >= 1 && status / 100 <= 5 ? status / 100 : 5;
    v[UM_CLU_RQ_1XX + class - 1]++;
    if (class == 5)
        c->host->stats.rq_error++;
    else if (class > 1)
        c->host->stats.rq_success++;
}

static void begin_answer(struct um_conn *c, const struct um_head *head, struct um_chunk *holder)
{
    struct um_leg *leg = c->leg;
    bool ends = head->framing == UM_FRAMING_NONE || (head->framing == UM_FRAMING_LENGTH && head->content_length == 0);
    c->keep_alive = head->keep_alive && head->framing != UM_FRAMING_CLOSE && head->framing != UM_FRAMING_TUNNEL;
    c->answer = ANSWER_BODY;
    c->in.is_bulk = head->framing != UM_FRAMING_LENGTH ? c->in.is_bulk : head->content_length > BULK_BYTES;
    um_body_decoder_init(&c->body, head->framing, head->content_length);
    count_status(c, head->status);
    if (head->framing == UM_FRAMING_TUNNEL)
        leg->framing = UM_FRAMING_TUNNEL;
    leg->sink->on_head(leg, head, holder, ends);
    if (ends && c->leg == leg)
        end_answer(c, NULL, 0);
}

/* 1xx but 101 (RFC 9110 section 15.2): passed on, the final answer follows */
static bool informational(struct um_conn *c, const struct um_head *head)
{
    if (head->status >= 200 || head->status == 101)
        return false;
    struct um_leg *leg = c->leg;
    counters(c)[UM_CLU_RQ_1XX]++;
    if (++leg->n_informational > UM_LEG_INFORMATIONAL_MAX)
        fail(c, UM_ELIMIT, "too many informational answers");
    else
        leg->sink->on_informational(leg, head);
    return true;
}

/* a parser has seen all contiguous bytes: true if there are more of them now */
static bool gather(struct um_conn *c)
{
    int rc = um_input_gather(&c->in);
    if (rc < 0)
        fail(c, rc, "the head of the answer is larger than the limit");
    return rc > 0;
}

static bool parse_head(struct um_conn *c)
{
    struct um_field fields[UM_H1_FIELDS_MAX];
    struct um_head head;
    enum um_h1_fault fault = UM_H1_OK;
    head.fields = fields;
    ptrdiff_t n =
        um_h1_parse_response(um_input_bytes(&c->in), limits_of(c), c->leg->method, &c->scanned, &head, &fault);
    if (n == UM_EAGAIN)
        return gather(c);
    if (n < 0) {
        bool is_limit = fault == UM_H1_HEAD_TOO_LARGE || fault == UM_H1_TOO_MANY_FIELDS;
        fail(c, is_limit ? UM_ELIMIT : UM_EPROTO, um_h1_fault_text(fault));
        return false;
    }
    c->scanned = 0;
    struct um_chunk *holder = um_input_chunk(&c->in);
    um_chunk_ref(holder);
    um_input_eat(&c->in, (size_t)n);
    if (head.status == 101 && c->leg->framing != UM_FRAMING_TUNNEL)
        fail(c, UM_EPROTO, "switches protocols without having been asked");
    else if (!informational(c, &head))
        begin_answer(c, &head, holder);
    um_chunk_unref(holder);
    return true;
}

/* more of the answer's body; past the leg's limit its sink decides: pause, cancel, or raise it. False: the leg is gone. */
static bool count_answer(struct um_conn *c, size_t n)
{
    struct um_leg *leg = c->leg;
    leg->answer_bytes += n;
    if (leg->answer_limit && leg->answer_bytes > leg->answer_limit)
        leg->sink->on_excess(leg);
    return c->leg == leg;
}

static bool parse_body(struct um_conn *c)
{
    struct um_leg *leg = c->leg;
    struct um_str rest = um_input_bytes(&c->in), data = {NULL, 0};
    size_t before = rest.n;
    bool at_trailers = false;
    enum um_h1_fault fault = UM_H1_OK;
    struct um_chunk *holder = um_input_chunk(&c->in);
    enum um_body_state state = um_body_decode(&c->body, &rest, &data, &at_trailers, &fault);
    if (state == UM_BODY_FAULT) {
        fail(c, UM_EPROTO, um_h1_fault_text(fault));
        return false;
    }
    um_chunk_ref(holder);
    um_input_eat(&c->in, before - rest.n);
    if (count_answer(c, data.n) && data.n && !leg->discards_body) {
        const struct um_slice s = {holder, data.p, data.n};
        leg->sink->on_body(leg, &s);
    }
    um_chunk_unref(holder);
    if (c->leg != leg)
        return false;
    if (state == UM_BODY_DONE && at_trailers)
        c->answer = ANSWER_TRAILERS;
    else if (state == UM_BODY_DONE)
        end_answer(c, NULL, 0);
    return true;
}

static bool parse_trailers(struct um_conn *c)
{
    struct um_field fields[UM_H1_FIELDS_MAX];
    uint32_t n_fields = 0;
    enum um_h1_fault fault = UM_H1_OK;
    ptrdiff_t n = um_h1_parse_trailers(um_input_bytes(&c->in), limits_of(c), &c->scanned, fields, &n_fields, &fault);
    if (n == UM_EAGAIN)
        return gather(c);
    if (n < 0) {
        fail(c, UM_EPROTO, um_h1_fault_text(fault));
        return false;
    }
    struct um_chunk *holder = um_input_chunk(&c->in);
    um_chunk_ref(holder);
    um_input_eat(&c->in, (size_t)n);
    end_answer(c, fields, n_fields);
    um_chunk_unref(holder);
    return true;
}

static void parse(struct um_conn *c)
{
    bool more = true;
    while (more && !c->stream.is_closed && !um_input_is_empty(&c->in)) {
        if (!c->leg) { /* bytes nobody asked for */
            close_conn(c, true);
            return;
        }
        if (c->stream.is_paused)
            return;
        more = c->answer == ANSWER_HEAD ? parse_head(c) : c->answer == ANSWER_BODY ? parse_body(c) : parse_trailers(c);
    }
}

static void on_eof(struct um_conn *c, int err)
{
    c->has_eof = true;
    if (!c->leg)
        close_conn(c, false);
    else if (err == 0 && c->answer == ANSWER_BODY &&
             (c->body.framing == UM_FRAMING_CLOSE || c->body.framing == UM_FRAMING_TUNNEL))
        end_answer(c, NULL, 0);
    else
        fail(c, err ? err : UM_EEOF, "the server closed the connection");
}

/* the answer of a leg that nobody keeps: bytes are dropped in the kernel, but counted to the framed end */
static bool discard_body(struct um_conn *c)
{
    bool can = c->leg && c->leg->discards_body && c->answer == ANSWER_BODY && c->body.framing == UM_FRAMING_LENGTH &&
               c->body.left > BULK_BYTES && um_input_is_empty(&c->in);
    if (!can)
        return false;
    ssize_t n = um_stream_discard(&c->stream, c->body.left < DISCARD_BYTES ? c->body.left : DISCARD_BYTES);
    if (n > 0) {
        c->body.left -= (size_t)n;
        counters(c)[UM_CLU_CX_RX_BYTES] += (size_t)n;
        if (count_answer(c, (size_t)n) && c->body.left == 0)
            end_answer(c, NULL, 0);
    } else if (n != UM_EAGAIN) {
        on_eof(c, (int)n);
    }
    return true;
}

/* bytes that were read before and may be parsed now; true if there is reason to read more */
static bool parse_what_is_there(struct um_conn *c)
{
    if (!um_input_is_empty(&c->in))
        parse(c);
    return !c->stream.is_closed && !c->stream.is_paused;
}

static void on_readable(struct um_stream *s)
{
    struct um_conn *c = of_stream(s);
    if (!parse_what_is_there(c) || discard_body(c))
        return;
    ssize_t n = um_input_read(&c->in, s);
    if (n > 0) {
        counters(c)[UM_CLU_CX_RX_BYTES] += (size_t)n;
        if (c->leg)
            c->leg->has_answer = true;
        parse(c);
    } else if (n == UM_ELIMIT) {
        fail(c, UM_ELIMIT, "the head of the answer is larger than the limit");
    } else if (n != UM_EAGAIN) {
        on_eof(c, (int)n);
    }
}

/* ---- time and life -------------------------------------------------------------------------------- */

static void on_timer(struct um_timer *t)
{
    struct um_conn *c = UM_CONTAINER(t, struct um_conn, timer);
    uint64_t idle_ms = c->host->cluster->limits.idle_timeout_ms;
    if (c->is_connecting) {
        fail_connect(c, UM_ETIMEOUT);
        return;
    }
    uint64_t passed_ms = (c->stream.loop->now_ns - c->idle_since_ns) / UM_NS_PER_MS;
    if (c->leg || um_list_empty(&c->idle_node))
        return; /* busy: becoming idle starts it again */
    if (passed_ms >= idle_ms)
        close_conn(c, false);
    else
        um_loop_timer(c->stream.loop, t, idle_ms - passed_ms);
}

static const struct um_stream_events EVENTS = {on_readable, on_writable, on_closed};

int um_conn_h1_open(struct um_host *h, _Atomic uint32_t *slot)
{
    const struct um_cluster_limits *limits = &h->cluster->limits;
    const struct um_connect_options options = {limits->keepalive_probes,     limits->keepalive_time_s,
                                               limits->keepalive_interval_s, limits->has_keepalive,
                                               h->side == UM_SIDE_SHADOW,    h->side == UM_SIDE_SHADOW};
    struct um_conn *c = calloc(1, sizeof *c);
    if (!c)
        return UM_ENOMEM;
    int rc =
        um_stream_tcp_connect(&c->stream, h->cluster->upstream->loop, &h->addr.u.any, h->addr.n, &options, &EVENTS);
    if (rc) {
        free(c);
        return rc;
    }
    c->host = h;
    c->is_connecting = true;
    c->slot = slot;
    c->opened_ns = c->stream.loop->now_ns;
    um_list_push(&h->connections, &c->node);
    um_list_init(&c->idle_node);
    um_task_init(&c->flush, do_flush);
    um_timer_init(&c->timer, on_timer);
    um_input_init(&c->in, h->cluster->upstream->chunks, h->side == UM_SIDE_SHADOW);
    um_loop_timer(c->stream.loop, &c->timer, limits->connect_timeout_ms);
    h->n_connecting++;
    h->stats.cx_total++;
    counters(c)[UM_CLU_CX_TOTAL]++;
    counters(c)[UM_CLU_CX_ACTIVE]++;
    return 0;
}

void um_conn_abandon(struct um_conn *c)
{
    c->leg = NULL;
    close_conn(c, true);
}

int um_conn_local(const struct um_conn *c, struct um_sockaddr *ret_addr)
{
    ret_addr->n = sizeof ret_addr->u;
    return getsockname(c->stream.watch.fd, &ret_addr->u.any, &ret_addr->n) ? um_err_from_errno(errno) : 0;
}

void um_conn_pause(struct um_conn *c)
{
    um_stream_pause(&c->stream);
}

void um_conn_resume(struct um_conn *c)
{
    um_stream_resume(&c->stream);
    if (!um_input_is_empty(&c->in)) {
        um_stream_wake(&c->stream);
    }
}
