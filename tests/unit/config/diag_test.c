/* SPDX-License-Identifier: Apache-2.0 */
#include "config/diag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

typedef void print_f(const struct um_diag *, struct um_buf *);

static void expect(struct um_diag *d, print_f *print, const char *wanted)
{
    struct um_buf out;
    um_buf_init(&out, 0);
    um_diag_sort(d);
    print(d, &out);
    um_buf_add_char(&out, '\0');
    assert_string_equal(out.p, wanted);
    um_buf_release(&out);
}

static void add_three(struct um_diag *d)
{
    struct um_diag_about about = {UM_STR("Gateway/default/g"), UM_STR("spec.servers[0]"), UM_STR("say \"so\"")};
    um_diag_add(d, UM_SEVERITY_WARNING, (struct um_pos){"b.yaml", 2, 5}, about, "is %s", "odd");
    um_diag_add(d, UM_SEVERITY_ERROR, (struct um_pos){"a.yaml", 10, 1}, (struct um_diag_about){0}, "no %d%%", 5);
    um_diag_add(d, UM_SEVERITY_ERROR, (struct um_pos){"a.yaml", 9, 7}, (struct um_diag_about){0}, "first");
}

static void text(void **state)
{
    struct um_diag d;
    um_diag_init(&d);
    expect(&d, um_diag_print_text, "");
    assert_false(um_diag_has_errors(&d));
    add_three(&d);
    um_diag_add(&d, UM_SEVERITY_ERROR, (struct um_pos){"--endpoint", 0, 0}, (struct um_diag_about){0}, "unknown host");
    assert_true(um_diag_has_errors(&d));
    expect(&d, um_diag_print_text,
           "--endpoint: error: unknown host\n"
           "a.yaml:9:7: error: first\n"
           "a.yaml:10:1: error: no 5%\n"
           "b.yaml:2:5: warning: Gateway/default/g: spec.servers[0]: is odd (say \"so\")\n");
    um_diag_release(&d);
}

static void json(void **state)
{
    struct um_diag d;
    um_diag_init(&d);
    expect(&d, um_diag_print_json, "[]\n");
    add_three(&d);
    expect(&d, um_diag_print_json,
           "[\n"
           "  {\"file\": \"a.yaml\", \"line\": 9, \"column\": 7, \"severity\": \"error\", \"resource\": \"\", "
           "\"field\": \"\", "
           "\"message\": \"first\", \"hint\": \"\"},\n"
           "  {\"file\": \"a.yaml\", \"line\": 10, \"column\": 1, \"severity\": \"error\", \"resource\": \"\", "
           "\"field\": \"\", "
           "\"message\": \"no 5%\", \"hint\": \"\"},\n"
           "  {\"file\": \"b.yaml\", \"line\": 2, \"column\": 5, \"severity\": \"warning\", \"resource\": "
           "\"Gateway/default/g\", \"field\": \"spec.servers[0]\", \"message\": \"is odd\", \"hint\": \"say "
           "\\\"so\\\"\"}\n"
           "]\n");
    um_diag_release(&d);
}

static void github(void **state)
{
    struct um_diag d;
    um_diag_init(&d);
    add_three(&d);
    um_diag_add(&d, UM_SEVERITY_ERROR, (struct um_pos){"c,d:e%.yaml", 1, 2},
                (struct um_diag_about){.hint = UM_STR("a\nb")}, "100%%: x, y");
    expect(
        &d, um_diag_print_github,
        "::error file=a.yaml,line=9,col=7,title=umbra::first\n"
        "::error file=a.yaml,line=10,col=1,title=umbra::no 5%25\n"
        "::warning file=b.yaml,line=2,col=5,title=Gateway/default/g::Gateway/default/g: spec.servers[0]: is odd (say "
        "\"so\")\n"
        "::error file=c%2Cd%3Ae%25.yaml,line=1,col=2,title=umbra::100%25: x, y (a\\x0ab)\n");
    um_diag_release(&d);
}

static void control_characters_are_shown(void **state)
{
    struct um_diag d;
    um_diag_init(&d);
    um_diag_add(&d, UM_SEVERITY_ERROR, (struct um_pos){"a\nb", 1, 1}, (struct um_diag_about){.field = UM_STR("x\ry")},
                "\x1b[31mred");
    expect(&d, um_diag_print_text, "a\\x0ab:1:1: error: x\\x0dy: \\x1b[31mred\n");
    um_diag_release(&d);
}

static void the_same_is_said_once(void **state)
{
    struct um_diag d;
    um_diag_init(&d);
    for (int i = 0; i < 3; i++)
        add_three(&d);
    um_diag_sort(&d);
    assert_int_equal(d.n, 3);
    assert_int_equal(d.n_found[UM_SEVERITY_ERROR], 2);
    assert_int_equal(d.n_found[UM_SEVERITY_WARNING], 1);
    um_diag_release(&d);
}

static void what_is_too_much_is_counted(void **state)
{
    struct um_diag d;
    struct um_buf out;
    um_diag_init(&d);
    um_buf_init(&out, 0);
    for (unsigned i = 1; i <= UM_DIAG_MAX + 5; i++)
        um_diag_add(&d, UM_SEVERITY_WARNING, (struct um_pos){"f", i, 1}, (struct um_diag_about){0}, "w");
    um_diag_add(&d, UM_SEVERITY_ERROR, (struct um_pos){"f", 1, 1}, (struct um_diag_about){0}, "e");
    um_diag_sort(&d);
    assert_int_equal(d.n, UM_DIAG_MAX + 1); /* warnings do not crowd errors out */
    um_diag_print_text(&d, &out);
    um_buf_add_char(&out, '\0');
    assert_non_null(strstr(out.p, "f:1:1: error: e\n"));
    assert_non_null(strstr(out.p, "f:1000:1: warning: w\numbra: warning: and 5 more\n"));
    um_buf_clear(&out);
    um_diag_print_json(&d, &out);
    um_buf_add_char(&out, '\0');
    assert_non_null(strstr(out.p,
                           "},\n  {\"file\": \"\", \"line\": 0, \"column\": 0, \"severity\": \"warning\", "
                           "\"resource\": \"\", \"field\": \"\", \"message\": \"and 5 more\", \"hint\": \"\"}\n]\n"));
    um_buf_clear(&out);
    um_diag_print_github(&d, &out);
    um_buf_add_char(&out, '\0');
    assert_non_null(strstr(out.p, "::warning title=umbra::and 5 more\n"));
    um_buf_release(&out);
    um_diag_release(&d);
}

static void memory_runs_out_and_errors_still_count(void **state)
{
    for (size_t limit = 1; limit < 20000; limit += 64) {
        struct um_diag d;
        struct um_buf out;
        um_diag_init(&d);
        um_buf_init(&out, 0);
        d.arena.limit_bytes = limit;
        for (int i = 0; i < 20; i++)
            add_three(&d);
        assert_int_equal(d.n_found[UM_SEVERITY_ERROR], 40);
        um_diag_sort(&d);
        um_diag_print_text(&d, &out);
        um_diag_print_json(&d, &out);
        assert_true(um_diag_has_errors(&d));
        um_buf_release(&out);
        um_diag_release(&d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text),
        cmocka_unit_test(json),
        cmocka_unit_test(github),
        cmocka_unit_test(control_characters_are_shown),
        cmocka_unit_test(the_same_is_said_once),
        cmocka_unit_test(what_is_too_much_is_counted),
        cmocka_unit_test(memory_runs_out_and_errors_still_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
