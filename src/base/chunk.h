/* SPDX-License-Identifier: Apache-2.0
 * chunk: a reference-counted block of bytes; slice: a view of a part of one. Bytes that a slice shows never
 * change (I3); the writer of a chunk appends behind what it has handed out. Counts are plain integers: a
 * chunk belongs to one worker (I6). Bytes that only shadows still hold are charged to the ledger by capacity (C19):
 * a chunk is the shadows' when every reference is a shadow's.
 * Owner: references. Errors: allocation gives NULL. Thread: the pool's worker. */
#ifndef UM_BASE_CHUNK_H
#define UM_BASE_CHUNK_H

#include "base/ledger.h"
#include "base/str.h"

enum um_chunk_class { UM_CHUNK_512, UM_CHUNK_2K, UM_CHUNK_4K, UM_CHUNK_16K, UM_CHUNK_64K, UM_CHUNK_CLASSES };

struct um_chunk_pool;

struct um_chunk {
    struct um_chunk_pool *pool;
    struct um_chunk *next_free;
    uint32_t refs, shadow_refs; /* shadow_refs <= refs */
    uint32_t cap;               /* bytes in data[] */
    uint32_t used;              /* bytes of data[] that are written; what is beyond may be appended to */
    uint8_t class;
    char data[] __attribute__((aligned(16))); /* tables of slices and arenas stand in it */
};

struct um_slice {
    struct um_chunk *chunk;
    const char *p;
    size_t n;
};

struct um_chunk_pool {
    struct um_ledger *ledger;
    struct um_chunk *free[UM_CHUNK_CLASSES];
    uint32_t n_free[UM_CHUNK_CLASSES];
    size_t live_bytes; /* capacity of chunks that somebody holds */
};

void um_chunk_pool_init(struct um_chunk_pool *, struct um_ledger *);
void um_chunk_pool_release(struct um_chunk_pool *); /* asserts that nothing is held */

/* capacity of a class, header not included; the smallest class of at least n bytes, or UM_CHUNK_CLASSES */
uint32_t um_chunk_class_bytes(enum um_chunk_class);
enum um_chunk_class um_chunk_class_for(size_t n);

/* one reference, the caller's; NULL without memory */
struct um_chunk *um_chunk_new(struct um_chunk_pool *, enum um_chunk_class);
void um_chunk_free(struct um_chunk *); /* for um_chunk_unref alone */

static inline bool um_chunk_is_shadows(const struct um_chunk *c)
{
    return c->refs == c->shadow_refs;
}

static inline void um_chunk_ref(struct um_chunk *c)
{
    if (um_chunk_is_shadows(c))
        um_ledger_charge(c->pool->ledger, -(int64_t)c->cap);
    c->refs++;
}

static inline void um_chunk_unref(struct um_chunk *c)
{
    if (--c->refs == 0)
        um_chunk_free(c);
    else if (um_chunk_is_shadows(c))
        um_ledger_charge(c->pool->ledger, c->cap);
}

static inline void um_chunk_ref_shadow(struct um_chunk *c)
{
    c->refs++;
    c->shadow_refs++;
}

static inline void um_chunk_unref_shadow(struct um_chunk *c)
{
    bool was_shadows = um_chunk_is_shadows(c);
    c->shadow_refs--;
    if (--c->refs == 0) {
        if (was_shadows)
            um_ledger_charge(c->pool->ledger, -(int64_t)c->cap);
        um_chunk_free(c);
    }
}

/* the caller's own reference becomes a shadow's */
static inline void um_chunk_to_shadow(struct um_chunk *c)
{
    c->shadow_refs++;
    if (um_chunk_is_shadows(c))
        um_ledger_charge(c->pool->ledger, c->cap);
}

#endif
