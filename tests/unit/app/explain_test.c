/* SPDX-License-Identifier: Apache-2.0
 * `umbra explain` against a snapshot built by hand: each way that a request can go, as text and as JSON. */
#include "app/explain.h"

#include "../admin/scene.h"

#include <jansson.h>
#include <stdlib.h>

struct fixture {
    struct um_snapshot *snapshot;
    struct um_arena arena;
    struct um_buf text;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    fixture.snapshot = scene_snapshot();
    assert_int_equal(um_route_index_build(fixture.snapshot), 0);
    um_arena_init(&fixture.arena, NULL, 0);
    um_buf_init(&fixture.text, 0);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    um_snapshot_unref(f->snapshot);
    um_arena_release(&f->arena);
    um_buf_release(&f->text);
    return 0;
}

/* ---- asking --------------------------------------------------------------------------------------- */

/* "NAME: VALUE" headers, up to NULL */
struct question {
    const char *method, *url;
    struct um_named_value headers[4];
    uint32_t n_headers;
};

static const char *ask(struct fixture *f, const struct question *q, enum um_format format)
{
    struct um_explain_request rq;
    um_buf_clear(&f->text);
    int rc = um_explain_parse(&f->arena, um_str_from(q->method), um_str_from(q->url), q->headers, q->n_headers, &rq,
                              &f->text);
    if (rc == 0)
        rc = um_explain_print(f->snapshot, &rq, format, &f->text);
    um_buf_add_char(&f->text, '\0');
    if (rc)
        fail_msg("%s: %s", q->url, f->text.p);
    return f->text.p;
}

static const char *explain(struct fixture *f, const char *method, const char *url)
{
    return ask(f, &(struct question){.method = method, .url = url}, UM_FORMAT_TEXT);
}

static const char *explain_with(struct fixture *f, const char *method, const char *url, const char *name,
                                const char *value)
{
    return ask(f, &(struct question){method, url, {{um_str_from(name), um_str_from(value)}}, 1}, UM_FORMAT_TEXT);
}

static void assert_says(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("'%s' is not in:\n%s", part, text);
}

static void assert_silent(const char *text, const char *part)
{
    if (strstr(text, part))
        fail_msg("'%s' is in:\n%s", part, text);
}

/* ---- the request asked about ---------------------------------------------------------------------- */

static void assert_refused(struct fixture *f, const char *method, const char *url, const char *why)
{
    struct um_explain_request rq;
    um_buf_clear(&f->text);
    assert_int_equal(um_explain_parse(&f->arena, um_str_from(method), um_str_from(url), NULL, 0, &rq, &f->text),
                     UM_EINVAL);
    um_buf_add_char(&f->text, '\0');
    assert_says(f->text.p, why);
}

static void what_is_no_request(void **state)
{
    struct fixture *f = *state;
    assert_refused(f, "GET", "httpbin.example.com/", "'httpbin.example.com/': expected http://host[:port]/path");
    assert_refused(f, "GET", "https://a/", "https is not served");
    assert_refused(f, "GET", "http:///a", "there is no host in it");
    assert_refused(f, "GET", "http://a:0/", "a port is a number from 1 to 65535");
    assert_refused(f, "GET", "http://a:65536/", "a port is a number");
    assert_refused(f, "GET", "http://a:http/", "a port is a number");
    assert_refused(f, "GET", "http://a/#b", "never sent to a server");
    assert_refused(f, "GET", "http://a/b c", "white space or control");
    assert_refused(f, "GET", "http://a/\r\nx:y", "white space or control");
    assert_refused(f, "G T", "http://a/", "'G T': expected a method");
    assert_refused(f, "", "/get", "'/get': expected 'METHOD http://host[:port]/path'");
}

