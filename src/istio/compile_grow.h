/* SPDX-License-Identifier: Apache-2.0
 * grow: arrays in an arena. Thread: any. */
#ifndef UM_ISTIO_COMPILE_GROW_H
#define UM_ISTIO_COMPILE_GROW_H

#include "base/arena.h"

/* n cleared items; NULL means that there is no memory, also for n == 0 */
static inline void *um_items_new(struct um_arena *arena, size_t n, size_t size)
{
    return um_arena_array(arena, n ? n : 1, size);
}

/* `items` with room for one more behind its n: moved to twice the size whenever n is a power of two. NULL without
 * memory. */
static inline void *um_grow(struct um_arena *arena, void *items, uint32_t n, size_t size)
{
    if (n & (n - 1))
        return items;
    void *more = um_arena_array(arena, n ? 2 * (size_t)n : 1, size);
    if (more && n)
        memcpy(more, items, n * size);
    return more;
}

#endif
