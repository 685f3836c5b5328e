/* SPDX-License-Identifier: Apache-2.0 */
#include "io/outq.h"

enum { IOV_MAX_USED = 64, COPY_BYTES = 256 };

static struct um_slice *slices(const struct um_outq *q)
{
    return (struct um_slice *)(void *)q->table->data;
}

static uint32_t capacity(const struct um_outq *q)
{
    return q->table ? q->table->cap / (uint32_t)sizeof(struct um_slice) : 0;
}

static void hold(const struct um_outq *q, struct um_chunk *c)
{
    if (q->is_shadows)
        um_chunk_ref_shadow(c);
    else
        um_chunk_ref(c);
}

static void drop(const struct um_outq *q, struct um_chunk *c)
{
    if (q->is_shadows)
        um_chunk_unref_shadow(c);
    else
        um_chunk_unref(c);
}

/* a chunk that is the queue's own */
static struct um_chunk *own_chunk(const struct um_outq *q, enum um_chunk_class k)
{
    struct um_chunk *c = k == UM_CHUNK_CLASSES ? NULL : um_chunk_new(q->pool, k);
    if (c && q->is_shadows)
        um_chunk_to_shadow(c);
    return c;
}

void um_outq_init(struct um_outq *q, struct um_chunk_pool *pool, bool is_shadows)
{
    *q = (struct um_outq){.pool = pool, .is_shadows = is_shadows};
}

static void release_table(struct um_outq *q)
{
    if (q->table)
        drop(q, q->table);
    q->table = NULL;
    q->first = q->n = 0;
}

void um_outq_clear(struct um_outq *q)
{
    for (uint32_t i = 0; i < q->n; i++)
        drop(q, slices(q)[q->first + i].chunk);
    release_table(q);
    q->bytes = 0;
}

/* room for one more slice at the end of the table */
static int make_room(struct um_outq *q)
{
    if (q->first + q->n < capacity(q))
        return 0;
    if (q->first > q->n) { /* more than half is used up: move down */
        memmove(slices(q), slices(q) + q->first, q->n * sizeof(struct um_slice));
        q->first = 0;
        return 0;
    }
    enum um_chunk_class k = q->table ? (enum um_chunk_class)(q->table->class + 1) : UM_CHUNK_512;
    if (k == UM_CHUNK_CLASSES)
        return UM_ELIMIT;
    struct um_chunk *table = own_chunk(q, k);
    if (!table)
        return UM_ENOMEM;
    if (q->n)
        memcpy(table->data, slices(q) + q->first, q->n * sizeof(struct um_slice));
    if (q->table)
        drop(q, q->table);
    q->table = table;
    q->first = 0;
    return 0;
}

static struct um_slice *last(const struct um_outq *q)
{
    return q->n ? &slices(q)[q->first + q->n - 1] : NULL;
}

int um_outq_push(struct um_outq *q, const struct um_slice *s)
{
    struct um_slice *tail = last(q);
    if (s->n == 0)
        return 0;
    if (s->n <= COPY_BYTES) /* many tiny pieces would fill the table */
        return um_outq_copy(q, (struct um_str){s->p, s->n});
    if (tail && tail->chunk == s->chunk && tail->p + tail->n == s->p) {
        tail->n += s->n;
        q->bytes += s->n;
        return 0;
    }
    int rc = make_room(q);
    if (rc)
        return rc;
    hold(q, s->chunk);
    slices(q)[q->first + q->n++] = *s;
    q->bytes += s->n;
    return 0;
}

int um_outq_append(struct um_outq *q, const struct um_outq *from)
{
    int rc = 0;
    for (uint32_t i = 0; i < from->n && rc == 0; i++)
        rc = um_outq_push(q, &slices(from)[from->first + i]);
    return rc;
}

/* the last slice ends where its chunk's written bytes end, in a chunk that this queue alone holds: it can grow */
static bool can_extend(const struct um_outq *q, size_t n)
{
    const struct um_slice *tail = last(q);
    return tail && tail->chunk->refs == 1 && tail->p + tail->n == tail->chunk->data + tail->chunk->used &&
           tail->chunk->cap - tail->chunk->used >= n;
}

char *um_outq_reserve(struct um_outq *q, size_t n)
{
    if (can_extend(q, n))
        return last(q)->chunk->data + last(q)->chunk->used;
    if (make_room(q))
        return NULL;
    struct um_chunk *c = own_chunk(q, um_chunk_class_for(n < 64 ? 64 : n));
    if (!c)
        return NULL;
    slices(q)[q->first + q->n++] = (struct um_slice){c, c->data, 0};
    return c->data;
}

void um_outq_commit(struct um_outq *q, size_t n)
{
    struct um_slice *tail = last(q);
    tail->chunk->used += (uint32_t)n;
    tail->n += n;
    q->bytes += n;
}

int um_outq_copy(struct um_outq *q, struct um_str s)
{
    char *to = um_outq_reserve(q, s.n);
    if (!to)
        return UM_ENOMEM;
    memcpy(to, s.p, s.n);
    um_outq_commit(q, s.n);
    return 0;
}

static void consume(struct um_outq *q, size_t n)
{
    q->bytes -= n;
    while (q->n) {
        struct um_slice *s = &slices(q)[q->first];
        if (s->n > n) {
            s->p += n;
            s->n -= n;
            return;
        }
        n -= s->n;
        drop(q, s->chunk);
        q->first++;
        q->n--;
    }
    release_table(q);
}

int um_outq_flush(struct um_outq *q, struct um_stream *stream, size_t *ret_written)
{
    *ret_written = 0;
    while (q->n) {
        struct iovec iov[IOV_MAX_USED];
        int n = 0;
        size_t asked = 0;
        for (; n < IOV_MAX_USED && (uint32_t)n < q->n; n++) {
            const struct um_slice *s = &slices(q)[q->first + (uint32_t)n];
            iov[n] = (struct iovec){(void *)(uintptr_t)s->p, s->n};
            asked += s->n;
        }
        ssize_t sent = um_stream_writev(stream, iov, n);
        if (sent < 0)
            return (int)sent;
        *ret_written += (size_t)sent;
        consume(q, (size_t)sent);
        if ((size_t)sent < asked)
            return UM_EAGAIN;
    }
    return 0;
}

void um_outq_compact(struct um_outq *q)
{
    size_t held = 0;
    for (uint32_t i = 0; i < q->n; i++)
        held += slices(q)[q->first + i].chunk->cap;
    if (q->bytes == 0 || q->bytes > held / 4)
        return;
    struct um_chunk *c = own_chunk(q, um_chunk_class_for(q->bytes));
    if (!c)
        return;
    for (uint32_t i = 0; i < q->n; i++) {
        const struct um_slice *s = &slices(q)[q->first + i];
        memcpy(c->data + c->used, s->p, s->n);
        c->used += (uint32_t)s->n;
        drop(q, s->chunk);
    }
    q->first = 0;
    q->n = 1;
    slices(q)[0] = (struct um_slice){c, c->data, c->used};
}
