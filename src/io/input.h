/* SPDX-License-Identifier: Apache-2.0
 * input: bytes on their way into a connection: one chunk that is being filled and parsed, more of them for bulk bodies.
 * An idle connection owns none. Slices handed out share the chunk; bytes once read are never overwritten (I3).
 * Owner: its connection. Thread: its worker's. */
#ifndef UM_IO_INPUT_H
#define UM_IO_INPUT_H

#include "base/chunk.h"
#include "base/err.h"
#include "io/stream.h"

enum { UM_INPUT_CHUNKS = 8 }; /* at most in one read: 128 KiB */

struct um_input {
    struct um_chunk_pool *pool;
    struct um_chunk
        *chunks[UM_INPUT_CHUNKS]; /* [0]: being parsed; the others hold what one bulk read brought besides */
    uint8_t n_chunks;
    bool is_shadows; /* its chunks are charged to the shadows' ledger (C19) */
    bool is_bulk;    /* the last messages were large: read much at once */
    uint32_t at;     /* of chunks[0]: parsed so far */
};

void um_input_init(struct um_input *, struct um_chunk_pool *, bool is_shadows);
void um_input_clear(struct um_input *);

/* One read. > 0 bytes, 0 end of input, UM_EAGAIN, UM_ENOMEM, or the stream's error. Makes room at the end of the last
 * chunk: when it is full of bytes that are not parsed yet (a long head), they move to a larger chunk; UM_ELIMIT when
 * there is none. */
ssize_t um_input_read(struct um_input *, struct um_stream *) UM_MUST_CHECK;

/* what is there and not parsed, contiguous; the next chunk follows once this one is eaten */
struct um_str um_input_bytes(const struct um_input *);
/* More contiguous bytes for a parser that needs them: joins what is not parsed with the next chunk. 1: there are more; 0: there is
 * no next chunk, read; UM_ENOMEM, UM_ELIMIT: more than the largest chunk holds. */
int um_input_gather(struct um_input *) UM_MUST_CHECK;
/* eats n of those bytes; a chunk that is eaten whole is let go */
void um_input_eat(struct um_input *, size_t n);
static inline bool um_input_is_empty(const struct um_input *in)
{
    return in->n_chunks == 0;
}
/* the chunk that um_input_bytes is in, for slices of it */
static inline struct um_chunk *um_input_chunk(const struct um_input *in)
{
    return in->chunks[0];
}

#endif
