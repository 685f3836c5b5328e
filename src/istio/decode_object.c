/* SPDX-License-Identifier: Apache-2.0
 * Mappings into structs: finds each field's row, says what is unknown, missing or not supported yet. */
#include "istio/decode.h"

void *um_decode_alloc(struct um_decoder *d, size_t n, size_t size)
{
    void *p = um_arena_array(d->arena, n ? n : 1, size);
    d->no_memory |= !p;
    return p;
}

void *um_decode_claim(struct um_decoder *d, struct um_map *claimed, struct um_str key, void *value)
{
    void *old = um_map_get(claimed, key);
    if (!old && um_map_put(claimed, key, value, &old) != 0)
        d->no_memory = true;
    return old;
}

/* ---- lists and maps of objects ---- */

/* an item's place outlives the call as the object's own */
static void read_item(struct um_decoder *d, const struct um_table *table, const struct um_place *at, void *object)
{
    if (at->node->kind == UM_NODE_MAP) {
        um_decode_object(d, table, at, object);
        return;
    }
    *(struct um_place *)(void *)((char *)object + table->place_offset) = *at;
    um_decode_wrong_type(d, at, "a mapping");
}

static void *set_list(struct um_decoder *d, const struct um_field_row *row, uint32_t n, void *object)
{
    void *items = um_decode_alloc(d, n, row->table->size);
    if (!items)
        return NULL;
    memcpy((char *)object + row->offset, &items, sizeof items);
    memcpy((char *)object + row->n_offset, &n, sizeof n);
    return items;
}

static void read_objects(struct um_decoder *d, const struct um_field_row *row, const struct um_place *at, void *object)
{
    const struct um_node *list = at->node;
    if (list->kind != UM_NODE_SEQ) {
        um_decode_wrong_type(d, at, "a list");
        return;
    }
    char *items = set_list(d, row, list->n, object);
    for (uint32_t i = 0; items && i < list->n; i++) {
        struct um_place item = {at->up, at->meta, list->items[i], at->key, (int32_t)i};
        read_item(d, row->table, &item, items + (size_t)i * row->table->size);
    }
}

static struct um_place *keep_place(struct um_decoder *d, const struct um_place *at)
{
    struct um_place *kept = um_decode_alloc(d, 1, sizeof *kept);
    if (kept)
        *kept = *at;
    return kept;
}

static void read_object_map(struct um_decoder *d, const struct um_field_row *row, const struct um_place *at,
                            void *object)
{
    const struct um_node *map = at->node;
    if (map->kind != UM_NODE_MAP) {
        um_decode_wrong_type(d, at, "a mapping");
        return;
    }
    const struct um_place *up = keep_place(d, at);
    char *items = up ? set_list(d, row, map->n, object) : NULL;
    for (uint32_t i = 0; items && i < map->n; i++) {
        struct um_place item = {up, at->meta, map->entries[i].value, map->entries[i].key, -1};
        read_item(d, row->table, &item, items + (size_t)i * row->table->size);
    }
}

static void read_object(struct um_decoder *d, const struct um_field_row *row, const struct um_place *at, void *object)
{
    if (at->node->kind != UM_NODE_MAP) {
        um_decode_wrong_type(d, at, "a mapping");
        return;
    }
    void *child = um_decode_alloc(d, 1, row->table->size);
    if (!child)
        return;
    memcpy((char *)object + row->offset, &child, sizeof child);
    um_decode_object(d, row->table, at, child);
}

static void read_flat(struct um_decoder *d, const struct um_field_row *row, const struct um_place *at, void *object)
{
    const struct um_place *kept = NULL;
    if (at->node->kind != UM_NODE_MAP)
        um_decode_wrong_type(d, at, "a mapping");
    else
        kept = keep_place(d, at);
    if (kept)
        um_decode_fields(d, row->table, kept, object);
}

static void read_field(struct um_decoder *d, const struct um_field_row *row, const struct um_place *at, void *object)
{
    switch (row->type) {
    case UM_TYPE_UNREAD:
        return;
    case UM_TYPE_OBJECT:
        read_object(d, row, at, object);
        return;
    case UM_TYPE_OBJECTS:
        read_objects(d, row, at, object);
        return;
    case UM_TYPE_OBJECT_MAP:
        read_object_map(d, row, at, object);
        return;
    case UM_TYPE_FLAT:
        read_flat(d, row, at, object);
        return;
    default:
        um_decode_value(d, row, at, object);
    }
}

/* ---- which field it is ---- */

static const struct um_field_row *find_row(const struct um_table *table, struct um_str key)
{
    for (uint32_t i = 0; i < table->n_rows; i++)
        if (um_place_is_name(key, um_str_from(table->rows[i].name)))
            return &table->rows[i];
    return NULL;
}

