/* SPDX-License-Identifier: Apache-2.0
 * trie: paths and path prefixes, filed with the places of their routes. A walk along a request's path meets every filed
 * prefix of it, from the shortest on, and at its end the routes for exactly that path. Nodes lie in one array, the
 * children of a node side by side. Internal to route/. Owner: the arena given. Thread: any, once built. */
#ifndef UM_ROUTE_TRIE_H
#define UM_ROUTE_TRIE_H

#include "base/arena.h"

/* places of routes in their virtual host, ascending */
struct um_places {
    const uint32_t *at;
    uint32_t n;
};

struct um_trie_key {
    struct um_str path; /* must outlive the trie; lower-case in one that folds */
    bool is_exact;
    uint32_t place;
};

struct um_trie_node {
    const char *label; /* what the path goes on with to get here */
    uint32_t label_n;
    uint32_t first_child, n_children;
    uint32_t least; /* place in this node and below */
    struct um_places prefixes, exacts;
};

struct um_trie {
    struct um_trie_node *nodes; /* [0]: the root */
    char *first_bytes;          /* of the nodes' labels, by node */
    uint32_t n_nodes;
    bool folds_case;
};

/* sorts keys[]; UM_ENOMEM */
int um_trie_build(struct um_trie *, struct um_trie_key *keys, uint32_t n, bool folds_case,
                  struct um_arena *) UM_MUST_CHECK;

/* the first node on the way of *path, and the one after `node`; NULL: no more. *path loses what was walked. */
const struct um_trie_node *um_trie_first(const struct um_trie *, struct um_str *path);
const struct um_trie_node *um_trie_next(const struct um_trie *, const struct um_trie_node *node, struct um_str *path);

#endif
