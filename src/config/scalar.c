/* SPDX-License-Identifier: Apache-2.0 */
#include "config/scalar.h"

#include <math.h>
#include <stdlib.h>

struct word {
    struct um_str text;
    bool value;
};

static const struct word BOOLS[] = {
    {UM_STR_INIT("true"), true},   {UM_STR_INIT("True"), true},   {UM_STR_INIT("TRUE"), true},
    {UM_STR_INIT("yes"), true},    {UM_STR_INIT("Yes"), true},    {UM_STR_INIT("YES"), true},
    {UM_STR_INIT("on"), true},     {UM_STR_INIT("On"), true},     {UM_STR_INIT("ON"), true},
    {UM_STR_INIT("y"), true},      {UM_STR_INIT("Y"), true},      {UM_STR_INIT("false"), false},
    {UM_STR_INIT("False"), false}, {UM_STR_INIT("FALSE"), false}, {UM_STR_INIT("no"), false},
    {UM_STR_INIT("No"), false},    {UM_STR_INIT("NO"), false},    {UM_STR_INIT("off"), false},
    {UM_STR_INIT("Off"), false},   {UM_STR_INIT("OFF"), false},   {UM_STR_INIT("n"), false},
    {UM_STR_INIT("N"), false},
};

static const struct um_str NULLS[] = {UM_STR_INIT(""), UM_STR_INIT("~"), UM_STR_INIT("null"), UM_STR_INIT("Null"),
                                      UM_STR_INIT("NULL")};

int um_scalar_to_bool(struct um_str text, bool *ret_value)
{
    for (size_t i = 0; i < sizeof BOOLS / sizeof BOOLS[0]; i++)
        if (um_str_eq(text, BOOLS[i].text)) {
            *ret_value = BOOLS[i].value;
            return 0;
        }
    return UM_ESYNTAX;
}

static bool is_null_word(struct um_str text)
{
    for (size_t i = 0; i < sizeof NULLS / sizeof NULLS[0]; i++)
        if (um_str_eq(text, NULLS[i]))
            return true;
    return false;
}

static struct um_str skip_sign(struct um_str text)
{
    return text.n && (text.p[0] == '-' || text.p[0] == '+') ? um_str_skip(text, 1) : text;
}

int um_scalar_to_int(struct um_str text, int64_t *ret_value)
{
    struct um_str digits = skip_sign(text);
    uint64_t v;
    if (digits.n > 1 && digits.p[0] == '0')
        return UM_ESYNTAX;
    int rc = um_str_to_u64(digits, INT64_MAX, &v);
    if (rc)
        return rc;
    *ret_value = text.p[0] == '-' ? -(int64_t)v : (int64_t)v;
    return 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* takes digits (and YAML 1.1's `_` between them) off *s */
static size_t take_digits(struct um_str *s)
{
    size_t i = 0, digits = 0;
    for (; i < s->n && (is_digit(s->p[i]) || (digits && s->p[i] == '_')); i++)
        digits += is_digit(s->p[i]);
    *s = um_str_skip(*s, i);
    return digits;
}

static bool take_char(struct um_str *s, const char *any_of)
{
    if (s->n == 0 || !s->p[0] || !strchr(any_of, s->p[0]))
        return false;
    *s = um_str_skip(*s, 1);
    return true;
}

/* 0x1F, 0o17 and 0b1 */
static bool is_radix_number(struct um_str s)
{
    if (s.n < 3 || s.p[0] != '0' || !strchr("xob", s.p[1]))
        return false;
    for (size_t i = 2; i < s.n; i++)
        if (!is_digit(s.p[i]) && !(um_lower(s.p[i]) >= 'a' && um_lower(s.p[i]) <= 'f' && s.p[1] == 'x'))
            return false;
    return true;
}

static bool is_named_float(struct um_str s)
{
    return um_str_ieq(s, UM_STR(".inf")) || um_str_ieq(s, UM_STR(".nan"));
}

static enum um_scalar_type number_type(struct um_str text)
{
    struct um_str s = skip_sign(text);
    if (is_radix_number(s))
        return UM_SCALAR_INT;
    if (is_named_float(s))
        return UM_SCALAR_FLOAT;
    size_t digits = take_digits(&s);
    if (digits && s.n == 0)
        return UM_SCALAR_INT;
    if (take_char(&s, "."))
        digits += take_digits(&s);
    if (digits && take_char(&s, "eE")) {
        s = skip_sign(s);
        digits = take_digits(&s);
    }
    return digits && s.n == 0 ? UM_SCALAR_FLOAT : UM_SCALAR_TEXT;
}

enum um_scalar_type um_scalar_type(const struct um_node *node)
{
    bool ignored;
    if (node->is_quoted)
        return UM_SCALAR_TEXT;
    if (is_null_word(node->text))
        return UM_SCALAR_NULL;
    if (um_scalar_to_bool(node->text, &ignored) == 0)
        return UM_SCALAR_BOOL;
    return number_type(node->text);
}

int um_scalar_to_double(struct um_str text, double *ret_value)
{
    enum { MAX = 64 };
    char copy[MAX], *end;
    if (number_type(text) == UM_SCALAR_TEXT || um_str_find(text, '_') >= 0 || is_radix_number(skip_sign(text)))
        return UM_ESYNTAX;
    if (text.n >= MAX)
        return UM_ELIMIT;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    double v = strtod(copy, &end);
    if (*end || is_named_float(skip_sign(text)))
        return UM_ESYNTAX;
    if (!isfinite(v))
        return UM_ELIMIT;
    *ret_value = v;
    return 0;
}
