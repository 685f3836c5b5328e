/* SPDX-License-Identifier: Apache-2.0
 * http[] of a VirtualService: conditions, actions, headers, retries, mirrors and their shares, ShadowPolicies. */
#include "compile_fixture.h"
#include "istio/compile_mirror.h"

static const char BASE[] =
    "apiVersion: v1\nkind: Service\nmetadata: { name: app }\n"
    "spec: { ports: [{ name: http, port: 80 }] }\n---\n"
    "apiVersion: v1\nkind: Service\nmetadata: { name: other }\n"
    "spec: { ports: [{ name: http, port: 80 }] }\n---\n"
    "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: { name: app }\n"
    "spec: { host: app, subsets: [{ name: v1 }, { name: v2 }] }\n---\n"
    "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: { name: g }\n"
    "spec: { servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: ['*'] }] }\n---\n"
    "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: { name: v }\n"
    "spec:\n  hosts: ['*']\n  gateways: [g]\n  http:\n";

/* `http` is the list below http:, `more` what comes behind the VirtualService */
static void load(struct fixture *f, const char *http, const char *more)
{
    char yaml[16384];
    fixture_init(f);
    snprintf(yaml, sizeof yaml, "%s%s---\n%s", BASE, http, more);
    fixture_load(f, yaml);
}

/* the routes of the one virtual host */
static const char *routes_of(struct fixture *f)
{
    static const char HEAD[] = "routes http.80\n  host *:80: *\n";
    const char *text = dump_all_routes(f);
    assert_memory_equal(text, HEAD, sizeof HEAD - 1);
    return text + sizeof HEAD - 1;
}

static void assert_routes(const char *http, const char *expected)
{
    struct fixture f;
    load(&f, http, "");
    if (f.rc)
        print_message("%s", dump_diagnostics(&f));
    assert_string_equal(routes_of(&f), expected);
    fixture_release(&f);
}

#define TO_APP "      to outbound|80||app.default.svc.cluster.local\n"

static void every_condition(void **state)
{
    assert_routes(
        "    - match:\n"
        "        - uri: { prefix: /p }\n"
        "          method: { exact: GET }\n"
        "          scheme: { exact: https }\n"
        "          authority: { prefix: 'x:' }\n"
        "          headers: { X-User: { exact: a }, x-any: {}, ':method': { prefix: P }, Host: { exact: h } }\n"
        "          withoutHeaders: { x-not: { regex: 'b+' } }\n"
        "          queryParams: { Q: { exact: '1' } }\n"
        "      route: [{ destination: { host: app } }]\n",
        "    v.default/0: prefix:/p method=exact:GET scheme=exact:https authority=prefix:x: "
        "header[x-user]=exact:a header[x-any]=present method=prefix:P authority=exact:h "
        "!header[x-not]=regex:b+ query[Q]=exact:1\n" TO_APP);
}

static void known_header_names_have_their_id(void **state)
{
    struct fixture f;
    load(&f,
         "    - match: [{ headers: { User-Agent: { exact: a }, x-other: { exact: b } } }]\n"
         "      route: [{ destination: { host: app } }]\n",
         "");
    const struct um_route_match *m = &f.snapshot->route_configs[0].virtual_hosts[0].routes[0].match;
    assert_int_equal(m->conditions[0].id, UM_FIELD_USER_AGENT);
    assert_int_equal(m->conditions[1].id, UM_FIELD_OTHER);
    fixture_release(&f);
}

static void actions(void **state)
{
    assert_routes("    - match: [{ uri: { prefix: /r } }]\n"
                  "      redirect: { uri: /n?q=1, authority: b.com, scheme: https, redirectCode: 307 }\n"
                  "    - match: [{ uri: { prefix: /s } }]\n"
                  "      redirect: { uri: /n }\n"
                  "    - match: [{ uri: { prefix: /d } }]\n"
                  "      directResponse: { status: 503, body: { string: later } }\n"
                  "      headers: { response: { set: { x-a: '1' } }, request: { set: { x-b: '2' } } }\n"
                  "    - route: [{ destination: { host: app } }]\n"
                  "      timeout: 1.5s\n"
                  "      rewrite: { uri: /new, authority: c.com }\n",
                  "    v.default/0: prefix:/r redirect 307 https b.com/n?q=1\n"
                  "    v.default/1: prefix:/s redirect 301  /n\n"
                  "    v.default/2: prefix:/d answer 503 later response =x-a:1\n"
                  "    v.default/3: prefix:/ timeout=1500 path=/new host=c.com\n" TO_APP);
}

