/* SPDX-License-Identifier: Apache-2.0
 * The values of single fields: text, numbers, durations, lists and maps of them. */
#include "istio/decode.h"

#include "config/scalar.h"

static const char *quoted_hint(struct um_decoder *d, struct um_str text)
{
    return um_arena_printf(d->arena, "quote it: \"%.*s\"", UM_STR_ARG(text)).p;
}

static bool is_quoted_text(const struct um_node *node)
{
    return node->kind == UM_NODE_SCALAR && node->is_quoted;
}

/* a number or boolean in quotes deserves another hint than a wrong word */
static void wrong_scalar(struct um_decoder *d, const struct um_place *at, const char *wanted, bool is_meant)
{
    const struct um_node *node = at->node;
    const char *hint = is_quoted_text(node) && is_meant ? "remove the quotes" : NULL;
    bool is_number = node->kind == UM_NODE_SCALAR && um_scalar_type(node) >= UM_SCALAR_INT;
    if (is_number) /* of another form: a fraction, 0x10, .inf */
        um_decode_fault(d, at, NULL, "must be %s, not %.*s", wanted, UM_STR_ARG(node->text));
    else
        um_complain(d->diag, UM_SEVERITY_ERROR, at, NULL, hint, "must be %s, not %s", wanted, um_node_what(node));
}

void um_decode_wrong_type(struct um_decoder *d, const struct um_place *at, const char *wanted)
{
    um_complain(d->diag, UM_SEVERITY_ERROR, at, NULL, NULL, "must be %s, not %s", wanted, um_node_what(at->node));
}

/* ---- text ---- */

static bool text_of(struct um_decoder *d, const struct um_place *at, bool takes_number, struct um_str *ret_text)
{
    const struct um_node *node = at->node;
    enum um_scalar_type type = node->kind == UM_NODE_SCALAR ? um_scalar_type(node) : UM_SCALAR_NULL;
    bool is_number = type == UM_SCALAR_INT || type == UM_SCALAR_FLOAT;
    if (type == UM_SCALAR_TEXT || (takes_number && is_number)) {
        *ret_text = node->text;
        if (um_str_find(node->text, '\0') < 0)
            return true;
        um_decode_fault(d, at, NULL, "must not contain a NUL character");
    } else if (type == UM_SCALAR_NULL) {
        um_decode_wrong_type(d, at, "text");
    } else {
        um_complain(d->diag, UM_SEVERITY_ERROR, at, NULL, quoted_hint(d, node->text),
                    "must be text, but `%.*s` without quotes is %s", UM_STR_ARG(node->text), um_node_what(node));
    }
    return false;
}

static bool follows_rule(struct um_decoder *d, const struct um_field_row *row, const struct um_place *at,
                         struct um_str text)
{
    const char *wrong = row->rule ? row->rule(text, d->arena) : NULL;
    if (wrong)
        um_decode_fault(d, at, NULL, "%s", wrong);
    return !wrong;
}

static void read_text(struct um_decoder *d, const struct um_field_row *row, const struct um_place *at, void *member)
{
    struct um_str text, *to = member;
    if (text_of(d, at, row->type == UM_TYPE_TEXT_OR_NUMBER, &text) && follows_rule(d, row, at, text))
        *to = text;
}

static struct um_place place_of_item(const struct um_place *list, uint32_t i)
{
    return (struct um_place){list->up, list->meta, list->node->items[i], list->key, (int32_t)i};
}

static void read_texts(struct um_decoder *d, const struct um_field_row *row, const struct um_place *at, void *member)
{
    struct um_strs *to = member;
    if (at->node->kind != UM_NODE_SEQ) {
        um_decode_wrong_type(d, at, "a list of texts");
        return;
    }
    to->items = um_decode_alloc(d, at->node->n, sizeof *to->items);
    for (uint32_t i = 0; to->items && i < at->node->n; i++) {
        struct um_place item = place_of_item(at, i);
        struct um_str text = UM_STR(""); /* what is wrong keeps its place, so that items[i] is the file's i */
        if (text_of(d, &item, false, &text))
            follows_rule(d, row, &item, text);
        to->items[to->n++] = text;
    }
}

