/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "http/h1_parse.h"

static const struct um_h1_limits LIMITS = {4096, 16};

struct fixture {
    struct um_field fields[16];
    struct um_head head;
    struct um_edits edits;
    struct um_arena arena;
};

static void start(struct fixture *x, const char *fields)
{
    struct um_buf b;
    enum um_h1_fault fault;
    size_t scanned = 0;
    um_arena_init(&x->arena, NULL, 0);
    um_edits_init(&x->edits);
    um_buf_init(&b, 0);
    um_buf_addf(&b, "GET / HTTP/1.1\r\nHost: h\r\n%s\r\n", fields);
    struct um_str bytes = um_arena_str(&x->arena, um_buf_str(&b));
    um_buf_release(&b);
    x->head.fields = x->fields;
    assert_int_equal(um_h1_parse_request(bytes, &LIMITS, &scanned, &x->head, &fault), bytes.n);
}

static void edit(struct fixture *x, enum um_edit_op op, const char *name, const char *value)
{
    assert_int_equal(um_edits_add(&x->edits, &x->arena, op, um_str_from(name), um_str_from(value)), 0);
}

static void append(void *ctx, struct um_str name, struct um_str value)
{
    um_buf_addf(ctx, "%.*s=%.*s ", UM_STR_ARG(name), UM_STR_ARG(value));
}

static void expect(struct fixture *x, const char *text)
{
    struct um_buf b;
    um_buf_init(&b, 0);
    um_edits_each(&x->edits, &x->head, append, &b);
    um_buf_add_char(&b, '\0');
    assert_string_equal(b.p, text);
    um_buf_release(&b);
    um_arena_release(&x->arena);
}

static void test_none(void **state)
{
    struct fixture x;
    start(&x, "a: 1\r\nvia: 2\r\na: 3\r\n");
    expect(&x, "a=1 via=2 a=3 ");
}

static void test_set_replaces_all(void **state)
{
    struct fixture x;
    start(&x, "a: 1\r\nvia: 2\r\nA: 3\r\n");
    edit(&x, UM_EDIT_SET, "a", "4");
    edit(&x, UM_EDIT_SET, "Via", "5");
    expect(&x, "a=4 Via=5 ");
}

static void test_add_appends(void **state)
{
    struct fixture x;
    start(&x, "a: 1\r\n");
    edit(&x, UM_EDIT_ADD, "a", "2");
    edit(&x, UM_EDIT_ADD, "A", "3");
    expect(&x, "a=1 a=2 A=3 ");
}

static void test_remove(void **state)
{
    struct fixture x;
    start(&x, "a: 1\r\nvia: 2\r\nb: 3\r\nA: 4\r\n");
    edit(&x, UM_EDIT_REMOVE, "A", "");
    edit(&x, UM_EDIT_REMOVE, "via", "");
    edit(&x, UM_EDIT_REMOVE, "absent", "");
    expect(&x, "b=3 ");
}

static void test_order_counts(void **state)
{
    struct fixture x;
    start(&x, "a: 1\r\n");
    edit(&x, UM_EDIT_SET, "a", "2");
    edit(&x, UM_EDIT_REMOVE, "a", "");
    edit(&x, UM_EDIT_ADD, "a", "3");
    expect(&x, "a=3 ");
    start(&x, "a: 1\r\n");
    edit(&x, UM_EDIT_ADD, "a", "2");
    edit(&x, UM_EDIT_ADD, "b", "3");
    edit(&x, UM_EDIT_SET, "A", "4");
    edit(&x, UM_EDIT_ADD, "a", "5");
    expect(&x, "b=3 A=4 a=5 ");
}

static void test_hop_by_hop_is_left_out(void **state)
{
    struct fixture x;
    start(&x, "Connection: x-hop, te\r\nTE: trailers\r\nx-hop: 1\r\nKeep-Alive: 5\r\nContent-Length: 0\r\nTrailer: "
              "t\r\na: 1\r\n");
    expect(&x, "Trailer=t a=1 ");
}

static void test_the_codecs_fields_cannot_be_edited(void **state)
{
    struct fixture x;
    start(&x, "a: 1\r\n");
    edit(&x, UM_EDIT_SET, "Host", "x");
    edit(&x, UM_EDIT_ADD, "content-length", "5");
    edit(&x, UM_EDIT_SET, "Transfer-Encoding", "chunked");
    edit(&x, UM_EDIT_SET, "connection", "close");
    edit(&x, UM_EDIT_SET, "upgrade", "x");
    assert_int_equal(x.edits.n_edits, 0);
    expect(&x, "a=1 ");
}

