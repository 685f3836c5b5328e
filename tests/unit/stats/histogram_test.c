/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/histogram.h"

#include "base/rand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

/* the plain statement: the first bound that is not below the value */
static unsigned bucket_of(uint64_t ns)
{
    unsigned i = 0;
    while (ns > um_histogram_bounds_ns[i])
        i++;
    return i;
}

static void check_one(uint64_t ns)
{
    struct um_histogram h = {.count = 0};
    um_histogram_add_ns(&h, ns);
    for (unsigned i = 0; i <= UM_HISTOGRAM_BOUNDS; i++)
        assert_int_equal(h.buckets[i], i == bucket_of(ns));
    assert_int_equal(h.count, 1);
    assert_int_equal(h.sum_ns, ns);
}

static void bounds_are_what_they_are_called(void **state)
{
    for (unsigned i = 0; i < UM_HISTOGRAM_BOUNDS; i++)
        assert_true(strtod(um_histogram_le[i], NULL) * 1e6 == (double)um_histogram_bounds_ns[i]);
    assert_string_equal(um_histogram_le[UM_HISTOGRAM_BOUNDS], "+Inf");
}

static void values_fall_into_their_bucket(void **state)
{
    for (unsigned i = 0; i < UM_HISTOGRAM_BOUNDS; i++) {
        check_one(um_histogram_bounds_ns[i] - 1);
        check_one(um_histogram_bounds_ns[i]);
        check_one(um_histogram_bounds_ns[i] + 1);
    }
    for (unsigned bit = 0; bit < 64; bit++) {
        check_one(1ULL << bit);
        check_one((1ULL << bit) - 1);
    }
    check_one(UINT64_MAX);
    struct um_rand r;
    um_rand_init_seed(&r, 1);
    for (int i = 0; i < 20000; i++)
        check_one(um_rand_u64(&r) >> um_rand_below(&r, 64));
}

static void merging_adds(void **state)
{
    struct um_histogram a = {.count = 0}, b = {.count = 0}, both = {.count = 0};
    struct um_rand r;
    um_rand_init_seed(&r, 2);
    for (int i = 0; i < 1000; i++) {
        uint64_t ns = um_rand_u64(&r) >> (24 + um_rand_below(&r, 40));
        um_histogram_add_ns(i % 3 ? &a : &b, ns);
        um_histogram_add_ns(&both, ns);
    }
    um_histogram_merge(&a, &b);
    assert_memory_equal(&a, &both, sizeof a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_are_what_they_are_called),
        cmocka_unit_test(values_fall_into_their_bucket),
        cmocka_unit_test(merging_adds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
