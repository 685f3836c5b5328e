/* SPDX-License-Identifier: Apache-2.0 */
#include "route/key.h"

uint64_t um_key_hash_header_name(enum um_field_id id, struct um_str lower_name)
{
    return id == UM_FIELD_OTHER ? um_str_hash_seed(lower_name, UM_KEY_HEADER) : (uint64_t)id * 0x9E3779B97F4A7C15;
}

uint64_t um_key_hash_query_name(struct um_str name)
{
    return um_str_hash_seed(name, UM_KEY_QUERY);
}

uint64_t um_key_hash_value(uint64_t name_hash, struct um_str value)
{
    return um_str_hash_seed(value, name_hash);
}

uint64_t um_key_hash(enum um_key_kind kind, struct um_str value)
{
    return um_str_hash_seed(value, (uint64_t)kind << 32);
}

static bool path_key(const struct um_string_match *m, struct um_key *key)
{
    bool is_exact = m->kind == UM_MATCH_EXACT;
    key->folds_case = m->ignore_case;
    key->path = m->kind == UM_MATCH_REGEX ? um_regex_literal_prefix(m->regex) : m->value;
    key->kind = is_exact ? UM_KEY_PATH : UM_KEY_PREFIX;
    key->hash = um_key_hash(key->kind, key->path);
    return is_exact || ((m->kind == UM_MATCH_PREFIX || m->kind == UM_MATCH_REGEX) && key->path.n);
}

/* exact: name and value; else the name alone, for every other match needs the header to be there as well */
static void named_key(const struct um_string_match *m, enum um_key_kind with_value, enum um_key_kind name_alone,
                      uint64_t name_hash, struct um_key *key)
{
    bool is_exact = m->kind == UM_MATCH_EXACT && !m->ignore_case;
    key->kind = is_exact ? with_value : name_alone;
    key->hash = is_exact ? um_key_hash_value(name_hash, m->value) : name_hash;
}

static bool exact_key(const struct um_string_match *m, enum um_key_kind kind, struct um_key *key)
{
    key->kind = kind;
    key->hash = um_key_hash(kind, m->value);
    return m->kind == UM_MATCH_EXACT && !m->ignore_case;
}

static bool header_key(const struct um_condition *c, struct um_key *key)
{
    if (c->id == UM_FIELD_HOST)
        return exact_key(&c->match, UM_KEY_AUTHORITY, key);
    if (c->name.n == 0 || c->name.n > UM_KEY_NAME_BYTES || c->name.p[0] == ':')
        return false;
    key->id = c->id;
    named_key(&c->match, UM_KEY_HEADER, UM_KEY_HEADER_NAME, um_key_hash_header_name(c->id, c->name), key);
    return true;
}

static bool condition_key(const struct um_condition *c, struct um_key *key)
{
    if (c->is_inverted)
        return false;
    key->name = c->name;
    switch (c->subject) {
    case UM_SUBJECT_HEADER:
        return header_key(c, key);
    case UM_SUBJECT_METHOD:
        return exact_key(&c->match, UM_KEY_METHOD, key);
    case UM_SUBJECT_AUTHORITY:
        return exact_key(&c->match, UM_KEY_AUTHORITY, key);
    case UM_SUBJECT_QUERY:
        named_key(&c->match, UM_KEY_QUERY, UM_KEY_QUERY_NAME, um_key_hash_query_name(c->name), key);
        return c->name.n && c->name.n <= UM_KEY_NAME_BYTES;
    case UM_SUBJECT_SCHEME:
        return false;
    }
    return false;
}

bool um_key_of(const struct um_route_match *m, uint32_t i, struct um_key *ret_key)
{
    *ret_key = (struct um_key){.kind = UM_KEY_NONE};
    return i == 0 ? path_key(&m->path, ret_key) : condition_key(&m->conditions[i - 1], ret_key);
}
