/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "upstream/upstream.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

enum { HOSTS_MAX = 8, DRAWS = 40000 };

/* one worker with one cluster, whose endpoints are 192.0.2.1, 192.0.2.2, ... on port 80 */
struct fixture {
    struct um_loop loop;
    struct um_ledger ledger;
    struct um_chunk_pool chunks;
    struct um_worker_stats stats;
    struct um_rand rand;
    struct um_upstream upstream;
    struct um_upstream_registry registry;
    struct um_cluster cluster;
    struct um_endpoint endpoints[HOSTS_MAX];
    uint32_t drawn[HOSTS_MAX];
};

static struct um_endpoint endpoint(unsigned number, uint32_t weight)
{
    struct um_endpoint e = {.weight = weight, .is_healthy = true};
    char ip[32];
    int n = snprintf(ip, sizeof ip, "192.0.2.%u", number);
    assert_int_equal(um_sockaddr_parse((struct um_str){ip, (size_t)n}, 80, &e.addr), 0);
    return e;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    *state = f;
    um_chunk_pool_init(&f->chunks, &f->ledger);
    um_worker_stats_init(&f->stats);
    um_rand_init_seed(&f->rand, 17);
    um_upstream_registry_init(&f->registry);
    f->cluster = (struct um_cluster){.name = UM_STR("outbound|80||a.test"), .lb = UM_LB_ROUND_ROBIN};
    for (unsigned i = 0; i < HOSTS_MAX; i++)
        f->endpoints[i] = endpoint(i + 1, 1);
    if (um_loop_init(&f->loop) || um_worker_stats_grow(&f->stats, 2, 0))
        return -1;
    um_upstream_init(&f->upstream, &f->loop, &f->chunks, &f->stats, &f->rand);
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    um_upstream_release(&f->upstream);
    um_upstream_registry_release(&f->registry);
    um_worker_stats_release(&f->stats);
    um_chunk_pool_release(&f->chunks);
    um_loop_release(&f->loop);
    free(f);
    return 0;
}

static struct um_cluster_rt *apply(struct fixture *f, const struct um_endpoint *endpoints, uint32_t n)
{
    struct um_endpoint_set *set = um_endpoint_set_new(endpoints, n);
    struct um_cluster_update update;
    assert_int_equal(um_upstream_registry_update(&f->registry, &f->cluster, set, &update), 0);
    um_endpoint_set_unref(set);
    assert_int_equal(um_upstream_apply(&f->upstream, &update), 0);
    um_cluster_update_release(&update);
    um_loop_turn(&f->loop, 0); /* hosts that have gone are freed */
    return um_upstream_cluster(&f->upstream, &f->cluster);
}

static struct um_host *pick_from(struct um_cluster_rt *rt, enum um_side side)
{
    struct um_host *h = NULL;
    assert_int_equal(um_upstream_pick(rt, side, NULL, 0, &h), UM_PICK_OK);
    assert_non_null(h);
    assert_int_equal(h->side, side);
    return h;
}

static struct um_host *pick(struct um_cluster_rt *rt)
{
    return pick_from(rt, UM_SIDE_PRIMARY);
}

/* 192.0.2.N -> N - 1 */
static unsigned number_of(const struct um_host *h)
{
    return (ntohl(h->addr.u.v4.sin_addr.s_addr) & 0xff) - 1;
}

static void draw(struct fixture *f, struct um_cluster_rt *rt, int n)
{
    memset(f->drawn, 0, sizeof f->drawn);
    while (n--)
        f->drawn[number_of(pick(rt))]++;
}

/* within 5 % of what is expected of DRAWS */
static void assert_share(const struct fixture *f, unsigned number, double share)
{
    double expected = DRAWS * share;
    assert_true(f->drawn[number] > expected * 0.95 && f->drawn[number] < expected * 1.05);
}

static void round_robin_takes_turns(void **state)
{
    struct fixture *f = *state;
    struct um_cluster_rt *rt = apply(f, f->endpoints, 3);
    draw(f, rt, 300);
    for (int i = 0; i < 3; i++)
        assert_int_equal(f->drawn[i], 100);
}

static void random_is_even(void **state)
{
    struct fixture *f = *state;
    f->cluster.lb = UM_LB_RANDOM;
    draw(f, apply(f, f->endpoints, 4), DRAWS);
    for (unsigned i = 0; i < 4; i++)
        assert_share(f, i, 0.25);
}

static void weights_are_kept_by_every_policy(void **state)
{
    static const enum um_lb_policy POLICIES[] = {UM_LB_ROUND_ROBIN, UM_LB_RANDOM, UM_LB_LEAST_REQUEST};
    struct fixture *f = *state;
    const struct um_endpoint weighted[] = {endpoint(1, 1), endpoint(2, 3), endpoint(3, 6)};
    for (size_t i = 0; i < sizeof POLICIES / sizeof *POLICIES; i++) {
        f->cluster.lb = POLICIES[i];
        draw(f, apply(f, weighted, 3), DRAWS);
        assert_share(f, 0, 0.1);
        assert_share(f, 1, 0.3);
        assert_share(f, 2, 0.6);
    }
}

