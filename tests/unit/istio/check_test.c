/* SPDX-License-Identifier: Apache-2.0
 * What is said of resources that do not fit each other, and that nothing is said of those that do. */
#include "compile_fixture.h"

#define SERVICE(name_, selector_)                                                                                      \
    "apiVersion: v1\nkind: Service\nmetadata: { name: " name_ " }\n"                                                   \
    "spec: { selector: { " selector_ " }, ports: [{ name: http, port: 80 }] }\n---\n"
#define RULE(host_, subsets_)                                                                                          \
    "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: { name: " host_ " }\n"                       \
    "spec: { host: " host_ ", subsets: [" subsets_ "] }\n---\n"
#define V1_V2 "{ name: v1, labels: { version: v1 } }, { name: v2, labels: { version: v2 } }"
#define GATEWAY                                                                                                        \
    "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: { name: g }\n"                                       \
    "spec: { servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: ['*.com'] }] }\n---\n"
#define VS(name_, http_)                                                                                               \
    "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: { name: " name_ " }\nspec:\n"                 \
    "  hosts: [" name_ ".com]\n  gateways: [g]\n  http:\n" http_ "---\n"
#define POLICY(name_, spec_)                                                                                           \
    "apiVersion: umbra.mesh/v1alpha1\nkind: ShadowPolicy\nmetadata: { name: " name_ " }\nspec:\n" spec_ "---\n"
#define TARGET(rest_) "  targetRef: { group: networking.istio.io, kind: VirtualService, name: " rest_ " }\n"
#define APP SERVICE("app", "app: app") RULE("app", V1_V2) GATEWAY

/* a mirror that nothing is wrong with: reads alone, subset to subset */
#define READS "match: [{ method: { regex: GET|HEAD|OPTIONS } }]"
#define V1_TO_V2 "route: [{ destination: { host: app, subset: v1 } }], mirror: { host: app, subset: v2 }"

static const char *said_of(struct fixture *f, const char *yaml)
{
    fixture_init(f);
    fixture_load(f, yaml);
    return dump_diagnostics(f);
}

/* exactly one diagnostic, a warning, which ends with `expected` after the place */
static void assert_says(const char *yaml, const char *expected)
{
    struct fixture f;
    const char *said = said_of(&f, yaml);
    const char *at = strstr(said, "warning: ");
    if (!at || f.diag.n != 1)
        print_message("said: %s", said);
    assert_int_equal(f.rc, 0);
    assert_int_equal(f.diag.n, 1);
    assert_non_null(at);
    size_t n = strlen(expected);
    at += strlen("warning: ");
    assert_memory_equal(at, expected, n);
    assert_string_equal(at + n, "\n");
    assert_true(f.diag.list[0].pos.line > 0 && f.diag.list[0].pos.column > 0);
    fixture_release(&f);
}

static void assert_says_nothing(const char *yaml)
{
    struct fixture f;
    assert_string_equal(said_of(&f, yaml), "");
    assert_int_equal(f.rc, 0);
    fixture_release(&f);
}

static void a_good_mirror_is_left_alone(void **state)
{
    assert_says_nothing(
        APP VS("v", "    - { " READS ", " V1_TO_V2 " }\n    - { route: [{ destination: { host: app } }] }\n"));
    assert_says_nothing(APP VS("v", "    - { " V1_TO_V2 " }\n") POLICY("p", TARGET("v") "  methods: [GET, POST]\n"));
}

static void unknown_gateways(void **state)
{
    assert_says("apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: { name: public }\n"
                "spec: { servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: ['*.com'] }] }\n---\n"
                "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: { name: v }\n"
                "spec: { hosts: [v.com], gateways: [publik], http: [{ directResponse: { status: 200 } }] }\n",
                "VirtualService/default/v: spec.gateways[0]: there is no Gateway 'default/publik' (did you mean "
                "'default/public'?)");
}

static void a_gateway_that_admits_none_of_the_hosts(void **state)
{
    assert_says(
        GATEWAY "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: { name: v }\n"
                "spec: { hosts: [v.org], gateways: [g], http: [{ directResponse: { status: 200 } }] }\n",
        "VirtualService/default/v: spec.gateways[0]: no server of Gateway 'default/g' admits any of these hosts");
}