/* the field that the key is most like: two letters may differ, in long names two of five */
static const char *nearest_name(const struct um_table *table, struct um_str key)
{
    size_t allowed = key.n * 2 / 5 > 2 ? key.n * 2 / 5 : 2;
    unsigned best = (unsigned)(allowed < key.n ? allowed + 1 : key.n);
    const char *nearest = NULL;
    for (uint32_t i = 0; i < table->n_rows; i++) {
        unsigned distance = um_str_distance(key, um_str_from(table->rows[i].name), best);
        if (distance < best) {
            best = distance;
            nearest = table->rows[i].name;
        }
    }
    return nearest;
}

static void unknown_field(struct um_decoder *d, const struct um_table *table, const struct um_place *at,
                          const struct um_entry *entry)
{
    const char *nearest = um_diag_is_full(d->diag, UM_SEVERITY_ERROR) ? NULL : nearest_name(table, entry->key);
    const char *hint = nearest ? um_arena_printf(d->arena, "did you mean `%s`?", nearest).p : NULL;
    um_complain_at(d->diag, UM_SEVERITY_ERROR, at, entry->pos, hint, "unknown field `%.*s`", UM_STR_ARG(entry->key));
}

static void note_support(struct um_decoder *d, const struct um_field_row *row, const struct um_place *at,
                         struct um_pos pos)
{
    static const char *const SAYINGS[] = {
        [UM_DEPRECATED] = "is deprecated",
        [UM_NO_EFFECT] = "is accepted and has no effect yet",
        [UM_UNSUPPORTED] = "is not supported yet",
    };
    enum um_severity severity = row->support == UM_UNSUPPORTED ? UM_SEVERITY_ERROR : UM_SEVERITY_WARNING;
    if (row->support != UM_SUPPORTED)
        um_complain_at(d->diag, severity, at, pos, row->note, "%s", SAYINGS[row->support]);
}

static const char *choice_name(const struct um_table *table, const struct um_field_row *of, int choice)
{
    for (uint32_t i = 0; i < table->n_rows; i++)
        if (table->rows[i].choice == choice && table->rows[i].choice_offset == of->choice_offset)
            return table->rows[i].name;
    return "";
}

/* false: another member of the oneof was given before */
static bool choose(struct um_decoder *d, const struct um_table *table, const struct um_field_row *row,
                   const struct um_place *at, const struct um_entry *entry, void *object)
{
    int chosen, choice = row->choice;
    if (!choice)
        return true;
    char *member = (char *)object + row->choice_offset;
    memcpy(&chosen, member, sizeof chosen);
    if (chosen) {
        um_complain_at(d->diag, UM_SEVERITY_ERROR, at, entry->pos, NULL, "cannot stand beside `%s`",
                       choice_name(table, row, chosen));
        return false;
    }
    memcpy(member, &choice, sizeof choice);
    return true;
}

/* One entry of the mapping; *seen has a bit for every row that was given. */
static void read_entry(struct um_decoder *d, const struct um_table *table, const struct um_place *up,
                       const struct um_entry *entry, void *object, uint64_t *seen)
{
    const struct um_field_row *row = find_row(table, entry->key);
    struct um_place at = {up, up->meta, entry->value, entry->key, -1};
    if (!row) {
        if (!table->is_open)
            unknown_field(d, table, &at, entry);
        return;
    }
    if (um_node_is_null(entry->value))
        return;
    uint64_t bit = (uint64_t)1 << (row - table->rows);
    if (*seen & bit) {
        um_complain_at(d->diag, UM_SEVERITY_ERROR, &at, entry->pos, NULL, "was given before under its other spelling");
        return;
    }
    *seen |= bit;
    note_support(d, row, &at, entry->pos);
    if (choose(d, table, row, &at, entry, object))
        read_field(d, row, &at, object);
}

void um_decode_fields(struct um_decoder *d, const struct um_table *table, const struct um_place *at, void *object)
{
    uint64_t seen = 0;
    for (uint32_t i = 0; i < at->node->n; i++)
        read_entry(d, table, at, &at->node->entries[i], object, &seen);
    for (uint32_t i = 0; i < table->n_rows; i++)
        if (table->rows[i].is_required && !(seen >> i & 1))
            um_decode_fault(d, at, table->rows[i].name, "is missing");
}

void um_decode_object(struct um_decoder *d, const struct um_table *table, const struct um_place *at, void *object)
{
    struct um_place *place = (void *)((char *)object + table->place_offset);
    *place = *at;
    um_decode_fields(d, table, place, object);
    if (table->check)
        table->check(d, object);
}
