/* SPDX-License-Identifier: Apache-2.0
 * /config_dump against Envoy's own shape: whole messages compared as trees, and the parameters that choose among them.
 */
#include "fixture.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

static void parts_stand_in_envoys_order(void **state)
{
    static const char *const TYPES[] = {"Bootstrap", "Clusters", "Endpoints", "Listeners", "Routes"};
    struct fixture *f = *state;
    json_t *tree = get_json(f, "/config_dump?include_eds");
    assert_int_equal(json_array_size(at(tree, "configs")), 5);
    for (size_t i = 0; i < 5; i++) {
        char wanted[80];
        snprintf(wanted, sizeof wanted, "type.googleapis.com/envoy.admin.v3.%sConfigDump", TYPES[i]);
        assert_string_equal(json_string_value(json_object_get(json_array_get(at(tree, "configs"), i), "@type")),
                            wanted);
    }
    json_decref(tree);
    tree = get_json(f, "/config_dump");
    assert_int_equal(json_array_size(at(tree, "configs")), 4);
    json_decref(tree);
}

static void bootstrap_names_the_node(void **state)
{
    struct fixture *f = *state;
    json_t *tree = get_json(f, "/config_dump");
    assert_json(at(tree, "configs.0.bootstrap.admin"),
                "{'address': {'socket_address': {'address': '127.0.0.1', 'port_value': 15000}}}");
    assert_json(at(tree, "configs.0.bootstrap.node.metadata"), "{'NAMESPACE': 'default'}");
    assert_json(at(tree, "configs.0.last_updated"), "'2026-01-31T23:00:00.000Z'");
    json_decref(tree);
}

/* ---- clusters ------------------------------------------------------------------------------------- */

static void eds_cluster(void **state)
{
    struct fixture *f = *state;
    json_t *tree = get_json(f, "/config_dump?resource=dynamic_active_clusters");
    assert_json(
        at(tree, "configs.0"),
        "{'@type': 'type.googleapis.com/envoy.admin.v3.ClustersConfigDump.DynamicCluster', 'version_info': '7',"
        " 'cluster': {'@type': 'type.googleapis.com/envoy.config.cluster.v3.Cluster',"
        " 'name': 'outbound|8000|v1|httpbin.default.svc.cluster.local', 'type': 'EDS',"
        " 'eds_cluster_config': {'service_name': 'outbound|8000|v1|httpbin.default.svc.cluster.local'},"
        " 'connect_timeout': '10s', 'lb_policy': 'LEAST_REQUEST',"
        " 'circuit_breakers': {'thresholds': [{'max_connections': 4294967295, 'max_pending_requests': 4294967295,"
        " 'max_requests': 4294967295, 'max_retries': 4294967295}]},"
        " 'metadata': {'filter_metadata': {'istio': {"
        " 'config': '/apis/networking.istio.io/v1/namespaces/default/destination-rule/httpbin',"
        " 'default_original_port': 8000, 'services': [{'host': 'httpbin.default.svc.cluster.local', 'name': 'httpbin',"
        " 'namespace': 'default'}], 'subset': 'v1'}}}},"
        " 'last_updated': '2026-02-01T00:00:00.000Z'}");
    json_decref(tree);
}

static void defaults_of_the_protocol_are_left_out(void **state)
{
    struct fixture *f = *state;
    json_t *tree = get_json(f, "/config_dump?resource=dynamic_active_clusters");
    json_t *v2 = at(tree, "configs.1.cluster");
    assert_null(json_object_get(v2, "lb_policy")); /* ROUND_ROBIN */
    assert_null(json_object_get(v2, "typed_extension_protocol_options"));
    assert_null(json_object_get(at(v2, "metadata.filter_metadata.istio"), "config"));
    json_decref(tree);
}

