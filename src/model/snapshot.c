/* SPDX-License-Identifier: Apache-2.0 */
#include "model/snapshot.h"

#include <stdlib.h>

struct um_snapshot *um_snapshot_new(void)
{
    struct um_snapshot *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    atomic_init(&s->refs, 1);
    um_arena_init(&s->arena, NULL, 0);
    um_map_init(&s->clusters_by_name);
    return s;
}

struct um_snapshot *um_snapshot_ref(struct um_snapshot *s)
{
    atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    return s;
}

void um_snapshot_unref(struct um_snapshot *s)
{
    if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
        return;
    if (s->on_free)
        s->on_free(s);
    for (uint32_t i = 0; i < s->n_regexes; i++)
        um_regex_free(s->regexes[i]);
    um_map_release(&s->clusters_by_name);
    um_arena_release(&s->arena);
    free(s);
}

const struct um_cluster *um_snapshot_cluster(const struct um_snapshot *s, struct um_str name)
{
    return um_map_get(&s->clusters_by_name, name);
}
