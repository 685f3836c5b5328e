/* SPDX-License-Identifier: Apache-2.0
 * JSON (RFC 8259) with places. Values may follow one another, as in a stream. With no build it only says whether the
 * text is well-formed. Recursion is as deep as the nesting, which is bounded. */
#include "config/build.h"

#include <stdio.h>

struct json {
    struct um_build *build; /* NULL: check only */
    const char *p, *end;
    const char *counted; /* line and column are those of this byte */
    uint32_t line, column;
    uint32_t depth;
    struct um_arena scratch; /* strings with escapes */
};

static struct um_pos here(struct json *j)
{
    for (; j->counted < j->p; j->counted++)
        if (*j->counted == '\n') {
            j->line++;
            j->column = 1;
        } else if ((*j->counted & 0xC0) != 0x80) {
            j->column++;
        }
    return (struct um_pos){j->build ? j->build->file : NULL, j->line, j->column};
}

static int fault(struct json *j, const char *what)
{
    return j->build ? um_build_fault(j->build, here(j), NULL, "malformed JSON: %s", what) : UM_ESYNTAX;
}

static void skip_space(struct json *j)
{
    while (j->p < j->end && (*j->p == ' ' || *j->p == '\t' || *j->p == '\n'))
        j->p++;
}

static bool take(struct json *j, char c)
{
    if (j->p == j->end || *j->p != c)
        return false;
    j->p++;
    return true;
}

/* ---- strings ---- */

static int take_hex4(struct json *j, uint32_t *ret_unit)
{
    uint32_t v = 0;
    if (j->end - j->p < 4)
        return fault(j, "\\u wants four hexadecimal digits");
    for (int i = 0; i < 4; i++) {
        char c = um_lower(j->p[i]);
        bool is_digit = c >= '0' && c <= '9';
        if (!is_digit && !(c >= 'a' && c <= 'f'))
            return fault(j, "\\u wants four hexadecimal digits");
        v = v * 16 + (uint32_t)(is_digit ? c - '0' : c - 'a' + 10);
    }
    j->p += 4;
    *ret_unit = v;
    return 0;
}

static char *put_utf8(char *to, uint32_t c)
{
    if (c < 0x80) {
        *to++ = (char)c;
    } else if (c < 0x800) {
        *to++ = (char)(0xC0 | c >> 6);
    } else if (c < 0x10000) {
        *to++ = (char)(0xE0 | c >> 12);
        *to++ = (char)(0x80 | (c >> 6 & 0x3F));
    } else {
        *to++ = (char)(0xF0 | c >> 18);
        *to++ = (char)(0x80 | (c >> 12 & 0x3F));
        *to++ = (char)(0x80 | (c >> 6 & 0x3F));
    }
    if (c >= 0x80)
        *to++ = (char)(0x80 | (c & 0x3F));
    return to;
}

/* what follows \u: one unit, or the two of a surrogate pair */
static int take_unicode(struct json *j, char **to)
{
    uint32_t c, low;
    int rc = take_hex4(j, &c);
    if (rc)
        return rc;
    if (c >= 0xD800 && c < 0xE000) {
        if (c >= 0xDC00 || !take(j, '\\') || !take(j, 'u'))
            return fault(j, "half a surrogate pair");
        rc = take_hex4(j, &low);
        if (rc)
            return rc;
        if (low < 0xDC00 || low >= 0xE000)
            return fault(j, "half a surrogate pair");
        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
    }
    *to = put_utf8(*to, c);
    return 0;
}

static int take_escape(struct json *j, char **to)
{
    static const char FROM[] = "\"\\/bfnrt", INTO[] = "\"\\/\b\f\n\r\t";
    if (take(j, 'u'))
        return take_unicode(j, to);
    const char *hit = j->p < j->end && *j->p ? strchr(FROM, *j->p) : NULL;
    if (!hit)
        return fault(j, "unknown escape");
    j->p++;
    *(*to)++ = INTO[hit - FROM];
    return 0;
}

static int unescape(struct json *j, char *to, struct um_str *ret_text)
{
    char *start = to;
    int rc = 0;
    while (rc == 0 && !take(j, '"')) {
        if (take(j, '\\'))
            rc = take_escape(j, &to);
        else
            *to++ = *j->p++;
    }
    *ret_text = (struct um_str){start, (size_t)(to - start)};
    return rc;
}

/* the closing quote of the string that j->p is in, or NULL */
static const char *find_quote(const struct json *j, bool *ret_has_escapes)
{
    *ret_has_escapes = false;
    for (const char *p = j->p; p < j->end && *p != '\n' && *p != '\t'; p++) {
        if (*p == '"')
            return p;
        if (*p == '\\') {
            *ret_has_escapes = true;
            if (++p == j->end)
                break;
        }
    }
    return NULL;
}

