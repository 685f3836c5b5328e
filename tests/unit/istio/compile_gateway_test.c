/* SPDX-License-Identifier: Apache-2.0
 * The gateway's role: listeners, virtual hosts, and how Gateways and VirtualServices meet. */
#include "compile_fixture.h"

/* a mirror to another cluster's gateway, through a ServiceEntry */
static const char CROSS_CLUSTER[] = "apiVersion: networking.istio.io/v1\n"
                                    "kind: Gateway\n"
                                    "metadata: { name: httpbin-gateway }\n"
                                    "spec:\n"
                                    "  selector: { istio: ingressgateway }\n"
                                    "  servers:\n"
                                    "    - port: { number: 80, name: http, protocol: HTTP }\n"
                                    "      hosts: [httpbin.example.com]\n"
                                    "---\n"
                                    "apiVersion: v1\n"
                                    "kind: Service\n"
                                    "metadata: { name: httpbin }\n"
                                    "spec:\n"
                                    "  selector: { app: httpbin }\n"
                                    "  ports: [{ name: http, port: 8000, targetPort: 80 }]\n"
                                    "---\n"
                                    "apiVersion: networking.istio.io/v1\n"
                                    "kind: ServiceEntry\n"
                                    "metadata: { name: httpbin-cluster-b }\n"
                                    "spec:\n"
                                    "  hosts: [httpbin.mirror.cluster-b]\n"
                                    "  location: MESH_EXTERNAL\n"
                                    "  resolution: STATIC\n"
                                    "  ports: [{ number: 80, name: http, protocol: HTTP }]\n"
                                    "  endpoints: [{ address: 192.0.2.10 }]\n"
                                    "---\n"
                                    "apiVersion: networking.istio.io/v1\n"
                                    "kind: VirtualService\n"
                                    "metadata: { name: httpbin }\n"
                                    "spec:\n"
                                    "  hosts: [httpbin.example.com]\n"
                                    "  gateways: [httpbin-gateway]\n"
                                    "  http:\n"
                                    "    - route: [{ destination: { host: httpbin, port: { number: 8000 } } }]\n"
                                    "      mirror: { host: httpbin.mirror.cluster-b }\n"
                                    "      mirrorPercentage: { value: 50 }\n";

static void mirrors_to_another_cluster(void **state)
{
    struct fixture f;
    fixture_init(&f);
    fixture_endpoint(&f, "httpbin", NULL, 8081);
    fixture_load(&f, CROSS_CLUSTER);
    assert_int_equal(f.rc, 0);
    assert_string_equal(dump_all_listeners(&f),
                        "listener 0.0.0.0_80 port 80 routes http.80: Gateway default/httpbin-gateway port 80\n"
                        "listener [::]_80 port 80 routes http.80: Gateway default/httpbin-gateway port 80\n");
    assert_string_equal(dump_all_routes(&f), "routes http.80\n"
                                             "  host httpbin.example.com:80: httpbin.example.com\n"
                                             "    httpbin.default/0: prefix:/\n"
                                             "      to outbound|8000||httpbin.default.svc.cluster.local\n"
                                             "      mirror outbound|80||httpbin.mirror.cluster-b 500000/1000000\n");
    assert_string_equal(dump_all_clusters(&f),
                        "cluster outbound|8000||httpbin.default.svc.cluster.local EDS 127.0.0.1:8081\n"
                        "cluster outbound|80||httpbin.mirror.cluster-b EDS 192.0.2.10:80\n");
    const struct um_route *route = &f.snapshot->route_configs[0].virtual_hosts[0].routes[0];
    assert_true(um_str_eq(route->config_path,
                          UM_STR("/apis/networking.istio.io/v1/namespaces/default/virtual-service/httpbin")));
    assert_true(f.snapshot->route_configs[0].is_gateway);
    assert_true(um_snapshot_cluster(f.snapshot, UM_STR("outbound|80||httpbin.mirror.cluster-b"))->is_external);
    fixture_release(&f);
}

