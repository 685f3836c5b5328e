/* SPDX-License-Identifier: Apache-2.0 */
#include "http/bytes.h"
#include "http/h1_framing.h"

/* ---- faults ------------------------------------------------------------------------------------- */

static const struct {
    const char *word, *text;
    unsigned status;
} FAULTS[UM_H1_FAULT_COUNT] = {
    [UM_H1_OK] = {"ok", "no fault", 200},
#define UM_H1_FAULT(symbol, word, status, text) [UM_H1_##symbol] = {word, text, status},
#include "http/h1_fault.def"
#undef UM_H1_FAULT
};

unsigned um_h1_fault_status(enum um_h1_fault fault)
{
    return FAULTS[fault].status;
}

const char *um_h1_fault_symbol(enum um_h1_fault fault)
{
    return FAULTS[fault].word;
}

const char *um_h1_fault_text(enum um_h1_fault fault)
{
    return FAULTS[fault].text;
}

/* ---- versions ----------------------------------------------------------------------------------- */

enum { VERSION_BYTES = 8 };

/* "HTTP/1.1" at s->at (RFC 9112 section 2.3); `otherwise` is the fault of what is no version at all */
static int version(struct um_h1_scan *s, struct um_head *h, enum um_h1_fault otherwise)
{
    struct um_str seen = {s->at, (size_t)(s->end - s->at)}, prefix = UM_STR("HTTP/");
    if (UM_UNLIKELY(seen.n < VERSION_BYTES)) {
        seen.n = seen.n < prefix.n ? seen.n : prefix.n;
        return um_str_starts(prefix, seen) ? UM_EAGAIN : um_h1_refuse(s, otherwise);
    }
    seen.n = VERSION_BYTES;
    s->at += VERSION_BYTES;
    if (UM_LIKELY(um_str_eq(seen, UM_STR("HTTP/1.1"))))
        h->version = UM_HTTP_11;
    else if (um_str_eq(seen, UM_STR("HTTP/1.0")))
        h->version = UM_HTTP_10;
    else
        return um_h1_refuse(s, um_str_starts(seen, prefix) ? UM_H1_BAD_VERSION : otherwise);
    return 0;
}

/* ---- request targets (RFC 9112 section 3.2) ----------------------------------------------------- */

static bool authority_form(struct um_str target, struct um_head *h)
{
    ptrdiff_t colon = um_str_rfind(target, ':');
    h->authority = target;
    h->path = (struct um_str){target.p, 0};
    return um_is_authority(target) && colon > 0 && (size_t)colon + 1 < target.n && target.p[target.n - 1] != ']';
}

/* A query right behind the authority makes a path of "?x=1": no path that a route could have, so it ends as 404. */
static bool absolute_form(struct um_str target, struct um_head *h)
{
    size_t scheme_n = um_str_istarts(target, UM_STR("http://"))    ? 4
                      : um_str_istarts(target, UM_STR("https://")) ? 5
                                                                   : 0;
    if (!scheme_n)
        return false;
    struct um_str rest = um_str_skip(target, scheme_n + 3);
    size_t n = 0;
    while (n < rest.n && rest.p[n] != '/' && rest.p[n] != '?')
        n++;
    h->is_absolute_form = true;
    h->scheme = scheme_n == 4 ? UM_STR("http") : UM_STR("https");
    h->authority = (struct um_str){rest.p, n};
    h->path = um_str_skip(rest, n);
    if (h->path.n == 0) /* RFC 9112 section 3.2.4 */
        h->path = h->method == UM_METHOD_OPTIONS ? UM_STR("*") : UM_STR("/");
    return n > 0 && um_is_authority(h->authority);
}

static bool target_form(struct um_str target, struct um_head *h)
{
    if (h->method == UM_METHOD_CONNECT)
        return authority_form(target, h);
    h->path = target;
    if (UM_LIKELY(target.p[0] == '/'))
        return true;
    if (um_str_eq(target, UM_STR("*")))
        return h->method == UM_METHOD_OPTIONS;
    return absolute_form(target, h);
}

/* ---- requests ----------------------------------------------------------------------------------- */

