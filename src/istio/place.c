/* SPDX-License-Identifier: Apache-2.0 */
#include "istio/place.h"

#include "istio/meta.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

enum { MESSAGE_BYTES = 1024 };

/* proto JSON takes a field's name in camelCase and in the snake_case of its .proto */
bool um_place_is_name(struct um_str key, struct um_str name)
{
    size_t k = 0;
    for (size_t i = 0; i < name.n; i++, k++) {
        bool is_upper = name.p[i] >= 'A' && name.p[i] <= 'Z';
        if (is_upper && k + 1 < key.n && key.p[k] == '_' && key.p[k + 1] == um_lower(name.p[i]))
            k++;
        else if (k >= key.n || key.p[k] != name.p[i])
            return false;
    }
    return k == key.n;
}

static const struct um_entry *find_field(const struct um_node *node, struct um_str name)
{
    if (!node || node->kind != UM_NODE_MAP)
        return NULL;
    for (uint32_t i = 0; i < node->n; i++)
        if (um_place_is_name(node->entries[i].key, name))
            return &node->entries[i];
    return NULL;
}

bool um_place_has(const struct um_place *place, const char *field)
{
    const struct um_entry *entry = find_field(place->node, um_str_from(field));
    bool is_empty_list = entry && entry->value->kind == UM_NODE_SEQ && entry->value->n == 0;
    return entry && !is_empty_list && !um_node_is_null(entry->value);
}

/* ---- paths ---- */

static bool is_plain_key(struct um_str key)
{
    for (size_t i = 0; i < key.n; i++)
        if (!isalnum((unsigned char)key.p[i]) && key.p[i] != '-' && key.p[i] != '_')
            return false;
    return key.n > 0;
}

static void add_step(struct um_buf *out, const struct um_place *place)
{
    if (!is_plain_key(place->key))
        um_buf_addf(out, "[\"%.*s\"]", UM_STR_ARG(place->key));
    else
        um_buf_addf(out, "%s%.*s", out->n ? "." : "", UM_STR_ARG(place->key));
    if (place->index >= 0)
        um_buf_addf(out, "[%d]", (int)place->index);
}

/* nesting is bounded, and so is this recursion */
static void add_path(struct um_buf *out, const struct um_place *place)
{
    if (!place->up)
        return;
    add_path(out, place->up);
    add_step(out, place);
}

struct um_str um_place_path(const struct um_place *place, const char *field, struct um_arena *arena)
{
    struct um_buf out;
    um_buf_init(&out, 0);
    add_path(&out, place);
    if (field)
        um_buf_addf(&out, "%s%s", out.n ? "." : "", field);
    struct um_str path = out.failed ? (struct um_str){NULL, 0} : um_arena_str(arena, um_buf_str(&out));
    um_buf_release(&out);
    return path;
}

/* ---- positions ---- */

static struct um_pos own_pos(const struct um_place *place)
{
    if (place->up && place->index < 0 && place->node->kind != UM_NODE_SCALAR) {
        const struct um_entry *entry = um_node_find(place->up->node, place->key);
        if (entry && entry->value == place->node)
            return entry->pos;
    }
    return place->node->pos;
}

/* the next name of "name[index].rest", and the index or -1 */
static struct um_str take_step(struct um_str *path, long *ret_index)
{
    struct um_str step;
    um_str_split(path, '.', &step);
    ptrdiff_t bracket = um_str_find(step, '[');
    uint64_t index = 0;
    *ret_index = -1;
    if (bracket >= 0) {
        struct um_str digits = um_str_skip(step, (size_t)bracket + 1);
        digits.n -= digits.n > 0;
        if (um_str_to_u64(digits, INT32_MAX, &index) == 0)
            *ret_index = (long)index;
        step.n = (size_t)bracket;
    }
    return step;
}

struct um_pos um_place_pos(const struct um_place *place, const char *field)
{
    const struct um_node *node = place->node;
    struct um_pos pos = own_pos(place);
    struct um_str rest = um_str_from(field);
    while (rest.p) {
        long index;
        const struct um_entry *entry = find_field(node, take_step(&rest, &index));
        if (!entry)
            return pos;
        node = entry->value;
        pos = entry->pos;
        if (index >= 0 && node->kind == UM_NODE_SEQ && index < (long)node->n) {
            node = node->items[index];
            pos = node->pos;
        }
    }
    return node->kind == UM_NODE_SCALAR ? node->pos : pos;
}

/* ---- complaints ---- */

static void say(struct um_diag *diag, enum um_severity severity, const struct um_place *place, struct um_pos pos,
                struct um_diag_about about, const char *format, va_list args)
{
    char message[MESSAGE_BYTES];
    vsnprintf(message, sizeof message, format, args);
    if (place->meta)
        about.resource = place->meta->resource;
    um_diag_add(diag, severity, pos, about, "%s", message);
}

/* Looking a place up costs as much as its mapping is long: a file of a million faults must not pay for each. */
static bool only_counts(struct um_diag *diag, enum um_severity severity)
{
    if (!um_diag_is_full(diag, severity))
        return false;
    um_diag_add(diag, severity, (struct um_pos){0}, (struct um_diag_about){0}, " ");
    return true;
}

void um_complain(struct um_diag *diag, enum um_severity severity, const struct um_place *place, const char *field,
                 const char *hint, const char *format, ...)
{
    va_list args;
    if (only_counts(diag, severity))
        return;
    struct um_diag_about about = {.field = um_place_path(place, field, &diag->arena), .hint = um_str_from(hint)};
    va_start(args, format);
    say(diag, severity, place, um_place_pos(place, field), about, format, args);
    va_end(args);
}

void um_complain_at(struct um_diag *diag, enum um_severity severity, const struct um_place *place, struct um_pos pos,
                    const char *hint, const char *format, ...)
{
    va_list args;
    if (only_counts(diag, severity))
        return;
    struct um_diag_about about = {.field = um_place_path(place, NULL, &diag->arena), .hint = um_str_from(hint)};
    va_start(args, format);
    say(diag, severity, place, pos, about, format, args);
    va_end(args);
}

/* ---- pairs ---- */

const struct um_str *um_pairs_get(const struct um_pairs *pairs, struct um_str key)
{
    for (uint32_t i = 0; i < pairs->n; i++)
        if (um_str_eq(pairs->items[i].key, key))
            return &pairs->items[i].value;
    return NULL;
}

bool um_pairs_contain(const struct um_pairs *labels, const struct um_pairs *selector)
{
    for (uint32_t i = 0; i < selector->n; i++) {
        const struct um_str *value = um_pairs_get(labels, selector->items[i].key);
        if (!value || !um_str_eq(*value, selector->items[i].value))
            return false;
    }
    return true;
}
