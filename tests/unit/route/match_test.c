/* SPDX-License-Identifier: Apache-2.0
 * What matching means, case by case. */
#include "kit.h"

static bool holds(struct um_condition c, struct kit_request *k)
{
    struct um_route route = {.match.conditions = &c, .match.n_conditions = 1};
    return um_route_matches(&route, &k->request);
}

static bool path_is(enum um_match_kind kind, struct um_str value, bool ignore_case, struct um_str path)
{
    struct kit_request k;
    struct um_route route = {.match.path = {.kind = kind, .value = value, .ignore_case = ignore_case}};
    if (kind == UM_MATCH_REGEX)
        route.match.path.regex = kit_regex(value);
    kit_request_init(&k, UM_STR("GET"), path);
    bool hit = um_route_matches(&route, &k.request);
    um_regex_free(route.match.path.regex);
    return hit;
}

static struct um_condition header(const char *name, enum um_match_kind kind, const char *value)
{
    struct um_str n = um_str_from(name);
    return (struct um_condition){.subject = UM_SUBJECT_HEADER,
                                 .id = um_field_id_of(n),
                                 .name = n,
                                 .match = {.kind = kind, .value = um_str_from(value)}};
}

static struct um_condition without(const char *name, enum um_match_kind kind, const char *value)
{
    struct um_condition c = header(name, kind, value);
    c.is_inverted = true;
    return c;
}

static struct um_condition on(enum um_match_subject subject, const char *name, enum um_match_kind kind,
                              const char *value)
{
    return (struct um_condition){
        .subject = subject, .name = um_str_from(name), .match = {.kind = kind, .value = um_str_from(value)}};
}

static void paths(void **state)
{
    assert_true(path_is(UM_MATCH_ANY, UM_STR(""), false, UM_STR("/x")));
    assert_true(path_is(UM_MATCH_EXACT, UM_STR("/api"), false, UM_STR("/api?q=1")));
    assert_false(path_is(UM_MATCH_EXACT, UM_STR("/api"), false, UM_STR("/api/")));
    assert_false(path_is(UM_MATCH_EXACT, UM_STR("/api?q=1"), false, UM_STR("/api?q=1")));
    assert_true(path_is(UM_MATCH_PREFIX, UM_STR("/api"), false, UM_STR("/apix")));
    assert_false(path_is(UM_MATCH_PREFIX, UM_STR("/api?"), false, UM_STR("/api?q")));
    assert_true(path_is(UM_MATCH_PREFIX, UM_STR(""), false, UM_STR("*")));
    assert_false(path_is(UM_MATCH_EXACT, UM_STR("/API"), false, UM_STR("/api")));
    assert_true(path_is(UM_MATCH_EXACT, UM_STR("/API"), true, UM_STR("/api")));
    assert_true(path_is(UM_MATCH_PREFIX, UM_STR("/Api/"), true, UM_STR("/aPI/x")));
    assert_true(path_is(UM_MATCH_REGEX, UM_STR("/a.c"), false, UM_STR("/abc?d")));
    assert_false(path_is(UM_MATCH_REGEX, UM_STR("/a.c"), false, UM_STR("/abcd")));
    assert_false(path_is(UM_MATCH_REGEX, UM_STR("b"), false, UM_STR("/abc")));
}

static void lines_of_a_repeated_field_are_matched_alone(void **state)
{
    struct kit_request k;
    kit_request_init(&k, UM_STR("GET"), UM_STR("/"));
    kit_add_field(&k, UM_STR("X-Color"), UM_STR("one"));
    kit_add_field(&k, UM_STR("x-color"), UM_STR("two"));
    assert_true(holds(header("x-color", UM_MATCH_EXACT, "one"), &k));
    assert_true(holds(header("x-color", UM_MATCH_EXACT, "two"), &k));
    assert_false(holds(header("x-color", UM_MATCH_EXACT, "one,two"), &k));
    assert_false(holds(header("x-color", UM_MATCH_EXACT, "ONE"), &k));
    assert_true(holds(header("x-color", UM_MATCH_PREFIX, "tw"), &k));
    assert_false(holds(without("x-color", UM_MATCH_EXACT, "two"), &k));
    assert_true(holds(without("x-color", UM_MATCH_EXACT, "three"), &k));
}