static void fields_that_would_end_the_head(void **state)
{
    struct fixture *f = *state;
    struct um_explain_request rq;
    const struct um_named_value bad[] = {{UM_STR("x"), UM_STR("a\r\ny: b")}}, worse[] = {{UM_STR("x y"), UM_STR("a")}};
    assert_int_equal(um_explain_parse(&f->arena, UM_STR("GET"), UM_STR("http://a/"), bad, 1, &rq, &f->text), UM_EINVAL);
    assert_int_equal(um_explain_parse(&f->arena, UM_STR("GET"), UM_STR("http://a/"), worse, 1, &rq, &f->text),
                     UM_EINVAL);
}

static void what_clients_would_be_refused_for(void **state)
{
    struct fixture *f = *state;
    assert_says(explain(f, "get", "http://httpbin.example.com/"),
                "answer        400: method is not an upper-case token\n");
    assert_says(explain(f, "GET", "http://user@httpbin.example.com/"),
                "answer        400: Host is not a host with an optional port\n");
    assert_says(explain_with(f, "GET", "http://httpbin.example.com/", "transfer-encoding", "gzip"),
                "answer        501: transfer coding is not exactly one final chunked\n");
    assert_says(explain(f, "GET", "http://httpbin.example.com/%00"),
                "answer        400: the path cannot be normalised\n");
}

/* ---- listener, virtual host, routes --------------------------------------------------------------- */

static void no_listener(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(explain(f, "GET", "http://httpbin.example.com:81/"),
                        "request       GET http://httpbin.example.com:81/\n"
                        "\nanswer        none: nothing listens on port 81; the listeners have 80\n");
    f->snapshot->n_listeners = 0;
    assert_says(explain(f, "GET", "http://httpbin.example.com/"), "there is no listener at all\n");
}

static void listeners_by_either_port(void **state)
{
    struct fixture *f = *state;
    static const char FOUND[] = "listener      0.0.0.0_80, on 0.0.0.0:8080\n"
                                "              of Gateway default/httpbin-gateway port 80\n"
                                "virtual host  httpbin.example.com:80, by its domain httpbin.example.com\n";
    assert_says(explain(f, "GET", "http://httpbin.example.com/"), FOUND);
    assert_says(explain(f, "GET", "http://HTTPBIN.example.com:80/"), FOUND);
    assert_says(explain(f, "GET", "http://httpbin.example.com:8080/"), FOUND);
}

static void hosts(void **state)
{
    struct fixture *f = *state;
    assert_says(explain(f, "GET", "http://a.wild.example.com/"), "by its domain *.wild.example.com\n");
    assert_says(explain_with(f, "GET", "http://127.0.0.1/", "hOST", "b.wild.example.com:99"),
                "by its domain *.wild.example.com\n");
    assert_says(explain(f, "GET", "http://other.example.com/"),
                "answer        404: no virtual host is for 'other.example.com'; known are httpbin.example.com, "
                "*.wild.example.com\n");
}

static void why_routes_did_not_match(void **state)
{
    struct fixture *f = *state;
    static const char URL[] = "http://httpbin.example.com/get?q=1";
    const struct um_named_value tester = {UM_STR("x-tester"), UM_STR("true")}, old = {UM_STR("x-old"), UM_STR("17")};
    assert_says(explain(f, "GET", URL),
                "routes          1  canary  header x-tester must be \"true\", is absent\n"
                "                2  old     path must begin with \"/old\" (in any case), is \"/get\"\n"
                "                3  teapot  path must be \"/teapot\", is \"/get\"\n"
                "                4  lost    path must be \"/lost\", is \"/get\"\n"
                "                5  main    matches\n");
    assert_says(explain_with(f, "GET", URL, "x-tester", "no"), "canary  header x-tester must be \"true\", is \"no\"\n");
    assert_says(ask(f, &(struct question){"GET", URL, {tester, old}, 2}, UM_FORMAT_TEXT),
                "canary  header x-old must not begin with \"1\", is \"17\"\n");
    assert_says(ask(f, &(struct question){"GET", "http://httpbin.example.com/get", {tester}, 1}, UM_FORMAT_TEXT),
                "canary  query parameter q must be there, is absent\n");
    assert_says(ask(f, &(struct question){"HEAD", URL, {tester}, 1}, UM_FORMAT_TEXT),
                "canary  method must be \"GET\", is \"HEAD\"\n");
    assert_says(ask(f, &(struct question){"GET", URL, {tester}, 1}, UM_FORMAT_TEXT),
                "routes          1  canary  matches\n\nroute  ");
}

