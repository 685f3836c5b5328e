/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/rand.h"
#include "http/h1_parse.h"
#include "http/h1_write.h"

#include <stdlib.h>

static const struct um_h1_limits LIMITS = {16384, 64};

struct fixture {
    struct um_field fields[64];
    struct um_head head;
    struct um_edits edits;
    struct um_arena arena;
};

static void start(struct fixture *x, struct um_str bytes)
{
    enum um_h1_fault fault = UM_H1_OK;
    size_t scanned = 0;
    bool is_response = um_str_starts(bytes, UM_STR("HTTP/"));
    um_arena_init(&x->arena, NULL, 0);
    um_edits_init(&x->edits);
    x->head.fields = x->fields;
    bytes = um_arena_str(&x->arena, bytes);
    ptrdiff_t n = is_response ? um_h1_parse_response(bytes, &LIMITS, UM_METHOD_GET, &scanned, &x->head, &fault)
                              : um_h1_parse_request(bytes, &LIMITS, &scanned, &x->head, &fault);
    assert_int_equal(n, bytes.n);
}

static void edit(struct fixture *x, enum um_edit_op op, struct um_str name, struct um_str value)
{
    assert_int_equal(um_edits_add(&x->edits, &x->arena, op, name, value), 0);
}

/* into room of just the promised size, for the address sanitizer to guard */
static struct um_str write_head(const struct um_head *h, const struct um_edits *e, const struct um_h1_framing_out *f)
{
    size_t bound = um_h1_head_bytes(h, e);
    char *to = malloc(bound);
    assert_non_null(to);
    size_t n = h->is_response ? um_h1_write_response(to, h, e, f) : um_h1_write_request(to, h, e, f);
    assert_true(n <= bound);
    return (struct um_str){to, n};
}

static void expect(struct fixture *x, struct um_h1_framing_out f, const char *text)
{
    struct um_str got = write_head(&x->head, &x->edits, &f);
    if (!um_str_eq(got, um_str_from(text)))
        fail_msg("%.*s\nis not\n%s", UM_STR_ARG(got), text);
    free((char *)(uintptr_t)got.p);
    um_arena_release(&x->arena);
}

/* ---- examples ----------------------------------------------------------------------------------- */

#define GET "GET /a?b HTTP/1.1\r\nHost: h\r\n"
#define OK "HTTP/1.1 200 OK\r\n"

static void test_request(void **state)
{
    struct fixture x;
    start(&x, UM_STR("GET /a?b HTTP/1.0\r\nA: 1\r\nHost: h\r\nB:2\r\nC: \r\nConnection: close\r\nD: 3\r\n\r\n"));
    expect(&x, (struct um_h1_framing_out){.framing = UM_FRAMING_NONE},
           "GET /a?b HTTP/1.1\r\nhost: h\r\nA: 1\r\nB: 2\r\nC: \r\nD: 3\r\n\r\n");
}

static void test_edits_of_the_request_line(void **state)
{
    struct fixture x;
    start(&x, UM_STR(GET "\r\n"));
    x.edits.method = UM_STR("PUT");
    x.edits.path = UM_STR("/c");
    x.edits.authority = UM_STR("other:80");
    expect(&x, (struct um_h1_framing_out){.framing = UM_FRAMING_NONE}, "PUT /c HTTP/1.1\r\nhost: other:80\r\n\r\n");
}

static void test_targets(void **state)
{
    struct fixture x;
    start(&x, UM_STR("CONNECT a:443 HTTP/1.1\r\nHost: h\r\n\r\n"));
    expect(&x, (struct um_h1_framing_out){.framing = UM_FRAMING_TUNNEL},
           "CONNECT a:443 HTTP/1.1\r\nhost: a:443\r\n\r\n");
    start(&x, UM_STR("GET http://a/b HTTP/1.1\r\nHost: h\r\n\r\n"));
    expect(&x, (struct um_h1_framing_out){.framing = UM_FRAMING_NONE}, "GET /b HTTP/1.1\r\nhost: a\r\n\r\n");
    start(&x, UM_STR("OPTIONS * HTTP/1.0\r\n\r\n"));
    expect(&x, (struct um_h1_framing_out){.framing = UM_FRAMING_NONE}, "OPTIONS * HTTP/1.1\r\nhost: \r\n\r\n");
}

static void test_long_authority_of_connect(void **state)
{
    static char authority[4000];
    struct fixture x;
    memset(authority, 'a', sizeof authority);
    start(&x, UM_STR("CONNECT a:443 HTTP/1.1\r\nHost: h\r\n\r\n"));
    x.edits.authority = (struct um_str){authority, sizeof authority};
    const struct um_h1_framing_out f = {.framing = UM_FRAMING_TUNNEL};
    struct um_str got = write_head(&x.head, &x.edits, &f);
    assert_true(got.n > 2 * sizeof authority);
    free((char *)(uintptr_t)got.p);
    um_arena_release(&x.arena);
}

