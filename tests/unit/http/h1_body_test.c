/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "http/h1_parse.h"

#include <stdlib.h>

#define TEXT(literal) UM_STR_INIT(literal)

struct result {
    struct um_buf data;
    size_t left; /* bytes not eaten */
    bool at_trailers;
    enum um_body_state state;
    enum um_h1_fault fault;
};

/* decodes what one read brings, as a connection does */
static void feed(struct um_body_decoder *d, struct um_str bytes, struct result *r)
{
    char *copy = malloc(bytes.n ? bytes.n : 1); /* of just that size, for the address sanitizer to guard */
    assert_non_null(copy);
    memcpy(copy, bytes.p, bytes.n);
    struct um_str in = {copy, bytes.n}, data;
    do {
        r->state = um_body_decode(d, &in, &data, &r->at_trailers, &r->fault);
        um_buf_add(&r->data, data);
    } while (r->state == UM_BODY_MORE && in.n);
    r->left = in.n;
    free(copy);
}

/* the body in reads of `first` bytes and then of `step` */
static struct result decode(enum um_framing framing, uint64_t length, struct um_str bytes, size_t first, size_t step)
{
    struct um_body_decoder d;
    struct result r = {.state = UM_BODY_MORE};
    um_body_decoder_init(&d, framing, length);
    um_buf_init(&r.data, 0);
    for (size_t n = first < bytes.n ? first : bytes.n;; n = step < bytes.n ? step : bytes.n) {
        feed(&d, (struct um_str){bytes.p, n}, &r);
        bytes = um_str_skip(bytes, n);
        if (r.state != UM_BODY_MORE || bytes.n == 0)
            break;
    }
    r.left += bytes.n;
    return r;
}

static void expect(struct result r, enum um_body_state state, struct um_str data, size_t left)
{
    assert_int_equal(r.state, state);
    assert_int_equal(r.left, left);
    assert_int_equal(r.data.n, data.n);
    if (data.n)
        assert_memory_equal(r.data.p, data.p, data.n);
    um_buf_release(&r.data);
}

static void test_length(void **state)
{
    const struct um_str bytes = UM_STR("helloGET");
    for (size_t first = 0; first <= bytes.n; first++)
        for (size_t step = 1; step < 4; step++)
            expect(decode(UM_FRAMING_LENGTH, 5, bytes, first, step), UM_BODY_DONE, UM_STR("hello"), 3);
    expect(decode(UM_FRAMING_LENGTH, 0, bytes, 8, 1), UM_BODY_DONE, UM_STR(""), 8);
    expect(decode(UM_FRAMING_LENGTH, 9, bytes, 8, 1), UM_BODY_MORE, bytes, 0);
    expect(decode(UM_FRAMING_LENGTH, INT64_MAX, bytes, 8, 1), UM_BODY_MORE, bytes, 0);
}

static void test_without_length(void **state)
{
    expect(decode(UM_FRAMING_NONE, 0, UM_STR("GET"), 3, 1), UM_BODY_DONE, UM_STR(""), 3);
    expect(decode(UM_FRAMING_CLOSE, 0, UM_STR("abc"), 1, 1), UM_BODY_MORE, UM_STR("abc"), 0);
    expect(decode(UM_FRAMING_TUNNEL, 0, UM_STR("abc"), 1, 1), UM_BODY_MORE, UM_STR("abc"), 0);
}