static void moves_ports_and_binds_one_address(void **state)
{
    struct um_port_map map = {80, 8080};
    struct fixture f;
    fixture_init(&f);
    f.options.port_maps = &map;
    f.options.n_port_maps = 1;
    f.options.has_bind = true;
    assert_int_equal(um_sockaddr_parse(UM_STR("127.0.0.2"), 0, &f.options.bind), 0);
    fixture_load(&f, CROSS_CLUSTER);
    assert_string_equal(dump_all_listeners(&f),
                        "listener 127.0.0.2_8080 port 80 routes http.80: Gateway default/httpbin-gateway port 80\n");
    assert_int_equal(um_sockaddr_port(&f.snapshot->listeners[0].addr), 8080);
    fixture_release(&f);
}

static void two_ports_cannot_move_to_one(void **state)
{
    struct um_port_map maps[] = {{80, 8080}, {81, 8080}};
    struct fixture f;
    fixture_init(&f);
    f.options.port_maps = maps;
    f.options.n_port_maps = 2;
    fixture_load(&f, "apiVersion: networking.istio.io/v1\n"
                     "kind: Gateway\n"
                     "metadata: { name: g }\n"
                     "spec:\n"
                     "  servers:\n"
                     "    - { port: { number: 80, name: a, protocol: HTTP }, hosts: ['*'] }\n"
                     "    - { port: { number: 81, name: b, protocol: HTTP }, hosts: ['*'] }\n");
    assert_int_equal(f.rc, UM_ESYNTAX);
    assert_null(f.snapshot);
    assert_non_null(strstr(dump_diagnostics(&f), "ports 80 and 81 would both listen on 0.0.0.0_8080"));
    fixture_release(&f);
}

static void a_gateway_that_is_not_ours_opens_nothing(void **state)
{
    struct um_label ours = {UM_STR_INIT("istio"), UM_STR_INIT("egressgateway")};
    struct um_buf why;
    struct fixture f;
    fixture_init(&f);
    um_buf_init(&why, 0);
    f.options.labels = &ours;
    f.options.n_labels = 1;
    fixture_load(&f, CROSS_CLUSTER);
    assert_int_equal(f.rc, 0);
    assert_int_equal(f.snapshot->n_listeners, 0);
    um_istio_no_listener(&f.resources, &f.options, &why);
    assert_true(um_str_eq(um_buf_str(&why), UM_STR("--labels fits the selector of no Gateway: "
                                                   "Gateway/default/httpbin-gateway wants istio=ingressgateway")));
    um_buf_release(&why);
    fixture_release(&f);
}

#define SERVICES                                                                                                       \
    "apiVersion: v1\nkind: Service\nmetadata: { name: a }\nspec: { ports: [{ name: http, port: 80 }] }\n---\n"         \
    "apiVersion: v1\nkind: Service\nmetadata: { name: b }\nspec: { ports: [{ name: http, port: 81 }] }\n---\n"         \
    "apiVersion: v1\nkind: Service\nmetadata: { name: c }\n"                                                           \
    "spec: { ports: [{ name: http, port: 82 }, { name: http-b, port: 83 }] }\n---\n"

#define VS(name_, meta_, spec_)                                                                                        \
    "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: { name: " name_ meta_ " }\nspec:\n" spec_     \
    "---\n"

#define GATEWAY(name_, meta_, servers_)                                                                                \
    "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: { name: " name_ meta_                                \
    " }\nspec:\n  servers:\n" servers_ "---\n"

