/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/rand.h"
#include "http/url.h"

#include <ctype.h>
#include <stdlib.h>

/* ---- normalisation: examples -------------------------------------------------------------------- */

static void expect_path(const char *from, const char *to)
{
    struct um_arena a;
    struct um_str path = um_str_from(from), got = {NULL, 0};
    um_arena_init(&a, NULL, 0);
    assert_int_equal(um_url_normalise(path, &a, &got), 0);
    if (!um_str_eq(got, um_str_from(to)))
        fail_msg("%s -> %.*s, not %s", from, UM_STR_ARG(got), to);
    if (strcmp(from, to) == 0 && !strstr(from, "%%"))
        assert_ptr_equal(got.p, path.p);
    um_arena_release(&a);
}

static void test_paths_that_stay(void **state)
{
    static const char *const PATHS[] = {
        "/",    "/a/b",   "//",   "//a//b/",  "/a.b/.c/..d/...", "/%2F/%2f", "/%c3%a4", "/%5c",       "/%",    "/%2",
        "/%zz", "/%4g",   "/%25", "/a;b=c,d", "/[a]:@!$&'()*+",  "/%20",     "/a?",     "/a?/../%61", "/a?\\", "/?",
        "*",    "/a?b?c", "/%7F",
    };
    for (size_t i = 0; i < sizeof PATHS / sizeof PATHS[0]; i++)
        expect_path(PATHS[i], PATHS[i]);
}

static void test_paths_that_change(void **state)
{
    static const struct {
        const char *from, *to;
    } CASES[] = {
        {"/a/../b", "/b"},
        {"/a/%2e%2e/b", "/b"},
        {"/a/%2E./b", "/b"},
        {"/a\\..\\b", "/b"},
        {"/%61", "/a"},
        {"/%41%7e%2D%5f%30", "/A~-_0"},
        {"/.", "/"},
        {"/..", "/"},
        {"/../..", "/"},
        {"/../a", "/a"},
        {"/a/.", "/a/"},
        {"/a/..", "/"},
        {"/a/b/..", "/a/"},
        {"/a/./b", "/a/b"},
        {"/a/b/../../c", "/c"},
        {"/a//../b", "/a/b"},
        {"//..", "/"},
        {"//../a", "/a"},
        {"/a/b/../?x=/../y", "/a/?x=/../y"},
        {"/a%2eb", "/a.b"},
        {"/%2e%2e%2f", "/..%2f"},
        {"/..\\", "/"},
        {"/\\", "//"},
        {"/a\\b?\\", "/a/b?\\"},
        {"/a\"<>^`{|}", "/a%22%3C%3E%5E%60%7B%7C%7D"},
        {"/\xc3\xa4", "/%C3%A4"},
        {"/%2561", "/%2561"},
        {"/%25/..", "/"},
        {"/%zz/../%61", "/a"},
        {"/%%300", "/%%300"},
        {"/%3%30%61", "/%3%30a"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        expect_path(CASES[i].from, CASES[i].to);
}

static void test_refused(void **state)
{
    static const char *const PATHS[] = {"", "a", "?x=1", "\\a", "/a#b", "/a?b#c", "/%00", "/a/%00/..", "**", "*/"};
    for (size_t i = 0; i < sizeof PATHS / sizeof PATHS[0]; i++) {
        struct um_arena a;
        struct um_str got;
        um_arena_init(&a, NULL, 0);
        assert_int_equal(um_url_normalise(um_str_from(PATHS[i]), &a, &got), UM_ESYNTAX);
        um_arena_release(&a);
    }
}

static void test_without_memory(void **state)
{
    struct um_arena a;
    struct um_str got;
    um_arena_init(&a, NULL, 1);
    assert_int_equal(um_url_normalise(UM_STR("/a/../b"), &a, &got), UM_ENOMEM);
    assert_int_equal(um_url_normalise(UM_STR("/a/b"), &a, &got), 0);
    assert_null(um_url_shadow_authority(UM_STR("a"), &a).p);
}

/* ---- normalisation: against a slow reference ---------------------------------------------------- */

/* decodes, escapes and turns slashes round: all but the dot segments */
static void reference_bytes(struct um_str s, struct um_buf *b)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned c = (unsigned char)s.p[i];
        if (c == '%' && i + 2 < s.n && isxdigit((unsigned char)s.p[i + 1]) && isxdigit((unsigned char)s.p[i + 2])) {
            char hex[3] = {s.p[i + 1], s.p[i + 2], 0};
            int v = (int)strtoul(hex, NULL, 16);
            if (v < 0x80 && (isalnum(v) || strchr("-._~", v))) {
                um_buf_add_char(b, (char)v);
                i += 2;
                continue;
            }
            um_buf_add_char(b, '%');
        } else if (c == '\\') {
            um_buf_add_char(b, '/');
        } else if (c >= 0x80 || strchr("\"<>^`{|}", (int)c)) {
            um_buf_addf(b, "%%%02X", c);
        } else {
            um_buf_add_char(b, (char)c);
        }
    }
}

