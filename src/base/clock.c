/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <stdio.h>

void um_clock_text(uint64_t wall_ns, char out[UM_CLOCK_TEXT_BYTES])
{
    time_t s = (time_t)(wall_ns / UM_NS_PER_S);
    struct tm tm;
    char text[64]; /* the compiler cannot know that a year has four digits */
    gmtime_r(&s, &tm);
    snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03uZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
             tm.tm_hour, tm.tm_min, tm.tm_sec, (unsigned)(wall_ns / UM_NS_PER_MS % 1000));
    snprintf(out, UM_CLOCK_TEXT_BYTES, "%.24s", text);
}