static const struct {
    struct um_str bytes, data;
    size_t left; /* the trailer section and what follows */
} GOOD[] = {
    {TEXT("0\r\n\r\n"), TEXT(""), 2},
    {TEXT("5\r\nhello\r\n0\r\n\r\n"), TEXT("hello"), 2},
    {TEXT("5\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\na: b\r\n\r\nGET"), TEXT("hello world"), 11},
    {TEXT("00005\r\nhello\r\n0000\r\n\r\n"), TEXT("hello"), 2},
    {TEXT("0000000000000005\r\nhello\r\n0000000000000000\r\n\r\n"), TEXT("hello"), 2},
    {TEXT("a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n"), TEXT("01234567890123456789"), 2},
    {TEXT("1a\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n"), TEXT("abcdefghijklmnopqrstuvwxyz"), 2},
    {TEXT("2\r\n\r\n\r\n0\r\n\r\n"), TEXT("\r\n"), 2},
    {TEXT("5;a=b\r\nhello\r\n0;c\r\n\r\n"), TEXT("hello"), 2},
    {TEXT("5;a=\"b;\\\"c\\\\\";d=e;f\r\nhello\r\n0\r\n\r\n"), TEXT("hello"), 2},
    {TEXT("5;a=\"\";b=\"\t\xc3\xa4\"\r\nhello\r\n0\r\n\r\n"), TEXT("hello"), 2},
    {TEXT("1\r\n\0\r\n0\r\n\r\n"), TEXT("\0"), 2},
};

static void test_chunked(void **state)
{
    for (size_t i = 0; i < sizeof GOOD / sizeof GOOD[0]; i++)
        for (size_t first = 0; first <= GOOD[i].bytes.n; first++)
            for (size_t step = 1; step <= GOOD[i].bytes.n; step += step < 3 ? 1 : GOOD[i].bytes.n) {
                struct result r = decode(UM_FRAMING_CHUNKED, 0, GOOD[i].bytes, first, step);
                assert_true(r.at_trailers);
                expect(r, UM_BODY_DONE, GOOD[i].data, GOOD[i].left);
            }
}

static const struct {
    struct um_str bytes;
    enum um_h1_fault fault;
} BAD[] = {
    {TEXT("\r\nhello"), UM_H1_BAD_CHUNK_SIZE},
    {TEXT("\n"), UM_H1_BAD_CHUNK_SIZE},
    {TEXT(";a\r\n"), UM_H1_BAD_CHUNK_SIZE},
    {TEXT(" 5\r\n"), UM_H1_BAD_CHUNK_SIZE},
    {TEXT("5 \r\n"), UM_H1_BAD_CHUNK_SIZE},
    {TEXT("5 ;a\r\n"), UM_H1_BAD_CHUNK_SIZE},
    {TEXT("5\t\r\n"), UM_H1_BAD_CHUNK_SIZE},
    {TEXT("-5\r\n"), UM_H1_BAD_CHUNK_SIZE},
    {TEXT("+5\r\n"), UM_H1_BAD_CHUNK_SIZE},
    {TEXT("0x5\r\n"), UM_H1_BAD_CHUNK_SIZE},
    {TEXT("5h\r\n"), UM_H1_BAD_CHUNK_SIZE},
    {TEXT("5\0\r\n"), UM_H1_BAD_CHUNK_SIZE},
    {TEXT("g\r\n"), UM_H1_BAD_CHUNK_SIZE},
    {TEXT("8000000000000000\r\n"), UM_H1_BAD_CHUNK_SIZE},
    {TEXT("ffffffffffffffff\r\n"), UM_H1_BAD_CHUNK_SIZE},
    {TEXT("10000000000000005\r\n"), UM_H1_BAD_CHUNK_SIZE},
    {TEXT("00000000000000005\r\n"), UM_H1_BAD_CHUNK_SIZE},
    {TEXT("5\nhello\r\n0\r\n\r\n"), UM_H1_BARE_LF},
    {TEXT("5\rhello"), UM_H1_BARE_CR},
    {TEXT("5\r\r\nhello"), UM_H1_BARE_CR},
    {TEXT("5;a\nhello\r\n0\r\n\r\n"), UM_H1_BARE_LF},
    {TEXT("5;a\rb\r\nhello"), UM_H1_BARE_CR},
    {TEXT("5;\r\nhello"), UM_H1_BAD_CHUNK_EXTENSION},
    {TEXT("5;a;\r\nhello"), UM_H1_BAD_CHUNK_EXTENSION},
    {TEXT("5; a\r\nhello"), UM_H1_BAD_CHUNK_EXTENSION},
    {TEXT("5;a =b\r\nhello"), UM_H1_BAD_CHUNK_EXTENSION},
    {TEXT("5;a=\r\nhello"), UM_H1_BAD_CHUNK_EXTENSION},
    {TEXT("5;a=b=c\r\nhello"), UM_H1_BAD_CHUNK_EXTENSION},
    {TEXT("5;\xc3\xa4\r\nhello"), UM_H1_BAD_CHUNK_EXTENSION},
    {TEXT("5;a=\"b\r\nhello"), UM_H1_BAD_CHUNK_EXTENSION},
    {TEXT("5;a=\"b\"c\r\nhello"), UM_H1_BAD_CHUNK_EXTENSION},
    {TEXT("5;a=\"b\\\r\nhello"), UM_H1_BAD_CHUNK_EXTENSION},
    {TEXT("5;a=\"b\nhello"), UM_H1_BARE_LF},
    {TEXT("5;a\0b\r\nhello"), UM_H1_BAD_CHUNK_EXTENSION},
    {TEXT("5;a\x7f\r\nhello"), UM_H1_BAD_CHUNK_EXTENSION},
    {TEXT("5\r\nhello0\r\n\r\n"), UM_H1_BAD_CHUNK_END},
    {TEXT("5\r\nhello!\r\n0\r\n\r\n"), UM_H1_BAD_CHUNK_END},
    {TEXT("5\r\nhello\n0\r\n\r\n"), UM_H1_BAD_CHUNK_END},
    {TEXT("5\r\nhello\r0\r\n\r\n"), UM_H1_BAD_CHUNK_END},
    {TEXT("5\r\nhell\r\n0\r\n\r\n"), UM_H1_BAD_CHUNK_END},
    {TEXT("5\r\nhello\r\n\r\n0\r\n\r\n"), UM_H1_BAD_CHUNK_SIZE},
};

