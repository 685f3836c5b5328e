/* SPDX-License-Identifier: Apache-2.0
 * Heads and trailer sections of HTTP/1.x. The first byte says what the rest is, the second where it is split. However
 * it arrives, the result is the same; and what is accepted can be written and read again. */
#include "fuzz.h"
#include "http/h1_parse.h"
#include "http/h1_write.h"
#include "http/url.h"

enum { REQUEST, RESPONSE, TRAILERS, FIELDS = 16, HEAD_BYTES = 2048 };

static const struct um_h1_limits LIMITS = {.head_bytes = HEAD_BYTES, .fields = FIELDS};

struct result {
    ptrdiff_t n;
    enum um_h1_fault fault;
    struct um_head head;
    struct um_field fields[FIELDS];
};

static void parse(unsigned kind, enum um_method method, struct um_str bytes, size_t *scanned, struct result *r)
{
    r->fault = UM_H1_OK;
    r->head.fields = r->fields;
    if (kind == REQUEST)
        r->n = um_h1_parse_request(bytes, &LIMITS, scanned, &r->head, &r->fault);
    else if (kind == RESPONSE)
        r->n = um_h1_parse_response(bytes, &LIMITS, method, scanned, &r->head, &r->fault);
    else
        r->n = um_h1_parse_trailers(bytes, &LIMITS, scanned, r->fields, &r->head.n_fields, &r->fault);
    UM_FUZZ_CHECK(r->n > 0 || r->n == UM_EAGAIN || (r->n == UM_ESYNTAX && r->fault != UM_H1_OK));
    UM_FUZZ_CHECK(r->n <= (ptrdiff_t)bytes.n && r->n <= HEAD_BYTES);
}

static bool is_same_field(const struct um_field *a, const struct um_field *b)
{
    return a->id == b->id && um_str_eq(um_field_name(a), um_field_name(b)) &&
           um_str_eq(um_field_value(a), um_field_value(b));
}

static void check_split(unsigned kind, enum um_method method, struct um_str bytes, size_t at,
                        const struct result *whole)
{
    static struct result split;
    size_t scanned = 0;
    parse(kind, method, (struct um_str){bytes.p, at}, &scanned, &split);
    if (split.n == UM_EAGAIN)
        parse(kind, method, bytes, &scanned, &split);
    /* with its end in sight a head is parsed; before, a fault may have to wait for the end of its line */
    if (split.n == UM_EAGAIN)
        return;
    UM_FUZZ_CHECK(split.n == whole->n && split.fault == whole->fault);
    if (whole->n < 0)
        return;
    UM_FUZZ_CHECK(split.head.n_fields == whole->head.n_fields);
    for (uint32_t i = 0; i < whole->head.n_fields; i++)
        UM_FUZZ_CHECK(is_same_field(&split.fields[i], &whole->fields[i]));
}

static bool is_forwarded(const struct um_field *f)
{
    return !um_field_id_is_hop(f->id) && f->id != UM_FIELD_HOST && f->id != UM_FIELD_CONTENT_LENGTH && !f->is_nominated;
}

/* the fields that are forwarded come back in their order, behind Host */
static void check_written(unsigned kind, enum um_method method, const struct um_head *h)
{
    static struct result again;
    static char to[4 * HEAD_BYTES];
    const struct um_h1_framing_out f = {.framing = UM_FRAMING_LENGTH, .content_length = 0};
    size_t scanned = 0, bound = um_h1_head_bytes(h, NULL);
    uint32_t at = kind == REQUEST ? 1 : 0;
    UM_FUZZ_CHECK(bound <= sizeof to);
    size_t n = kind == REQUEST ? um_h1_write_request(to, h, NULL, &f) : um_h1_write_response(to, h, NULL, &f);
    UM_FUZZ_CHECK(n <= bound);
    if (n > HEAD_BYTES || h->n_fields + 2 > FIELDS || (h->path.n && h->path.p[0] == '?'))
        return;
    parse(kind, method, (struct um_str){to, n}, &scanned, &again);
    UM_FUZZ_CHECK(again.n == (ptrdiff_t)n);
    for (uint32_t i = 0; i < h->n_fields; i++)
        if (is_forwarded(&h->fields[i]))
            UM_FUZZ_CHECK(at < again.head.n_fields && is_same_field(&h->fields[i], &again.fields[at++]));
    UM_FUZZ_CHECK(at + 1 == again.head.n_fields);
}

static void check_path(struct um_str path)
{
    struct um_arena a;
    struct um_str normal, again;
    um_arena_init(&a, NULL, 0);
    if (um_url_normalise(path, &a, &normal) == 0) {
        UM_FUZZ_CHECK(um_url_normalise(normal, &a, &again) == 0);
        UM_FUZZ_CHECK(um_str_eq(normal, again));
    }
    um_arena_release(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct result whole;
    if (n < 2)
        return 0;
    unsigned kind = data[0] % 3;
    enum um_method method = data[0] & 4 ? UM_METHOD_HEAD : data[0] & 8 ? UM_METHOD_CONNECT : UM_METHOD_GET;
    struct um_str bytes = {(const char *)data + 2, n - 2};
    size_t scanned = 0;
    parse(kind, method, bytes, &scanned, &whole);
    check_split(kind, method, bytes, data[1] % (bytes.n + 1), &whole);
    if (whole.n < 0 || kind == TRAILERS)
        return 0;
    check_written(kind, method, &whole.head);
    if (kind == REQUEST)
        check_path(whole.head.path);
    return 0;
}
