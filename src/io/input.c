/* SPDX-License-Identifier: Apache-2.0 */
#include "io/input.h"

enum { LOW_ROOM_BYTES = 2048 };

void um_input_init(struct um_input *in, struct um_chunk_pool *pool, bool is_shadows)
{
    *in = (struct um_input){.pool = pool, .is_shadows = is_shadows};
}

static struct um_chunk *new_chunk(struct um_input *in, enum um_chunk_class k)
{
    struct um_chunk *c = um_chunk_new(in->pool, k);
    if (c && in->is_shadows)
        um_chunk_to_shadow(c);
    return c;
}

static void drop(const struct um_input *in, struct um_chunk *c)
{
    if (in->is_shadows)
        um_chunk_unref_shadow(c);
    else
        um_chunk_unref(c);
}

void um_input_clear(struct um_input *in)
{
    for (int i = 0; i < in->n_chunks; i++)
        drop(in, in->chunks[i]);
    in->n_chunks = 0;
    in->at = 0;
}

/* moves what is not parsed of the only chunk into a new one: a fresh 16 KiB, or 64 KiB if it would not fit well */
static int renew(struct um_input *in)
{
    struct um_chunk *old = in->chunks[0];
    uint32_t left = old->used - in->at;
    enum um_chunk_class k = left + LOW_ROOM_BYTES <= um_chunk_class_bytes(UM_CHUNK_16K) ? UM_CHUNK_16K : UM_CHUNK_64K;
    if (k == UM_CHUNK_64K && old->class == UM_CHUNK_64K && in->at == 0)
        return UM_ELIMIT;
    struct um_chunk *c = new_chunk(in, k);
    if (!c)
        return UM_ENOMEM;
    memcpy(c->data, old->data + in->at, left);
    c->used = left;
    drop(in, old);
    in->chunks[0] = c;
    in->at = 0;
    return 0;
}

/* the chunk that takes the next byte, with some room */
static int open_tail(struct um_input *in)
{
    if (in->n_chunks == 0) {
        in->chunks[0] = new_chunk(in, UM_CHUNK_16K);
        if (!in->chunks[0])
            return UM_ENOMEM;
        in->n_chunks = 1;
        in->at = 0;
        return 0;
    }
    struct um_chunk *tail = in->chunks[in->n_chunks - 1];
    if (tail->cap - tail->used >= LOW_ROOM_BYTES)
        return 0;
    return in->n_chunks == 1 ? renew(in) : UM_ELIMIT;
}

/* more chunks behind the tail for a bulk read; as many as there is memory for */
static int add_bulk(struct um_input *in, struct iovec *iov)
{
    int n = 0;
    while (in->is_bulk && in->n_chunks + n < UM_INPUT_CHUNKS) {
        struct um_chunk *c = new_chunk(in, UM_CHUNK_16K);
        if (!c)
            break;
        in->chunks[in->n_chunks + n] = c;
        iov[n++] = (struct iovec){c->data, c->cap};
    }
    return n;
}

ssize_t um_input_read(struct um_input *in, struct um_stream *stream)
{
    struct iovec iov[UM_INPUT_CHUNKS];
    int rc = open_tail(in);
    if (rc)
        return rc;
    struct um_chunk *tail = in->chunks[in->n_chunks - 1];
    iov[0] = (struct iovec){tail->data + tail->used, tail->cap - tail->used};
    int extra = add_bulk(in, iov + 1);
    ssize_t n = um_stream_readv(stream, iov, 1 + extra);
    size_t left = n > 0 ? (size_t)n : 0;
    int kept = 0;
    for (int i = 0; i <= extra; i++) {
        struct um_chunk *c = i ? in->chunks[in->n_chunks + i - 1] : tail;
        size_t here = left < iov[i].iov_len ? left : iov[i].iov_len;
        c->used += (uint32_t)here;
        left -= here;
        if (i && here)
            kept++;
        else if (i)
            drop(in, c);
    }
    in->n_chunks = (uint8_t)(in->n_chunks + kept);
    if (in->n_chunks == 1 && tail->used == in->at)
        um_input_clear(in);
    return n;
}

struct um_str um_input_bytes(const struct um_input *in)
{
    if (in->n_chunks == 0)
        return (struct um_str){NULL, 0};
    return (struct um_str){in->chunks[0]->data + in->at, in->chunks[0]->used - in->at};
}

int um_input_gather(struct um_input *in)
{
    if (in->n_chunks < 2)
        return 0;
    struct um_chunk *a = in->chunks[0], *b = in->chunks[1];
    uint32_t left = a->used - in->at;
    enum um_chunk_class k = um_chunk_class_for((size_t)left + b->used);
    struct um_chunk *c = k == UM_CHUNK_CLASSES ? NULL : new_chunk(in, k);
    if (!c)
        return k == UM_CHUNK_CLASSES ? UM_ELIMIT : UM_ENOMEM;
    memcpy(c->data, a->data + in->at, left);
    memcpy(c->data + left, b->data, b->used);
    c->used = left + b->used;
    um_input_eat(in, left);
    drop(in, b);
    in->chunks[0] = c;
    return 1;
}

void um_input_eat(struct um_input *in, size_t n)
{
    in->at += (uint32_t)n;
    if (in->at < in->chunks[0]->used)
        return;
    drop(in, in->chunks[0]);
    in->n_chunks--;
    for (int i = 0; i < in->n_chunks; i++)
        in->chunks[i] = in->chunks[i + 1];
    in->at = 0;
}