static void merges_virtual_services_of_one_host(void **state)
{
    struct fixture f;
    fixture_init(&f);
    fixture_load(&f,
                 SERVICES GATEWAY("g", "", "    - { port: { number: 80, name: h, protocol: HTTP }, hosts: ['*'] }\n")
                     VS("younger", "",
                        "  hosts: [x.com]\n  gateways: [g]\n  http:\n"
                        "    - { match: [{ uri: { prefix: /b } }], "
                        "route: [{ destination: { host: b } }] }\n"
                        "    - route: [{ destination: { host: b } }]\n")
                         VS("older", "",
                            "  hosts: [x.com]\n  gateways: [g]\n  http:\n"
                            "    - { name: rest, route: [{ destination: { host: a } }] }\n"));
    /* names decide: "older" comes before "younger"; its catch-all goes behind the other's rules */
    assert_string_equal(dump_all_routes(&f), "routes http.80\n"
                                             "  host x.com:80: x.com\n"
                                             "    younger.default/0: prefix:/b\n"
                                             "      to outbound|81||b.default.svc.cluster.local\n"
                                             "    older.default/rest: prefix:/\n"
                                             "      to outbound|80||a.default.svc.cluster.local\n"
                                             "    younger.default/1: prefix:/\n"
                                             "      to outbound|81||b.default.svc.cluster.local\n");
    assert_non_null(strstr(dump_diagnostics(&f), "the older VirtualService/default/older has a rule for every request "
                                                 "to 'x.com' too, and that one counts"));
    fixture_release(&f);
}

static void age_decides_before_names(void **state)
{
    struct fixture f;
    fixture_init(&f);
    fixture_load(&f,
                 SERVICES GATEWAY("g", "", "    - { port: { number: 80, name: h, protocol: HTTP }, hosts: ['*'] }\n")
                     VS("aaa", ", creationTimestamp: '2026-02-01T00:00:00Z'",
                        "  hosts: [x.com]\n  gateways: [g]\n  http:\n"
                        "    - { match: [{ uri: { prefix: /a } }], route: [{ destination: { host: a } }] }\n")
                         VS("zzz", ", creationTimestamp: '2026-01-01T00:00:00Z'",
                            "  hosts: [x.com]\n  gateways: [g]\n  http:\n"
                            "    - { match: [{ uri: { prefix: /z } }], route: [{ destination: { host: b } }] }\n"));
    assert_string_equal(dump_all_routes(&f), "routes http.80\n"
                                             "  host x.com:80: x.com\n"
                                             "    zzz.default/0: prefix:/z\n"
                                             "      to outbound|81||b.default.svc.cluster.local\n"
                                             "    aaa.default/0: prefix:/a\n"
                                             "      to outbound|80||a.default.svc.cluster.local\n");
    fixture_release(&f);
}

/* the narrower of the server's and the VirtualService's host */
static void hosts_meet(void **state)
{
    struct fixture f;
    fixture_init(&f);
    fixture_load(
        &f, SERVICES GATEWAY("g", "",
                             "    - { port: { number: 80, name: h, protocol: HTTP }, "
                             "hosts: ['*.foo.com', 'team/only.bar.com', './own.bar.com', one.baz.com, Two.Baz.com] }\n")
                VS("a", "",
                   "  hosts: [x.foo.com, '*.y.foo.com', foo.com, only.bar.com, own.bar.com]\n"
                   "  gateways: [g]\n  http: [{ route: [{ destination: { host: a } }] }]\n")
                    VS("b", "",
                       "  hosts: ['*.baz.com']\n  gateways: [default/g]\n"
                       "  http: [{ route: [{ destination: { host: b } }] }]\n")
                        VS("t", ", namespace: team",
                           "  hosts: [only.bar.com, own.bar.com]\n  gateways: [default/g]\n"
                           "  http: [{ directResponse: { status: 204 } }]\n"));
    assert_string_equal(dump_all_routes(&f), "routes http.80\n"
                                             "  host x.foo.com:80: x.foo.com\n"
                                             "    a.default/0: prefix:/\n"
                                             "      to outbound|80||a.default.svc.cluster.local\n"
                                             "  host *.y.foo.com:80: *.y.foo.com\n"
                                             "    a.default/0: prefix:/\n"
                                             "      to outbound|80||a.default.svc.cluster.local\n"
                                             "  host own.bar.com:80: own.bar.com\n"
                                             "    a.default/0: prefix:/\n"
                                             "      to outbound|80||a.default.svc.cluster.local\n"
                                             "  host one.baz.com:80: one.baz.com\n"
                                             "    b.default/0: prefix:/\n"
                                             "      to outbound|81||b.default.svc.cluster.local\n"
                                             "  host two.baz.com:80: two.baz.com\n"
                                             "    b.default/0: prefix:/\n"
                                             "      to outbound|81||b.default.svc.cluster.local\n"
                                             "  host only.bar.com:80: only.bar.com\n"
                                             "    t.team/0: prefix:/ answer 204 \n");
    fixture_release(&f);
}

