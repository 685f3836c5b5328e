/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/counters.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

static void add_endpoint(struct um_worker_stats *s, uint32_t cluster, const char *address, uint64_t rq_total)
{
    s->endpoints = realloc(s->endpoints, (s->n_endpoints + 1) * sizeof *s->endpoints);
    assert_non_null(s->endpoints);
    struct um_endpoint_stats *e = &s->endpoints[s->n_endpoints++];
    *e = (struct um_endpoint_stats){.cluster = cluster, .rq_total = rq_total};
    snprintf(e->address, sizeof e->address, "%s", address);
}

static uint64_t endpoint_requests(const struct um_worker_stats *s, uint32_t cluster, const char *address)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < s->n_endpoints; i++)
        if (s->endpoints[i].cluster == cluster && strcmp(s->endpoints[i].address, address) == 0)
            sum += s->endpoints[i].rq_total;
    return sum;
}

static void fill(struct um_worker_stats *s, uint32_t n_clusters, uint32_t n_shadows, uint64_t unit)
{
    um_worker_stats_init(s);
    assert_int_equal(um_worker_stats_grow(s, n_clusters, n_shadows), 0);
    for (int i = 0; i < UM_CTR_COUNT; i++)
        s->v[i] = unit * (uint64_t)(i + 1);
    s->cx_active = (int64_t)unit;
    s->rq_active = -(int64_t)unit;
    s->shadow_memory_bytes = (int64_t)unit * 100;
    um_histogram_add_ns(&s->loop_lag_ms, unit);
    for (uint32_t i = 0; i < n_clusters; i++) {
        s->clusters[i].v[UM_CLU_RQ_TOTAL] = unit * (i + 1);
        um_histogram_add_ns(&s->clusters[i].rq_time_ms, unit);
    }
    for (uint32_t i = 0; i < n_shadows; i++) {
        struct um_shadow_stats *sh = &s->shadows[i];
        sh->matched = unit * 6;
        sh->mirrored = unit * 5;
        sh->active = unit;
        sh->skipped[UM_SKIP_COUNT - 1] = unit;
        sh->completed[2] = unit * 2;
        sh->dropped[UM_DROP_COUNT - 1] = unit * 2;
        um_histogram_add_ns(&sh->duration_ms, unit);
    }
}

static void labels_come_from_the_tables(void **state)
{
    assert_string_equal(um_skip_label(UM_SKIP_SAMPLED_OUT), "sampled_out");
    assert_string_equal(um_skip_label(UM_SKIP_SAME_ENDPOINT), "same_endpoint");
    assert_string_equal(um_drop_label(UM_DROP_CONNECT_FAILED), "connect_failed");
    assert_string_equal(um_drop_label(UM_DROP_SHUTDOWN), "shutdown");
    assert_string_equal(um_cluster_counter_rows[UM_CLU_RQ_TOTAL].name, "upstream_rq_total");
    assert_false(um_cluster_counter_rows[UM_CLU_RQ_TOTAL].is_gauge);
    assert_true(um_cluster_counter_rows[UM_CLU_RQ_ACTIVE].is_gauge);
    assert_string_equal(um_counter_rows[UM_CTR_RQ_TOTAL].name, "http.downstream_rq_total");
    assert_string_equal(um_code_classes[5], "5xx");
}

static void growing_keeps_and_clears(void **state)
{
    struct um_worker_stats s;
    fill(&s, 2, 1, 7);
    assert_int_equal(um_worker_stats_grow(&s, 40, 30), 0);
    assert_int_equal(s.n_clusters, 40);
    assert_int_equal(s.n_shadows, 30);
    assert_int_equal(s.clusters[1].v[UM_CLU_RQ_TOTAL], 14);
    assert_int_equal(s.shadows[0].matched, 42);
    for (uint32_t i = 2; i < 40; i++)
        assert_int_equal(s.clusters[i].v[UM_CLU_RQ_TOTAL] | s.clusters[i].rq_time_ms.count, 0);
    for (uint32_t i = 1; i < 30; i++)
        assert_int_equal(s.shadows[i].matched | s.shadows[i].duration_ms.count, 0);
    assert_int_equal(um_worker_stats_grow(&s, 1, 1), 0);
    assert_int_equal(s.n_clusters, 40);
    assert_int_equal(s.n_shadows, 30);
    um_worker_stats_release(&s);
}

static void check_sum(const struct um_worker_stats *s, uint64_t units, uint64_t in_third)
{
    for (int i = 0; i < UM_CTR_COUNT; i++)
        assert_int_equal(s->v[i], units * (uint64_t)(i + 1));
    assert_int_equal(s->cx_active, units);
    assert_int_equal(s->rq_active, -(int64_t)units);
    assert_int_equal(s->shadow_memory_bytes, units * 100);
    assert_int_equal(s->loop_lag_ms.sum_ns, units);
    assert_int_equal(s->clusters[1].v[UM_CLU_RQ_TOTAL], units * 2);
    assert_int_equal(s->clusters[2].v[UM_CLU_RQ_TOTAL], in_third * 3);
    const struct um_shadow_stats *sh = &s->shadows[0];
    assert_int_equal(sh->matched, sh->mirrored + sh->skipped[UM_SKIP_COUNT - 1]);
    assert_int_equal(sh->mirrored, sh->completed[2] + sh->dropped[UM_DROP_COUNT - 1] + sh->active);
    assert_int_equal(sh->matched, units * 6);
    assert_int_equal(sh->duration_ms.sum_ns, units);
}