static void read_pairs(struct um_decoder *d, const struct um_field_row *row, const struct um_place *at, void *member)
{
    struct um_pairs *to = member;
    if (at->node->kind != UM_NODE_MAP) {
        um_decode_wrong_type(d, at, "a mapping of texts");
        return;
    }
    to->items = um_decode_alloc(d, at->node->n, sizeof *to->items);
    for (uint32_t i = 0; to->items && i < at->node->n; i++) {
        const struct um_entry *entry = &at->node->entries[i];
        struct um_place value = {at, at->meta, entry->value, entry->key, -1};
        struct um_str text = UM_STR("");
        bool is_empty = um_node_is_null(entry->value); /* `key:` is an empty label to kubectl */
        if (is_empty || text_of(d, &value, false, &text))
            to->items[to->n++] = (struct um_pair){entry->key, text};
    }
}

/* ---- numbers ---- */

static void out_of_range(struct um_decoder *d, const struct um_field_row *row, const struct um_place *at)
{
    struct um_str text = at->node->text;
    if (row->max)
        um_decode_fault(d, at, NULL, "must be between %lld and %lld, not %.*s", (long long)row->min,
                        (long long)row->max, UM_STR_ARG(text));
    else
        um_decode_fault(d, at, NULL, "must be at least %lld, not %.*s", (long long)row->min, UM_STR_ARG(text));
}

static bool number_of(struct um_decoder *d, const struct um_field_row *row, const struct um_place *at,
                      uint32_t *ret_value)
{
    int64_t v = 0, max = row->max ? row->max : UINT32_MAX;
    const struct um_node *node = at->node;
    int rc = node->kind == UM_NODE_SCALAR ? um_scalar_to_int(node->text, &v) : UM_ESYNTAX;
    if (rc == UM_ESYNTAX || node->is_quoted) {
        wrong_scalar(d, at, "a whole number", rc == 0);
        return false;
    }
    if (rc || v < row->min || v > max) {
        out_of_range(d, row, at);
        return false;
    }
    *ret_value = (uint32_t)v;
    return true;
}

static void read_opt_u32(struct um_decoder *d, const struct um_field_row *row, const struct um_place *at, void *member)
{
    struct um_opt_u32 *to = member;
    to->is_set = number_of(d, row, at, &to->value);
}

static void read_opt_double(struct um_decoder *d, const struct um_field_row *row, const struct um_place *at,
                            void *member)
{
    struct um_opt_double *to = member;
    const struct um_node *node = at->node;
    double v = 0;
    int rc = node->kind == UM_NODE_SCALAR ? um_scalar_to_double(node->text, &v) : UM_ESYNTAX;
    if (rc == UM_ESYNTAX || node->is_quoted)
        wrong_scalar(d, at, "a number", rc == 0);
    else if (rc || v < (double)row->min || (row->max && v > (double)row->max))
        out_of_range(d, row, at);
    else
        *to = (struct um_opt_double){true, v};
}

static void read_named_ports(struct um_decoder *d, const struct um_field_row *row, const struct um_place *at,
                             void *member)
{
    static const struct um_field_row PORT = {.min = 1, .max = 65535};
    struct um_named_ports *to = member;
    if (at->node->kind != UM_NODE_MAP) {
        um_decode_wrong_type(d, at, "a mapping of port names to numbers");
        return;
    }
    to->items = um_decode_alloc(d, at->node->n, sizeof *to->items);
    for (uint32_t i = 0; to->items && i < at->node->n; i++) {
        const struct um_entry *entry = &at->node->entries[i];
        struct um_place value = {at, at->meta, entry->value, entry->key, -1};
        uint32_t number;
        if (number_of(d, &PORT, &value, &number))
            to->items[to->n++] = (struct um_named_port){entry->key, number};
    }
}

/* ---- booleans, durations, quantities, enums ---- */

static bool bool_of(struct um_decoder *d, const struct um_place *at, bool *ret_value)
{
    const struct um_node *node = at->node;
    bool is_meant = node->kind == UM_NODE_SCALAR && um_scalar_to_bool(node->text, ret_value) == 0;
    if (is_meant && !node->is_quoted)
        return true;
    wrong_scalar(d, at, "true or false", is_meant);
    return false;
}

