/* SPDX-License-Identifier: Apache-2.0 */
#include "route/trie.h"

#include <stdlib.h>

/* ---- building ----------------------------------------------------------------------------------- */

/* keys that share a node: a run of the sorted keys, and how many of their bytes lead to it */
struct run {
    uint32_t from, to, depth;
};

struct builder {
    struct um_trie *trie;
    const struct um_trie_key *keys;
    const uint32_t *places; /* by key */
    struct run *runs;       /* by node */
};

static int key_cmp(const void *a, const void *b)
{
    const struct um_trie_key *x = a, *y = b;
    int d = um_str_cmp(x->path, y->path);
    if (d == 0)
        d = x->is_exact - y->is_exact;
    return d ? d : (x->place > y->place) - (x->place < y->place);
}

static uint32_t common_n(struct um_str a, struct um_str b, uint32_t from)
{
    uint32_t n = from;
    while (n < a.n && n < b.n && a.p[n] == b.p[n])
        n++;
    return n;
}

/* the keys of the run that end at its depth, prefixes before exact ones */
static void file_own(struct builder *b, struct um_trie_node *node, struct run *run)
{
    uint32_t from = run->from, i = from;
    while (i < run->to && b->keys[i].path.n == run->depth && !b->keys[i].is_exact)
        i++;
    node->prefixes = (struct um_places){b->places + from, i - from};
    from = i;
    while (i < run->to && b->keys[i].path.n == run->depth)
        i++;
    node->exacts = (struct um_places){b->places + from, i - from};
    run->from = i;
}

static void add_node(struct builder *b, struct run run)
{
    uint32_t at = b->trie->n_nodes++;
    struct um_trie_node *node = &b->trie->nodes[at];
    struct um_str first = b->keys[run.from].path;
    uint32_t end = common_n(first, b->keys[run.to - 1].path, run.depth);
    node->label = first.p + run.depth;
    node->label_n = end - run.depth;
    b->trie->first_bytes[at] = node->label_n ? node->label[0] : '\0';
    run.depth = end;
    file_own(b, node, &run);
    b->runs[at] = run;
}

/* one child for each byte that the rest of the run goes on with */
static void add_children(struct builder *b, uint32_t at)
{
    struct run run = b->runs[at];
    b->trie->nodes[at].first_child = b->trie->n_nodes;
    for (uint32_t from = run.from, to = from; from < run.to; from = to) {
        while (to < run.to && b->keys[to].path.p[run.depth] == b->keys[from].path.p[run.depth])
            to++;
        add_node(b, (struct run){from, to, run.depth});
    }
    b->trie->nodes[at].n_children = b->trie->n_nodes - b->trie->nodes[at].first_child;
}

static uint32_t least_of(struct um_places places, uint32_t least)
{
    return places.n && places.at[0] < least ? places.at[0] : least;
}

static void find_least(struct um_trie *t)
{
    for (uint32_t i = t->n_nodes; i-- > 0;) { /* children come after their parent */
        struct um_trie_node *node = &t->nodes[i];
        node->least = least_of(node->exacts, least_of(node->prefixes, UINT32_MAX));
        for (uint32_t c = node->first_child; c < node->first_child + node->n_children; c++)
            if (t->nodes[c].least < node->least)
                node->least = t->nodes[c].least;
    }
}

int um_trie_build(struct um_trie *t, struct um_trie_key *keys, uint32_t n, bool folds_case, struct um_arena *arena)
{
    *t = (struct um_trie){.folds_case = folds_case};
    if (n == 0)
        return 0;
    size_t most = 2 * (size_t)n; /* a node has keys of its own or at least two children; and the root */
    uint32_t *places = um_arena_array(arena, n, sizeof *places);
    t->nodes = um_arena_array(arena, most, sizeof *t->nodes);
    t->first_bytes = um_arena_array(arena, most, 1);
    struct builder b = {t, keys, places, calloc(most, sizeof *b.runs)};
    if (!places || !t->nodes || !t->first_bytes || !b.runs) {
        free(b.runs);
        return UM_ENOMEM;
    }
    qsort(keys, n, sizeof *keys, key_cmp);
    for (uint32_t i = 0; i < n; i++)
        places[i] = keys[i].place;
    add_node(&b, (struct run){0, n, 0});
    for (uint32_t i = 0; i < t->n_nodes; i++)
        add_children(&b, i);
    find_least(t);
    free(b.runs);
    return 0;
}

/* ---- walking ------------------------------------------------------------------------------------ */

static const struct um_trie_node *enter(const struct um_trie *t, const struct um_trie_node *node, struct um_str *path)
{
    struct um_str label = {node->label, node->label_n};
    if (t->folds_case ? !um_str_istarts(*path, label) : !um_str_starts(*path, label))
        return NULL;
    *path = um_str_skip(*path, label.n);
    return node;
}

const struct um_trie_node *um_trie_first(const struct um_trie *t, struct um_str *path)
{
    return t->n_nodes ? enter(t, &t->nodes[0], path) : NULL;
}

const struct um_trie_node *um_trie_next(const struct um_trie *t, const struct um_trie_node *node, struct um_str *path)
{
    if (path->n == 0 || node->n_children == 0)
        return NULL;
    const char *bytes = t->first_bytes + node->first_child;
    char c = t->folds_case ? um_lower(path->p[0]) : path->p[0];
    const char *hit = memchr(bytes, c, node->n_children);
    return hit ? enter(t, &t->nodes[node->first_child + (uint32_t)(hit - bytes)], path) : NULL;
}