static void workers_add_up(void **state)
{
    struct um_worker_stats a, b, sum;
    fill(&a, 2, 1, 10);
    fill(&b, 3, 2, 1);
    add_endpoint(&a, 0, "10.0.0.1:80", 5);
    add_endpoint(&a, 0, "10.0.0.2:80", 6);
    add_endpoint(&b, 0, "10.0.0.2:80", 60);
    add_endpoint(&b, 1, "10.0.0.1:80", 70);
    add_endpoint(&b, 256, "10.0.0.1:80", 80);
    um_worker_stats_init(&sum);
    assert_int_equal(um_worker_stats_add(&sum, &a), 0);
    assert_int_equal(um_worker_stats_add(&sum, &b), 0);
    check_sum(&sum, 11, 1);
    assert_int_equal(sum.n_endpoints, 4);
    assert_int_equal(endpoint_requests(&sum, 0, "10.0.0.1:80"), 5);
    assert_int_equal(endpoint_requests(&sum, 0, "10.0.0.2:80"), 66);
    assert_int_equal(endpoint_requests(&sum, 1, "10.0.0.1:80"), 70);
    assert_int_equal(endpoint_requests(&sum, 256, "10.0.0.1:80"), 80);
    um_worker_stats_release(&a);
    um_worker_stats_release(&b);
    um_worker_stats_release(&sum);
}

static void a_copy_replaces_and_is_deep(void **state)
{
    struct um_worker_stats from, to;
    fill(&from, 3, 1, 3);
    add_endpoint(&from, 2, "[::1]:80", 9);
    fill(&to, 5, 4, 1000);
    add_endpoint(&to, 0, "10.0.0.1:80", 1);
    assert_int_equal(um_worker_stats_copy(&to, &from), 0);
    from.clusters[1].v[UM_CLU_RQ_TOTAL] = from.shadows[0].matched = from.endpoints[0].rq_total = 12345;
    check_sum(&to, 3, 3);
    assert_int_equal(to.n_clusters, 5);
    assert_int_equal(to.clusters[4].v[UM_CLU_RQ_TOTAL], 0);
    assert_int_equal(to.shadows[3].matched, 0);
    assert_int_equal(to.n_endpoints, 1);
    assert_int_equal(endpoint_requests(&to, 2, "[::1]:80"), 9);
    um_worker_stats_release(&from);
    um_worker_stats_release(&to);
}

static void names_keep_their_index(void **state)
{
    struct um_stat_names names;
    uint32_t index;
    char text[32];
    um_stat_names_init(&names);
    for (int round = 0; round < 2; round++)
        for (uint32_t i = 0; i < 500; i++) {
            struct um_str name = {text, (size_t)snprintf(text, sizeof text, "cluster-%u", i)};
            assert_int_equal(um_stat_names_cluster(&names, name, &index), 0);
            assert_int_equal(index, i);
            assert_int_equal(um_stat_names_shadow(&names, name, UM_STR("shadow"), &index), 0);
            assert_int_equal(index, i);
        }
    memset(text, 'x', sizeof text); /* names are the registry's own copies */
    assert_int_equal(names.n_clusters, 500);
    assert_true(um_str_eq(names.clusters[499], UM_STR("cluster-499")));
    assert_true(um_str_eq(names.shadows[499].route, UM_STR("cluster-499")));
    assert_true(um_str_eq(names.shadows[499].shadow, UM_STR("shadow")));
    um_stat_names_release(&names);
}

static void route_and_shadow_do_not_run_together(void **state)
{
    struct um_stat_names names;
    uint32_t a, b, c;
    um_stat_names_init(&names);
    assert_int_equal(um_stat_names_shadow(&names, UM_STR("ab"), UM_STR("c"), &a), 0);
    assert_int_equal(um_stat_names_shadow(&names, UM_STR("a"), UM_STR("bc"), &b), 0);
    assert_int_equal(um_stat_names_shadow(&names, UM_STR(""), UM_STR(""), &c), 0);
    assert_true(a != b && b != c && a != c);
    assert_int_equal(um_stat_names_cluster(&names, (struct um_str){NULL, 0}, &a), 0);
    assert_int_equal(a, 0);
    um_stat_names_release(&names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_come_from_the_tables),
        cmocka_unit_test(growing_keeps_and_clears),
        cmocka_unit_test(workers_add_up),
        cmocka_unit_test(a_copy_replaces_and_is_deep),
        cmocka_unit_test(names_keep_their_index),
        cmocka_unit_test(route_and_shadow_do_not_run_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
