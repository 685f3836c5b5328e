/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include "base/err.h"
#include "base/rand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define ROWS(table) (sizeof(table) / sizeof(table)[0])

static const struct um_str NONE = {NULL, 0};

static void comparisons(void **state)
{
    assert_true(um_str_eq(NONE, UM_STR("")));
    assert_true(um_str_starts(NONE, NONE) && um_str_ends(NONE, NONE));
    assert_true(um_str_starts(UM_STR("abc"), UM_STR("ab")) && !um_str_starts(UM_STR("ab"), UM_STR("abc")));
    assert_true(um_str_ends(UM_STR("abc"), UM_STR("bc")) && !um_str_ends(UM_STR("bc"), UM_STR("abc")));
    assert_true(um_str_ieq(UM_STR("Content-TYPE"), UM_STR("cONTENT-type")));
    assert_false(um_str_ieq(UM_STR("[@`{"), UM_STR("{`@["))); /* neighbours of the letters */
    assert_true(um_str_istarts(UM_STR("/API/x"), UM_STR("/api")));
    assert_true(um_str_cmp(UM_STR("a"), UM_STR("ab")) < 0 && um_str_cmp(UM_STR("b"), UM_STR("ab")) > 0);
    assert_true(um_str_cmp(UM_STR("\xff"), UM_STR("a")) > 0);
    assert_int_equal(um_str_cmp(NONE, UM_STR("")), 0);
}

static void searching_and_cutting(void **state)
{
    assert_int_equal(um_str_find(UM_STR("a:b:c"), ':'), 1);
    assert_int_equal(um_str_rfind(UM_STR("a:b:c"), ':'), 3);
    assert_int_equal(um_str_find(NONE, ':'), -1);
    assert_int_equal(um_str_rfind(UM_STR("abc"), ':'), -1);
    assert_true(um_str_eq(um_str_skip(UM_STR("abc"), 2), UM_STR("c")));
    assert_int_equal(um_str_skip(UM_STR("abc"), 9).n, 0);
    assert_int_equal(um_str_skip(NONE, 9).n, 0);
    assert_true(um_str_eq(um_str_trim(UM_STR(" \t a b\t")), UM_STR("a b")));
    assert_int_equal(um_str_trim(UM_STR(" \t ")).n, 0);
}

static void splitting(void **state)
{
    struct um_str rest = UM_STR(" a , b,,c "), item;
    static const char *const WANT[] = {"a", "b", "", "c"};
    for (size_t i = 0; i < ROWS(WANT); i++) {
        assert_true(um_str_split(&rest, ',', &item));
        assert_true(um_str_eq(item, um_str_from(WANT[i])));
    }
    assert_false(um_str_split(&rest, ',', &item));
    rest = UM_STR("");
    assert_true(um_str_split(&rest, ',', &item) && item.n == 0);
    assert_false(um_str_split(&rest, ',', &item));
}

static void whole_numbers(void **state)
{
    static const struct {
        const char *text;
        uint64_t max;
        int rc;
        uint64_t value;
    } CASES[] = {{"0", 0, 0, 0},
                 {"007", 7, 0, 7},
                 {"65535", 65535, 0, 65535},
                 {"65536", 65535, UM_ELIMIT, 0},
                 {"9", 5, UM_ELIMIT, 0},
                 {"18446744073709551615", UINT64_MAX, 0, UINT64_MAX},
                 {"18446744073709551616", UINT64_MAX, UM_ELIMIT, 0},
                 {"99999999999999999999999", UINT64_MAX, UM_ELIMIT, 0},
                 {"18446744073709551619", 5, UM_ELIMIT, 0},
                 {"", 9, UM_ESYNTAX, 0},
                 {"-1", 9, UM_ESYNTAX, 0},
                 {"+1", 9, UM_ESYNTAX, 0},
                 {" 1", 9, UM_ESYNTAX, 0},
                 {"1x", 9, UM_ESYNTAX, 0}};
    for (size_t i = 0; i < ROWS(CASES); i++) {
        uint64_t value = 0;
        assert_int_equal(um_str_to_u64(um_str_from(CASES[i].text), CASES[i].max, &value), CASES[i].rc);
        assert_int_equal(value, CASES[i].value);
    }
}

