/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rand.h"
#include "io/input.h"
#include "stream_double.h"

struct fixture {
    struct um_ledger ledger;
    struct um_chunk_pool pool;
    struct um_input in;
    struct stream_double stream;
    char *text; /* some input that does not repeat early */
};

enum { TEXT_BYTES = 400000 };

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    *state = f;
    um_chunk_pool_init(&f->pool, &f->ledger);
    um_input_init(&f->in, &f->pool, false);
    double_init(&f->stream);
    f->text = malloc(TEXT_BYTES);
    for (size_t i = 0; i < TEXT_BYTES; i++)
        f->text[i] = (char)(i * 31 + i / 251);
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    um_input_clear(&f->in);
    um_chunk_pool_release(&f->pool); /* asserts that nothing is held */
    double_release(&f->stream);
    free(f->text);
    free(f);
    return 0;
}

static ssize_t read_some(struct fixture *f)
{
    return um_input_read(&f->in, &f->stream.stream);
}

static void assert_bytes(const struct fixture *f, size_t from, size_t n)
{
    struct um_str bytes = um_input_bytes(&f->in);
    assert_int_equal(bytes.n, n);
    assert_memory_equal(bytes.p, f->text + from, n);
}

/* as a parser that takes `message` bytes at a time, whenever they are there */
static void parse_all(struct fixture *f, size_t total, size_t message)
{
    size_t parsed = 0;
    f->stream.input = (struct um_str){f->text, total};
    while (parsed < total) {
        assert_true(read_some(f) > 0);
        size_t want = message < total - parsed ? message : total - parsed;
        while (want && um_input_bytes(&f->in).n >= want) {
            assert_memory_equal(um_input_bytes(&f->in).p, f->text + parsed, want);
            um_input_eat(&f->in, want);
            parsed += want;
            want = message < total - parsed ? message : total - parsed;
        }
    }
    assert_true(um_input_is_empty(&f->in));
    assert_int_equal(f->pool.live_bytes, 0); /* idle, it owns nothing */
}

static void every_short_read(void **state)
{
    enum { TOTAL = 300 };
    struct fixture *f = *state;
    for (size_t step = 1; step <= TOTAL; step++)
        for (size_t message = 1; message <= TOTAL; message += 13) {
            f->stream.read_step = step;
            parse_all(f, TOTAL, message);
        }
}

static void long_input_with_long_messages(void **state)
{
    static const size_t STEPS[] = {0, 100, 1460, 16384, 16385, 40000}, MESSAGES[] = {1, 4000, 16384, 30000, 60000};
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof STEPS / sizeof *STEPS; i++)
        for (size_t k = 0; k < sizeof MESSAGES / sizeof *MESSAGES; k++) {
            f->stream.read_step = STEPS[i];
            parse_all(f, 200000, MESSAGES[k]);
        }
}

static void nothing_to_read_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(read_some(f), UM_EAGAIN);
    assert_true(um_input_is_empty(&f->in));
    assert_int_equal(um_input_bytes(&f->in).n, 0);
    f->stream.is_eof = true;
    assert_int_equal(read_some(f), 0);
    f->stream.read_error = UM_ERESET;
    assert_int_equal(read_some(f), UM_ERESET);
    assert_int_equal(f->pool.live_bytes, 0);
}

static void an_end_keeps_what_is_not_parsed(void **state)
{
    struct fixture *f = *state;
    f->stream.input = (struct um_str){f->text, 10};
    f->stream.is_eof = true;
    assert_int_equal(read_some(f), 10);
    assert_int_equal(read_some(f), 0);
    assert_bytes(f, 0, 10);
}

static void a_head_that_never_ends_is_a_limit(void **state)
{
    struct fixture *f = *state;
    ssize_t n;
    size_t total = 0;
    f->stream.input = (struct um_str){f->text, TEXT_BYTES};
    f->stream.read_step = 3000;
    while ((n = read_some(f)) > 0) {
        total += (size_t)n;
        assert_bytes(f, 0, total);
    }
    assert_int_equal(n, UM_ELIMIT);
    assert_in_range(total, 60 << 10, 64 << 10); /* the head limit of 60 KiB fits */
}

static void held_bytes_never_change(void **state)
{
    struct fixture *f = *state;
    f->stream.input = (struct um_str){f->text, TEXT_BYTES};
    f->stream.read_step = 16000;
    assert_int_equal(read_some(f), 16000);
    struct um_slice held = {um_input_chunk(&f->in), um_input_bytes(&f->in).p, 15000};
    um_chunk_ref(held.chunk);
    um_input_eat(&f->in, held.n);
    for (int i = 0; i < 3; i++)
        assert_true(read_some(f) > 0); /* behind it, then in chunks of its own */
    assert_memory_equal(held.p, f->text, held.n);
    assert_memory_equal(um_input_bytes(&f->in).p, f->text + held.n, um_input_bytes(&f->in).n);
    um_chunk_unref(held.chunk);
}

