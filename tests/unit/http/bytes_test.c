/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rand.h"
#include "http/bytes.h"

#include <string.h>

static bool is_one_of(int c, const char *set)
{
    return c && strchr(set, c);
}

static bool is_alnum(int c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* the classes as the RFCs list them */
static void test_classes(void **state)
{
    for (int c = 0; c < 256; c++) {
        bool is_token = is_alnum(c) || is_one_of(c, "!#$%&'*+-.^_`|~");
        bool is_unreserved = is_alnum(c) || is_one_of(c, "-._~");
        bool is_sub_delim = is_one_of(c, "!$&'()*+,;=");
        bool is_lower = c >= 'a' && c <= 'z';
        bool is_plain_in_path = (is_unreserved && c != '.') || is_sub_delim || is_one_of(c, "/:@[]");
        char byte = (char)c;
        assert_int_equal(um_byte_is(byte, UM_BYTE_TOKEN), is_token);
        assert_int_equal(um_byte_is(byte, UM_BYTE_METHOD), is_token && !is_lower);
        assert_int_equal(um_byte_is(byte, UM_BYTE_VALUE), c == '\t' || (c >= ' ' && c != 0x7f));
        assert_int_equal(um_byte_is(byte, UM_BYTE_TARGET), c > ' ' && c != 0x7f && c != '#');
        assert_int_equal(um_byte_is(byte, UM_BYTE_UNRESERVED), is_unreserved);
        assert_int_equal(um_byte_is(byte, UM_BYTE_REG_NAME), is_unreserved || is_sub_delim);
        assert_int_equal(um_byte_is(byte, UM_BYTE_PATH), is_plain_in_path);
        assert_int_equal(um_byte_is(byte, UM_BYTE_HEX), is_one_of(c, "0123456789abcdefABCDEF"));
    }
}

/* every byte at every place of a run, and runs of every length: as byte by byte */
static void test_fast_skips(void **state)
{
    char bytes[67];
    memset(bytes, 'x', sizeof bytes);
    for (size_t n = 0; n <= sizeof bytes; n++)
        for (size_t at = 0; at < n; at++)
            for (int c = 0; c < 256; c += n < 40 ? 1 : 17) {
                const char *end = bytes + n;
                bytes[at] = (char)c;
                assert_ptr_equal(um_skip_value(bytes, end), um_skip(bytes, end, UM_BYTE_VALUE));
                assert_ptr_equal(um_skip_target(bytes, end), um_skip(bytes, end, UM_BYTE_TARGET));
                bytes[at] = 'x';
            }
}

static void test_fast_skips_stop_at_the_first(void **state)
{
    struct um_rand rand;
    char bytes[64];
    um_rand_init_seed(&rand, 1);
    for (unsigned round = 0; round < 20000; round++) {
        memset(bytes, 'x', sizeof bytes);
        for (unsigned i = 0; i < 4; i++)
            bytes[um_rand_below(&rand, sizeof bytes)] = (char)um_rand_below(&rand, 256);
        const char *end = bytes + um_rand_below(&rand, sizeof bytes + 1);
        assert_ptr_equal(um_skip_value(bytes, end), um_skip(bytes, end, UM_BYTE_VALUE));
        assert_ptr_equal(um_skip_target(bytes, end), um_skip(bytes, end, UM_BYTE_TARGET));
    }
}

static void test_hex_digits(void **state)
{
    const char *digits = "0123456789abcdef", *upper = "0123456789ABCDEF";
    for (unsigned i = 0; i < 16; i++) {
        assert_int_equal(um_hex_digit(digits[i]), i);
        assert_int_equal(um_hex_digit(upper[i]), i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_fast_skips),
        cmocka_unit_test(test_fast_skips_stop_at_the_first),
        cmocka_unit_test(test_hex_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