static void unknown_hosts(void **state)
{
    assert_says(
        APP VS("v", "    - { route: [{ destination: { host: ap } }] }\n"),
        "VirtualService/default/v: spec.http[0].route[0].destination.host: no Service or ServiceEntry has the host "
        "'ap.default.svc.cluster.local': requests get 503 (did you mean 'app'?)");
    assert_says(APP VS("v", "    - { " READS ", route: [{ destination: { host: app, subset: v1 } }], "
                            "mirror: { host: shadow.example.com } }\n"
                            "    - { route: [{ destination: { host: app } }] }\n"),
                "VirtualService/default/v: spec.http[0].mirror.host: no Service or ServiceEntry has the host "
                "'shadow.example.com': nothing is mirrored");
}

static void unknown_subsets_and_ports(void **state)
{
    assert_says(
        APP VS("v", "    - { route: [{ destination: { host: app, subset: v11 } }] }\n"),
        "VirtualService/default/v: spec.http[0].route[0].destination.subset: DestinationRule/default/app defines no "
        "subset 'v11': requests get 503 (did you mean 'v1'?)");
    assert_says(
        SERVICE("app", "app: app") GATEWAY VS("v", "    - { route: [{ destination: { host: app, subset: v1 } }] }\n"),
        "VirtualService/default/v: spec.http[0].route[0].destination.subset: no DestinationRule defines subsets of "
        "'app.default.svc.cluster.local': requests get 503");
    assert_says(
        APP VS("v", "    - { route: [{ destination: { host: app, port: { number: 8080 } } }] }\n"),
        "VirtualService/default/v: spec.http[0].route[0].destination.port.number: 'app.default.svc.cluster.local' "
        "has no port 8080: requests get 503 (it has 80)");
}

static void rules_that_are_never_reached(void **state)
{
    assert_says(
        GATEWAY VS("v", "    - { match: [{ uri: { prefix: /a } }], directResponse: { status: 200 } }\n"
                        "    - { match: [{ uri: { exact: /b } }, { uri: { exact: /a/b } }], "
                        "directResponse: { status: 201 } }\n"),
        "VirtualService/default/v: spec.http[1].match[1]: is never reached: http[0].match[0] has all of these paths");
    assert_says(GATEWAY VS("v", "    - { match: [{ headers: { x: { exact: a } } }, { headers: { x: { exact: a } } }], "
                                "directResponse: { status: 200 } }\n"),
                "VirtualService/default/v: spec.http[0].match[1]: is never reached: match[0] says the same");
    assert_says_nothing(GATEWAY VS(
        "v", "    - { match: [{ uri: { prefix: /a }, method: { exact: POST } }], directResponse: { status: 200 } }\n"
             "    - { match: [{ uri: { prefix: /A }, ignoreUriCase: true }], directResponse: { status: 200 } }\n"
             "    - { match: [{ uri: { prefix: /a } }], directResponse: { status: 200 } }\n"));
}

static void a_service_that_selects_the_shadow_as_well(void **state)
{
    assert_says(
        APP VS("v", "    - { " READS ", route: [{ destination: { host: app } }], mirror: { host: app, subset: v2 } }\n"
                    "    - { route: [{ destination: { host: app } }] }\n"),
        "VirtualService/default/v: spec.http[0].route[0].destination.host: 'app.default.svc.cluster.local' selects "
        "the shadow's pods as well: they answer production's requests (give the route the subset of production)");
    assert_says(
        SERVICE("app", "app: app") SERVICE("shadow", "app: app, version: v2")
            GATEWAY VS("v", "    - { " READS ", route: [{ destination: { host: app } }], mirror: { host: shadow } }\n"
                            "    - { route: [{ destination: { host: app } }] }\n"),
        "VirtualService/default/v: spec.http[0].route[0].destination.host: 'app.default.svc.cluster.local' selects "
        "the shadow's pods as well: they answer production's requests (give the route the subset of production)");
    assert_says_nothing(SERVICE("app", "app: app, version: v1") SERVICE("shadow", "app: app, version: v2") GATEWAY VS(
        "v", "    - { " READS ", route: [{ destination: { host: app } }], mirror: { host: shadow } }\n"
             "    - { route: [{ destination: { host: app } }] }\n"));
}

