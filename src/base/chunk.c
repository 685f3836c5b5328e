/* SPDX-License-Identifier: Apache-2.0 */
#include "base/chunk.h"

#include <assert.h>
#include <stdlib.h>

/* capacities leave room for the header, so that a class is a round number of bytes for malloc */
static const uint32_t BYTES[UM_CHUNK_CLASSES] = {512 - sizeof(struct um_chunk), 2048 - sizeof(struct um_chunk),
                                                 4096 - sizeof(struct um_chunk), 16384, 65536};

/* chunks kept for reuse per class; the rest goes back to malloc so that a burst does not stay resident */
#if defined(__SANITIZE_ADDRESS__)
static const uint32_t KEEP[UM_CHUNK_CLASSES] = {0};
#else
static const uint32_t KEEP[UM_CHUNK_CLASSES] = {512, 512, 512, 96, 4};
#endif

void um_chunk_pool_init(struct um_chunk_pool *pool, struct um_ledger *ledger)
{
    *pool = (struct um_chunk_pool){.ledger = ledger};
}

void um_chunk_pool_release(struct um_chunk_pool *pool)
{
    assert(pool->live_bytes == 0);
    for (int k = 0; k < UM_CHUNK_CLASSES; k++)
        for (struct um_chunk *c = pool->free[k], *next; c; c = next) {
            next = c->next_free;
            free(c);
        }
    *pool = (struct um_chunk_pool){.ledger = pool->ledger};
}

uint32_t um_chunk_class_bytes(enum um_chunk_class k)
{
    return BYTES[k];
}

enum um_chunk_class um_chunk_class_for(size_t n)
{
    int k = 0;
    while (k < UM_CHUNK_CLASSES && BYTES[k] < n)
        k++;
    return (enum um_chunk_class)k;
}

struct um_chunk *um_chunk_new(struct um_chunk_pool *pool, enum um_chunk_class k)
{
    struct um_chunk *c = pool->free[k];
    if (c) {
        pool->free[k] = c->next_free;
        pool->n_free[k]--;
    } else {
        c = malloc(sizeof *c + BYTES[k]);
        if (!c)
            return NULL;
        c->pool = pool;
        c->class = (uint8_t)k;
        c->cap = BYTES[k];
    }
    c->refs = 1;
    c->shadow_refs = 0;
    c->used = 0;
    pool->live_bytes += c->cap;
    return c;
}

void um_chunk_free(struct um_chunk *c)
{
    struct um_chunk_pool *pool = c->pool;
    pool->live_bytes -= c->cap;
    if (pool->n_free[c->class] >= KEEP[c->class]) {
        free(c);
        return;
    }
    c->next_free = pool->free[c->class];
    pool->free[c->class] = c;
    pool->n_free[c->class]++;
}