static void regular_expressions(void **state)
{
    struct fixture *f = *state;
    struct um_condition *c = &scene_canary_conditions[0], saved = *c;
    c->subject = UM_SUBJECT_AUTHORITY;
    c->match = (struct um_string_match){.kind = UM_MATCH_REGEX, .value = UM_STR("v\\d")};
    assert_int_equal(um_regex_new(c->match.value, false, &c->match.regex, NULL), 0);
    const char *text = explain(f, "GET", "http://httpbin.example.com/get");
    um_regex_free(c->match.regex);
    *c = saved;
    assert_says(text, "canary  authority must match the regular expression \"v\\d\", is \"httpbin.example.com\"\n");
}

static void no_route(void **state)
{
    struct fixture *f = *state;
    scene_hosts[0].n_routes = 3;
    const char *text = explain(f, "GET", "http://httpbin.example.com/a/../b");
    scene_hosts[0].n_routes = sizeof scene_routes / sizeof scene_routes[0];
    assert_says(text, "path          /b, normalised\n");
    assert_says(text, "answer        404: no route matches\n");
    assert_silent(text, "mirror");
}

static void of_many_routes_the_first_are_shown(void **state)
{
    struct fixture *f = *state;
    struct um_route *many = calloc(200, sizeof *many), *saved = scene_hosts[0].routes;
    assert_non_null(many);
    for (size_t i = 0; i < 200; i++)
        many[i] = scene_routes[3];
    many[180] = scene_routes[4];
    scene_hosts[0].routes = many;
    scene_hosts[0].n_routes = 200;
    const char *text = explain(f, "GET", "http://httpbin.example.com/");
    scene_hosts[0].routes = saved;
    scene_hosts[0].n_routes = sizeof scene_routes / sizeof scene_routes[0];
    free(many);
    assert_says(text, "               50  lost  path must be \"/lost\", is \"/\"\n"
                      "              ... 130 more that do not match\n"
                      "              181  main  matches\n");
}

/* ---- what becomes of it --------------------------------------------------------------------------- */

static void forwarded_and_mirrored(void **state)
{
    struct fixture *f = *state;
    const char *text = explain_with(f, "GET", "http://httpbin.example.com/get?q=1", "authorization", "secret");
    assert_says(text,
                "\nroute         httpbin.default/main\n"
                "              timeout 1.5 s, up to 2 retries on connect-failure, refused-stream\n"
                "destination   100 %: outbound|8000|v1|httpbin.default.svc.cluster.local\n"
                "              to 10.0.0.1:8080, [fd00::1]:8080 (not ready)\n"
                "                GET /v1/get?q=1 HTTP/1.1\n"
                "                host: inner.example.com\n"
                "                authorization: secret\n"
                "                x-route: main\n"
                "\nmirror        outbound|8000|v2|httpbin.default.svc.cluster.local\n"
                "              copied: 50 % of requests, at random, for its header x-user-id is absent\n"
                "              to 10.0.0.2:8080\n"
                "              ShadowPolicy careful.default: timeout 5 s; methods GET, HEAD\n"
                "              without the body\n"
                "                GET /v1/get?q=1 HTTP/1.1\n"
                "                host: v2.test.example\n"
                "                x-route: main\n"
                "                x-umbra-shadow: 1\n"
                "                x-env: shadow\n"
                "\nmirror        outbound|80||ext.example.com\n"
                "              copied: 100 % of requests\n"
                "              to what DNS gives for ext.example.com, port 80\n"
                "              timeout 1.5 s; all methods\n"
                "              with the body; past 1048576 bytes that wait the copy is dropped\n"
                "                GET /v1/get?q=1 HTTP/1.1\n"
                "                host: inner.example.com-shadow\n"
                "                authorization: secret\n"
                "                x-route: main\n"
                "                x-umbra-shadow: 1\n"
                "\nmirror        outbound|80||gone.default.svc.cluster.local\n"
                "              not copied: the shadow's cluster is unknown\n"
                "\nnote          umbra sets x-request-id, x-forwarded-for, x-forwarded-proto and x-envoy-* besides\n");
}

