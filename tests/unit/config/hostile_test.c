/* SPDX-License-Identifier: Apache-2.0
 * Files made to cost memory or time: each is a clear error, and the nodes that were made stay few. */
#include "kit.h"

#include <time.h>

enum { MIB = 1 << 20 };

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* generous: sanitizers and busy machines are slow; a bomb that goes off takes minutes and gigabytes */
static void expect_cheaply(const char *name, struct um_str bytes, const char *said)
{
    struct parsed p;
    double start = cpu_seconds();
    parse_bytes(&p, name, bytes);
    assert_true(cpu_seconds() - start < 20);
    assert_non_null(strstr(p.said.p, said));
    assert_int_not_equal(p.rc, 0);
    assert_true(p.docs.arena.held_bytes < 64 * MIB);
    parsed_release(&p);
}

static void repeat(struct um_buf *out, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        um_buf_add_cstr(out, text);
}

static void expect_repeated(const char *name, const char *head, const char *body, size_t n, const char *tail,
                            const char *said)
{
    struct um_buf text;
    um_buf_init(&text, 0);
    um_buf_add_cstr(&text, head);
    repeat(&text, body, n);
    um_buf_add_cstr(&text, tail);
    expect_cheaply(name, um_buf_str(&text), said);
    um_buf_release(&text);
}