static void a_mirror_to_production(void **state)
{
    assert_says(
        APP VS("v", "    - { " READS ", route: [{ destination: { host: app, subset: v1 } }], mirror: { host: app } }\n"
                    "    - { route: [{ destination: { host: app } }] }\n"),
        "VirtualService/default/v: spec.http[0].mirror.host: 'app.default.svc.cluster.local' selects production's "
        "pods as well: copies go to them too (give the mirror the subset of the shadow)");
    assert_says(APP VS("v", "    - { " READS ", route: [{ destination: { host: app, subset: v1 } }], "
                            "mirror: { host: app, subset: v1 } }\n    - { route: [{ destination: { host: app } }] }\n"),
                "VirtualService/default/v: spec.http[0].mirror.host: shadow and primary are the same endpoints");
    /* whoever says distinctEndpoints has seen to it */
    assert_says_nothing(
        APP VS("v", "    - { route: [{ destination: { host: app, subset: v1 } }], mirror: { host: app } }\n")
            POLICY("p", TARGET("v") "  methods: [GET]\n  distinctEndpoints: true\n"));
}

static void a_shared_address(void **state)
{
    static const char YAML[] = SERVICE("app", "app: app") SERVICE("shadow", "app: shadow")
        GATEWAY VS("v", "    - { " READS ", route: [{ destination: { host: app } }], mirror: { host: shadow } }\n"
                        "    - { route: [{ destination: { host: app } }] }\n");
    struct fixture f;
    fixture_init(&f);
    fixture_endpoint(&f, "app", NULL, 8081);
    fixture_endpoint(&f, "shadow", NULL, 8081);
    fixture_load(&f, YAML);
    assert_non_null(strstr(dump_diagnostics(&f),
                           "spec.http[0].mirror.host: copies go back to production: both have the "
                           "endpoint 127.0.0.1:8081"));
    fixture_release(&f);
}

static void writes_that_are_mirrored(void **state)
{
    assert_says(APP VS("v", "    - { " V1_TO_V2 " }\n"),
                "VirtualService/default/v: spec.http[0].mirror: writes are mirrored too: POST, PUT, PATCH, DELETE (a "
                "ShadowPolicy with `methods` says which are meant)");
    assert_says(
        APP VS("v", "    - { match: [{ method: { regex: 'P.*' } }], " V1_TO_V2 " }\n"),
        "VirtualService/default/v: spec.http[0].mirror: writes are mirrored too: POST, PUT, PATCH (a ShadowPolicy "
        "with `methods` says which are meant)");
    assert_says_nothing(APP VS("v", "    - { " V1_TO_V2 ", mirrorPercentage: { value: 0 } }\n"));
}

static void head_that_falls_out_of_a_rule_for_get(void **state)
{
    assert_says(
        APP VS("v", "    - { match: [{ uri: { prefix: /a }, method: { exact: GET } }], " V1_TO_V2 " }\n"),
        "VirtualService/default/v: spec.http[0].match[0].method: HEAD and OPTIONS are not covered: they get 404");
    assert_says(
        APP VS("v", "    - { match: [{ uri: { prefix: /a }, method: { exact: GET } }], " V1_TO_V2 " }\n"
                    "    - { route: [{ destination: { host: app } }] }\n"),
        "VirtualService/default/v: spec.http[0].match[0].method: HEAD and OPTIONS are not covered: they fall to "
        "http[1], which mirrors nothing");
    assert_says_nothing(APP VS("v", "    - match: [{ uri: { prefix: /a }, method: { exact: GET } }, "
                                    "{ uri: { prefix: /a }, method: { exact: HEAD } }]\n"
                                    "      "
                                    "route: [{ destination: { host: app, subset: v1 } }]\n"
                                    "      mirror: { host: app, subset: v2 }\n"));
}

static void subsets_that_select_nothing(void **state)
{
    struct fixture f;
    fixture_init(&f);
    fixture_endpoint(&f, "app", "v1", 8081);
    fixture_load(&f, APP);
    assert_non_null(strstr(dump_diagnostics(&f), "DestinationRule/default/app: spec.subsets[1].labels: no endpoint of "
                                                 "'app.default.svc.cluster.local' has these labels"));
    assert_int_equal(f.diag.n, 1);
    fixture_release(&f);
}

