/* SPDX-License-Identifier: Apache-2.0
 * DestinationRules: which one counts, how its parts come together, and what a cluster takes from it. */
#include "compile_fixture.h"

#define SERVICE(name_, namespace_)                                                                                     \
    "apiVersion: v1\nkind: Service\nmetadata: { name: " name_ ", namespace: " namespace_ " }\n"                        \
    "spec: { ports: [{ name: http, port: 80 }, { name: http-b, port: 81 }] }\n---\n"
#define RULE(name_, namespace_, spec_)                                                                                 \
    "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: { name: " name_ ", namespace: " namespace_   \
    " }\nspec:\n" spec_ "---\n"

static const struct um_cluster *cluster(const struct fixture *f, const char *name)
{
    const struct um_cluster *c = um_snapshot_cluster(f->snapshot, um_str_from(name));
    assert_non_null(c);
    return c;
}

static void defaults_are_istios(void **state)
{
    struct fixture f;
    fixture_init(&f);
    fixture_load(&f, SERVICE("a", "default"));
    const struct um_cluster *c = cluster(&f, "outbound|80||a.default.svc.cluster.local");
    assert_int_equal(c->lb, UM_LB_LEAST_REQUEST);
    assert_int_equal(c->limits.max_connections, UINT32_MAX);
    assert_int_equal(c->limits.max_pending_requests, UINT32_MAX);
    assert_int_equal(c->limits.max_requests, UINT32_MAX);
    assert_int_equal(c->limits.max_retries, UINT32_MAX);
    assert_int_equal(c->limits.max_requests_per_connection, 0);
    assert_int_equal(c->limits.connect_timeout_ms, 10000);
    assert_int_equal(c->limits.idle_timeout_ms, 3600000);
    assert_int_equal(c->limits.max_connection_duration_ms, 0);
    assert_false(c->limits.has_keepalive);
    assert_int_equal(c->config_path.n, 0);
    assert_true(um_str_eq(c->service_name, UM_STR("a")));
    assert_true(um_str_eq(c->service_namespace, UM_STR("default")));
    fixture_release(&f);
}

static void connection_pool_in_full(void **state)
{
    struct fixture f;
    fixture_init(&f);
    fixture_load(&f, SERVICE("a", "default")
                         RULE("r", "default",
                              "  host: a\n  trafficPolicy:\n    loadBalancer: { simple: RANDOM }\n    connectionPool:\n"
                              "      tcp: { maxConnections: 1, connectTimeout: 2s, maxConnectionDuration: 3s, "
                              "idleTimeout: 4s, tcpKeepalive: { probes: 5, time: 6s, interval: 7s } }\n"
                              "      http: { http1MaxPendingRequests: 8, http2MaxRequests: 9, "
                              "maxRequestsPerConnection: 10, maxRetries: 11, idleTimeout: 12s }\n"));
    const struct um_cluster *c = cluster(&f, "outbound|80||a.default.svc.cluster.local");
    assert_int_equal(c->lb, UM_LB_RANDOM);
    assert_int_equal(c->limits.max_connections, 1);
    assert_int_equal(c->limits.connect_timeout_ms, 2000);
    assert_int_equal(c->limits.max_connection_duration_ms, 3000);
    assert_true(c->limits.has_keepalive);
    assert_int_equal(c->limits.keepalive_probes, 5);
    assert_int_equal(c->limits.keepalive_time_s, 6);
    assert_int_equal(c->limits.keepalive_interval_s, 7);
    assert_int_equal(c->limits.max_pending_requests, 8);
    assert_int_equal(c->limits.max_requests, 9);
    assert_int_equal(c->limits.max_requests_per_connection, 10);
    assert_int_equal(c->limits.max_retries, 11);
    assert_int_equal(c->limits.idle_timeout_ms, 12000);
    assert_true(
        um_str_eq(c->config_path, UM_STR("/apis/networking.istio.io/v1/namespaces/default/destination-rule/r")));
    fixture_release(&f);
}

