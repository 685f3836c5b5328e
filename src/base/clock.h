/* SPDX-License-Identifier: Apache-2.0
 * clock: monotonic nanoseconds for deadlines and durations, wall time for people. Thread: any. */
#ifndef UM_BASE_CLOCK_H
#define UM_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define UM_NS_PER_MS UINT64_C(1000000)
#define UM_NS_PER_S UINT64_C(1000000000)

static inline uint64_t um_clock_ns(void) /* CLOCK_MONOTONIC */
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * UM_NS_PER_S + (uint64_t)t.tv_nsec;
}

static inline uint64_t um_clock_wall_ns(void) /* since 1970, UTC */
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * UM_NS_PER_S + (uint64_t)t.tv_nsec;
}

/* "2026-01-31T23:59:59.123Z", 24 bytes and a NUL */
enum { UM_CLOCK_TEXT_BYTES = 25 };
void um_clock_text(uint64_t wall_ns, char out[UM_CLOCK_TEXT_BYTES]);

#endif
