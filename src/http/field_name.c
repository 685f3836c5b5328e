/* SPDX-License-Identifier: Apache-2.0
 * Known field names: a perfect hash over length, first, middle and last byte, then one comparison.
 * MULTIPLIER and SLOTS belong together; field_name_test finds a new pair when field_name.def has changed. */
#include "http/field_name.h"

#include <stddef.h>

enum { H = 1, E = 2, SLOT_BITS = 7, NAME_BYTES = 32 };

static const uint32_t MULTIPLIER = 0xed673911;

static const uint8_t SLOTS[1 << SLOT_BITS] = {
    23, 0,  0,  0,  0, 14, 0,  0,  0,  0, 0, 0,  15, 0,  0,  0, 20, 30, 37, 0, 0, 0,  33, 0, 0,  0, 21, 27, 0,  0, 7, 0,
    0,  36, 0,  25, 0, 0,  40, 0,  0,  0, 0, 0,  0,  39, 0,  0, 0,  0,  0,  0, 5, 29, 0,  0, 0,  0, 0,  0,  0,  0, 0, 0,
    11, 0,  0,  0,  0, 0,  0,  0,  1,  0, 0, 18, 12, 38, 10, 0, 0,  0,  22, 0, 0, 28, 0,  0, 31, 0, 0,  0,  0,  0, 0, 2,
    0,  0,  24, 16, 6, 0,  32, 13, 26, 3, 0, 9,  4,  0,  0,  0, 19, 0,  17, 0, 0, 0,  0,  0, 35, 0, 0,  0,  34, 8, 0, 0,
};

/* padded with NUL, so that whole words of them can be compared */
static const struct {
    char name[NAME_BYTES];
    uint8_t n;
} NAMES[UM_FIELD_COUNT] = {
#define UM_FIELD_NAME(id, name, flags) [UM_FIELD_##id] = {name, sizeof(name) - 1},
#include "http/field_name.def"
#undef UM_FIELD_NAME
};

#define UM_FIELD_NAME(id, name, flags) _Static_assert(sizeof(name) <= NAME_BYTES, name " is too long");
#include "http/field_name.def"
#undef UM_FIELD_NAME

#define UM_FIELD_NAME(id, name, flags) | ((uint64_t)((flags) == H) << UM_FIELD_##id)
const uint64_t um_field_ids_hop = 0
#include "http/field_name.def"
    ;
#undef UM_FIELD_NAME

#define UM_FIELD_NAME(id, name, flags) | ((uint64_t)((flags) == E) << UM_FIELD_##id)
const uint64_t um_field_ids_end_to_end = 0
#include "http/field_name.def"
    ;
#undef UM_FIELD_NAME

/* ASCII letters of all eight bytes in lower case (bytes from 0x80 on stay) */
static uint64_t lower_word(const char *p)
{
    static const uint64_t EACH = 0x0101010101010101;
    uint64_t w, low, from_a, past_z;
    memcpy(&w, p, sizeof w);
    low = w & 0x7f * EACH;
    from_a = low + (0x80 - 'A') * EACH;
    past_z = low + (0x80 - 'Z' - 1) * EACH;
    return w | (((from_a & ~past_z & ~w) & 0x80 * EACH) >> 2);
}

static bool is_same(const char *known, const char *name, size_t n)
{
    char tail[8] = {0};
    size_t i = 0;
    uint64_t w;
    for (; i + 8 <= n; i += 8) {
        memcpy(&w, known + i, sizeof w);
        if (lower_word(name + i) != w)
            return false;
    }
    memcpy(&w, known + i, sizeof w);
    memcpy(tail, name + i, n - i);
    return lower_word(tail) == w;
}

enum um_field_id um_field_id_of(struct um_str name)
{
    if (name.n == 0 || name.n >= NAME_BYTES)
        return UM_FIELD_OTHER;
    const unsigned char *p = (const void *)name.p;
    uint32_t key =
        (uint32_t)name.n | (uint32_t)p[0] << 8 | (uint32_t)p[name.n / 2] << 16 | (uint32_t)p[name.n - 1] << 24;
    unsigned id = SLOTS[((key | 0x20202000) * MULTIPLIER) >> (32 - SLOT_BITS)];
    return NAMES[id].n == name.n && is_same(NAMES[id].name, name.p, name.n) ? (enum um_field_id)id : UM_FIELD_OTHER;
}

struct um_str um_field_id_name(enum um_field_id id)
{
    return (struct um_str){NAMES[id].name, NAMES[id].n};
}

bool um_field_id_is_hop(enum um_field_id id)
{
    return um_field_ids_hop >> id & 1;
}