static void read_bool(struct um_decoder *d, const struct um_field_row *row, const struct um_place *at, void *member)
{
    bool v;
    if (bool_of(d, at, &v))
        *(bool *)member = v;
}

static void read_opt_bool(struct um_decoder *d, const struct um_field_row *row, const struct um_place *at, void *member)
{
    struct um_opt_bool *to = member;
    to->is_set = bool_of(d, at, &to->value);
}

static void read_opt_ms(struct um_decoder *d, const struct um_field_row *row, const struct um_place *at, void *member)
{
    struct um_opt_ms *to = member;
    const struct um_node *node = at->node;
    bool is_exact = true;
    uint64_t ms = 0;
    if (node->kind != UM_NODE_SCALAR || um_scalar_type(node) != UM_SCALAR_TEXT) {
        um_decode_wrong_type(d, at, "a duration such as 5s or 250ms");
        return;
    }
    int rc = um_str_to_ms(node->text, &ms, &is_exact);
    if (rc)
        um_decode_fault(d, at, NULL, rc == UM_ELIMIT ? "is too long" : "must be a duration such as 5s or 250ms");
    else if (ms < (uint64_t)row->min || !is_exact)
        um_decode_fault(d, at, NULL,
                        row->min ? "must be at least 1ms, in whole milliseconds" : "must be in whole milliseconds");
    else
        *to = (struct um_opt_ms){true, ms};
}

static void read_opt_bytes(struct um_decoder *d, const struct um_field_row *row, const struct um_place *at,
                           void *member)
{
    struct um_opt_bytes *to = member;
    uint64_t bytes = 0;
    int rc = at->node->kind == UM_NODE_SCALAR ? um_str_to_bytes(at->node->text, &bytes) : UM_ESYNTAX;
    if (rc)
        um_decode_fault(d, at, NULL,
                        rc == UM_ELIMIT ? "is too large" : "must be a number of bytes such as 65536, 64Ki or 1Mi");
    else
        *to = (struct um_opt_bytes){true, bytes};
}

static struct um_str join_names(const struct um_enum_name *names, struct um_buf *out)
{
    for (const struct um_enum_name *n = names; n->name; n++)
        um_buf_addf(out, "%s%s", out->n ? ", " : "", n->name);
    return um_buf_str(out);
}

static void read_enum(struct um_decoder *d, const struct um_field_row *row, const struct um_place *at, void *member)
{
    struct um_str text;
    struct um_buf known;
    if (!text_of(d, at, false, &text))
        return;
    for (const struct um_enum_name *n = row->names; n->name; n++)
        if (um_str_eq(text, um_str_from(n->name))) {
            memcpy(member, &n->value, sizeof n->value);
            return;
        }
    um_buf_init(&known, 0);
    join_names(row->names, &known);
    um_decode_fault(d, at, NULL, "must be one of %.*s, not `%.*s`", UM_STR_ARG(um_buf_str(&known)), UM_STR_ARG(text));
    um_buf_release(&known);
}

/* ---- by type ---- */

typedef void read_f(struct um_decoder *, const struct um_field_row *, const struct um_place *at, void *member);

static read_f *const READ[UM_TYPES] = {
    [UM_TYPE_TEXT] = read_text,         [UM_TYPE_TEXT_OR_NUMBER] = read_text, [UM_TYPE_BOOL] = read_bool,
    [UM_TYPE_OPT_BOOL] = read_opt_bool, [UM_TYPE_OPT_U32] = read_opt_u32,     [UM_TYPE_OPT_DOUBLE] = read_opt_double,
    [UM_TYPE_OPT_MS] = read_opt_ms,     [UM_TYPE_OPT_BYTES] = read_opt_bytes, [UM_TYPE_ENUM] = read_enum,
    [UM_TYPE_TEXTS] = read_texts,       [UM_TYPE_PAIRS] = read_pairs,         [UM_TYPE_NAMED_PORTS] = read_named_ports,
};

void um_decode_value(struct um_decoder *d, const struct um_field_row *row, const struct um_place *at, void *object)
{
    READ[row->type](d, row, at, (char *)object + row->offset);
}