static void test_framing_is_the_callers(void **state)
{
    struct fixture x;
    start(&x, UM_STR(GET "Content-Length: 5\r\nA: 1\r\n\r\n"));
    expect(&x, (struct um_h1_framing_out){.framing = UM_FRAMING_CHUNKED},
           "GET /a?b HTTP/1.1\r\nhost: h\r\nA: 1\r\ntransfer-encoding: chunked\r\n\r\n");
    start(&x, UM_STR(GET "Transfer-Encoding: chunked\r\nTrailer: t\r\n\r\n"));
    expect(&x, (struct um_h1_framing_out){.framing = UM_FRAMING_LENGTH, .content_length = UINT64_MAX},
           "GET /a?b HTTP/1.1\r\nhost: h\r\nTrailer: t\r\ncontent-length: 18446744073709551615\r\n\r\n");
    start(&x, UM_STR(GET "Content-Length: 5\r\n\r\n"));
    expect(&x, (struct um_h1_framing_out){.framing = UM_FRAMING_NONE}, "GET /a?b HTTP/1.1\r\nhost: h\r\n\r\n");
}

static void test_hop_by_hop(void **state)
{
    struct fixture x;
    start(&x, UM_STR(GET "Connection: x-a, te, cookie\r\nX-A: 1\r\nTE: trailers\r\nKeep-Alive: 5\r\nProxy-Connection: "
                         "close\r\nUpgrade: x\r\nCookie: c\r\nB: 2\r\n\r\n"));
    expect(&x, (struct um_h1_framing_out){.close = true},
           "GET /a?b HTTP/1.1\r\nhost: h\r\nCookie: c\r\nB: 2\r\nconnection: close\r\n\r\n");
}

static void test_upgrade(void **state)
{
    struct fixture x;
    start(&x, UM_STR(GET "Connection: Upgrade\r\nA: 1\r\nUpgrade: websocket\r\n\r\n"));
    expect(&x, (struct um_h1_framing_out){.framing = UM_FRAMING_NONE, .upgrade = true},
           "GET /a?b HTTP/1.1\r\nhost: h\r\nA: 1\r\nUpgrade: websocket\r\nconnection: upgrade\r\n\r\n");
}

static void test_response(void **state)
{
    struct fixture x;
    start(&x, UM_STR("HTTP/1.0 404 Nope\r\nA: 1\r\nContent-Length: 5\r\nB: 2\r\nConnection: close\r\n\r\n"));
    expect(&x, (struct um_h1_framing_out){.framing = UM_FRAMING_LENGTH, .content_length = 5, .keep_alive = true},
           "HTTP/1.1 404 Nope\r\nA: 1\r\nB: 2\r\ncontent-length: 5\r\nconnection: keep-alive\r\n\r\n");
    start(&x, UM_STR(OK "\r\n"));
    expect(&x, (struct um_h1_framing_out){.framing = UM_FRAMING_CLOSE, .close = true},
           "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n");
    start(&x, UM_STR("HTTP/1.1 200\r\n\r\n"));
    expect(&x, (struct um_h1_framing_out){.framing = UM_FRAMING_NONE}, "HTTP/1.1 200 \r\n\r\n");
}

static void test_length_of_an_absent_body(void **state)
{
    struct fixture x;
    start(&x, UM_STR("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nA: 1\r\n\r\n"));
    expect(&x, (struct um_h1_framing_out){.framing = UM_FRAMING_NONE, .keep_length_field = true},
           "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nA: 1\r\n\r\n");
}

static void test_made_up_response(void **state)
{
    struct um_head h = {.is_response = true, .status = 503};
    const struct um_h1_framing_out f = {.framing = UM_FRAMING_LENGTH, .content_length = 0};
    struct um_str got = write_head(&h, NULL, &f);
    assert_true(um_str_eq(got, UM_STR("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n")));
    free((char *)(uintptr_t)got.p);
}

static void test_chunk_sizes(void **state)
{
    static const struct {
        uint64_t n;
        const char *text;
    } CASES[] = {{0, "0\r\n"},
                 {1, "1\r\n"},
                 {15, "f\r\n"},
                 {16, "10\r\n"},
                 {0x1a2b, "1a2b\r\n"},
                 {0xf0000000, "f0000000\r\n"},
                 {UINT64_MAX, "ffffffffffffffff\r\n"}};
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        char to[18];
        size_t n = um_h1_write_chunk_size(to, CASES[i].n);
        assert_int_equal(n, strlen(CASES[i].text));
        assert_memory_equal(to, CASES[i].text, n);
    }
}

static void test_trailers(void **state)
{
    const struct um_str bytes = UM_STR("a: 1\r\ngrpc-status:  0\r\n\r\n");
    struct um_field fields[8];
    enum um_h1_fault fault;
    uint32_t n;
    size_t scanned = 0;
    char to[64];
    assert_int_equal(um_h1_parse_trailers(bytes, &LIMITS, &scanned, fields, &n, &fault), bytes.n);
    size_t written = um_h1_write_trailers(to, fields, n);
    assert_int_equal(written, um_h1_trailers_bytes(fields, n));
    assert_true(um_str_eq((struct um_str){to, written}, UM_STR("0\r\na: 1\r\ngrpc-status: 0\r\n\r\n")));
    assert_int_equal(um_h1_write_trailers(to, NULL, 0), um_h1_trailers_bytes(NULL, 0));
    assert_memory_equal(to, "0\r\n\r\n", 5);
}

