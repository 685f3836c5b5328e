/* SPDX-License-Identifier: Apache-2.0 */
#include "http/url.h"

#include "http/bytes.h"

/* ---- normalisation ------------------------------------------------------------------------------ */

/* the byte that "%xy" at s.p[i] stands for, -1 if it is no escape */
static int escaped_byte(struct um_str s, size_t i)
{
    if (s.n - i < 3 || !um_byte_is(s.p[i + 1], UM_BYTE_HEX) || !um_byte_is(s.p[i + 2], UM_BYTE_HEX))
        return -1;
    return (int)(um_hex_digit(s.p[i + 1]) << 4 | um_hex_digit(s.p[i + 2]));
}

/* length of the dot at s.p[i], which may be written "%2e"; 0 if there is none */
static size_t dot_at(struct um_str s, size_t i)
{
    if (i < s.n && s.p[i] == '.')
        return 1;
    return i < s.n && s.p[i] == '%' && escaped_byte(s, i) == '.' ? 3 : 0;
}

static bool is_segment_end(struct um_str s, size_t i)
{
    return i == s.n || s.p[i] == '/' || s.p[i] == '\\';
}

/* length of the segment "." or ".." that begins at i, and how many dots it has; 0 if it is another segment */
static size_t dot_segment(struct um_str s, size_t i, unsigned *ret_dots)
{
    size_t first = dot_at(s, i), second = first ? dot_at(s, i + first) : 0;
    *ret_dots = second ? 2 : 1;
    return first && is_segment_end(s, i + first + second) ? first + second : 0;
}

/* false only if normalising may change something */
static bool is_normal(struct um_str s)
{
    unsigned dots;
    for (size_t i = 0; i < s.n; i++) {
        int c;
        if (um_byte_is(s.p[i], UM_BYTE_PATH))
            continue;
        if (s.p[i] == '.') {
            if (s.p[i - 1] == '/' && dot_segment(s, i, &dots))
                return false;
        } else if (s.p[i] == '%') {
            c = escaped_byte(s, i);
            if (c == 0 || (c > 0 && um_byte_is((char)c, UM_BYTE_UNRESERVED)))
                return false;
        } else {
            return false;
        }
    }
    return true;
}

struct normaliser {
    struct um_str s; /* the path, without a query */
    size_t i;
    char *to, *at;           /* room for three times as much, and where the next byte goes */
    const char *bad_percent; /* a '%' in the output that begins no escape */
};

static void step_up(struct normaliser *z)
{
    z->bad_percent = NULL;
    if (z->at - z->to < 2)
        return;
    do
        z->at--;
    while (z->at[-1] != '/');
}

/* Unreserved bytes are unescaped (RFC 3986 section 6.2.2.2), but not where that would complete an escape begun by a
 * stray '%':
 * "%%300" must not become "%00". An escaped NUL is refused. */
static int percent(struct normaliser *z)
{
    int c = escaped_byte(z->s, z->i);
    bool is_nested = z->bad_percent && z->at - z->bad_percent <= 2;
    if (c == 0)
        return UM_ESYNTAX;
    if (c > 0 && um_byte_is((char)c, UM_BYTE_UNRESERVED) && !is_nested) {
        *z->at++ = (char)c;
        z->i += 3;
        return 0;
    }
    if (c < 0)
        z->bad_percent = z->at;
    *z->at++ = '%';
    z->i++;
    return 0;
}

static void plain_byte(struct normaliser *z, char c)
{
    static const char HEX[] = "0123456789ABCDEF";
    z->i++;
    if (c == '\\')
        c = '/';
    if (um_byte_is(c, UM_BYTE_PATH) || c == '.') {
        *z->at++ = c;
        return;
    }
    *z->at++ = '%';
    *z->at++ = HEX[(uint8_t)c >> 4];
    *z->at++ = HEX[(uint8_t)c & 15];
}

