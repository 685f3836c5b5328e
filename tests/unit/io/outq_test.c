/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rand.h"
#include "io/outq.h"
#include "stream_double.h"

struct fixture {
    struct um_budget budget;
    struct um_ledger ledger;
    struct um_chunk_pool pool;
    struct um_outq q;
    struct stream_double stream;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    *state = f;
    f->budget.limit_bytes = 1 << 20;
    f->ledger.budget = &f->budget;
    um_chunk_pool_init(&f->pool, &f->ledger);
    um_outq_init(&f->q, &f->pool, false);
    double_init(&f->stream);
    return 0;
}

/* nothing is held when the queue is gone, neither memory nor budget */
static int teardown(void **state)
{
    struct fixture *f = *state;
    um_outq_clear(&f->q);
    assert_int_equal(f->pool.live_bytes, 0);
    assert_int_equal(f->ledger.held, 0);
    um_chunk_pool_release(&f->pool);
    double_release(&f->stream);
    free(f);
    return 0;
}

/* a chunk with that text, one reference */
static struct um_slice slice_of(struct fixture *f, const char *text)
{
    size_t n = strlen(text);
    struct um_chunk *c = um_chunk_new(&f->pool, um_chunk_class_for(n));
    assert_non_null(c);
    memcpy(c->data, text, n);
    c->used = (uint32_t)n;
    return (struct um_slice){c, c->data, n};
}

/* slices worth sharing: short ones are copied */
enum { LONG_BYTES = 400 };

static struct um_slice long_slice(struct fixture *f, char fill)
{
    char text[LONG_BYTES + 1];
    memset(text, fill, LONG_BYTES);
    text[LONG_BYTES] = '\0';
    return slice_of(f, text);
}

/* the queue takes the text over */
static void push(struct fixture *f, const char *text)
{
    struct um_slice s = slice_of(f, text);
    assert_int_equal(um_outq_push(&f->q, &s), 0);
    um_chunk_unref(s.chunk);
}

static int flush(struct fixture *f)
{
    size_t before = f->stream.n_output, waiting = f->q.bytes, written;
    int rc = um_outq_flush(&f->q, &f->stream.stream, &written);
    assert_int_equal(written, f->stream.n_output - before);
    assert_int_equal(f->q.bytes, waiting - written);
    return rc;
}

static void flush_all(struct fixture *f)
{
    for (int i = 0; i < 100000 && f->q.n; i++) {
        int rc = flush(f);
        assert_true(rc == 0 || rc == UM_EAGAIN);
        assert_true((rc == 0) == (f->q.bytes == 0));
    }
    assert_int_equal(f->q.n, 0);
}

static void assert_output(const struct fixture *f, const char *expected)
{
    assert_int_equal(f->stream.n_output, strlen(expected));
    assert_memory_equal(f->stream.output, expected, strlen(expected));
}

static void every_short_write(void **state)
{
    static const char EXPECTED[] = "GET / HTTP/1.1\r\nhost: a\r\n\r\nbody of some length, second piece";
    struct fixture *f = *state;
    for (size_t step = 1; step <= sizeof EXPECTED; step++)
        for (int stutters = 0; stutters < 2; stutters++) {
            f->stream.write_step = step;
            f->stream.stutters = stutters;
            f->stream.n_output = 0;
            assert_int_equal(um_outq_copy(&f->q, UM_STR("GET / HTTP/1.1\r\n")), 0);
            assert_int_equal(um_outq_copy(&f->q, UM_STR("host: a\r\n\r\n")), 0);
            push(f, "body of some length, ");
            push(f, "second piece");
            assert_int_equal(f->q.bytes, sizeof EXPECTED - 1);
            flush_all(f);
            assert_output(f, EXPECTED);
            assert_int_equal(f->pool.live_bytes, 0); /* empty, it owns nothing */
        }
}

static void an_empty_queue_writes_nothing(void **state)
{
    struct fixture *f = *state;
    struct um_slice empty = {NULL, NULL, 0};
    assert_int_equal(um_outq_push(&f->q, &empty), 0);
    assert_int_equal(flush(f), 0);
    assert_int_equal(f->stream.n_writes, 0);
}

