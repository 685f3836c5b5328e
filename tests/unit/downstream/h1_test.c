/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../io/kit.h"
#include "base/buf.h"
#include "downstream/downstream.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { EXCHANGES_MAX = 12000 };

struct exchange {
    struct fixture *f;
    struct um_downstream *d; /* NULL: over */
    char path[32];
    size_t n_body, n_trailers;
    bool has_ended, was_sent;
    int abort_err;
};

/* a client (a plain descriptor), the connection under test, and a handler that notes what it is told */
struct fixture {
    struct um_loop loop;
    struct um_ledger ledger;
    struct um_chunk_pool chunks;
    struct um_worker_stats stats;
    struct um_downstream_settings settings;
    struct um_downstream_env env;
    struct um_handler handler;
    int client;
    struct um_buf received; /* by the client */
    bool client_saw_end;
    struct exchange *exchanges;
    unsigned n_exchanges, refused_status;
    bool answers; /* each request once it is whole */
    int n_rooms;
};

/* ---- the handler ----------------------------------------------------------------------------------- */

static struct um_slice slice_of(struct fixture *f, const char *text, size_t n)
{
    struct um_chunk *c = um_chunk_new(&f->chunks, um_chunk_class_for(n));
    assert_non_null(c);
    memcpy(c->data, text, n);
    c->used = (uint32_t)n;
    return (struct um_slice){c, c->data, n};
}

static int send_text(struct exchange *x, const char *text, size_t n)
{
    struct um_slice s = slice_of(x->f, text, n);
    int rc = x->d->ops->send_body(x->d, &s);
    um_chunk_unref(s.chunk);
    return rc;
}

static void send_head(struct exchange *x, unsigned status, enum um_framing framing, uint64_t length, bool ends)
{
    const struct um_head head = {.version = UM_HTTP_11,
                                 .is_response = true,
                                 .status = (uint16_t)status,
                                 .reason = um_status_reason(status),
                                 .framing = framing,
                                 .content_length = length};
    assert_int_equal(x->d->ops->send_head(x->d, &head, NULL, ends), 0);
}

/* 200, with the path as body */
static void answer(struct exchange *x)
{
    size_t n = strlen(x->path);
    send_head(x, 200, UM_FRAMING_LENGTH, n, false);
    assert_int_equal(send_text(x, x->path, n), 0);
    assert_int_equal(x->d->ops->send_end(x->d, NULL, 0), 0);
}

static void on_body(void *ctx, const struct um_slice *s)
{
    struct exchange *x = ctx;
    assert_false(x->has_ended);
    x->n_body += s->n;
}

static void on_end(void *ctx, const struct um_field *trailers, uint32_t n)
{
    struct exchange *x = ctx;
    (void)trailers;
    assert_false(x->has_ended);
    x->has_ended = true;
    x->n_trailers = n;
    if (x->f->answers)
        answer(x);
}

static void on_abort(void *ctx, int err)
{
    struct exchange *x = ctx;
    assert_non_null(x->d); /* once, and never after on_sent (I2) */
    x->abort_err = err;
    x->d = NULL;
}

static void on_room(void *ctx)
{
    struct exchange *x = ctx;
    x->f->n_rooms++;
}

static void on_sent(void *ctx)
{
    struct exchange *x = ctx;
    assert_non_null(x->d);
    x->was_sent = true;
    x->d = NULL;
}

static const struct um_exchange_ops OPS = {
    .on_body = on_body, .on_end = on_end, .on_abort = on_abort, .on_room = on_room, .on_sent = on_sent};

static void on_request(struct um_handler *h, struct um_downstream *d, const struct um_request_in *rq)
{
    struct fixture *f = UM_CONTAINER(h, struct fixture, handler);
    assert_true(f->n_exchanges < EXCHANGES_MAX);
    struct exchange *x = &f->exchanges[f->n_exchanges++];
    *x = (struct exchange){.f = f, .d = d, .has_ended = rq->ends};
    snprintf(x->path, sizeof x->path, "%.*s", UM_STR_ARG(rq->head->path));
    d->exchange = x;
    d->exchange_ops = &OPS;
    if (rq->ends && f->answers)
        answer(x);
}

