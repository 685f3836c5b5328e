/* SPDX-License-Identifier: Apache-2.0
 * index: the routes of one virtual host, each filed under its most selective key: of its exact path, its path prefix
 * (or what every match of its regex begins with), and its exact header, query parameter, authority or method, the one
 * that the fewest routes share. A lookup tries the routes under the keys that the request has, in full
 * (um_route_matches_view), so a key only needs to be necessary, and keeps the first in order. Routes without a key are
 * tried one by one, after the others. Internal to route/. Owner: the snapshot's arena. Thread: any, once built. */
#ifndef UM_ROUTE_INDEX_H
#define UM_ROUTE_INDEX_H

#include "route/match.h"
#include "route/trie.h"

/* routes that share the key of a header, parameter, authority or method */
struct um_route_slot {
    uint64_t hash;
    struct um_places places; /* none: the slot is free */
};

/* which names occur in keys: known fields by id, the rest by their length, which spares hashing most of a request's
 * names */
struct um_route_names {
    uint64_t ids, header_lengths, query_lengths;
    bool has_header_name_keys, has_query_name_keys;
};

struct um_route_index {
    struct um_trie paths, folded_paths;
    struct um_route_slot *slots; /* open addressing, never full */
    uint32_t n_slots;            /* a power of two */
    uint32_t least_in_slots;     /* place; UINT32_MAX: nothing in slots */
    bool has_authority_keys, has_method_keys;
    struct um_route_names names;
    struct um_places unfiled;
};

_Static_assert(UM_FIELD_COUNT <= 64, "um_route_names.ids has a bit for each");

/* UM_ENOMEM */
int um_route_index_new(const struct um_virtual_host *, struct um_arena *,
                       struct um_route_index **ret_index) UM_MUST_CHECK;

#endif