static int take_string(struct json *j, struct um_str *ret_text)
{
    bool has_escapes;
    const char *quote = find_quote(j, &has_escapes);
    if (!quote)
        return fault(j, "string without closing quote");
    struct um_str raw = {j->p, (size_t)(quote - j->p)};
    if (has_escapes) {
        char *to = um_arena_alloc(&j->scratch, raw.n); /* text without its escapes is never longer */
        return to ? unescape(j, to, ret_text) : UM_ENOMEM;
    }
    j->p = quote + 1;
    *ret_text = raw;
    return 0;
}

/* ---- numbers and words ---- */

static size_t take_digits(struct json *j)
{
    const char *start = j->p;
    while (j->p < j->end && *j->p >= '0' && *j->p <= '9')
        j->p++;
    return (size_t)(j->p - start);
}

static bool take_number(struct json *j)
{
    take(j, '-');
    if (!take(j, '0') && take_digits(j) == 0)
        return false;
    if (take(j, '.') && take_digits(j) == 0)
        return false;
    if (take(j, 'e') || take(j, 'E')) {
        if (!take(j, '+'))
            take(j, '-');
        return take_digits(j) > 0;
    }
    return true;
}

static bool take_word(struct json *j)
{
    static const struct um_str WORDS[] = {UM_STR_INIT("true"), UM_STR_INIT("false"), UM_STR_INIT("null")};
    struct um_str rest = {j->p, (size_t)(j->end - j->p)};
    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++)
        if (um_str_starts(rest, WORDS[i])) {
            j->p += WORDS[i].n;
            return true;
        }
    return false;
}

/* ---- values ---- */

static int take_value(struct json *j);

static int emit(struct json *j, struct um_pos pos, struct um_str text, bool is_quoted)
{
    struct um_build_scalar s = {.pos = pos, .text = text, .is_quoted = is_quoted};
    return j->build ? um_build_scalar(j->build, &s) : 0;
}

static int take_quoted(struct json *j)
{
    struct um_pos pos = here(j);
    struct um_str text = {0};
    j->p++;
    int rc = take_string(j, &text);
    return rc ? rc : emit(j, pos, text, true);
}

static int take_plain(struct json *j)
{
    struct um_pos pos = here(j);
    const char *start = j->p;
    if (!take_word(j) && !take_number(j)) {
        j->p = start;
        return fault(j, "a value is missing, or is not quoted");
    }
    return emit(j, pos, (struct um_str){start, (size_t)(j->p - start)}, false);
}

static int take_member(struct json *j)
{
    skip_space(j);
    if (j->p == j->end || *j->p != '"')
        return fault(j, "a key in double quotes is missing");
    int rc = take_quoted(j);
    if (rc)
        return rc;
    skip_space(j);
    return take(j, ':') ? take_value(j) : fault(j, "`:` is missing");
}

static int take_children(struct json *j, bool is_map)
{
    char close = is_map ? '}' : ']';
    skip_space(j);
    if (take(j, close))
        return 0;
    for (;;) {
        int rc = is_map ? take_member(j) : take_value(j);
        if (rc)
            return rc;
        skip_space(j);
        if (take(j, close))
            return 0;
        if (!take(j, ','))
            return fault(j, is_map ? "`,` or `}` is missing" : "`,` or `]` is missing");
    }
}

static int take_container(struct json *j)
{
    bool is_map = *j->p == '{';
    int rc = 0;
    if (j->build)
        rc = um_build_open(j->build, is_map ? UM_NODE_MAP : UM_NODE_SEQ, here(j), (struct um_str){0});
    else if (j->depth >= UM_DOCUMENT_MAX_DEPTH)
        rc = UM_ELIMIT;
    if (rc)
        return rc;
    j->depth++;
    j->p++;
    rc = take_children(j, is_map);
    j->depth--;
    return rc || !j->build ? rc : um_build_close(j->build);
}

static int take_value(struct json *j)
{
    skip_space(j);
    if (j->p == j->end)
        return fault(j, "the text ends where a value should be");
    if (*j->p == '{' || *j->p == '[')
        return take_container(j);
    return *j->p == '"' ? take_quoted(j) : take_plain(j);
}

static int parse(struct um_build *build, struct um_str bytes)
{
    struct json j = {
        .build = build, .p = bytes.p, .end = bytes.p + bytes.n, .counted = bytes.p, .line = 1, .column = 1};
    int rc = 0;
    um_arena_init(&j.scratch, NULL, 0);
    skip_space(&j);
    while (rc == 0 && j.p < j.end) {
        rc = take_value(&j);
        if (rc == 0 && build)
            rc = um_build_end_document(build);
        skip_space(&j);
    }
    um_arena_release(&j.scratch);
    return rc;
}

int um_json_parse(struct um_build *build, struct um_str bytes)
{
    return parse(build, bytes);
}

bool um_json_is_valid(struct um_str bytes)
{
    return parse(NULL, bytes) == 0;
}