static void weighted(void **state)
{
    struct fixture *f = *state;
    const char *text = explain_with(f, "GET", "http://httpbin.example.com/get?q", "X-Tester", "true");
    assert_says(text, "              no timeout, no retries\n"
                      "destination   90 %: outbound|8000|v1|httpbin.default.svc.cluster.local\n");
    assert_says(text,
                "                host: v1.internal\n                X-Tester: true\n                x-share: 100%\n"
                "destination   10 %: outbound|8000|v2|httpbin.default.svc.cluster.local\n");
    assert_says(text, "mirror        none\n");
}

static void answered_by_umbra_itself(void **state)
{
    struct fixture *f = *state;
    const char *text = explain(f, "GET", "http://httpbin.example.com/OLD/x");
    assert_says(text,
                "answer        302 by umbra itself, a redirect to scheme https, host new.example.com, path /new\n");
    assert_says(text, "              not copied: the route redirects\n");
    assert_says(explain(f, "GET", "http://httpbin.example.com/teapot"),
                "answer        418 by umbra itself, with 18 bytes of text\n");
}

static void without_a_usable_primary_no_copy(void **state)
{
    struct fixture *f = *state;
    const char *text = explain(f, "GET", "http://httpbin.example.com/lost");
    assert_says(text, "              answer 503: the primary's cluster is unknown\n");
    assert_says(text, "              not copied: the primary's cluster is unknown\n");
    scene_v1_endpoints[0].is_healthy = false;
    text = explain(f, "GET", "http://httpbin.example.com/");
    scene_v1_endpoints[0].is_healthy = true;
    assert_says(text, "              answer 503: the primary has no usable endpoint\n");
    assert_says(text, "              not copied: the primary has no usable endpoint\n");
}

/* ---- copies --------------------------------------------------------------------------------------- */

static void requests_that_are_never_copied(void **state)
{
    struct fixture *f = *state;
    const struct um_named_value upgrade[] = {{UM_STR("connection"), UM_STR("upgrade")},
                                             {UM_STR("upgrade"), UM_STR("websocket")}};
    assert_says(
        ask(f, &(struct question){"GET", "http://httpbin.example.com/", {upgrade[0], upgrade[1]}, 2}, UM_FORMAT_TEXT),
        "not copied: protocol upgrades are not copied\n");
    const char *text = explain(f, "CONNECT", "http://httpbin.example.com/");
    assert_says(text, "not copied: CONNECT is not copied\n");
    assert_says(text, "CONNECT inner.example.com HTTP/1.1\n");
    assert_says(explain_with(f, "GET", "http://httpbin.example.com/", "x-umbra-shadow", "1"),
                "not copied: the request is itself a mirrored copy\n");
    assert_says(explain(f, "POST", "http://httpbin.example.com/"),
                "not copied: method is not in the policy's methods\n"
                "              ShadowPolicy careful.default: timeout 5 s; methods GET, HEAD\n");
    assert_says(explain(f, "PURGE", "http://httpbin.example.com/"),
                "not copied: method is not in the policy's methods\n");
}

static void other_methods_of_a_policy(void **state)
{
    static struct um_str names[] = {UM_STR_INIT("PURGE")};
    struct fixture *f = *state;
    struct um_shadow_policy policy = SCENE_POLICY;
    policy.other_methods = names;
    policy.n_other_methods = 1;
    scene_main_mirrors[0].policy = &policy;
    const char *text = explain(f, "PURGE", "http://httpbin.example.com/");
    scene_main_mirrors[0].policy = &SCENE_POLICY;
    assert_says(text, "methods GET, HEAD, PURGE\n");
}

