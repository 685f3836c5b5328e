/* SPDX-License-Identifier: Apache-2.0
 * match: one route against one request. Internal to route/. Thread: any (pure). */
#ifndef UM_ROUTE_MATCH_H
#define UM_ROUTE_MATCH_H

#include "route/route.h"

/* a request as matching sees it, cut up once for all the routes it is held against */
struct um_route_view {
    const struct um_route_request *request;
    struct um_str method, path, query;
};

void um_route_view_init(struct um_route_view *, const struct um_route_request *);
bool um_route_matches_view(const struct um_route *, const struct um_route_view *);
/* place of the first of the first `limit` routes that matches; `limit` if none does */
uint32_t um_route_scan(const struct um_virtual_host *, const struct um_route_view *, uint32_t limit);

#endif
