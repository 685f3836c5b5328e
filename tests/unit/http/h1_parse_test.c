/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "h1_dump.h"
#include "h1_heads.h"

#include <stdlib.h>

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static const struct um_h1_limits LIMITS = {.head_bytes = 4096, .fields = 8};

enum kind { REQUEST, RESPONSE, TRAILERS };

/* what came of a parse, as text: "fault WORD", "more", or the dump of the head and its length */
static char *parse(enum kind kind, struct um_str bytes, const struct um_h1_limits *limits, size_t *scanned)
{
    struct um_field fields[UM_H1_FIELDS_MAX];
    struct um_head h = {.fields = fields};
    enum um_h1_fault fault = UM_H1_OK;
    struct um_buf b;
    char *copy = malloc(bytes.n ? bytes.n : 1); /* of just that size, for the address sanitizer to guard */
    assert_non_null(copy);
    memcpy(copy, bytes.p, bytes.n);
    struct um_str in = {copy, bytes.n};
    ptrdiff_t n = kind == REQUEST    ? um_h1_parse_request(in, limits, scanned, &h, &fault)
                  : kind == RESPONSE ? um_h1_parse_response(in, limits, UM_METHOD_GET, scanned, &h, &fault)
                                     : um_h1_parse_trailers(in, limits, scanned, fields, &h.n_fields, &fault);
    um_buf_init(&b, 0);
    if (n == UM_EAGAIN) {
        um_buf_add_cstr(&b, "more");
    } else if (n == UM_ESYNTAX) {
        um_buf_addf(&b, "fault %s", um_h1_fault_symbol(fault));
    } else {
        assert_true(n > 0 && (size_t)n <= bytes.n);
        if (kind != TRAILERS)
            um_dump_start(&b, &h);
        um_dump_fields(&b, fields, h.n_fields);
        um_buf_addf(&b, "\n%td bytes", n);
    }
    um_buf_add_char(&b, '\0');
    assert_false(b.failed);
    free(copy);
    return b.p;
}

static char *parse_whole(enum kind kind, struct um_str bytes)
{
    size_t scanned = 0;
    return parse(kind, bytes, &LIMITS, &scanned);
}

/* the first result of bytes that come in steps of `step`, after `first` at once */
static char *parse_trickle(enum kind kind, struct um_str bytes, size_t first, size_t step)
{
    size_t scanned = 0;
    for (size_t n = first;; n = n + step < bytes.n ? n + step : bytes.n) {
        char *result = parse(kind, (struct um_str){bytes.p, n}, &LIMITS, &scanned);
        if (strcmp(result, "more") != 0 || n == bytes.n)
            return result;
        free(result);
    }
}

static void check_splits(enum kind kind, struct um_str bytes)
{
    char *whole = parse_whole(kind, bytes);
    for (size_t first = 0; first <= bytes.n; first++) {
        char *split = parse_trickle(kind, bytes, first, bytes.n + 1);
        assert_string_equal(split, whole);
        free(split);
    }
    for (size_t step = 1; step <= 3; step++) {
        char *trickled = parse_trickle(kind, bytes, 0, step);
        assert_string_equal(trickled, whole);
        free(trickled);
    }
    free(whole);
}

static void check_good(enum kind kind, const struct good *table, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char *result = parse_whole(kind, table[i].bytes), *end = strchr(result, '\n');
        size_t length = strtoul(strrchr(result, '\n') + 1, NULL, 10);
        *(end ? end : result) = '\0';
        assert_string_equal(result, table[i].start);
        assert_int_equal(length, table[i].bytes.n - table[i].rest);
        free(result);
        check_splits(kind, table[i].bytes);
    }
}

static void check_bad(enum kind kind, const struct bad *table, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char *result = parse_whole(kind, table[i].bytes);
        if (strcmp(result + 6, um_h1_fault_symbol(table[i].fault)) != 0)
            fail_msg("%.*s -> %s", UM_STR_ARG(table[i].bytes), result);
        free(result);
        check_splits(kind, table[i].bytes);
    }
}

static void test_good_requests(void **state)
{
    check_good(REQUEST, GOOD_REQUESTS, COUNT(GOOD_REQUESTS));
}

static void test_bad_requests(void **state)
{
    check_bad(REQUEST, BAD_REQUESTS, COUNT(BAD_REQUESTS));
}

static void test_good_responses(void **state)
{
    check_good(RESPONSE, GOOD_RESPONSES, COUNT(GOOD_RESPONSES));
}