static void shadows_without_endpoints_and_with_the_same(void **state)
{
    struct fixture *f = *state;
    scene_v2_endpoints[0].is_healthy = false;
    const char *text = explain(f, "GET", "http://httpbin.example.com/");
    scene_v2_endpoints[0].is_healthy = true;
    assert_says(
        text,
        "              not copied: the shadow has no usable endpoint\n"
        "              with one (--endpoint) copied: 50 % of requests, at random, for its header x-user-id is absent\n"
        "              to 10.0.0.2:8080 (not ready)\n");
    assert_says(text, "                host: v2.test.example\n");
    scene_main_mirrors[0].cluster = &scene_clusters[SCENE_V1];
    text = explain(f, "GET", "http://httpbin.example.com/");
    scene_main_mirrors[0].cluster = &scene_clusters[SCENE_V2];
    assert_says(text, "not copied: shadow and primary are the same endpoints\n");
}

/* what the key decides here is what um_route_sample decides for traffic */
static void sampled_by_key(void **state)
{
    struct fixture *f = *state;
    unsigned n_copied = 0;
    for (unsigned user = 0; user < 40; user++) {
        char value[8], in[80], out[80];
        snprintf(value, sizeof value, "%u", user);
        snprintf(in, sizeof in, "copied: its header x-user-id, \"%u\", is among the 50 %%\n", user);
        snprintf(out, sizeof out, "not copied: its header x-user-id, \"%u\", is not among the 50 %%\n", user);
        struct um_field field = {.name = "x-user-id", .name_n = 9, .value = value, .value_n = (uint32_t)strlen(value)};
        struct um_head head = {.fields = &field, .n_fields = 1};
        const struct um_sample_request rq = {.head = &head, .path = UM_STR("/")};
        bool is_in = um_route_sample(&scene_main_mirrors[0], &rq, 0);
        assert_says(explain_with(f, "GET", "http://httpbin.example.com/", "x-user-id", value), is_in ? in : out);
        n_copied += is_in;
    }
    assert_in_range(n_copied, 5, 35);
}

static const char *explain_sampling(struct fixture *f, enum um_sampling_key key, const char *name, uint32_t numerator)
{
    struct um_shadow_policy policy = SCENE_POLICY;
    policy.sampling_key = key;
    policy.sampling_name = um_str_from(name);
    struct um_mirror saved = scene_main_mirrors[0];
    scene_main_mirrors[0].policy = &policy;
    scene_main_mirrors[0].numerator = numerator;
    const char *text = explain_with(f, "GET", "http://httpbin.example.com/?u=7", "cookie", "a=1; session=\"s 1\"");
    scene_main_mirrors[0] = saved;
    return text;
}

static void other_ways_to_sample(void **state)
{
    struct fixture *f = *state;
    assert_says(explain_sampling(f, UM_SAMPLING_RANDOM, "", 333333), "copied: 33.3333 % of requests, at random\n");
    assert_says(explain_sampling(f, UM_SAMPLING_RANDOM, "", 1), "copied: 0.0001 % of requests, at random\n");
    assert_says(explain_sampling(f, UM_SAMPLING_RANDOM, "", 0), "not copied: 0 % of requests\n");
    assert_says(explain_sampling(f, UM_SAMPLING_SOURCE_ADDRESS, "", 500000),
                "copied: 50 % of requests, by its client's address\n");
    assert_says(explain_sampling(f, UM_SAMPLING_COOKIE, "session", 999999),
                "copied: its cookie session, \"s 1\", is among the 99.9999 %\n");
    assert_says(explain_sampling(f, UM_SAMPLING_QUERY, "u", 1),
                "not copied: its query parameter u, \"7\", is not among the 0.0001 %\n");
    assert_says(explain_sampling(f, UM_SAMPLING_COOKIE, "session", 0),
                "not copied: its cookie session, \"s 1\", is not among the 0 %\n");
    assert_says(explain_sampling(f, UM_SAMPLING_QUERY, "u", 1000000), "copied: 100 % of requests\n");
}

