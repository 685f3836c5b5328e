/* SPDX-License-Identifier: Apache-2.0 */
#include "istio/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_str(struct um_str s, const char *expected)
{
    assert_int_equal(s.n, strlen(expected));
    assert_memory_equal(s.p, expected, s.n);
}

static void short_names_are_completed(void **state)
{
    struct um_arena a;
    um_arena_init(&a, NULL, 0);
    assert_str(um_name_host(&a, UM_STR("App"), UM_STR("team")), "app.team.svc.cluster.local");
    assert_str(um_name_host(&a, UM_STR("app.team"), UM_STR("x")), "app.team");
    assert_str(um_name_host(&a, UM_STR("API.Example.com"), UM_STR("x")), "api.example.com");
    assert_str(um_name_host(&a, UM_STR("*"), UM_STR("x")), "*");
    assert_str(um_name_host(&a, UM_STR("fd00::1"), UM_STR("x")), "fd00::1");
    assert_str(um_name_service_host(&a, UM_STR("a"), UM_STR("b")), "a.b.svc.cluster.local");
    assert_str(um_name_cluster(&a, 8000, UM_STR("v1"), UM_STR("h")), "outbound|8000|v1|h");
    assert_str(um_name_cluster(&a, 80, UM_STR(""), UM_STR("h")), "outbound|80||h");
    assert_str(um_name_config_path(&a, "virtual-service", UM_STR("ns"), UM_STR("v")),
               "/apis/networking.istio.io/v1/namespaces/ns/virtual-service/v");
    assert_str(um_name_key(&a, UM_STR("ns"), UM_STR("v")), "ns/v");
    um_arena_release(&a);
}

static void suffixes_get_shorter(void **state)
{
    static const struct {
        const char *host, *suffixes[4];
    } CASES[] = {
        {"a.b.c", {".b.c", ".c", ""}}, {"*.b.c", {".b.c", ".c", ""}}, {"*", {""}}, {"host", {""}}, {"", {NULL}},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct um_str s = um_str_from(CASES[i].host);
        size_t n = 0;
        while (um_name_next_suffix(&s))
            assert_str(s, CASES[i].suffixes[n++]);
        assert_null(CASES[i].suffixes[n]);
    }
}

static void wildcards_cover_what_is_within(void **state)
{
    static const struct {
        const char *narrow, *wide;
        bool is_within;
    } CASES[] = {
        {"a.com", "a.com", true},       {"a.com", "b.com", false},    {"x.a.com", "*.a.com", true},
        {"a.com", "*.a.com", false},    {"xa.com", "*.a.com", false}, {"a.com", "*", true},
        {"*.x.a.com", "*.a.com", true}, {"*.a.com", "*.a.com", true}, {"*.a.com", "*.x.a.com", false},
        {"*.a.com", "a.com", false},    {"*", "*.a.com", false},      {"*", "*", true},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        assert_int_equal(um_name_is_within(um_str_from(CASES[i].narrow), um_str_from(CASES[i].wide)),
                         CASES[i].is_within);
}

static struct um_str nearest(const char *word, const char *a, const char *b)
{
    struct um_nearest n = um_nearest_to(um_str_from(word));
    um_nearest_consider(&n, um_str_from(a));
    um_nearest_consider(&n, um_str_from(b));
    return n.name;
}

static void the_nearest_name_is_found(void **state)
{
    assert_str(nearest("httpbim", "other", "httpbin"), "httpbin");
    assert_str(nearest("v1-mirorring", "v1", "v1-mirroring"), "v1-mirroring");
    assert_str(nearest("reviews", "revievs", "reviewz"), "revievs"); /* the first of equals */
    assert_null(nearest("ratings", "details", "productpage").p);
    assert_null(nearest("a", "b", "zz").p); /* all letters changed */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_names_are_completed),
        cmocka_unit_test(suffixes_get_shorter),
        cmocka_unit_test(wildcards_cover_what_is_within),
        cmocka_unit_test(the_nearest_name_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
