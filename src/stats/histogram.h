/* SPDX-License-Identifier: Apache-2.0
 * histogram: Istio's bucket bounds, recording in nanoseconds, printed in milliseconds. Plain integers.
 * Thread: its owner's. */
#ifndef UM_STATS_HISTOGRAM_H
#define UM_STATS_HISTOGRAM_H

#include "base/str.h"

enum {
    UM_HISTOGRAM_BOUNDS = 19
}; /* 0.5 1 5 10 25 50 100 250 500 1000 2500 5000 10000 30000 60000 300000 600000 1800000 3600000 ms */

struct um_histogram {
    uint64_t buckets[UM_HISTOGRAM_BOUNDS + 1]; /* not cumulative; the last is +Inf */
    uint64_t count, sum_ns;
};

extern const uint64_t um_histogram_bounds_ns[UM_HISTOGRAM_BOUNDS + 1]; /* the last, UINT64_MAX, is +Inf */
extern const char *const um_histogram_le[UM_HISTOGRAM_BOUNDS + 1];     /* "0.5", "1", ... "+Inf" */

void um_histogram_add_ns(struct um_histogram *, uint64_t ns);
void um_histogram_merge(struct um_histogram *to, const struct um_histogram *from);

#endif
