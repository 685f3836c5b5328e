/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include "base/rand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

static void assert_text(const struct um_buf *b, const char *want)
{
    assert_false(b->failed);
    assert_int_equal(b->n, strlen(want));
    assert_memory_equal(b->p, want, b->n);
}

static void pieces_add_up(void **state)
{
    struct um_buf b;
    um_buf_init(&b, 0);
    um_buf_add(&b, (struct um_str){NULL, 0});
    um_buf_add(&b, UM_STR("a"));
    um_buf_add_cstr(&b, "bc");
    um_buf_add_char(&b, ' ');
    um_buf_add_u64(&b, 0);
    um_buf_add_u64(&b, UINT64_MAX);
    um_buf_addf(&b, " %s-%03d", "x", 7);
    assert_text(&b, "abc 018446744073709551615 x-007");
    um_buf_clear(&b);
    for (int i = 0; i < 5000; i++)
        um_buf_addf(&b, "%d,", i % 10);
    assert_int_equal(b.n, 10000);
    assert_int_equal(b.p[9998], '9');
    um_buf_release(&b);
    assert_null(b.p);
}

static void a_limit_fails_once_and_for_all(void **state)
{
    struct um_buf b;
    um_buf_init(&b, 10);
    um_buf_add_cstr(&b, "0123456789");
    assert_text(&b, "0123456789");
    um_buf_add_char(&b, 'x');
    assert_true(b.failed);
    assert_int_equal(b.n, 10);
    um_buf_clear(&b);
    um_buf_add_cstr(&b, "01234567890");
    um_buf_add_char(&b, 'x');
    um_buf_add_u64(&b, 1);
    um_buf_addf(&b, "%d", 1);
    assert_null(um_buf_reserve(&b, 1));
    assert_true(b.failed && b.n == 0);
    um_buf_clear(&b);
    assert_null(um_buf_reserve(&b, SIZE_MAX));
    um_buf_clear(&b);
    um_buf_add_char(&b, 'y');
    assert_text(&b, "y");
    um_buf_release(&b);
}

static void reserved_room_is_written_in_place(void **state)
{
    struct um_buf b;
    um_buf_init(&b, 0);
    um_buf_add_cstr(&b, "ab");
    char *to = um_buf_reserve(&b, 1000);
    assert_non_null(to);
    memset(to, 'c', 1000);
    um_buf_grew(&b, 3);
    assert_text(&b, "abccc");
    um_buf_release(&b);
}

static void json_escapes(void **state)
{
    struct um_buf b;
    um_buf_init(&b, 0);
    um_buf_add_json(&b, UM_STR("a\"\\\n\r\t\b\0\x7f/\xc3\xa4"));
    assert_text(&b, "\"a\\\"\\\\\\n\\r\\t\\u0008\\u0000\\u007f/\xc3\xa4\"");
    um_buf_clear(&b);
    um_buf_add_json(&b, UM_STR("\xff\xc3(\xe2\x82"));
    assert_text(&b, "\"\\ufffd\\ufffd(\\ufffd\\ufffd\"");
    um_buf_release(&b);
}

/* whatever the bytes, a parser reads the string back, and what was UTF-8 comes back as it was */
static void json_is_read_back(void **state)
{
    struct um_rand r;
    struct um_buf b;
    um_rand_init_seed(&r, 6);
    um_buf_init(&b, 0);
    for (int i = 0; i < 3000; i++) {
        char text[24];
        size_t n = um_rand_below(&r, sizeof text), bad;
        bool is_ascii = i % 2;
        for (size_t k = 0; k < n; k++)
            text[k] = (char)um_rand_below(&r, is_ascii ? 128 : 256);
        um_buf_clear(&b);
        um_buf_add_json(&b, (struct um_str){text, n});
        json_t *read = json_loadb(b.p, b.n, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        assert_non_null(read);
        if (um_str_is_utf8((struct um_str){text, n}, &bad)) {
            assert_int_equal(json_string_length(read), n);
            assert_memory_equal(json_string_value(read), text, n);
        }
        json_decref(read);
    }
    um_buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_add_up),
        cmocka_unit_test(a_limit_fails_once_and_for_all),
        cmocka_unit_test(reserved_room_is_written_in_place),
        cmocka_unit_test(json_escapes),
        cmocka_unit_test(json_is_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
