/* SPDX-License-Identifier: Apache-2.0 */
#include "http/h1_write.h"

#include "http/edits.h"
#include "http/field_name.h"

/* start line without its parts, Host's name, the longest framing fields (a 20-digit length, `connection: keep-alive`),
 * the end, and the longest registered reason */
enum { FIXED_BYTES = 192 };

static char *put(char *to, struct um_str s)
{
    if (s.n)
        memcpy(to, s.p, s.n);
    return to + s.n;
}

static char *put_u64(char *to, uint64_t v)
{
    char digits[20];
    size_t n = sizeof digits;
    do
        digits[--n] = (char)('0' + v % 10);
    while (v /= 10);
    return put(to, (struct um_str){digits + n, sizeof digits - n});
}

static char *put_field(char *to, struct um_str name, struct um_str value)
{
    to = put(to, name);
    *to++ = ':';
    *to++ = ' ';
    to = put(to, value);
    *to++ = '\r';
    *to++ = '\n';
    return to;
}

/* ---- which fields go out ------------------------------------------------------------------------ */

/* The names that are left out of the head, found without comparing each field with each edit: known names as one bit
 * each, other names by um_field_name_bit, whose hits are then compared. */
struct left_out {
    const struct um_edits *edits;
    uint64_t known, maybe_other;
    bool has_superseded; /* some edits hide what earlier ones added */
};

static void plan(struct left_out *out, const struct um_edits *edits, const struct um_h1_framing_out *f)
{
    uint64_t added_known = 0, added_other = 0;
    *out = (struct left_out){.edits = edits, .known = um_field_ids_of_codec()};
    if (f->upgrade)
        out->known &= ~UM_FIELD_BIT(UM_FIELD_UPGRADE);
    if (f->keep_length_field && f->framing == UM_FRAMING_NONE)
        out->known &= ~UM_FIELD_BIT(UM_FIELD_CONTENT_LENGTH);
    for (uint32_t i = 0; edits && i < edits->n_edits; i++) {
        const struct um_edit *e = &edits->edits[i];
        bool is_other = e->id == UM_FIELD_OTHER;
        uint64_t bit = is_other ? um_field_name_bit(e->name) : UM_FIELD_BIT(e->id);
        uint64_t *added = is_other ? &added_other : &added_known;
        if (e->op != UM_EDIT_ADD) {
            *(is_other ? &out->maybe_other : &out->known) |= bit;
            out->has_superseded |= (*added & bit) != 0;
        }
        if (e->op != UM_EDIT_REMOVE)
            *added |= bit;
    }
}

static inline bool is_left_out(const struct left_out *out, const struct um_field *f)
{
    if (f->is_nominated)
        return true;
    if (f->id != UM_FIELD_OTHER)
        return out->known >> f->id & 1;
    return UM_UNLIKELY(out->maybe_other & um_field_name_bit(um_field_name(f))) &&
           um_edits_cut(out->edits, 0, UM_FIELD_OTHER, um_field_name(f));
}

/* The head's fields. Neighbours that stand in the received bytes as they are to be written go out in one copy. */
static char *put_head_fields(char *to, const struct um_head *h, const struct left_out *out)
{
    struct um_str run = {NULL, 0};
    for (const struct um_field *f = h->fields, *end = f + h->n_fields; f < end; f++) {
        if (is_left_out(out, f))
            continue;
        if (!f->is_plain) {
            to = put_field(put(to, run), um_field_name(f), um_field_value(f));
            run.n = 0;
            continue;
        }
        if (run.n == 0 || run.p + run.n != f->name) {
            to = put(to, run);
            run = (struct um_str){f->name, 0};
        }
        run.n += f->name_n + f->value_n + 4;
    }
    return put(to, run);
}

static char *put_edits(char *to, const struct left_out *out)
{
    for (uint32_t i = 0; out->edits && i < out->edits->n_edits; i++) {
        const struct um_edit *e = &out->edits->edits[i];
        if (e->op == UM_EDIT_REMOVE || (out->has_superseded && um_edits_cut(out->edits, i + 1, e->id, e->name)))
            continue;
        to = put_field(to, e->name, e->value);
    }
    return to;
}