/* ---- JSON ----------------------------------------------------------------------------------------- */

static json_t *explain_json(struct fixture *f, const struct question *q)
{
    json_error_t error;
    json_t *tree = json_loads(ask(f, q, UM_FORMAT_JSON), JSON_REJECT_DUPLICATES, &error);
    if (!tree)
        fail_msg("%d:%d: %s", error.line, error.column, error.text);
    return tree;
}

/* compares with JSON whose strings stand in single quotes */
static void assert_json(json_t *is, const char *wanted)
{
    char *text = strdup(wanted);
    json_error_t error;
    assert_non_null(text);
    for (char *p = text; *p; p++)
        *p = *p == '\'' ? '"' : *p;
    json_t *tree = json_loads(text, JSON_DECODE_ANY, &error);
    free(text);
    if (!tree)
        fail_msg("expectation: %d:%d: %s", error.line, error.column, error.text);
    if (!json_equal(is, tree))
        fail_msg("is:\n%s\nwanted:\n%s", json_dumps(is, JSON_INDENT(1) | JSON_ENCODE_ANY), wanted);
    json_decref(tree);
}

static void json_of_a_mirrored_request(void **state)
{
    struct fixture *f = *state;
    json_t *tree =
        explain_json(f, &(struct question){.method = "HEAD", .url = "http://httpbin.example.com/a/../b\xFF"});
    assert_json(json_object_get(tree, "request"),
                "{'method': 'HEAD', 'url': 'http://httpbin.example.com/a/../b\xEF\xBF\xBD', 'host': "
                "'httpbin.example.com', 'path': '/b%FF'}");
    assert_json(json_object_get(tree, "listener"), "{'name': '0.0.0.0_80', 'port': 80, 'address': '0.0.0.0:8080', "
                                                   "'origin': 'Gateway default/httpbin-gateway port 80'}");
    assert_json(json_object_get(tree, "virtual_host"),
                "{'name': 'httpbin.example.com:80', 'domain': 'httpbin.example.com'}");
    assert_int_equal(json_array_size(json_object_get(tree, "routes")), 5);
    assert_json(json_array_get(json_object_get(tree, "routes"), 2),
                "{'name': 'teapot', 'label': 'httpbin.default/teapot', 'matches': false, 'reason': 'path must be "
                "\\\"/teapot\\\", is \\\"/b%FF\\\"'}");
    assert_null(json_object_get(tree, "answer"));
    assert_json(json_object_get(tree, "route"),
                "{'name': 'main', 'label': 'httpbin.default/main', 'config':"
                " '/apis/networking.istio.io/v1/namespaces/default/virtual-service/httpbin', 'action': 'forward', "
                "'timeout_ms': 1500,"
                " 'retries': {'attempts': 2, 'on': 'connect-failure, refused-stream'}}");
    assert_json(
        json_object_get(tree, "destinations"),
        "[{'cluster': 'outbound|8000|v1|httpbin.default.svc.cluster.local', 'percentage': 100.0, 'endpoints': ["
        "{'address': '10.0.0.1:8080', 'ready': true}, {'address': '[fd00::1]:8080', 'ready': false}], 'request': "
        "{'method': 'HEAD',"
        " 'path': '/v1/b%FF', 'host': 'inner.example.com', 'headers': [{'name': 'x-route', 'value': 'main'}]}}]");
    assert_json(
        json_array_get(json_object_get(tree, "mirrors"), 1),
        "{'cluster': 'outbound|80||ext.example.com', 'percentage': 100.0, 'outcome': 'copied', 'text': 'copied: 100 % "
        "of requests',"
        " 'policy': {'timeout_ms': 0, 'body': 'stream', 'max_body_bytes': 1048576, 'mode': 'drop'},"
        " 'endpoints': [{'dns_name': 'ext.example.com', 'port': 80}], 'request': {'method': 'HEAD', 'path': '/v1/b%FF',"
        " 'host': 'inner.example.com-shadow', 'headers': [{'name': 'x-route', 'value': 'main'}, {'name': "
        "'x-umbra-shadow', 'value': '1'}]}}");
    assert_json(
        json_array_get(json_object_get(tree, "mirrors"), 2),
        "{'cluster': 'outbound|80||gone.default.svc.cluster.local', 'percentage': 0.0, 'outcome': 'not_copied',"
        " 'reason': 'no_shadow_cluster', 'text': 'not copied: the shadow\\u0027s cluster is unknown',"
        " 'policy': {'timeout_ms': 0, 'body': 'stream', 'max_body_bytes': 1048576, 'mode': 'drop'}, 'endpoints': []}");
    json_decref(tree);
}