/* RFC 3986 section 5.2.4 with a stack of segments */
static void reference_segments(struct um_str s, struct um_buf *b)
{
    struct um_str stack[64], segment, rest = um_str_skip(s, 1);
    size_t depth = 0;
    bool is_directory = false;
    if (!rest.p)
        rest.p = "";
    while (um_str_split(&rest, '/', &segment)) {
        is_directory = um_str_eq(segment, UM_STR(".")) || um_str_eq(segment, UM_STR(".."));
        if (!is_directory)
            stack[depth++] = segment;
        else if (segment.n == 2 && depth)
            depth--;
    }
    for (size_t i = 0; i < depth; i++) {
        um_buf_add_char(b, '/');
        um_buf_add(b, stack[i]);
    }
    if (is_directory || depth == 0)
        um_buf_add_char(b, '/');
}

/* pieces that meet each other; a '%' that begins no escape is not among them, for the reference knows no nesting */
static const char *const PIECES[] = {"/",   "/",   "/",   ".",   "..", "%2e", "%2E", "\\",   "a",   "b",   "%61",
                                     "%2f", "%5C", "%25", "%c3", "~",  "%7E", "{",   "\xe4", "a.b", "/./", "/../"};

static void test_against_reference(void **state)
{
    struct um_rand rand;
    struct um_buf path, bytes, want;
    um_rand_init_seed(&rand, 7);
    um_buf_init(&path, 0);
    um_buf_init(&bytes, 0);
    um_buf_init(&want, 0);
    for (unsigned round = 0; round < 50000; round++) {
        struct um_arena a;
        struct um_str got, again;
        um_arena_init(&a, NULL, 0);
        um_buf_clear(&path);
        um_buf_clear(&bytes);
        um_buf_clear(&want);
        um_buf_add_char(&path, '/');
        for (unsigned n = um_rand_below(&rand, 12); n > 0; n--)
            um_buf_add_cstr(&path, PIECES[um_rand_below(&rand, sizeof PIECES / sizeof PIECES[0])]);
        reference_bytes(um_buf_str(&path), &bytes);
        reference_segments(um_buf_str(&bytes), &want);
        if (round % 3 == 0) {
            um_buf_add_cstr(&path, "?a=/../%61{");
            um_buf_add_cstr(&want, "?a=/../%61{");
        }
        assert_int_equal(um_url_normalise(um_buf_str(&path), &a, &got), 0);
        if (!um_str_eq(got, um_buf_str(&want)))
            fail_msg("%.*s -> %.*s, not %.*s", UM_STR_ARG(um_buf_str(&path)), UM_STR_ARG(got),
                     UM_STR_ARG(um_buf_str(&want)));
        assert_int_equal(um_url_normalise(got, &a, &again), 0);
        assert_ptr_equal(again.p, got.p);
        um_arena_release(&a);
    }
    um_buf_release(&path);
    um_buf_release(&bytes);
    um_buf_release(&want);
}

