/* SPDX-License-Identifier: Apache-2.0 */
#include "config/scalar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void unquoted_texts_have_the_types_of_yaml_1_1(void **state)
{
    static const struct {
        const char *text;
        enum um_scalar_type type;
    } ROWS[] = {
        {"", UM_SCALAR_NULL},       {"~", UM_SCALAR_NULL},          {"null", UM_SCALAR_NULL},
        {"Null", UM_SCALAR_NULL},   {"nULL", UM_SCALAR_TEXT},       {"true", UM_SCALAR_BOOL},
        {"no", UM_SCALAR_BOOL},     {"On", UM_SCALAR_BOOL},         {"y", UM_SCALAR_BOOL},
        {"N", UM_SCALAR_BOOL},      {"yEs", UM_SCALAR_TEXT},        {"truely", UM_SCALAR_TEXT},
        {"0", UM_SCALAR_INT},       {"-12", UM_SCALAR_INT},         {"+5", UM_SCALAR_INT},
        {"1_000", UM_SCALAR_INT},   {"0x1F", UM_SCALAR_INT},        {"0o17", UM_SCALAR_INT},
        {"0b11", UM_SCALAR_INT},    {"0xfg", UM_SCALAR_TEXT},       {"010", UM_SCALAR_INT},
        {"1.5", UM_SCALAR_FLOAT},   {"1.", UM_SCALAR_FLOAT},        {".5", UM_SCALAR_FLOAT},
        {"1e3", UM_SCALAR_FLOAT},   {"-1.5E-3", UM_SCALAR_FLOAT},   {".inf", UM_SCALAR_FLOAT},
        {"-.Inf", UM_SCALAR_FLOAT}, {".NaN", UM_SCALAR_FLOAT},      {".", UM_SCALAR_TEXT},
        {"-", UM_SCALAR_TEXT},      {"1e", UM_SCALAR_TEXT},         {"e3", UM_SCALAR_TEXT},
        {"1.2.3", UM_SCALAR_TEXT},  {"v1", UM_SCALAR_TEXT},         {"5s", UM_SCALAR_TEXT},
        {"12:30", UM_SCALAR_TEXT},  {"2026-01-31", UM_SCALAR_TEXT}, {"_1", UM_SCALAR_TEXT},
        {"10%", UM_SCALAR_TEXT},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        struct um_node node = {.kind = UM_NODE_SCALAR, .text = um_str_from(ROWS[i].text)};
        if (um_scalar_type(&node) != ROWS[i].type)
            fail_msg("`%s` has type %d", ROWS[i].text, um_scalar_type(&node));
        node.is_quoted = true;
        assert_int_equal(um_scalar_type(&node), UM_SCALAR_TEXT);
    }
}

static void integers(void **state)
{
    int64_t v = 7;
    assert_int_equal(um_scalar_to_int(UM_STR("-42"), &v), 0);
    assert_int_equal(v, -42);
    assert_int_equal(um_scalar_to_int(UM_STR("9223372036854775807"), &v), 0);
    assert_true(v == INT64_MAX);
    assert_int_equal(um_scalar_to_int(UM_STR("9223372036854775808"), &v), UM_ELIMIT);
    static const char *const WRONG[] = {"", "-", "+", "1.0", "010", "0x10", "1_000", "five", "1 "};
    for (size_t i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++)
        assert_int_equal(um_scalar_to_int(um_str_from(WRONG[i]), &v), UM_ESYNTAX);
}

static void doubles(void **state)
{
    double v = 7;
    assert_int_equal(um_scalar_to_double(UM_STR("10.5"), &v), 0);
    assert_true(v == 10.5);
    assert_int_equal(um_scalar_to_double(UM_STR("-1e-2"), &v), 0);
    assert_true(v == -0.01);
    assert_int_equal(um_scalar_to_double(UM_STR("1e999"), &v), UM_ELIMIT);
    static const char *const WRONG[] = {"", ".inf", ".nan", "nan", "inf", "0x10", "1_0", "10%", "text"};
    for (size_t i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++)
        assert_int_equal(um_scalar_to_double(um_str_from(WRONG[i]), &v), UM_ESYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unquoted_texts_have_the_types_of_yaml_1_1),
        cmocka_unit_test(integers),
        cmocka_unit_test(doubles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