static void dns_cluster_with_limits(void **state)
{
    struct fixture *f = *state;
    json_t *tree = get_json(f, "/config_dump?resource=dynamic_active_clusters&name_regex=.*ext.*");
    assert_int_equal(json_array_size(at(tree, "configs")), 1);
    json_t *c = at(tree, "configs.0.cluster");
    assert_json(at(c, "type"), "'STRICT_DNS'");
    assert_json(at(c, "lb_policy"), "'RANDOM'");
    assert_json(at(c, "connect_timeout"), "'1.500s'");
    assert_json(at(c, "upstream_connection_options"), "{'tcp_keepalive': {'keepalive_time': 75}}");
    assert_json(at(c, "circuit_breakers.thresholds.0"),
                "{'max_connections': 10, 'max_pending_requests': 20, 'max_requests': 30, 'max_retries': 40}");
    assert_json(
        at(c, "load_assignment"),
        "{'cluster_name': 'outbound|80||ext.example.com', 'endpoints': [{'lb_endpoints': [{'endpoint': {'address':"
        " {'socket_address': {'address': 'ext.example.com', 'port_value': 80}}}, 'load_balancing_weight': 1}]}]}");
    assert_json(json_object_get(at(c, "typed_extension_protocol_options"),
                                "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"),
                "{'@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',"
                " 'common_http_protocol_options': {'idle_timeout': '60s', 'max_connection_duration': '120s',"
                " 'max_requests_per_connection': 1}, 'explicit_http_config': {'http_protocol_options': {}}}");
    json_decref(tree);
}

/* ---- endpoints ------------------------------------------------------------------------------------ */

static void endpoints_by_locality(void **state)
{
    struct fixture *f = *state;
    json_t *tree = get_json(f, "/config_dump?include_eds&resource=dynamic_endpoint_configs");
    assert_int_equal(json_array_size(at(tree, "configs")), 3);
    assert_json(at(tree, "configs.0.endpoint_config"),
                "{'@type': 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment',"
                " 'cluster_name': 'outbound|8000|v1|httpbin.default.svc.cluster.local', 'endpoints': ["
                "{'locality': {'region': 'eu', 'zone': 'a', 'sub_zone': '1'}, 'lb_endpoints': [{'endpoint': {'address':"
                " {'socket_address': {'address': '10.0.0.1', 'port_value': 8080}}}, 'health_status': 'HEALTHY', "
                "'load_balancing_weight': 1}]},"
                "{'locality': {'region': 'eu', 'zone': 'b'}, 'lb_endpoints': [{'endpoint': {'address':"
                " {'socket_address': {'address': 'fd00::1', 'port_value': 8080}}}, 'health_status': 'UNHEALTHY', "
                "'load_balancing_weight': 2}]}"
                "], 'policy': {'overprovisioning_factor': 140}}");
    json_decref(tree);
}

static void resolved_endpoints_stand_in_for_the_compiled_ones(void **state)
{
    struct fixture *f = *state;
    struct um_endpoint resolved = {.addr = scene_address("192.0.2.9", 80), .weight = 1, .is_healthy = true};
    struct um_endpoint_set *set = um_endpoint_set_new(&resolved, 1);
    struct um_endpoint_set *const sets[SCENE_CLUSTERS] = {NULL, NULL, set};
    f->view.endpoint_sets = sets;
    json_t *tree = get_json(f, "/config_dump?include_eds&resource=dynamic_endpoint_configs");
    assert_int_equal(json_array_size(at(tree, "configs.0.endpoint_config.endpoints")), 2);
    assert_json(
        at(tree, "configs.2.endpoint_config.endpoints.0.lb_endpoints.0.endpoint.address.socket_address.address"),
        "'192.0.2.9'");
    json_decref(tree);
    um_endpoint_set_unref(set);
}

/* ---- listeners ------------------------------------------------------------------------------------ */

