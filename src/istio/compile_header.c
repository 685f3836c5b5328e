/* SPDX-License-Identifier: Apache-2.0 */
#include "istio/compile_header.h"

#include <stdlib.h>

bool um_header_is_authority(struct um_str name)
{
    return um_str_ieq(name, UM_STR("host")) || um_str_ieq(name, UM_STR(":authority"));
}

static struct um_str authority_in(const struct um_pairs *pairs)
{
    struct um_str found = {NULL, 0};
    for (uint32_t i = 0; i < pairs->n; i++)
        if (um_header_is_authority(pairs->items[i].key))
            found = pairs->items[i].value;
    return found;
}

struct um_str um_header_authority(const struct um_header_changes *request)
{
    if (!request)
        return (struct um_str){NULL, 0};
    struct um_str set = authority_in(&request->set);
    return set.n ? set : authority_in(&request->add);
}

/* host and pseudo fields are rewrites, not fields */
static bool is_internal(struct um_str name)
{
    return name.n == 0 || name.p[0] == ':' || um_header_is_authority(name);
}

static struct um_str unescape(struct um_compile *c, struct um_str value)
{
    char *p = um_compile_items(c, value.n + 1, 1);
    size_t n = 0;
    for (size_t i = 0; p && i < value.n; i++) {
        p[n++] = value.p[i];
        i += value.p[i] == '%'; /* `%%` is `%` */
    }
    return (struct um_str){p, n};
}

static void add_op(struct um_compile *c, struct um_header_ops *ops, enum um_edit_op op, struct um_str name,
                   struct um_str value)
{
    if (is_internal(name))
        return;
    struct um_header_op *o = &ops->ops[ops->n++];
    o->op = op;
    o->name = um_compile_keep_lower(c, name);
    o->value = unescape(c, value);
    o->id = um_field_id_of(o->name);
}

static int by_name(const void *a, const void *b)
{
    const struct um_header_op *x = a, *y = b;
    return um_str_cmp(x->name, y->name);
}

static void add_pairs(struct um_compile *c, struct um_header_ops *ops, enum um_edit_op op, const struct um_pairs *pairs)
{
    uint32_t first = ops->n;
    for (uint32_t i = 0; i < pairs->n; i++)
        add_op(c, ops, op, pairs->items[i].key, pairs->items[i].value);
    if (ops->n > first)
        qsort(ops->ops + first, ops->n - first, sizeof *ops->ops, by_name);
}

static void add_removals(struct um_compile *c, struct um_header_ops *ops, const struct um_header_changes *h)
{
    for (uint32_t i = 0; h && i < h->remove.n; i++)
        add_op(c, ops, UM_EDIT_REMOVE, h->remove.items[i], (struct um_str){NULL, 0});
}

static uint32_t count(const struct um_header_changes *h)
{
    return h ? h->set.n + h->add.n + h->remove.n : 0;
}

struct um_header_ops um_compile_headers(struct um_compile *c, const struct um_header_changes *outer,
                                        const struct um_header_changes *inner)
{
    struct um_header_ops ops = {0};
    const struct um_header_changes *levels[] = {outer, inner};
    uint32_t n = count(outer) + count(inner);
    if (n == 0)
        return ops;
    ops.ops = um_compile_items(c, n, sizeof *ops.ops);
    if (!ops.ops)
        return ops;
    add_removals(c, &ops, outer);
    add_removals(c, &ops, inner);
    for (int i = 0; i < 2; i++) {
        if (!levels[i])
            continue;
        add_pairs(c, &ops, UM_EDIT_SET, &levels[i]->set);
        add_pairs(c, &ops, UM_EDIT_ADD, &levels[i]->add);
    }
    return ops;
}
