/* SPDX-License-Identifier: Apache-2.0 */
#include "http/h1_scan.h"

#include "http/bytes.h"

/* ---- beginning and end -------------------------------------------------------------------------- */

/* true if bytes from `from` on hold the end of an empty line, or a bare LF, which some would take for one */
static bool may_end(struct um_str bytes, size_t from)
{
    const char *p = bytes.p;
    const char *end = p + bytes.n;
    for (const char *lf = p + from; lf < end && (lf = memchr(lf, '\n', (size_t)(end - lf))); lf++)
        if (lf - p < 2 || lf[-1] != '\r' || lf[-2] == '\n')
            return true;
    return false;
}

bool um_h1_scan_begin(struct um_h1_scan *s, struct um_str bytes, const struct um_h1_limits *limits, size_t *scanned)
{
    bool is_first = *scanned == 0, is_last = bytes.n >= limits->head_bytes;
    if (is_last)
        bytes.n = limits->head_bytes;
    *s = (struct um_h1_scan){bytes.p, bytes.p + bytes.n, UM_H1_OK};
    if (is_first || is_last || may_end(bytes, *scanned))
        return true;
    *scanned = bytes.n;
    return false;
}

ptrdiff_t um_h1_scan_end(const struct um_h1_scan *s, int rc, struct um_str bytes, const struct um_h1_limits *limits,
                         size_t *scanned, enum um_h1_fault *ret_fault)
{
    if (rc == 0)
        return s->at - bytes.p;
    if (rc == UM_EAGAIN && bytes.n < limits->head_bytes) {
        *scanned = bytes.n;
        return UM_EAGAIN;
    }
    *ret_fault = rc == UM_EAGAIN ? UM_H1_HEAD_TOO_LARGE : s->fault;
    return UM_ESYNTAX;
}

/* ---- lines -------------------------------------------------------------------------------------- */

int um_h1_scan_crlf(struct um_h1_scan *s, enum um_h1_fault otherwise)
{
    if (UM_UNLIKELY(s->end - s->at < 2)) {
        if (s->at == s->end || *s->at == '\r')
            return UM_EAGAIN;
    } else if (UM_LIKELY(s->at[0] == '\r' && s->at[1] == '\n')) {
        s->at += 2;
        return 0;
    }
    return um_h1_refuse(s, *s->at == '\r' ? UM_H1_BARE_CR : *s->at == '\n' ? UM_H1_BARE_LF : otherwise);
}

static bool is_ows(char c)
{
    return c == ' ' || c == '\t';
}

static const char *skip_ows(const char *p, const char *end)
{
    while (p < end && is_ows(*p))
        p++;
    return p;
}

/* why the name that begins at s->at does not end in a colon at `p` */
static int bad_name(struct um_h1_scan *s, const char *p)
{
    const char *name = s->at, *next = skip_ows(p, s->end);
    if (*p == '\n')
        return um_h1_refuse(s, UM_H1_BARE_LF);
    if (!is_ows(*p))
        return um_h1_refuse(s, UM_H1_BAD_FIELD_NAME);
    if (p == name)
        return um_h1_refuse(s, UM_H1_OBS_FOLD);
    if (next == s->end)
        return UM_EAGAIN;
    return um_h1_refuse(s, *next == ':' ? UM_H1_SPACE_BEFORE_COLON : UM_H1_BAD_FIELD_NAME);
}

static int field_line(struct um_h1_scan *s, struct um_field *f)
{
    const char *name = s->at;
    const char *colon = um_skip(name, s->end, UM_BYTE_TOKEN);
    if (UM_UNLIKELY(colon == s->end))
        return UM_EAGAIN;
    if (UM_UNLIKELY(*colon != ':' || colon == name))
        return bad_name(s, colon);
    const char *value = skip_ows(colon + 1, s->end);
    const char *last = s->at = um_skip_value(value, s->end);
    int rc = um_h1_scan_crlf(s, UM_H1_BAD_FIELD_VALUE);
    if (rc)
        return rc;
    bool is_plain = value == colon + 2 && colon[1] == ' ';
    if (UM_UNLIKELY(last > value && is_ows(last[-1]))) {
        is_plain = false;
        do
            last--;
        while (last > value && is_ows(last[-1]));
    }
    f->name = name;
    f->name_n = (uint32_t)(colon - name);
    f->value = value;
    f->value_n = (uint32_t)(last - value);
    f->is_plain = is_plain;
    f->is_nominated = 0;
    return 0;
}

int um_h1_scan_fields(struct um_h1_scan *s, struct um_h1_section *section)
{
    for (;;) {
        if (s->at == s->end)
            return UM_EAGAIN;
        if (*s->at == '\r')
            return um_h1_scan_crlf(s, UM_H1_BARE_CR);
        if (section->n == section->limit)
            return um_h1_refuse(s, UM_H1_TOO_MANY_FIELDS);
        struct um_field *f = &section->fields[section->n];
        int rc = field_line(s, f);
        if (rc)
            return rc;
        section->n++;
        f->id = um_field_id_of(um_field_name(f));
        if (section->first_of[f->id])
            section->repeated |= (uint64_t)1 << f->id;
        else
            section->first_of[f->id] = (uint16_t)section->n;
    }
}