/* bytes of a class up to a single SP; `bad` is the fault of a byte that is neither of the class nor white space */
static int word(struct um_h1_scan *s, const char *end, enum um_h1_fault bad, struct um_str *ret_word)
{
    bool is_white;
    if (end == s->end)
        return UM_EAGAIN;
    is_white = *end == ' ' || *end == '\t' || *end == '\r' || *end == '\n';
    if (*end != ' ' || end == s->at)
        return um_h1_refuse(s, is_white ? UM_H1_BAD_REQUEST_LINE : bad);
    *ret_word = (struct um_str){s->at, (size_t)(end - s->at)};
    s->at = end + 1;
    return 0;
}

static int request_line(struct um_h1_scan *s, struct um_head *h)
{
    struct um_str target;
    int rc = word(s, um_skip(s->at, s->end, UM_BYTE_METHOD), UM_H1_BAD_METHOD, &h->method_name);
    if (rc == 0)
        rc = word(s, um_skip_target(s->at, s->end), UM_H1_BAD_TARGET, &target);
    if (rc == 0)
        rc = version(s, h, UM_H1_BAD_REQUEST_LINE);
    if (rc == 0)
        rc = um_h1_scan_crlf(s, UM_H1_BAD_REQUEST_LINE);
    if (rc)
        return rc;
    h->method = um_method_of(h->method_name);
    return target_form(target, h) ? 0 : um_h1_refuse(s, UM_H1_BAD_TARGET);
}

/* RFC 9112 section 3.2; an absolute-form target or CONNECT's names the authority, and Host is checked all the same */
static int host(struct um_h1_scan *s, struct um_head *h, uint64_t repeated)
{
    const struct um_field *f = um_head_known(h, UM_FIELD_HOST);
    if (!f)
        return h->version == UM_HTTP_10 ? 0 : um_h1_refuse(s, UM_H1_MISSING_HOST);
    if (repeated >> UM_FIELD_HOST & 1)
        return um_h1_refuse(s, UM_H1_DUPLICATE_HOST);
    if (!um_is_authority(um_field_value(f)))
        return um_h1_refuse(s, UM_H1_BAD_HOST);
    if (!h->is_absolute_form && h->method != UM_METHOD_CONNECT)
        h->authority = um_field_value(f);
    return 0;
}

/* all but the room for fields, which is the caller's */
static void clear(struct um_head *h)
{
    *h = (struct um_head){.fields = h->fields};
}

static int fields(struct um_h1_scan *s, struct um_head *h, uint32_t limit, uint64_t *ret_repeated)
{
    struct um_h1_section section = {.fields = h->fields, .limit = limit, .first_of = h->first_of};
    int rc = um_h1_scan_fields(s, &section);
    h->n_fields = section.n;
    h->first_of[UM_FIELD_OTHER] = 0;
    *ret_repeated = section.repeated;
    return rc;
}

static int request(struct um_h1_scan *s, struct um_head *h, uint32_t field_limit)
{
    uint64_t repeated = 0;
    int rc = 0;
    if (s->at < s->end && *s->at == '\r') /* RFC 9112 section 2.2 */
        rc = um_h1_scan_crlf(s, UM_H1_BARE_CR);
    if (rc == 0)
        rc = request_line(s, h);
    if (rc == 0)
        rc = fields(s, h, field_limit, &repeated);
    if (rc == 0)
        rc = host(s, h, repeated);
    return rc ? rc : um_h1_frame_request(s, h, repeated);
}

ptrdiff_t um_h1_parse_request(struct um_str bytes, const struct um_h1_limits *limits, size_t *scanned,
                              struct um_head *head, enum um_h1_fault *ret_fault)
{
    struct um_h1_scan s;
    if (!um_h1_scan_begin(&s, bytes, limits, scanned))
        return UM_EAGAIN;
    clear(head);
    return um_h1_scan_end(&s, request(&s, head, limits->fields), bytes, limits, scanned, ret_fault);
}

/* ---- responses ---------------------------------------------------------------------------------- */

/* SP and three digits; the first is not 0 (RFC 9110 section 15) */
static int status(struct um_h1_scan *s, struct um_head *h)
{
    uint64_t code;
    if (s->end - s->at < 4)
        return UM_EAGAIN;
    if (s->at[0] != ' ' || um_str_to_u64((struct um_str){s->at + 1, 3}, 999, &code) || code < 100)
        return um_h1_refuse(s, UM_H1_BAD_STATUS_LINE);
    h->status = (uint16_t)code;
    s->at += 4;
    return 0;
}