static int step(struct normaliser *z)
{
    unsigned dots;
    size_t n = z->at > z->to && z->at[-1] == '/' ? dot_segment(z->s, z->i, &dots) : 0;
    if (n) {
        z->i += n < z->s.n - z->i ? n + 1 : n; /* with the slash that ends it */
        if (dots == 2)
            step_up(z);
        return 0;
    }
    if (z->s.p[z->i] == '%')
        return percent(z);
    plain_byte(z, z->s.p[z->i]);
    return 0;
}

int um_url_normalise(struct um_str path, struct um_arena *a, struct um_str *ret_path)
{
    struct um_str plain, query;
    if (um_str_eq(path, UM_STR("*"))) {
        *ret_path = path;
        return 0;
    }
    if (path.n == 0 || path.p[0] != '/' || um_str_find(path, '#') >= 0)
        return UM_ESYNTAX;
    um_url_split(path, &plain, &query);
    if (is_normal(plain)) {
        *ret_path = path;
        return 0;
    }
    struct normaliser z = {.s = plain};
    size_t rest_n = path.n - plain.n;
    z.to = z.at = um_arena_alloc(a, 3 * plain.n + rest_n);
    if (!z.to)
        return UM_ENOMEM;
    while (z.i < plain.n)
        if (step(&z))
            return UM_ESYNTAX;
    memcpy(z.at, path.p + plain.n, rest_n);
    *ret_path = (struct um_str){z.to, (size_t)(z.at - z.to) + rest_n};
    return 0;
}

/* ---- parts -------------------------------------------------------------------------------------- */

void um_url_split(struct um_str path_and_query, struct um_str *ret_path, struct um_str *ret_query)
{
    ptrdiff_t mark = um_str_find(path_and_query, '?');
    size_t n = mark < 0 ? path_and_query.n : (size_t)mark;
    *ret_path = (struct um_str){path_and_query.p, n};
    *ret_query = um_str_skip(path_and_query, n + 1);
}

bool um_url_query_param(struct um_str query, struct um_str name, struct um_str *ret_value)
{
    for (struct um_str rest = query; rest.n;) {
        ptrdiff_t amp = um_str_find(rest, '&');
        struct um_str item = {rest.p, amp < 0 ? rest.n : (size_t)amp};
        ptrdiff_t equals = um_str_find(item, '=');
        struct um_str key = {item.p, equals < 0 ? item.n : (size_t)equals};
        if (um_str_eq(key, name)) {
            *ret_value = um_str_skip(item, key.n + 1);
            return true;
        }
        rest = um_str_skip(rest, item.n + 1);
    }
    return false;
}

/* index of the ':' before the port; the length if there is none */
static size_t port_colon(struct um_str authority)
{
    ptrdiff_t colon = um_str_rfind(authority, ':'), first = um_str_find(authority, ':');
    ptrdiff_t bracket = um_str_rfind(authority, ']');
    bool is_bare_ipv6 = bracket < 0 && colon != first;
    return colon < 0 || colon < bracket || is_bare_ipv6 ? authority.n : (size_t)colon;
}

void um_url_split_authority(struct um_str authority, struct um_str *ret_host, struct um_str *ret_port)
{
    size_t n = port_colon(authority);
    *ret_host = (struct um_str){authority.p, n};
    *ret_port = um_str_skip(authority, n + 1);
}

struct um_str um_url_shadow_authority(struct um_str authority, struct um_arena *a)
{
    static const struct um_str SUFFIX = UM_STR_INIT("-shadow");
    size_t host_n = port_colon(authority);
    if (authority.n == 0)
        return authority;
    char *p = um_arena_alloc(a, authority.n + SUFFIX.n);
    if (!p)
        return (struct um_str){NULL, 0};
    memcpy(p, authority.p, host_n);
    memcpy(p + host_n, SUFFIX.p, SUFFIX.n);
    memcpy(p + host_n + SUFFIX.n, authority.p + host_n, authority.n - host_n);
    return (struct um_str){p, authority.n + SUFFIX.n};
}