/* observed 22: all removals, the route's sets and adds, then the destination's, each sorted by name */
static void headers_of_one_destination_join_the_routes(void **state)
{
    assert_routes("    - headers:\n"
                  "        request: { set: { B: '1', a: '2' }, add: { d: '3', c: '100%%' }, remove: [Z, w] }\n"
                  "        response: { remove: [server] }\n"
                  "      route:\n"
                  "        - destination: { host: app }\n"
                  "          headers:\n"
                  "            request: { set: { a: '5', Host: dest.com }, remove: [x] }\n"
                  "            response: { add: { via: v } }\n",
                  "    v.default/0: prefix:/ host=dest.com request -z -w -x =a:2 =b:1 +c:100% +d:3 =a:5 "
                  "response -server +via:v\n" TO_APP);
}

static void a_weighted_route_keeps_the_levels_apart(void **state)
{
    assert_routes("    - headers: { request: { set: { a: '1' } } }\n"
                  "      route:\n"
                  "        - { destination: { host: app, subset: v1 }, weight: 90, "
                  "headers: { request: { set: { a: '2', ':authority': one.com } } } }\n"
                  "        - { destination: { host: app, subset: v2 }, weight: 30 }\n"
                  "        - { destination: { host: other }, weight: 0 }\n",
                  "    v.default/0: prefix:/ request =a:1\n"
                  "      to outbound|80|v1|app.default.svc.cluster.local 90/120 host=one.com request =a:2\n"
                  "      to outbound|80|v2|app.default.svc.cluster.local 30/120\n");
}

static void the_outer_host_counts(void **state)
{
    assert_routes("    - match: [{ uri: { prefix: /a } }]\n"
                  "      headers: { request: { add: { host: added.com } } }\n"
                  "      route: [{ destination: { host: app }, headers: { request: { set: { host: dest.com } } } }]\n"
                  "    - headers: { request: { set: { ':authority': set.com } } }\n"
                  "      rewrite: { authority: rewritten.com }\n"
                  "      route: [{ destination: { host: app } }]\n",
                  "    v.default/0: prefix:/a host=added.com\n" TO_APP
                  "    v.default/1: prefix:/ host=rewritten.com\n" TO_APP);
}

static void a_hundred_to_nothing_is_still_weighted(void **state)
{
    struct fixture f;
    load(&f,
         "    - headers: { request: { set: { a: route } } }\n"
         "      route:\n"
         "        - { destination: { host: app }, weight: 100, headers: { request: { set: { a: destination } } } }\n"
         "        - { destination: { host: other }, weight: 0 }\n",
         "");
    const struct um_route *r = &f.snapshot->route_configs[0].virtual_hosts[0].routes[0];
    assert_int_equal(r->n_clusters, 1);
    assert_int_equal(r->total_weight, 100);
    assert_int_equal(r->request_headers.n, 1);
    assert_int_equal(r->clusters[0].request_headers.n, 1);
    fixture_release(&f);
}

/* ---- retries ------------------------------------------------------------------------------------ */

static struct um_retry_policy retry_of(const char *retries)
{
    char http[512];
    struct fixture f;
    snprintf(http, sizeof http, "    - { route: [{ destination: { host: app } }]%s%s }\n", retries ? ", retries: " : "",
             retries ? retries : "");
    load(&f, http, "");
    assert_int_equal(f.rc, 0);
    struct um_retry_policy policy = f.snapshot->route_configs[0].virtual_hosts[0].routes[0].retry;
    fixture_release(&f);
    return policy;
}

static void retries(void **state)
{
    struct um_retry_policy p = retry_of(NULL);
    assert_int_equal(p.attempts, 2);
    assert_true(p.on_connect_failure && p.on_refused_stream && p.on_reset_before_answer);
    assert_int_equal(p.base_interval_ms, 25);
    assert_int_equal(p.host_attempts, 5);
    p = retry_of("{ attempts: 0 }");
    assert_int_equal(p.attempts, 0);
    p = retry_of("{ attempts: 4, retryOn: 'connect-failure,503', backoff: 100ms }");
    assert_int_equal(p.attempts, 4);
    assert_true(p.on_connect_failure && !p.on_refused_stream && !p.on_reset_before_answer);
    assert_int_equal(p.base_interval_ms, 100);
    p = retry_of("{ attempts: 1, retryOn: 5xx }");
    assert_true(p.on_connect_failure && p.on_refused_stream && p.on_reset_before_answer);
}