static void durations(void **state)
{
    static const struct {
        const char *text;
        int rc;
        uint64_t ms;
        bool is_exact;
    } CASES[] = {{"0", 0, 0, true},
                 {"0s", 0, 0, true},
                 {"1s", 0, 1000, true},
                 {"250ms", 0, 250, true},
                 {"1.5s", 0, 1500, true},
                 {".5s", 0, 500, true},
                 {"1.s", 0, 1000, true},
                 {"1m", 0, 60000, true},
                 {"1h30m10s5ms", 0, 5410005, true},
                 {"1500us", 0, 1, false},
                 {"999999ns", 0, 0, false},
                 {"1000000ns", 0, 1, true},
                 {"0.0005s", 0, 0, false},
                 {"2562047h", 0, 9223369200000, true},
                 {"2562048h", UM_ELIMIT, 0, false},
                 {"9223372036854775807ns", 0, 9223372036854, false},
                 {"9223372036854775808ns", UM_ELIMIT, 0, false},
                 {"2562047h1h", UM_ELIMIT, 0, false},
                 {"1000000000000000000000h", UM_ELIMIT, 0, false},
                 {"99999999999999999999999999999999999999999999s", UM_ELIMIT, 0, false},
                 {"", UM_ESYNTAX, 0, false},
                 {"1", UM_ESYNTAX, 0, false},
                 {"s", UM_ESYNTAX, 0, false},
                 {".s", UM_ESYNTAX, 0, false},
                 {"1 s", UM_ESYNTAX, 0, false},
                 {"-1s", UM_ESYNTAX, 0, false},
                 {"1d", UM_ESYNTAX, 0, false},
                 {"1..5s", UM_ESYNTAX, 0, false},
                 {"5s5", UM_ESYNTAX, 0, false}};
    for (size_t i = 0; i < ROWS(CASES); i++) {
        uint64_t ms = 0;
        bool is_exact = false;
        int rc = um_str_to_ms(um_str_from(CASES[i].text), &ms, &is_exact);
        if (rc != CASES[i].rc || ms != CASES[i].ms || is_exact != CASES[i].is_exact)
            print_error("%s: %d %llu %d\n", CASES[i].text, rc, (unsigned long long)ms, is_exact);
        assert_int_equal(rc, CASES[i].rc);
        assert_int_equal(ms, CASES[i].ms);
        assert_int_equal(is_exact, CASES[i].is_exact);
    }
}

static void quantities(void **state)
{
    static const struct {
        const char *text;
        int rc;
        uint64_t bytes;
    } CASES[] = {{"64", 0, 64},
                 {"0", 0, 0},
                 {"64Mi", 0, 64ULL << 20},
                 {"1Ki", 0, 1024},
                 {"1Gi", 0, 1ULL << 30},
                 {"2Ti", 0, 2ULL << 40},
                 {"10k", 0, 10000},
                 {"1M", 0, 1000000},
                 {"3G", 0, 3000000000},
                 {"1T", 0, 1000000000000},
                 {"8388607Ti", 0, 8388607ULL << 40},
                 {"8388608Ti", UM_ELIMIT, 0},
                 {"9223372036854775808", UM_ELIMIT, 0},
                 {"", UM_ESYNTAX, 0},
                 {"Mi", UM_ESYNTAX, 0},
                 {"1K", UM_ESYNTAX, 0},
                 {"1.5Mi", UM_ESYNTAX, 0},
                 {"1 Mi", UM_ESYNTAX, 0},
                 {"-1", UM_ESYNTAX, 0},
                 {"100m", UM_ESYNTAX, 0}};
    for (size_t i = 0; i < ROWS(CASES); i++) {
        uint64_t bytes = 0;
        assert_int_equal(um_str_to_bytes(um_str_from(CASES[i].text), &bytes), CASES[i].rc);
        assert_int_equal(bytes, CASES[i].bytes);
    }
}

static void hashes(void **state)
{
    assert_true(um_str_hash(NONE) == um_str_hash(UM_STR("")));
    assert_true(um_str_hash(NONE) == 0x2D06800538D394C2); /* XXH3_64bits of nothing, by its specification */
    assert_true(um_str_hash_seed(UM_STR("a"), 1) != um_str_hash_seed(UM_STR("a"), 2));
    assert_true(um_str_hash_seed(UM_STR("a"), 0) == um_str_hash(UM_STR("a")));
}