static void bulk_reads_fill_several_chunks(void **state)
{
    struct fixture *f = *state;
    f->in.is_bulk = true;
    f->stream.input = (struct um_str){f->text, TEXT_BYTES};
    ssize_t n = read_some(f);
    assert_int_equal(n, UM_INPUT_CHUNKS * 16384);
    assert_int_equal(f->in.n_chunks, UM_INPUT_CHUNKS);
    size_t parsed = 0;
    while (!um_input_is_empty(&f->in)) {
        struct um_str bytes = um_input_bytes(&f->in);
        size_t here = bytes.n < 10000 ? bytes.n : 10000;
        assert_memory_equal(bytes.p, f->text + parsed, here);
        um_input_eat(&f->in, here);
        parsed += here;
    }
    assert_int_equal(parsed, n);
}

/* chunks of a bulk read that got no byte go back at once */
static void bulk_reads_keep_only_what_they_filled(void **state)
{
    struct fixture *f = *state;
    f->in.is_bulk = true;
    for (size_t n = 1; n <= 6 * 16384; n = n * 2 + 1) {
        f->stream.input = (struct um_str){f->text, n};
        assert_int_equal(read_some(f), n);
        assert_int_equal(f->in.n_chunks, (n + 16383) / 16384);
        assert_int_equal(f->pool.live_bytes, f->in.n_chunks * 16384);
        um_input_clear(&f->in);
    }
    assert_int_equal(read_some(f), UM_EAGAIN);
    assert_int_equal(f->pool.live_bytes, 0);
}

static void gathering_joins_what_lies_in_two_chunks(void **state)
{
    struct fixture *f = *state;
    f->in.is_bulk = true;
    f->stream.input = (struct um_str){f->text, TEXT_BYTES};
    assert_int_equal(um_input_gather(&f->in), 0);
    assert_int_equal(read_some(f), UM_INPUT_CHUNKS * 16384);
    um_input_eat(&f->in, 16000);
    assert_bytes(f, 16000, 384);
    struct um_slice held = {um_input_chunk(&f->in), um_input_bytes(&f->in).p, 384};
    um_chunk_ref(held.chunk);
    assert_int_equal(um_input_gather(&f->in), 1);
    assert_bytes(f, 16000, 384 + 16384);
    assert_memory_equal(held.p, f->text + 16000, held.n);
    um_chunk_unref(held.chunk);
    assert_int_equal(um_input_gather(&f->in), 1);
    assert_int_equal(um_input_gather(&f->in), 1);
    assert_bytes(f, 16000, 384 + 3 * 16384);
    assert_int_equal(um_input_gather(&f->in), UM_ELIMIT);
    assert_bytes(f, 16000, 384 + 3 * 16384);
    um_input_eat(&f->in, 384 + 3 * 16384);
    assert_bytes(f, 4 * 16384, 16384);
}

static void random_reads_and_meals(void **state)
{
    struct fixture *f = *state;
    struct um_rand rand;
    um_rand_init_seed(&rand, 5);
    f->stream.input = (struct um_str){f->text, TEXT_BYTES};
    for (size_t parsed = 0; parsed < TEXT_BYTES;) {
        f->stream.read_step = 1 + um_rand_below(&rand, 50000);
        f->in.is_bulk = um_rand_below(&rand, 2);
        ssize_t n = read_some(f);
        assert_true(n > 0 || n == UM_ELIMIT || n == UM_EAGAIN);
        for (uint32_t meals = um_rand_below(&rand, 4); (meals || n < 0) && !um_input_is_empty(&f->in); meals--) {
            struct um_str bytes = um_input_bytes(&f->in);
            size_t here = 1 + um_rand_below(&rand, (uint32_t)bytes.n);
            assert_memory_equal(bytes.p, f->text + parsed, here);
            um_input_eat(&f->in, here);
            parsed += here;
            n = 0;
        }
    }
    assert_int_equal(f->pool.live_bytes, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(every_short_read),
        TEST(long_input_with_long_messages),
        TEST(nothing_to_read_leaves_nothing),
        TEST(an_end_keeps_what_is_not_parsed),
        TEST(a_head_that_never_ends_is_a_limit),
        TEST(held_bytes_never_change),
        TEST(bulk_reads_fill_several_chunks),
        TEST(bulk_reads_keep_only_what_they_filled),
        TEST(gathering_joins_what_lies_in_two_chunks),
        TEST(random_reads_and_meals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
