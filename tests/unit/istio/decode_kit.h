/* SPDX-License-Identifier: Apache-2.0
 * decode_kit: decodes a text and compares what is said of it. Header only. */
#ifndef UM_TEST_DECODE_KIT_H
#define UM_TEST_DECODE_KIT_H

#include "istio/resources.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct decoded {
    struct um_documents docs;
    struct um_diag diag;
    struct um_arena arena;
    struct um_resources resources;
    struct um_buf said; /* the diagnostics as text, NUL-terminated */
};

static inline void decode(struct decoded *d, const char *text)
{
    um_documents_init(&d->docs, 0);
    um_diag_init(&d->diag);
    um_arena_init(&d->arena, NULL, 0);
    um_buf_init(&d->said, 0);
    d->resources = (struct um_resources){0};
    int rc = um_documents_parse(&d->docs, UM_STR("f.yaml"), um_str_from(text), &d->diag);
    assert_true(rc == 0 || rc == UM_ESYNTAX);
    rc = um_istio_decode(&d->docs, UM_STR("default"), &d->diag, &d->arena, &d->resources);
    assert_int_equal(rc, 0);
    um_diag_sort(&d->diag);
    um_diag_print_text(&d->diag, &d->said);
    um_buf_add_char(&d->said, '\0');
}

static inline void decoded_release(struct decoded *d)
{
    um_documents_release(&d->docs);
    um_diag_release(&d->diag);
    um_arena_release(&d->arena);
    um_buf_release(&d->said);
}

static inline void decode_well(struct decoded *d, const char *text)
{
    decode(d, text);
    assert_string_equal(d->said.p, "");
}

struct saying {
    const char *text; /* what stands below `head` */
    const char *said; /* "LINE:COLUMN: severity: field: message", one a line; lines count from the first of `text` */
};

/* "L:C: severity: rest" as the printer has it: with the file before and the resource before the rest */
static inline void add_wanted(struct um_buf *out, const char *resource, unsigned first_line, struct um_str line)
{
    char *rest;
    unsigned long number = strtoul(line.p, &rest, 10) + first_line;
    struct um_str tail = um_str_skip(line, (size_t)(rest - line.p));
    ptrdiff_t severity_end = um_str_find(um_str_skip(tail, 1), ':'), second;
    second = severity_end + 1 + um_str_find(um_str_skip(tail, (size_t)severity_end + 2), ':') + 2;
    um_buf_addf(out, "f.yaml:%lu%.*s %s:%.*s\n", number, (int)second, tail.p, resource, (int)(tail.n - (size_t)second),
                tail.p + second);
}

/* Each text below `head` (first_line lines) is complained of exactly so. */
static inline void expect_sayings(const char *head, unsigned first_line, const char *resource,
                                  const struct saying *sayings, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct um_buf text, wanted;
        struct um_str rest = um_str_from(sayings[i].said), line;
        struct decoded d;
        um_buf_init(&text, 0);
        um_buf_init(&wanted, 0);
        um_buf_addf(&text, "%s%s%c", head, sayings[i].text, '\0');
        while (rest.n && um_str_split(&rest, '\n', &line))
            add_wanted(&wanted, resource, first_line, line);
        um_buf_add_char(&wanted, '\0');
        decode(&d, text.p);
        assert_string_equal(d.said.p, wanted.p);
        decoded_release(&d);
        um_buf_release(&text);
        um_buf_release(&wanted);
    }
}

#define EXPECT_SAYINGS(head, first_line, resource, sayings)                                                            \
    expect_sayings((head), (first_line), (resource), (sayings), sizeof(sayings) / sizeof(sayings)[0])

static inline void assert_str(struct um_str s, const char *wanted)
{
    assert_non_null(s.p);
    assert_string_equal(s.p, wanted);
    assert_int_equal(s.n, strlen(wanted));
}

#endif
