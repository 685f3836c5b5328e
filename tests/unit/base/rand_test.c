/* SPDX-License-Identifier: Apache-2.0
 * Chi-square bounds are 99.9 % quantiles, with fixed seeds, so that a failure is a fault and not bad luck. */
#include "base/rand.h"

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { MOST_CELLS = 1000 };

static double chi2_of(const uint32_t *counts, uint32_t cells, double n)
{
    double want = n / cells, sum = 0;
    for (uint32_t i = 0; i < cells; i++)
        sum += (counts[i] - want) * (counts[i] - want) / want;
    return sum;
}

static void below_is_uniform(void **state)
{
    static const struct {
        uint32_t n;
        double bound;
    } CASES[] = {{2, 10.83}, {3, 13.82}, {10, 27.88}, {100, 148.2}, {1000, 1142.8}};
    for (size_t c = 0; c < sizeof CASES / sizeof CASES[0]; c++) {
        uint32_t counts[MOST_CELLS] = {0};
        struct um_rand r;
        um_rand_init_seed(&r, 100 + c);
        for (int i = 0; i < 500000; i++) {
            uint32_t x = um_rand_below(&r, CASES[c].n);
            assert_true(x < CASES[c].n);
            counts[x]++;
        }
        assert_true(chi2_of(counts, CASES[c].n, 500000) < CASES[c].bound);
    }
}

/* where plain remainders or products would lean: three quarters of all 32-bit numbers */
static void a_large_range_has_no_bias(void **state)
{
    enum { N = 400000 };
    uint32_t counts[3] = {0};
    struct um_rand r;
    um_rand_init_seed(&r, 1);
    for (int i = 0; i < N; i++)
        counts[um_rand_below(&r, 3U << 30) >> 30]++;
    assert_true(chi2_of(counts, 3, N) < 13.82);
    for (int i = 0; i < 100; i++)
        assert_int_equal(um_rand_below(&r, 1), 0);
}

static void a_seed_repeats(void **state)
{
    struct um_rand a, b, c;
    um_rand_init_seed(&a, 77);
    um_rand_init_seed(&b, 77);
    um_rand_init_seed(&c, 78);
    bool differs = false;
    for (int i = 0; i < 100; i++) {
        uint64_t x = um_rand_u64(&a);
        assert_true(x == um_rand_u64(&b));
        differs |= x != um_rand_u64(&c);
    }
    assert_true(differs);
    um_rand_init(&a);
    um_rand_init(&b);
    assert_true(um_rand_u64(&a) != um_rand_u64(&b));
}

/* the published generator, from its reference state */
static void it_is_xoshiro256starstar(void **state)
{
    struct um_rand r = {{1, 2, 3, 4}};
    static const uint64_t WANT[] = {11520, 0, 1509978240, 1215971899390074240};
    for (int i = 0; i < 4; i++)
        assert_true(um_rand_u64(&r) == WANT[i]);
}

static void every_bit_is_fair(void **state)
{
    enum { N = 100000 };
    uint32_t ones[64] = {0};
    struct um_rand r;
    um_rand_init_seed(&r, 3);
    for (int i = 0; i < N; i++) {
        uint64_t x = um_rand_u64(&r);
        for (int bit = 0; bit < 64; bit++)
            ones[bit] += (uint32_t)(x >> bit) & 1;
    }
    for (int bit = 0; bit < 64; bit++) {
        uint32_t counts[2] = {ones[bit], N - ones[bit]};
        assert_true(chi2_of(counts, 2, N) < 17.0); /* 64 tests: the bound of one in 25 000 */
    }
}

static void uuids_have_their_form(void **state)
{
    enum { N = 3000 };
    static const char HEX[] = "0123456789abcdef";
    struct um_rand r;
    char uuid[36];
    uint32_t digits[16] = {0};
    um_rand_init_seed(&r, 4);
    for (int i = 0; i < N; i++) {
        um_rand_uuid(&r, uuid);
        for (int k = 0; k < 36; k++) {
            const char *hit = memchr(HEX, uuid[k], 16);
            assert_int_equal(hit == NULL, k == 8 || k == 13 || k == 18 || k == 23);
            assert_true(hit || uuid[k] == '-');
            if (hit && k != 14 && k != 19)
                digits[hit - HEX]++;
        }
        assert_int_equal(uuid[14], '4');
        assert_non_null(memchr("89ab", uuid[19], 4));
    }
    assert_true(chi2_of(digits, 16, 30.0 * N) < 37.7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(below_is_uniform),  cmocka_unit_test(a_large_range_has_no_bias),
        cmocka_unit_test(a_seed_repeats),    cmocka_unit_test(it_is_xoshiro256starstar),
        cmocka_unit_test(every_bit_is_fair), cmocka_unit_test(uuids_have_their_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
