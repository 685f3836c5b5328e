/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include "base/err.h"

#include <xxhash.h>

bool um_str_ieq(struct um_str a, struct um_str b)
{
    return a.n == b.n && um_str_istarts(a, b);
}

bool um_str_istarts(struct um_str s, struct um_str prefix)
{
    if (s.n < prefix.n)
        return false;
    for (size_t i = 0; i < prefix.n; i++)
        if (um_lower(s.p[i]) != um_lower(prefix.p[i]))
            return false;
    return true;
}

int um_str_cmp(struct um_str a, struct um_str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int d = n ? memcmp(a.p, b.p, n) : 0;
    return d ? d : (a.n > b.n) - (a.n < b.n);
}

ptrdiff_t um_str_find(struct um_str s, char c)
{
    const char *hit = s.n ? memchr(s.p, c, s.n) : NULL;
    return hit ? hit - s.p : -1;
}

ptrdiff_t um_str_rfind(struct um_str s, char c)
{
    const char *hit = s.n ? memrchr(s.p, c, s.n) : NULL;
    return hit ? hit - s.p : -1;
}

static bool is_ows(char c)
{
    return c == ' ' || c == '\t';
}

struct um_str um_str_trim(struct um_str s)
{
    while (s.n && is_ows(s.p[0]))
        s = um_str_skip(s, 1);
    while (s.n && is_ows(s.p[s.n - 1]))
        s.n--;
    return s;
}

bool um_str_split(struct um_str *rest, char sep, struct um_str *ret_item)
{
    if (!rest->p)
        return false;
    ptrdiff_t at = um_str_find(*rest, sep);
    struct um_str item = *rest;
    if (at < 0) {
        *rest = (struct um_str){NULL, 0};
    } else {
        item.n = (size_t)at;
        *rest = um_str_skip(*rest, (size_t)at + 1);
    }
    *ret_item = um_str_trim(item);
    return true;
}

int um_str_to_u64(struct um_str s, uint64_t max, uint64_t *ret_value)
{
    uint64_t v = 0;
    if (s.n == 0)
        return UM_ESYNTAX;
    for (size_t i = 0; i < s.n; i++) {
        unsigned digit = (unsigned)(unsigned char)s.p[i] - '0';
        if (digit > 9)
            return UM_ESYNTAX;
        if (digit > max || v > (max - digit) / 10)
            return UM_ELIMIT;
        v = v * 10 + digit;
    }
    *ret_value = v;
    return 0;
}

