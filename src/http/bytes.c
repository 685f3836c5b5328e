/* SPDX-License-Identifier: Apache-2.0 */
#include "http/bytes.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define UPPER(c) ((c) >= 'A' && (c) <= 'Z')
#define LOWER(c) ((c) >= 'a' && (c) <= 'z')
#define DIGIT(c) ((c) >= '0' && (c) <= '9')
#define UNRESERVED(c) (UPPER(c) || LOWER(c) || DIGIT(c) || (c) == '-' || (c) == '.' || (c) == '_' || (c) == '~')
#define SUB_DELIM(c) ((c) == '!' || (c) == '$' || ((c) >= '&' && (c) <= ',') /* &'()*+, */ || (c) == ';' || (c) == '=')
#define TOKEN(c)                                                                                                       \
    ((UNRESERVED(c) || ((c) >= '!' && (c) <= '+') || (c) == '^' || (c) == '`' || (c) == '|') && (c) != '"' &&          \
     (c) != '(' && (c) != ')')
#define VALUE(c) ((c) == '\t' || ((c) >= ' ' && (c) != 0x7f))
#define TARGET(c) ((c) > ' ' && (c) != 0x7f && (c) != '#')
#define PATH(c) ((UNRESERVED(c) && (c) != '.') || SUB_DELIM(c) || (c) == '/' || (c) == ':' || (c) == '@')
#define HEX(c) (DIGIT(c) || ((c) >= 'A' && (c) <= 'F') || ((c) >= 'a' && (c) <= 'f'))

#define CLASS(c)                                                                                                       \
    ((TOKEN(c) ? UM_BYTE_TOKEN : 0) | (TOKEN(c) && !LOWER(c) ? UM_BYTE_METHOD : 0) | (VALUE(c) ? UM_BYTE_VALUE : 0) |  \
     (TARGET(c) ? UM_BYTE_TARGET : 0) | (UNRESERVED(c) || SUB_DELIM(c) ? UM_BYTE_REG_NAME : 0) |                       \
     (PATH(c) || (c) == '[' || (c) == ']' ? UM_BYTE_PATH : 0) | (UNRESERVED(c) ? UM_BYTE_UNRESERVED : 0) |             \
     (HEX(c) ? UM_BYTE_HEX : 0))
#define ROW(c)                                                                                                         \
    CLASS(c), CLASS(c + 1), CLASS(c + 2), CLASS(c + 3), CLASS(c + 4), CLASS(c + 5), CLASS(c + 6), CLASS(c + 7)
#define ROWS(c) ROW(c), ROW(c + 8), ROW(c + 16), ROW(c + 24)

const uint8_t um_byte_classes[256] = {ROWS(0),   ROWS(32),  ROWS(64),  ROWS(96),
                                      ROWS(128), ROWS(160), ROWS(192), ROWS(224)};

#ifdef __SSE2__

static __m128i load(const char *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

/* 0xff where the byte is at most `most`, unsigned */
static __m128i at_most(__m128i x, char most)
{
    return _mm_cmpeq_epi8(_mm_min_epu8(x, _mm_set1_epi8(most)), x);
}

static __m128i equal(__m128i x, char c)
{
    return _mm_cmpeq_epi8(x, _mm_set1_epi8(c));
}

const char *um_skip_value(const char *p, const char *end)
{
    for (; end - p >= 16; p += 16) {
        __m128i x = load(p);
        __m128i stop = _mm_or_si128(_mm_andnot_si128(equal(x, '\t'), at_most(x, 0x1f)), equal(x, 0x7f));
        int stops = _mm_movemask_epi8(stop);
        if (stops)
            return p + __builtin_ctz((unsigned)stops);
    }
    return um_skip(p, end, UM_BYTE_VALUE);
}

const char *um_skip_target(const char *p, const char *end)
{
    for (; end - p >= 16; p += 16) {
        __m128i x = load(p);
        int stops = _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(at_most(x, ' '), equal(x, 0x7f)), equal(x, '#')));
        if (stops)
            return p + __builtin_ctz((unsigned)stops);
    }
    return um_skip(p, end, UM_BYTE_TARGET);
}

#else

const char *um_skip_value(const char *p, const char *end)
{
    return um_skip(p, end, UM_BYTE_VALUE);
}

const char *um_skip_target(const char *p, const char *end)
{
    return um_skip(p, end, UM_BYTE_TARGET);
}

#endif
