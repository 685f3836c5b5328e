/* SPDX-License-Identifier: Apache-2.0
 * h1_dump: heads as text, for tests to compare. Header only. */
#ifndef UM_TEST_H1_DUMP_H
#define UM_TEST_H1_DUMP_H

#include "base/buf.h"
#include "http/h1_parse.h"

/* "METHOD|authority|path|framing|flags" or "STATUS|reason|framing|flags" */
static inline void um_dump_start(struct um_buf *b, const struct um_head *h)
{
    static const char *const FRAMINGS[] = {"none", "length", "chunked", "close", "stream", "tunnel"};
    if (h->is_response)
        um_buf_addf(b, "%u|%.*s|", h->status, UM_STR_ARG(h->reason));
    else
        um_buf_addf(b, "%.*s|%.*s|%.*s|", UM_STR_ARG(h->method_name), UM_STR_ARG(h->authority), UM_STR_ARG(h->path));
    um_buf_add_cstr(b, FRAMINGS[h->framing]);
    if (h->framing == UM_FRAMING_LENGTH)
        um_buf_addf(b, "=%llu", (unsigned long long)h->content_length);
    um_buf_add_cstr(b, h->keep_alive ? "|keep" : "|close");
    um_buf_add_cstr(b, h->version == UM_HTTP_10 ? " 1.0" : "");
    um_buf_add_cstr(b, h->is_absolute_form ? " absolute " : "");
    if (h->is_absolute_form)
        um_buf_add(b, h->scheme);
    um_buf_add_cstr(b, h->has_upgrade ? " upgrade" : "");
    um_buf_add_cstr(b, h->expects_100 ? " expect" : "");
}

/* a line per field: "name: value", with " (nominated)" and " (plain)" behind it */
static inline void um_dump_fields(struct um_buf *b, const struct um_field *fields, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        const struct um_field *f = &fields[i];
        um_buf_addf(b, "\n%.*s: %.*s", UM_STR_ARG(um_field_name(f)), UM_STR_ARG(um_field_value(f)));
        um_buf_add_cstr(b, f->is_nominated ? " (nominated)" : "");
        um_buf_add_cstr(b, f->is_plain ? " (plain)" : "");
    }
}

#endif