size_t um_u64_text(char to[UM_U64_TEXT_BYTES], uint64_t value)
{
    char digits[UM_U64_TEXT_BYTES];
    size_t i = sizeof digits;
    do {
        digits[--i] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    memcpy(to, digits + i, sizeof digits - i);
    return sizeof digits - i;
}

/* digits[.digits] at the head of *s, in units of 1e-9 */
static int take_decimal(struct um_str *s, unsigned __int128 *ret_nano)
{
    unsigned __int128 v = 0;
    uint64_t scale = 1000000000;
    size_t i = 0;
    bool dot = false, digits = false;
    for (; i < s->n; i++) {
        char c = s->p[i];
        if (c == '.' && !dot) {
            dot = true;
            continue;
        }
        if (c < '0' || c > '9')
            break;
        digits = true;
        if (!dot)
            v = v * 10 + (unsigned)(c - '0') * (unsigned __int128)1000000000;
        else if (scale > 1)
            v += (unsigned)(c - '0') * (unsigned __int128)(scale /= 10);
        if (v > (unsigned __int128)1 << 100)
            return UM_ELIMIT;
    }
    if (!digits)
        return UM_ESYNTAX;
    *s = um_str_skip(*s, i);
    *ret_nano = v;
    return 0;
}

int um_str_to_ms(struct um_str s, uint64_t *ret_ms, bool *ret_exact)
{
    static const struct {
        struct um_str name;
        uint64_t nano;
    } UNITS[] = {
        {UM_STR_INIT("ms"), 1000000},      {UM_STR_INIT("us"), 1000},       {UM_STR_INIT("ns"), 1},
        {UM_STR_INIT("h"), 3600000000000}, {UM_STR_INIT("m"), 60000000000}, {UM_STR_INIT("s"), 1000000000},
    };
    unsigned __int128 total = 0;
    if (s.n == 0)
        return UM_ESYNTAX;
    if (um_str_eq(s, UM_STR("0"))) {
        *ret_ms = 0;
        *ret_exact = true;
        return 0;
    }
    while (s.n) {
        unsigned __int128 v;
        int rc = take_decimal(&s, &v);
        if (rc)
            return rc;
        size_t u = 0;
        while (u < sizeof UNITS / sizeof UNITS[0] && !um_str_starts(s, UNITS[u].name))
            u++;
        if (u == sizeof UNITS / sizeof UNITS[0])
            return UM_ESYNTAX;
        s = um_str_skip(s, UNITS[u].name.n);
        if (v / 1000000000 > INT64_MAX / UNITS[u].nano)
            return UM_ELIMIT;
        total += v * UNITS[u].nano / 1000000000;
        if (total > (unsigned __int128)INT64_MAX)
            return UM_ELIMIT;
    }
    *ret_ms = (uint64_t)(total / 1000000);
    *ret_exact = total % 1000000 == 0;
    return 0;
}

int um_str_to_bytes(struct um_str s, uint64_t *ret_bytes)
{
    static const struct {
        struct um_str name;
        uint64_t factor;
    } UNITS[] = {
        {UM_STR_INIT("Ki"), 1ULL << 10}, {UM_STR_INIT("Mi"), 1ULL << 20},   {UM_STR_INIT("Gi"), 1ULL << 30},
        {UM_STR_INIT("Ti"), 1ULL << 40}, {UM_STR_INIT("k"), 1000},          {UM_STR_INIT("M"), 1000000},
        {UM_STR_INIT("G"), 1000000000},  {UM_STR_INIT("T"), 1000000000000},
    };
    uint64_t factor = 1, v;
    for (size_t u = 0; u < sizeof UNITS / sizeof UNITS[0]; u++)
        if (um_str_ends(s, UNITS[u].name)) {
            factor = UNITS[u].factor;
            s.n -= UNITS[u].name.n;
            break;
        }
    int rc = um_str_to_u64(s, INT64_MAX, &v);
    if (rc)
        return rc;
    if (v > (uint64_t)INT64_MAX / factor)
        return UM_ELIMIT;
    *ret_bytes = v * factor;
    return 0;
}

uint64_t um_str_hash(struct um_str s)
{
    return XXH3_64bits(s.n ? s.p : "", s.n);
}

uint64_t um_str_hash_seed(struct um_str s, uint64_t seed)
{
    return XXH3_64bits_withSeed(s.n ? s.p : "", s.n, seed);
}

unsigned um_str_distance(struct um_str a, struct um_str b, unsigned limit)
{
    enum { MAX = 64 };
    unsigned row[MAX + 1];
    if (a.n > MAX || b.n > MAX)
        return limit + 1;
    for (unsigned j = 0; j <= b.n; j++)
        row[j] = j;
    for (unsigned i = 1; i <= a.n; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= b.n; j++) {
            unsigned change = diagonal + (um_lower(a.p[i - 1]) != um_lower(b.p[j - 1]));
            diagonal = row[j];
            unsigned best = row[j - 1] < row[j] ? row[j - 1] + 1 : row[j] + 1;
            row[j] = change < best ? change : best;
        }
    }
    return row[b.n] > limit ? limit + 1 : row[b.n];
}

/* length of the well-formed sequence at p, 0 if there is none (RFC 3629 section 4) */
static size_t utf8_length(const unsigned char *p, size_t n)
{
    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xC2 && p[0] <= 0xDF)
        return n >= 2 && (p[1] & 0xC0) == 0x80 ? 2 : 0;
    if (p[0] >= 0xE0 && p[0] <= 0xEF) {
        unsigned char low = p[0] == 0xE0 ? 0xA0 : 0x80, high = p[0] == 0xED ? 0x9F : 0xBF;
        return n >= 3 && p[1] >= low && p[1] <= high && (p[2] & 0xC0) == 0x80 ? 3 : 0;
    }
    if (p[0] >= 0xF0 && p[0] <= 0xF4) {
        unsigned char low = p[0] == 0xF0 ? 0x90 : 0x80, high = p[0] == 0xF4 ? 0x8F : 0xBF;
        bool ok = n >= 4 && p[1] >= low && p[1] <= high && (p[2] & 0xC0) == 0x80 && (p[3] & 0xC0) == 0x80;
        return ok ? 4 : 0;
    }
    return 0;
}

bool um_str_is_utf8(struct um_str s, size_t *ret_offset)
{
    size_t i = 0;
    while (i < s.n) {
        size_t n = utf8_length((const unsigned char *)s.p + i, s.n - i);
        if (n == 0) {
            *ret_offset = i;
            return false;
        }
        i += n;
    }
    return true;
}
