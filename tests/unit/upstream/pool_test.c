/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../io/kit.h"
#include "upstream/leg.h"
#include "upstream/pool.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { LEGS_MAX = 64 };

struct test_leg {
    struct um_leg leg;
    bool is_started, has_head, has_ended, has_failed;
    unsigned status;
    size_t n_body;
    struct um_leg_failure failure;
};

/* a worker with one cluster of one endpoint, which is the test itself: a listening socket and what it accepted */
struct fixture {
    struct um_loop loop;
    struct um_budget budget;
    struct um_ledger ledger;
    struct um_chunk_pool chunks;
    struct um_worker_stats stats;
    struct um_rand rand;
    struct um_upstream upstream;
    struct um_upstream_registry registry;
    struct um_cluster cluster;
    struct um_endpoint endpoint;
    struct um_cluster_rt *rt;
    int listening;
    struct test_leg legs[LEGS_MAX];
};

/* ---- the sink -------------------------------------------------------------------------------------- */

static struct test_leg *of(struct um_leg *leg)
{
    return UM_CONTAINER(leg, struct test_leg, leg);
}

static void on_head(struct um_leg *leg, const struct um_head *head, struct um_chunk *holder, bool ends)
{
    (void)holder;
    (void)ends;
    of(leg)->has_head = true;
    of(leg)->status = head->status;
}

static void on_body(struct um_leg *leg, const struct um_slice *s)
{
    of(leg)->n_body += s->n;
}

static void on_end(struct um_leg *leg, const struct um_field *trailers, uint32_t n)
{
    (void)trailers;
    (void)n;
    assert_false(of(leg)->has_ended || of(leg)->has_failed);
    of(leg)->has_ended = true;
}

static void on_fail(struct um_leg *leg, const struct um_leg_failure *failure)
{
    assert_true(of(leg)->is_started); /* never from within start */
    assert_false(of(leg)->has_ended || of(leg)->has_failed);
    of(leg)->has_failed = true;
    of(leg)->failure = *failure;
}

static const struct um_leg_sink SINK = {.on_head = on_head, .on_body = on_body, .on_end = on_end, .on_fail = on_fail};

/* ---- the fixture ----------------------------------------------------------------------------------- */

static void apply(struct fixture *f)
{
    struct um_endpoint_set *set = um_endpoint_set_new(&f->endpoint, 1);
    struct um_cluster_update update;
    assert_int_equal(um_upstream_registry_update(&f->registry, &f->cluster, set, &update), 0);
    um_endpoint_set_unref(set);
    assert_int_equal(um_upstream_apply(&f->upstream, &update), 0);
    um_cluster_update_release(&update);
    f->rt = um_upstream_cluster(&f->upstream, &f->cluster);
}

static int listen_on_loopback(struct um_sockaddr *ret_addr)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (um_sockaddr_parse(UM_STR("127.0.0.1"), 0, ret_addr) || bind(fd, &ret_addr->u.any, ret_addr->n) ||
        listen(fd, LEGS_MAX) || getsockname(fd, &ret_addr->u.any, &ret_addr->n))
        return -1;
    return fd;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    *state = f;
    f->budget.limit_bytes = 16 << 20;
    f->ledger.budget = &f->budget;
    um_chunk_pool_init(&f->chunks, &f->ledger);
    um_worker_stats_init(&f->stats);
    um_rand_init_seed(&f->rand, 17);
    um_upstream_registry_init(&f->registry);
    f->cluster.name = UM_STR("outbound|80||a.test");
    f->cluster.limits = (struct um_cluster_limits){.max_connections = UINT32_MAX,
                                                   .max_pending_requests = UINT32_MAX,
                                                   .max_requests = UINT32_MAX,
                                                   .max_retries = UINT32_MAX,
                                                   .connect_timeout_ms = 10000,
                                                   .idle_timeout_ms = 3600000};
    f->endpoint = (struct um_endpoint){.weight = 1, .is_healthy = true};
    f->listening = listen_on_loopback(&f->endpoint.addr);
    if (f->listening < 0 || um_loop_init(&f->loop) || um_worker_stats_grow(&f->stats, 1, 0))
        return -1;
    um_upstream_init(&f->upstream, &f->loop, &f->chunks, &f->stats, &f->rand);
    apply(f);
    return 0;
}

