/* SPDX-License-Identifier: Apache-2.0
 * h1_parse: the head of an HTTP/1.x message out of contiguous bytes, strictly by RFC 9112; and the body decoders.
 * Nothing is copied: slices of the head point into the bytes given. Anything ambiguous is refused, because two readers
 * that disagree about a message are a smuggling hole: bare LF or CR, space before the colon, obs-fold, NUL and other
 * controls, both Content-Length and Transfer-Encoding, repeated or disagreeing Content-Length, repeated or missing
 * Host, any transfer coding but a single final "chunked", white space around the request line's parts, HTTP/0.9,
 * versions but 1.0 and 1.1.
 * Of what the RFC leaves open: a method with a lower-case letter and a target with '#' are refused as Envoy does, and
 * so are user information and percent-encoding in an authority. A target of "http://h?x=1" gives the path "?x=1", which
 * um_url_normalise refuses. `Upgrade: h2c` is ignored. Connection cannot nominate what is end-to-end
 * (field_name.def). White space with a tab behind Content-Length's or Transfer-Encoding's value is refused.
 * Thread: any (pure). */
#ifndef UM_HTTP_H1_PARSE_H
#define UM_HTTP_H1_PARSE_H

#include "http/message.h"

/* why a message was refused: symbol, word for log and counter, status to answer a client with, text */
enum um_h1_fault {
    UM_H1_OK = 0,
#define UM_H1_FAULT(symbol, word, status, text) UM_H1_##symbol,
#include "http/h1_fault.def"
#undef UM_H1_FAULT
    UM_H1_FAULT_COUNT
};
unsigned um_h1_fault_status(enum um_h1_fault);
const char *um_h1_fault_symbol(enum um_h1_fault); /* the word */
const char *um_h1_fault_text(enum um_h1_fault);

struct um_h1_limits {
    uint32_t head_bytes; /* request or status line, fields, empty line */
    uint32_t fields;     /* at most UM_H1_FIELDS_MAX */
};
enum { UM_H1_FIELDS_MAX = 1000, UM_H1_FIELDS_DEFAULT = 100, UM_H1_HEAD_BYTES_DEFAULT = 60 << 10 };

/* Result: > 0 bytes of the head, empty line included; UM_EAGAIN: more bytes are needed (call again with all of them;
 * *scanned remembers what was looked at so that a head that trickles in costs linear time); UM_ESYNTAX with *ret_fault.
 * One empty line (CRLF) before a request line is skipped (RFC 9112 section 2.2) and counted in the result.
 * head->fields must point at room for limits->fields entries. */
ptrdiff_t um_h1_parse_request(struct um_str bytes, const struct um_h1_limits *, size_t *scanned, struct um_head *head,
                              enum um_h1_fault *ret_fault) UM_MUST_CHECK;

/* `request_method` decides whether there is a body (HEAD, CONNECT); 1xx but 101 are heads of their own, without body */
ptrdiff_t um_h1_parse_response(struct um_str bytes, const struct um_h1_limits *, enum um_method request_method,
                               size_t *scanned, struct um_head *head, enum um_h1_fault *ret_fault) UM_MUST_CHECK;

/* ---- bodies ------------------------------------------------------------------------------------- */

enum um_body_state {
    UM_BODY_DONE, /* the message has ended; what follows in the buffer is the next one's */
    UM_BODY_MORE,
    UM_BODY_FAULT,
};

/* decoder of one body, any framing; no allocation */
struct um_body_decoder {
    enum um_framing framing;
    uint8_t state;      /* chunked: where in the grammar */
    uint8_t digits;     /* of the chunk size, leading zeros included */
    uint16_t ext_bytes; /* of chunk extensions on this line; limited */
    uint64_t left;      /* of the body (LENGTH) or the chunk (CHUNKED) */
};

void um_body_decoder_init(struct um_body_decoder *, enum um_framing, uint64_t content_length);

/* One step: eats bytes from *in, and gives at most one run of body bytes, a slice of the input (nothing is copied).
 * MORE with *in empty: come back with more. The trailer section of a chunked body ends the message; it is not eaten:
 * with *ret_at_trailers true, DONE is returned and *in stands at the first byte after the last chunk's CRLF; go on with
 * um_h1_parse_trailers. */
enum um_body_state um_body_decode(struct um_body_decoder *, struct um_str *in, struct um_str *ret_data,
                                  bool *ret_at_trailers, enum um_h1_fault *ret_fault);

/* trailer fields up to and with the empty line; result as um_h1_parse_request; fields that RFC 9110 section 6.5.1
 * forbids (framing, routing, authentication, Content-Type...) are parsed and left out */
ptrdiff_t um_h1_parse_trailers(struct um_str bytes, const struct um_h1_limits *, size_t *scanned,
                               struct um_field *fields, uint32_t *ret_n, enum um_h1_fault *ret_fault) UM_MUST_CHECK;

#endif
