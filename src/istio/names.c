/* SPDX-License-Identifier: Apache-2.0 */
#include "istio/names.h"

enum { NEAREST_EDITS = 3 };

struct um_str um_name_lower(struct um_arena *arena, struct um_str s)
{
    char *p = um_arena_alloc(arena, s.n + 1);
    if (!p)
        return (struct um_str){NULL, 0};
    for (size_t i = 0; i < s.n; i++)
        p[i] = um_lower(s.p[i]);
    p[s.n] = '\0';
    return (struct um_str){p, s.n};
}

struct um_str um_name_service_host(struct um_arena *arena, struct um_str name, struct um_str namespace_name)
{
    struct um_str full =
        um_arena_printf(arena, "%.*s.%.*s.svc.cluster.local", UM_STR_ARG(name), UM_STR_ARG(namespace_name));
    return full.p ? um_name_lower(arena, full) : full;
}

struct um_str um_name_host(struct um_arena *arena, struct um_str host, struct um_str namespace_name)
{
    bool is_short = um_str_find(host, '.') < 0 && um_str_find(host, ':') < 0 && !um_name_is_wildcard(host);
    return is_short ? um_name_service_host(arena, host, namespace_name) : um_name_lower(arena, host);
}

bool um_name_next_suffix(struct um_str *suffix)
{
    if (suffix->n == 0)
        return false;
    ptrdiff_t dot = um_str_find(um_str_skip(*suffix, 1), '.');
    *suffix = dot < 0 ? (struct um_str){suffix->p, 0} : um_str_skip(*suffix, (size_t)dot + 1);
    return true;
}

bool um_name_is_within(struct um_str narrow, struct um_str wide)
{
    if (!um_name_is_wildcard(wide))
        return um_str_eq(narrow, wide);
    return um_str_ends(um_name_is_wildcard(narrow) ? um_str_skip(narrow, 1) : narrow, um_str_skip(wide, 1));
}

struct um_str um_name_cluster(struct um_arena *arena, uint16_t port, struct um_str subset, struct um_str host)
{
    return um_arena_printf(arena, "outbound|%u|%.*s|%.*s", (unsigned)port, UM_STR_ARG(subset), UM_STR_ARG(host));
}

struct um_str um_name_config_path(struct um_arena *arena, const char *kind, struct um_str namespace_name,
                                  struct um_str name)
{
    return um_arena_printf(arena, "/apis/networking.istio.io/v1/namespaces/%.*s/%s/%.*s", UM_STR_ARG(namespace_name),
                           kind, UM_STR_ARG(name));
}

struct um_str um_name_key(struct um_arena *arena, struct um_str namespace_name, struct um_str name)
{
    return um_arena_printf(arena, "%.*s/%.*s", UM_STR_ARG(namespace_name), UM_STR_ARG(name));
}

struct um_nearest um_nearest_to(struct um_str word)
{
    return (struct um_nearest){.word = word, .edits = NEAREST_EDITS + 1};
}

void um_nearest_consider(struct um_nearest *best, struct um_str name)
{
    size_t longer = name.n > best->word.n ? name.n - best->word.n : best->word.n - name.n;
    if (longer >= best->edits)
        return;
    unsigned edits = um_str_distance(best->word, name, NEAREST_EDITS);
    if (edits >= best->edits || edits >= name.n)
        return;
    best->name = name;
    best->edits = edits;
}