static void test_bad_responses(void **state)
{
    check_bad(RESPONSE, BAD_RESPONSES, COUNT(BAD_RESPONSES));
}

static void expect(enum kind kind, struct um_str bytes, const char *text)
{
    char *result = parse_whole(kind, bytes);
    assert_string_equal(result, text);
    free(result);
    check_splits(kind, bytes);
}

static void test_fields(void **state)
{
    expect(REQUEST, UM_STR(GET HOST "A:b\r\nc:  d\r\ne: f \r\ng:\th\r\ni: \r\nj:\r\nk: l m\r\n\r\n"),
           "GET|h|/|none|keep\nHost: h (plain)\nA: b\nc: d\ne: f\ng: h\ni:  (plain)\nj: \nk: l m (plain)\n69 bytes");
}

static void test_nomination(void **state)
{
    expect(REQUEST,
           UM_STR(GET HOST "x-a: 1\r\nConnection: X-A, host, cookie, accept, x-gone\r\nX-A: 2\r\nx-ab: 3\r\nCookie: "
                           "c\r\nAccept: a" END),
           "GET|h|/|none|keep\nHost: h (plain)\nx-a: 1 (nominated) (plain)\n"
           "Connection: X-A, host, cookie, accept, x-gone (plain)\nX-A: 2 (nominated) (plain)\nx-ab: 3 (plain)\n"
           "Cookie: c (plain)\nAccept: a (nominated) (plain)\n121 bytes");
}

static void test_index(void **state)
{
    struct um_field fields[8];
    struct um_head h = {.fields = fields}, again;
    enum um_h1_fault fault;
    size_t scanned = 0;
    const struct um_str bytes = UM_STR(GET "x-a: 1\r\nHost: h\r\nCookie: a\r\nx-b: 2\r\nCookie: b\r\n\r\n");
    assert_int_equal(um_h1_parse_request(bytes, &LIMITS, &scanned, &h, &fault), bytes.n);
    assert_ptr_equal(um_head_known(&h, UM_FIELD_HOST), &fields[1]);
    assert_ptr_equal(um_head_known(&h, UM_FIELD_COOKIE), &fields[2]);
    assert_null(um_head_known(&h, UM_FIELD_ACCEPT));
    again = h;
    memset(again.first_of, 0xff, sizeof again.first_of);
    um_head_index(&again);
    assert_memory_equal(again.first_of, h.first_of, sizeof h.first_of);
}

static void test_requests_of_methods_without_answer_body(void **state)
{
    static const struct {
        enum um_method method;
        const char *bytes;
        enum um_framing framing;
    } CASES[] = {
        {UM_METHOD_HEAD, OK "Content-Length: 5" END, UM_FRAMING_NONE},
        {UM_METHOD_HEAD, OK "Transfer-Encoding: chunked" END, UM_FRAMING_NONE},
        {UM_METHOD_HEAD, OK "\r\n", UM_FRAMING_NONE},
        {UM_METHOD_CONNECT, OK "\r\n", UM_FRAMING_TUNNEL},
        {UM_METHOD_CONNECT, "HTTP/1.1 204 x" END, UM_FRAMING_TUNNEL},
        {UM_METHOD_CONNECT, OK "Content-Length: 5" END, UM_FRAMING_TUNNEL},
        {UM_METHOD_CONNECT, "HTTP/1.1 407 x\r\nContent-Length: 5" END, UM_FRAMING_LENGTH},
        {UM_METHOD_POST, OK "\r\n", UM_FRAMING_CLOSE},
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct um_field fields[8];
        struct um_head h = {.fields = fields};
        enum um_h1_fault fault;
        size_t scanned = 0;
        struct um_str bytes = um_str_from(CASES[i].bytes);
        assert_int_equal(um_h1_parse_response(bytes, &LIMITS, CASES[i].method, &scanned, &h, &fault), bytes.n);
        assert_int_equal(h.framing, CASES[i].framing);
    }
}

/* a head of `lines` fields and `n` bytes in all */
static void head_of(struct um_buf *b, unsigned lines, size_t n)
{
    um_buf_clear(b);
    um_buf_add_cstr(b, GET HOST);
    for (unsigned i = 1; i + 1 < lines; i++)
        um_buf_add_cstr(b, "a: b\r\n");
    um_buf_add_cstr(b, "x: ");
    while (b->n < n - 4)
        um_buf_add_char(b, 'x');
    um_buf_add_cstr(b, END);
}