static void absent_fields(void **state)
{
    struct kit_request k;
    kit_request_init(&k, UM_STR("GET"), UM_STR("/"));
    kit_add_field(&k, UM_STR("x-empty"), UM_STR(""));
    assert_false(holds(header("x-none", UM_MATCH_PRESENT, ""), &k));
    assert_false(holds(header("x-none", UM_MATCH_EXACT, ""), &k));
    assert_false(holds(header("x-none", UM_MATCH_PREFIX, ""), &k));
    assert_true(holds(header("x-empty", UM_MATCH_PRESENT, ""), &k));
    assert_true(holds(header("x-empty", UM_MATCH_EXACT, ""), &k));
    /* under inversion what is absent counts as empty */
    assert_true(holds(without("x-none", UM_MATCH_EXACT, "1"), &k));
    assert_false(holds(without("x-none", UM_MATCH_PREFIX, ""), &k));
    assert_true(holds(without("x-none", UM_MATCH_PRESENT, ""), &k));
    assert_false(holds(without("x-empty", UM_MATCH_PRESENT, ""), &k));
}

static void known_fields_and_pseudo_fields(void **state)
{
    struct kit_request k;
    kit_request_init(&k, UM_STR("PATCH"), UM_STR("/p?q"));
    kit_add_field(&k, UM_STR("Host"), UM_STR("not-asked"));
    kit_add_field(&k, UM_STR("Cookie"), UM_STR("a=b"));
    assert_true(holds(header("cookie", UM_MATCH_EXACT, "a=b"), &k));
    assert_true(holds(header("host", UM_MATCH_EXACT, "host.example:80"), &k));
    assert_true(holds(header(":authority", UM_MATCH_PREFIX, "host."), &k));
    assert_true(holds(header(":method", UM_MATCH_EXACT, "PATCH"), &k));
    assert_true(holds(header(":path", UM_MATCH_EXACT, "/p?q"), &k));
    assert_true(holds(header(":scheme", UM_MATCH_EXACT, "http"), &k));
    assert_false(holds(header(":status", UM_MATCH_PRESENT, ""), &k));
    k.request.authority = UM_STR("");
    assert_false(holds(header("host", UM_MATCH_PRESENT, ""), &k));
}

static void a_field_named_in_connection_is_not_seen(void **state)
{
    struct kit_request k;
    kit_request_init(&k, UM_STR("GET"), UM_STR("/"));
    kit_add_field(&k, UM_STR("x-hop"), UM_STR("1"));
    k.fields[0].is_nominated = 1;
    assert_false(holds(header("x-hop", UM_MATCH_EXACT, "1"), &k));
}

static void edits_are_seen(void **state)
{
    struct kit_request k;
    struct um_arena a;
    struct um_edits e;
    um_arena_init(&a, NULL, 0);
    um_edits_init(&e);
    kit_request_init(&k, UM_STR("GET"), UM_STR("/"));
    kit_add_field(&k, UM_STR("x-a"), UM_STR("head"));
    k.request.edits = &e;
    assert_int_equal(um_edits_add(&e, &a, UM_EDIT_ADD, UM_STR("X-A"), UM_STR("added")), 0);
    assert_true(holds(header("x-a", UM_MATCH_EXACT, "head"), &k));
    assert_true(holds(header("x-a", UM_MATCH_EXACT, "added"), &k));
    assert_int_equal(um_edits_add(&e, &a, UM_EDIT_SET, UM_STR("x-a"), UM_STR("set")), 0);
    assert_false(holds(header("x-a", UM_MATCH_EXACT, "head"), &k));
    assert_false(holds(header("x-a", UM_MATCH_EXACT, "added"), &k));
    assert_true(holds(header("x-a", UM_MATCH_EXACT, "set"), &k));
    assert_int_equal(um_edits_add(&e, &a, UM_EDIT_REMOVE, UM_STR("x-a"), UM_STR("")), 0);
    assert_false(holds(header("x-a", UM_MATCH_PRESENT, ""), &k));
    e.method = UM_STR("PUT");
    assert_true(holds(on(UM_SUBJECT_METHOD, "", UM_MATCH_EXACT, "PUT"), &k));
    um_arena_release(&a);
}

