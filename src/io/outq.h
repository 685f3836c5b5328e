/* SPDX-License-Identifier: Apache-2.0
 * outq: bytes on their way out of a connection: slices in order, and a little room of its own for heads and chunk
 * headers. Slices share chunks with whoever else holds them; nothing is copied but what um_outq_reserve gives room for.
 * A shadow's queue holds shadow references (C19). Empty, it owns no memory. Owner: its leg or connection. Thread: its
 * worker's. */
#ifndef UM_IO_OUTQ_H
#define UM_IO_OUTQ_H

#include "base/chunk.h"
#include "base/err.h"
#include "io/stream.h"

struct um_outq {
    struct um_chunk_pool *pool;
    struct um_chunk *table; /* of slices; NULL when empty */
    uint32_t first, n;      /* slices in the table */
    bool is_shadows;
    size_t bytes; /* waiting */
};

void um_outq_init(struct um_outq *, struct um_chunk_pool *, bool is_shadows);
void um_outq_clear(struct um_outq *);

/* appends a slice, taking a reference; an empty slice is nothing. UM_ENOMEM, UM_ELIMIT: too many slices */
int um_outq_push(struct um_outq *, const struct um_slice *) UM_MUST_CHECK;
/* contiguous room for n bytes at the end, to be committed before anything else is done to the queue; NULL: no memory */
char *um_outq_reserve(struct um_outq *, size_t n);
void um_outq_commit(struct um_outq *, size_t n);
int um_outq_copy(struct um_outq *, struct um_str) UM_MUST_CHECK; /* reserve, memcpy, commit */

/* appends all slices of `from`, which keeps them; as um_outq_push */
int um_outq_append(struct um_outq *, const struct um_outq *from) UM_MUST_CHECK;

/* writes what the stream takes. 0: all written; UM_EAGAIN: the rest waits for on_writable; else the stream's error.
 * *ret_written counts the bytes of this call. */
int um_outq_flush(struct um_outq *, struct um_stream *, size_t *ret_written) UM_MUST_CHECK;

/* if the slices use little of the chunks they hold, copies them into a chunk of fitting size (a leg that waits) */
void um_outq_compact(struct um_outq *);

#endif
