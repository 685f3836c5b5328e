/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

enum { LINE_BYTES = 4096 };

static _Atomic int threshold = UM_LOG_INFO;

void um_log_set_level(enum um_log_level level)
{
    atomic_store_explicit(&threshold, (int)level, memory_order_relaxed);
}

enum um_log_level um_log_get_level(void)
{
    return (enum um_log_level)atomic_load_explicit(&threshold, memory_order_relaxed);
}

/* what a message quotes, from files or peers, must not begin a line of its own or steer a terminal */
static void blank_controls(char *p, const char *end)
{
    for (; p < end; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7F)
            *p = '?';
}

static void write_line(enum um_log_level level, uint32_t held_back, const char *format, va_list args)
{
    static const char *const NAMES[] = {"debug", "info", "warning", "error"};
    char line[LINE_BYTES], when[UM_CLOCK_TEXT_BYTES];
    um_clock_text(um_clock_wall_ns(), when);
    int n = snprintf(line, sizeof line, "%s %s umbra: ", when, NAMES[level]);
    n += vsnprintf(line + n, sizeof line - (size_t)n, format, args);
    if (n > LINE_BYTES - 64)
        n = LINE_BYTES - 64;
    if (held_back)
        n += snprintf(line + n, sizeof line - (size_t)n, " (and %u more like it)", held_back);
    blank_controls(line, line + n);
    line[n++] = '\n';
    ssize_t written = write(STDERR_FILENO, line, (size_t)n);
    (void)written; /* there is nowhere left to complain */
}

void um_log(enum um_log_level level, const char *format, ...)
{
    if ((int)level < atomic_load_explicit(&threshold, memory_order_relaxed))
        return;
    va_list args;
    va_start(args, format);
    write_line(level, 0, format, args);
    va_end(args);
}

void um_log_every(struct um_log_site *site, uint64_t interval_ms, enum um_log_level level, const char *format, ...)
{
    uint64_t now = um_clock_ns(), due = atomic_load_explicit(&site->next_ns, memory_order_relaxed);
    if ((int)level < atomic_load_explicit(&threshold, memory_order_relaxed))
        return;
    if (now < due || !atomic_compare_exchange_strong(&site->next_ns, &due, now + interval_ms * UM_NS_PER_MS)) {
        atomic_fetch_add_explicit(&site->held_back, 1, memory_order_relaxed);
        return;
    }
    va_list args;
    va_start(args, format);
    write_line(level, atomic_exchange(&site->held_back, 0), format, args);
    va_end(args);
}