static void listener_names_its_route_configuration(void **state)
{
    struct fixture *f = *state;
    json_t *tree = get_json(f, "/config_dump?resource=dynamic_listeners");
    assert_json(
        at(tree, "configs.0"),
        "{'@type': 'type.googleapis.com/envoy.admin.v3.ListenersConfigDump.DynamicListener', 'name': '0.0.0.0_80',"
        " 'active_state': {'version_info': '7', 'listener': {"
        " '@type': 'type.googleapis.com/envoy.config.listener.v3.Listener', 'name': '0.0.0.0_80',"
        " 'address': {'socket_address': {'address': '0.0.0.0', 'port_value': 8080}},"
        " 'filter_chains': [{'filters': [{'name': 'envoy.filters.network.http_connection_manager', 'typed_config': {"
        " '@type': "
        "'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',"
        " 'stat_prefix': 'outbound_0.0.0.0_80', 'rds': {'route_config_name': 'http.80'},"
        " 'http_filters': [{'name': 'envoy.filters.http.router', 'typed_config': {"
        " '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router'}}],"
        " 'use_remote_address': true, 'normalize_path': true}}]}], 'traffic_direction': 'OUTBOUND'},"
        " 'last_updated': '2026-02-01T00:00:00.000Z'}}");
    json_decref(tree);
}

static void a_refused_reload_shows(void **state)
{
    struct fixture *f = *state;
    f->view.reload_error = UM_STR("a.yaml:1:2: error: \"x\"\nb.yaml:3:4: error: \xFF");
    f->view.reload_wall_ns = 1769990400ULL * 1000000000;
    json_t *tree = get_json(f, "/config_dump?resource=dynamic_listeners");
    assert_json(at(tree, "configs.0.error_state"),
                "{'last_update_attempt': '2026-02-02T00:00:00.000Z',"
                " 'details': 'a.yaml:1:2: error: \\\"x\\\"\\nb.yaml:3:4: error: \xEF\xBF\xBD'}");
    json_decref(tree);
}

/* ---- routes --------------------------------------------------------------------------------------- */

static json_t *routes(struct fixture *f)
{
    return get_json(f, "/config_dump?resource=dynamic_route_configs");
}

static json_t *route(json_t *tree, size_t i)
{
    return json_array_get(at(tree, "configs.0.route_config.virtual_hosts.0.routes"), i);
}

static void route_configuration(void **state)
{
    struct fixture *f = *state;
    json_t *tree = routes(f);
    json_array_clear(at(tree, "configs.0.route_config.virtual_hosts.0.routes"));
    assert_json(
        at(tree, "configs.0"),
        "{'@type': 'type.googleapis.com/envoy.admin.v3.RoutesConfigDump.DynamicRouteConfig', 'version_info': '7',"
        " 'route_config': {'@type': 'type.googleapis.com/envoy.config.route.v3.RouteConfiguration', 'name': 'http.80',"
        " 'virtual_hosts': [{'name': 'httpbin.example.com:80',"
        " 'domains': ['httpbin.example.com', '*.wild.example.com'], 'routes': [], 'include_request_attempt_count': "
        "true}],"
        " 'validate_clusters': false, 'ignore_port_in_host_matching': true},"
        " 'last_updated': '2026-02-01T00:00:00.000Z'}");
    json_decref(tree);
}

static void weighted_route_with_conditions(void **state)
{
    struct fixture *f = *state;
    json_t *tree = routes(f);
    assert_json(route(tree, 0), "{'match': {'path': '/get', 'case_sensitive': true, 'headers': ["
                                "{'name': 'x-tester', 'string_match': {'exact': 'true'}},"
                                "{'name': 'x-old', 'invert_match': true, 'string_match': {'prefix': '1'}, "
                                "'treat_missing_header_as_empty': true},"
                                "{'name': ':method', 'string_match': {'exact': 'GET'}}],"
                                " 'query_parameters': [{'name': 'q', 'present_match': true}]},"
                                " 'route': {'weighted_clusters': {'clusters': ["
                                "{'name': 'outbound|8000|v1|httpbin.default.svc.cluster.local', 'weight': 90,"
                                " 'request_headers_to_add': [{'header': {'key': 'x-share', 'value': '100%%'}}],"
                                " 'request_headers_to_remove': ['x-internal'], 'host_rewrite_literal': 'v1.internal'},"
                                "{'name': 'outbound|8000|v2|httpbin.default.svc.cluster.local', 'weight': 10}]},"
                                " 'timeout': '0s', 'max_grpc_timeout': '0s'},"
                                " 'metadata': {'filter_metadata': {'istio': {'config':"
                                " '/apis/networking.istio.io/v1/namespaces/default/virtual-service/httpbin'}}},"
                                " 'decorator': {'operation': 'httpbin:80/get'}, 'name': 'canary'}");
    json_decref(tree);
}

