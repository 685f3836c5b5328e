/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void um_buf_init(struct um_buf *b, size_t limit_bytes)
{
    *b = (struct um_buf){.limit = limit_bytes};
}

void um_buf_release(struct um_buf *b)
{
    free(b->p);
    *b = (struct um_buf){.limit = b->limit};
}

void um_buf_clear(struct um_buf *b)
{
    b->n = 0;
    b->failed = false;
}

char *um_buf_reserve(struct um_buf *b, size_t n)
{
    if (b->failed)
        return NULL;
    if (n > SIZE_MAX - b->n || (b->limit && b->n + n > b->limit)) {
        b->failed = true;
        return NULL;
    }
    if (b->n + n > b->cap) {
        size_t cap = b->cap ? b->cap : 256;
        while (cap < b->n + n)
            cap = cap > SIZE_MAX / 2 ? b->n + n : cap * 2;
        char *p = realloc(b->p, cap);
        if (!p) {
            b->failed = true;
            return NULL;
        }
        b->p = p;
        b->cap = cap;
    }
    return b->p + b->n;
}

void um_buf_grew(struct um_buf *b, size_t n)
{
    b->n += n;
}

void um_buf_add(struct um_buf *b, struct um_str s)
{
    char *to = um_buf_reserve(b, s.n);
    if (to && s.n) {
        memcpy(to, s.p, s.n);
        b->n += s.n;
    }
}

void um_buf_add_cstr(struct um_buf *b, const char *cstr)
{
    um_buf_add(b, um_str_from(cstr));
}

void um_buf_add_char(struct um_buf *b, char c)
{
    um_buf_add(b, (struct um_str){&c, 1});
}

void um_buf_add_u64(struct um_buf *b, uint64_t v)
{
    char digits[UM_U64_TEXT_BYTES];
    um_buf_add(b, (struct um_str){digits, um_u64_text(digits, v)});
}

void um_buf_addf(struct um_buf *b, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    char *to = n < 0 ? NULL : um_buf_reserve(b, (size_t)n + 1);
    if (to) {
        vsnprintf(to, (size_t)n + 1, format, again);
        b->n += (size_t)n;
    }
    va_end(again);
    va_end(args);
}

static void add_json_byte(struct um_buf *b, unsigned char c)
{
    switch (c) {
    case '"':
        um_buf_add(b, UM_STR("\\\""));
        return;
    case '\\':
        um_buf_add(b, UM_STR("\\\\"));
        return;
    case '\n':
        um_buf_add(b, UM_STR("\\n"));
        return;
    case '\r':
        um_buf_add(b, UM_STR("\\r"));
        return;
    case '\t':
        um_buf_add(b, UM_STR("\\t"));
        return;
    default:
        if (c < 0x20 || c == 0x7F)
            um_buf_addf(b, "\\u%04x", c);
        else
            um_buf_add_char(b, (char)c);
    }
}

void um_buf_add_json(struct um_buf *b, struct um_str s)
{
    um_buf_add_char(b, '"');
    while (s.n) {
        size_t good = s.n;
        bool whole = um_str_is_utf8(s, &good);
        for (size_t i = 0; i < good; i++)
            add_json_byte(b, (unsigned char)s.p[i]);
        s = um_str_skip(s, good);
        if (!whole) {
            um_buf_add(b, UM_STR("\\ufffd"));
            s = um_str_skip(s, 1);
        }
    }
    um_buf_add_char(b, '"');
}
