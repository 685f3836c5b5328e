/* SPDX-License-Identifier: Apache-2.0
 * The sidecar's role: a listener for each HTTP port, virtual hosts by every name of a service. */
#include "compile_fixture.h"

#define VS(name_, spec_)                                                                                               \
    "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: { name: " name_ " }\nspec:\n" spec_ "---\n"
#define SERVICE(name_, namespace_, ports_)                                                                             \
    "apiVersion: v1\nkind: Service\nmetadata: { name: " name_ ", namespace: " namespace_ " }\nspec: { ports: [" ports_ \
    "] }\n---\n"

/* two versions behind one Service, half of the requests copied */
static const char MIRROR[] = "apiVersion: v1\n"
                             "kind: Service\n"
                             "metadata: { name: httpbin }\n"
                             "spec:\n"
                             "  clusterIP: 10.0.0.7\n"
                             "  selector: { app: httpbin }\n"
                             "  ports: [{ name: http, port: 8000, targetPort: 80 }]\n"
                             "---\n"
                             "apiVersion: apps/v1\n"
                             "kind: Deployment\n"
                             "metadata: { name: httpbin-v1 }\n"
                             "spec: { replicas: 1 }\n"
                             "---\n"
                             "apiVersion: networking.istio.io/v1\n"
                             "kind: DestinationRule\n"
                             "metadata: { name: httpbin }\n"
                             "spec:\n"
                             "  host: httpbin\n"
                             "  subsets:\n"
                             "    - { name: v1, labels: { version: v1 } }\n"
                             "    - { name: v1-mirroring, labels: { version: v1-mirroring } }\n"
                             "---\n"
                             "apiVersion: networking.istio.io/v1\n"
                             "kind: VirtualService\n"
                             "metadata: { name: httpbin }\n"
                             "spec:\n"
                             "  hosts: [httpbin]\n"
                             "  http:\n"
                             "    - route: [{ destination: { host: httpbin, subset: v1 }, weight: 100 }]\n"
                             "      mirror: { host: httpbin, subset: v1-mirroring }\n"
                             "      mirrorPercentage: { value: 50.0 }\n";

static void mirrors_between_subsets(void **state)
{
    struct fixture f;
    fixture_init(&f);
    fixture_endpoint(&f, "httpbin", "v1", 8081);
    fixture_endpoint(&f, "httpbin.default", "v1-mirroring", 8082);
    fixture_load(&f, MIRROR);
    assert_int_equal(f.rc, 0);
    assert_string_equal(dump_all_listeners(&f),
                        "listener 127.0.0.1_8000 port 8000 routes 8000: Service/default/httpbin port 8000\n");
    assert_string_equal(dump_all_routes(&f),
                        "routes 8000\n"
                        "  host httpbin.default.svc.cluster.local:8000: httpbin.default.svc.cluster.local "
                        "httpbin.default.svc.cluster.local. httpbin httpbin.default httpbin.default.svc 10.0.0.7\n"
                        "    httpbin.default/0: prefix:/\n"
                        "      to outbound|8000|v1|httpbin.default.svc.cluster.local\n"
                        "      mirror outbound|8000|v1-mirroring|httpbin.default.svc.cluster.local 500000/1000000\n");
    assert_string_equal(dump_all_clusters(&f),
                        "cluster outbound|8000||httpbin.default.svc.cluster.local EDS 127.0.0.1:8081 127.0.0.1:8082\n"
                        "cluster outbound|8000|v1|httpbin.default.svc.cluster.local EDS 127.0.0.1:8081\n"
                        "cluster outbound|8000|v1-mirroring|httpbin.default.svc.cluster.local EDS 127.0.0.1:8082\n");
    fixture_release(&f);
}