static void on_refused(struct um_handler *h, struct um_downstream *d, unsigned status, const char *why)
{
    (void)d;
    assert_non_null(why);
    UM_CONTAINER(h, struct fixture, handler)->refused_status = status;
}

/* ---- the fixture ----------------------------------------------------------------------------------- */

static void open_connection(struct fixture *f)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof addr;
    int one = 1, listening = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listening, (struct sockaddr *)&addr, n), 0);
    assert_int_equal(listen(listening, 1), 0);
    assert_int_equal(getsockname(listening, (struct sockaddr *)&addr, &n), 0);
    f->client = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(f->client, (struct sockaddr *)&addr, n), 0);
    setsockopt(f->client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    assert_int_equal(um_h1_accept(&f->env, accept4(listening, NULL, NULL, SOCK_NONBLOCK), NULL), 0);
    close(listening);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    *state = f;
    um_chunk_pool_init(&f->chunks, &f->ledger);
    um_worker_stats_init(&f->stats);
    um_buf_init(&f->received, 0);
    f->exchanges = calloc(EXCHANGES_MAX, sizeof *f->exchanges);
    f->handler = (struct um_handler){.on_request = on_request, .on_refused = on_refused};
    f->settings = (struct um_downstream_settings){.limits = {.head_bytes = 60 << 10, .fields = 100},
                                                  .head_timeout_ms = 60000,
                                                  .idle_timeout_ms = 60000,
                                                  .stall_timeout_ms = 60000};
    f->env = (struct um_downstream_env){&f->loop, &f->chunks, &f->stats, &f->settings, &f->handler, {0}, false};
    um_list_init(&f->env.connections);
    f->answers = true;
    if (um_loop_init(&f->loop))
        return -1;
    open_connection(f);
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    um_downstream_close_all(&f->env);
    um_loop_turn(&f->loop, 0);
    assert_true(um_list_empty(&f->env.connections));
    assert_int_equal(f->stats.cx_active, 0);
    for (unsigned i = 0; i < f->n_exchanges; i++)
        assert_null(f->exchanges[i].d); /* each was told its end */
    um_chunk_pool_release(&f->chunks);  /* asserts that no chunk is held */
    um_worker_stats_release(&f->stats);
    um_buf_release(&f->received);
    um_loop_release(&f->loop);
    close(f->client);
    free(f->exchanges);
    free(f);
    return 0;
}

/* ---- the client ------------------------------------------------------------------------------------ */

static void client_sends(struct fixture *f, const char *bytes, size_t n)
{
    assert_int_equal(send(f->client, bytes, n, MSG_NOSIGNAL), n);
}

static void client_says(struct fixture *f, const char *text)
{
    client_sends(f, text, strlen(text));
}

/* takes what is there; true if anything was, or the end */
static bool client_reads(struct fixture *f)
{
    char *to = um_buf_reserve(&f->received, 65536);
    ssize_t n = recv(f->client, to, 65536, MSG_DONTWAIT);
    if (n > 0)
        um_buf_grew(&f->received, (size_t)n);
    f->client_saw_end |= n == 0;
    return n >= 0;
}

static bool while_reading(struct fixture *f, bool condition)
{
    client_reads(f);
    return condition;
}

static bool has_received(struct fixture *f, const char *text)
{
    client_reads(f);
    return f->received.n && memmem(f->received.p, f->received.n, text, strlen(text));
}

static void expect(struct fixture *f, const char *text)
{
    KIT_TURN_UNTIL(&f->loop, has_received(f, text));
}

static void expect_end(struct fixture *f)
{
    KIT_TURN_UNTIL(&f->loop, while_reading(f, f->client_saw_end));
}

static bool all_sent(const struct fixture *f, unsigned n)
{
    return f->n_exchanges == n && f->exchanges[n - 1].was_sent;
}

