/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dns_kit.h"
#include "upstream/dns.h"

#include <stdlib.h>

struct fixture {
    struct dns_kit kit;
    struct um_dns *dns;
    int n_sets, n_warm;
    char last_cluster[64];
    char last_set[512]; /* "ip:port/weight ip:port/weight" */
};

static void describe(const struct um_endpoint_set *set, char *out, size_t size)
{
    char addr[UM_SOCKADDR_TEXT_BYTES];
    size_t n = 0;
    out[0] = '\0';
    for (uint32_t i = 0; i < set->n; i++) {
        um_sockaddr_text(&set->endpoints[i].addr, addr);
        n += (size_t)snprintf(out + n, size - n, "%s%s/%u", i ? " " : "", addr, set->endpoints[i].weight);
    }
}

static void on_set(void *ctx, struct um_str cluster, struct um_endpoint_set *set)
{
    struct fixture *f = ctx;
    f->n_sets++;
    snprintf(f->last_cluster, sizeof f->last_cluster, "%.*s", UM_STR_ARG(cluster));
    describe(set, f->last_set, sizeof f->last_set);
    assert_ptr_equal(um_dns_get(f->dns, cluster), set);
}

static void on_warm(void *ctx)
{
    struct fixture *f = ctx;
    assert_true(um_dns_is_warm(f->dns));
    f->n_warm++;
}

static int setup(void **state)
{
    static const struct um_dns_events EVENTS = {on_set, on_warm};
    struct fixture *f = calloc(1, sizeof *f);
    *state = f;
    if (dns_kit_init(&f->kit))
        return -1;
    return um_dns_new(&f->kit.loop, f->kit.resolver, &EVENTS, f, &f->dns);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    um_dns_free(f->dns);
    dns_kit_release(&f->kit);
    free(f);
    return 0;
}

static struct um_cluster cluster_of(const char *name, enum um_discovery kind, struct um_dns_name *names, uint32_t n)
{
    return (struct um_cluster){.name = um_str_from(name), .discovery = kind, .dns_names = names, .n_dns_names = n};
}

static void set_clusters(struct fixture *f, const struct um_cluster *clusters, uint32_t n)
{
    f->n_sets = 0;
    assert_int_equal(um_dns_set_clusters(f->dns, clusters, n), 0);
    assert_int_equal(f->n_sets, 0); /* never from within */
}

static void assert_set(struct fixture *f, const char *cluster, const char *expected)
{
    char text[512];
    const struct um_endpoint_set *set = um_dns_get(f->dns, um_str_from(cluster));
    assert_non_null(set);
    describe(set, text, sizeof text);
    assert_string_equal(text, expected);
}

/* every name is asked once more */
static void refresh(struct fixture *f)
{
    unsigned before = f->kit.server.n_queries;
    f->n_sets = 0;
    dns_kit_skip_s(&f->kit, UM_DNS_REFRESH_MAX_S + 1);
    KIT_TURN_UNTIL(&f->kit.loop, f->kit.server.n_queries >= before + 1);
    kit_turn_for_ms(&f->kit.loop, 30);
}

static const struct dns_rr TWO_A[] = {{"a.test", DNS_A, "192.0.2.2", 60}, {"a.test", DNS_A, "192.0.2.1", 60}};

static void strict_takes_all_addresses_of_all_names(void **state)
{
    struct fixture *f = *state;
    const struct dns_rr rrs[] = {TWO_A[0], TWO_A[1], {"b.test", DNS_A, "192.0.2.0", 60}};
    struct um_dns_name names[] = {{UM_STR("a.test"), 80, 3, UM_STR("eu/west")}, {UM_STR("b.test"), 81, 0, {NULL, 0}}};
    const struct um_cluster c = cluster_of("c", UM_DISCOVERY_STRICT_DNS, names, 2);
    dns_server_serve(&f->kit.server, rrs, 3);
    set_clusters(f, &c, 1);
    assert_null(um_dns_get(f->dns, UM_STR("c")));
    assert_false(um_dns_is_warm(f->dns));
    KIT_TURN_UNTIL(&f->kit.loop, f->n_warm);
    assert_string_equal(f->last_cluster, "c");
    assert_string_equal(f->last_set, "192.0.2.0:81/1 192.0.2.1:80/3 192.0.2.2:80/3");
    const struct um_endpoint *e = &um_dns_get(f->dns, UM_STR("c"))->endpoints[1];
    assert_true(um_str_eq(e->hostname, UM_STR("a.test")) && um_str_eq(e->locality, UM_STR("eu/west")));
    assert_true(e->is_healthy);
}

