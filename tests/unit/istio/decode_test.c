/* SPDX-License-Identifier: Apache-2.0
 * What all kinds share: kind and version, metadata, names, order, memory. */
#include "decode_kit.h"

#include <time.h>

static void kinds_that_are_not_used_are_counted(void **state)
{
    struct decoded d;
    decode_well(&d, "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: 5}\n"
                    "---\napiVersion: v1\nkind: ServiceAccount\n"
                    "---\napiVersion: apps/v1\nkind: Deployment\n"
                    "---\napiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\n"
                    "---\napiVersion: serving.knative.dev/v1\nkind: Service\n");
    const struct um_resources *r = &d.resources;
    assert_int_equal(r->n_ignored, 4);
    assert_str(r->ignored[0].kind, "Deployment");
    assert_str(r->ignored[0].api_version, "apps/v1");
    assert_int_equal(r->ignored[0].count, 2);
    assert_int_equal(r->ignored[1].pos.line, 5);
    assert_int_equal(r->n_gateways + r->n_services, 0);
    decoded_release(&d);
}

static void api_groups_and_versions(void **state)
{
    static const struct saying SAYINGS[] = {
        {"apiVersion: networking.istio.io/v2\nkind: Gateway\n",
         "1:13: error: apiVersion: `networking.istio.io/v2` has no kind Gateway (did you mean "
         "networking.istio.io/v1?)"},
        {"apiVersion: v1\nkind: Gateway\n",
         "1:13: error: apiVersion: `v1` has no kind Gateway (did you mean networking.istio.io/v1?)"},
        {"apiVersion: networking.istio.io/\nkind: Gateway\n",
         "1:13: error: apiVersion: `networking.istio.io/` has no kind Gateway (did you mean networking.istio.io/v1?)"},
    };
    EXPECT_SAYINGS("metadata: {name: g}\n", 1, "Gateway/default/g", SAYINGS);
    struct decoded d;
    decode(&d, "apiVersion: networking.istio.io/v1\nkind: Service\nmetadata: {name: a}\n"
               "---\napiVersion: v2\nkind: Pod\nmetadata: {name: b}\n"
               "---\napiVersion: umbra.mesh/v1\nkind: ShadowPolicy\nmetadata: {name: c}\n");
    assert_string_equal(
        d.said.p, "f.yaml:1:13: error: Service/default/a: apiVersion: `networking.istio.io/v1` has no kind Service "
                  "(did you mean v1?)\n"
                  "f.yaml:5:13: error: Pod/default/b: apiVersion: `v2` has no kind Pod (did you mean v1?)\n"
                  "f.yaml:9:13: error: ShadowPolicy/default/c: apiVersion: `umbra.mesh/v1` has no kind ShadowPolicy "
                  "(did you mean umbra.mesh/v1alpha1?)\n");
    decoded_release(&d);
}

static void documents_that_are_no_resource(void **state)
{
    struct decoded d;
    decode(&d, "a: 1\n---\nkind: VirtualService\n---\napiVersion: v1\nkind: [Pod]\n---\nkind: List\n");
    assert_string_equal(d.said.p, "f.yaml:1:1: error: kind: is missing: this is not a resource\n"
                                  "f.yaml:3:1: error: VirtualService/default/: apiVersion: is missing: this is not a "
                                  "resource\n"
                                  "f.yaml:6:1: error: kind: is missing: this is not a resource\n"
                                  "f.yaml:8:1: error: List/default/: apiVersion: is missing: this is not a resource\n");
    decoded_release(&d);
}

#define SERVICE "apiVersion: v1\nkind: Service\n"

static void metadata(void **state)
{
    struct decoded d;
    decode_well(&d, SERVICE "metadata:\n"
                            "  name: a.b-c\n"
                            "  namespace: ns\n"
                            "  uid: x\n"
                            "  generation: 3\n"
                            "  creationTimestamp: 2026-01-31T12:00:00.5+01:00\n"
                            "  annotations: {k: ''}\n");
    const struct um_meta *m = &d.resources.services[0].meta;
    assert_str(m->name, "a.b-c");
    assert_str(m->namespace_name, "ns");
    assert_str(m->resource, "Service/ns/a.b-c");
    assert_true(m->has_created);
    assert_int_equal(m->created_s, 1769857200);
    assert_str(*um_pairs_get(&m->annotations, UM_STR("k")), "");
    assert_null(um_pairs_get(&m->labels, UM_STR("k")));
    decoded_release(&d);
}