static void json_of_a_key_and_a_policy(void **state)
{
    struct fixture *f = *state;
    json_t *tree = explain_json(
        f, &(struct question){"GET", "http://httpbin.example.com/", {{UM_STR("x-user-id"), UM_STR("4\"2")}}, 1});
    json_t *mirror = json_array_get(json_object_get(tree, "mirrors"), 0);
    assert_json(json_object_get(mirror, "key"), "'4\\\"2'");
    assert_json(json_object_get(mirror, "percentage"), "50.0");
    assert_json(json_object_get(mirror, "policy"),
                "{'name': 'careful.default', 'methods': 'GET, HEAD', 'timeout_ms': 5000,"
                " 'body': 'none', 'max_body_bytes': 1024, 'mode': 'backpressure'}");
    json_decref(tree);
}

static void json_of_refusals_and_own_answers(void **state)
{
    struct fixture *f = *state;
    json_t *tree = explain_json(f, &(struct question){.method = "GET", .url = "http://a:81/"});
    assert_json(tree, "{'request': {'method': 'GET', 'url': 'http://a:81/', 'host': 'a:81'},"
                      " 'answer': {'text': 'nothing listens on port 81; the listeners have 80'}}");
    json_decref(tree);
    tree = explain_json(f, &(struct question){.method = "get", .url = "http://httpbin.example.com/"});
    assert_json(json_object_get(tree, "answer"), "{'status': 400, 'text': 'method is not an upper-case token'}");
    json_decref(tree);
    tree = explain_json(f, &(struct question){.method = "GET", .url = "http://httpbin.example.com/old"});
    assert_json(json_object_get(tree, "route"), "{'name': 'old', 'label': 'httpbin.default/old', 'config':"
                                                " '/apis/networking.istio.io/v1/namespaces/default/virtual-service/"
                                                "httpbin', 'action': 'redirect', 'status': 302,"
                                                " 'scheme': 'https', 'host': 'new.example.com', 'path': '/new'}");
    assert_json(json_object_get(json_array_get(json_object_get(tree, "mirrors"), 0), "reason"), "'redirect'");
    json_decref(tree);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_no_request),
        TEST(fields_that_would_end_the_head),
        TEST(what_clients_would_be_refused_for),
        TEST(no_listener),
        TEST(listeners_by_either_port),
        TEST(hosts),
        TEST(why_routes_did_not_match),
        TEST(regular_expressions),
        TEST(no_route),
        TEST(of_many_routes_the_first_are_shown),
        TEST(forwarded_and_mirrored),
        TEST(weighted),
        TEST(answered_by_umbra_itself),
        TEST(without_a_usable_primary_no_copy),
        TEST(requests_that_are_never_copied),
        TEST(other_methods_of_a_policy),
        TEST(shadows_without_endpoints_and_with_the_same),
        TEST(sampled_by_key),
        TEST(other_ways_to_sample),
        TEST(json_of_a_mirrored_request),
        TEST(json_of_a_key_and_a_policy),
        TEST(json_of_refusals_and_own_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
