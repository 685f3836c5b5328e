/* SPDX-License-Identifier: Apache-2.0 */
#include "decode_kit.h"

#define HEAD                                                                                                           \
    "apiVersion: umbra.mesh/v1alpha1\nkind: ShadowPolicy\nmetadata: {name: p}\nspec:\n"                                \
    "  targetRef: {group: networking.istio.io, kind: VirtualService, name: a}\n"

static void every_field_that_is_served(void **state)
{
    struct decoded d;
    decode_well(&d, "apiVersion: umbra.mesh/v1alpha1\n"
                    "kind: ShadowPolicy\n"
                    "metadata: { name: my-app, namespace: default }\n"
                    "spec:\n"
                    "  targetRef: { group: networking.istio.io, kind: VirtualService, name: my-app-routing, "
                    "sectionName: production-with-shadow }\n"
                    "  shadow: { host: my-app, subset: v2 }\n"
                    "  sampling: { key: { header: x-user-id }, salt: july }\n"
                    "  methods: [GET, HEAD, OPTIONS]\n"
                    "  timeout: 5s\n"
                    "  maxBodyBytes: 1Mi\n"
                    "  mode: backpressure\n"
                    "  body: none\n"
                    "  hostSuffix: true\n"
                    "  hostRewrite: v2.test.example\n"
                    "  distinctEndpoints: true\n"
                    "  headers: { set: { x-env: shadow }, add: {}, remove: [authorization] }\n");
    const struct um_policy *p = d.resources.policies;
    assert_str(p->target_ref->section_name, "production-with-shadow");
    assert_str(p->shadow->subset, "v2");
    assert_int_equal(p->sampling->key->kind, UM_POLICY_KEY_HEADER);
    assert_str(p->sampling->key->name, "x-user-id");
    assert_str(p->sampling->salt, "july");
    assert_int_equal(p->methods.n, 3);
    assert_int_equal(p->timeout.ms, 5000);
    assert_int_equal(p->max_body_bytes.bytes, 1 << 20);
    assert_int_equal(p->mode, UM_POLICY_MODE_BACKPRESSURE);
    assert_int_equal(p->body, UM_POLICY_BODY_NONE);
    assert_true(p->host_suffix.value);
    assert_str(p->host_rewrite, "v2.test.example");
    assert_true(p->distinct_endpoints.value);
    assert_str(p->headers->set.items[0].value, "shadow");
    assert_str(p->headers->remove.items[0], "authorization");
    decoded_release(&d);
}

static void defaults(void **state)
{
    struct decoded d;
    decode_well(&d, HEAD);
    const struct um_policy *p = d.resources.policies;
    assert_null(p->shadow);
    assert_null(p->sampling);
    assert_false(p->host_suffix.is_set);
    assert_false(p->timeout.is_set);
    assert_int_equal(p->mode, UM_POLICY_MODE_DROP);
    assert_int_equal(p->body, UM_POLICY_BODY_STREAM);
    decoded_release(&d);
}

static void sampling_keys(void **state)
{
    static const struct {
        const char *key;
        enum um_policy_key kind;
    } ROWS[] = {
        {"cookie: c", UM_POLICY_KEY_COOKIE},
        {"queryParam: q", UM_POLICY_KEY_QUERY},
        {"sourceAddress: true", UM_POLICY_KEY_SOURCE_ADDRESS},
        {"sourceAddress: false", UM_POLICY_KEY_NONE},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        char text[512];
        struct decoded d;
        snprintf(text, sizeof text, HEAD "  sampling: {key: {%s}}\n", ROWS[i].key);
        decode_well(&d, text);
        assert_int_equal(d.resources.policies[0].sampling->key->kind, ROWS[i].kind);
        decoded_release(&d);
    }
}

static void what_is_refused(void **state)
{
    static const struct saying SAYINGS[] = {
        {"  delivery: {hold: 2ms}\n  rate: {max: 1}\n  redact: []\n  compare: {}\n  record: {}\n",
         "1:3: error: spec.delivery: is not supported yet\n"
         "2:3: error: spec.rate: is not supported yet\n"
         "3:3: error: spec.redact: is not supported yet\n"
         "4:3: error: spec.compare: is not supported yet\n"
         "5:3: error: spec.record: is not supported yet"},
        {"  sampling: {key: {header: a, cookie: b}}\n",
         "1:31: error: spec.sampling.key.cookie: cannot stand beside `header`"},
        {"  sampling: {key: {}}\n",
         "1:14: error: spec.sampling.key: must be header, cookie, queryParam or sourceAddress"},
        {"  sampling: {salt: x}\n", "1:3: error: spec.sampling.key: is missing"},
        {"  sampling: {key: {header: 'a b'}}\n",
         "1:28: error: spec.sampling.key.header: is not a valid name (letters, digits and !#$%&'*+-.^_`|~)"},
        {"  methods: [get]\n", "1:13: error: spec.methods[0]: must be a method in upper case, such as GET"},
        {"  methods: GET\n", "1:12: error: spec.methods: must be a list of texts, not text"},
        {"  timeout: 0s\n", "1:12: error: spec.timeout: must be at least 1ms, in whole milliseconds"},
        {"  maxBodyBytes: 1MB\n",
         "1:17: error: spec.maxBodyBytes: must be a number of bytes such as 65536, 64Ki or 1Mi"},
        {"  mode: slow\n", "1:9: error: spec.mode: must be one of drop, backpressure, not `slow`"},
        {"  body: off\n",
         "1:9: error: spec.body: must be text, but `off` without quotes is a boolean (quote it: \"off\")"},
        {"  hostSuffix: 1\n", "1:15: error: spec.hostSuffix: must be true or false, not 1"},
        {"  hostRewrite: 'a b'\n", "1:16: error: spec.hostRewrite: must be a host, or host:port"},
        {"  shadow: {subset: v2}\n", "1:3: error: spec.shadow.host: is missing"},
        {"  headers: {request: {}}\n", "1:13: error: spec.headers.request: unknown field `request`"},
        {"  maxbodybytes: 1\n",
         "1:3: error: spec.maxbodybytes: unknown field `maxbodybytes` (did you mean `maxBodyBytes`?)"},
    };
    EXPECT_SAYINGS(HEAD, 5, "ShadowPolicy/default/p", SAYINGS);
}

static void targets_that_are_refused(void **state)
{
    static const struct saying SAYINGS[] = {
        {"spec: {}\n", "1:1: error: spec.targetRef: is missing"},
        {"spec: {targetRef: {}}\n", "1:8: error: spec.targetRef.group: is missing\n"
                                    "1:8: error: spec.targetRef.kind: is missing\n"
                                    "1:8: error: spec.targetRef.name: is missing"},
        {"spec: {targetRef: {group: gateway.networking.k8s.io, kind: HTTPRoute, name: a}}\n",
         "1:27: error: spec.targetRef.group: must be networking.istio.io\n"
         "1:60: error: spec.targetRef.kind: must be VirtualService"},
    };
    EXPECT_SAYINGS("apiVersion: umbra.mesh/v1alpha1\nkind: ShadowPolicy\nmetadata: {name: p}\n", 3,
                   "ShadowPolicy/default/p", SAYINGS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_that_is_served),
        cmocka_unit_test(defaults),
        cmocka_unit_test(sampling_keys),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(targets_that_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
