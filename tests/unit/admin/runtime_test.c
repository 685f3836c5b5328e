/* SPDX-License-Identifier: Apache-2.0
 * What the workers counted: /clusters, /shadow, /stats. */
#include "fixture.h"

/* ---- /clusters ------------------------------------------------------------------------------------ */

static void clusters_as_text(void **state)
{
    struct fixture *f = *state;
    const char *text = get(f, "/clusters", 200);
    assert_says(text, "outbound|8000|v1|httpbin.default.svc.cluster.local::observability_name::outbound|8000|v1|httpbin"
                      ".default.svc.cluster.local\n");
    assert_says(text, "outbound|80||ext.example.com::default_priority::max_requests::30\n");
    assert_says(text, "outbound|80||ext.example.com::added_via_api::true\n");
    assert_says(text, "outbound|8000|v1|httpbin.default.svc.cluster.local::10.0.0.1:8080::rq_total::12\n"
                      "outbound|8000|v1|httpbin.default.svc.cluster.local::10.0.0.1:8080::cx_active::0\n");
    assert_says(text, "outbound|8000|v1|httpbin.default.svc.cluster.local::[fd00::1]:8080::rq_total::0\n");
    assert_says(text, "::[fd00::1]:8080::health_flags::/failed_eds_health\n");
    assert_says(text, "::[fd00::1]:8080::weight::2\n");
    assert_says(text, "::10.0.0.1:8080::health_flags::healthy\n");
    assert_says(text, "::10.0.0.1:8080::region::eu\n");
    assert_says(text, "::10.0.0.1:8080::sub_zone::1\n");
    assert_says(text, "::10.0.0.2:8080::hostname::pod-2\n");
    assert_says(text, "::10.0.0.2:8080::health_flags::/failed_outlier_check\n");
}

static void clusters_as_json(void **state)
{
    struct fixture *f = *state;
    json_t *tree = get_json(f, "/clusters?format=json");
    assert_int_equal(json_array_size(at(tree, "cluster_statuses")), SCENE_CLUSTERS);
    assert_json(
        at(tree, "cluster_statuses.1"),
        "{'name': 'outbound|8000|v2|httpbin.default.svc.cluster.local', 'added_via_api': true, 'host_statuses': [{"
        " 'address': {'socket_address': {'address': '10.0.0.2', 'port_value': 8080}}, 'stats': ["
        "{'name': 'cx_connect_fail'}, {'value': '3', 'name': 'cx_total'}, {'name': 'rq_error'}, {'name': 'rq_success'},"
        "{'name': 'rq_timeout'}, {'value': '9', 'name': 'rq_total'}, {'type': 'GAUGE', 'value': '1', 'name': "
        "'cx_active'},"
        "{'type': 'GAUGE', 'name': 'rq_active'}],"
        " 'health_status': {'failed_outlier_check': true, 'eds_health_status': 'HEALTHY'}, 'weight': 1, 'hostname': "
        "'pod-2',"
        " 'locality': {}}],"
        " 'circuit_breakers': {'thresholds': [{'max_connections': 4294967295, 'max_pending_requests': 4294967295,"
        " 'max_requests': 4294967295, 'max_retries': 4294967295}]},"
        " 'observability_name': 'outbound|8000|v2|httpbin.default.svc.cluster.local',"
        " 'eds_service_name': 'outbound|8000|v2|httpbin.default.svc.cluster.local'}");
    assert_json(at(tree, "cluster_statuses.0.host_statuses.1.health_status"), "{'eds_health_status': 'UNHEALTHY'}");
    assert_null(json_object_get(at(tree, "cluster_statuses.2"), "host_statuses"));
    json_decref(tree);
}

/* ---- /shadow -------------------------------------------------------------------------------------- */

static void accounting_as_text(void **state)
{
    struct fixture *f = *state;
    const char *text = get(f, "/shadow", 200);
    assert_says(text, "mirroring: on\nmemory: 4096 of 67108864 bytes\n\n");
    assert_says(text, "route                 switch    matched    skipped   mirrored  completed    dropped   active\n");
    assert_says(text, "httpbin.default/main  on             12          3          9          6          2        1\n"
                      "    to outbound|8000|v2|httpbin.default.svc.cluster.local\n"
                      "    skipped: sampled_out 2, method 1\n"
                      "    dropped: timeout 2\n");
    assert_says(text, "httpbin.default/main  on              0          0          0          0          0        0\n"
                      "    to outbound|80||ext.example.com\nhttpbin.default/main");
}

