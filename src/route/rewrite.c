/* SPDX-License-Identifier: Apache-2.0 */
#include "route/route.h"

/* how many bytes of path-and-query the rewrite replaces, as Envoy does from Istio's rewrite.uri */
static size_t replaced_n(const struct um_string_match *m, struct um_str path)
{
    ptrdiff_t query = um_str_find(path, '?');
    switch (m->kind) {
    case UM_MATCH_PREFIX:
        return m->value.n;
    case UM_MATCH_ANY:
    case UM_MATCH_PRESENT:
        return 1; /* as the prefix "/" */
    case UM_MATCH_EXACT:
    case UM_MATCH_REGEX:
        break;
    }
    return query < 0 ? path.n : (size_t)query;
}

int um_route_rewrite_path(const struct um_route *route, struct um_str path, struct um_arena *arena,
                          struct um_str *ret_path)
{
    if (!route->has_path_rewrite || path.n == 0 || path.p[0] != '/') { /* `OPTIONS *` and CONNECT have no path */
        *ret_path = path;
        return 0;
    }
    struct um_str rest = um_str_skip(path, replaced_n(&route->match.path, path));
    size_t n = route->path_rewrite.n + rest.n;
    char *to = um_arena_alloc(arena, n + 1);
    if (!to)
        return UM_ENOMEM;
    if (route->path_rewrite.n)
        memcpy(to, route->path_rewrite.p, route->path_rewrite.n);
    if (rest.n)
        memcpy(to + route->path_rewrite.n, rest.p, rest.n);
    *ret_path = (struct um_str){to, n};
    return 0;
}
