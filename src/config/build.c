/* SPDX-License-Identifier: Apache-2.0 */
#include "config/build.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void um_build_release(struct um_build *b)
{
    free(b->children);
    um_map_release(&b->anchors);
}

int um_build_fault(struct um_build *b, struct um_pos pos, const char *hint, const char *format, ...)
{
    char message[256];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    um_diag_add(b->diag, UM_SEVERITY_ERROR, pos, (struct um_diag_about){.hint = um_str_from(hint)}, "%s", message);
    b->has_faults = true;
    return UM_ESYNTAX;
}

static struct um_build_frame *top(struct um_build *b)
{
    return b->n_frames ? &b->frames[b->n_frames - 1] : NULL;
}

struct um_pos um_build_pos(const struct um_build *b)
{
    const struct um_build_frame *f = b->n_frames ? &b->frames[b->n_frames - 1] : NULL;
    if (!f)
        return (struct um_pos){b->file, 1, 1};
    return f->has_key ? f->key_pos : f->pos;
}

static struct um_node *new_node(struct um_build *b, enum um_node_kind kind, struct um_pos pos)
{
    struct um_node *node = um_arena_zalloc(&b->docs->arena, sizeof *node);
    if (node) {
        node->kind = kind;
        node->pos = pos;
        node->weight = 1;
        b->docs->n_nodes++;
    }
    return node;
}

static int check_nodes(struct um_build *b, struct um_pos pos)
{
    if (b->docs->n_nodes < UM_DOCUMENT_MAX_NODES)
        return 0;
    um_build_fault(b, pos, "split the configuration", "more than %d values", UM_DOCUMENT_MAX_NODES);
    return UM_ELIMIT;
}

static int grow_children(struct um_build *b)
{
    uint32_t cap = b->cap_children ? b->cap_children * 2 : 64;
    struct um_build_child *grown = realloc(b->children, cap * sizeof *grown);
    if (!grown)
        return UM_ENOMEM;
    b->children = grown;
    b->cap_children = cap;
    return 0;
}

/* hangs a finished node where the parser stands */
static int add(struct um_build *b, struct um_node *node)
{
    struct um_build_frame *f = top(b);
    if (!f) {
        b->root = node;
        return 0;
    }
    if (b->n_children == b->cap_children) {
        int rc = grow_children(b);
        if (rc)
            return rc;
    }
    b->children[b->n_children++] =
        (struct um_build_child){.entry = {f->key, f->key_pos, node}, .is_merge = f->has_key && f->is_merge};
    f->has_key = false;
    return 0;
}

static int set_anchor(struct um_build *b, struct um_str anchor, struct um_node *node)
{
    void *old;
    if (anchor.n == 0)
        return 0;
    struct um_str name = um_arena_str(&b->docs->arena, anchor);
    return name.p ? um_map_put(&b->anchors, name, node, &old) : UM_ENOMEM;
}

static bool wants_key(const struct um_build_frame *f)
{
    return f && f->kind == UM_NODE_MAP && !f->has_key;
}

static int set_key(struct um_build *b, struct um_build_frame *f, const struct um_build_scalar *s)
{
    f->key = um_arena_str(&b->docs->arena, s->text);
    if (!f->key.p)
        return UM_ENOMEM;
    f->key_pos = s->pos;
    f->has_key = true;
    f->is_merge = !s->is_quoted && um_str_eq(s->text, UM_STR("<<"));
    return 0;
}

int um_build_scalar(struct um_build *b, const struct um_build_scalar *s)
{
    if (wants_key(top(b)))
        return set_key(b, top(b), s);
    int rc = check_nodes(b, s->pos);
    if (rc)
        return rc;
    struct um_node *node = new_node(b, UM_NODE_SCALAR, s->pos);
    if (!node)
        return UM_ENOMEM;
    node->is_quoted = s->is_quoted;
    node->text = um_arena_str(&b->docs->arena, s->text);
    if (!node->text.p)
        return UM_ENOMEM;
    rc = set_anchor(b, s->anchor, node);
    return rc ? rc : add(b, node);
}