/* a block is replaced, not merged: the subset's connectionPool.http loses the top level's tcp */
static void blocks_are_replaced_whole(void **state)
{
    struct fixture f;
    fixture_init(&f);
    fixture_load(&f, SERVICE("a", "default")
                         RULE("r", "default",
                              "  host: a\n"
                              "  trafficPolicy:\n"
                              "    loadBalancer: { simple: ROUND_ROBIN }\n"
                              "    connectionPool: { tcp: { maxConnections: 1 } }\n"
                              "    portLevelSettings:\n"
                              "      - { port: { number: 81 }, loadBalancer: { simple: RANDOM } }\n"
                              "  subsets:\n"
                              "    - name: http\n"
                              "      trafficPolicy: { connectionPool: { http: { http1MaxPendingRequests: 2 } } }\n"
                              "    - name: port\n"
                              "      trafficPolicy:\n"
                              "        portLevelSettings:\n"
                              "          - { port: { number: 80 }, connectionPool: { tcp: { maxConnections: 3 } } }\n"
                              "    - name: plain\n"));
    const struct um_cluster *c = cluster(&f, "outbound|80||a.default.svc.cluster.local");
    assert_int_equal(c->lb, UM_LB_ROUND_ROBIN);
    assert_int_equal(c->limits.max_connections, 1);
    c = cluster(&f, "outbound|81||a.default.svc.cluster.local"); /* a port's settings inherit nothing */
    assert_int_equal(c->lb, UM_LB_RANDOM);
    assert_int_equal(c->limits.max_connections, UINT32_MAX);
    c = cluster(&f, "outbound|80|http|a.default.svc.cluster.local");
    assert_int_equal(c->lb, UM_LB_ROUND_ROBIN);
    assert_int_equal(c->limits.max_connections, UINT32_MAX);
    assert_int_equal(c->limits.max_pending_requests, 2);
    c = cluster(&f, "outbound|80|port|a.default.svc.cluster.local"); /* nor do those of a subset's port */
    assert_int_equal(c->lb, UM_LB_LEAST_REQUEST);
    assert_int_equal(c->limits.max_connections, 3);
    c = cluster(&f, "outbound|81|port|a.default.svc.cluster.local");
    assert_int_equal(c->lb, UM_LB_RANDOM);
    c = cluster(&f, "outbound|80|plain|a.default.svc.cluster.local");
    assert_int_equal(c->lb, UM_LB_ROUND_ROBIN);
    assert_int_equal(c->limits.max_connections, 1);
    fixture_release(&f);
}

#define POLICY(lb_) "  trafficPolicy: { loadBalancer: { simple: " lb_ " } }\n"

/* the client's namespace, the service's, the root's; in each the exact host before the narrowest wildcard */
static void the_nearest_namespace_has_the_say(void **state)
{
    struct fixture f;
    fixture_init(&f);
    fixture_load(&f,
                 SERVICE("a", "team") SERVICE("b", "team") SERVICE("c", "other") SERVICE("d", "far")
                     RULE("own", "default", "  host: a.team.svc.cluster.local\n" POLICY("RANDOM"))
                         RULE("theirs", "team", "  host: a\n" POLICY("ROUND_ROBIN") "  subsets: [{ name: hidden }]\n")
                             RULE("wide", "team", "  host: '*.svc.cluster.local'\n" POLICY("RANDOM"))
                                 RULE("narrow", "team", "  host: '*.team.svc.cluster.local'\n" POLICY("ROUND_ROBIN"))
                                     RULE("root", "istio-system", "  host: '*'\n" POLICY("ROUND_ROBIN"))
                                         RULE("unseen", "far", "  host: d\n  exportTo: ['.']\n" POLICY("RANDOM")));
    assert_int_equal(cluster(&f, "outbound|80||a.team.svc.cluster.local")->lb, UM_LB_RANDOM);
    assert_null(um_snapshot_cluster(f.snapshot, UM_STR("outbound|80|hidden|a.team.svc.cluster.local")));
    assert_int_equal(cluster(&f, "outbound|80||b.team.svc.cluster.local")->lb, UM_LB_ROUND_ROBIN);
    assert_int_equal(cluster(&f, "outbound|80||c.other.svc.cluster.local")->lb, UM_LB_ROUND_ROBIN);
    assert_int_equal(cluster(&f, "outbound|80||d.far.svc.cluster.local")->lb, UM_LB_ROUND_ROBIN);
    fixture_release(&f);
}