/* nothing is left: no memory, no budget, no count towards a limit */
static int teardown(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < LEGS_MAX; i++)
        if (f->legs[i].is_started)
            um_leg_cancel(&f->legs[i].leg);
    const struct um_cluster_shared *shared = f->rt->shared;
    um_upstream_release(&f->upstream);
    for (int side = 0; side < UM_SIDES; side++) {
        assert_int_equal(shared->sides[side].connections, 0);
        assert_int_equal(shared->sides[side].pending, 0);
        assert_int_equal(shared->sides[side].requests, 0);
    }
    assert_int_equal(f->ledger.held, 0);
    um_upstream_registry_release(&f->registry);
    um_worker_stats_release(&f->stats);
    um_chunk_pool_release(&f->chunks); /* asserts that no chunk is held */
    um_loop_release(&f->loop);
    close(f->listening);
    free(f);
    return 0;
}

static uint64_t *counters(struct fixture *f)
{
    return f->stats.clusters[0].v;
}

static int start_leg(struct fixture *f, enum um_side side, int i)
{
    const struct um_head head = {.version = UM_HTTP_11,
                                 .method = UM_METHOD_GET,
                                 .method_name = UM_STR("GET"),
                                 .authority = UM_STR("a.test"),
                                 .path = UM_STR("/")};
    const struct um_edits edits = {0};
    const struct um_leg_request rq = {.head = &head, .edits = &edits, .framing = UM_FRAMING_NONE};
    struct um_host *h;
    assert_int_equal(um_upstream_pick(f->rt, side, NULL, 0, &h), UM_PICK_OK);
    f->legs[i] = (struct test_leg){0};
    int rc = um_leg_start(&f->legs[i].leg, h, &rq, &SINK, f);
    f->legs[i].is_started = rc == 0;
    return rc;
}

/* the next connection that waits on the server's side, or -1 */
static int accept_now(struct fixture *f)
{
    return accept4(f->listening, NULL, NULL, SOCK_NONBLOCK);
}

static int accept_next(struct fixture *f)
{
    int fd = -1;
    KIT_TURN_UNTIL(&f->loop, (fd = accept_now(f)) >= 0);
    return fd;
}

static int accept_all(struct fixture *f, int *fds, int most)
{
    int n = 0;
    while (n < most && (fds[n] = accept_now(f)) >= 0)
        n++;
    return n;
}

/* true once a whole request without body has come */
static bool takes_request(int fd)
{
    char bytes[2048];
    ssize_t n = recv(fd, bytes, sizeof bytes - 1, 0);
    if (n <= 0)
        return false;
    bytes[n] = '\0';
    assert_non_null(strstr(bytes, "\r\n\r\n"));
    return true;
}

static void serve(struct fixture *f, int fd, const char *answer)
{
    KIT_TURN_UNTIL(&f->loop, takes_request(fd));
    assert_int_equal(send(fd, answer, strlen(answer), MSG_NOSIGNAL), strlen(answer));
}

static const char OK[] = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/* ---- connections ----------------------------------------------------------------------------------- */

static void a_connection_serves_one_leg_after_the_other(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(start_leg(f, UM_SIDE_PRIMARY, 0), 0);
    int fd = accept_next(f);
    for (int i = 0; i < 3; i++) {
        if (i)
            assert_int_equal(start_leg(f, UM_SIDE_PRIMARY, i), 0);
        serve(f, fd, OK);
        KIT_TURN_UNTIL(&f->loop, f->legs[i].has_ended);
        assert_int_equal(f->legs[i].status, 200);
        assert_int_equal(f->legs[i].n_body, 2);
    }
    assert_int_equal(counters(f)[UM_CLU_CX_TOTAL], 1);
    close(fd);
}

static void an_answer_at_each_split(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(start_leg(f, UM_SIDE_PRIMARY, 0), 0);
    int fd = accept_next(f);
    for (size_t split = 1; split < sizeof OK - 1; split++) {
        if (split > 1)
            assert_int_equal(start_leg(f, UM_SIDE_PRIMARY, 0), 0);
        KIT_TURN_UNTIL(&f->loop, takes_request(fd));
        assert_int_equal(send(fd, OK, split, 0), split);
        um_loop_turn(&f->loop, 1);
        um_loop_turn(&f->loop, 0);
        assert_int_equal(send(fd, OK + split, sizeof OK - 1 - split, 0), sizeof OK - 1 - split);
        KIT_TURN_UNTIL(&f->loop, f->legs[0].has_ended);
        assert_int_equal(f->legs[0].n_body, 2);
    }
    assert_int_equal(counters(f)[UM_CLU_CX_TOTAL], 1);
    close(fd);
}