static void a_short_host_is_completed_with_the_virtual_services_namespace(void **state)
{
    struct fixture f;
    fixture_init(&f);
    fixture_load(&f, GATEWAY("g", "", "    - { port: { number: 80, name: h, protocol: HTTP }, hosts: ['*'] }\n")
                         VS("v", ", namespace: team",
                            "  hosts: [app, app.team]\n  gateways: [default/g]\n"
                            "  http: [{ directResponse: { status: 204 } }]\n"));
    assert_string_equal(dump_all_routes(&f), "routes http.80\n"
                                             "  host app.team.svc.cluster.local:80: app.team.svc.cluster.local\n"
                                             "    v.team/0: prefix:/ answer 204 \n"
                                             "  host app.team:80: app.team\n"
                                             "    v.team/0: prefix:/ answer 204 \n");
    fixture_release(&f);
}

static void nothing_bound_answers_404(void **state)
{
    struct fixture f;
    fixture_init(&f);
    fixture_load(&f, GATEWAY("g", "", "    - { port: { number: 80, name: h, protocol: HTTP }, hosts: ['*'] }\n"));
    assert_string_equal(dump_all_routes(&f), "routes http.80\n  host blackhole:80: *\n");
    fixture_release(&f);
}

static void ports_and_gateways_of_a_match_count_when_compiled(void **state)
{
    struct fixture f;
    fixture_init(&f);
    fixture_load(&f, SERVICES GATEWAY("g", "",
                                      "    - { port: { number: 80, name: h, protocol: HTTP }, hosts: ['*'] }\n"
                                      "    - { port: { number: 8080, name: h2, protocol: HTTP }, hosts: ['*'] }\n")
                         VS("v", "",
                            "  hosts: [x.com]\n  gateways: [g, mesh]\n  http:\n"
                            "    - { match: [{ port: 8080, uri: { exact: /p } }], "
                            "route: [{ destination: { host: a } }] }\n"
                            "    - { match: [{ gateways: [mesh] }], route: [{ destination: { host: b } }] }\n"
                            "    - { match: [{ sourceLabels: { app: x } }], route: [{ destination: { host: b } }] }\n"
                            "    - { match: [{ gateways: [g], sourceLabels: { app: x }, uri: { prefix: /g } }], "
                            "route: [{ destination: { host: a } }] }\n"));
    assert_string_equal(dump_all_routes(&f), "routes http.80\n"
                                             "  host x.com:80: x.com\n"
                                             "    v.default/3: prefix:/g\n"
                                             "      to outbound|80||a.default.svc.cluster.local\n"
                                             "routes http.8080\n"
                                             "  host x.com:8080: x.com\n"
                                             "    v.default/0: exact:/p\n"
                                             "      to outbound|80||a.default.svc.cluster.local\n"
                                             "    v.default/3: prefix:/g\n"
                                             "      to outbound|80||a.default.svc.cluster.local\n");
    assert_non_null(strstr(dump_diagnostics(&f), "never fits: this proxy has no labels (say --labels)"));
    fixture_release(&f);
}