static void metadata_that_is_refused(void **state)
{
    static const struct saying SAYINGS[] = {
        {"metadata: {}\n", "1:1: error: metadata.name: is missing"},
        {"metadata: []\n", "1:1: error: metadata: must be a mapping, not a list"},
        {"metadata: {namespce: x}\n",
         "1:1: error: metadata.name: is missing\n"
         "1:12: error: metadata.namespce: unknown field `namespce` (did you mean `namespace`?)"},
    };
    EXPECT_SAYINGS(SERVICE, 2, "Service/default/", SAYINGS);
    static const struct saying NAMED[] = {
        {"metadata: {name: a, creationTimestamp: yesterday}\n",
         "1:40: error: metadata.creationTimestamp: must be a time such as 2026-01-31T12:00:00Z"},
        {"metadata: {name: a, creationTimestamp: 2026-13-01T00:00:00Z}\n",
         "1:40: error: metadata.creationTimestamp: must be a time such as 2026-01-31T12:00:00Z"},
        {"metadata: {name: a, creationTimestamp: null}\n", ""},
        {"metadata: {name: a, labels: {b: 1.10}}\n",
         "1:33: error: metadata.labels.b: must be text, but `1.10` without quotes is a number (quote it: \"1.10\")"},
        {"metadata: {name: a, annotations: x}\n",
         "1:34: error: metadata.annotations: must be a mapping of texts, not text"},
    };
    EXPECT_SAYINGS(SERVICE, 2, "Service/default/a", NAMED);
    struct decoded d;
    decode(&d, SERVICE "---\n" SERVICE "metadata: {name: A_b}\n---\n" SERVICE "metadata: {name: 5}\n");
    assert_string_equal(
        d.said.p, "f.yaml:1:1: error: Service/default/: metadata.name: is missing\n"
                  "f.yaml:6:18: error: Service/default/A_b: metadata.name: must be a DNS name in lower case: "
                  "letters, digits, `-` and `.`, at most 253\n"
                  "f.yaml:10:18: error: Service/default/5: metadata.name: must be text, but `5` without quotes is a "
                  "number (quote it: \"5\")\n");
    decoded_release(&d);
}

static void a_resource_is_defined_once(void **state)
{
    struct decoded d;
    decode(&d, SERVICE "metadata: {name: a}\n---\n" SERVICE "metadata: {name: a, namespace: other}\n---\n" SERVICE
                       "metadata: {name: a, namespace: default}\n---\n"
                       "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n");
    assert_string_equal(d.said.p,
                        "f.yaml:11:18: error: Service/default/a: metadata.name: the resource is defined twice "
                        "(the first is at f.yaml:3:18)\n");
    decoded_release(&d);
}

static void order_and_age(void **state)
{
    struct decoded d;
    decode_well(&d, SERVICE "metadata: {name: b}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: p}\n---\n" SERVICE
                            "metadata: {name: a, creationTimestamp: 2026-01-02T00:00:00Z}\n---\n" SERVICE
                            "metadata: {name: c, creationTimestamp: 2026-01-01T00:00:00Z}\n");
    const struct um_service *s = d.resources.services;
    assert_int_equal(s[0].meta.order, 0);
    assert_int_equal(d.resources.pods[0].meta.order, 1);
    assert_int_equal(s[2].meta.order, 3);
    assert_true(um_meta_is_older(&s[2].meta, &s[1].meta)); /* both have an age */
    assert_false(um_meta_is_older(&s[1].meta, &s[2].meta));
    assert_true(um_meta_is_older(&s[1].meta, &s[0].meta)); /* else the name */
    decoded_release(&d);
}

static void complaints_of_later_checks(void **state)
{
    struct decoded d;
    decode_well(&d, "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a}\nspec:\n"
                    "  hosts: [x, z]\n"
                    "  http:\n"
                    "  - route:\n"
                    "    - destination: {host: b}\n"
                    "    mirror:\n"
                    "      host: s\n"
                    "      subset: v2\n");
    const struct um_virtual_service *vs = d.resources.virtual_services;
    const struct um_http_route *r = &vs->http[0];
    um_complain(&d.diag, UM_SEVERITY_WARNING, &r->place, "mirror.subset", "is it v1?", "there is no subset %d", 2);
    um_complain(&d.diag, UM_SEVERITY_WARNING, &r->mirror->place, NULL, NULL, "the whole");
    um_complain(&d.diag, UM_SEVERITY_WARNING, &r->route[0].destination->place, "subset", NULL, "is absent");
    um_complain(&d.diag, UM_SEVERITY_WARNING, &vs->place, "hosts[1]", NULL, "of a list");
    um_complain(&d.diag, UM_SEVERITY_WARNING, &vs->place, "http[0].route[0].destination.host", NULL, "far below");
    um_complain(&d.diag, UM_SEVERITY_WARNING, &vs->meta.place, NULL, NULL, "the resource");
    um_diag_sort(&d.diag);
    um_buf_clear(&d.said);
    um_diag_print_text(&d.diag, &d.said);
    um_buf_add_char(&d.said, '\0');
#define SAYS(pos, text) "f.yaml:" pos ": warning: VirtualService/default/a: " text "\n"
    assert_string_equal(d.said.p,
                        SAYS("1:1", "the resource") SAYS("5:14", "spec.hosts[1]: of a list")
                            SAYS("8:7", "spec.http[0].route[0].destination.subset: is absent")
                                SAYS("8:27", "spec.http[0].route[0].destination.host: far below")
                                    SAYS("9:5", "spec.http[0].mirror: the whole")
                                        SAYS("11:15", "spec.http[0].mirror.subset: there is no subset 2 (is it v1?)"));
    decoded_release(&d);
}