static void mirrored_route(void **state)
{
    struct fixture *f = *state;
    json_t *tree = routes(f);
    assert_json(
        route(tree, 4),
        "{'match': {'prefix': '/'}, 'route': {'cluster': 'outbound|8000|v1|httpbin.default.svc.cluster.local',"
        " 'prefix_rewrite': '/v1/', 'host_rewrite_literal': 'inner.example.com', 'timeout': '1.500s',"
        " 'retry_policy': {'retry_on': 'connect-failure,refused-stream', 'num_retries': 2, 'retry_host_predicate': [{"
        " 'name': 'envoy.retry_host_predicates.previous_hosts', 'typed_config': {"
        " '@type': 'type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate'}}],"
        " 'host_selection_retry_max_attempts': '5'}, 'max_grpc_timeout': '1.500s', 'request_mirror_policies': ["
        "{'cluster': 'outbound|8000|v2|httpbin.default.svc.cluster.local', 'runtime_fraction': {'default_value':"
        " {'numerator': 500000, 'denominator': 'MILLION'}}, 'trace_sampled': false, "
        "'disable_shadow_host_suffix_append': true,"
        " 'request_headers_mutations': [{'remove': 'authorization'}, {'append': {'header': {'key': 'x-env', 'value': "
        "'shadow'},"
        " 'append_action': 'OVERWRITE_IF_EXISTS_OR_ADD'}}], 'host_rewrite_literal': 'v2.test.example'},"
        "{'cluster': 'outbound|80||ext.example.com', 'runtime_fraction': {'default_value': {'numerator': 100}},"
        " 'trace_sampled': false},"
        "{'cluster': 'outbound|80||gone.default.svc.cluster.local', 'runtime_fraction': {'default_value':"
        " {'denominator': 'MILLION'}}, 'trace_sampled': false}]},"
        " 'metadata': {'filter_metadata': {'istio': {'config':"
        " '/apis/networking.istio.io/v1/namespaces/default/virtual-service/httpbin'}}},"
        " 'decorator': {'operation': 'httpbin.default.svc.cluster.local:8000/*'},"
        " 'request_headers_to_add': [{'header': {'key': 'x-route', 'value': 'main'},"
        " 'append_action': 'OVERWRITE_IF_EXISTS_OR_ADD'}], 'name': 'main'}");
    json_decref(tree);
}

static void redirect_and_direct_response(void **state)
{
    struct fixture *f = *state;
    json_t *tree = routes(f);
    assert_json(at(route(tree, 1), "match"), "{'prefix': '/old', 'case_sensitive': false}");
    assert_json(at(route(tree, 1), "redirect"), "{'host_redirect': 'new.example.com', 'path_redirect': '/new', "
                                                "'response_code': 'FOUND', 'scheme_redirect': 'https'}");
    assert_null(json_object_get(route(tree, 1), "route"));
    assert_json(at(route(tree, 2), "direct_response"),
                "{'status': 418, 'body': {'inline_string': 'short \\\"and\\\" stout\\n'}}");
    assert_null(json_object_get(route(tree, 2), "metadata"));
    json_decref(tree);
}

