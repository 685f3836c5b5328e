/* SPDX-License-Identifier: Apache-2.0
 * key: what a request must have for a route to match. A value key is a 64-bit hash of subject, name and value; two that
 * collide share a list, which costs a comparison and nothing else. Internal to route/. Thread: any (pure). */
#ifndef UM_ROUTE_KEY_H
#define UM_ROUTE_KEY_H

#include "model/route.h"

/* in order of preference among keys that equally many routes share */
enum um_key_kind {
    UM_KEY_PATH,
    UM_KEY_HEADER,
    UM_KEY_QUERY,
    UM_KEY_AUTHORITY,
    UM_KEY_PREFIX,
    UM_KEY_METHOD,
    UM_KEY_HEADER_NAME, /* it is there */
    UM_KEY_QUERY_NAME,
    UM_KEY_NONE,
};

/* longer names have no keys: a lookup folds names to lower case in a buffer of this size */
enum { UM_KEY_NAME_BYTES = 64 };

struct um_key {
    enum um_key_kind kind;
    bool folds_case; /* PATH and PREFIX */
    struct um_str path;
    enum um_field_id id; /* of HEADER and HEADER_NAME */
    struct um_str name;  /* of the header or parameter */
    uint64_t hash;
};

uint64_t um_key_hash_header_name(enum um_field_id, struct um_str lower_name);
uint64_t um_key_hash_query_name(struct um_str name);
/* of a header or parameter with that value, from the hash of its name */
uint64_t um_key_hash_value(uint64_t name_hash, struct um_str value);
uint64_t um_key_hash(enum um_key_kind, struct um_str value); /* AUTHORITY, METHOD */

/* key number i of a route, 0 to n_conditions; false: it is none */
bool um_key_of(const struct um_route_match *, uint32_t i, struct um_key *ret_key);

static inline bool um_key_is_path(const struct um_key *key)
{
    return key->kind == UM_KEY_PATH || key->kind == UM_KEY_PREFIX;
}

#endif