static void names_of_services_depend_on_the_proxys_namespace(void **state)
{
    struct fixture f;
    fixture_init(&f);
    f.options.namespace_name = UM_STR("team");
    fixture_load(
        &f,
        SERVICE("a", "team", "{ name: http, port: 80 }") SERVICE(
            "b", "other",
            "{ name: http, port: 80 }") "apiVersion: networking.istio.io/v1\n"
                                        "kind: ServiceEntry\n"
                                        "metadata: { name: e }\n"
                                        "spec:\n"
                                        "  hosts: [c.team.svc.cluster.local, api.example.com, '*.wild.example.com']\n"
                                        "  addresses: ['fd00::1', 10.1.0.0/16]\n"
                                        "  ports: [{ number: 80, name: http, protocol: HTTP }]\n"
                                        "  resolution: STATIC\n"
                                        "  endpoints: [{ address: 10.0.0.1 }]\n");
    assert_string_equal(
        dump_all_routes(&f),
        "routes 80\n"
        "  host a.team.svc.cluster.local:80: a.team.svc.cluster.local a.team.svc.cluster.local. a a.team a.team.svc\n"
        "    default: prefix:/\n"
        "      to outbound|80||a.team.svc.cluster.local\n"
        "  host b.other.svc.cluster.local:80: b.other.svc.cluster.local b.other.svc.cluster.local. b.other "
        "b.other.svc\n"
        "    default: prefix:/\n"
        "      to outbound|80||b.other.svc.cluster.local\n"
        "  host c.team.svc.cluster.local:80: c.team.svc.cluster.local c.team.svc.cluster.local. c c.team c.team.svc "
        "[fd00::1]\n"
        "    default: prefix:/\n"
        "      to outbound|80||c.team.svc.cluster.local\n"
        "  host api.example.com:80: api.example.com api.example.com.\n"
        "    default: prefix:/\n"
        "      to outbound|80||api.example.com\n"
        "  host *.wild.example.com:80: *.wild.example.com\n"
        "    default: prefix:/\n"
        "      to outbound|80||*.wild.example.com\n");
    fixture_release(&f);
}

/* `app.default` is not completed: it takes that one domain away from the service (observed 13) */
static void a_host_with_a_dot_is_a_host_of_its_own(void **state)
{
    struct fixture f;
    fixture_init(&f);
    fixture_load(&f, SERVICE("app", "default", "{ name: http, port: 80 }")
                         VS("v", "  hosts: [app.default]\n  http: [{ route: [{ destination: { host: app } }] }]\n"));
    assert_string_equal(dump_all_routes(&f), "routes 80\n"
                                             "  host app.default:80: app.default\n"
                                             "    v.default/0: prefix:/\n"
                                             "      to outbound|80||app.default.svc.cluster.local\n"
                                             "  host app.default.svc.cluster.local:80: app.default.svc.cluster.local "
                                             "app.default.svc.cluster.local. app app.default.svc\n"
                                             "    default: prefix:/\n"
                                             "      to outbound|80||app.default.svc.cluster.local\n");
    fixture_release(&f);
}

static void the_oldest_virtual_service_has_the_host(void **state)
{
    struct fixture f;
    fixture_init(&f);
    fixture_load(&f, SERVICE("app", "default", "{ name: http, port: 80 }")
                         VS("zzz", "  hosts: [app]\n  http: [{ directResponse: { status: 299 } }]\n")
                             VS("aaa", "  hosts: [app, other.example.com]\n"
                                       "  http: [{ directResponse: { status: 201 } }]\n"));
    assert_string_equal(dump_all_routes(&f), "routes 80\n"
                                             "  host other.example.com:80: other.example.com\n"
                                             "    aaa.default/0: prefix:/ answer 201 \n"
                                             "  host app.default.svc.cluster.local:80: app.default.svc.cluster.local "
                                             "app.default.svc.cluster.local. app app.default app.default.svc\n"
                                             "    aaa.default/0: prefix:/ answer 201 \n");
    assert_non_null(strstr(dump_diagnostics(&f), "sidecars take 'app.default.svc.cluster.local' from the older "
                                                 "VirtualService/default/aaa"));
    fixture_release(&f);
}

