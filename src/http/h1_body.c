/* SPDX-License-Identifier: Apache-2.0 */
#include "http/bytes.h"
#include "http/h1_parse.h"

/* Chunked coding (RFC 9112 section 7.1): where in the grammar the next byte stands. Extensions are skipped, for nobody
 * acts on them, but not unread: what another reader could take for the end of the line is refused, and so is white
 * space around their parts, about which readers differ. */
enum state {
    SIZE,
    EXT_NAME_BEGIN, /* behind ';' */
    EXT_NAME,
    EXT_VALUE_BEGIN, /* behind '=' */
    EXT_TOKEN,
    EXT_QUOTED,
    EXT_ESCAPE, /* behind '\\' */
    EXT_QUOTED_END,
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    LAST, /* the last chunk's line has ended: the trailer section follows */
};

enum { DIGITS_MAX = 16, EXTENSION_BYTES_MAX = 1024 /* of one line, with the CR that ends it */ };

void um_body_decoder_init(struct um_body_decoder *d, enum um_framing framing, uint64_t content_length)
{
    *d = (struct um_body_decoder){.framing = framing, .state = SIZE};
    if (framing == UM_FRAMING_LENGTH)
        d->left = content_length;
}

/* up to d->left bytes of *in as data */
static void take(struct um_body_decoder *d, struct um_str *in, struct um_str *ret_data)
{
    ret_data->p = in->p;
    ret_data->n = in->n < d->left ? in->n : (size_t)d->left;
    d->left -= ret_data->n;
    *in = um_str_skip(*in, ret_data->n);
}

static enum um_h1_fault go_on(struct um_body_decoder *d, enum state state)
{
    d->state = state;
    return UM_H1_OK;
}

/* the byte behind a size or an extension; `otherwise` is the fault if neither the line nor an extension may end there
 */
static enum um_h1_fault part_end(struct um_body_decoder *d, char c, enum um_h1_fault otherwise)
{
    if (c == '\r')
        return go_on(d, SIZE_LF);
    if (c == ';')
        return go_on(d, EXT_NAME_BEGIN);
    return c == '\n' ? UM_H1_BARE_LF : otherwise;
}

static enum um_h1_fault size_byte(struct um_body_decoder *d, char c)
{
    if (!um_byte_is(c, UM_BYTE_HEX))
        return d->digits ? part_end(d, c, UM_H1_BAD_CHUNK_SIZE) : UM_H1_BAD_CHUNK_SIZE;
    if (++d->digits > DIGITS_MAX || d->left > INT64_MAX >> 4)
        return UM_H1_BAD_CHUNK_SIZE;
    d->left = d->left << 4 | um_hex_digit(c);
    return UM_H1_OK;
}

static enum um_h1_fault quoted_byte(struct um_body_decoder *d, char c)
{
    if (!um_byte_is(c, UM_BYTE_VALUE))
        return c == '\n' ? UM_H1_BARE_LF : UM_H1_BAD_CHUNK_EXTENSION;
    if (d->state == EXT_ESCAPE)
        return go_on(d, EXT_QUOTED);
    return go_on(d, c == '"' ? EXT_QUOTED_END : c == '\\' ? EXT_ESCAPE : EXT_QUOTED);
}

static enum um_h1_fault extension_byte(struct um_body_decoder *d, char c)
{
    bool is_token = um_byte_is(c, UM_BYTE_TOKEN);
    if (++d->ext_bytes > EXTENSION_BYTES_MAX)
        return UM_H1_BAD_CHUNK_EXTENSION;
    switch ((enum state)d->state) {
    case EXT_NAME_BEGIN:
        return is_token ? go_on(d, EXT_NAME) : UM_H1_BAD_CHUNK_EXTENSION;
    case EXT_NAME:
        if (c == '=')
            return go_on(d, EXT_VALUE_BEGIN);
        return is_token ? UM_H1_OK : part_end(d, c, UM_H1_BAD_CHUNK_EXTENSION);
    case EXT_VALUE_BEGIN:
        if (c == '"')
            return go_on(d, EXT_QUOTED);
        return is_token ? go_on(d, EXT_TOKEN) : UM_H1_BAD_CHUNK_EXTENSION;
    case EXT_TOKEN:
        return is_token ? UM_H1_OK : part_end(d, c, UM_H1_BAD_CHUNK_EXTENSION);
    case EXT_QUOTED_END:
        return part_end(d, c, UM_H1_BAD_CHUNK_EXTENSION);
    default:
        return quoted_byte(d, c);
    }
}

static enum um_h1_fault size_lf(struct um_body_decoder *d, char c)
{
    if (c != '\n')
        return UM_H1_BARE_CR;
    d->state = d->left ? DATA : LAST;
    d->digits = 0;
    d->ext_bytes = 0;
    return UM_H1_OK;
}

static enum um_h1_fault data_end(struct um_body_decoder *d, char c)
{
    if (c != (d->state == DATA_CR ? '\r' : '\n'))
        return UM_H1_BAD_CHUNK_END;
    d->state = d->state == DATA_CR ? DATA_LF : SIZE;
    return UM_H1_OK;
}

static enum um_h1_fault chunked_byte(struct um_body_decoder *d, char c)
{
    if (d->state == SIZE)
        return size_byte(d, c);
    if (d->state < SIZE_LF)
        return extension_byte(d, c);
    return d->state == SIZE_LF ? size_lf(d, c) : data_end(d, c);
}

static enum um_body_state decode_chunked(struct um_body_decoder *d, struct um_str *in, struct um_str *ret_data,
                                         bool *ret_at_trailers, enum um_h1_fault *ret_fault)
{
    while (in->n && d->state != LAST) {
        if (d->state == DATA) {
            take(d, in, ret_data);
            if (d->left == 0)
                d->state = DATA_CR;
            return UM_BODY_MORE;
        }
        enum um_h1_fault fault = chunked_byte(d, in->p[0]);
        if (fault) {
            *ret_fault = fault;
            return UM_BODY_FAULT;
        }
        *in = um_str_skip(*in, 1);
    }
    *ret_at_trailers = d->state == LAST;
    return d->state == LAST ? UM_BODY_DONE : UM_BODY_MORE;
}

enum um_body_state um_body_decode(struct um_body_decoder *d, struct um_str *in, struct um_str *ret_data,
                                  bool *ret_at_trailers, enum um_h1_fault *ret_fault)
{
    *ret_data = (struct um_str){in->p, 0};
    *ret_at_trailers = false;
    switch (d->framing) {
    case UM_FRAMING_NONE:
        return UM_BODY_DONE;
    case UM_FRAMING_LENGTH:
        take(d, in, ret_data);
        return d->left ? UM_BODY_MORE : UM_BODY_DONE;
    case UM_FRAMING_CHUNKED:
        return decode_chunked(d, in, ret_data, ret_at_trailers, ret_fault);
    default:
        *ret_data = *in;
        *in = um_str_skip(*in, in->n);
        return UM_BODY_MORE;
    }
}
