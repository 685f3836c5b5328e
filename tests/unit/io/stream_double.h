/* SPDX-License-Identifier: Apache-2.0
 * stream_double: a stream whose peer is a script: gives `input` in pieces of at most `read_step` bytes, takes output in
 * pieces of at most `write_step`, with an EAGAIN after each piece if asked to. 0 as a step: no bound. */
#ifndef UM_TESTS_UNIT_IO_STREAM_DOUBLE_H
#define UM_TESTS_UNIT_IO_STREAM_DOUBLE_H

#include "base/str.h"
#include "io/stream.h"

#include <stdlib.h>

struct stream_double {
    struct um_stream stream;
    struct um_str input;
    size_t read_step, write_step;
    bool is_eof;   /* behind the input; else EAGAIN */
    bool stutters; /* EAGAIN between two pieces */
    bool has_read, has_written;
    int read_error, write_error; /* 0: none */
    char *output;
    size_t n_output;
    int n_reads, n_writes;
};

static inline size_t double_least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* true if this call is the pause between two pieces */
static inline bool double_stutters(const struct stream_double *d, bool *has_moved)
{
    bool pauses = d->stutters && *has_moved;
    *has_moved = !pauses;
    return pauses;
}

static inline ssize_t double_readv(struct um_stream *s, struct iovec *iov, int n)
{
    struct stream_double *d = UM_CONTAINER(s, struct stream_double, stream);
    size_t left = d->read_step ? d->read_step : SIZE_MAX, got = 0;
    d->n_reads++;
    if (d->read_error)
        return d->read_error;
    if (double_stutters(d, &d->has_read))
        return UM_EAGAIN;
    for (int i = 0; i < n; i++) {
        size_t here = double_least(double_least(iov[i].iov_len, left), d->input.n);
        if (here)
            memcpy(iov[i].iov_base, d->input.p, here);
        d->input = um_str_skip(d->input, here);
        left -= here;
        got += here;
    }
    return got || d->is_eof ? (ssize_t)got : UM_EAGAIN;
}

static inline ssize_t double_writev(struct um_stream *s, struct iovec *iov, int n)
{
    struct stream_double *d = UM_CONTAINER(s, struct stream_double, stream);
    size_t left = d->write_step ? d->write_step : SIZE_MAX, taken = 0;
    d->n_writes++;
    if (d->write_error)
        return d->write_error;
    if (double_stutters(d, &d->has_written))
        return UM_EAGAIN;
    for (int i = 0; i < n; i++) {
        size_t here = double_least(iov[i].iov_len, left);
        d->output = realloc(d->output, d->n_output + here + 1);
        memcpy(d->output + d->n_output, iov[i].iov_base, here);
        d->n_output += here;
        left -= here;
        taken += here;
    }
    return (ssize_t)taken;
}

static inline void double_init(struct stream_double *d)
{
    static const struct um_stream_ops OPS = {.readv = double_readv, .writev = double_writev};
    *d = (struct stream_double){.stream = {.ops = &OPS}};
}

static inline void double_release(struct stream_double *d)
{
    free(d->output);
}

#endif