/* a service with one port lends it to a destination without; one with several takes the listener's (observed 1) */
static void a_destination_without_port(void **state)
{
    struct fixture f;
    fixture_init(&f);
    fixture_load(&f, SERVICES GATEWAY("g", "",
                                      "    - { port: { number: 83, name: h, protocol: HTTP }, hosts: ['*'] }\n"
                                      "    - { port: { number: 84, name: i, protocol: HTTP }, hosts: ['*'] }\n")
                         VS("v", "",
                            "  hosts: [x.com]\n  gateways: [g]\n"
                            "  http: [{ route: [{ destination: { host: c } }], mirror: { host: a } }]\n"));
    assert_string_equal(dump_all_routes(&f), "routes http.83\n"
                                             "  host x.com:83: x.com\n"
                                             "    v.default/0: prefix:/\n"
                                             "      to outbound|83||c.default.svc.cluster.local\n"
                                             "      mirror outbound|80||a.default.svc.cluster.local 100/100\n"
                                             "routes http.84\n"
                                             "  host x.com:84: x.com\n"
                                             "    v.default/0: prefix:/\n"
                                             "      to outbound|84||c.default.svc.cluster.local (unknown)\n"
                                             "      mirror outbound|80||a.default.svc.cluster.local 100/100\n");
    assert_non_null(strstr(dump_diagnostics(&f),
                           "names no port, so the listener's port 84 counts, which 'c.default.svc.cluster.local' does "
                           "not have (name one in `port.number`: 82, 83)"));
    fixture_release(&f);
}

/* many matches, each with the same action; a catch-all ends the list */
static void each_match_is_a_route(void **state)
{
    struct fixture f;
    fixture_init(&f);
    fixture_load(&f,
                 SERVICES GATEWAY("g", "", "    - { port: { number: 80, name: h, protocol: HTTP }, hosts: ['*'] }\n")
                     VS("v", "",
                        "  hosts: [x.com]\n  gateways: [g]\n  http:\n"
                        "    - name: all\n"
                        "      match:\n"
                        "        - { name: one, uri: { prefix: /1 } }\n"
                        "        - { uri: { regex: '/2.*' }, method: { exact: GET } }\n"
                        "        - { uri: { exact: /3 }, ignoreUriCase: true }\n"
                        "        - { uri: { prefix: / } }\n"
                        "        - { uri: { prefix: /5 } }\n"
                        "      route: [{ destination: { host: a } }]\n"
                        "      mirror: { host: b }\n"
                        "    - route: [{ destination: { host: b } }]\n"));
    assert_string_equal(dump_all_routes(&f), "routes http.80\n"
                                             "  host x.com:80: x.com\n"
                                             "    v.default/all: prefix:/1\n"
                                             "      to outbound|80||a.default.svc.cluster.local\n"
                                             "      mirror outbound|81||b.default.svc.cluster.local 100/100\n"
                                             "    v.default/all: regex:/2.* method=exact:GET\n"
                                             "      to outbound|80||a.default.svc.cluster.local\n"
                                             "      mirror outbound|81||b.default.svc.cluster.local 100/100\n"
                                             "    v.default/all: exact:/3(any case)\n"
                                             "      to outbound|80||a.default.svc.cluster.local\n"
                                             "      mirror outbound|81||b.default.svc.cluster.local 100/100\n"
                                             "    v.default/all: prefix:/\n"
                                             "      to outbound|80||a.default.svc.cluster.local\n"
                                             "      mirror outbound|81||b.default.svc.cluster.local 100/100\n");
    const struct um_route *routes = f.snapshot->route_configs[0].virtual_hosts[0].routes;
    assert_true(um_str_eq(routes[0].name, UM_STR("all.one")));
    assert_true(um_str_eq(routes[1].name, UM_STR("all")));
    assert_non_null(routes[1].match.path.regex);
    fixture_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mirrors_to_another_cluster),
        cmocka_unit_test(moves_ports_and_binds_one_address),
        cmocka_unit_test(two_ports_cannot_move_to_one),
        cmocka_unit_test(a_gateway_that_is_not_ours_opens_nothing),
        cmocka_unit_test(merges_virtual_services_of_one_host),
        cmocka_unit_test(age_decides_before_names),
        cmocka_unit_test(hosts_meet),
        cmocka_unit_test(a_short_host_is_completed_with_the_virtual_services_namespace),
        cmocka_unit_test(nothing_bound_answers_404),
        cmocka_unit_test(ports_and_gateways_of_a_match_count_when_compiled),
        cmocka_unit_test(a_destination_without_port),
        cmocka_unit_test(each_match_is_a_route),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
