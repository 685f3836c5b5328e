/* SPDX-License-Identifier: Apache-2.0
 * h1_scan: what all HTTP/1.x heads and trailer sections are made of: lines that end in CRLF, field lines, the empty
 * line. Internal to http/. Functions return 0, UM_EAGAIN if the bytes end too early, UM_ESYNTAX with `fault` set. Which
 * fault it is never depends on how the bytes arrived. Thread: any. */
#ifndef UM_HTTP_H1_SCAN_H
#define UM_HTTP_H1_SCAN_H

#include "http/h1_parse.h"

struct um_h1_scan {
    const char *at, *end;
    enum um_h1_fault fault;
};

/* a section of field lines as it is read */
struct um_h1_section {
    struct um_field *fields;
    uint32_t n, limit;
    uint16_t *first_of; /* as in um_head, [0] is scratch */
    uint64_t repeated;  /* known names that came more than once, bits by id */
};

static inline int um_h1_refuse(struct um_h1_scan *s, enum um_h1_fault fault)
{
    s->fault = fault;
    return UM_ESYNTAX;
}

/* Looks at no more than limits->head_bytes. False if the bytes that came since *scanned cannot have ended the section:
 * then there is nothing to parse yet, and *scanned has been moved on. */
bool um_h1_scan_begin(struct um_h1_scan *, struct um_str bytes, const struct um_h1_limits *, size_t *scanned);
/* rc of the parse -> result as promised in h1_parse.h */
ptrdiff_t um_h1_scan_end(const struct um_h1_scan *, int rc, struct um_str bytes, const struct um_h1_limits *,
                         size_t *scanned, enum um_h1_fault *ret_fault);

/* CRLF at s->at; `otherwise` is the fault if there is neither CR nor LF */
int um_h1_scan_crlf(struct um_h1_scan *, enum um_h1_fault otherwise);
/* field lines up to and with the empty line */
int um_h1_scan_fields(struct um_h1_scan *, struct um_h1_section *);

#endif