static void test_many_edits(void **state)
{
    struct fixture x;
    struct um_buf b;
    start(&x, "");
    um_buf_init(&b, 0);
    for (unsigned i = 0; i < 100; i++) {
        struct um_str value = um_arena_printf(&x.arena, "%u", i);
        assert_int_equal(um_edits_known(&x.edits, &x.arena, UM_EDIT_ADD, UM_FIELD_VIA, value), 0);
        um_buf_addf(&b, "via=%u ", i);
    }
    um_buf_add_char(&b, '\0');
    expect(&x, b.p);
    um_buf_release(&b);
}

static void test_copy_is_its_own(void **state)
{
    struct fixture x;
    struct um_edits copy, empty, of_empty;
    start(&x, "");
    edit(&x, UM_EDIT_SET, "a", "1");
    x.edits.path = UM_STR("/p");
    assert_int_equal(um_edits_copy(&copy, &x.edits, &x.arena), 0);
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(um_edits_add(&copy, &x.arena, UM_EDIT_ADD, UM_STR("b"), UM_STR("2")), 0);
    assert_int_equal(copy.n_edits, 21);
    assert_true(um_str_eq(copy.path, UM_STR("/p")));
    um_edits_init(&empty);
    assert_int_equal(um_edits_copy(&of_empty, &empty, &x.arena), 0);
    assert_int_equal(um_edits_add(&of_empty, &x.arena, UM_EDIT_ADD, UM_STR("b"), UM_STR("2")), 0);
    assert_int_equal(empty.n_edits, 0);
    empty = x.edits;
    empty.n_edits = 0; /* emptied, with room left */
    assert_int_equal(um_edits_copy(&of_empty, &empty, &x.arena), 0);
    assert_int_equal(um_edits_add(&of_empty, &x.arena, UM_EDIT_ADD, UM_STR("b"), UM_STR("2")), 0);
    expect(&x, "a=1 ");
}

static void test_without_memory(void **state)
{
    struct um_arena a;
    struct um_edits e, copy = {.n_edits = 77};
    um_arena_init(&a, NULL, 0);
    um_edits_init(&e);
    assert_int_equal(um_edits_add(&e, &a, UM_EDIT_ADD, UM_STR("b"), UM_STR("2")), 0);
    struct um_arena none;
    um_arena_init(&none, NULL, 1);
    assert_int_equal(um_edits_copy(&copy, &e, &none), UM_ENOMEM);
    assert_int_equal(copy.n_edits, 77);
    struct um_edits fresh = {0};
    assert_int_equal(um_edits_add(&fresh, &none, UM_EDIT_ADD, UM_STR("b"), UM_STR("2")), UM_ENOMEM);
    assert_int_equal(fresh.n_edits, 0);
    um_arena_release(&a);
}

static void expect_lookup(const struct fixture *x, const char *name, const char *value)
{
    struct um_str seen;
    bool is_there = um_edits_lookup(&x->edits, &x->head, um_str_from(name), &seen);
    assert_int_equal(is_there, value != NULL);
    if (value)
        assert_true(um_str_eq(seen, um_str_from(value)));
}

static void test_lookup(void **state)
{
    struct fixture x;
    start(&x, "a: 1\r\nvia: 2\r\na: 3\r\nb: 4\r\nc: 5\r\nx-hop: 6\r\nConnection: x-hop\r\nUpgrade: ws\r\n");
    edit(&x, UM_EDIT_ADD, "a", "10");
    edit(&x, UM_EDIT_SET, "b", "11");
    edit(&x, UM_EDIT_ADD, "b", "12");
    edit(&x, UM_EDIT_REMOVE, "c", "");
    edit(&x, UM_EDIT_ADD, "d", "13");
    edit(&x, UM_EDIT_ADD, "d", "14");
    edit(&x, UM_EDIT_ADD, "e", "15");
    edit(&x, UM_EDIT_REMOVE, "e", "");
    edit(&x, UM_EDIT_ADD, "E", "16");
    expect_lookup(&x, "A", "1");
    expect_lookup(&x, "Via", "2");
    expect_lookup(&x, "b", "11");
    expect_lookup(&x, "c", NULL);
    expect_lookup(&x, "d", "13");
    expect_lookup(&x, "e", "16");
    expect_lookup(&x, "f", NULL);
    expect_lookup(&x, "x-hop", NULL);
    expect_lookup(&x, "upgrade", "ws");
    expect_lookup(&x, "host", "h");
    x.edits.authority = UM_STR("other");
    expect_lookup(&x, "Host", "other");
    um_arena_release(&x.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_set_replaces_all),
        cmocka_unit_test(test_add_appends),
        cmocka_unit_test(test_remove),
        cmocka_unit_test(test_order_counts),
        cmocka_unit_test(test_hop_by_hop_is_left_out),
        cmocka_unit_test(test_the_codecs_fields_cannot_be_edited),
        cmocka_unit_test(test_many_edits),
        cmocka_unit_test(test_copy_is_its_own),
        cmocka_unit_test(test_without_memory),
        cmocka_unit_test(test_lookup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
