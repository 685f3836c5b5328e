/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/histogram.h"

#define MS(n) ((n)*1000000ULL)

const uint64_t um_histogram_bounds_ns[UM_HISTOGRAM_BOUNDS + 1] = {
    500000,   MS(1),    MS(5),     MS(10),    MS(25),    MS(50),     MS(100),    MS(250),     MS(500),     MS(1000),
    MS(2500), MS(5000), MS(10000), MS(30000), MS(60000), MS(300000), MS(600000), MS(1800000), MS(3600000), UINT64_MAX,
};

const char *const um_histogram_le[UM_HISTOGRAM_BOUNDS + 1] = {
    "0.5",  "1",    "5",     "10",    "25",    "50",     "100",    "250",     "500",     "1000",
    "2500", "5000", "10000", "30000", "60000", "300000", "600000", "1800000", "3600000", "+Inf",
};

/* By the position of a value's highest bit: how many bounds lie below that power of two. Bounds at least double,
 * so at most one more lies below the value itself. */
static const uint8_t BOUNDS_BELOW[64] = {
    [0 ... 18] = 0, [19] = 1,         [20 ... 22] = 2, [23] = 3,         [24] = 4,  [25] = 5,         [26] = 6,
    [27] = 7,       [28] = 8,         [29] = 9,        [30 ... 31] = 10, [32] = 11, [33] = 12,        [34] = 13,
    [35] = 14,      [36 ... 38] = 15, [39] = 16,       [40] = 17,        [41] = 18, [42 ... 63] = 19,
};

void um_histogram_add_ns(struct um_histogram *h, uint64_t ns)
{
    unsigned i = BOUNDS_BELOW[63 - __builtin_clzll(ns | 1)];
    h->buckets[i + (ns > um_histogram_bounds_ns[i])]++;
    h->count++;
    h->sum_ns += ns;
}

void um_histogram_merge(struct um_histogram *to, const struct um_histogram *from)
{
    for (unsigned i = 0; i <= UM_HISTOGRAM_BOUNDS; i++)
        to->buckets[i] += from->buckets[i];
    to->count += from->count;
    to->sum_ns += from->sum_ns;
}