static void regular_expressions_and_back_off(void **state)
{
    struct fixture *f = *state;
    struct um_route *r = &scene_routes[4], saved = *r;
    struct um_condition scheme = {.subject = UM_SUBJECT_SCHEME,
                                  .match = {.kind = UM_MATCH_REGEX, .value = UM_STR("https?")}};
    r->match = (struct um_route_match){.path = {.kind = UM_MATCH_REGEX, .value = UM_STR("/\\d+")}, &scheme, 1};
    r->retry = (struct um_retry_policy){
        .attempts = 1, .on_reset_before_answer = true, .base_interval_ms = 100, .host_attempts = 3};
    json_t *tree = routes(f);
    *r = saved;
    assert_json(at(route(tree, 4), "match"), "{'case_sensitive': true, 'headers': [{'name': ':scheme', 'string_match': "
                                             "{'safe_regex': {'regex': 'https?'}}}],"
                                             " 'safe_regex': {'regex': '/\\\\d+'}}");
    assert_json(at(route(tree, 4), "route.retry_policy.retry_on"), "'reset-before-request'");
    assert_json(at(route(tree, 4), "route.retry_policy.retry_back_off"),
                "{'base_interval': '0.100s', 'max_interval': '1s'}");
    assert_json(at(route(tree, 4), "decorator.operation"), "'httpbin.default.svc.cluster.local:8000/\\\\d+'");
    json_decref(tree);
}

/* ---- what is asked for ---------------------------------------------------------------------------- */

static void resources_that_are_none(void **state)
{
    struct fixture *f = *state;
    json_t *tree = get_json(f, "/config_dump?resource=static_clusters");
    assert_json(tree, "{'configs': []}");
    json_decref(tree);
    assert_string_equal(get(f, "/config_dump?resource=cows", 404), "cows not found in config dump\n");
    assert_string_equal(get(f, "/config_dump?resource=dynamic_endpoint_configs", 404),
                        "dynamic_endpoint_configs not found in config dump\n");
    assert_says(get(f, "/config_dump?resource=bootstrap", 400), "Use ?mask=bootstrap to get only this field");
}

static void names_match_as_a_whole(void **state)
{
    struct fixture *f = *state;
    json_t *tree = get_json(f, "/config_dump?name_regex=http");
    assert_json(at(tree, "configs.3"), "{'@type': 'type.googleapis.com/envoy.admin.v3.RoutesConfigDump'}");
    json_decref(tree);
    tree = get_json(f, "/config_dump?name_regex=http%5C.80|outbound%5C|8000%5C|v1%5C|.*");
    assert_int_equal(json_array_size(at(tree, "configs.1.dynamic_active_clusters")), 1);
    assert_int_equal(json_array_size(at(tree, "configs.3.dynamic_route_configs")), 1);
    json_decref(tree);
    assert_says(get(f, "/config_dump?name_regex=a(", 400), "Error while parsing name_regex from a(: ");
    char longest[40 + 1100] = "/config_dump?name_regex=";
    memset(longest + strlen(longest), 'a', 1100);
    assert_says(get(f, longest, 400), "limit");
}

static void masks(void **state)
{
    struct fixture *f = *state;
    json_t *tree = get_json(f, "/config_dump?resource=dynamic_active_clusters&mask=cluster.name,last_updated");
    assert_json(
        at(tree, "configs.1"),
        "{'@type': 'type.googleapis.com/envoy.admin.v3.ClustersConfigDump.DynamicCluster', 'cluster': {"
        "'@type': 'type.googleapis.com/envoy.config.cluster.v3.Cluster',"
        " 'name': 'outbound|8000|v2|httpbin.default.svc.cluster.local'}, 'last_updated': '2026-02-01T00:00:00.000Z'}");
    json_decref(tree);
    tree = get_json(f, "/config_dump?mask=dynamic_listeners.name,bootstrap.node.cluster");
    assert_json(tree, "{'configs': [{'@type': 'type.googleapis.com/envoy.admin.v3.BootstrapConfigDump', 'bootstrap': "
                      "{'node': {'cluster':"
                      " 'umbra'}}}, {'@type': 'type.googleapis.com/envoy.admin.v3.ListenersConfigDump', "
                      "'dynamic_listeners': [{'name':"
                      " '0.0.0.0_80'}]}]}");
    json_decref(tree);
    assert_says(get(f, "/config_dump?mask=cows", 400), "could be applied to any configs");
    assert_says(get(f, "/config_dump?mask=a,,b", 400), "expected 1 to 16 paths");
    assert_says(get(f, "/config_dump?mask=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", 400), "expected 1 to 16 paths");
}