static void expect_head(struct um_str bytes)
{
    char *result = parse_whole(REQUEST, bytes);
    assert_memory_equal(result, "GET|h|/", 7);
    free(result);
    check_splits(REQUEST, bytes);
}

static void test_limits(void **state)
{
    struct um_buf b;
    um_buf_init(&b, 0);
    head_of(&b, LIMITS.fields, LIMITS.head_bytes);
    expect_head(um_buf_str(&b));
    head_of(&b, LIMITS.fields, LIMITS.head_bytes + 1);
    expect(REQUEST, um_buf_str(&b), "fault head_too_large");
    expect(REQUEST, (struct um_str){b.p, LIMITS.head_bytes}, "fault head_too_large");
    head_of(&b, LIMITS.fields + 1, 200);
    expect(REQUEST, um_buf_str(&b), "fault too_many_fields");
    memset(b.p, 'A', b.n);
    expect(REQUEST, (struct um_str){b.p, 100}, "more");
    um_buf_release(&b);
}

static void test_endless_lines(void **state)
{
    static char bytes[6000];
    const struct um_str all = {bytes, sizeof bytes};
    memset(bytes, 'A', sizeof bytes);
    expect(REQUEST, all, "fault head_too_large");
    expect(RESPONSE, all, "fault bad_status_line");
    expect(TRAILERS, all, "fault head_too_large");
}

static void test_connection_options_are_limited(void **state)
{
    struct um_buf b;
    um_buf_init(&b, 0);
    um_buf_add_cstr(&b, GET HOST "Connection: a");
    for (unsigned i = 1; i < 100; i++)
        um_buf_add_cstr(&b, ",a");
    um_buf_add_cstr(&b, END);
    expect_head(um_buf_str(&b));
    b.n -= sizeof END - 1;
    um_buf_add_cstr(&b, ",a" END);
    expect(REQUEST, um_buf_str(&b), "fault too_many_fields");
    um_buf_release(&b);
}

static void test_trailers(void **state)
{
    expect(TRAILERS, UM_STR("\r\nGET"), "\n2 bytes");
    expect(TRAILERS, UM_STR("a: b\r\n\r\n"), "\na: b (plain)\n8 bytes");
    expect(TRAILERS, UM_STR("grpc-status: 0\r\ngrpc-message:x\r\n\r\n"),
           "\ngrpc-status: 0 (plain)\ngrpc-message: x\n34 bytes");
    expect(TRAILERS,
           UM_STR("Host: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nx: y\r\nAuthorization: "
                  "z\r\nX-Forwarded-For: 1\r\nVary: *\r\n\r\n"),
           "\nx: y (plain)\n111 bytes");
    expect(TRAILERS, UM_STR("a: b\n\r\n"), "fault bare_lf");
    expect(TRAILERS, UM_STR("a : b\r\n\r\n"), "fault space_before_colon");
    expect(TRAILERS, UM_STR("a: b\r\n c\r\n\r\n"), "fault obs_fold");
    expect(TRAILERS, UM_STR(" a: b\r\n\r\n"), "fault obs_fold");
    expect(TRAILERS, UM_STR("a: b\0\r\n\r\n"), "fault bad_field_value");
    expect(TRAILERS, UM_STR("\n"), "fault bare_lf");
    expect(TRAILERS, UM_STR("\rx\n"), "fault bare_cr");
    expect(TRAILERS, UM_STR("GET / HTTP/1.1\r\n\r\n"), "fault bad_field_name");
    expect(TRAILERS, UM_STR("a: b\r\n"), "more");
}

static void test_faults(void **state)
{
    assert_int_equal(um_h1_fault_status(UM_H1_BAD_VERSION), 505);
    assert_int_equal(um_h1_fault_status(UM_H1_HEAD_TOO_LARGE), 431);
    for (unsigned f = UM_H1_OK + 1; f < UM_H1_FAULT_COUNT; f++) {
        assert_true(um_h1_fault_status(f) >= 400);
        assert_true(um_is_token(um_str_from(um_h1_fault_symbol(f))));
        assert_true(strlen(um_h1_fault_text(f)) > 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_requests),
        cmocka_unit_test(test_bad_requests),
        cmocka_unit_test(test_good_responses),
        cmocka_unit_test(test_bad_responses),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_nomination),
        cmocka_unit_test(test_index),
        cmocka_unit_test(test_requests_of_methods_without_answer_body),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_endless_lines),
        cmocka_unit_test(test_connection_options_are_limited),
        cmocka_unit_test(test_trailers),
        cmocka_unit_test(test_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