/* the definition, without a table */
static unsigned slow_distance(const char *a, const char *b)
{
    if (!*a || !*b)
        return (unsigned)(strlen(a) + strlen(b));
    if (um_lower(*a) == um_lower(*b))
        return slow_distance(a + 1, b + 1);
    unsigned change = slow_distance(a + 1, b + 1), drop = slow_distance(a + 1, b), add = slow_distance(a, b + 1);
    unsigned least = change < drop ? change : drop;
    return 1 + (least < add ? least : add);
}

static void distances(void **state)
{
    struct um_rand r;
    um_rand_init_seed(&r, 4);
    for (int i = 0; i < 2000; i++) {
        char a[7] = {0}, b[7] = {0};
        for (uint32_t k = um_rand_below(&r, 7); k > 0; k--)
            a[k - 1] = "aAbc"[um_rand_below(&r, 4)];
        for (uint32_t k = um_rand_below(&r, 7); k > 0; k--)
            b[k - 1] = "aAbc"[um_rand_below(&r, 4)];
        unsigned want = slow_distance(a, b);
        assert_int_equal(um_str_distance(um_str_from(a), um_str_from(b), 10), want);
        assert_int_equal(um_str_distance(um_str_from(a), um_str_from(b), 2), want > 2 ? 3 : want);
    }
    assert_int_equal(um_str_distance(UM_STR("mirorPercentage"), UM_STR("mirrorPercentage"), 3), 1);
    char longer[65];
    memset(longer, 'a', sizeof longer);
    assert_int_equal(um_str_distance((struct um_str){longer, sizeof longer}, UM_STR("a"), 3), 4);
}

/* ---- UTF-8 against the code points themselves ----------------------------------------------------- */

static size_t encode(uint32_t c, unsigned n, char *to)
{
    static const unsigned char LEAD[] = {0, 0, 0xC0, 0xE0, 0xF0};
    if (n == 1) {
        to[0] = (char)c;
        return 1;
    }
    for (unsigned i = n - 1; i > 0; i--, c >>= 6)
        to[i] = (char)(0x80 | (c & 0x3F));
    to[0] = (char)(LEAD[n] | c);
    return n;
}

static unsigned length_of(uint32_t c)
{
    return c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
}

/* every code point in its shortest form passes, surrogates and what is above U+10FFFF do not; longer forms never do */
static void every_code_point(void **state)
{
    char text[4];
    size_t bad;
    for (uint32_t c = 0; c < 0x120000; c += c < 0x11000 ? 1 : 17) {
        bool is_good = (c < 0xD800 || c > 0xDFFF) && c <= 0x10FFFF;
        assert_int_equal(um_str_is_utf8((struct um_str){text, encode(c, length_of(c), text)}, &bad), is_good);
        if (length_of(c) < 4)
            assert_false(um_str_is_utf8((struct um_str){text, encode(c, length_of(c) + 1, text)}, &bad));
    }
}

static void where_utf8_breaks(void **state)
{
    static const struct {
        const char *text;
        size_t bad;
    } CASES[] = {{"a\x80", 1}, {"\xc3", 0}, {"ab\xe2\x82", 2}, {"\xf0\x9f\x98", 0}, {"\xff", 0}, {"\xc3\xa4\xc3(", 2}};
    size_t bad;
    for (size_t i = 0; i < ROWS(CASES); i++) {
        assert_false(um_str_is_utf8(um_str_from(CASES[i].text), &bad));
        assert_int_equal(bad, CASES[i].bad);
    }
    assert_true(um_str_is_utf8(NONE, &bad));
    assert_true(um_str_is_utf8(UM_STR("a\0\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"), &bad));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comparisons),      cmocka_unit_test(searching_and_cutting),
        cmocka_unit_test(splitting),        cmocka_unit_test(whole_numbers),
        cmocka_unit_test(durations),        cmocka_unit_test(quantities),
        cmocka_unit_test(hashes),           cmocka_unit_test(distances),
        cmocka_unit_test(every_code_point), cmocka_unit_test(where_utf8_breaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
