/* SPDX-License-Identifier: Apache-2.0
 * Chunked bodies. The first byte is the size of the reads: whatever it is, the same data comes out, the same bytes are
 * left, and the same fault is found. */
#include "fuzz.h"
#include "http/h1_parse.h"

enum { DATA_BYTES = 1 << 16 };

struct result {
    char data[DATA_BYTES];
    size_t n, eaten;
    enum um_body_state state;
    enum um_h1_fault fault;
    bool at_trailers;
};

static void feed(struct um_body_decoder *d, struct um_str bytes, struct result *r)
{
    struct um_str in = bytes, data;
    do {
        size_t before = in.n;
        r->state = um_body_decode(d, &in, &data, &r->at_trailers, &r->fault);
        UM_FUZZ_CHECK(data.n == 0 || (data.p >= bytes.p && data.p + data.n <= bytes.p + bytes.n));
        UM_FUZZ_CHECK(r->state != UM_BODY_MORE || in.n < before || before == 0);
        memcpy(r->data + r->n, data.p, data.n);
        r->n += data.n;
    } while (r->state == UM_BODY_MORE && in.n);
    r->eaten += bytes.n - in.n;
}

static void decode(struct um_str bytes, size_t step, struct result *r)
{
    struct um_body_decoder d;
    r->n = r->eaten = 0;
    r->fault = UM_H1_OK;
    r->state = UM_BODY_MORE;
    um_body_decoder_init(&d, UM_FRAMING_CHUNKED, 0);
    while (bytes.n && r->state == UM_BODY_MORE) {
        struct um_str part = {bytes.p, bytes.n < step ? bytes.n : step};
        feed(&d, part, r);
        bytes = um_str_skip(bytes, part.n);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct result whole, parts;
    if (n < 2 || n > DATA_BYTES)
        return 0;
    struct um_str bytes = {(const char *)data + 1, n - 1};
    decode(bytes, bytes.n, &whole);
    decode(bytes, data[0] % 16 + 1u, &parts);
    UM_FUZZ_CHECK(whole.state == parts.state && whole.fault == parts.fault && whole.eaten == parts.eaten);
    UM_FUZZ_CHECK(whole.n == parts.n && memcmp(whole.data, parts.data, whole.n) == 0);
    UM_FUZZ_CHECK(whole.at_trailers == (whole.state == UM_BODY_DONE));
    UM_FUZZ_CHECK((whole.state == UM_BODY_FAULT) == (whole.fault != UM_H1_OK));
    return 0;
}
