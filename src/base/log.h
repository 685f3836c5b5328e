/* SPDX-License-Identifier: Apache-2.0
 * log: umbra's own messages on standard error, one line each, `TIME LEVEL umbra: text`. Used by the owner of an
 * exchange, source or listener, never by leaves. UM_LOG_EVERY limits one call site to a line per interval and says how
 * many were held back. Thread: any; a line is one write(2). */
#ifndef UM_BASE_LOG_H
#define UM_BASE_LOG_H

#include "base/err.h"

#include <stdatomic.h>
#include <stdint.h>

enum um_log_level { UM_LOG_DEBUG, UM_LOG_INFO, UM_LOG_WARNING, UM_LOG_ERROR };

struct um_log_site {
    _Atomic uint64_t next_ns;
    _Atomic uint32_t held_back;
};

void um_log_set_level(enum um_log_level);
enum um_log_level um_log_get_level(void);
void um_log(enum um_log_level, const char *format, ...) UM_PRINTF(2, 3);
void um_log_every(struct um_log_site *, uint64_t interval_ms, enum um_log_level, const char *format, ...)
    UM_PRINTF(4, 5);

#define UM_LOG_EVERY(interval_ms, level, ...)                                                                          \
    do {                                                                                                               \
        static struct um_log_site um_log_site_;                                                                        \
        um_log_every(&um_log_site_, (interval_ms), (level), __VA_ARGS__);                                              \
    } while (0)

#endif
