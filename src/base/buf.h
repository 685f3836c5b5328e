/* SPDX-License-Identifier: Apache-2.0
 * buf: text that grows, up to a limit. A failed growth (memory or limit) sets `failed` and makes later
 * calls do nothing, so that a writer checks once at the end. Owner: whoever inits it. Thread: its owner's. */
#ifndef UM_BASE_BUF_H
#define UM_BASE_BUF_H

#include "base/err.h"
#include "base/str.h"

struct um_buf {
    char *p;
    size_t n, cap;
    size_t limit; /* bytes; 0: none */
    bool failed;
};

void um_buf_init(struct um_buf *, size_t limit_bytes);
void um_buf_release(struct um_buf *);
void um_buf_clear(struct um_buf *); /* keeps the memory */

void um_buf_add(struct um_buf *, struct um_str);
void um_buf_add_cstr(struct um_buf *, const char *);
void um_buf_add_char(struct um_buf *, char);
void um_buf_add_u64(struct um_buf *, uint64_t);
/* needs room for a NUL behind what it adds */
void um_buf_addf(struct um_buf *, const char *format, ...) UM_PRINTF(2, 3);
/* as a JSON string, quotes included (RFC 8259); invalid UTF-8 becomes U+FFFD */
void um_buf_add_json(struct um_buf *, struct um_str);

/* room for n more bytes at the end, or NULL; um_buf_grew(n) says how many were written */
char *um_buf_reserve(struct um_buf *, size_t n);
void um_buf_grew(struct um_buf *, size_t n);

static inline struct um_str um_buf_str(const struct um_buf *b)
{
    return (struct um_str){b->p, b->n};
}

#endif
