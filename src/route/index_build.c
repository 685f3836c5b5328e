/* SPDX-License-Identifier: Apache-2.0 */
#include "route/index.h"
#include "route/key.h"

#include <stdlib.h>

struct value_key {
    uint64_t hash;
    uint32_t place;
};

struct builder {
    const struct um_virtual_host *vh;
    struct um_arena *arena;  /* what stays */
    struct um_arena scratch; /* what does not */
    struct um_route_index *index;
    uint64_t *hashes; /* of all keys of all routes, sorted */
    uint32_t n_hashes;
    /* the routes, by what they are filed under */
    struct um_trie_key *paths, *folded_paths;
    struct value_key *values;
    uint32_t *unfiled;
    uint32_t n_paths, n_folded_paths, n_values, n_unfiled;
};

/* ---- choosing a key ------------------------------------------------------------------------------ */

static int u64_cmp(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static int collect_hashes(struct builder *b)
{
    size_t most = 0;
    for (uint32_t r = 0; r < b->vh->n_routes; r++)
        most += 1 + (size_t)b->vh->routes[r].match.n_conditions;
    b->hashes = um_arena_array(&b->scratch, most, sizeof *b->hashes);
    if (!b->hashes)
        return UM_ENOMEM;
    for (uint32_t r = 0; r < b->vh->n_routes; r++) {
        const struct um_route_match *m = &b->vh->routes[r].match;
        struct um_key key;
        for (uint32_t i = 0; i <= m->n_conditions; i++)
            if (um_key_of(m, i, &key))
                b->hashes[b->n_hashes++] = key.hash;
    }
    qsort(b->hashes, b->n_hashes, sizeof *b->hashes, u64_cmp);
    return 0;
}

/* how many hashes are less than `hash`, or not greater */
static uint32_t hashes_below(const struct builder *b, uint64_t hash, bool or_equal)
{
    uint32_t from = 0, to = b->n_hashes;
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        if (b->hashes[middle] < hash || (or_equal && b->hashes[middle] == hash))
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static struct um_key best_key(const struct builder *b, const struct um_route_match *m)
{
    struct um_key best = {.kind = UM_KEY_NONE}, key;
    uint32_t best_n = UINT32_MAX;
    for (uint32_t i = 0; i <= m->n_conditions; i++) {
        if (!um_key_of(m, i, &key))
            continue;
        uint32_t n = hashes_below(b, key.hash, true) - hashes_below(b, key.hash, false);
        if (n < best_n || (n == best_n && key.kind < best.kind)) {
            best = key;
            best_n = n;
        }
    }
    return best;
}

/* ---- filing ------------------------------------------------------------------------------------- */

static int file_path(struct builder *b, const struct um_key *key, uint32_t place)
{
    struct um_trie_key filed = {key->path, key->kind == UM_KEY_PATH, place};
    if (!key->folds_case) {
        b->paths[b->n_paths++] = filed;
        return 0;
    }
    char *lower = um_arena_alloc(b->arena, key->path.n + 1);
    if (!lower)
        return UM_ENOMEM;
    for (size_t i = 0; i < key->path.n; i++)
        lower[i] = um_lower(key->path.p[i]);
    filed.path.p = lower;
    b->folded_paths[b->n_folded_paths++] = filed;
    return 0;
}

static void note_name(struct um_route_index *index, const struct um_key *key)
{
    struct um_route_names *names = &index->names;
    uint64_t length = key->name.n ? 1ULL << (key->name.n - 1) : 0;
    bool is_header = key->kind == UM_KEY_HEADER || key->kind == UM_KEY_HEADER_NAME;
    if (is_header && key->id != UM_FIELD_OTHER)
        names->ids |= 1ULL << key->id;
    else if (is_header)
        names->header_lengths |= length;
    else if (key->kind == UM_KEY_QUERY || key->kind == UM_KEY_QUERY_NAME)
        names->query_lengths |= length;
    names->has_header_name_keys |= key->kind == UM_KEY_HEADER_NAME;
    names->has_query_name_keys |= key->kind == UM_KEY_QUERY_NAME;
    index->has_authority_keys |= key->kind == UM_KEY_AUTHORITY;
    index->has_method_keys |= key->kind == UM_KEY_METHOD;
}

static int file_routes(struct builder *b)
{
    for (uint32_t place = 0; place < b->vh->n_routes; place++) {
        struct um_key key = best_key(b, &b->vh->routes[place].match);
        if (key.kind == UM_KEY_NONE) {
            b->unfiled[b->n_unfiled++] = place;
        } else if (um_key_is_path(&key)) {
            int rc = file_path(b, &key, place);
            if (rc)
                return rc;
        } else {
            b->values[b->n_values++] = (struct value_key){key.hash, place};
            note_name(b->index, &key);
        }
    }
    return 0;
}

/* ---- slots -------------------------------------------------------------------------------------- */

static int value_key_cmp(const void *a, const void *b)
{
    const struct value_key *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash > y->hash ? 1 : -1;
    return (x->place > y->place) - (x->place < y->place);
}

static void put_slot(struct um_route_index *index, uint64_t hash, struct um_places places)
{
    uint32_t i = (uint32_t)hash & (index->n_slots - 1);
    while (index->slots[i].places.n)
        i = (i + 1) & (index->n_slots - 1);
    index->slots[i] = (struct um_route_slot){hash, places};
    if (places.at[0] < index->least_in_slots)
        index->least_in_slots = places.at[0];
}

static int build_slots(struct builder *b)
{
    struct um_route_index *index = b->index;
    index->n_slots = 1;
    while (index->n_slots < 2 * b->n_values + 1)
        index->n_slots *= 2;
    uint32_t *places = um_arena_array(b->arena, b->n_values, sizeof *places);
    index->slots = um_arena_array(b->arena, index->n_slots, sizeof *index->slots);
    if (!places || !index->slots)
        return UM_ENOMEM;
    index->least_in_slots = UINT32_MAX;
    qsort(b->values, b->n_values, sizeof *b->values, value_key_cmp);
    for (uint32_t from = 0, to = 0; from < b->n_values; from = to) {
        for (; to < b->n_values && b->values[to].hash == b->values[from].hash; to++)
            places[to] = b->values[to].place;
        put_slot(index, b->values[from].hash, (struct um_places){places + from, to - from});
    }
    return 0;
}

/* ---- the whole ---------------------------------------------------------------------------------- */

static int reserve(struct builder *b)
{
    size_t n = b->vh->n_routes;
    b->index = um_arena_zalloc(b->arena, sizeof *b->index);
    b->paths = um_arena_array(&b->scratch, n, sizeof *b->paths);
    b->folded_paths = um_arena_array(&b->scratch, n, sizeof *b->folded_paths);
    b->values = um_arena_array(&b->scratch, n, sizeof *b->values);
    b->unfiled = um_arena_array(b->arena, n, sizeof *b->unfiled);
    return b->index && b->paths && b->folded_paths && b->values && b->unfiled ? 0 : UM_ENOMEM;
}

static int build(struct builder *b)
{
    int rc = reserve(b);
    if (rc == 0)
        rc = collect_hashes(b);
    if (rc == 0)
        rc = file_routes(b);
    if (rc == 0)
        rc = build_slots(b);
    if (rc == 0)
        rc = um_trie_build(&b->index->paths, b->paths, b->n_paths, false, b->arena);
    if (rc == 0)
        rc = um_trie_build(&b->index->folded_paths, b->folded_paths, b->n_folded_paths, true, b->arena);
    return rc;
}

int um_route_index_new(const struct um_virtual_host *vh, struct um_arena *arena, struct um_route_index **ret_index)
{
    struct builder b = {.vh = vh, .arena = arena};
    um_arena_init(&b.scratch, NULL, 0);
    int rc = build(&b);
    um_arena_release(&b.scratch);
    if (rc)
        return rc;
    b.index->unfiled = (struct um_places){b.unfiled, b.n_unfiled};
    *ret_index = b.index;
    return 0;
}