static void logical_takes_one_address_of_the_first_name(void **state)
{
    struct fixture *f = *state;
    struct um_dns_name names[] = {{UM_STR("a.test"), 80, 1, {NULL, 0}}, {UM_STR("b.test"), 81, 1, {NULL, 0}}};
    const struct um_cluster c = cluster_of("c", UM_DISCOVERY_LOGICAL_DNS, names, 2);
    dns_server_serve(&f->kit.server, TWO_A, 2);
    set_clusters(f, &c, 1);
    KIT_TURN_UNTIL(&f->kit.loop, f->n_warm);
    assert_set(f, "c", "192.0.2.2:80/1");
}

static void an_address_of_two_names_counts_once(void **state)
{
    struct fixture *f = *state;
    const struct dns_rr rrs[] = {{"a.test", DNS_A, "192.0.2.1", 60}, {"b.test", DNS_A, "192.0.2.1", 60}};
    struct um_dns_name names[] = {{UM_STR("b.test"), 80, 1, {NULL, 0}},
                                  {UM_STR("a.test"), 80, 2, {NULL, 0}},
                                  {UM_STR("a.test"), 81, 1, {NULL, 0}}};
    const struct um_cluster c = cluster_of("c", UM_DISCOVERY_STRICT_DNS, names, 3);
    dns_server_serve(&f->kit.server, rrs, 2);
    set_clusters(f, &c, 1);
    KIT_TURN_UNTIL(&f->kit.loop, f->n_warm);
    assert_set(f, "c", "192.0.2.1:80/2 192.0.2.1:81/1");
}

static void a_shared_name_is_asked_once(void **state)
{
    struct fixture *f = *state;
    struct um_dns_name one = {UM_STR("a.test"), 80, 1, {NULL, 0}}, other = {UM_STR("a.test"), 90, 1, {NULL, 0}};
    const struct um_cluster clusters[] = {cluster_of("v1", UM_DISCOVERY_STRICT_DNS, &one, 1),
                                          cluster_of("v2", UM_DISCOVERY_STRICT_DNS, &other, 1),
                                          {.name = UM_STR("static")}};
    dns_server_serve(&f->kit.server, TWO_A, 2);
    set_clusters(f, clusters, 3);
    KIT_TURN_UNTIL(&f->kit.loop, f->n_sets == 2);
    assert_int_equal(f->kit.server.n_queries, 1);
    assert_set(f, "v1", "192.0.2.1:80/1 192.0.2.2:80/1");
    assert_set(f, "v2", "192.0.2.1:90/1 192.0.2.2:90/1");
    assert_null(um_dns_get(f->dns, UM_STR("static")));
}

static void only_changes_are_told(void **state)
{
    struct fixture *f = *state;
    const struct dns_rr turned[] = {TWO_A[1], TWO_A[0]};
    struct um_dns_name name = {UM_STR("a.test"), 80, 1, {NULL, 0}};
    const struct um_cluster c = cluster_of("c", UM_DISCOVERY_STRICT_DNS, &name, 1);
    dns_server_serve(&f->kit.server, TWO_A, 2);
    set_clusters(f, &c, 1);
    KIT_TURN_UNTIL(&f->kit.loop, f->n_sets == 1);
    const struct um_endpoint_set *first = um_dns_get(f->dns, UM_STR("c"));
    dns_server_serve(&f->kit.server, turned, 2);
    refresh(f);
    assert_int_equal(f->n_sets, 0);
    assert_ptr_equal(um_dns_get(f->dns, UM_STR("c")), first);
    dns_server_serve(&f->kit.server, turned, 1);
    refresh(f);
    KIT_TURN_UNTIL(&f->kit.loop, f->n_sets == 1);
    assert_string_equal(f->last_set, "192.0.2.1:80/1");
    dns_server_serve(&f->kit.server, NULL, 0);
    refresh(f);
    assert_int_equal(f->n_sets, 0);
    assert_set(f, "c", "192.0.2.1:80/1");
}

static void warm_though_nothing_resolves(void **state)
{
    struct fixture *f = *state;
    struct um_dns_name names[] = {{UM_STR("a.test"), 80, 1, {NULL, 0}}, {UM_STR("b.test"), 80, 1, {NULL, 0}}};
    const struct um_cluster c = cluster_of("c", UM_DISCOVERY_STRICT_DNS, names, 2);
    f->kit.server.is_silent = true;
    set_clusters(f, &c, 1);
    KIT_TURN_UNTIL(&f->kit.loop, f->n_warm);
    assert_int_equal(f->n_sets, 0);
    assert_null(um_dns_get(f->dns, UM_STR("c")));
}

