/* SPDX-License-Identifier: Apache-2.0 */
#include "route/index.h"

#include "route/key.h"

/* A request that has more keys than this is matched by the plain scan, so that repeating a parameter a thousand times
 * does not try the same routes a thousand times. */
enum { MAX_KEYS_TRIED = 64 };

struct search {
    const struct um_route_index *index;
    const struct um_route *routes;
    const struct um_route_view *view;
    uint32_t best; /* place of the first match so far */
    uint32_t n_keys_tried;
};

static void try_places(struct search *s, struct um_places places)
{
    for (uint32_t i = 0; i < places.n && places.at[i] < s->best; i++)
        if (um_route_matches_view(&s->routes[places.at[i]], s->view)) {
            s->best = places.at[i];
            return;
        }
}

static void try_key(struct search *s, uint64_t hash)
{
    const struct um_route_index *index = s->index;
    for (uint32_t i = (uint32_t)hash & (index->n_slots - 1); index->slots[i].places.n;
         i = (i + 1) & (index->n_slots - 1))
        if (index->slots[i].hash == hash) {
            if (s->n_keys_tried++ < MAX_KEYS_TRIED)
                try_places(s, index->slots[i].places);
            return;
        }
}

static void try_paths(struct search *s, const struct um_trie *trie)
{
    struct um_str rest = s->view->path;
    const struct um_trie_node *node = um_trie_first(trie, &rest);
    for (; node && node->least < s->best; node = um_trie_next(trie, node, &rest)) {
        try_places(s, node->prefixes);
        if (rest.n == 0)
            try_places(s, node->exacts);
    }
}

static bool has_length(uint64_t lengths, size_t n)
{
    return n <= UM_KEY_NAME_BYTES && n && lengths >> (n - 1) & 1;
}

static void try_header(struct search *s, enum um_field_id id, struct um_str name, struct um_str value)
{
    const struct um_route_names *names = &s->index->names;
    char lower[UM_KEY_NAME_BYTES];
    if (id != UM_FIELD_OTHER ? !(names->ids >> id & 1) : !has_length(names->header_lengths, name.n))
        return;
    if (id == UM_FIELD_OTHER)
        for (size_t i = 0; i < name.n; i++)
            lower[i] = um_lower(name.p[i]);
    uint64_t hash = um_key_hash_header_name(id, (struct um_str){lower, name.n});
    try_key(s, um_key_hash_value(hash, value));
    if (names->has_header_name_keys)
        try_key(s, hash);
}

static void try_headers(struct search *s)
{
    const struct um_route_request *r = s->view->request;
    if ((s->index->names.ids | s->index->names.header_lengths) == 0)
        return;
    for (uint32_t i = 0; i < r->head->n_fields; i++) {
        const struct um_field *f = &r->head->fields[i];
        try_header(s, f->id, um_field_name(f), um_field_value(f));
    }
    for (uint32_t i = 0; r->edits && i < r->edits->n_edits; i++) {
        const struct um_edit *e = &r->edits->edits[i];
        try_header(s, e->id, e->name, e->value);
    }
}

static void try_query(struct search *s)
{
    const struct um_route_names *names = &s->index->names;
    struct um_str rest = s->view->query;
    while (rest.n && names->query_lengths) {
        ptrdiff_t amp = um_str_find(rest, '&');
        struct um_str item = {rest.p, amp < 0 ? rest.n : (size_t)amp};
        ptrdiff_t equals = um_str_find(item, '=');
        struct um_str name = {item.p, equals < 0 ? item.n : (size_t)equals};
        rest = um_str_skip(rest, item.n + 1);
        if (!has_length(names->query_lengths, name.n))
            continue;
        uint64_t hash = um_key_hash_query_name(name);
        try_key(s, um_key_hash_value(hash, um_str_skip(item, name.n + 1)));
        if (names->has_query_name_keys)
            try_key(s, hash);
    }
}

static void try_values(struct search *s)
{
    const struct um_route_index *index = s->index;
    if (index->least_in_slots >= s->best)
        return;
    if (index->has_authority_keys)
        try_key(s, um_key_hash(UM_KEY_AUTHORITY, s->view->request->authority));
    if (index->has_method_keys)
        try_key(s, um_key_hash(UM_KEY_METHOD, s->view->method));
    try_headers(s);
    try_query(s);
}

static uint32_t find(const struct um_virtual_host *vh, const struct um_route_view *view)
{
    struct search s = {vh->index, vh->routes, view, vh->n_routes, 0};
    try_paths(&s, &s.index->paths);
    try_paths(&s, &s.index->folded_paths);
    try_values(&s);
    if (s.n_keys_tried > MAX_KEYS_TRIED)
        return um_route_scan(vh, view, s.best);
    try_places(&s, s.index->unfiled);
    return s.best;
}

const struct um_route *um_route_match(const struct um_virtual_host *vh, const struct um_route_request *request)
{
    struct um_route_view view;
    if (vh->n_routes && vh->routes[0].match.path.kind == UM_MATCH_ANY && vh->routes[0].match.n_conditions == 0)
        return &vh->routes[0];
    um_route_view_init(&view, request);
    uint32_t place = vh->index ? find(vh, &view) : um_route_scan(vh, &view, vh->n_routes);
    return place < vh->n_routes ? &vh->routes[place] : NULL;
}
