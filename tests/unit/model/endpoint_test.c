/* SPDX-License-Identifier: Apache-2.0 */
#include "model/endpoint.h"

#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void parses_addresses(void **state)
{
    static const struct {
        struct um_str in;
        const char *text, *ip;
    } CASES[] = {
        {UM_STR_INIT("10.0.0.1"), "10.0.0.1:80", "10.0.0.1"},
        {UM_STR_INIT("::1"), "[::1]:80", "::1"},
        {UM_STR_INIT("[2001:DB8::1]"), "[2001:db8::1]:80", "2001:db8::1"},
        {UM_STR_INIT("::ffff:1.2.3.4"), "[::ffff:1.2.3.4]:80", "::ffff:1.2.3.4"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct um_sockaddr a;
        char text[UM_SOCKADDR_TEXT_BYTES];
        assert_int_equal(um_sockaddr_parse(CASES[i].in, 80, &a), 0);
        assert_int_equal(um_sockaddr_text(&a, text), strlen(CASES[i].text));
        assert_string_equal(text, CASES[i].text);
        assert_int_equal(um_sockaddr_ip_text(&a, text), strlen(CASES[i].ip));
        assert_string_equal(text, CASES[i].ip);
        assert_int_equal(um_sockaddr_port(&a), 80);
    }
}

static void refuses_what_is_no_address(void **state)
{
    static const struct um_str CASES[] = {
        UM_STR_INIT(""),
        UM_STR_INIT("localhost"),
        UM_STR_INIT("1.2.3"),
        UM_STR_INIT("1.2.3.4 "),
        UM_STR_INIT("[1.2.3.4]"),
        UM_STR_INIT("1.2.3.256"),
        UM_STR_INIT("[]"),
        UM_STR_INIT("::1%lo"),
        UM_STR_INIT("1.2.3.4\0x"),
        UM_STR_INIT("[::1"),
        UM_STR_INIT("0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0001"),
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct um_sockaddr a;
        assert_int_equal(um_sockaddr_parse(CASES[i], 80, &a), UM_ESYNTAX);
    }
}

static void compares_addresses(void **state)
{
    struct um_sockaddr a, b, c, d;
    assert_int_equal(um_sockaddr_parse(UM_STR("10.0.0.1"), 80, &a), 0);
    assert_int_equal(um_sockaddr_parse(UM_STR("10.0.0.1"), 80, &b), 0);
    assert_int_equal(um_sockaddr_parse(UM_STR("10.0.0.1"), 81, &c), 0);
    assert_int_equal(um_sockaddr_parse(UM_STR("::ffff:10.0.0.1"), 80, &d), 0);
    assert_true(um_sockaddr_eq(&a, &b));
    assert_false(um_sockaddr_eq(&a, &c));
    assert_false(um_sockaddr_eq(&a, &d));
}

static void a_set_owns_its_strings(void **state)
{
    char host[] = "a.example", locality[] = "r/z/s";
    struct um_endpoint in[2] = {
        {.hostname = um_str_from(host), .locality = um_str_from(locality), .weight = 3, .is_healthy = true},
        {.weight = 1},
    };
    assert_int_equal(um_sockaddr_parse(UM_STR("10.0.0.1"), 80, &in[0].addr), 0);
    struct um_endpoint_set *set = um_endpoint_set_new(in, 2);
    assert_non_null(set);
    memset(host, 'x', sizeof host);
    memset(locality, 'x', sizeof locality);
    assert_int_equal(set->n, 2);
    assert_true(um_str_eq(set->endpoints[0].hostname, UM_STR("a.example")));
    assert_true(um_str_eq(set->endpoints[0].locality, UM_STR("r/z/s")));
    assert_int_equal(set->endpoints[0].weight, 3);
    assert_true(um_sockaddr_eq(&set->endpoints[0].addr, &in[0].addr));
    assert_int_equal(set->endpoints[1].hostname.n, 0);

    assert_ptr_equal(um_endpoint_set_ref(set), set);
    um_endpoint_set_unref(set);
    assert_true(set->endpoints[0].is_healthy); /* the other reference keeps it */
    um_endpoint_set_unref(set);
}

static void an_empty_set_is_a_set(void **state)
{
    struct um_endpoint_set *set = um_endpoint_set_new(NULL, 0);
    assert_non_null(set);
    assert_int_equal(set->n, 0);
    um_endpoint_set_unref(set);
    um_endpoint_set_unref(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_addresses),      cmocka_unit_test(refuses_what_is_no_address),
        cmocka_unit_test(compares_addresses),    cmocka_unit_test(a_set_owns_its_strings),
        cmocka_unit_test(an_empty_set_is_a_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
