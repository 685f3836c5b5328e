/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "h1_dump.h"

static void test_methods(void **state)
{
    static const struct {
        const char *name;
        enum um_method method;
        bool is_safe, is_idempotent;
    } CASES[] = {
        {"GET", UM_METHOD_GET, true, true},         {"HEAD", UM_METHOD_HEAD, true, true},
        {"POST", UM_METHOD_POST, false, false},     {"PUT", UM_METHOD_PUT, false, true},
        {"DELETE", UM_METHOD_DELETE, false, true},  {"CONNECT", UM_METHOD_CONNECT, false, false},
        {"OPTIONS", UM_METHOD_OPTIONS, true, true}, {"TRACE", UM_METHOD_TRACE, true, true},
        {"PATCH", UM_METHOD_PATCH, false, false},   {"PURGE", UM_METHOD_OTHER, false, false},
        {"get", UM_METHOD_OTHER, false, false},     {"GETS", UM_METHOD_OTHER, false, false},
        {"", UM_METHOD_OTHER, false, false},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        enum um_method m = um_method_of(um_str_from(CASES[i].name));
        assert_int_equal(m, CASES[i].method);
        assert_int_equal(um_method_is_safe(m), CASES[i].is_safe);
        assert_int_equal(um_method_is_idempotent(m), CASES[i].is_idempotent);
    }
}

static ptrdiff_t parse(const char *text, struct um_head *h)
{
    static const struct um_h1_limits LIMITS = {4096, 8};
    enum um_h1_fault fault;
    size_t scanned = 0;
    return um_h1_parse_request(um_str_from(text), &LIMITS, &scanned, h, &fault);
}

static void test_find(void **state)
{
    struct um_field fields[8];
    struct um_head h = {.fields = fields};
    assert_true(parse("GET / HTTP/1.1\r\nX-A: 1\r\nHost: h\r\nx-a: 2\r\nCookie: c\r\ncookie: d\r\n\r\n", &h) > 0);
    assert_ptr_equal(um_head_find(&h, UM_STR("x-A"), 0), &fields[0]);
    assert_ptr_equal(um_head_find(&h, UM_STR("x-A"), 1), &fields[2]);
    assert_null(um_head_find(&h, UM_STR("x-a"), 3));
    assert_ptr_equal(um_head_find(&h, UM_STR("COOKIE"), 0), &fields[3]);
    assert_ptr_equal(um_head_find(&h, UM_STR("COOKIE"), 4), &fields[4]);
    assert_null(um_head_find(&h, UM_STR("x-b"), 0));
    assert_null(um_head_find(&h, UM_STR("via"), 0));
}

static void dump(struct um_buf *b, const struct um_head *h)
{
    um_buf_clear(b);
    um_dump_start(b, h);
    um_dump_fields(b, h->fields, h->n_fields);
    assert_false(b->failed);
}

static void test_copy_outlives_the_bytes(void **state)
{
    char bytes[] = "POST http://a:1/b?c HTTP/1.1\r\nHost: h\r\nx-a:\t1\r\nEmpty:\r\nConnection: x-a\r\n\r\n";
    struct um_field fields[8];
    struct um_head h = {.fields = fields};
    struct um_arena a;
    struct um_buf before, after;
    um_buf_init(&before, 0);
    um_buf_init(&after, 0);
    um_arena_init(&a, NULL, 0);
    assert_true(parse(bytes, &h) > 0);
    for (uint32_t i = 0; i < h.n_fields; i++)
        fields[i].is_plain = 1;
    dump(&before, &h);
    struct um_head *copy = um_head_copy(&a, &h);
    assert_non_null(copy);
    memset(bytes, '?', sizeof bytes);
    memset(fields, 0xff, sizeof fields);
    dump(&after, copy);
    assert_int_equal(before.n, after.n);
    assert_memory_equal(before.p, after.p, before.n);
    static const char WRITTEN[] = "Host: h\r\nx-a: 1\r\nEmpty: \r\nConnection: x-a\r\n";
    assert_memory_equal(copy->fields[0].name, WRITTEN, sizeof WRITTEN - 1);
    assert_non_null(um_head_known(copy, UM_FIELD_CONNECTION));
    um_buf_release(&before);
    um_buf_release(&after);
    um_arena_release(&a);
}

static void test_copy_without_memory(void **state)
{
    struct um_field fields[8];
    struct um_head h = {.fields = fields};
    struct um_arena a;
    assert_true(parse("GET / HTTP/1.1\r\nHost: h\r\n\r\n", &h) > 0);
    um_arena_init(&a, NULL, 64);
    assert_null(um_head_copy(&a, &h));
    um_arena_release(&a);
}

static void test_syntax(void **state)
{
    assert_true(um_is_token(UM_STR("x-a")));
    assert_false(um_is_token(UM_STR("")));
    assert_false(um_is_token(UM_STR("x a")));
    assert_false(um_is_token(UM_STR(":authority")));
    assert_true(um_is_field_value(UM_STR("")));
    assert_true(um_is_field_value(UM_STR("a\tb \xc3\xa4")));
    assert_false(um_is_field_value(UM_STR(" a")));
    assert_false(um_is_field_value(UM_STR("a\t")));
    assert_false(um_is_field_value(UM_STR("a\r\nb")));
    assert_false(um_is_field_value(UM_STR("a\0b")));
    assert_true(um_is_authority(UM_STR("a.b:80")));
    assert_true(um_is_authority(UM_STR("")));
    assert_false(um_is_authority(UM_STR("a.b:80/")));
}

static void test_reasons(void **state)
{
    assert_true(um_str_eq(um_status_reason(200), UM_STR("OK")));
    assert_true(um_str_eq(um_status_reason(503), UM_STR("Service Unavailable")));
    assert_true(um_str_eq(um_status_reason(299), UM_STR("Unknown")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_methods),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_copy_outlives_the_bytes),
        cmocka_unit_test(test_copy_without_memory),
        cmocka_unit_test(test_syntax),
        cmocka_unit_test(test_reasons),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