static void authority_scheme_and_method(void **state)
{
    struct kit_request k;
    kit_request_init(&k, UM_STR("GET"), UM_STR("/"));
    assert_true(holds(on(UM_SUBJECT_AUTHORITY, "", UM_MATCH_EXACT, "host.example:80"), &k));
    assert_false(holds(on(UM_SUBJECT_AUTHORITY, "", UM_MATCH_EXACT, "host.example"), &k));
    assert_false(holds(on(UM_SUBJECT_AUTHORITY, "", UM_MATCH_EXACT, "HOST.example:80"), &k));
    assert_true(holds(on(UM_SUBJECT_SCHEME, "", UM_MATCH_EXACT, "http"), &k));
    assert_false(holds(on(UM_SUBJECT_METHOD, "", UM_MATCH_EXACT, "get"), &k));
    assert_true(holds(on(UM_SUBJECT_METHOD, "", UM_MATCH_PREFIX, "GE"), &k));
}

static void query_parameters(void **state)
{
    struct kit_request k;
    kit_request_init(&k, UM_STR("GET"), UM_STR("/?a=1&b&c=x%20y+z&a=2&d=1;e=2"));
    assert_true(holds(on(UM_SUBJECT_QUERY, "a", UM_MATCH_EXACT, "1"), &k));
    assert_false(holds(on(UM_SUBJECT_QUERY, "a", UM_MATCH_EXACT, "2"), &k));
    assert_true(holds(on(UM_SUBJECT_QUERY, "b", UM_MATCH_EXACT, ""), &k));
    assert_true(holds(on(UM_SUBJECT_QUERY, "b", UM_MATCH_PRESENT, ""), &k));
    assert_true(holds(on(UM_SUBJECT_QUERY, "c", UM_MATCH_EXACT, "x%20y+z"), &k));
    assert_true(holds(on(UM_SUBJECT_QUERY, "d", UM_MATCH_EXACT, "1;e=2"), &k));
    assert_false(holds(on(UM_SUBJECT_QUERY, "e", UM_MATCH_PRESENT, ""), &k));
    assert_false(holds(on(UM_SUBJECT_QUERY, "A", UM_MATCH_PRESENT, ""), &k));
}

static void all_conditions_must_hold(void **state)
{
    struct kit_request k;
    struct um_condition both[] = {on(UM_SUBJECT_METHOD, "", UM_MATCH_EXACT, "GET"), header("x-a", UM_MATCH_EXACT, "1")};
    struct um_route route = {.match.conditions = both, .match.n_conditions = 2};
    kit_request_init(&k, UM_STR("GET"), UM_STR("/"));
    assert_false(um_route_matches(&route, &k.request));
    kit_add_field(&k, UM_STR("x-a"), UM_STR("1"));
    assert_true(um_route_matches(&route, &k.request));
    route.match.path = (struct um_string_match){.kind = UM_MATCH_PREFIX, .value = UM_STR("/api")};
    assert_false(um_route_matches(&route, &k.request));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths),
        cmocka_unit_test(lines_of_a_repeated_field_are_matched_alone),
        cmocka_unit_test(absent_fields),
        cmocka_unit_test(known_fields_and_pseudo_fields),
        cmocka_unit_test(a_field_named_in_connection_is_not_seen),
        cmocka_unit_test(edits_are_seen),
        cmocka_unit_test(authority_scheme_and_method),
        cmocka_unit_test(query_parameters),
        cmocka_unit_test(all_conditions_must_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
