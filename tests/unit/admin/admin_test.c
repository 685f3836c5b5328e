/* SPDX-License-Identifier: Apache-2.0
 * The way of a call: who may ask, methods, paths, parameters, forms; and the endpoints that are texts. */
#include "fixture.h"

/* ---- who may ask ---------------------------------------------------------------------------------- */

static const char *get_as(struct fixture *f, const char *host, unsigned status)
{
    return ask(
        f, &(struct um_admin_request){.method = UM_STR("GET"), .target = UM_STR("/ready"), .host = um_str_from(host)},
        status);
}

static void hosts_that_are_addresses_or_known_names_may_ask(void **state)
{
    static const struct um_str NAMES[] = {UM_STR_INIT("umbra.internal")};
    static const char *const GOOD[] = {"",
                                       "localhost",
                                       "LOCALHOST:15000",
                                       "127.0.0.1",
                                       "127.0.0.1:15000",
                                       "10.1.2.3:9",
                                       "[::1]:15000",
                                       "[fd00::1]",
                                       "umbra.internal:15000",
                                       "Umbra.Internal"};
    static const char *const BAD[] = {
        "evil.example", "evil.example:15000",         "localhost.evil.example", "127.0.0.1.evil.example",
        "1.2.3",        "umbra.internal.evil.example"};
    struct fixture *f = *state;
    f->view.host_names = NAMES;
    f->view.n_host_names = 1;
    for (size_t i = 0; i < sizeof GOOD / sizeof GOOD[0]; i++)
        get_as(f, GOOD[i], 200);
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        assert_says(get_as(f, BAD[i], 403), "by IP address or as localhost");
}

static void pages_of_other_sites_may_not_write(void **state)
{
    struct fixture *f = *state;
    struct um_admin_request rq = {
        .method = UM_STR("POST"), .target = UM_STR("/reload"), .host = UM_STR("localhost:15000")};
    static const char *const BAD[] = {"http://evil.example", "null", "http://localhost", "https://localhost:15000",
                                      "http://"};
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        rq.origin = um_str_from(BAD[i]);
        assert_says(ask(f, &rq, 403), "may not change anything");
    }
    assert_int_equal(f->recorded.n, 0);
    rq.origin = UM_STR("http://LocalHost:15000");
    ask(f, &rq, 200);
    assert_int_equal(f->recorded.n, 1);
}

/* ---- methods, paths, parameters ------------------------------------------------------------------- */

static void head_is_answered_as_get(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(ask(f, &(struct um_admin_request){.method = UM_STR("HEAD"), .target = UM_STR("/ready")}, 200),
                        "LIVE\n");
}

static void verbs_that_write_want_post(void **state)
{
    static const char *const PATHS[] = {"/quitquitquit", "/reload", "/logging?level=debug"};
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof PATHS / sizeof PATHS[0]; i++) {
        assert_says(get(f, PATHS[i], 405), "Method GET not allowed, POST required.");
        assert_string_equal(field(f, "allow"), "POST");
    }
    assert_says(get(f, "/shadow?enable=false", 405), "POST required");
    assert_string_equal(field(f, "allow"), "GET, HEAD, POST");
    assert_int_equal(f->recorded.n, 0);
}

static void what_only_reads_wants_get(void **state)
{
    struct fixture *f = *state;
    assert_says(post(f, "/config_dump", 405), "Method POST not allowed, GET required.");
    assert_string_equal(field(f, "allow"), "GET, HEAD");
    struct um_admin_request rq = {.method = UM_STR("DELETE"), .target = UM_STR("/shadow")};
    ask(f, &rq, 405);
    assert_string_equal(field(f, "allow"), "GET, HEAD, POST");
}

static void unknown_paths_get_the_list(void **state)
{
    static const char *const PATHS[] = {"/nothing", "/ready/", "/Ready", "", "*", "/reset_counters", "/runtime"};
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof PATHS / sizeof PATHS[0]; i++) {
        const char *text = get(f, PATHS[i], 404);
        assert_says(text, "invalid path. admin commands are:\n");
        assert_says(text, "  /shadow (POST): switches mirroring off and on");
    }
    post(f, "/nothing", 404);
}

