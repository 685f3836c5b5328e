/* SPDX-License-Identifier: Apache-2.0
 * h1_write: heads, chunk headers and trailers as HTTP/1.1 bytes (RFC 9112), into room the caller gives.
 * Hop-by-hop fields (known ones and those named in Connection) are left out; Host comes first; the codec writes the
 * framing (Content-Length or Transfer-Encoding) from what the caller says, so that it can never contradict the body.
 * Runs of unchanged fields are copied at once. Thread: any (pure). */
#ifndef UM_HTTP_H1_WRITE_H
#define UM_HTTP_H1_WRITE_H

#include "http/message.h"

struct um_h1_framing_out {
    enum um_framing framing; /* NONE, LENGTH, CHUNKED, CLOSE, TUNNEL */
    uint64_t content_length;
    bool close;             /* write `connection: close` */
    bool keep_alive;        /* write `connection: keep-alive` (to an HTTP/1.0 client) */
    bool upgrade;           /* write `connection: upgrade` and keep the Upgrade field */
    bool keep_length_field; /* NONE: pass the head's Content-Length on (answer to HEAD, 304) */
};

/* Upper bound of the bytes that writing takes. Edits may be NULL here and below. */
size_t um_h1_head_bytes(const struct um_head *, const struct um_edits *);

/* Writes the request line (method, path, HTTP/1.1), Host, fields, framing, empty line. Returns the bytes written.
 * The caller has given at least um_h1_head_bytes. */
size_t um_h1_write_request(char *to, const struct um_head *, const struct um_edits *, const struct um_h1_framing_out *);
/* status line `HTTP/1.1 STATUS REASON`, fields, framing, empty line */
size_t um_h1_write_response(char *to, const struct um_head *, const struct um_edits *,
                            const struct um_h1_framing_out *);

/* "1a2b\r\n", at most 18 bytes */
size_t um_h1_write_chunk_size(char to[18], uint64_t n);
/* "0\r\n", fields, "\r\n"; um_h1_trailers_bytes is the bound */
size_t um_h1_trailers_bytes(const struct um_field *, uint32_t n);
size_t um_h1_write_trailers(char *to, const struct um_field *, uint32_t n);

#endif
