/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct um_arena_block {
    struct um_arena_block *next;
    struct um_chunk *chunk; /* NULL: malloc */
};

enum { ALIGN = 16, POOL_BYTES = 2500, MALLOC_BYTES = 8192, MALLOC_BYTES_MAX = 256 << 10 };

_Static_assert(sizeof(struct um_arena_block) % ALIGN == 0, "blocks keep alignment");

static size_t round_up(size_t n)
{
    return (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

void um_arena_init(struct um_arena *a, struct um_chunk_pool *pool, size_t limit_bytes)
{
    *a = (struct um_arena){.pool = pool, .limit_bytes = limit_bytes};
}

void um_arena_release(struct um_arena *a)
{
    struct um_arena local = *a; /* the arena may live in its own first block */
    for (struct um_arena_block *b = local.blocks, *next; b; b = next) {
        next = b->next;
        if (!b->chunk)
            free(b);
        else if (local.is_shadows)
            um_chunk_unref_shadow(b->chunk);
        else
            um_chunk_unref(b->chunk);
    }
}

void um_arena_to_shadow(struct um_arena *a)
{
    if (a->is_shadows)
        return;
    a->is_shadows = true;
    for (struct um_arena_block *b = a->blocks; b; b = b->next)
        if (b->chunk)
            um_chunk_to_shadow(b->chunk);
}

/* a block of at least n usable bytes; *ret_n how many */
static struct um_arena_block *new_block(struct um_arena *a, size_t n, size_t *ret_n)
{
    struct um_arena_block *b;
    size_t bytes = n + sizeof *b + ALIGN;
    if (a->pool) {
        enum um_chunk_class k = um_chunk_class_for(bytes < POOL_BYTES ? POOL_BYTES : bytes);
        struct um_chunk *c = k == UM_CHUNK_CLASSES ? NULL : um_chunk_new(a->pool, k);
        if (!c)
            return NULL;
        if (a->is_shadows)
            um_chunk_to_shadow(c);
        size_t pad = (size_t)(-(uintptr_t)c->data & (ALIGN - 1));
        b = (void *)(c->data + pad);
        b->chunk = c;
        *ret_n = c->cap - pad - sizeof *b;
        return b;
    }
    size_t grown = a->held_bytes < MALLOC_BYTES       ? MALLOC_BYTES
                   : a->held_bytes > MALLOC_BYTES_MAX ? MALLOC_BYTES_MAX
                                                      : a->held_bytes;
    if (bytes < grown)
        bytes = grown;
    b = malloc(bytes);
    if (!b)
        return NULL;
    b->chunk = NULL;
    *ret_n = (bytes - sizeof *b) & ~(size_t)(ALIGN - 1);
    return b;
}

void *um_arena_alloc_slow(struct um_arena *a, size_t n)
{
    size_t usable, left = a->limit_bytes ? a->limit_bytes - a->held_bytes : SIZE_MAX;
    if (n == 0)
        return um_arena_alloc(a, 1);
    if (n > SIZE_MAX / 4 || round_up(n) > left)
        return NULL;
    n = round_up(n);
    struct um_arena_block *b = new_block(a, n, &usable);
    if (!b)
        return NULL;
    if (usable > left) /* what of the block is past the limit is not given out */
        usable = left & ~(size_t)(ALIGN - 1);
    a->held_bytes += usable;
    b->next = a->blocks;
    a->blocks = b;
    char *p = (char *)(b + 1);
    if (usable - n > (size_t)(a->end - a->at)) { /* go on in whichever block has more room */
        a->at = p + n;
        a->end = p + usable;
    }
    return p;
}

void *um_arena_zalloc(struct um_arena *a, size_t n)
{
    void *p = um_arena_alloc(a, n);
    return p ? memset(p, 0, n) : NULL;
}

void *um_arena_array(struct um_arena *a, size_t n, size_t size)
{
    return size && n > SIZE_MAX / size ? NULL : um_arena_zalloc(a, n * size);
}

struct um_str um_arena_str(struct um_arena *a, struct um_str s)
{
    char *p = um_arena_alloc(a, s.n + 1);
    if (!p)
        return (struct um_str){NULL, 0};
    if (s.n)
        memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    return (struct um_str){p, s.n};
}

struct um_str um_arena_printf(struct um_arena *a, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    char *p = n < 0 ? NULL : um_arena_alloc(a, (size_t)n + 1);
    if (p)
        vsnprintf(p, (size_t)n + 1, format, again);
    va_end(again);
    va_end(args);
    return (struct um_str){p, p ? (size_t)n : 0};
}