int um_build_alias(struct um_build *b, struct um_str anchor, struct um_pos pos)
{
    struct um_node *node = um_map_get(&b->anchors, anchor);
    if (wants_key(top(b)))
        return um_build_fault(b, pos, NULL, "a key must be text, not an alias");
    if (!node)
        return um_build_fault(b, pos, NULL, "alias `*%.*s` has no anchor before it, or stands inside of it",
                              UM_STR_ARG(anchor));
    if (node->weight > UM_DOCUMENT_MAX_ALIASED_NODES - b->docs->n_aliased_nodes) {
        um_build_fault(b, pos, NULL, "aliases stand for more than %d values", UM_DOCUMENT_MAX_ALIASED_NODES);
        return UM_ELIMIT;
    }
    b->docs->n_aliased_nodes += node->weight;
    return add(b, node);
}

int um_build_open(struct um_build *b, enum um_node_kind kind, struct um_pos pos, struct um_str anchor)
{
    int rc = check_nodes(b, pos);
    if (rc)
        return rc;
    if (wants_key(top(b)))
        return um_build_fault(b, pos, NULL, "a key must be text, not %s", kind == UM_NODE_MAP ? "a mapping" : "a list");
    if (b->n_frames == UM_DOCUMENT_MAX_DEPTH) {
        um_build_fault(b, pos, NULL, "nested more than %d deep", UM_DOCUMENT_MAX_DEPTH);
        return UM_ELIMIT;
    }
    struct um_build_frame f = {.kind = kind, .pos = pos, .first = b->n_children};
    if (anchor.n) {
        f.anchor = um_arena_str(&b->docs->arena, anchor);
        if (!f.anchor.p)
            return UM_ENOMEM;
    }
    b->frames[b->n_frames++] = f;
    return 0;
}

/* ---- closing a mapping: `<<` and repeated keys ---- */

enum { SMALL_MAP = 16 }; /* entries that are searched one by one */

struct entries {
    struct um_entry *list;
    uint32_t n;
    struct um_map by_key; /* of large mappings */
    bool is_indexed;
};

static const struct um_entry *find_entry(const struct entries *e, struct um_str key)
{
    if (e->is_indexed)
        return um_map_get(&e->by_key, key);
    for (uint32_t i = 0; i < e->n; i++)
        if (um_str_eq(e->list[i].key, key))
            return &e->list[i];
    return NULL;
}

static int append_entry(struct entries *e, const struct um_entry *entry)
{
    void *old;
    e->list[e->n] = *entry;
    int rc = e->is_indexed ? um_map_put(&e->by_key, entry->key, &e->list[e->n], &old) : 0;
    e->n++;
    return rc;
}

static int append_own(struct um_build *b, struct entries *e, const struct um_entry *entry)
{
    const struct um_entry *first = find_entry(e, entry->key);
    if (!first)
        return append_entry(e, entry);
    um_build_fault(b, entry->pos, NULL, "key `%.*s` was given before, on line %u", UM_STR_ARG(entry->key),
                   (unsigned)first->pos.line);
    return 0;
}

static int append_merged(struct entries *e, const struct um_node *map)
{
    int rc = 0;
    for (uint32_t i = 0; i < map->n && rc == 0; i++)
        if (!find_entry(e, map->entries[i].key))
            rc = append_entry(e, &map->entries[i]);
    return rc;
}

/* the mappings that a `<<` names: one, or a list of them; false: anything else */
static bool merge_sources(struct um_node *const *value, struct um_node *const **ret_maps, uint32_t *ret_n)
{
    *ret_maps = value;
    *ret_n = 1;
    if ((*value)->kind == UM_NODE_SEQ) {
        *ret_maps = (*value)->items;
        *ret_n = (*value)->n;
    }
    for (uint32_t i = 0; i < *ret_n; i++)
        if ((*ret_maps)[i]->kind != UM_NODE_MAP)
            return false;
    return true;
}

/* how many entries the mapping can have at most */
static int count_entries(struct um_build *b, const struct um_build_child *children, uint32_t n, size_t *ret_count)
{
    struct um_node *const *maps;
    uint32_t n_maps;
    *ret_count = n;
    for (uint32_t i = 0; i < n; i++) {
        if (!children[i].is_merge)
            continue;
        if (!merge_sources(&children[i].entry.value, &maps, &n_maps))
            return um_build_fault(b, children[i].entry.pos, NULL, "`<<` takes a mapping or a list of mappings");
        for (uint32_t m = 0; m < n_maps; m++)
            *ret_count += maps[m]->n;
    }
    return 0;
}