/* ---- mirrors ------------------------------------------------------------------------------------ */

static void mirrors_in_order_with_their_shares(void **state)
{
    assert_routes("    - match: [{ uri: { prefix: /a } }]\n"
                  "      route: [{ destination: { host: app, subset: v1 } }]\n"
                  "      mirrors:\n"
                  "        - { destination: { host: app, subset: v2 }, percentage: { value: 0.57 } }\n"
                  "        - { destination: { host: other } }\n"
                  "        - { destination: { host: other, subset: gone }, percentage: { value: 100 } }\n"
                  "        - { destination: { host: other }, percentage: {} }\n"
                  "        - { destination: { host: other }, percentage: { value: 0 } }\n"
                  "    - match: [{ uri: { prefix: /b } }]\n"
                  "      route: [{ destination: { host: app } }]\n"
                  "      mirror: { host: nowhere }\n"
                  "      mirrorPercent: 7\n"
                  "    - match: [{ uri: { prefix: /c } }]\n"
                  "      route: [{ destination: { host: app } }]\n"
                  "      mirror: { host: other }\n"
                  "      mirror_percent: 0\n"
                  "    - match: [{ uri: { prefix: /d } }]\n"
                  "      route: [{ destination: { host: app } }]\n"
                  "      mirror: { host: other }\n"
                  "      mirrorPercentage: {}\n"
                  "      mirrorPercent: 50\n",
                  "    v.default/0: prefix:/a\n"
                  "      to outbound|80|v1|app.default.svc.cluster.local\n"
                  "      mirror outbound|80|v2|app.default.svc.cluster.local 5699/1000000\n"
                  "      mirror outbound|80||other.default.svc.cluster.local 100/100\n"
                  "      mirror outbound|80|gone|other.default.svc.cluster.local (unknown) 1000000/1000000\n"
                  "    v.default/1: prefix:/b\n" TO_APP
                  "      mirror outbound|80||nowhere.default.svc.cluster.local (unknown) 7/100\n"
                  "    v.default/2: prefix:/c\n" TO_APP "    v.default/3: prefix:/d\n" TO_APP);
}

static uint32_t share_of(struct fixture *f, const char *value)
{
    char http[256];
    snprintf(http, sizeof http,
             "    - { route: [{ destination: { host: app } }], mirror: { host: other }, "
             "mirrorPercentage: { value: %s } }\n",
             value);
    load(f, http, "");
    const struct um_mirror *m = f->snapshot->route_configs[0].virtual_hosts[0].routes[0].mirrors;
    assert_int_equal(m->denominator, 1000000);
    uint32_t numerator = m->numerator;
    fixture_release(f);
    return numerator;
}

/* istiod cuts off the product of doubles: some percents lose a unit, and something tiny never fires */
static void shares_are_cut_off(void **state)
{
    static const struct {
        const char *value;
        uint32_t numerator;
    } CASES[] = {
        {"0.57", 5699}, {"1.13", 11299}, {"1.15", 11500},   {"2.01", 20099},   {"4.35", 43500},  {"8.7", 87000},
        {"0.07", 700},  {"0.29", 2900},  {"33.33", 333300}, {"99.99", 999900}, {"100", 1000000}, {"100.0", 1000000},
        {"0.0001", 1},  {"0.00005", 0},  {"50", 500000},    {"1e1", 100000},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct fixture f;
        assert_int_equal(share_of(&f, CASES[i].value), CASES[i].numerator);
    }
}

/* of all percents with two decimals 612 lose a unit, none more */
static void six_hundred_and_twelve_lose_a_unit(void **state)
{
    unsigned lost = 0;
    for (uint32_t i = 1; i <= 10000; i++) {
        struct um_percent percent = {.value = {true, i / 100.0}};
        struct um_http_route http = {.mirror_percentage = &percent};
        struct um_share share;
        assert_true(um_mirror_share(&http, &share));
        assert_in_range(share.numerator, i * 100 - 1, i * 100);
        lost += share.numerator != i * 100;
    }
    assert_int_equal(lost, 612);
}