/* ---- requests -------------------------------------------------------------------------------------- */

static const char CHUNKED[] = "POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                              "5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nx-sum: 1\r\n\r\n";

static void a_request_at_each_split(void **state)
{
    static const char *const REQUESTS[] = {"GET /a HTTP/1.1\r\nHost: a\r\n\r\n",
                                           "POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world",
                                           CHUNKED};
    struct fixture *f = *state;
    unsigned n = 0;
    for (int i = 0; i < 3; i++)
        for (size_t split = 1; split < strlen(REQUESTS[i]); split++) {
            client_sends(f, REQUESTS[i], split);
            um_loop_turn(&f->loop, 5);
            um_loop_turn(&f->loop, 0);
            client_says(f, REQUESTS[i] + split);
            n++;
            KIT_TURN_UNTIL(&f->loop, all_sent(f, n));
            assert_int_equal(f->exchanges[n - 1].n_body, i ? 11 : 0);
            assert_int_equal(f->exchanges[n - 1].n_trailers, i == 2);
        }
    assert_int_equal(f->stats.v[UM_CTR_CX_TOTAL], 1);
}

static void a_request_byte_by_byte(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof CHUNKED - 1; i++) {
        client_sends(f, CHUNKED + i, 1);
        um_loop_turn(&f->loop, 5);
    }
    KIT_TURN_UNTIL(&f->loop, all_sent(f, 1));
    assert_int_equal(f->exchanges[0].n_body, 11);
    assert_int_equal(f->exchanges[0].n_trailers, 1);
    expect(f, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n/c");
}

static void pipelined_requests_are_answered_in_turn(void **state)
{
    struct fixture *f = *state;
    f->answers = false;
    client_says(
        f, "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\n\r\n");
    for (unsigned i = 0; i < 3; i++) {
        KIT_TURN_UNTIL(&f->loop, f->n_exchanges == i + 1);
        kit_turn_for_ms(&f->loop, 5);
        assert_int_equal(f->n_exchanges, i + 1); /* the next one waits */
        answer(&f->exchanges[i]);
        KIT_TURN_UNTIL(&f->loop, f->exchanges[i].was_sent);
    }
    expect(f, "/3");
}