static void rules_for_unknown_hosts(void **state)
{
    assert_says(SERVICE("app", "app: app") GATEWAY RULE("appp", V1_V2),
                "DestinationRule/default/appp: spec.host: no Service or ServiceEntry has the host "
                "'appp.default.svc.cluster.local' (did you mean 'app'?)");
}

static void destinations_that_only_a_packet_knows(void **state)
{
    assert_says(
        "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: { name: e }\n"
        "spec: { hosts: [e.com], ports: [{ number: 80, name: http, protocol: HTTP }] }\n",
        "ServiceEntry/default/e: spec.resolution: NONE: there is no original destination to go to: requests get 503 "
        "(use STATIC or DNS)");
    assert_says(
        SERVICE("app", "app: app") "apiVersion: networking.istio.io/v1\nkind: DestinationRule\n"
                                   "metadata: { name: app }\nspec: { host: app, trafficPolicy: { "
                                   "loadBalancer: { simple: PASSTHROUGH } } }\n",
        "DestinationRule/default/app: spec.trafficPolicy.loadBalancer.simple: PASSTHROUGH: there is no original "
        "destination to go to: requests get 503");
}

static void retries_of_answers(void **state)
{
    assert_says(
        APP VS("v", "    - { route: [{ destination: { host: app } }], "
                    "retries: { attempts: 3, retryOn: '5xx,reset,503' } }\n"),
        "VirtualService/default/v: spec.http[0].retries.retryOn: an answer is not retried yet, only a failed connect "
        "or reset before one: 5xx, 503");
}

static void policies_without_a_mirror(void **state)
{
    assert_says(
        APP VS("v", "    - { name: main, route: [{ destination: { host: app } }] }\n")
            POLICY("p", TARGET("w") "  timeout: 1s\n"),
        "ShadowPolicy/default/p: spec.targetRef.name: there is no VirtualService 'w' in namespace 'default': the "
        "policy has no effect");
    assert_says(
        APP VS("v", "    - { name: main, " READS ", " V1_TO_V2 " }\n"
                    "    - { route: [{ destination: { host: app } }] }\n")
            POLICY("p", TARGET("v, sectionName: mian") "  timeout: 1s\n"),
        "ShadowPolicy/default/p: spec.targetRef.sectionName: VirtualService/default/v has no rule of this name: the "
        "policy has no effect (did you mean 'main'?)");
    assert_says(
        APP VS("v", "    - { name: main, " READS ", " V1_TO_V2 " }\n"
                    "    - { route: [{ destination: { host: app } }] }\n")
            POLICY("p", TARGET("v") "  shadow: { host: app, subset: v1 }\n  timeout: 1s\n"),
        "ShadowPolicy/default/p: spec.shadow: VirtualService/default/v has no such mirror: the policy has no effect");
}

/* the compilation goes on after an error of decoding, so that everything is said at once */
static void errors_keep_the_snapshot_back(void **state)
{
    struct fixture f;
    const char *said = said_of(&f, APP VS("v", "    - { route: [{ destination: { host: ap } }] }\n")
                                       VS("w", "    - { rout: [{ destination: { host: app } }] }\n"));
    assert_int_equal(f.rc, UM_ESYNTAX);
    assert_null(f.snapshot);
    assert_non_null(strstr(said, "error: VirtualService/default/w"));
    assert_non_null(strstr(said, "warning: VirtualService/default/v: spec.http[0].route[0].destination.host"));
    fixture_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_mirror_is_left_alone),
        cmocka_unit_test(unknown_gateways),
        cmocka_unit_test(a_gateway_that_admits_none_of_the_hosts),
        cmocka_unit_test(unknown_hosts),
        cmocka_unit_test(unknown_subsets_and_ports),
        cmocka_unit_test(rules_that_are_never_reached),
        cmocka_unit_test(a_service_that_selects_the_shadow_as_well),
        cmocka_unit_test(a_mirror_to_production),
        cmocka_unit_test(a_shared_address),
        cmocka_unit_test(writes_that_are_mirrored),
        cmocka_unit_test(head_that_falls_out_of_a_rule_for_get),
        cmocka_unit_test(subsets_that_select_nothing),
        cmocka_unit_test(rules_for_unknown_hosts),
        cmocka_unit_test(destinations_that_only_a_packet_knows),
        cmocka_unit_test(retries_of_answers),
        cmocka_unit_test(policies_without_a_mirror),
        cmocka_unit_test(errors_keep_the_snapshot_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