static void unknown_and_wrong_parameters_are_named(void **state)
{
    struct fixture *f = *state;
    assert_says(get(f, "/ready?x=1", 400), "/ready takes no parameter 'x'");
    assert_says(get(f, "/clusters?format=xml", 400), "parameter 'format': expected text|json, not 'xml'");
    assert_says(get(f, "/clusters?format=", 400), "expected text|json, not ''");
    assert_says(get(f, "/clusters?format=json&format=text", 400), "parameter 'format' is given twice");
    assert_says(post(f, "/logging", 400), "/logging needs the parameter 'level' (debug|info|warning|error)");
    assert_says(get(f, "/stats?filter=%4", 400), "'filter=%4': malformed input");
    assert_says(get(f, "/stats?filter=%zz", 400), "malformed input");
    assert_says(get(f, "/stats?%66ilte%72=a&a&b&c&d&e&f&g&h", 400), "more than 8 parameters");
    assert_says(get(f, "/ready?<script>", 400), "<script>");
    assert_string_equal(f->response.content_type, "text/plain; charset=UTF-8");
    assert_string_equal(field(f, "x-content-type-options"), "nosniff");
}

static void parameters_are_percent_decoded(void **state)
{
    struct fixture *f = *state;
    get(f, "/clusters?&f%6Frmat=%6aso%6E&", 200);
    assert_string_equal(f->response.content_type, "application/json");
}

static const char *post_form(struct fixture *f, const char *target, const char *type, const char *body, unsigned status)
{
    return ask(f,
               &(struct um_admin_request){.method = UM_STR("POST"),
                                          .target = um_str_from(target),
                                          .content_type = um_str_from(type),
                                          .body = um_str_from(body)},
               status);
}

static void forms_give_parameters_too(void **state)
{
    static const char FORM[] = "application/x-www-form-urlencoded";
    struct fixture *f = *state;
    post_form(f, "/shadow", FORM, "enable=false&route=", 200);
    assert_string_equal(f->recorded.route, "");
    post_form(f, "/shadow?enable=true", FORM, "route=httpbin.default%2Fmain", 200);
    assert_string_equal(f->recorded.route, "httpbin.default/main");
    assert_true(f->recorded.is_on);
    assert_says(post_form(f, "/shadow?enable=true", FORM, "enable=false", 400), "twice");
    assert_says(post_form(f, "/shadow", FORM, "enable=true&route=a+b", 404), "'a b'");
    assert_says(post_form(f, "/shadow", "text/plain", "enable=false", 400), "needs the parameter 'enable'");
}

/* ---- endpoints ------------------------------------------------------------------------------------ */

static void ready_says_the_state(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(get(f, "/ready", 200), "LIVE\n");
    f->view.state = UM_ADMIN_INITIALIZING;
    assert_string_equal(get(f, "/ready", 503), "INITIALIZING\n");
    f->view.state = UM_ADMIN_DRAINING;
    assert_string_equal(get(f, "/ready", 503), "DRAINING\n");
    assert_string_equal(field(f, "cache-control"), "no-cache, max-age=0");
}

static void server_info_in_envoys_shape(void **state)
{
    static const struct um_label LABELS[] = {{UM_STR_INIT("istio"), UM_STR_INIT("ingress\"gateway")}};
    static const struct um_admin_flag FLAGS[] = {{UM_STR_INIT("drain_time"), UM_STR_INIT("5s")},
                                                 {UM_STR_INIT("bad\xFF"), UM_STR_INIT("\xC3(")}};
    struct fixture *f = *state;
    f->view.labels = LABELS;
    f->view.n_labels = 1;
    f->view.flags = FLAGS;
    f->view.n_flags = 2;
    json_t *tree = get_json(f, "/server_info");
    assert_json(tree,
                "{'version': '1.2.3', 'state': 'LIVE', 'uptime_current_epoch': '12s', 'uptime_all_epochs': '12s',"
                " 'command_line_options': {'concurrency': 2, 'drain_time': '5s', 'bad\xEF\xBF\xBD': '\xEF\xBF\xBD('},"
                " 'node': {'id': 'router~127.0.0.1~umbra.default~default.svc.cluster.local', 'cluster': 'umbra',"
                " 'metadata': {'NAMESPACE': 'default', 'LABELS': {'istio': 'ingress\\\"gateway'}},"
                " 'user_agent_name': 'umbra', 'user_agent_version': '1.2.3'}}");
    json_decref(tree);
}

static void certs_and_memory(void **state)
{
    struct fixture *f = *state;
    json_t *tree = get_json(f, "/certs");
    assert_json(tree, "{'certificates': []}");
    json_decref(tree);
    tree = get_json(f, "/memory");
    assert_true(json_is_string(at(tree, "allocated")) && json_is_string(at(tree, "heap_size")));
    assert_string_not_equal(json_string_value(at(tree, "total_physical_bytes")), "0");
    json_decref(tree);
}