static void accounting_as_json(void **state)
{
    static const uint8_t OFF[] = {0, 1};
    struct fixture *f = *state;
    f->view.is_off = OFF;
    f->view.n_is_off = 2;
    json_t *tree = get_json(f, "/shadow?format=json");
    assert_json(at(tree, "shadows.0"),
                "{'route': 'httpbin.default/main', 'shadow': 'outbound|8000|v2|httpbin.default.svc.cluster.local', "
                "'enabled': true,"
                " 'matched': 12, 'skipped': {'sampled_out': 2, 'method': 1}, 'mirrored': 9, 'completed': {'2xx': 6},"
                " 'dropped': {'timeout': 2}, 'active': 1}");
    assert_json(at(tree, "shadows.1.enabled"), "false");
    assert_json(at(tree, "shadows.2.enabled"), "true"); /* made after the switches were last set */
    assert_json(at(tree, "enabled"), "true");
    assert_json(at(tree, "memory_bytes"), "4096");
    assert_json(at(tree, "memory_limit_bytes"), "67108864");
    json_decref(tree);
}

static void switched_off_altogether(void **state)
{
    struct fixture *f = *state;
    f->view.is_all_off = true;
    assert_says(get(f, "/shadow", 200), "mirroring: off\n");
    json_t *tree = get_json(f, "/shadow?format=json");
    assert_json(at(tree, "enabled"), "false");
    assert_json(at(tree, "shadows.2.enabled"), "false");
    json_decref(tree);
}

static void switches_for_all_and_for_one_route(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(post(f, "/shadow?enable=false", 200), "OK: mirroring of all routes is off\n");
    assert_false(f->recorded.is_on);
    assert_string_equal(f->recorded.route, "");
    assert_string_equal(post(f, "/shadow?enable=true&route=httpbin.default/main", 200),
                        "OK: mirroring of route httpbin.default/main is on\n");
    assert_true(f->recorded.is_on);
    assert_string_equal(f->recorded.route, "httpbin.default/main");
    assert_int_equal(f->recorded.n, 2);
}

static void an_unknown_route_gets_the_nearest(void **state)
{
    static const char *const MORE[] = {"shop.default/cart", "httpbin.default/maim", "aaa.bbb/ccc",
                                       "httpbin.default/mail"};
    struct fixture *f = *state;
    uint32_t index;
    for (size_t i = 0; i < sizeof MORE / sizeof MORE[0]; i++)
        assert_int_equal(um_stat_names_shadow(&f->names, um_str_from(MORE[i]), SCENE_CLUSTER_NAMES[0], &index), 0);
    assert_string_equal(post(f, "/shadow?enable=false&route=httpbin.default/mai", 404),
                        "no route 'httpbin.default/mai' has a mirror"
                        " (nearest: httpbin.default/main, httpbin.default/maim, httpbin.default/mail)\n");
    assert_says(post(f, "/shadow?enable=false&route=", 404), "no route ''");
    assert_int_equal(f->recorded.n, 0);
}

static void no_route_has_a_mirror(void **state)
{
    struct fixture *f = *state;
    um_stat_names_release(&f->names);
    um_stat_names_init(&f->names);
    assert_says(post(f, "/shadow?enable=false&route=a", 404), "no route 'a' has a mirror (there is none at all)");
    assert_says(get(f, "/shadow", 200), "route  switch");
}

/* ---- /stats --------------------------------------------------------------------------------------- */

static void stats_in_every_format(void **state)
{
    struct fixture *f = *state;
    assert_says(get(f, "/stats", 200),
                "cluster.outbound|8000|v1|httpbin.default.svc.cluster.local.upstream_rq_total: 12\n");
    assert_string_equal(f->response.content_type, "text/plain; charset=UTF-8");
    json_t *tree = get_json(f, "/stats?format=json&filter=v1.*upstream_rq_total%24&usedonly");
    assert_json(tree, "{'stats': [{'name': "
                      "'cluster.outbound|8000|v1|httpbin.default.svc.cluster.local.upstream_rq_total', 'value': 12}]}");
    json_decref(tree);
    char *page = strdup(get(f, "/stats?format=prometheus", 200));
    assert_string_equal(f->response.content_type, "text/plain; version=0.0.4; charset=utf-8");
    assert_says(page, "umbra_shadow_matched_total{route=\"httpbin.default/main\",");
    assert_string_equal(get(f, "/stats/prometheus", 200), page);
    assert_string_equal(get(f, "/stats/prometheus?usedonly", 200), page);
    free(page);
}

static void stats_filter(void **state)
{
    struct fixture *f = *state;
    const char *text = get(f, "/stats?filter=upstream_rq_total&usedonly", 200);
    assert_says(text, "upstream_rq_total: 12");
    assert_silent(text, "upstream_cx");
    assert_silent(text, ": 0\n");
    assert_string_equal(get(f, "/stats?filter=no.such.stat", 200), "");
    assert_says(get(f, "/stats?filter=a(", 400), "Invalid regex: ");
    assert_says(get(f, "/stats?format=prometheus&filter=a", 400), "'filter' is for the formats text and json");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(clusters_as_text),
        TEST(clusters_as_json),
        TEST(accounting_as_text),
        TEST(accounting_as_json),
        TEST(switched_off_altogether),
        TEST(switches_for_all_and_for_one_route),
        TEST(an_unknown_route_gets_the_nearest),
        TEST(no_route_has_a_mirror),
        TEST(stats_in_every_format),
        TEST(stats_filter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