/* several matches, each rule with a share of its own */
static void each_rule_has_its_share(void **state)
{
    assert_routes("    - name: payments\n"
                  "      match: [{ uri: { prefix: /api/payments } }]\n"
                  "      route: [{ destination: { host: app, subset: v1 } }]\n"
                  "    - name: testers\n"
                  "      match: [{ headers: { x-tester: { exact: 'true' } } }]\n"
                  "      route: [{ destination: { host: app, subset: v1 } }]\n"
                  "      mirror: { host: app, subset: v2 }\n"
                  "      mirrorPercentage: { value: 100 }\n"
                  "    - name: rest\n"
                  "      route: [{ destination: { host: app, subset: v1 } }]\n"
                  "      mirror: { host: app, subset: v2 }\n"
                  "      mirrorPercentage: { value: 0.5 }\n",
                  "    v.default/payments: prefix:/api/payments\n"
                  "      to outbound|80|v1|app.default.svc.cluster.local\n"
                  "    v.default/testers: prefix:/ header[x-tester]=exact:true\n"
                  "      to outbound|80|v1|app.default.svc.cluster.local\n"
                  "      mirror outbound|80|v2|app.default.svc.cluster.local 1000000/1000000\n"
                  "    v.default/rest: prefix:/\n"
                  "      to outbound|80|v1|app.default.svc.cluster.local\n"
                  "      mirror outbound|80|v2|app.default.svc.cluster.local 5000/1000000\n");
}

/* ---- ShadowPolicies ----------------------------------------------------------------------------- */

#define POLICY(name_, target_, spec_)                                                                                  \
    "apiVersion: umbra.mesh/v1alpha1\nkind: ShadowPolicy\nmetadata: { name: " name_ " }\nspec:\n"                      \
    "  targetRef: { group: networking.istio.io, kind: VirtualService, name: v" target_ " }\n" spec_ "---\n"

static const char TWO_MIRRORS[] = "    - name: both\n"
                                  "      match: [{ uri: { prefix: /both } }]\n"
                                  "      route: [{ destination: { host: app, subset: v1 } }]\n"
                                  "      mirrors:\n"
                                  "        - { destination: { host: app, subset: v2 } }\n"
                                  "        - { destination: { host: other } }\n"
                                  "    - name: one\n"
                                  "      route: [{ destination: { host: app, subset: v1 } }]\n"
                                  "      mirror: { host: app, subset: v2 }\n";

static void a_policy_goes_to_its_mirrors(void **state)
{
    struct fixture f;
    load(&f, TWO_MIRRORS,
         POLICY("b-both", ", sectionName: both", "  shadow: { host: app, subset: v2 }\n  timeout: 1s\n")
             POLICY("c-all", "", "  timeout: 2s\n"));
    assert_string_equal(routes_of(&f),
                        "    v.default/both: prefix:/both\n"
                        "      to outbound|80|v1|app.default.svc.cluster.local\n"
                        "      mirror outbound|80|v2|app.default.svc.cluster.local 100/100 policy=b-both.default\n"
                        "      mirror outbound|80||other.default.svc.cluster.local 100/100 policy=c-all.default\n"
                        "    v.default/one: prefix:/\n"
                        "      to outbound|80|v1|app.default.svc.cluster.local\n"
                        "      mirror outbound|80|v2|app.default.svc.cluster.local 100/100 policy=c-all.default\n");
    assert_non_null(strstr(dump_diagnostics(&f), "ShadowPolicy/default/c-all: spec.targetRef: the older "
                                                 "ShadowPolicy/default/b-both is for the same mirror, and counts"));
    fixture_release(&f);
}

static const struct um_shadow_policy *first_policy(const struct fixture *f)
{
    assert_int_equal(f->rc, 0);
    return f->snapshot->route_configs[0].virtual_hosts[0].routes[0].mirrors[0].policy;
}