/* exact beats wildcard, the longer wildcard the shorter; a wildcard makes no host of its own (observed 14) */
static void wildcards_cover_known_services(void **state)
{
    struct fixture f;
    fixture_init(&f);
    fixture_load(&f, SERVICE("one", "default", "{ name: http, port: 80 }")
                         SERVICE("two", "prod", "{ name: http, port: 80 }")
                             VS("a", "  hosts: ['*.cluster.local']\n  http: [{ directResponse: { status: 201 } }]\n")
                                 VS("b", "  hosts: ['*.prod.svc.cluster.local', '*.unknown.example.com']\n"
                                         "  http: [{ directResponse: { status: 202 } }]\n"));
    assert_string_equal(dump_all_routes(&f), "routes 80\n"
                                             "  host one.default.svc.cluster.local:80: one.default.svc.cluster.local "
                                             "one.default.svc.cluster.local. one one.default one.default.svc\n"
                                             "    a.default/0: prefix:/ answer 201 \n"
                                             "  host two.prod.svc.cluster.local:80: two.prod.svc.cluster.local "
                                             "two.prod.svc.cluster.local. two.prod two.prod.svc\n"
                                             "    b.default/0: prefix:/ answer 202 \n");
    fixture_release(&f);
}

/* observed 17; and a port's rules are compiled for that port */
static void a_host_lives_on_port_80_as_well(void **state)
{
    struct fixture f;
    fixture_init(&f);
    fixture_load(&f, SERVICE("app", "default", "{ name: http, port: 8000 }, { name: http-b, port: 9000 }")
                         SERVICE("web", "default", "{ name: http, port: 80 }")
                             VS("v", "  hosts: [app]\n  http:\n"
                                     "    - { match: [{ port: 9000 }], directResponse: { status: 209 } }\n"
                                     "    - { route: [{ destination: { host: app } }] }\n"));
    assert_string_equal(dump_all_routes(&f), "routes 80\n"
                                             "  host app.default.svc.cluster.local:80: app.default.svc.cluster.local\n"
                                             "    v.default/1: prefix:/\n"
                                             "      to outbound|80||app.default.svc.cluster.local (unknown)\n"
                                             "  host web.default.svc.cluster.local:80: web.default.svc.cluster.local "
                                             "web.default.svc.cluster.local. web web.default web.default.svc\n"
                                             "    default: prefix:/\n"
                                             "      to outbound|80||web.default.svc.cluster.local\n"
                                             "routes 8000\n"
                                             "  host app.default.svc.cluster.local:8000: app.default.svc.cluster.local "
                                             "app.default.svc.cluster.local. app app.default app.default.svc\n"
                                             "    v.default/1: prefix:/\n"
                                             "      to outbound|8000||app.default.svc.cluster.local\n"
                                             "routes 9000\n"
                                             "  host app.default.svc.cluster.local:9000: app.default.svc.cluster.local "
                                             "app.default.svc.cluster.local. app app.default app.default.svc\n"
                                             "    v.default/0: prefix:/ answer 209 \n"
                                             "    v.default/1: prefix:/\n"
                                             "      to outbound|9000||app.default.svc.cluster.local\n");
    assert_int_equal(f.diag.n, 0); /* that port 80 leads nowhere is nobody's mistake */
    fixture_release(&f);
}

/* observed 1: a mirror without port is looked up on the listener's */
static void a_port_is_not_borrowed_from_the_service(void **state)
{
    struct fixture f;
    fixture_init(&f);
    fixture_load(&f, SERVICE("app", "default", "{ name: http, port: 80 }")
                         SERVICE("shadow", "default", "{ name: http, port: 8080 }")
                             VS("v", "  hosts: [app]\n  http:\n    - match: [{ method: { regex: GET|HEAD|OPTIONS } }]\n"
                                     "      route: [{ destination: { host: app } }]\n"
                                     "      mirror: { host: shadow }\n"));
    assert_int_equal(f.rc, 0);
    assert_non_null(
        strstr(dump_all_routes(&f), "mirror outbound|80||shadow.default.svc.cluster.local (unknown) 100/100"));
    assert_string_equal(
        dump_diagnostics(&f),
        "test.yaml:19:23: warning: VirtualService/default/v: spec.http[0].mirror.host: names no port, so "
        "the listener's port 80 counts, which 'shadow.default.svc.cluster.local' does not have (name one "
        "in `port.number`: 8080)\n");
    fixture_release(&f);
}

