/* SPDX-License-Identifier: Apache-2.0
 * Where endpoints come from, and the protocols of ports. */
#include "compile_fixture.h"
#include "istio/services.h"

static const char SERVICE[] = "apiVersion: v1\n"
                              "kind: Service\n"
                              "metadata: { name: app }\n"
                              "spec:\n"
                              "  selector: { app: app }\n"
                              "  ports:\n"
                              "    - { name: http, port: 80, targetPort: web }\n"
                              "    - { name: http-admin, port: 81, targetPort: 9090 }\n"
                              "---\n"
                              "apiVersion: networking.istio.io/v1\n"
                              "kind: DestinationRule\n"
                              "metadata: { name: app }\n"
                              "spec:\n"
                              "  host: app\n"
                              "  subsets: [{ name: v1, labels: { version: v1 } }]\n"
                              "---\n";

static const char PODS[] = "apiVersion: v1\n"
                           "kind: Pod\n"
                           "metadata: { name: app-1, labels: { app: app, version: v1 } }\n"
                           "spec: { containers: [{ name: c, ports: [{ name: web, containerPort: 8080 }] }] }\n"
                           "status: { podIP: 10.0.0.1, phase: Running }\n"
                           "---\n"
                           "apiVersion: v1\n"
                           "kind: Pod\n"
                           "metadata: { name: app-2, labels: { app: app, version: v2 } }\n"
                           "spec: { containers: [{ name: c, ports: [{ name: web, containerPort: 8081 }] }] }\n"
                           "status: { podIP: 10.0.0.2, phase: Running, "
                           "conditions: [{ type: Ready, status: 'False' }] }\n"
                           "---\n"
                           "apiVersion: v1\n"
                           "kind: Pod\n"
                           "metadata: { name: app-3, labels: { app: app, version: v1 } }\n"
                           "spec: { containers: [{ name: c }] }\n"
                           "status: { podIP: 10.0.0.3, phase: Succeeded }\n"
                           "---\n"
                           "apiVersion: v1\n"
                           "kind: Pod\n"
                           "metadata: { name: app-4, namespace: elsewhere, labels: { app: app } }\n"
                           "spec: { containers: [{ name: c }] }\n"
                           "status: { podIP: 10.0.0.4, phase: Running }\n"
                           "---\n";

static struct fixture loaded(const char *first, const char *second, const char *third)
{
    static char yaml[16384];
    struct fixture f;
    fixture_init(&f);
    snprintf(yaml, sizeof yaml, "%s%s%s", first, second, third);
    fixture_load(&f, yaml);
    return f;
}

static void pods_by_selector(void **state)
{
    struct fixture f = loaded(SERVICE, PODS, "");
    assert_string_equal(
        dump_all_clusters(&f),
        "cluster outbound|80||app.default.svc.cluster.local EDS 10.0.0.1:8080 10.0.0.2:8081(not ready)\n"
        "cluster outbound|80|v1|app.default.svc.cluster.local EDS 10.0.0.1:8080\n"
        "cluster outbound|81||app.default.svc.cluster.local EDS 10.0.0.1:9090 10.0.0.2:9090(not ready)\n"
        "cluster outbound|81|v1|app.default.svc.cluster.local EDS 10.0.0.1:9090\n");
    fixture_release(&f);
}

static void slices_before_pods(void **state)
{
    struct fixture f = loaded(SERVICE, PODS,
                              "apiVersion: discovery.k8s.io/v1\n"
                              "kind: EndpointSlice\n"
                              "metadata: { name: app-x, labels: { kubernetes.io/service-name: app } }\n"
                              "addressType: IPv4\n"
                              "ports: [{ name: http, port: 8080 }]\n"
                              "endpoints:\n"
                              "  - { addresses: [10.0.0.1], targetRef: { kind: Pod, name: app-1 } }\n"
                              "  - { addresses: [10.0.0.9], conditions: { ready: false } }\n"
                              "  - { addresses: [10.0.0.8], conditions: { terminating: true } }\n"
                              "---\n"
                              "apiVersion: v1\n"
                              "kind: Endpoints\n"
                              "metadata: { name: app }\n"
                              "subsets: [{ addresses: [{ ip: 10.0.0.7 }], ports: [{ name: http, port: 1 }] }]\n");
    assert_string_equal(
        dump_all_clusters(&f),
        "cluster outbound|80||app.default.svc.cluster.local EDS 10.0.0.1:8080 10.0.0.9:8080(not ready)\n"
        "cluster outbound|80|v1|app.default.svc.cluster.local EDS 10.0.0.1:8080\n"
        "cluster outbound|81||app.default.svc.cluster.local EDS\n"
        "cluster outbound|81|v1|app.default.svc.cluster.local EDS\n");
    fixture_release(&f);
}