static void a_mirror_without_policy_has_the_defaults(void **state)
{
    struct fixture f;
    load(&f, TWO_MIRRORS, "");
    const struct um_shadow_policy *p = first_policy(&f);
    assert_ptr_equal(p, f.snapshot->route_configs[0].virtual_hosts[0].routes[1].mirrors[0].policy);
    assert_int_equal(p->name.n, 0);
    assert_int_equal(p->sampling_key, UM_SAMPLING_RANDOM);
    assert_int_equal(p->methods, 0);
    assert_int_equal(p->timeout_ms, 0);
    assert_int_equal(p->max_body_bytes, 1 << 20);
    assert_int_equal(p->mode, UM_BODY_LIMIT_DROP);
    assert_true(p->has_body && p->has_host_suffix && !p->wants_distinct_endpoints);
    assert_int_equal(p->headers.n, 0);
    fixture_release(&f);
}

static void a_policy_in_full(void **state)
{
    struct fixture f;
    load(&f, TWO_MIRRORS,
         POLICY("p", "",
                "  sampling: { key: { header: X-User }, salt: july }\n"
                "  methods: [GET, HEAD, PURGE]\n"
                "  timeout: 5s\n"
                "  maxBodyBytes: 64Ki\n"
                "  mode: backpressure\n"
                "  body: none\n"
                "  hostRewrite: v2.test.example\n"
                "  distinctEndpoints: true\n"
                "  headers: { set: { x-env: shadow }, add: { x-b: '1' }, remove: [authorization] }\n"));
    const struct um_shadow_policy *p = first_policy(&f);
    assert_true(um_str_eq(p->name, UM_STR("p.default")));
    assert_int_equal(p->sampling_key, UM_SAMPLING_HEADER);
    assert_true(um_str_eq(p->sampling_name, UM_STR("x-user")));
    assert_true(um_str_eq(p->sampling_salt, UM_STR("july")));
    assert_int_equal(p->methods, 1u << UM_METHOD_GET | 1u << UM_METHOD_HEAD);
    assert_int_equal(p->n_other_methods, 1);
    assert_true(um_str_eq(p->other_methods[0], UM_STR("PURGE")));
    assert_int_equal(p->timeout_ms, 5000);
    assert_int_equal(p->max_body_bytes, 65536);
    assert_int_equal(p->mode, UM_BODY_LIMIT_BACKPRESSURE);
    assert_false(p->has_body);
    assert_true(um_str_eq(p->host_rewrite, UM_STR("v2.test.example")));
    assert_false(p->has_host_suffix); /* outright means without suffix */
    assert_true(p->wants_distinct_endpoints);
    assert_int_equal(p->headers.n, 3);
    assert_int_equal(p->headers.ops[0].op, UM_EDIT_REMOVE);
    fixture_release(&f);
}

static void the_suffix_can_be_off(void **state)
{
    struct fixture f;
    char yaml[4096];
    fixture_init(&f);
    f.options.has_shadow_host_suffix = false;
    snprintf(yaml, sizeof yaml, "%s%s---\n%s", BASE, TWO_MIRRORS,
             POLICY("p", ", sectionName: one", "  hostSuffix: true\n"));
    fixture_load(&f, yaml);
    const struct um_virtual_host *v = &f.snapshot->route_configs[0].virtual_hosts[0];
    assert_false(v->routes[0].mirrors[0].policy->has_host_suffix);
    assert_true(v->routes[1].mirrors[0].policy->has_host_suffix);
    fixture_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_condition),
        cmocka_unit_test(known_header_names_have_their_id),
        cmocka_unit_test(actions),
        cmocka_unit_test(headers_of_one_destination_join_the_routes),
        cmocka_unit_test(a_weighted_route_keeps_the_levels_apart),
        cmocka_unit_test(the_outer_host_counts),
        cmocka_unit_test(a_hundred_to_nothing_is_still_weighted),
        cmocka_unit_test(retries),
        cmocka_unit_test(mirrors_in_order_with_their_shares),
        cmocka_unit_test(shares_are_cut_off),
        cmocka_unit_test(six_hundred_and_twelve_lose_a_unit),
        cmocka_unit_test(each_rule_has_its_share),
        cmocka_unit_test(a_policy_goes_to_its_mirrors),
        cmocka_unit_test(a_mirror_without_policy_has_the_defaults),
        cmocka_unit_test(a_policy_in_full),
        cmocka_unit_test(the_suffix_can_be_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
