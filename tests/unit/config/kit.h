/* SPDX-License-Identifier: Apache-2.0
 * kit: parses a text and compares what is said of it. Header only. */
#ifndef UM_TEST_CONFIG_KIT_H
#define UM_TEST_CONFIG_KIT_H

#include "config/document.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

struct parsed {
    struct um_documents docs;
    struct um_diag diag;
    struct um_buf said; /* the diagnostics as text, NUL-terminated */
    int rc;
};

static inline void parse_bytes(struct parsed *p, const char *name, struct um_str bytes)
{
    um_documents_init(&p->docs, 0);
    um_diag_init(&p->diag);
    um_buf_init(&p->said, 0);
    p->rc = um_documents_parse(&p->docs, um_str_from(name), bytes, &p->diag);
    um_diag_sort(&p->diag);
    um_diag_print_text(&p->diag, &p->said);
    um_buf_add_char(&p->said, '\0');
}

static inline void parse(struct parsed *p, const char *text)
{
    parse_bytes(p, "f.yaml", um_str_from(text));
}

static inline void parsed_release(struct parsed *p)
{
    um_documents_release(&p->docs);
    um_diag_release(&p->diag);
    um_buf_release(&p->said);
}

static inline void expect_said(const char *name, struct um_str bytes, int rc, const char *said)
{
    struct parsed p;
    parse_bytes(&p, name, bytes);
    assert_string_equal(p.said.p, said);
    assert_int_equal(p.rc, rc);
    parsed_release(&p);
}

static inline void assert_text(const struct um_node *node, const char *text)
{
    assert_non_null(node);
    assert_int_equal(node->kind, UM_NODE_SCALAR);
    assert_int_equal(node->text.n, strlen(text));
    assert_memory_equal(node->text.p, text, node->text.n + 1);
}

static inline void assert_pos(struct um_pos pos, unsigned line, unsigned column)
{
    assert_int_equal(pos.line, line);
    assert_int_equal(pos.column, column);
}

#endif