static void listeners_show_the_bound_addresses(void **state)
{
    struct fixture *f = *state;
    const struct um_admin_listener bound[] = {{UM_STR("0.0.0.0_80"), scene_address("0.0.0.0", 43210)},
                                              {UM_STR("[::]_80"), scene_address("::", 43210)}};
    f->view.listeners = bound;
    f->view.n_listeners = 2;
    assert_string_equal(get(f, "/listeners", 200), "0.0.0.0_80::0.0.0.0:43210\n[::]_80::[::]:43210\n");
    json_t *tree = get_json(f, "/listeners?format=json");
    assert_json(
        tree,
        "{'listener_statuses': ["
        "{'name': '0.0.0.0_80', 'local_address': {'socket_address': {'address': '0.0.0.0', 'port_value': 43210}}},"
        "{'name': '[::]_80', 'local_address': {'socket_address': {'address': '::', 'port_value': 43210}}}]}");
    json_decref(tree);
}

static void verbs_do_and_say_so(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(post(f, "/logging?level=warning", 200), "OK\n");
    assert_int_equal(f->recorded.level, UM_LOG_WARNING);
    assert_says(post(f, "/logging?level=loud", 400), "debug|info|warning|error");
    assert_string_equal(post(f, "/quitquitquit", 200), "OK\n");
    assert_string_equal(f->recorded.verb, "quit");
    assert_says(post(f, "/reload", 200), "OK: begun");
    assert_string_equal(f->recorded.verb, "reload");
    assert_int_equal(f->recorded.n, 3);
    f->recorded.result = UM_ENOMEM;
    assert_says(post(f, "/reload", 500), "out of memory");
    assert_says(post(f, "/shadow?enable=false", 500), "out of memory");
}

static void index_links_all_and_loads_nothing(void **state)
{
    struct fixture *f = *state;
    f->view.reload_error = UM_STR("a.yaml:1:2: error: <b> & so on");
    const char *page = get(f, "/", 200);
    assert_string_equal(f->response.content_type, "text/html; charset=UTF-8");
    assert_says(field(f, "content-security-policy"), "default-src 'none'");
    assert_says(page, "<a href=\"/config_dump\">");
    assert_says(page, "<form method=\"post\" action=\"/shadow\">");
    assert_says(page, "<select name=\"enable\"><option>true</option><option>false</option></select>");
    assert_says(page, "&lt;b&gt; &amp; so on");
    assert_silent(page, "http://");
    assert_silent(page, "<script");
    assert_says(get(f, "/help", 200), "  /stats: counters and gauges\n      filter: any text (optional)\n");
}

static void without_a_snapshot_everything_answers(void **state)
{
    static const char *const PATHS[] = {
        "/",       "/clusters", "/clusters?format=json", "/config_dump?include_eds", "/listeners",
        "/shadow", "/stats",    "/server_info"};
    struct fixture *f = *state;
    f->view.snapshot = NULL;
    f->view.state = UM_ADMIN_INITIALIZING;
    for (size_t i = 0; i < sizeof PATHS / sizeof PATHS[0]; i++)
        get(f, PATHS[i], 200);
}

static void only_some_answers_need_the_workers(void **state)
{
    (void)state;
    assert_true(um_admin_needs_stats(UM_STR("/stats?format=json")));
    assert_true(um_admin_needs_stats(UM_STR("/stats/prometheus")));
    assert_true(um_admin_needs_stats(UM_STR("/shadow")));
    assert_true(um_admin_needs_stats(UM_STR("/clusters")));
    assert_false(um_admin_needs_stats(UM_STR("/ready")));
    assert_false(um_admin_needs_stats(UM_STR("/reload")));
    assert_false(um_admin_needs_stats(UM_STR("/nothing")));
}

static void ready_needs_no_counters(void **state)
{
    struct fixture *f = *state;
    f->view.stats.stats = NULL;
    get(f, "/ready", 200);
    post(f, "/shadow?enable=false", 200);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(hosts_that_are_addresses_or_known_names_may_ask),
        TEST(pages_of_other_sites_may_not_write),
        TEST(head_is_answered_as_get),
        TEST(verbs_that_write_want_post),
        TEST(what_only_reads_wants_get),
        TEST(unknown_paths_get_the_list),
        TEST(unknown_and_wrong_parameters_are_named),
        TEST(parameters_are_percent_decoded),
        TEST(forms_give_parameters_too),
        TEST(ready_says_the_state),
        TEST(server_info_in_envoys_shape),
        TEST(certs_and_memory),
        TEST(listeners_show_the_bound_addresses),
        TEST(verbs_do_and_say_so),
        TEST(index_links_all_and_loads_nothing),
        TEST(without_a_snapshot_everything_answers),
        TEST(only_some_answers_need_the_workers),
        TEST(ready_needs_no_counters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