static void rules_of_one_host_come_together(void **state)
{
    struct fixture f;
    fixture_init(&f);
    fixture_load(&f, SERVICE("a", "default")
                         RULE("zzz", "default",
                              "  host: a\n" POLICY(
                                  "RANDOM") "  subsets: [{ name: v2, labels: { version: other } }, { name: v3 }]\n")
                             RULE("aaa", "default",
                                  "  host: a.default.svc.cluster.local\n"
                                  "  subsets: [{ name: v1 }, { name: v2, labels: { version: v2 } }]\n")
                                 RULE("zzzz", "default", "  host: a\n" POLICY("ROUND_ROBIN")));
    const struct um_cluster *c = cluster(&f, "outbound|80|v1|a.default.svc.cluster.local");
    assert_int_equal(c->lb, UM_LB_RANDOM); /* of the oldest that has one */
    assert_true(
        um_str_eq(c->config_path, UM_STR("/apis/networking.istio.io/v1/namespaces/default/destination-rule/aaa")));
    cluster(&f, "outbound|80|v3|a.default.svc.cluster.local");
    const char *said = dump_diagnostics(&f);
    assert_non_null(strstr(said,
                           "DestinationRule/default/zzz: spec.subsets[0].name: subset 'v2' of this host is already "
                           "defined by the older DestinationRule/default/aaa, which counts"));
    assert_non_null(strstr(said, "DestinationRule/default/zzzz: spec.trafficPolicy: ignored: the policy of the older "
                                 "DestinationRule/default/zzz for the same host counts"));
    fixture_release(&f);
}

static void a_workload_selector_needs_labels(void **state)
{
    struct um_label label = {UM_STR_INIT("app"), UM_STR_INIT("client")};
    for (uint32_t n = 0; n < 2; n++) {
        struct fixture f;
        fixture_init(&f);
        f.options.labels = &label;
        f.options.n_labels = n;
        fixture_load(&f,
                     SERVICE("a", "default") RULE("r", "default",
                                                  "  host: a\n  workloadSelector: { matchLabels: { app: client } }\n" //
                                                  POLICY("RANDOM")));
        assert_int_equal(cluster(&f, "outbound|80||a.default.svc.cluster.local")->lb,
                         n ? UM_LB_RANDOM : UM_LB_LEAST_REQUEST);
        fixture_release(&f);
    }
}

static void passthrough_has_no_endpoints(void **state)
{
    struct fixture f;
    fixture_init(&f);
    fixture_endpoint(&f, "a", NULL, 8080);
    fixture_load(&f, SERVICE("a", "default") RULE("r", "default", "  host: a\n" POLICY("PASSTHROUGH")));
    const struct um_cluster *c = cluster(&f, "outbound|80||a.default.svc.cluster.local");
    assert_int_equal(c->lb, UM_LB_CLUSTER_PROVIDED);
    assert_int_equal(c->discovery, UM_DISCOVERY_ORIGINAL_DST);
    assert_int_equal(c->n_endpoints, 0);
    fixture_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_istios),
        cmocka_unit_test(connection_pool_in_full),
        cmocka_unit_test(blocks_are_replaced_whole),
        cmocka_unit_test(the_nearest_namespace_has_the_say),
        cmocka_unit_test(rules_of_one_host_come_together),
        cmocka_unit_test(a_workload_selector_needs_labels),
        cmocka_unit_test(passthrough_has_no_endpoints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