/* of any bytes at all: what comes out stays as it is, and escapes no byte that makes a NUL of it */
static void test_fixed_point(void **state)
{
    static const char BYTES[] = "/%%%0012345eEfF.aA\\";
    struct um_rand rand;
    um_rand_init_seed(&rand, 8);
    for (unsigned round = 0; round < 50000; round++) {
        struct um_arena a;
        struct um_str got, again;
        char path[16] = "/";
        size_t n = 1 + um_rand_below(&rand, sizeof path - 1);
        for (size_t i = 1; i < n; i++)
            path[i] = BYTES[um_rand_below(&rand, sizeof BYTES - 1)];
        um_arena_init(&a, NULL, 0);
        if (um_url_normalise((struct um_str){path, n}, &a, &got) == 0) {
            assert_int_equal(um_url_normalise(got, &a, &again), 0);
            assert_true(um_str_eq(again, got));
        }
        um_arena_release(&a);
    }
}

/* ---- parts -------------------------------------------------------------------------------------- */

static void test_split(void **state)
{
    struct um_str path, query;
    um_url_split(UM_STR("/a?b?c"), &path, &query);
    assert_true(um_str_eq(path, UM_STR("/a")) && um_str_eq(query, UM_STR("b?c")));
    um_url_split(UM_STR("/a"), &path, &query);
    assert_true(um_str_eq(path, UM_STR("/a")) && query.n == 0);
    um_url_split(UM_STR("/a?"), &path, &query);
    assert_true(um_str_eq(path, UM_STR("/a")) && query.n == 0);
}

static void expect_param(const char *query, const char *name, const char *value)
{
    struct um_str got;
    bool is_there = um_url_query_param(um_str_from(query), um_str_from(name), &got);
    assert_int_equal(is_there, value != NULL);
    if (value)
        assert_true(um_str_eq(got, um_str_from(value)));
}

static void test_query_param(void **state)
{
    expect_param("a=1&b=2&a=3", "a", "1");
    expect_param("a=1&b=2", "b", "2");
    expect_param("a&b=", "a", "");
    expect_param("a&b=", "b", "");
    expect_param("a=b=c", "a", "b=c");
    expect_param("a=%20+", "a", "%20+");
    expect_param("a=1;b=2", "b", NULL);
    expect_param("&&a=1", "a", "1");
    expect_param("aa=1", "a", NULL);
    expect_param("A=1", "a", NULL);
    expect_param("", "a", NULL);
}

static void expect_authority(const char *authority, const char *host, const char *port, const char *shadow)
{
    struct um_arena a;
    struct um_str got_host, got_port, got;
    um_arena_init(&a, NULL, 0);
    um_url_split_authority(um_str_from(authority), &got_host, &got_port);
    assert_true(um_str_eq(got_host, um_str_from(host)));
    assert_true(um_str_eq(got_port, um_str_from(port)));
    got = um_url_shadow_authority(um_str_from(authority), &a);
    assert_true(um_str_eq(got, um_str_from(shadow)));
    um_arena_release(&a);
}

static void test_authority(void **state)
{
    expect_authority("a", "a", "", "a-shadow");
    expect_authority("a:80", "a", "80", "a-shadow:80");
    expect_authority("a.example.com:8080", "a.example.com", "8080", "a.example.com-shadow:8080");
    expect_authority("[::1]:80", "[::1]", "80", "[::1]-shadow:80");
    expect_authority("[::1]", "[::1]", "", "[::1]-shadow");
    expect_authority("::1", "::1", "", "::1-shadow");
    expect_authority("a:", "a", "", "a-shadow:");
    expect_authority("10.0.0.1:80", "10.0.0.1", "80", "10.0.0.1-shadow:80");
    expect_authority("", "", "", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths_that_stay),
        cmocka_unit_test(test_paths_that_change),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_without_memory),
        cmocka_unit_test(test_against_reference),
        cmocka_unit_test(test_fixed_point),
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_query_param),
        cmocka_unit_test(test_authority),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
