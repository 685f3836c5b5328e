/* SPDX-License-Identifier: Apache-2.0 */
#include "http/message.h"

#include "http/bytes.h"
#include "http/field_name.h"

/* ---- methods ------------------------------------------------------------------------------------ */

enum { SAFE = 1, IDEMPOTENT = 2 };

static const struct {
    struct um_str name;
    uint8_t flags;
} METHODS[] = {
    [UM_METHOD_GET] = {UM_STR_INIT("GET"), SAFE | IDEMPOTENT},
    [UM_METHOD_HEAD] = {UM_STR_INIT("HEAD"), SAFE | IDEMPOTENT},
    [UM_METHOD_POST] = {UM_STR_INIT("POST"), 0},
    [UM_METHOD_PUT] = {UM_STR_INIT("PUT"), IDEMPOTENT},
    [UM_METHOD_DELETE] = {UM_STR_INIT("DELETE"), IDEMPOTENT},
    [UM_METHOD_CONNECT] = {UM_STR_INIT("CONNECT"), 0},
    [UM_METHOD_OPTIONS] = {UM_STR_INIT("OPTIONS"), SAFE | IDEMPOTENT},
    [UM_METHOD_TRACE] = {UM_STR_INIT("TRACE"), SAFE | IDEMPOTENT},
    [UM_METHOD_PATCH] = {UM_STR_INIT("PATCH"), 0},
};

enum um_method um_method_of(struct um_str name)
{
    for (unsigned m = UM_METHOD_GET; m < sizeof METHODS / sizeof METHODS[0]; m++)
        if (um_str_eq(name, METHODS[m].name))
            return (enum um_method)m;
    return UM_METHOD_OTHER;
}

bool um_method_is_idempotent(enum um_method m)
{
    return METHODS[m].flags & IDEMPOTENT;
}

bool um_method_is_safe(enum um_method m)
{
    return METHODS[m].flags & SAFE;
}

/* ---- heads -------------------------------------------------------------------------------------- */

static bool has_name(const struct um_field *f, enum um_field_id id, struct um_str name)
{
    return f->id == id && (id != UM_FIELD_OTHER || um_str_ieq(um_field_name(f), name));
}

const struct um_field *um_head_find(const struct um_head *h, struct um_str name, uint32_t from)
{
    enum um_field_id id = um_field_id_of(name);
    for (uint32_t i = from; i < h->n_fields; i++)
        if (has_name(&h->fields[i], id, name))
            return &h->fields[i];
    return NULL;
}

void um_head_index(struct um_head *h)
{
    memset(h->first_of, 0, sizeof h->first_of);
    for (uint32_t i = h->n_fields; i-- > 0;)
        h->first_of[h->fields[i].id] = (uint16_t)(i + 1);
    h->first_of[UM_FIELD_OTHER] = 0;
}

static size_t bytes_of(const struct um_head *h)
{
    size_t n = h->method_name.n + h->scheme.n + h->authority.n + h->path.n + h->reason.n;
    for (uint32_t i = 0; i < h->n_fields; i++)
        n += h->fields[i].name_n + h->fields[i].value_n + 4;
    return n;
}

/* appends s at *at; an absent slice stays absent */
static struct um_str put(char **at, struct um_str s)
{
    if (!s.p)
        return s;
    char *p = *at;
    memcpy(p, s.p, s.n);
    *at += s.n;
    return (struct um_str){p, s.n};
}

/* as `name: value\r\n`, so that the copy is written as fast as a received head */
static void put_field(char **at, struct um_field *f)
{
    f->name = put(at, um_field_name(f)).p;
    put(at, UM_STR(": "));
    f->value = f->value_n ? put(at, um_field_value(f)).p : *at;
    put(at, UM_STR("\r\n"));
    f->is_plain = 1;
}

struct um_head *um_head_copy(struct um_arena *a, const struct um_head *from)
{
    struct um_head *h = um_arena_alloc(a, sizeof *h);
    struct um_field *fields = um_arena_array(a, from->n_fields, sizeof *fields);
    char *at = um_arena_alloc(a, bytes_of(from));
    if (!h || !fields || !at)
        return NULL;
    *h = *from;
    h->fields = fields;
    h->method_name = put(&at, from->method_name);
    h->scheme = put(&at, from->scheme);
    h->authority = put(&at, from->authority);
    h->path = put(&at, from->path);
    h->reason = put(&at, from->reason);
    for (uint32_t i = 0; i < from->n_fields; i++) {
        fields[i] = from->fields[i];
        put_field(&at, &fields[i]);
    }
    return h;
}

/* ---- syntax ------------------------------------------------------------------------------------- */

static bool is_all(struct um_str s, enum um_byte_class k)
{
    return s.n == 0 || um_skip(s.p, s.p + s.n, k) == s.p + s.n;
}

bool um_is_token(struct um_str s)
{
    return s.n > 0 && is_all(s, UM_BYTE_TOKEN);
}

bool um_is_field_value(struct um_str s)
{
    return um_str_trim(s).n == s.n && is_all(s, UM_BYTE_VALUE);
}

/* ":port" or nothing; a port that is empty is allowed (RFC 3986 section 3.2.3) */
static bool is_port_part(struct um_str s)
{
    uint64_t port;
    if (s.n <= 1)
        return s.n == 0 || s.p[0] == ':';
    return s.p[0] == ':' && s.n <= 6 && um_str_to_u64(um_str_skip(s, 1), UINT16_MAX, &port) == 0;
}

/* "[" up to "]": hexadecimal digits, ':' and '.'; returns the length, 0 if it is no such thing */
static size_t ip_literal(struct um_str s)
{
    ptrdiff_t close = um_str_find(s, ']');
    if (close < 3)
        return 0;
    for (ptrdiff_t i = 1; i < close; i++)
        if (!um_byte_is(s.p[i], UM_BYTE_HEX) && s.p[i] != ':' && s.p[i] != '.')
            return 0;
    return (size_t)close + 1;
}

bool um_is_authority(struct um_str s)
{
    if (s.n == 0)
        return true;
    size_t host = s.p[0] == '[' ? ip_literal(s) : (size_t)(um_skip(s.p, s.p + s.n, UM_BYTE_REG_NAME) - s.p);
    return host > 0 && is_port_part(um_str_skip(s, host));
}

/* ---- status ------------------------------------------------------------------------------------- */

struct um_str um_status_reason(unsigned status)
{
    switch (status) {
#define UM_STATUS(code, reason)                                                                                        \
    case code:                                                                                                         \
        return UM_STR(reason);
#include "http/status.def"
#undef UM_STATUS
    default:
        return UM_STR("Unknown");
    }
}
