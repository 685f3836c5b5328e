/* SPDX-License-Identifier: Apache-2.0
 * bytes: the classes of bytes that HTTP's grammar speaks of, and fast ways over runs of them. Internal to http/.
 * The skips look at 16 bytes a step where SSE2 is there (every x86-64) and at single bytes elsewhere and near the end;
 * they never read past `end`. Thread: any. */
#ifndef UM_HTTP_BYTES_H
#define UM_HTTP_BYTES_H

#include <stdbool.h>
#include <stdint.h>

enum um_byte_class {
    UM_BYTE_TOKEN = 1,       /* tchar, RFC 9110 section 5.6.2 */
    UM_BYTE_METHOD = 2,      /* tchar but a-z: Envoy refuses those in methods */
    UM_BYTE_VALUE = 4,       /* HTAB, SP, VCHAR, obs-text, RFC 9110 section 5.5 */
    UM_BYTE_TARGET = 8,      /* of a request target: all but controls, SP and '#'; obs-text is let through */
    UM_BYTE_REG_NAME = 16,   /* unreserved and sub-delims, RFC 3986 section 3.2.2; no percent-encoding */
    UM_BYTE_PATH = 32,       /* path normalisation leaves these alone wherever they stand */
    UM_BYTE_UNRESERVED = 64, /* RFC 3986 section 2.3 */
    UM_BYTE_HEX = 128,
};

extern const uint8_t um_byte_classes[256];

static inline bool um_byte_is(char c, enum um_byte_class k)
{
    return um_byte_classes[(uint8_t)c] & k;
}

/* the first byte of [p, end) that is not of the class, or end */
static inline const char *um_skip(const char *p, const char *end, enum um_byte_class k)
{
    while (p < end && um_byte_is(*p, k))
        p++;
    return p;
}

/* the same for VALUE and TARGET */
const char *um_skip_value(const char *p, const char *end);
const char *um_skip_target(const char *p, const char *end);

/* value of a hexadecimal digit; the byte is one */
static inline unsigned um_hex_digit(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
}

#endif