static void endpoints_before_pods(void **state)
{
    struct fixture f = loaded(SERVICE, PODS,
                              "apiVersion: v1\n"
                              "kind: Endpoints\n"
                              "metadata: { name: app }\n"
                              "subsets:\n"
                              "  - addresses: [{ ip: 10.0.0.1 }]\n"
                              "    notReadyAddresses: [{ ip: 10.0.0.2, targetRef: { kind: Pod, name: app-2 } }]\n"
                              "    ports: [{ name: http, port: 8080 }]\n"
                              "---\n"
                              "apiVersion: v1\n"
                              "kind: Endpoints\n"
                              "metadata: { name: ap }\n"
                              "subsets: []\n");
    assert_string_equal(
        dump_all_clusters(&f),
        "cluster outbound|80||app.default.svc.cluster.local EDS 10.0.0.1:8080 10.0.0.2:8080(not ready)\n"
        "cluster outbound|80|v1|app.default.svc.cluster.local EDS 10.0.0.1:8080\n"
        "cluster outbound|81||app.default.svc.cluster.local EDS\n"
        "cluster outbound|81|v1|app.default.svc.cluster.local EDS\n");
    assert_non_null(strstr(dump_diagnostics(&f), "there is no Service 'ap' in namespace 'default': not used (did you "
                                                 "mean 'app'?)"));
    fixture_release(&f);
}

static void workload_entries_by_selector(void **state)
{
    struct fixture f = loaded(SERVICE,
                              "apiVersion: networking.istio.io/v1\n"
                              "kind: WorkloadEntry\n"
                              "metadata: { name: vm, labels: { version: v1 } }\n"
                              "spec: { address: 10.1.0.1, labels: { app: app, version: v0 }, ports: { http: 7000 }, "
                              "weight: 3 }\n"
                              "---\n",
                              "apiVersion: networking.istio.io/v1\n"
                              "kind: ServiceEntry\n"
                              "metadata: { name: e }\n"
                              "spec:\n"
                              "  hosts: [vm.example.com]\n"
                              "  resolution: STATIC\n"
                              "  ports: [{ number: 80, name: http, protocol: HTTP, targetPort: 8000 }, "
                              "{ number: 81, name: b, protocol: HTTP }]\n"
                              "  workloadSelector: { labels: { version: v1 } }\n");
    assert_string_equal(dump_all_clusters(&f),
                        "cluster outbound|80||app.default.svc.cluster.local EDS 10.1.0.1:7000*3\n"
                        "cluster outbound|80|v1|app.default.svc.cluster.local EDS 10.1.0.1:7000*3\n"
                        "cluster outbound|81||app.default.svc.cluster.local EDS 10.1.0.1:9090*3\n"
                        "cluster outbound|81|v1|app.default.svc.cluster.local EDS 10.1.0.1:9090*3\n"
                        "cluster outbound|80||vm.example.com EDS 10.1.0.1:7000*3\n"
                        "cluster outbound|81||vm.example.com EDS 10.1.0.1:81*3\n");
    fixture_release(&f);
}

#define ENTRY(name_, spec_)                                                                                            \
    "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: { name: " name_ " }\nspec: { " spec_ " }\n---"  \
    "\n"
#define HTTP_80 "ports: [{ number: 80, name: http, protocol: HTTP, targetPort: 8080 }]"