static void aliases_are_decoded_where_they_stand(void **state)
{
    struct decoded d;
    decode(&d, "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a}\nspec:\n"
               "  hosts: [x]\n"
               "  http:\n"
               "  - match: [{uri: {prefix: /a}}]\n"
               "    route: &r [{destination: {host: b_}}]\n"
               "  - route: *r\n");
    assert_string_equal(
        d.said.p, "f.yaml:8:37: error: VirtualService/default/a: spec.http[0].route[0].destination.host: is not a "
                  "valid host name\n"
                  "f.yaml:8:37: error: VirtualService/default/a: spec.http[1].route[0].destination.host: is not a "
                  "valid host name\n");
    decoded_release(&d);
}

/* as many faults as a file can hold: what is not told is not searched for either */
static void many_faults_cost_no_more_than_their_bytes(void **state)
{
    static const struct {
        const char *head, *entry;
    } ROWS[] = {
        {"spec:\n", "  anUnknownFieldWithAVeryLongNameThatIsLikeNoOther%d: 1\n"},
        {"spec:\n  hosts: [a]\n  http:\n  - match:\n    - headers:\n", "        x x%d: {prefix: ''}\n"},
        {"spec:\n  hosts: [a]\n  http:\n  - headers:\n      request:\n        set:\n", "          x x%d: '%%'\n"},
        {"spec:\n  http: []\n  hosts:\n", "  - 'a.b%d'\n"},
        {"metadata:\n  labels:\n", "    k%d: 1\n"},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        struct um_buf text;
        struct decoded d;
        um_buf_init(&text, 0);
        um_buf_addf(&text, "apiVersion: networking.istio.io/v1\nkind: VirtualService\n%s", ROWS[i].head);
        for (int n = 0; n < 200000; n++) {
            char entry[128];
            int length = snprintf(entry, sizeof entry, ROWS[i].entry, n);
            um_buf_add(&text, (struct um_str){entry, (size_t)length});
        }
        um_buf_add_char(&text, '\0');
        clock_t start = clock();
        decode(&d, text.p);
        assert_true(clock() - start < 20 * CLOCKS_PER_SEC);
        assert_true(d.diag.n <= UM_DIAG_MAX + 2);
        decoded_release(&d);
        um_buf_release(&text);
    }
}

static const char EVERYTHING[] =
    "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a, labels: {a: b}}\nspec:\n"
    "  hosts: [x]\n  http:\n  - match: [{headers: {x: {regex: a}}, sourceLabels: {a: b}}]\n"
    "    route: [{destination: {host: b, port: {number: 80}}}]\n    mirrors: [{destination: {host: s}}]\n"
    "    headers: {request: {set: {a: b}}}\n    retries: {attempts: 1, retryOn: never}\n"
    "---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: a}\n"
    "spec: {hosts: [a.b], resolution: STATIC, ports: [{number: 80, name: http}], endpoints: [{address: 10.0.0.1}]}\n"
    "---\napiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 80, nam: x}]}\n"
    "---\napiVersion: v1\nkind: ConfigMap\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: a}\n";

static void memory_runs_out_at_every_size(void **state)
{
    bool has_room = false;
    struct um_documents docs;
    struct um_diag ignored;
    um_documents_init(&docs, 0);
    um_diag_init(&ignored);
    assert_int_equal(um_documents_parse(&docs, UM_STR("f.yaml"), um_str_from(EVERYTHING), &ignored), 0);
    for (size_t limit = 1; limit < 60000; limit += 16) {
        struct um_diag diag;
        struct um_arena arena;
        struct um_resources resources;
        um_diag_init(&diag);
        um_arena_init(&arena, NULL, limit);
        int rc = um_istio_decode(&docs, UM_STR("default"), &diag, &arena, &resources);
        assert_true(rc == 0 || rc == UM_ENOMEM);
        has_room = rc == 0;
        um_arena_release(&arena);
        um_diag_release(&diag);
    }
    assert_true(has_room);
    um_documents_release(&docs);
    um_diag_release(&ignored);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_that_are_not_used_are_counted),
        cmocka_unit_test(api_groups_and_versions),
        cmocka_unit_test(documents_that_are_no_resource),
        cmocka_unit_test(metadata),
        cmocka_unit_test(metadata_that_is_refused),
        cmocka_unit_test(a_resource_is_defined_once),
        cmocka_unit_test(order_and_age),
        cmocka_unit_test(complaints_of_later_checks),
        cmocka_unit_test(aliases_are_decoded_where_they_stand),
        cmocka_unit_test(many_faults_cost_no_more_than_their_bytes),
        cmocka_unit_test(memory_runs_out_at_every_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
