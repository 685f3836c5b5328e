/* SPDX-License-Identifier: Apache-2.0
 * What umbra makes of bytes, for http_oracle.py to compare with other readers. Each line of standard input is
 * `request HEX` or `response METHOD HEX`; each line of standard output a JSON list of the messages that were complete.
 */
#include "base/buf.h"
#include "http/bytes.h"
#include "http/h1_parse.h"

#include <stdio.h>
#include <stdlib.h>

enum { FIELDS = 64, LINE_BYTES = 1 << 16 };

static const struct um_h1_limits LIMITS = {.head_bytes = UM_H1_HEAD_BYTES_DEFAULT, .fields = FIELDS};

static void add_hex(struct um_buf *out, struct um_str s)
{
    um_buf_add_char(out, '"');
    for (size_t i = 0; i < s.n; i++)
        um_buf_addf(out, "%02x", (unsigned char)s.p[i]);
    um_buf_add_char(out, '"');
}

static void add_fields(struct um_buf *out, const struct um_field *fields, uint32_t n)
{
    um_buf_add_char(out, '[');
    for (uint32_t i = 0; i < n; i++) {
        um_buf_add_cstr(out, i ? ",[" : "[");
        add_hex(out, um_field_name(&fields[i]));
        um_buf_add_char(out, ',');
        add_hex(out, um_field_value(&fields[i]));
        um_buf_add_char(out, ']');
    }
    um_buf_add_char(out, ']');
}

static void add_head(struct um_buf *out, const struct um_head *h)
{
    um_buf_addf(out, "{\"version\":%d,\"status\":%u,\"method\":", h->version, h->status);
    add_hex(out, h->method_name);
    um_buf_add_cstr(out, ",\"scheme\":");
    add_hex(out, h->scheme);
    um_buf_add_cstr(out, ",\"authority\":");
    add_hex(out, h->authority);
    um_buf_add_cstr(out, ",\"path\":");
    add_hex(out, h->path);
    um_buf_add_cstr(out, ",\"fields\":");
    add_fields(out, h->fields, h->n_fields);
}

/* the body and what follows it; false if the message is incomplete or refused */
static bool add_body(struct um_buf *out, const struct um_head *h, struct um_str *in)
{
    struct um_body_decoder d;
    struct um_field trailers[FIELDS];
    struct um_str data;
    enum um_body_state state;
    enum um_h1_fault fault;
    uint32_t n = 0;
    size_t scanned = 0;
    bool at_trailers;
    struct um_buf body;
    um_buf_init(&body, 0);
    um_body_decoder_init(&d, h->framing, h->content_length);
    do {
        state = um_body_decode(&d, in, &data, &at_trailers, &fault);
        um_buf_add(&body, data);
    } while (state == UM_BODY_MORE && in->n);
    um_buf_add_cstr(out, ",\"body\":");
    add_hex(out, um_buf_str(&body));
    um_buf_release(&body);
    if (state == UM_BODY_DONE && at_trailers) {
        ptrdiff_t eaten = um_h1_parse_trailers(*in, &LIMITS, &scanned, trailers, &n, &fault);
        if (eaten < 0)
            return false;
        *in = um_str_skip(*in, (size_t)eaten);
    }
    um_buf_add_char(out, '}');
    return state == UM_BODY_DONE || h->framing == UM_FRAMING_CLOSE;
}

/* appends one message; false when the connection would not go on to another one */
static bool add_message(struct um_buf *out, bool is_request, enum um_method method, struct um_str *in)
{
    struct um_field fields[FIELDS];
    struct um_head h = {.fields = fields};
    enum um_h1_fault fault;
    size_t scanned = 0, before = out->n;
    ptrdiff_t n = is_request ? um_h1_parse_request(*in, &LIMITS, &scanned, &h, &fault)
                             : um_h1_parse_response(*in, &LIMITS, method, &scanned, &h, &fault);
    if (n < 0)
        return false;
    *in = um_str_skip(*in, (size_t)n);
    um_buf_add_cstr(out, before > 1 ? "," : "");
    add_head(out, &h);
    if (h.framing == UM_FRAMING_TUNNEL) {
        um_buf_add_cstr(out, ",\"body\":\"\"}");
        return false;
    }
    if (!add_body(out, &h, in)) {
        out->n = before;
        return false;
    }
    return is_request && h.keep_alive && !h.has_upgrade && h.method != UM_METHOD_CONNECT && in->n;
}

/* hexadecimal text into the bytes it stands for, in its own place */
static struct um_str unhex(char *text)
{
    size_t n = strlen(text) / 2;
    for (size_t i = 0; i < n; i++)
        text[i] = (char)(um_hex_digit(text[2 * i]) << 4 | um_hex_digit(text[2 * i + 1]));
    return (struct um_str){text, n};
}

int main(void)
{
    static char line[LINE_BYTES];
    struct um_buf out;
    um_buf_init(&out, 0);
    while (fgets(line, sizeof line, stdin)) {
        char *save, *kind = strtok_r(line, " \n", &save);
        bool is_request = kind && strcmp(kind, "request") == 0;
        enum um_method method = is_request ? UM_METHOD_OTHER : um_method_of(um_str_from(strtok_r(NULL, " \n", &save)));
        char *hex = strtok_r(NULL, " \n", &save);
        struct um_str in = unhex(hex ? hex : line + strlen(line));
        um_buf_clear(&out);
        um_buf_add_char(&out, '[');
        while (add_message(&out, is_request, method, &in))
            ;
        um_buf_add_cstr(&out, "]\n");
        fwrite(out.p, 1, out.n, stdout);
    }
    um_buf_release(&out);
    return 0;
}