static void billion_laughs(void **state)
{
    struct um_buf text;
    um_buf_init(&text, 0);
    um_buf_add_cstr(&text, "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
    for (int i = 1; i < 30; i++)
        um_buf_addf(&text, "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i, i, i - 1, i - 1,
                    i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
    expect_cheaply("f.yaml", um_buf_str(&text), "f.yaml:6:10: error: aliases stand for more than 100000 values");
    um_buf_release(&text);
}

static void merge_bomb(void **state)
{
    struct um_buf text;
    um_buf_init(&text, 0);
    um_buf_add_cstr(&text, "a0: &a0 {a: 1, b: 1, c: 1, d: 1}\n");
    for (int i = 1; i < 64; i++)
        um_buf_addf(&text, "a%d: &a%d {a: *a%d, b: *a%d, <<: *a%d}\n", i, i, i - 1, i - 1, i - 1);
    expect_cheaply("f.yaml", um_buf_str(&text), "aliases stand for more than 100000 values");
    um_buf_release(&text);
}

static void deep_nesting(void **state)
{
    expect_repeated("f.yaml", "a: ", "[", 1000000, "", "f.yaml:1:67: error: nested more than 64 deep\n");
    expect_repeated("f.yaml", "", "- ", 500000, "x", "nested more than 64 deep");
    expect_repeated("f.yaml", "", "{a: ", 200000, "", "nested more than 64 deep");
    expect_repeated("f.json", "", "[", 1000000, "", "f.json:1:65: error: nested more than 64 deep\n");
    expect_repeated("f.json", "", "{\"a\":", 200000, "", "nested more than 64 deep");
}

static void sixty_four_deep_is_fine(void **state)
{
    struct um_buf text;
    um_buf_init(&text, 0);
    um_buf_add_cstr(&text, "{\"a\":");
    repeat(&text, "[", UM_DOCUMENT_MAX_DEPTH - 1);
    repeat(&text, "]", UM_DOCUMENT_MAX_DEPTH - 1);
    um_buf_add_cstr(&text, "}");
    expect_said("f.json", um_buf_str(&text), 0, "");
    expect_said("f.yaml", um_buf_str(&text), 0, "");
    um_buf_release(&text);
}

static void long_lines(void **state)
{
    expect_repeated("f.yaml", "a: 1\nb: [", "[],", 400000, "]\n",
                    "f.yaml:2:1: error: the line is longer than 1024 KiB\n");
    expect_repeated("f.yaml", "a: \"", "xxxxxxxxxxxxxxxx", 100000, "", "the line is longer than 1024 KiB");
}

static void a_line_of_a_mebibyte_is_read(void **state)
{
    struct um_buf text;
    um_buf_init(&text, 0);
    um_buf_add_cstr(&text, "a: ");
    repeat(&text, "x", MIB - 3);
    um_buf_add_cstr(&text, "\nb: 1\n");
    expect_said("f.yaml", um_buf_str(&text), 0, "");
    um_buf_release(&text);
}

static void many_values(void **state)
{
    struct um_buf text;
    um_buf_init(&text, 0);
    um_buf_add_cstr(&text, "{\"a\":[1");
    repeat(&text, ",1", UM_DOCUMENT_MAX_NODES);
    um_buf_add_cstr(&text, "]}");
    struct parsed p;
    parse_bytes(&p, "f.json", um_buf_str(&text));
    assert_int_equal(p.rc, UM_ELIMIT);
    assert_non_null(strstr(p.said.p, "error: more than 2000000 values (split the configuration)\n"));
    parsed_release(&p);
    um_buf_release(&text);
}

static void a_hundred_megabytes(void **state)
{
    struct um_buf text;
    um_buf_init(&text, 0);
    memset(um_buf_reserve(&text, 100 * MIB), '#', 100 * MIB);
    um_buf_grew(&text, 100 * MIB);
    expect_cheaply("f.yaml", um_buf_str(&text), "f.yaml:1:1: error: the file is larger than 64 MiB\n");
    um_buf_release(&text);
}

static void all_files_together(void **state)
{
    struct um_buf text;
    struct um_documents docs;
    struct um_diag diag;
    int rc = 0, n = 0;
    um_buf_init(&text, 0);
    repeat(&text, "#234567890123456789012345678901234567890123456789012345678901234567890123456789\n", 60 * MIB / 80);
    um_documents_init(&docs, 0);
    um_diag_init(&diag);
    for (; rc == 0 && n < 6; n++)
        rc = um_documents_parse(&docs, UM_STR("f.yaml"), um_buf_str(&text), &diag);
    assert_int_equal(rc, UM_ELIMIT);
    assert_int_equal(n, 5);
    um_documents_release(&docs);
    um_diag_release(&diag);
    um_buf_release(&text);
}

static void bytes_that_are_no_text(void **state)
{
    expect_said("f.yaml", UM_STR("a: 1\nb: x\0y\n"), UM_ESYNTAX,
                "f.yaml:2:5: error: control character 0x00 (remove it, or write it as an escape in double quotes)\n");
    expect_said("f.yaml", UM_STR("\xc3\xa9: \x1b[0m"), UM_ESYNTAX,
                "f.yaml:1:4: error: control character 0x1b (remove it, or write it as an escape in double quotes)\n");
    expect_said("f.yaml", UM_STR("a: 1\nb: \xff\n"), UM_ESYNTAX,
                "f.yaml:2:4: error: byte 0xff is not UTF-8 (save the file as UTF-8)\n");
    expect_said("f.yaml", UM_STR("a: \xc3"), UM_ESYNTAX,
                "f.yaml:1:4: error: byte 0xc3 is not UTF-8 (save the file as UTF-8)\n");
    expect_said("f.yaml", UM_STR("a: \xed\xa0\x80"), UM_ESYNTAX,
                "f.yaml:1:4: error: byte 0xed is not UTF-8 (save the file as UTF-8)\n");
    expect_said("f.yaml",
                UM_STR("\xff\xfe"
                       "a\0"),
                UM_ESYNTAX, "f.yaml:1:1: error: the file is UTF-16 (save it as UTF-8)\n");
}

static void every_truncation_of_a_file_ends(void **state)
{
    static const char TEXT[] =
        "a: &x {b: [1, \"2\", '3']}\nc:\n- |\n  text\n- *x\n- {<<: *x}\n- \"\xc3\xa9\"\n---\n? k\n: v\n";
    for (size_t n = 0; n < sizeof TEXT; n++) {
        struct parsed p;
        parse_bytes(&p, n % 2 ? "f.yaml" : "f.yml", (struct um_str){TEXT, n});
        assert_int_equal(p.rc != 0, um_diag_has_errors(&p.diag));
        parsed_release(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(billion_laughs),
        cmocka_unit_test(merge_bomb),
        cmocka_unit_test(deep_nesting),
        cmocka_unit_test(sixty_four_deep_is_fine),
        cmocka_unit_test(long_lines),
        cmocka_unit_test(a_line_of_a_mebibyte_is_read),
        cmocka_unit_test(many_values),
        cmocka_unit_test(a_hundred_megabytes),
        cmocka_unit_test(all_files_together),
        cmocka_unit_test(bytes_that_are_no_text),
        cmocka_unit_test(every_truncation_of_a_file_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
