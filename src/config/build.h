/* SPDX-License-Identifier: Apache-2.0
 * build: makes nodes out of what a parser reads, in the order it reads it, and holds the limits of document.h: nesting,
 * nodes, aliases. The YAML and the JSON parser write to it. Internal to config/.
 * Errors: a negative value ends the parse (a diagnostic was added unless it is UM_ENOMEM); a repeated key is a
 * diagnostic and the parse goes on (has_faults). Owner: um_documents_parse. Thread: control. */
#ifndef UM_CONFIG_BUILD_H
#define UM_CONFIG_BUILD_H

#include "base/map.h"
#include "config/document.h"

struct um_build_frame { /* a mapping or list that is still open */
    enum um_node_kind kind;
    struct um_pos pos;
    struct um_str anchor;
    uint32_t first; /* of its children in um_build.children */
    bool has_key, is_merge;
    struct um_str key;
    struct um_pos key_pos;
};

struct um_build_child {
    struct um_entry entry; /* of a list: the value alone */
    bool is_merge;         /* `<<` */
};

struct um_build {
    struct um_documents *docs;
    struct um_diag *diag;
    const char *file;
    bool has_faults;
    struct um_build_frame frames[UM_DOCUMENT_MAX_DEPTH];
    uint32_t n_frames;
    struct um_build_child *children; /* of all open frames, one behind the other */
    uint32_t n_children, cap_children;
    struct um_map anchors; /* of the current document */
    struct um_node *root;
};

struct um_build_scalar {
    struct um_pos pos;
    struct um_str text, anchor; /* anchor: empty if none */
    bool is_quoted;
};

void um_build_release(struct um_build *);

/* In a mapping keys and values come by turns. */
int um_build_scalar(struct um_build *, const struct um_build_scalar *) UM_MUST_CHECK;
int um_build_alias(struct um_build *, struct um_str anchor, struct um_pos) UM_MUST_CHECK;
int um_build_open(struct um_build *, enum um_node_kind, struct um_pos, struct um_str anchor) UM_MUST_CHECK;
int um_build_close(struct um_build *) UM_MUST_CHECK;
/* hands the finished document over: an empty one is left out, a List is unpacked */
int um_build_end_document(struct um_build *) UM_MUST_CHECK;

/* where a value without bytes of its own (`key:`) is: at its key */
struct um_pos um_build_pos(const struct um_build *);
/* adds an error; always UM_ESYNTAX */
int um_build_fault(struct um_build *, struct um_pos, const char *hint, const char *format, ...) UM_PRINTF(4, 5);

/* ---- the parsers ---- */
int um_yaml_parse(struct um_build *, struct um_str bytes) UM_MUST_CHECK;
int um_json_parse(struct um_build *, struct um_str bytes) UM_MUST_CHECK;
bool um_json_is_valid(struct um_str bytes);

#endif
