/* SPDX-License-Identifier: Apache-2.0
 * route: (request, snapshot) -> decision, as pure steps: match, sample, rewrite. No sockets, no clocks; randomness is
 * passed in. The indexes make a match cost the same with ten routes and with ten thousand; the first match in order
 * still wins. Sources: Envoy's virtual host search (exact, longest suffix wildcard, "*"), Istio 1.29 with Envoy 1.40.
 * Thread: any. */
#ifndef UM_ROUTE_ROUTE_H
#define UM_ROUTE_ROUTE_H

#include "base/rand.h"
#include "model/snapshot.h"

/* Builds the domain and route indexes of a snapshot; sets on_free. Once, before publication. UM_ENOMEM */
int um_route_index_build(struct um_snapshot *) UM_MUST_CHECK;

/* what of a request matching looks at, after path normalisation and filters */
struct um_route_request {
    const struct um_head *head;
    const struct um_edits *edits; /* NULL, or edits that matching must see (filters) */
    struct um_str path;           /* normalised path and query; CONNECT: "/" */
    struct um_str scheme;         /* "http" or "https" */
    struct um_str authority;
};

/* NULL: none; an empty host finds none, not even "*" */
const struct um_virtual_host *um_route_virtual_host(const struct um_route_config *, struct um_str authority);
/* first route that matches, or NULL */
const struct um_route *um_route_match(const struct um_virtual_host *, const struct um_route_request *);
/* the obvious scan, for tests and explain: same answer as um_route_match */
const struct um_route *um_route_match_linear(const struct um_virtual_host *, const struct um_route_request *);
bool um_route_matches(const struct um_route *, const struct um_route_request *);

/* the weighted destination for a random number; zero weights are never drawn; NULL: there is nothing to draw from */
const struct um_weighted_cluster *um_route_pick_cluster(const struct um_route *, uint64_t random);

/* rewrite.uri, which is plain text replacement; `path` is path and query; *ret_path may be `path` itself */
int um_route_rewrite_path(const struct um_route *, struct um_str path, struct um_arena *,
                          struct um_str *ret_path) UM_MUST_CHECK;

/* ---- sampling (C2, C3) ---- */
struct um_sample_request {
    const struct um_head *head;
    struct um_str path;      /* path and query, for a query key */
    struct um_str source_ip; /* text, for a source address key */
};
/* whether this exchange is copied to this mirror. With a key in the request: a salted hash of (salt, cluster name, key
 * value), so that the same key gives the same answer everywhere and 5 % is a subset of 10 %; else (an empty key is
 * none) `random`, one number per shadow. */
bool um_route_sample(const struct um_mirror *, const struct um_sample_request *, uint64_t random);

/* whether the policy copies this request's method */
bool um_route_allows_method(const struct um_shadow_policy *, const struct um_head *);

/* first value of a cookie in the Cookie fields */
bool um_route_cookie(const struct um_head *, struct um_str name, struct um_str *ret_value);

#endif