static void closing_answers_end_the_connection(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(start_leg(f, UM_SIDE_PRIMARY, 0), 0);
    int fd = accept_next(f);
    serve(f, fd, "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    KIT_TURN_UNTIL(&f->loop, f->legs[0].has_ended);
    um_loop_turn(&f->loop, 0);
    assert_int_equal(counters(f)[UM_CLU_CX_ACTIVE], 0);
    close(fd);
}

static void a_refused_connect_fails_the_leg(void **state)
{
    struct fixture *f = *state;
    close(f->listening);
    assert_int_equal(start_leg(f, UM_SIDE_PRIMARY, 0), 0);
    KIT_TURN_UNTIL(&f->loop, f->legs[0].has_failed);
    assert_int_equal(f->legs[0].failure.err, UM_EREFUSED);
    assert_true(f->legs[0].failure.is_connect);
    assert_int_equal(counters(f)[UM_CLU_CX_CONNECT_FAIL], 1);
    f->listening = -1;
}

static void a_server_that_hangs_up_fails_the_leg(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(start_leg(f, UM_SIDE_PRIMARY, 0), 0);
    int fd = accept_next(f);
    KIT_TURN_UNTIL(&f->loop, takes_request(fd));
    close(fd);
    KIT_TURN_UNTIL(&f->loop, f->legs[0].has_failed);
    assert_false(f->legs[0].failure.is_connect);
    assert_false(f->legs[0].failure.has_answer);
    assert_false(f->legs[0].failure.is_unprocessed); /* its kernel had the request */
}

static void a_cancelled_leg_hears_nothing(void **state)
{
    struct fixture *f = *state;
    char byte;
    assert_int_equal(start_leg(f, UM_SIDE_PRIMARY, 0), 0);
    int fd = accept_next(f);
    KIT_TURN_UNTIL(&f->loop, takes_request(fd));
    um_leg_cancel(&f->legs[0].leg);
    kit_turn_for_ms(&f->loop, 10);
    assert_int_equal(recv(fd, &byte, 1, 0), -1); /* reset: an answer to it must not meet the next leg */
    assert_int_equal(errno, ECONNRESET);
    assert_false(f->legs[0].has_failed || f->legs[0].has_ended);
    close(fd);
}

/* ---- limits ---------------------------------------------------------------------------------------- */

static void requests_beyond_the_limit_are_refused(void **state)
{
    struct fixture *f = *state;
    f->cluster.limits.max_requests = 2;
    apply(f);
    assert_int_equal(start_leg(f, UM_SIDE_PRIMARY, 0), 0);
    assert_int_equal(start_leg(f, UM_SIDE_PRIMARY, 1), 0);
    assert_int_equal(start_leg(f, UM_SIDE_PRIMARY, 2), UM_ELIMIT);
    assert_int_equal(start_leg(f, UM_SIDE_SHADOW, 3), 0); /* copies have counts of their own */
    um_leg_cancel(&f->legs[0].leg);
    assert_int_equal(start_leg(f, UM_SIDE_PRIMARY, 4), 0);
}

static void waiting_requests_beyond_the_limit_are_refused(void **state)
{
    struct fixture *f = *state;
    f->cluster.limits.max_connections = 1;
    f->cluster.limits.max_pending_requests = 1;
    apply(f);
    assert_int_equal(start_leg(f, UM_SIDE_PRIMARY, 0), 0); /* waits for the connect */
    assert_int_equal(start_leg(f, UM_SIDE_PRIMARY, 1), UM_ELIMIT);
    int fd = accept_next(f);
    KIT_TURN_UNTIL(&f->loop, takes_request(fd));
    assert_int_equal(start_leg(f, UM_SIDE_PRIMARY, 1), 0); /* waits for the connection */
    assert_int_equal(start_leg(f, UM_SIDE_PRIMARY, 2), UM_ELIMIT);
    assert_int_equal(send(fd, OK, sizeof OK - 1, 0), sizeof OK - 1);
    serve(f, fd, OK);
    KIT_TURN_UNTIL(&f->loop, f->legs[1].has_ended);
    assert_int_equal(counters(f)[UM_CLU_CX_TOTAL], 1);
    close(fd);
}

static void connections_stay_within_their_limit(void **state)
{
    struct fixture *f = *state;
    int fds[LEGS_MAX];
    f->cluster.limits.max_connections = 3;
    apply(f);
    for (int i = 0; i < 10; i++)
        assert_int_equal(start_leg(f, UM_SIDE_PRIMARY, i), 0);
    kit_turn_for_ms(&f->loop, 50);
    assert_int_equal(accept_all(f, fds, LEGS_MAX), 3);
    for (int i = 0; i < 10; i++)
        serve(f, fds[i % 3], OK);
    for (int i = 0; i < 10; i++)
        KIT_TURN_UNTIL(&f->loop, f->legs[i].has_ended);
    for (int i = 0; i < 3; i++)
        close(fds[i]);
}

/* a reload changes the limits while legs are under way: what they counted is what they give back */
static void limits_that_come_and_go_leave_no_counts(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(start_leg(f, UM_SIDE_PRIMARY, 0), 0);
    f->cluster.limits.max_requests = f->cluster.limits.max_pending_requests = f->cluster.limits.max_connections = 1;
    apply(f);
    um_leg_cancel(&f->legs[0].leg);
    int gone = accept_next(f);
    kit_turn_for_ms(&f->loop, 10);
    assert_int_equal(start_leg(f, UM_SIDE_PRIMARY, 1), 0);
    assert_int_equal(start_leg(f, UM_SIDE_PRIMARY, 2), UM_ELIMIT);
    f->cluster.limits.max_requests = f->cluster.limits.max_pending_requests = UINT32_MAX;
    apply(f);
    um_leg_cancel(&f->legs[1].leg);
    assert_int_equal(f->rt->shared->sides[UM_SIDE_PRIMARY].requests, 0);
    assert_int_equal(f->rt->shared->sides[UM_SIDE_PRIMARY].pending, 0);
    close(gone);
}

/* ---- copies ---------------------------------------------------------------------------------------- */

static void copies_open_few_connections_per_turn(void **state)
{
    struct fixture *f = *state;
    int fds[LEGS_MAX];
    for (int i = 0; i < 40; i++)
        assert_int_equal(start_leg(f, UM_SIDE_SHADOW, i), 0);
    assert_int_equal(counters(f)[UM_CLU_CX_TOTAL], 0); /* put off to the end of the turn */
    um_loop_turn(&f->loop, 0);
    assert_int_equal(counters(f)[UM_CLU_CX_TOTAL], UM_SHADOW_CONNECTS_PER_TURN);
    um_loop_turn(&f->loop, 0);
    assert_in_range(counters(f)[UM_CLU_CX_TOTAL], UM_SHADOW_CONNECTS_PER_TURN, 2 * UM_SHADOW_CONNECTS_PER_TURN);
    KIT_TURN_UNTIL(&f->loop, counters(f)[UM_CLU_CX_TOTAL] == 40);
    kit_turn_for_ms(&f->loop, 20);
    int n = accept_all(f, fds, LEGS_MAX);
    assert_int_equal(n, 40);
    while (n--)
        close(fds[n]);
}

static void a_dead_shadow_opens_its_breaker(void **state)
{
    struct fixture *f = *state;
    struct um_host *h;
    close(f->listening);
    f->listening = -1;
    for (int i = 0; i < UM_BREAKER_FAILURES; i++) {
        assert_int_equal(start_leg(f, UM_SIDE_SHADOW, i), 0);
        KIT_TURN_UNTIL(&f->loop, f->legs[i].has_failed);
        assert_true(f->legs[i].failure.is_connect);
    }
    assert_int_equal(um_upstream_pick(f->rt, UM_SIDE_SHADOW, NULL, 0, &h), UM_PICK_EJECTED);
    assert_int_equal(um_upstream_pick(f->rt, UM_SIDE_PRIMARY, NULL, 0, &h), UM_PICK_OK);
}

static void waiting_copies_are_charged_and_given_back(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 20; i++)
        assert_int_equal(start_leg(f, UM_SIDE_SHADOW, i), 0);
    assert_true(f->ledger.held >= 20 * 512);
    for (int i = 0; i < 20; i++)
        um_leg_cancel(&f->legs[i].leg);
    assert_int_equal(f->ledger.held, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_connection_serves_one_leg_after_the_other), TEST(an_answer_at_each_split),
        TEST(closing_answers_end_the_connection),          TEST(a_refused_connect_fails_the_leg),
        TEST(a_server_that_hangs_up_fails_the_leg),        TEST(a_cancelled_leg_hears_nothing),
        TEST(requests_beyond_the_limit_are_refused),       TEST(waiting_requests_beyond_the_limit_are_refused),
        TEST(connections_stay_within_their_limit),         TEST(limits_that_come_and_go_leave_no_counts),
        TEST(copies_open_few_connections_per_turn),        TEST(a_dead_shadow_opens_its_breaker),
        TEST(waiting_copies_are_charged_and_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