static void only_http_is_served(void **state)
{
    struct fixture f;
    fixture_init(&f);
    fixture_load(
        &f, SERVICE("a", "default",
                    "{ name: tcp-x, port: 1 }, { name: https, port: 2 }, { name: grpc-y, port: 3 }, "
                    "{ name: unknown, port: 4 }, { name: mongo, port: 5 }, { name: z, appProtocol: http, port: 6 }, "
                    "{ name: dns, port: 53 }, { name: http, protocol: UDP, port: 8 }"));
    assert_string_equal(dump_all_listeners(&f), "listener 127.0.0.1_3 port 3 routes 3: Service/default/a port 3\n"
                                                "listener 127.0.0.1_4 port 4 routes 4: Service/default/a port 4\n"
                                                "listener 127.0.0.1_6 port 6 routes 6: Service/default/a port 6\n");
    assert_null(um_snapshot_cluster(f.snapshot, UM_STR("outbound|8||a.default.svc.cluster.local")));
    assert_non_null(um_snapshot_cluster(f.snapshot, UM_STR("outbound|1||a.default.svc.cluster.local")));
    const char *said = dump_diagnostics(&f);
    assert_non_null(strstr(said, "spec.ports[0]: no listener: only HTTP is served yet (and 4 more ports)"));
    assert_non_null(strstr(said, "spec.ports[2]: HTTP/2 is not served yet: spoken to in HTTP/1.1"));
    assert_non_null(strstr(said, "spec.ports[3]: names no protocol: taken as HTTP"));
    fixture_release(&f);
}

static void hosts_that_nothing_listens_for(void **state)
{
    struct fixture f;
    fixture_init(&f);
    fixture_load(&f, SERVICE("app", "default", "{ name: http, port: 8000 }")
                         VS("v", "  hosts: [app, foreign.example.com]\n  http: [{ directResponse: { status: 200 } }]\n")
                             VS("w", "  hosts: [lone.example.com]\n  http: [{ directResponse: { status: 200 } }]\n"));
    assert_string_equal(dump_all_routes(&f), "routes 8000\n"
                                             "  host foreign.example.com:8000: foreign.example.com\n"
                                             "    v.default/0: prefix:/ answer 200 \n"
                                             "  host app.default.svc.cluster.local:8000: app.default.svc.cluster.local "
                                             "app.default.svc.cluster.local. app app.default app.default.svc\n"
                                             "    v.default/0: prefix:/ answer 200 \n");
    assert_non_null(strstr(dump_diagnostics(&f), "VirtualService/default/w: spec.hosts[0]: no Service or ServiceEntry "
                                                 "has this host, and none listens on port 80 for it"));
    assert_int_equal(f.diag.n, 1);
    fixture_release(&f);
}

static void nothing_to_listen_on(void **state)
{
    struct um_buf why;
    struct fixture f;
    fixture_init(&f);
    um_buf_init(&why, 0);
    fixture_load(&f, SERVICE("db", "default", "{ name: mysql, port: 3306 }"));
    assert_int_equal(f.rc, 0);
    assert_int_equal(f.snapshot->n_listeners, 0);
    um_istio_no_listener(&f.resources, &f.options, &why);
    assert_true(um_str_eq(um_buf_str(&why), UM_STR("no Service or ServiceEntry has an HTTP port")));
    um_buf_release(&why);
    fixture_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mirrors_between_subsets),
        cmocka_unit_test(names_of_services_depend_on_the_proxys_namespace),
        cmocka_unit_test(a_host_with_a_dot_is_a_host_of_its_own),
        cmocka_unit_test(the_oldest_virtual_service_has_the_host),
        cmocka_unit_test(wildcards_cover_known_services),
        cmocka_unit_test(a_host_lives_on_port_80_as_well),
        cmocka_unit_test(a_port_is_not_borrowed_from_the_service),
        cmocka_unit_test(only_http_is_served),
        cmocka_unit_test(hosts_that_nothing_listens_for),
        cmocka_unit_test(nothing_to_listen_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