/* ---- random heads and edits, against the plain statement of um_edits_each ------------------------ */

/* few, so that they meet; some share a length and a last letter, some differ in case */
static const char *const NAMES[] = {
    "Cookie", "cookie", "Accept",     "via", "x-a",        "X-A",     "x-b",          "y-a",           "x-ab",
    "Server", "Date",   "User-Agent", "TE",  "Keep-Alive", "Trailer", "x-request-id", "x-long-name-a", "x-long-name-b"};
static const char *const SEPARATORS[] = {": ", ": ", ": ", ":", ":  ", ":\t"};
static const char *const VALUES[] = {"", "1", "two", "a longer value, with a comma", "x"};
static const char *const ENDS[] = {"\r\n", "\r\n", "\r\n", " \r\n"};
static const char *const OPTIONS[] = {"close", "x-a", "Cookie", "via, x-long-name-a", "TE, keep-alive", ""};

#define PICK(rand, table) um_str_from((table)[um_rand_below((rand), sizeof(table) / sizeof(table)[0])])

static void random_head(struct um_rand *rand, struct um_buf *b)
{
    unsigned host_at = um_rand_below(rand, 8), n = um_rand_below(rand, 16);
    um_buf_clear(b);
    um_buf_add_cstr(b, "GET /path HTTP/1.1\r\n");
    for (unsigned i = 0; i <= n; i++) {
        if (i == (host_at < n ? host_at : n))
            um_buf_add_cstr(b, "Host: h\r\n");
        if (um_rand_below(rand, 10) == 0)
            um_buf_addf(b, "Connection: %s\r\n", PICK(rand, OPTIONS).p);
        um_buf_add(b, PICK(rand, NAMES));
        um_buf_add(b, PICK(rand, SEPARATORS));
        um_buf_add(b, PICK(rand, VALUES));
        um_buf_add(b, PICK(rand, ENDS));
    }
    um_buf_add_cstr(b, "\r\n");
}

static void random_edits(struct um_rand *rand, struct fixture *x)
{
    for (unsigned n = um_rand_below(rand, 10); n > 0; n--)
        edit(x, (enum um_edit_op)um_rand_below(rand, 3), PICK(rand, NAMES), PICK(rand, VALUES));
}

static void put_line(void *ctx, struct um_str name, struct um_str value)
{
    um_buf_addf(ctx, "%.*s: %.*s\r\n", UM_STR_ARG(name), UM_STR_ARG(value));
}

static void check_random(struct um_rand *rand, struct um_buf *bytes, struct um_buf *want)
{
    static const struct um_h1_framing_out F = {.framing = UM_FRAMING_LENGTH, .content_length = 12};
    struct fixture x;
    random_head(rand, bytes);
    start(&x, um_buf_str(bytes));
    random_edits(rand, &x);
    um_buf_clear(want);
    um_buf_add_cstr(want, "GET /path HTTP/1.1\r\nhost: h\r\n");
    um_edits_each(&x.edits, &x.head, put_line, want);
    um_buf_add_cstr(want, "content-length: 12\r\n\r\n");
    const struct um_head *copy = um_head_copy(&x.arena, &x.head);
    assert_non_null(copy);
    const struct um_head *const HEADS[] = {&x.head, copy};
    for (size_t i = 0; i < 2; i++) {
        struct um_str got = write_head(HEADS[i], &x.edits, &F);
        if (!um_str_eq(got, um_buf_str(want)))
            fail_msg("of\n%.*s\ncame\n%.*s\nnot\n%.*s", UM_STR_ARG(um_buf_str(bytes)), UM_STR_ARG(got),
                     UM_STR_ARG(um_buf_str(want)));
        struct fixture again;
        start(&again, got);
        assert_int_equal(again.head.content_length, 12);
        um_arena_release(&again.arena);
        free((char *)(uintptr_t)got.p);
    }
    um_arena_release(&x.arena);
}

static void test_random_heads_and_edits(void **state)
{
    struct um_rand rand;
    struct um_buf bytes, want;
    um_rand_init_seed(&rand, 3);
    um_buf_init(&bytes, 0);
    um_buf_init(&want, 0);
    for (unsigned round = 0; round < 20000; round++)
        check_random(&rand, &bytes, &want);
    um_buf_release(&bytes);
    um_buf_release(&want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request),
        cmocka_unit_test(test_edits_of_the_request_line),
        cmocka_unit_test(test_targets),
        cmocka_unit_test(test_long_authority_of_connect),
        cmocka_unit_test(test_framing_is_the_callers),
        cmocka_unit_test(test_hop_by_hop),
        cmocka_unit_test(test_upgrade),
        cmocka_unit_test(test_response),
        cmocka_unit_test(test_length_of_an_absent_body),
        cmocka_unit_test(test_made_up_response),
        cmocka_unit_test(test_chunk_sizes),
        cmocka_unit_test(test_trailers),
        cmocka_unit_test(test_random_heads_and_edits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