static void new_configuration_keeps_what_is_known(void **state)
{
    struct fixture *f = *state;
    struct um_dns_name name = {UM_STR("a.test"), 80, 1, {NULL, 0}}, moved = {UM_STR("a.test"), 90, 5, {NULL, 0}};
    const struct um_cluster before = cluster_of("c", UM_DISCOVERY_STRICT_DNS, &name, 1);
    dns_server_serve(&f->kit.server, TWO_A, 2);
    set_clusters(f, &before, 1);
    KIT_TURN_UNTIL(&f->kit.loop, f->n_sets == 1);
    struct um_endpoint_set *set = um_endpoint_set_ref(um_dns_get(f->dns, UM_STR("c")));
    unsigned n_queries = f->kit.server.n_queries;

    set_clusters(f, &before, 1);
    assert_ptr_equal(um_dns_get(f->dns, UM_STR("c")), set);
    const struct um_cluster after[] = {cluster_of("c", UM_DISCOVERY_STRICT_DNS, &moved, 1),
                                       cluster_of("d", UM_DISCOVERY_LOGICAL_DNS, &name, 1)};
    set_clusters(f, after, 2);
    assert_true(um_dns_is_warm(f->dns));
    assert_set(f, "c", "192.0.2.1:90/5 192.0.2.2:90/5");
    assert_set(f, "d", "192.0.2.2:80/1");
    KIT_TURN_UNTIL(&f->kit.loop, f->n_sets == 2);
    assert_int_equal(f->kit.server.n_queries, n_queries);
    um_endpoint_set_unref(set);
}

/* the cluster has other names now: its old endpoints serve until the new ones have answered */
static void old_set_serves_until_new_names_answer(void **state)
{
    struct fixture *f = *state;
    const struct dns_rr rrs[] = {{"a.test", DNS_A, "192.0.2.1", 60}, {"b.test", DNS_A, "192.0.2.8", 60}};
    struct um_dns_name a = {UM_STR("a.test"), 80, 1, {NULL, 0}}, b = {UM_STR("b.test"), 80, 1, {NULL, 0}};
    const struct um_cluster before = cluster_of("c", UM_DISCOVERY_STRICT_DNS, &a, 1),
                            after = cluster_of("c", UM_DISCOVERY_STRICT_DNS, &b, 1);
    dns_server_serve(&f->kit.server, rrs, 2);
    set_clusters(f, &before, 1);
    KIT_TURN_UNTIL(&f->kit.loop, f->n_sets == 1);
    set_clusters(f, &after, 1);
    assert_set(f, "c", "192.0.2.1:80/1");
    assert_false(um_dns_is_warm(f->dns));
    KIT_TURN_UNTIL(&f->kit.loop, f->n_warm == 2);
    assert_set(f, "c", "192.0.2.8:80/1");
}

static void removed_clusters_are_forgotten(void **state)
{
    struct fixture *f = *state;
    struct um_dns_name name = {UM_STR("a.test"), 80, 1, {NULL, 0}};
    const struct um_cluster c = cluster_of("c", UM_DISCOVERY_STRICT_DNS, &name, 1);
    dns_server_serve(&f->kit.server, TWO_A, 2);
    set_clusters(f, &c, 1); /* its query is under way when it goes */
    set_clusters(f, NULL, 0);
    assert_true(um_dns_is_warm(f->dns));
    KIT_TURN_UNTIL(&f->kit.loop, f->n_warm);
    kit_turn_for_ms(&f->kit.loop, 50);
    assert_int_equal(f->n_sets, 0);
    assert_null(um_dns_get(f->dns, UM_STR("c")));
}

/* a set that was not told yet is told after the clusters were replaced */
static void replaced_before_it_was_told(void **state)
{
    struct fixture *f = *state;
    struct um_dns_name literal = {UM_STR("192.0.2.5"), 80, 1, {NULL, 0}};
    const struct um_cluster c = cluster_of("c", UM_DISCOVERY_STRICT_DNS, &literal, 1);
    set_clusters(f, &c, 1);
    KIT_TURN_UNTIL(&f->kit.loop, f->n_sets == 1);
    const struct um_cluster two[] = {c, cluster_of("d", UM_DISCOVERY_STRICT_DNS, &literal, 1)};
    set_clusters(f, two, 2);
    set_clusters(f, two, 2);
    KIT_TURN_UNTIL(&f->kit.loop, f->n_sets == 1);
    assert_string_equal(f->last_cluster, "d");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(strict_takes_all_addresses_of_all_names),
        TEST(logical_takes_one_address_of_the_first_name),
        TEST(an_address_of_two_names_counts_once),
        TEST(a_shared_name_is_asked_once),
        TEST(only_changes_are_told),
        TEST(warm_though_nothing_resolves),
        TEST(new_configuration_keeps_what_is_known),
        TEST(old_set_serves_until_new_names_answer),
        TEST(removed_clusters_are_forgotten),
        TEST(replaced_before_it_was_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