static void least_request_prefers_the_idle(void **state)
{
    struct fixture *f = *state;
    f->cluster.lb = UM_LB_LEAST_REQUEST;
    struct um_cluster_rt *rt = apply(f, f->endpoints, 2);
    struct um_host *busy = rt->sides[UM_SIDE_PRIMARY].hosts[0];
    busy->rq_active = 10;
    draw(f, rt, DRAWS);
    assert_share(f, number_of(busy), 0.25); /* only when both choices fall on it */
    busy->rq_active = 0;
    draw(f, rt, DRAWS);
    assert_share(f, 0, 0.5);
}

static void endpoints_that_are_not_ready_get_nothing(void **state)
{
    struct fixture *f = *state;
    f->endpoints[0].is_healthy = f->endpoints[2].is_healthy = false;
    for (int lb = UM_LB_LEAST_REQUEST; lb <= UM_LB_RANDOM; lb++) {
        f->cluster.lb = (enum um_lb_policy)lb;
        draw(f, apply(f, f->endpoints, 4), 1000);
        assert_int_equal(f->drawn[0] + f->drawn[2], 0);
        assert_true(f->drawn[1] && f->drawn[3]);
    }
}

static void nobody_to_pick(void **state)
{
    struct fixture *f = *state;
    struct um_host *h = NULL;
    struct um_cluster_rt *rt = apply(f, f->endpoints, 0);
    assert_int_equal(um_upstream_pick(rt, UM_SIDE_PRIMARY, NULL, 0, &h), UM_PICK_NONE);
    assert_false(um_upstream_has_host(rt, UM_SIDE_PRIMARY));
    f->endpoints[0].is_healthy = false;
    rt = apply(f, f->endpoints, 1);
    assert_int_equal(um_upstream_pick(rt, UM_SIDE_SHADOW, NULL, 0, &h), UM_PICK_NONE);
    assert_false(um_upstream_has_host(rt, UM_SIDE_SHADOW));
    assert_false(um_upstream_has_host(NULL, UM_SIDE_PRIMARY));
    f->endpoints[0].is_healthy = true;
    assert_true(um_upstream_has_host(apply(f, f->endpoints, 1), UM_SIDE_PRIMARY));
}

static void a_retry_goes_elsewhere_if_it_can(void **state)
{
    struct fixture *f = *state;
    struct um_host *h;
    f->cluster.lb = UM_LB_RANDOM;
    struct um_cluster_rt *rt = apply(f, f->endpoints, 4);
    const struct um_host *avoid = rt->sides[UM_SIDE_PRIMARY].hosts[1];
    int n_avoided = 0;
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(um_upstream_pick(rt, UM_SIDE_PRIMARY, avoid, 5, &h), UM_PICK_OK);
        n_avoided += h != avoid;
    }
    assert_true(n_avoided > 990); /* 1 - 4^-6 */
    rt = apply(f, f->endpoints, 1);
    assert_int_equal(um_upstream_pick(rt, UM_SIDE_PRIMARY, pick(rt), 5, &h), UM_PICK_OK);
    assert_ptr_equal(h, pick(rt));
}

static void open_breaker(struct fixture *f, const struct um_host *h)
{
    for (int i = 0; i < UM_BREAKER_FAILURES; i++)
        um_breaker_failure(h->shared, f->loop.now_ns / UM_NS_PER_MS, &f->rand);
}

static void a_broken_shadow_is_avoided_and_then_ejected(void **state)
{
    struct fixture *f = *state;
    struct um_host *h;
    struct um_cluster_rt *rt = apply(f, f->endpoints, 2);
    struct um_host **shadows = rt->sides[UM_SIDE_SHADOW].hosts;
    open_breaker(f, shadows[0]);
    for (int i = 0; i < 10; i++)
        assert_ptr_equal(pick_from(rt, UM_SIDE_SHADOW), shadows[1]);
    open_breaker(f, shadows[1]);
    assert_int_equal(um_upstream_pick(rt, UM_SIDE_SHADOW, NULL, 0, &h), UM_PICK_EJECTED);
    draw(f, rt, 10); /* production's side of the same endpoints does not notice */
    assert_int_equal(f->drawn[0], 5);
    f->loop.now_ns += 2 * UM_BREAKER_DELAY_MS * UM_NS_PER_MS;
    struct um_host *probe = pick_from(rt, UM_SIDE_SHADOW);
    assert_ptr_not_equal(pick_from(rt, UM_SIDE_SHADOW), probe); /* one probe each */
    assert_int_equal(um_upstream_pick(rt, UM_SIDE_SHADOW, NULL, 0, &h), UM_PICK_EJECTED);
}