static void resolutions(void **state)
{
    struct fixture f = loaded(
        ENTRY("a", "hosts: [dns.example.com], resolution: DNS, " HTTP_80),
        ENTRY("b", "hosts: [dns2.example.com], resolution: DNS, " HTTP_80
                   ", endpoints: [{ address: one.example.com, weight: 2 }, { address: 10.0.0.1, ports: { http: 9 } }]")
            ENTRY("c", "hosts: [logical.example.com], resolution: DNS_ROUND_ROBIN, " HTTP_80),
        ENTRY("d", "hosts: [none.example.com], " HTTP_80)
            ENTRY("e", "hosts: [unix.example.com], resolution: STATIC, " HTTP_80
                       ", endpoints: [{ address: 'unix:///run/x' }, { address: 10.0.0.2 }]"));
    assert_string_equal(dump_all_clusters(&f),
                        "cluster outbound|80||dns.example.com STRICT_DNS dns.example.com:8080\n"
                        "cluster outbound|80||dns2.example.com STRICT_DNS one.example.com:8080 10.0.0.1:9\n"
                        "cluster outbound|80||logical.example.com LOGICAL_DNS logical.example.com:8080\n"
                        "cluster outbound|80||none.example.com ORIGINAL_DST\n"
                        "cluster outbound|80||unix.example.com EDS 10.0.0.2:8080\n");
    assert_int_equal(um_snapshot_cluster(f.snapshot, UM_STR("outbound|80||dns2.example.com"))->dns_names[0].weight, 2);
    assert_non_null(strstr(dump_diagnostics(&f), "spec.endpoints[0].address: unix sockets are not served yet"));
    fixture_release(&f);
}

static void entries_of_one_host_come_together(void **state)
{
    struct fixture f = loaded(
        ENTRY("a", "hosts: [x.example.com], resolution: STATIC, ports: [{ number: 80, name: http, protocol: HTTP }], "
                   "endpoints: [{ address: 10.0.0.1 }]"),
        ENTRY("b", "hosts: [x.example.com], resolution: STATIC, ports: [{ number: 80, name: http, protocol: HTTP }, "
                   "{ number: 81, name: b, protocol: HTTP }], endpoints: [{ address: 10.0.0.2 }]"),
        ENTRY("c", "hosts: [x.example.com], resolution: DNS, " HTTP_80));
    assert_string_equal(dump_all_clusters(&f), "cluster outbound|80||x.example.com EDS 10.0.0.1:80 10.0.0.2:80\n"
                                               "cluster outbound|81||x.example.com EDS 10.0.0.2:81\n");
    assert_non_null(strstr(dump_diagnostics(&f),
                           "host 'x.example.com' is already defined by ServiceEntry/default/a, which counts"));
    fixture_release(&f);
}

static void external_names(void **state)
{
    struct fixture f =
        loaded(SERVICE,
               "apiVersion: v1\nkind: Service\nmetadata: { name: alias }\n"
               "spec: { type: ExternalName, externalName: app.default.svc.cluster.local, ports: [{ name: http, port: "
               "80 }] }\n---\n",
               "apiVersion: v1\nkind: Service\nmetadata: { name: far }\n"
               "spec: { type: ExternalName, externalName: far.example.com, ports: [{ name: http, port: 80 }] }\n");
    assert_null(um_snapshot_cluster(f.snapshot, UM_STR("outbound|80||alias.default.svc.cluster.local")));
    const char *routes = dump_all_routes(&f);
    assert_non_null(strstr(routes, "  host alias.default.svc.cluster.local:80: alias.default.svc.cluster.local "
                                   "alias.default.svc.cluster.local. alias alias.default alias.default.svc\n"
                                   "    default: prefix:/\n"
                                   "      to outbound|80||app.default.svc.cluster.local\n"));
    assert_non_null(strstr(dump_all_clusters(&f),
                           "cluster outbound|80||far.default.svc.cluster.local STRICT_DNS far.example.com:80\n"));
    fixture_release(&f);
}

static void given_endpoints(void **state)
{
    struct fixture f;
    fixture_init(&f);
    fixture_endpoint(&f, "app", "v1", 8081);
    fixture_endpoint(&f, "app.default.svc", "v2", 8082);
    fixture_endpoint(&f, "none.example.com", NULL, 8083);
    fixture_load(&f, "apiVersion: v1\nkind: Service\nmetadata: { name: app }\n"
                     "spec: { ports: [{ name: http, port: 80 }, { name: http-b, port: 81 }] }\n---\n" //
                 ENTRY("d", "hosts: [none.example.com], " HTTP_80));
    assert_int_equal(f.rc, 0);
    assert_string_equal(dump_all_clusters(&f),
                        "cluster outbound|80||app.default.svc.cluster.local EDS 127.0.0.1:8081 127.0.0.1:8082\n"
                        "cluster outbound|81||app.default.svc.cluster.local EDS 127.0.0.1:8081 127.0.0.1:8082\n"
                        "cluster outbound|80||none.example.com EDS 127.0.0.1:8083\n");
    fixture_release(&f);
}

