/* SPDX-License-Identifier: Apache-2.0
 * document: a YAML or JSON document as a tree of nodes that keep their place in the file. An alias is the node it
 * stands for (so the tree is a graph without cycles), `<<` is merged, a List is unpacked into its items.
 * Limits: bytes of a file, nesting, nodes, and nodes that aliases would make when written out: a bomb costs what its
 * bytes cost. Owner: um_documents_init's caller; nodes and texts live in its arena, names of files too.
 * Errors: a file that is not well-formed is a diagnostic, with the place, and yields no document. Thread: control. */
#ifndef UM_CONFIG_DOCUMENT_H
#define UM_CONFIG_DOCUMENT_H

#include "base/arena.h"
#include "config/diag.h"

enum {
    UM_DOCUMENT_MAX_BYTES = 64 << 20, /* of one file */
    UM_DOCUMENT_MAX_TOTAL_BYTES = 256 << 20,
    UM_DOCUMENT_MAX_LINE_BYTES = 1 << 20, /* of YAML: libfyaml holds the tokens of a line, at 200 times its size */
    UM_DOCUMENT_MAX_DEPTH = 64,
    UM_DOCUMENT_MAX_NODES = 2000000,        /* of all files */
    UM_DOCUMENT_MAX_ALIASED_NODES = 100000, /* of all files, as if every alias were written out */
};

enum um_node_kind { UM_NODE_SCALAR, UM_NODE_MAP, UM_NODE_SEQ };

struct um_node {
    enum um_node_kind kind;
    bool is_quoted;  /* SCALAR: quoted, a block scalar, or tagged !!str: text whatever it looks like */
    uint32_t n;      /* entries or items */
    uint32_t weight; /* nodes below and including this one, aliases written out */
    struct um_pos pos;
    union {
        struct um_str text;       /* SCALAR; NUL-terminated */
        struct um_entry *entries; /* MAP, in order of the file, then what `<<` adds */
        struct um_node **items;   /* SEQ */
    };
};

struct um_entry {
    struct um_str key;
    struct um_pos pos;
    struct um_node *value;
};

struct um_documents {
    struct um_arena arena;
    struct um_node **roots; /* in order of appearance; each a MAP */
    uint32_t n, cap;
    uint32_t n_nodes, n_aliased_nodes;
    size_t total_bytes;
};

/* limit_bytes bounds the memory of all nodes; 0: no bound but the limits above */
void um_documents_init(struct um_documents *, size_t limit_bytes);
void um_documents_release(struct um_documents *);

/* Adds the documents of one file. `name` is what diagnostics call it. UM_ESYNTAX: diagnostics were added; UM_ELIMIT: as
 * well, a limit; UM_ENOMEM. */
int um_documents_parse(struct um_documents *, struct um_str name, struct um_str bytes, struct um_diag *) UM_MUST_CHECK;

/* NULL: absent, or not a MAP */
const struct um_entry *um_node_find(const struct um_node *map, struct um_str key);
struct um_node *um_node_get(const struct um_node *map, const char *key);
bool um_node_is_null(const struct um_node *); /* `null`, `~` or nothing, not quoted */
/* what the kind is called in a message: "a mapping", "a list", "text", "a number", "a boolean", "null" */
const char *um_node_what(const struct um_node *);

#endif
