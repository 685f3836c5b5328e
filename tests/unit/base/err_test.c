/* SPDX-License-Identifier: Apache-2.0
 * The tables and texts for people: errors and points in time. */
#include "base/clock.h"
#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

static void every_error_has_its_words(void **state)
{
    static const int ALL[] = {
#define UM_ERR(code, symbol, label, text) UM_E##symbol,
#include "base/err.def"
#undef UM_ERR
    };
    for (size_t i = 0; i < sizeof ALL / sizeof ALL[0]; i++) {
        assert_true(ALL[i] < 0);
        assert_string_not_equal(um_err_symbol(ALL[i]), "UNKNOWN");
        assert_true(um_err_label(ALL[i])[0] && um_err_text(ALL[i])[0]);
        for (size_t k = 0; k < i; k++)
            assert_int_not_equal(ALL[k], ALL[i]);
    }
    assert_string_equal(um_err_symbol(UM_ENOMEM), "NOMEM");
    assert_string_equal(um_err_label(UM_EREFUSED), "connect_failed");
    assert_string_equal(um_err_text(UM_EDNS), "name not resolved");
    assert_string_equal(um_err_symbol(0), "OK");
}

static void other_numbers_are_unknown(void **state)
{
    static const int OTHERS[] = {1, -1000, INT_MAX, INT_MIN};
    for (size_t i = 0; i < sizeof OTHERS / sizeof OTHERS[0]; i++) {
        assert_string_equal(um_err_symbol(OTHERS[i]), "UNKNOWN");
        assert_string_equal(um_err_label(OTHERS[i]), "unknown");
    }
}

static void errno_has_a_counterpart(void **state)
{
    assert_int_equal(um_err_from_errno(0), 0);
    assert_int_equal(um_err_from_errno(ECONNREFUSED), UM_EREFUSED);
    assert_int_equal(um_err_from_errno(EPIPE), UM_ERESET);
    assert_int_equal(um_err_from_errno(EHOSTUNREACH), UM_EUNREACH);
    assert_int_equal(um_err_from_errno(EADDRINUSE), UM_EINUSE);
    assert_int_equal(um_err_from_errno(EMFILE), UM_ELIMIT);
    for (int e = 1; e < 200; e++)
        assert_true(um_err_from_errno(e) < 0);
}

static void points_in_time(void **state)
{
    char text[UM_CLOCK_TEXT_BYTES];
    um_clock_text(0, text);
    assert_string_equal(text, "1970-01-01T00:00:00.000Z");
    um_clock_text(UINT64_C(951827696123999999), text);
    assert_string_equal(text, "2000-02-29T12:34:56.123Z");
    um_clock_text(UINT64_MAX, text);
    assert_string_equal(text, "2554-07-21T23:34:33.709Z");
    assert_true(strlen(text) == UM_CLOCK_TEXT_BYTES - 1);
}

static void clocks_go_forward(void **state)
{
    uint64_t before = um_clock_ns();
    for (int i = 0; i < 1000; i++) {
        uint64_t now = um_clock_ns();
        assert_true(now >= before);
        before = now;
    }
    assert_true(um_clock_wall_ns() > UINT64_C(1700000000) * UM_NS_PER_S);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_has_its_words), cmocka_unit_test(other_numbers_are_unknown),
        cmocka_unit_test(errno_has_a_counterpart),   cmocka_unit_test(points_in_time),
        cmocka_unit_test(clocks_go_forward),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