static void test_bad_chunks(void **state)
{
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        for (size_t first = 0; first <= BAD[i].bytes.n; first++) {
            struct result r = decode(UM_FRAMING_CHUNKED, 0, BAD[i].bytes, first, 1);
            assert_int_equal(r.state, UM_BODY_FAULT);
            if (r.fault != BAD[i].fault)
                fail_msg("%.*s -> %s", UM_STR_ARG(BAD[i].bytes), um_h1_fault_symbol(r.fault));
            um_buf_release(&r.data);
        }
}

static void test_largest_chunk(void **state)
{
    const struct um_str bytes = UM_STR("7fffffffffffffff\r\nabc");
    expect(decode(UM_FRAMING_CHUNKED, 0, bytes, bytes.n, 1), UM_BODY_MORE, UM_STR("abc"), 0);
}

static void extended_chunk(struct um_buf *b, unsigned ext_bytes)
{
    um_buf_add_cstr(b, "1;");
    for (unsigned i = 0; i < ext_bytes; i++)
        um_buf_add_char(b, 'e');
    um_buf_add_cstr(b, "\r\nx\r\n");
}

/* on each line anew */
static void test_extension_limit(void **state)
{
    struct um_buf b;
    um_buf_init(&b, 0);
    extended_chunk(&b, 1023);
    extended_chunk(&b, 1023);
    expect(decode(UM_FRAMING_CHUNKED, 0, um_buf_str(&b), 100, 100), UM_BODY_MORE, UM_STR("xx"), 0);
    extended_chunk(&b, 1024);
    struct result r = decode(UM_FRAMING_CHUNKED, 0, um_buf_str(&b), 100, 100);
    assert_int_equal(r.fault, UM_H1_BAD_CHUNK_EXTENSION);
    um_buf_release(&r.data);
    um_buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_length),        cmocka_unit_test(test_without_length),
        cmocka_unit_test(test_chunked),       cmocka_unit_test(test_bad_chunks),
        cmocka_unit_test(test_largest_chunk), cmocka_unit_test(test_extension_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
