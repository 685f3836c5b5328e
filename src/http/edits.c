/* SPDX-License-Identifier: Apache-2.0 */
#include "http/edits.h"

#include "http/field_name.h"

enum { FIRST_EDITS = 8 };

void um_edits_init(struct um_edits *e)
{
    *e = (struct um_edits){0};
}

static int grow(struct um_edits *e, struct um_arena *a, uint32_t cap)
{
    struct um_edit *bigger = um_arena_alloc(a, cap * sizeof *bigger);
    if (!bigger)
        return UM_ENOMEM;
    if (e->n_edits)
        memcpy(bigger, e->edits, e->n_edits * sizeof *bigger);
    e->edits = bigger;
    e->cap_edits = cap;
    return 0;
}

int um_edits_copy(struct um_edits *e, const struct um_edits *from, struct um_arena *a)
{
    struct um_edits copy = *from;
    copy.cap_edits = 0; /* the array is another's until grown */
    if (copy.n_edits && grow(&copy, a, copy.n_edits + FIRST_EDITS))
        return UM_ENOMEM;
    *e = copy;
    return 0;
}

static int push(struct um_edits *e, struct um_arena *a, struct um_edit edit)
{
    if (um_field_id_is_codecs(edit.id))
        return 0;
    if (e->n_edits == e->cap_edits) {
        int rc = grow(e, a, e->cap_edits ? 2 * e->cap_edits : FIRST_EDITS);
        if (rc)
            return rc;
    }
    e->edits[e->n_edits++] = edit;
    return 0;
}

int um_edits_add(struct um_edits *e, struct um_arena *a, enum um_edit_op op, struct um_str name, struct um_str value)
{
    return push(e, a, (struct um_edit){op, um_field_id_of(name), name, value});
}

int um_edits_known(struct um_edits *e, struct um_arena *a, enum um_edit_op op, enum um_field_id id, struct um_str value)
{
    return push(e, a, (struct um_edit){op, id, um_field_id_name(id), value});
}

static bool is_about(const struct um_edit *edit, enum um_field_id id, struct um_str name)
{
    return edit->id == id && (id != UM_FIELD_OTHER || um_str_ieq(edit->name, name));
}

bool um_edits_cut(const struct um_edits *e, uint32_t from, enum um_field_id id, struct um_str name)
{
    for (uint32_t i = from; i < e->n_edits; i++)
        if (e->edits[i].op != UM_EDIT_ADD && is_about(&e->edits[i], id, name))
            return true;
    return false;
}

static const struct um_field *first_forwarded(const struct um_head *h, struct um_str name)
{
    const struct um_field *f = um_head_find(h, name, 0);
    while (f && f->is_nominated)
        f = um_head_find(h, name, (uint32_t)(f - h->fields) + 1);
    return f;
}

static bool lookup_host(const struct um_edits *e, const struct um_head *h, struct um_str *ret_value)
{
    bool has_host = h->authority.n || h->first_of[UM_FIELD_HOST];
    if (e->authority.p)
        *ret_value = e->authority;
    else if (has_host)
        *ret_value = h->authority;
    return e->authority.p || has_host;
}

bool um_edits_lookup(const struct um_edits *e, const struct um_head *h, struct um_str name, struct um_str *ret_value)
{
    enum um_field_id id = um_field_id_of(name);
    const struct um_edit *first_added = NULL;
    if (id == UM_FIELD_HOST)
        return lookup_host(e, h, ret_value);
    /* backwards: the last SET or REMOVE of the name hides all that came before it */
    for (uint32_t i = e->n_edits; i-- > 0;) {
        const struct um_edit *edit = &e->edits[i];
        if (!is_about(edit, id, name))
            continue;
        if (edit->op != UM_EDIT_REMOVE)
            first_added = edit;
        if (edit->op != UM_EDIT_ADD) {
            if (first_added)
                *ret_value = first_added->value;
            return first_added != NULL;
        }
    }
    const struct um_field *f = first_forwarded(h, name);
    if (f)
        *ret_value = um_field_value(f);
    else if (first_added)
        *ret_value = first_added->value;
    return f || first_added;
}

void um_edits_each(const struct um_edits *e, const struct um_head *h, um_edits_each_f *each, void *ctx)
{
    for (uint32_t i = 0; i < h->n_fields; i++) {
        const struct um_field *f = &h->fields[i];
        struct um_str name = um_field_name(f);
        if (!um_field_id_is_codecs(f->id) && !f->is_nominated && !um_edits_cut(e, 0, f->id, name))
            each(ctx, name, um_field_value(f));
    }
    for (uint32_t i = 0; i < e->n_edits; i++) {
        const struct um_edit *edit = &e->edits[i];
        if (edit->op != UM_EDIT_REMOVE && !um_edits_cut(e, i + 1, edit->id, edit->name))
            each(ctx, edit->name, edit->value);
    }
}
