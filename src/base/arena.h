/* SPDX-License-Identifier: Apache-2.0
 * arena: many small allocations that end together. Blocks come from a worker's chunk pool (an exchange) or from
 * malloc (configuration). Nothing is freed alone. A failed allocation gives NULL and leaves the arena usable.
 * Owner: whoever inits it. Limits: limit_bytes bounds the blocks (I5) but for the end of the last one, 0: none. Thread:
 * its owner's. */
#ifndef UM_BASE_ARENA_H
#define UM_BASE_ARENA_H

#include "base/chunk.h"
#include "base/err.h"

struct um_arena {
    struct um_chunk_pool *pool; /* NULL: malloc */
    struct um_arena_block *blocks;
    char *at, *end;
    size_t held_bytes, limit_bytes;
    bool is_shadows;
};

void um_arena_init(struct um_arena *, struct um_chunk_pool *pool, size_t limit_bytes);
void um_arena_release(struct um_arena *);
/* all blocks, those to come included, are charged to the shadows' ledger from now on (pool arenas) */
void um_arena_to_shadow(struct um_arena *);

void *um_arena_alloc_slow(struct um_arena *, size_t n);

/* 16-byte aligned, not cleared; n may be 0 */
static inline void *um_arena_alloc(struct um_arena *a, size_t n)
{
    size_t rounded = (n + 15) & ~(size_t)15; /* 0 when n is 0 or near SIZE_MAX: both are for the slow way */
    if (UM_LIKELY(rounded - 1 < (size_t)(a->end - a->at))) {
        void *p = a->at;
        a->at += rounded;
        return p;
    }
    return um_arena_alloc_slow(a, n);
}

void *um_arena_zalloc(struct um_arena *, size_t n);
/* n * size, cleared; NULL on overflow too */
void *um_arena_array(struct um_arena *, size_t n, size_t size);
/* a copy, NUL-terminated behind its n bytes; p is NULL without memory */
struct um_str um_arena_str(struct um_arena *, struct um_str);
struct um_str um_arena_printf(struct um_arena *, const char *format, ...) UM_PRINTF(2, 3);

#endif
