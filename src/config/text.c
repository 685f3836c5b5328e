/* SPDX-License-Identifier: Apache-2.0 */
#include "config/text.h"

#include "config/document.h"

#include <stdio.h>

/* a byte offset as line and column; columns count characters */
static struct um_pos pos_of(const char *file, struct um_str bytes, size_t offset)
{
    struct um_pos pos = {file, 1, 1};
    for (size_t i = 0; i < offset; i++)
        if (bytes.p[i] == '\n') {
            pos.line++;
            pos.column = 1;
        } else if ((bytes.p[i] & 0xC0) != 0x80) {
            pos.column++;
        }
    return pos;
}

static void fault(struct um_diag *diag, struct um_pos pos, const char *message, const char *hint)
{
    struct um_diag_about about = {.hint = um_str_from(hint)};
    um_diag_add(diag, UM_SEVERITY_ERROR, pos, about, "%s", message);
}

static bool is_utf16(struct um_str s)
{
    return um_str_starts(s, UM_STR("\xFF\xFE")) || um_str_starts(s, UM_STR("\xFE\xFF"));
}

/* of YAML's characters (YAML 1.2 section 5.1) these are left out: a NUL would end libfyaml's input without a word */
static bool is_control(char c)
{
    return (unsigned char)c < 0x20 && c != '\t' && c != '\n' && c != '\r';
}

static int check_characters(const char *file, struct um_str s, struct um_diag *diag)
{
    char message[48];
    size_t at;
    if (is_utf16(s)) {
        fault(diag, (struct um_pos){file, 1, 1}, "the file is UTF-16", "save it as UTF-8");
        return UM_ESYNTAX;
    }
    if (!um_str_is_utf8(s, &at)) {
        snprintf(message, sizeof message, "byte 0x%02x is not UTF-8", (unsigned)(unsigned char)s.p[at]);
        fault(diag, pos_of(file, s, at), message, "save the file as UTF-8");
        return UM_ESYNTAX;
    }
    for (at = 0; at < s.n; at++)
        if (is_control(s.p[at])) {
            snprintf(message, sizeof message, "control character 0x%02x", (unsigned)(unsigned char)s.p[at]);
            fault(diag, pos_of(file, s, at), message, "remove it, or write it as an escape in double quotes");
            return UM_ESYNTAX;
        }
    return 0;
}

/* "\r\n" and "\r" become "\n"; lines and columns stay what they are */
static int normalise_line_ends(struct um_str *bytes, struct um_buf *owned)
{
    char *to = um_buf_reserve(owned, bytes->n);
    size_t n = 0;
    if (!to)
        return UM_ENOMEM;
    for (size_t i = 0; i < bytes->n; i++) {
        char c = bytes->p[i];
        if (c == '\r' && i + 1 < bytes->n && bytes->p[i + 1] == '\n')
            continue;
        to[n++] = c == '\r' ? '\n' : c;
    }
    um_buf_grew(owned, n);
    *bytes = um_buf_str(owned);
    return 0;
}

int um_text_clean(const char *file, struct um_str *bytes, struct um_buf *owned, struct um_diag *diag)
{
    if (bytes->n > UM_DOCUMENT_MAX_BYTES) {
        char message[64];
        snprintf(message, sizeof message, "the file is larger than %d MiB", UM_DOCUMENT_MAX_BYTES >> 20);
        fault(diag, (struct um_pos){file, 1, 1}, message, NULL);
        return UM_ELIMIT;
    }
    if (um_str_starts(*bytes, UM_STR("\xEF\xBB\xBF")))
        *bytes = um_str_skip(*bytes, 3);
    int rc = check_characters(file, *bytes, diag);
    if (rc == 0 && um_str_find(*bytes, '\r') >= 0)
        rc = normalise_line_ends(bytes, owned);
    return rc;
}

int um_text_check_lines(const char *file, struct um_str bytes, struct um_diag *diag)
{
    uint32_t line = 1;
    for (struct um_str rest = bytes; rest.n; line++) {
        ptrdiff_t end = um_str_find(rest, '\n');
        size_t n = end < 0 ? rest.n : (size_t)end;
        if (n > UM_DOCUMENT_MAX_LINE_BYTES) {
            char message[64];
            snprintf(message, sizeof message, "the line is longer than %d KiB", UM_DOCUMENT_MAX_LINE_BYTES >> 10);
            fault(diag, (struct um_pos){file, line, 1}, message, NULL);
            return UM_ELIMIT;
        }
        rest = um_str_skip(rest, n + 1);
    }
    return 0;
}