static int append_all(struct um_build *b, struct entries *e, const struct um_build_child *children, uint32_t n)
{
    struct um_node *const *maps;
    uint32_t n_maps;
    int rc = 0;
    for (uint32_t i = 0; i < n && rc == 0; i++)
        if (!children[i].is_merge)
            rc = append_own(b, e, &children[i].entry);
    for (uint32_t i = 0; i < n && rc == 0; i++)
        if (children[i].is_merge && merge_sources(&children[i].entry.value, &maps, &n_maps))
            for (uint32_t m = 0; m < n_maps && rc == 0; m++)
                rc = append_merged(e, maps[m]);
    return rc;
}

static int close_map(struct um_build *b, const struct um_build_child *children, uint32_t n, struct um_node *node)
{
    struct entries e = {0};
    size_t count;
    int rc = count_entries(b, children, n, &count);
    if (rc)
        return rc;
    e.list = um_arena_alloc(&b->docs->arena, count * sizeof *e.list);
    if (!e.list)
        return UM_ENOMEM;
    e.is_indexed = count > SMALL_MAP;
    um_map_init(&e.by_key);
    rc = append_all(b, &e, children, n);
    um_map_release(&e.by_key);
    node->entries = e.list;
    node->n = e.n;
    for (uint32_t i = 0; i < e.n; i++)
        node->weight += e.list[i].value->weight;
    return rc;
}

static int close_seq(struct um_build *b, const struct um_build_child *children, uint32_t n, struct um_node *node)
{
    node->items = um_arena_alloc(&b->docs->arena, n * sizeof *node->items);
    if (!node->items)
        return UM_ENOMEM;
    node->n = n;
    for (uint32_t i = 0; i < n; i++) {
        node->items[i] = children[i].entry.value;
        node->weight += node->items[i]->weight;
    }
    return 0;
}

int um_build_close(struct um_build *b)
{
    struct um_build_frame *f = top(b);
    struct um_build_child *children = b->children ? b->children + f->first : NULL; /* none yet: `{}` */
    uint32_t n = b->n_children - f->first;
    struct um_node *node = new_node(b, f->kind, f->pos);
    if (!node)
        return UM_ENOMEM;
    int rc = f->kind == UM_NODE_MAP ? close_map(b, children, n, node) : close_seq(b, children, n, node);
    if (rc == 0)
        rc = set_anchor(b, f->anchor, node);
    if (rc)
        return rc;
    b->n_children = f->first;
    b->n_frames--;
    return add(b, node);
}

/* ---- finished documents ---- */

static int add_root(struct um_build *b, struct um_node *root)
{
    struct um_documents *docs = b->docs;
    if (root->kind != UM_NODE_MAP) {
        um_build_fault(b, root->pos, NULL, "a resource must be a mapping with apiVersion and kind, not %s",
                       um_node_what(root));
        return 0;
    }
    if (docs->n == docs->cap) {
        uint32_t cap = docs->cap ? docs->cap * 2 : 64;
        struct um_node **grown = um_arena_array(&docs->arena, cap, sizeof *grown);
        if (!grown)
            return UM_ENOMEM;
        if (docs->n)
            memcpy(grown, docs->roots, docs->n * sizeof *grown);
        docs->roots = grown;
        docs->cap = cap;
    }
    docs->roots[docs->n++] = root;
    return 0;
}

/* the items of a List (also of a VirtualServiceList and so on), or NULL */
static const struct um_node *list_items(const struct um_node *root)
{
    const struct um_node *kind = um_node_get(root, "kind"), *items = um_node_get(root, "items");
    bool is_list = kind && kind->kind == UM_NODE_SCALAR && um_str_ends(kind->text, UM_STR("List"));
    return is_list && items && items->kind == UM_NODE_SEQ ? items : NULL;
}

int um_build_end_document(struct um_build *b)
{
    struct um_node *root = b->root;
    b->root = NULL;
    um_map_release(&b->anchors);
    um_map_init(&b->anchors);
    if (!root || um_node_is_null(root))
        return 0;
    const struct um_node *items = list_items(root);
    if (!items)
        return add_root(b, root);
    int rc = 0;
    for (uint32_t i = 0; i < items->n && rc == 0; i++)
        rc = add_root(b, items->items[i]);
    return rc;
}