static void copies_go_behind_what_the_queue_alone_holds(void **state)
{
    struct fixture *f = *state;
    struct um_slice held = long_slice(f, '-');
    assert_int_equal(um_outq_copy(&f->q, UM_STR("a")), 0);
    assert_int_equal(um_outq_copy(&f->q, UM_STR("b")), 0);
    assert_int_equal(f->q.n, 1);
    assert_int_equal(um_outq_push(&f->q, &held), 0);
    assert_int_equal(um_outq_copy(&f->q, UM_STR("c")), 0);
    assert_int_equal(f->q.n, 3);
    assert_int_equal(held.chunk->used, LONG_BYTES);
    um_chunk_unref(held.chunk);
    flush_all(f);
    assert_int_equal(f->stream.n_output, LONG_BYTES + 3);
    assert_memory_equal(f->stream.output, "ab-", 3);
    assert_memory_equal(f->stream.output + LONG_BYTES, "--c", 3);
}

static void bytes_that_somebody_holds_never_change(void **state)
{
    struct fixture *f = *state;
    struct um_outq copy;
    um_outq_init(&copy, &f->pool, false);
    assert_int_equal(um_outq_copy(&f->q, UM_STR("shared")), 0);
    assert_int_equal(um_outq_append(&copy, &f->q), 0);
    assert_int_equal(um_outq_copy(&f->q, UM_STR(" mine")), 0);
    assert_int_equal(um_outq_copy(&copy, UM_STR(" yours")), 0);
    flush_all(f);
    assert_output(f, "shared mine");
    f->stream.n_output = 0;
    size_t written;
    assert_int_equal(um_outq_flush(&copy, &f->stream.stream, &written), 0);
    assert_output(f, "shared yours");
}

static void adjacent_slices_become_one(void **state)
{
    struct fixture *f = *state;
    struct um_chunk *c = um_chunk_new(&f->pool, UM_CHUNK_2K);
    memset(c->data, 'x', 3 * LONG_BYTES + 1);
    c->used = 3 * LONG_BYTES + 1;
    assert_int_equal(um_outq_push(&f->q, &(struct um_slice){c, c->data, LONG_BYTES}), 0);
    assert_int_equal(um_outq_push(&f->q, &(struct um_slice){c, c->data + LONG_BYTES, LONG_BYTES}), 0);
    assert_int_equal(f->q.n, 1);
    assert_int_equal(um_outq_push(&f->q, &(struct um_slice){c, c->data + 2 * LONG_BYTES + 1, LONG_BYTES}), 0);
    assert_int_equal(f->q.n, 2);
    assert_int_equal(c->refs, 3);
    um_chunk_unref(c);
    flush_all(f);
    assert_int_equal(f->stream.n_output, 3 * LONG_BYTES);
}

static void reserved_room_is_contiguous(void **state)
{
    struct fixture *f = *state;
    for (size_t n = 1; n <= 65536; n = n * 3 + 1) {
        char *room = um_outq_reserve(&f->q, n);
        assert_non_null(room);
        memset(room, 'x', n);
        um_outq_commit(&f->q, n / 2 + 1); /* less than was asked for */
    }
    assert_null(um_outq_reserve(&f->q, 65537));
    flush_all(f);
    for (size_t i = 0; i < f->stream.n_output; i++)
        assert_int_equal(f->stream.output[i], 'x');
}

static void too_many_slices_are_refused(void **state)
{
    struct fixture *f = *state;
    struct um_slice s = long_slice(f, 'x');
    unsigned n = 0;
    int rc;
    s.n--; /* what follows is never adjacent: each is a slice */
    while ((rc = um_outq_push(&f->q, &s)) == 0)
        assert_true(++n < 10000);
    assert_int_equal(rc, UM_ELIMIT);
    assert_int_equal(n, 65536 / sizeof(struct um_slice));
    assert_int_equal(s.chunk->refs, n + 1);
    um_chunk_unref(s.chunk);
    flush_all(f);
    assert_int_equal(f->stream.n_output, n * s.n);
}