static void an_endpoint_that_stays_keeps_its_host(void **state)
{
    struct fixture *f = *state;
    struct um_cluster_rt *rt = apply(f, f->endpoints, 2);
    struct um_host *first = rt->sides[UM_SIDE_PRIMARY].hosts[0], *second = rt->sides[UM_SIDE_PRIMARY].hosts[1];
    struct um_host_shared *shared = first->shared;
    const struct um_endpoint after[] = {f->endpoints[4], endpoint(2, 7)};
    rt = apply(f, after, 2);
    assert_int_equal(rt->sides[UM_SIDE_PRIMARY].n_hosts, 2);
    assert_ptr_equal(rt->sides[UM_SIDE_PRIMARY].hosts[1], second);
    assert_int_equal(second->weight, 7);
    rt = apply(f, f->endpoints, 1); /* it comes back: a new host, the process's breaker of old */
    assert_ptr_equal(rt->sides[UM_SIDE_PRIMARY].hosts[0]->shared, shared);
}

static void an_address_that_stands_twice_is_harmless(void **state)
{
    struct fixture *f = *state;
    const struct um_endpoint twice[] = {f->endpoints[0], f->endpoints[0], f->endpoints[1]};
    for (int i = 0; i < 3; i++)
        draw(f, apply(f, twice, 3), 30);
    draw(f, apply(f, f->endpoints + 1, 1), 10);
    assert_int_equal(f->drawn[1], 10);
}

static void sides_and_processes_share_what_they_should(void **state)
{
    struct fixture *f = *state;
    struct um_cluster_rt *rt = apply(f, f->endpoints, 1);
    const struct um_host *primary = rt->sides[UM_SIDE_PRIMARY].hosts[0], *shadow = rt->sides[UM_SIDE_SHADOW].hosts[0];
    assert_ptr_not_equal(primary->shared, shadow->shared);
    struct um_cluster_shared *shared = rt->shared;
    assert_ptr_equal(apply(f, f->endpoints, 3)->shared, shared);
    f->cluster.index = 1;
    f->cluster.name = UM_STR("outbound|80|v2|a.test");
    rt = apply(f, f->endpoints, 1);
    assert_ptr_not_equal(rt->shared, shared);
    assert_ptr_not_equal(rt->sides[UM_SIDE_PRIMARY].hosts[0]->shared, primary->shared);
}

static void same_endpoints_in_any_order(void **state)
{
    struct fixture *f = *state;
    const struct um_endpoint turned[] = {f->endpoints[1], f->endpoints[0]};
    struct um_cluster_rt *a = apply(f, f->endpoints, 2);
    f->cluster.index = 1;
    f->cluster.name = UM_STR("outbound|80|v2|a.test");
    struct um_cluster_rt *b = apply(f, turned, 2);
    assert_true(um_upstream_same_endpoints(a, b));
    b = apply(f, f->endpoints + 1, 2);
    assert_false(um_upstream_same_endpoints(a, b));
    b = apply(f, f->endpoints, 1);
    assert_false(um_upstream_same_endpoints(a, b));
    b = apply(f, f->endpoints, 0);
    assert_false(um_upstream_same_endpoints(b, b));
}

static void limits_count_up_to_their_bound(void **state)
{
    _Atomic uint32_t count = 0, *a, *b, *c;
    (void)state;
    assert_true(um_limit_take(&count, 2, &a) && um_limit_take(&count, 2, &b));
    assert_false(um_limit_take(&count, 2, &c));
    assert_null(c);
    assert_int_equal(count, 2);
    um_limit_give(&a);
    um_limit_give(&a);
    assert_int_equal(count, 1);
    assert_true(um_limit_take(&count, 2, &a));
    assert_false(um_limit_take(&count, 0, &c));
    assert_true(um_limit_take(&count, UINT32_MAX, &c)); /* no limit: not counted */
    um_limit_give(&c);
    assert_int_equal(count, 2);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(round_robin_takes_turns),
        TEST(random_is_even),
        TEST(weights_are_kept_by_every_policy),
        TEST(least_request_prefers_the_idle),
        TEST(endpoints_that_are_not_ready_get_nothing),
        TEST(nobody_to_pick),
        TEST(a_retry_goes_elsewhere_if_it_can),
        TEST(a_broken_shadow_is_avoided_and_then_ejected),
        TEST(an_endpoint_that_stays_keeps_its_host),
        TEST(an_address_that_stands_twice_is_harmless),
        TEST(sides_and_processes_share_what_they_should),
        TEST(same_endpoints_in_any_order),
        cmocka_unit_test(limits_count_up_to_their_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
