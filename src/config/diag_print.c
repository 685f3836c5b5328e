/* SPDX-License-Identifier: Apache-2.0 */
#include "config/diag.h"

#include <stdio.h>

static const char *const SEVERITY_NAMES[UM_SEVERITIES] = {
    [UM_SEVERITY_ERROR] = "error", [UM_SEVERITY_WARNING] = "warning"};

/* Names and values come from files: what would move a terminal's cursor or begin a new line is shown as an escape. */
static void add_visible(struct um_buf *out, struct um_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < 0x20 || c == 0x7F)
            um_buf_addf(out, "\\x%02x", (unsigned)c);
        else
            um_buf_add_char(out, s.p[i]);
    }
}

static void add_part(struct um_buf *out, struct um_str s)
{
    if (s.n == 0)
        return;
    add_visible(out, s);
    um_buf_add(out, UM_STR(": "));
}

/* "Kind/namespace/name: field.path: what is wrong (hint)" */
static void add_saying(struct um_buf *out, const struct um_diagnostic *d)
{
    add_part(out, d->resource);
    add_part(out, d->field);
    add_visible(out, d->message);
    if (d->hint.n == 0)
        return;
    um_buf_add(out, UM_STR(" ("));
    add_visible(out, d->hint);
    um_buf_add_char(out, ')');
}

/* how many of a severity were found and not kept */
static uint64_t n_left_out(const struct um_diag *d, enum um_severity s)
{
    return d->n_found[s] - d->n_kept[s];
}

static void print_one(const struct um_diagnostic *d, struct um_buf *out)
{
    add_visible(out, um_str_from(d->pos.file));
    if (d->pos.line)
        um_buf_addf(out, ":%u:%u", (unsigned)d->pos.line, (unsigned)d->pos.column);
    um_buf_addf(out, ": %s: ", SEVERITY_NAMES[d->severity]);
    add_saying(out, d);
    um_buf_add_char(out, '\n');
}

void um_diag_print_text(const struct um_diag *d, struct um_buf *out)
{
    for (uint32_t i = 0; i < d->n; i++)
        print_one(&d->list[i], out);
    for (enum um_severity s = 0; s < UM_SEVERITIES; s++)
        if (n_left_out(d, s))
            um_buf_addf(out, "umbra: %s: and %llu more\n", SEVERITY_NAMES[s], (unsigned long long)n_left_out(d, s));
}

static void add_member(struct um_buf *out, const char *name, struct um_str value)
{
    um_buf_addf(out, ", \"%s\": ", name);
    um_buf_add_json(out, value);
}

static void print_object(const struct um_diagnostic *d, struct um_buf *out)
{
    um_buf_add(out, UM_STR("  {\"file\": "));
    um_buf_add_json(out, um_str_from(d->pos.file));
    um_buf_addf(out, ", \"line\": %u, \"column\": %u", (unsigned)d->pos.line, (unsigned)d->pos.column);
    add_member(out, "severity", um_str_from(SEVERITY_NAMES[d->severity]));
    add_member(out, "resource", d->resource);
    add_member(out, "field", d->field);
    add_member(out, "message", d->message);
    add_member(out, "hint", d->hint);
    um_buf_add_char(out, '}');
}

static void print_rest_object(uint64_t n, enum um_severity severity, struct um_buf *out)
{
    char message[48];
    int length = snprintf(message, sizeof message, "and %llu more", (unsigned long long)n);
    struct um_diagnostic rest = {.severity = severity, .message = {message, (size_t)length}, .pos = {"", 0, 0}};
    print_object(&rest, out);
}

void um_diag_print_json(const struct um_diag *d, struct um_buf *out)
{
    const char *separator = "\n";
    um_buf_add_char(out, '[');
    for (uint32_t i = 0; i < d->n; i++, separator = ",\n") {
        um_buf_add_cstr(out, separator);
        print_object(&d->list[i], out);
    }
    for (enum um_severity s = 0; s < UM_SEVERITIES; s++)
        if (n_left_out(d, s)) {
            um_buf_add_cstr(out, separator);
            print_rest_object(n_left_out(d, s), s, out);
            separator = ",\n";
        }
    um_buf_add_cstr(out, *separator == ',' ? "\n]\n" : "]\n");
}

/* GitHub's escapes of a workflow command: of the message, and in a property also its separators */
static void add_escaped(struct um_buf *out, struct um_str s, bool is_property)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool escape = c == '%' || c == '\r' || c == '\n' || (is_property && (c == ':' || c == ','));
        if (escape)
            um_buf_addf(out, "%%%02X", (unsigned)(unsigned char)c);
        else
            um_buf_add_char(out, c);
    }
}

static void print_command(const struct um_diagnostic *d, struct um_buf *out)
{
    struct um_buf saying;
    um_buf_init(&saying, 0);
    add_saying(&saying, d);
    um_buf_addf(out, "::%s file=", SEVERITY_NAMES[d->severity]);
    add_escaped(out, um_str_from(d->pos.file), true);
    if (d->pos.line)
        um_buf_addf(out, ",line=%u,col=%u", (unsigned)d->pos.line, (unsigned)d->pos.column);
    um_buf_add(out, UM_STR(",title="));
    add_escaped(out, d->resource.n ? d->resource : UM_STR("umbra"), true);
    um_buf_add(out, UM_STR("::"));
    add_escaped(out, um_buf_str(&saying), false);
    um_buf_add_char(out, '\n');
    out->failed |= saying.failed;
    um_buf_release(&saying);
}

void um_diag_print_github(const struct um_diag *d, struct um_buf *out)
{
    for (uint32_t i = 0; i < d->n; i++)
        print_command(&d->list[i], out);
    for (enum um_severity s = 0; s < UM_SEVERITIES; s++)
        if (n_left_out(d, s))
            um_buf_addf(out, "::%s title=umbra::and %llu more\n", SEVERITY_NAMES[s],
                        (unsigned long long)n_left_out(d, s));
}