/* SP reason, either of which may be absent */
static int reason(struct um_h1_scan *s, struct um_head *h)
{
    if (s->at < s->end && *s->at == ' ')
        s->at++;
    const char *end = um_skip_value(s->at, s->end);
    if (end > s->at && s->at[-1] != ' ')
        return um_h1_refuse(s, UM_H1_BAD_STATUS_LINE);
    h->reason = (struct um_str){s->at, (size_t)(end - s->at)};
    s->at = end;
    return um_h1_scan_crlf(s, UM_H1_BAD_STATUS_LINE);
}

static int response(struct um_h1_scan *s, struct um_head *h, uint32_t field_limit, enum um_method request_method)
{
    uint64_t repeated = 0;
    h->is_response = true;
    int rc = version(s, h, UM_H1_BAD_STATUS_LINE);
    if (rc == 0)
        rc = status(s, h);
    if (rc == 0)
        rc = reason(s, h);
    if (rc == 0)
        rc = fields(s, h, field_limit, &repeated);
    return rc ? rc : um_h1_frame_response(s, h, repeated, request_method);
}

ptrdiff_t um_h1_parse_response(struct um_str bytes, const struct um_h1_limits *limits, enum um_method request_method,
                               size_t *scanned, struct um_head *head, enum um_h1_fault *ret_fault)
{
    struct um_h1_scan s;
    if (!um_h1_scan_begin(&s, bytes, limits, scanned))
        return UM_EAGAIN;
    clear(head);
    return um_h1_scan_end(&s, response(&s, head, limits->fields, request_method), bytes, limits, scanned, ret_fault);
}

/* ---- trailers ----------------------------------------------------------------------------------- */

/* RFC 9110 section 6.5.1: fields that steer framing, routing, authentication, caching or the reading of the content
 * mean nothing after it. Of the names that the proxy acts on, only gRPC's status is a trailer's. */
static bool is_for_trailers(const struct um_field *f)
{
    static const struct um_str HEAD_ONLY[] = {
        UM_STR_INIT("age"),
        UM_STR_INIT("cache-control"),
        UM_STR_INIT("content-encoding"),
        UM_STR_INIT("content-range"),
        UM_STR_INIT("expires"),
        UM_STR_INIT("forwarded"),
        UM_STR_INIT("if-match"),
        UM_STR_INIT("if-modified-since"),
        UM_STR_INIT("if-none-match"),
        UM_STR_INIT("if-range"),
        UM_STR_INIT("if-unmodified-since"),
        UM_STR_INIT("max-forwards"),
        UM_STR_INIT("pragma"),
        UM_STR_INIT("proxy-authenticate"),
        UM_STR_INIT("proxy-authorization"),
        UM_STR_INIT("range"),
        UM_STR_INIT("retry-after"),
        UM_STR_INIT("vary"),
        UM_STR_INIT("www-authenticate"),
    };
    if (f->id != UM_FIELD_OTHER)
        return f->id == UM_FIELD_GRPC_STATUS;
    for (size_t i = 0; i < sizeof HEAD_ONLY / sizeof HEAD_ONLY[0]; i++)
        if (um_str_ieq(um_field_name(f), HEAD_ONLY[i]))
            return false;
    return true;
}

ptrdiff_t um_h1_parse_trailers(struct um_str bytes, const struct um_h1_limits *limits, size_t *scanned,
                               struct um_field *room, uint32_t *ret_n, enum um_h1_fault *ret_fault)
{
    struct um_h1_scan s;
    uint16_t first_of[UM_FIELD_COUNT] = {0};
    struct um_h1_section section = {.fields = room, .limit = limits->fields, .first_of = first_of};
    if (!um_h1_scan_begin(&s, bytes, limits, scanned))
        return UM_EAGAIN;
    int rc = um_h1_scan_fields(&s, &section);
    if (rc == 0) {
        *ret_n = 0;
        for (uint32_t i = 0; i < section.n; i++)
            if (is_for_trailers(&room[i]))
                room[(*ret_n)++] = room[i];
    }
    return um_h1_scan_end(&s, rc, bytes, limits, scanned, ret_fault);
}