static void a_given_endpoint_of_an_unknown_host_is_an_error(void **state)
{
    struct fixture f;
    fixture_init(&f);
    fixture_endpoint(&f, "httpbim", "v1", 8081);
    fixture_load(&f, "apiVersion: v1\nkind: Service\nmetadata: { name: httpbin }\n"
                     "spec: { ports: [{ name: http, port: 80 }] }\n");
    assert_int_equal(f.rc, UM_ESYNTAX);
    assert_string_equal(dump_diagnostics(&f), "--endpoint: error: no Service or ServiceEntry has the host 'httpbim' "
                                              "(did you mean 'httpbin'?)\n");
    fixture_release(&f);
}

static void what_is_not_exported_is_not_there(void **state)
{
    struct fixture f =
        loaded("apiVersion: networking.istio.io/v1\nkind: ServiceEntry\n"
               "metadata: { name: a, namespace: team }\nspec: { exportTo: ['.'], hosts: [a.example.com], "
               "resolution: DNS, " HTTP_80 " }\n---\n",
               "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\n"
               "metadata: { name: b, namespace: team }\nspec: { exportTo: [default], hosts: [b.example.com], "
               "resolution: DNS, " HTTP_80 " }\n---\n",
               ENTRY("c", "exportTo: ['.'], hosts: [c.example.com], resolution: DNS, " HTTP_80));
    assert_string_equal(dump_all_clusters(&f), "cluster outbound|80||c.example.com STRICT_DNS c.example.com:8080\n"
                                               "cluster outbound|80||b.example.com STRICT_DNS b.example.com:8080\n");
    fixture_release(&f);
}

static void protocols(void **state)
{
    static const struct {
        const char *app_protocol, *name;
        uint16_t number;
        enum um_protocol expected;
    } CASES[] = {
        {"", "http", 80, UM_PROTOCOL_HTTP},
        {"", "HTTP-web", 80, UM_PROTOCOL_HTTP},
        {"", "http2-x", 80, UM_PROTOCOL_HTTP2},
        {"", "grpc", 80, UM_PROTOCOL_GRPC},
        {"", "grpc-web-x", 80, UM_PROTOCOL_GRPC_WEB},
        {"", "https", 443, UM_PROTOCOL_HTTPS},
        {"", "tls", 443, UM_PROTOCOL_TLS},
        {"", "tcp-x", 80, UM_PROTOCOL_TCP},
        {"", "mongo", 80, UM_PROTOCOL_TCP},
        {"", "", 80, UM_PROTOCOL_UNNAMED},
        {"", "web", 80, UM_PROTOCOL_UNNAMED},
        {"", "", 3306, UM_PROTOCOL_TCP},
        {"", "http", 3306, UM_PROTOCOL_HTTP},
        {"http", "tcp", 80, UM_PROTOCOL_HTTP},
        {"kubernetes.io/h2c", "x", 80, UM_PROTOCOL_HTTP2},
        {"kubernetes.io/wss", "x", 80, UM_PROTOCOL_HTTPS},
        {"example.com/own", "http", 80, UM_PROTOCOL_UNNAMED},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        assert_int_equal(
            um_protocol_of(um_str_from(CASES[i].app_protocol), um_str_from(CASES[i].name), CASES[i].number),
            CASES[i].expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pods_by_selector),
        cmocka_unit_test(slices_before_pods),
        cmocka_unit_test(endpoints_before_pods),
        cmocka_unit_test(workload_entries_by_selector),
        cmocka_unit_test(resolutions),
        cmocka_unit_test(entries_of_one_host_come_together),
        cmocka_unit_test(external_names),
        cmocka_unit_test(given_endpoints),
        cmocka_unit_test(a_given_endpoint_of_an_unknown_host_is_an_error),
        cmocka_unit_test(what_is_not_exported_is_not_there),
        cmocka_unit_test(protocols),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
