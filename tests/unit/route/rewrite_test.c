/* SPDX-License-Identifier: Apache-2.0 */
#include "kit.h"

static struct um_arena arena;

static int set_up(void **state)
{
    um_arena_init(&arena, NULL, 0);
    return 0;
}

static int tear_down(void **state)
{
    um_arena_release(&arena);
    return 0;
}

static void check(enum um_match_kind kind, const char *value, const char *rewrite, const char *path, const char *want)
{
    struct um_route route = {.match.path = {.kind = kind, .value = um_str_from(value)},
                             .has_path_rewrite = true,
                             .path_rewrite = um_str_from(rewrite)};
    struct um_str got;
    assert_int_equal(um_route_rewrite_path(&route, um_str_from(path), &arena, &got), 0);
    if (!um_str_eq(got, um_str_from(want)))
        print_error("%s with %s for %s: %.*s\n", path, rewrite, value, UM_STR_ARG(got));
    assert_true(um_str_eq(got, um_str_from(want)));
}

static void a_prefix_is_replaced_as_plain_text(void **state)
{
    check(UM_MATCH_PREFIX, "/api", "/v2", "/api/x?y=/api", "/v2/x?y=/api");
    check(UM_MATCH_PREFIX, "/noslash", "/", "/noslash/x", "//x");
    check(UM_MATCH_PREFIX, "/api", "/v2?a=b", "/api/x", "/v2?a=b/x");
    check(UM_MATCH_PREFIX, "/api", "/v2", "/api", "/v2");
    check(UM_MATCH_PREFIX, "/api", "/v2", "/api?q", "/v2?q");
}

static void no_match_means_the_prefix_slash(void **state)
{
    check(UM_MATCH_ANY, "", "/root", "/zzz?q", "/rootzzz?q");
    check(UM_MATCH_ANY, "", "/root/", "/zzz", "/root/zzz");
}

static void exact_and_regex_replace_the_whole_path(void **state)
{
    check(UM_MATCH_EXACT, "/a/b", "/c", "/a/b?q=1", "/c?q=1");
    check(UM_MATCH_EXACT, "/a/b", "/c?x", "/a/b?q=1", "/c?x?q=1");
    check(UM_MATCH_REGEX, "/a/.*", "/c", "/a/b/d?q=1", "/c?q=1");
    check(UM_MATCH_REGEX, "/a/.*", "/c", "/a/b/d", "/c");
}

static void what_is_no_path_stays(void **state)
{
    struct um_route none = {.match.path = {.kind = UM_MATCH_ANY}};
    struct um_str path = UM_STR("/x"), got;
    assert_int_equal(um_route_rewrite_path(&none, path, &arena, &got), 0);
    assert_ptr_equal(got.p, path.p);
    check(UM_MATCH_ANY, "", "/root", "*", "*");
    check(UM_MATCH_ANY, "", "/root", "", "");
}

static void want_of_memory_is_an_error(void **state)
{
    struct um_route route = {.has_path_rewrite = true, .path_rewrite = UM_STR("/a")};
    struct um_arena tiny;
    struct um_str got;
    um_arena_init(&tiny, NULL, 1);
    assert_int_equal(um_route_rewrite_path(&route, UM_STR("/x"), &tiny, &got), UM_ENOMEM);
    um_arena_release(&tiny);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_prefix_is_replaced_as_plain_text),
        cmocka_unit_test(no_match_means_the_prefix_slash),
        cmocka_unit_test(exact_and_regex_replace_the_whole_path),
        cmocka_unit_test(what_is_no_path_stays),
        cmocka_unit_test(want_of_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