/* far more than one connection may buffer, behind a body that was worth large reads */
static void many_requests_behind_a_large_body(void **state)
{
    enum { BODY = 300000, REQUESTS = 10000 };
    struct fixture *f = *state;
    struct um_buf bytes;
    um_buf_init(&bytes, 0);
    um_buf_addf(&bytes, "POST /big HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", BODY);
    memset(um_buf_reserve(&bytes, BODY), 'x', BODY);
    um_buf_grew(&bytes, BODY);
    for (int i = 0; i < REQUESTS; i++)
        um_buf_addf(&bytes, "GET /%d HTTP/1.1\r\nHost: a\r\n\r\n", i);
    size_t sent = 0;
    f->answers = false;
    uint64_t end_ns = um_clock_ns() + 3 * KIT_PATIENCE_S * UM_NS_PER_S;
    while ((f->n_exchanges <= REQUESTS || !f->exchanges[REQUESTS].was_sent) && um_clock_ns() < end_ns) {
        ssize_t n = send(f->client, bytes.p + sent, bytes.n - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        sent += n > 0 ? (size_t)n : 0;
        um_loop_turn(&f->loop, 0);
        struct exchange *x = f->n_exchanges ? &f->exchanges[f->n_exchanges - 1] : NULL;
        if (x && x->d && x->has_ended && !f->answers)
            answer(x);
        f->answers = f->n_exchanges > 1; /* the first is answered late */
        client_reads(f);
    }
    um_buf_release(&bytes);
    assert_true(all_sent(f, REQUESTS + 1));
    assert_int_equal(f->exchanges[0].n_body, BODY);
}

static void what_is_no_request_is_refused(void **state)
{
    struct fixture *f = *state;
    client_says(f, "GET /a HTTP/1.1\r\nHost : a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(f, "HTTP/1.1 400 Bad Request\r\n");
    expect_end(f);
    assert_int_equal(f->refused_status, 400);
    assert_int_equal(f->n_exchanges, 0);
    assert_true(has_received(f, "connection: close\r\n"));
}

static void a_malformed_body_aborts_and_is_refused(void **state)
{
    struct fixture *f = *state;
    client_says(f, "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX");
    expect(f, "HTTP/1.1 400 Bad Request\r\n");
    expect_end(f);
    assert_int_equal(f->exchanges[0].abort_err, UM_EPROTO);
}

static void a_client_that_goes_away_is_an_abort(void **state)
{
    struct fixture *f = *state;
    struct linger hard = {.l_onoff = 1};
    f->answers = false;
    client_says(f, "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhello");
    KIT_TURN_UNTIL(&f->loop, f->n_exchanges && f->exchanges[0].n_body == 5);
    setsockopt(f->client, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(f->client);
    f->client = -1;
    KIT_TURN_UNTIL(&f->loop, f->exchanges[0].abort_err);
    assert_int_equal(f->exchanges[0].abort_err, UM_ERESET);
}

/* ---- answers --------------------------------------------------------------------------------------- */

static void an_answer_of_unknown_length(void **state)
{
    struct fixture *f = *state;
    f->answers = false;
    client_says(f, "GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    for (unsigned i = 0; i < 2; i++) {
        KIT_TURN_UNTIL(&f->loop, f->n_exchanges == i + 1);
        send_head(&f->exchanges[i], 200, UM_FRAMING_STREAM, 0, false);
        assert_int_equal(send_text(&f->exchanges[i], "hello", 5), 0);
        assert_int_equal(f->exchanges[i].d->ops->send_end(f->exchanges[i].d, NULL, 0), 0);
    }
    expect(f, "transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
    expect(f, "connection: close\r\n\r\nhello"); /* RFC 9112 section 6.3: to 1.0 it ends with the connection */
    expect_end(f);
}

static void an_answer_to_head_has_no_body(void **state)
{
    struct fixture *f = *state;
    f->answers = false;
    client_says(f, "HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n");
    KIT_TURN_UNTIL(&f->loop, f->n_exchanges == 1);
    answer(&f->exchanges[0]);
    KIT_TURN_UNTIL(&f->loop, all_sent(f, 1));
    expect(f, "content-length: 2\r\n\r\n");
    kit_turn_for_ms(&f->loop, 5);
    assert_false(has_received(f, "/a"));
}

static void a_slow_client_makes_the_answer_wait(void **state)
{
    static char block[65536];
    struct fixture *f = *state;
    size_t sent = 0;
    f->answers = false;
    client_says(f, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
    KIT_TURN_UNTIL(&f->loop, f->n_exchanges == 1);
    struct exchange *x = &f->exchanges[0];
    send_head(x, 200, UM_FRAMING_LENGTH, 64 * sizeof block, false);
    int rc = 0;
    for (; sent < 64; sent++) {
        rc = send_text(x, block, sizeof block);
        um_loop_turn(&f->loop, 0);
        if (rc == UM_EAGAIN && f->n_rooms == 0)
            break;
        f->n_rooms = 0;
    }
    assert_int_equal(rc, UM_EAGAIN); /* long before all of it is in memory */
    KIT_TURN_UNTIL(&f->loop, while_reading(f, f->n_rooms > 0));
    for (sent++; sent < 64; sent++)
        assert_true((rc = send_text(x, block, sizeof block)) == 0 || rc == UM_EAGAIN);
    assert_int_equal(x->d->ops->send_end(x->d, NULL, 0), 0);
    KIT_TURN_UNTIL(&f->loop, while_reading(f, x->was_sent && f->received.n > 64 * sizeof block));
}

static void an_answer_before_the_uploads_end(void **state)
{
    struct fixture *f = *state;
    f->answers = false;
    client_says(f, "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello");
    KIT_TURN_UNTIL(&f->loop, f->n_exchanges == 1);
    answer(&f->exchanges[0]);
    expect(f, "\r\n\r\n/a");
    assert_false(f->exchanges[0].was_sent); /* the exchange may want the rest */
    client_says(f, "world");
    KIT_TURN_UNTIL(&f->loop, all_sent(f, 1));
    assert_int_equal(f->exchanges[0].n_body, 10);
}

static void an_aborted_answer_is_seen_to_be_cut(void **state)
{
    struct fixture *f = *state;
    f->answers = false;
    client_says(f, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
    KIT_TURN_UNTIL(&f->loop, f->n_exchanges == 1);
    struct exchange *x = &f->exchanges[0];
    send_head(x, 200, UM_FRAMING_STREAM, 0, false);
    assert_int_equal(send_text(x, "hello", 5), 0);
    x->d->ops->abort(x->d);
    x->d = NULL;
    expect_end(f);
    assert_true(has_received(f, "5\r\nhello\r\n"));
    assert_false(has_received(f, "0\r\n\r\n"));
}

/* ---- ends ------------------------------------------------------------------------------------------ */

static void a_head_that_does_not_arrive_in_time(void **state)
{
    struct fixture *f = *state;
    f->settings.head_timeout_ms = 30;
    client_says(f, "GET /a HTTP/1.1\r\n");
    expect(f, "HTTP/1.1 408 Request Timeout\r\n");
    expect_end(f);
    assert_int_equal(f->refused_status, 408);
}

static void an_idle_connection_is_closed(void **state)
{
    struct fixture *f = *state;
    f->settings.idle_timeout_ms = 30;
    f->settings.head_timeout_ms = 10;
    client_says(f, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(f, "/a");
    expect_end(f);
    assert_int_equal(f->stats.v[UM_CTR_CX_IDLE_TIMEOUT], 1);
}

static void draining_ends_idle_connections_and_tells_busy_ones(void **state)
{
    struct fixture *f = *state;
    int idle = f->client;
    f->answers = false;
    open_connection(f);
    client_says(f, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
    KIT_TURN_UNTIL(&f->loop, f->n_exchanges == 1);
    um_downstream_drain(&f->env, NULL);
    KIT_TURN_UNTIL(&f->loop, recv(idle, &(char){0}, 1, MSG_DONTWAIT) == 0);
    close(idle);
    answer(&f->exchanges[0]);
    expect(f, "connection: close\r\n");
    expect_end(f);
}

static void a_connection_for_one_listener_only_is_drained(void **state)
{
    struct fixture *f = *state;
    um_downstream_drain(&f->env, f); /* not its listener */
    client_says(f, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
    KIT_TURN_UNTIL(&f->loop, all_sent(f, 1));
    assert_false(has_received(f, "connection: close"));
}

static void closing_all_aborts_what_is_under_way(void **state)
{
    struct fixture *f = *state;
    f->answers = false;
    client_says(f, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
    KIT_TURN_UNTIL(&f->loop, f->n_exchanges == 1);
    um_downstream_close_all(&f->env);
    assert_int_equal(f->exchanges[0].abort_err, UM_ERESET);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_request_at_each_split),
        TEST(a_request_byte_by_byte),
        TEST(pipelined_requests_are_answered_in_turn),
        TEST(many_requests_behind_a_large_body),
        TEST(what_is_no_request_is_refused),
        TEST(a_malformed_body_aborts_and_is_refused),
        TEST(a_client_that_goes_away_is_an_abort),
        TEST(an_answer_of_unknown_length),
        TEST(an_answer_to_head_has_no_body),
        TEST(a_slow_client_makes_the_answer_wait),
        TEST(an_answer_before_the_uploads_end),
        TEST(an_aborted_answer_is_seen_to_be_cut),
        TEST(a_head_that_does_not_arrive_in_time),
        TEST(an_idle_connection_is_closed),
        TEST(draining_ends_idle_connections_and_tells_busy_ones),
        TEST(a_connection_for_one_listener_only_is_drained),
        TEST(closing_all_aborts_what_is_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