/* ---- the text itself ------------------------------------------------------------------------------ */

/* a second parser must read the same */
static void python_reads_it(void **state)
{
    static char script[] =
        "import json, sys\n"
        "dump = json.load(sys.stdin)\n"
        "routes = dump['configs'][3]['dynamic_route_configs'][0]['route_config']['virtual_hosts'][0]['routes']\n"
        "assert routes[2]['direct_response']['body']['inline_string'] == 'short \"and\" stout\\n'\n";
    struct fixture *f = *state;
    static char program[] = "/usr/bin/python3", flag[] = "-c";
    char *arguments[] = {program, flag, script, NULL};
    int pipe_fds[2], status;
    posix_spawn_file_actions_t files;
    pid_t pid;
    const char *text = get(f, "/config_dump", 200);
    assert_true(strlen(text) < 65536); /* fits the pipe */
    assert_int_equal(pipe(pipe_fds), 0);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, pipe_fds[0], 0);
    posix_spawn_file_actions_addclose(&files, pipe_fds[1]);
    assert_int_equal(posix_spawn(&pid, program, &files, NULL, arguments, NULL), 0);
    posix_spawn_file_actions_destroy(&files);
    close(pipe_fds[0]);
    assert_int_equal(write(pipe_fds[1], text, strlen(text)), strlen(text));
    close(pipe_fds[1]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void members_keep_envoys_order_and_indent(void **state)
{
    struct fixture *f = *state;
    const char *text = get(f, "/config_dump?resource=dynamic_route_configs", 200);
    assert_says(text, "{\n \"configs\": [\n  {\n   \"@type\": \"type.googleapis.com/");
    const char *fraction = strstr(text, "\"numerator\": 500000");
    assert_non_null(fraction);
    assert_non_null(strstr(fraction, "\"denominator\": \"MILLION\""));
    assert_true(strstr(text, "\"match\"") < strstr(text, "\"route\""));
}

/* jansson's memory fails at the nth request, every seventh n for time: an answer that says so, and nothing leaks */
static unsigned long requests, failing_request;

static void *failing_malloc(size_t n)
{
    return ++requests == failing_request ? NULL : malloc(n);
}

static void without_memory_no_half_dump(void **state)
{
    struct fixture *f = *state;
    json_set_alloc_funcs(failing_malloc, free);
    get(f, "/config_dump?include_eds&mask=dynamic_active_clusters", 200);
    unsigned long all = requests;
    for (failing_request = 1; failing_request <= all; failing_request += 7) {
        requests = 0;
        forget(f);
        um_admin_handle(
            &(struct um_admin_request){.method = UM_STR("GET"),
                                       .target = UM_STR("/config_dump?include_eds&mask=dynamic_active_clusters")},
            &f->view, &f->actions, &f->response);
        f->has_response = true;
        assert_int_equal(f->response.status, 500);
        assert_true(um_str_eq(um_buf_str(&f->response.body), UM_STR("out of memory\n")));
    }
    json_set_alloc_funcs(malloc, free);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(parts_stand_in_envoys_order),
        TEST(bootstrap_names_the_node),
        TEST(eds_cluster),
        TEST(defaults_of_the_protocol_are_left_out),
        TEST(dns_cluster_with_limits),
        TEST(endpoints_by_locality),
        TEST(resolved_endpoints_stand_in_for_the_compiled_ones),
        TEST(listener_names_its_route_configuration),
        TEST(a_refused_reload_shows),
        TEST(route_configuration),
        TEST(weighted_route_with_conditions),
        TEST(mirrored_route),
        TEST(redirect_and_direct_response),
        TEST(regular_expressions_and_back_off),
        TEST(resources_that_are_none),
        TEST(names_match_as_a_whole),
        TEST(masks),
        TEST(python_reads_it),
        TEST(members_keep_envoys_order_and_indent),
        TEST(without_memory_no_half_dump),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
