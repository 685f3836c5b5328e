/* SPDX-License-Identifier: Apache-2.0 */
#include "istio/compile_context.h"

#include "istio/compile_grow.h"
#include "istio/names.h"

void *um_compile_items(struct um_compile *c, size_t n, size_t size)
{
    void *items = um_items_new(&c->snapshot->arena, n, size);
    if (!items)
        c->rc = UM_ENOMEM;
    return items;
}

struct um_str um_compile_made(struct um_compile *c, struct um_str s)
{
    if (!s.p)
        c->rc = UM_ENOMEM;
    return s;
}

struct um_str um_compile_keep(struct um_compile *c, struct um_str s)
{
    return s.n ? um_compile_made(c, um_arena_str(&c->snapshot->arena, s)) : (struct um_str){NULL, 0};
}

struct um_str um_compile_keep_lower(struct um_compile *c, struct um_str s)
{
    return s.n ? um_compile_made(c, um_name_lower(&c->snapshot->arena, s)) : (struct um_str){NULL, 0};
}

void um_compile_put(struct um_compile *c, struct um_map *map, struct um_str key, void *value)
{
    int rc = um_map_put(map, key, value, NULL);
    if (rc)
        c->rc = rc;
}

struct um_regex *um_compile_regex(struct um_compile *c, struct um_str pattern)
{
    struct um_snapshot *s = c->snapshot;
    struct um_regex *regex = um_map_get(&c->regexes, pattern);
    if (regex)
        return regex;
    struct um_regex **regexes = um_grow(&s->arena, s->regexes, s->n_regexes, sizeof(struct um_regex *));
    int rc = regexes ? um_regex_new(pattern, false, &regex, NULL) : UM_ENOMEM;
    if (rc) {
        c->rc = rc;
        return NULL;
    }
    s->regexes = regexes;
    regexes[s->n_regexes++] = regex;
    um_compile_put(c, &c->regexes, pattern, regex);
    return regex;
}