/* random pushes and short writes against a plain buffer */
static void random_operations(void **state)
{
    struct fixture *f = *state;
    static char expected[1 << 20];
    size_t n = 0;
    struct um_rand rand;
    um_rand_init_seed(&rand, 11);
    while (n < sizeof expected - 6000) {
        size_t length = 1 + um_rand_below(&rand, 5000);
        for (size_t i = 0; i < length; i++)
            expected[n + i] = (char)um_rand_below(&rand, 256);
        if (um_rand_below(&rand, 2)) {
            assert_int_equal(um_outq_copy(&f->q, (struct um_str){expected + n, length}), 0);
        } else {
            struct um_chunk *c = um_chunk_new(&f->pool, um_chunk_class_for(length));
            memcpy(c->data, expected + n, length);
            c->used = (uint32_t)length;
            assert_int_equal(um_outq_push(&f->q, &(struct um_slice){c, c->data, length}), 0);
            um_chunk_unref(c);
        }
        n += length;
        if (um_rand_below(&rand, 8) == 0)
            um_outq_compact(&f->q);
        f->stream.write_step = 1 + um_rand_below(&rand, 6000);
        assert_true(flush(f) == 0 || f->q.n);
    }
    flush_all(f);
    assert_int_equal(f->stream.n_output, n);
    assert_memory_equal(f->stream.output, expected, n);
}

static void errors_of_the_stream_keep_the_rest(void **state)
{
    struct fixture *f = *state;
    push(f, "abc");
    f->stream.write_error = UM_ERESET;
    assert_int_equal(flush(f), UM_ERESET);
    assert_int_equal(f->q.bytes, 3);
}

static void a_shadows_queue_is_charged_for_what_it_alone_holds(void **state)
{
    struct fixture *f = *state;
    f->q.is_shadows = true;
    struct um_slice s = long_slice(f, 'b');
    assert_int_equal(um_outq_push(&f->q, &s), 0);
    int64_t table = f->ledger.held;
    assert_int_equal(table, um_chunk_class_bytes(UM_CHUNK_512)); /* its own; the body is the primary's yet */
    um_chunk_unref(s.chunk);
    assert_int_equal(f->ledger.held, table + s.chunk->cap);
    assert_int_equal(um_outq_copy(&f->q, UM_STR(" and more")), 0); /* fits behind it */
    assert_int_equal(f->ledger.held, table + s.chunk->cap);
    assert_non_null(um_outq_reserve(&f->q, 2000));
    assert_int_equal(f->ledger.held, table + s.chunk->cap + um_chunk_class_bytes(UM_CHUNK_2K));
    flush_all(f);
    assert_int_equal(f->ledger.held, 0);
}

static void compact_lets_mostly_empty_chunks_go(void **state)
{
    struct fixture *f = *state;
    f->q.is_shadows = true;
    struct um_chunk *big = um_chunk_new(&f->pool, UM_CHUNK_16K);
    memset(big->data, 'x', 2 * LONG_BYTES);
    big->used = 2 * LONG_BYTES;
    assert_int_equal(um_outq_push(&f->q, &(struct um_slice){big, big->data, LONG_BYTES - 1}), 0);
    assert_int_equal(um_outq_push(&f->q, &(struct um_slice){big, big->data + LONG_BYTES, LONG_BYTES}), 0);
    um_chunk_unref(big);
    assert_int_equal(f->q.n, 2);
    um_outq_compact(&f->q);
    assert_int_equal(f->q.n, 1);
    assert_int_equal(f->ledger.held, um_chunk_class_bytes(UM_CHUNK_512) + um_chunk_class_bytes(UM_CHUNK_2K));
    um_outq_compact(&f->q); /* full enough now */
    flush_all(f);
    assert_int_equal(f->stream.n_output, 2 * LONG_BYTES - 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(every_short_write),
        TEST(an_empty_queue_writes_nothing),
        TEST(copies_go_behind_what_the_queue_alone_holds),
        TEST(bytes_that_somebody_holds_never_change),
        TEST(adjacent_slices_become_one),
        TEST(reserved_room_is_contiguous),
        TEST(too_many_slices_are_refused),
        TEST(random_operations),
        TEST(errors_of_the_stream_keep_the_rest),
        TEST(a_shadows_queue_is_charged_for_what_it_alone_holds),
        TEST(compact_lets_mostly_empty_chunks_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