static char *put_framing(char *to, const struct um_h1_framing_out *f)
{
    if (f->framing == UM_FRAMING_LENGTH) {
        to = put_u64(put(to, UM_STR("content-length: ")), f->content_length);
        to = put(to, UM_STR("\r\n"));
    } else if (f->framing == UM_FRAMING_CHUNKED) {
        to = put(to, UM_STR("transfer-encoding: chunked\r\n"));
    }
    if (f->upgrade)
        return put(to, UM_STR("connection: upgrade\r\n"));
    if (f->close)
        return put(to, UM_STR("connection: close\r\n"));
    return f->keep_alive ? put(to, UM_STR("connection: keep-alive\r\n")) : to;
}

/* ---- heads -------------------------------------------------------------------------------------- */

/* twice the authority: it is CONNECT's target too */
size_t um_h1_head_bytes(const struct um_head *h, const struct um_edits *edits)
{
    size_t n = FIXED_BYTES + h->method_name.n + h->path.n + 2 * h->authority.n + h->reason.n;
    for (uint32_t i = 0; i < h->n_fields; i++)
        n += h->fields[i].name_n + h->fields[i].value_n + 4;
    if (!edits)
        return n;
    for (uint32_t i = 0; i < edits->n_edits; i++)
        n += edits->edits[i].name.n + edits->edits[i].value.n + 4;
    return n + edits->method.n + edits->path.n + 2 * edits->authority.n;
}

static char *put_fields(char *to, const struct um_head *h, const struct um_edits *edits,
                        const struct um_h1_framing_out *f)
{
    struct left_out out;
    plan(&out, edits, f);
    to = put_head_fields(to, h, &out);
    to = put_edits(to, &out);
    to = put_framing(to, f);
    return put(to, UM_STR("\r\n"));
}

size_t um_h1_write_request(char *to, const struct um_head *h, const struct um_edits *edits,
                           const struct um_h1_framing_out *f)
{
    char *at = to;
    struct um_str method = edits && edits->method.p ? edits->method : h->method_name;
    struct um_str path = edits && edits->path.p ? edits->path : h->path;
    struct um_str authority = edits && edits->authority.p ? edits->authority : h->authority;
    at = put(at, method);
    *at++ = ' ';
    at = put(at, h->method == UM_METHOD_CONNECT ? authority : path);
    at = put(at, UM_STR(" HTTP/1.1\r\nhost: "));
    at = put(at, authority);
    at = put(at, UM_STR("\r\n"));
    return (size_t)(put_fields(at, h, edits, f) - to);
}

size_t um_h1_write_response(char *to, const struct um_head *h, const struct um_edits *edits,
                            const struct um_h1_framing_out *f)
{
    char *at = put_u64(put(to, UM_STR("HTTP/1.1 ")), h->status);
    *at++ = ' ';
    at = put(at, h->reason.p ? h->reason : um_status_reason(h->status));
    at = put(at, UM_STR("\r\n"));
    return (size_t)(put_fields(at, h, edits, f) - to);
}

/* ---- chunks ------------------------------------------------------------------------------------- */

size_t um_h1_write_chunk_size(char to[18], uint64_t n)
{
    unsigned digits = 1;
    while (digits < 16 && n >> (4 * digits))
        digits++;
    for (unsigned i = 0; i < digits; i++)
        to[i] = "0123456789abcdef"[n >> (4 * (digits - 1 - i)) & 15];
    to[digits] = '\r';
    to[digits + 1] = '\n';
    return digits + 2;
}

size_t um_h1_trailers_bytes(const struct um_field *fields, uint32_t n)
{
    size_t bytes = sizeof "0\r\n\r\n" - 1;
    for (uint32_t i = 0; i < n; i++)
        bytes += fields[i].name_n + fields[i].value_n + 4;
    return bytes;
}

size_t um_h1_write_trailers(char *to, const struct um_field *fields, uint32_t n)
{
    char *at = put(to, UM_STR("0\r\n"));
    for (uint32_t i = 0; i < n; i++)
        at = put_field(at, um_field_name(&fields[i]), um_field_value(&fields[i]));
    return (size_t)(put(at, UM_STR("\r\n")) - to);
}
