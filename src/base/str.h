/* SPDX-License-Identifier: Apache-2.0
 * str: a borrowed slice of bytes. Not NUL-terminated; may hold NUL. p may be NULL only when n is 0.
 * Nothing here allocates. Thread: any. */
#ifndef UM_BASE_STR_H
#define UM_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct um_str {
    const char *p;
    size_t n;
};

/* a string literal as a slice; the second form for static initialisers */
#define UM_STR(literal) ((struct um_str){(literal), sizeof(literal) - 1})
#define UM_STR_INIT(literal)                                                                                           \
    {                                                                                                                  \
        (literal), sizeof(literal) - 1                                                                                 \
    }
/* for printf("%.*s", UM_STR_ARG(s)) */
#define UM_STR_ARG(s) (int)(s).n, (s).n ? (s).p : ""

static inline struct um_str um_str_from(const char *cstr)
{
    return (struct um_str){cstr, cstr ? strlen(cstr) : 0};
}

static inline bool um_str_eq(struct um_str a, struct um_str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool um_str_starts(struct um_str s, struct um_str prefix)
{
    return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

static inline bool um_str_ends(struct um_str s, struct um_str suffix)
{
    return s.n >= suffix.n && (suffix.n == 0 || memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0);
}

/* s without its first n bytes; n > s.n gives an empty slice */
static inline struct um_str um_str_skip(struct um_str s, size_t n)
{
    return n >= s.n ? (struct um_str){s.p ? s.p + s.n : s.p, 0} : (struct um_str){s.p + n, s.n - n};
}

static inline char um_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* ASCII only, as HTTP field names and host names want it */
bool um_str_ieq(struct um_str a, struct um_str b);
bool um_str_istarts(struct um_str s, struct um_str prefix);
int um_str_cmp(struct um_str a, struct um_str b); /* memcmp order, shorter first */

/* index of c in s, or -1 */
ptrdiff_t um_str_find(struct um_str s, char c);
ptrdiff_t um_str_rfind(struct um_str s, char c);

/* without spaces and tabs at both ends (RFC 9110 OWS) */
struct um_str um_str_trim(struct um_str s);

/* takes the next element of a list up to sep off *rest, trimmed; false when nothing is left */
bool um_str_split(struct um_str *rest, char sep, struct um_str *ret_item);

/* digits only, no sign: UM_ESYNTAX otherwise; UM_ELIMIT: more than max */
int um_str_to_u64(struct um_str s, uint64_t max, uint64_t *ret_value);

/* decimal digits without NUL; returns how many. For hot paths: snprintf costs ten times as much. */
enum { UM_U64_TEXT_BYTES = 20 };
size_t um_u64_text(char to[UM_U64_TEXT_BYTES], uint64_t value);

/* "1s", "250ms", "1.5s", "1h", "1m" and sums of them as Go and Istio write durations -> milliseconds (rounded
 * down), *ret_exact false when rounding lost something. UM_ESYNTAX, UM_ELIMIT. */
int um_str_to_ms(struct um_str s, uint64_t *ret_ms, bool *ret_exact);

/* "64", "64Mi", "1Gi", "10k", "1M" as Kubernetes quantities, whole bytes only -> bytes. UM_ESYNTAX, UM_ELIMIT. */
int um_str_to_bytes(struct um_str s, uint64_t *ret_bytes);

/* XXH3 */
uint64_t um_str_hash(struct um_str s);
uint64_t um_str_hash_seed(struct um_str s, uint64_t seed);

/* the number of single-character edits between a and b, at most limit + 1: for "did you mean" */
unsigned um_str_distance(struct um_str a, struct um_str b, unsigned limit);

/* true if s is well-formed UTF-8 (RFC 3629); *ret_offset the first bad byte otherwise */
bool um_str_is_utf8(struct um_str s, size_t *ret_offset);

#endif
