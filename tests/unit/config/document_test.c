/* SPDX-License-Identifier: Apache-2.0
 * YAML and JSON that is well-formed or nearly so: nodes, their places, merging, and the errors' places. */
#include "kit.h"

static const struct um_node *root(const struct parsed *p, uint32_t i)
{
    assert_true(i < p->docs.n);
    return p->docs.roots[i];
}

static void a_mapping_keeps_order_and_places(void **state)
{
    struct parsed p;
    parse(&p, "b: 1\n"
              "a:\n"
              "  - x\n"
              "  -  \"y z\"\n"
              "  - {k: ''}\n");
    assert_int_equal(p.rc, 0);
    assert_int_equal(p.docs.n, 1);
    const struct um_node *map = root(&p, 0);
    assert_int_equal(map->n, 2);
    assert_string_equal(map->entries[0].key.p, "b");
    assert_pos(map->entries[0].pos, 1, 1);
    assert_pos(map->entries[0].value->pos, 1, 4);
    assert_string_equal(map->pos.file, "f.yaml");

    const struct um_node *list = um_node_get(map, "a");
    assert_int_equal(list->kind, UM_NODE_SEQ);
    assert_int_equal(list->n, 3);
    assert_text(list->items[1], "y z");
    assert_true(list->items[1]->is_quoted);
    assert_false(list->items[0]->is_quoted);
    assert_pos(list->items[1]->pos, 4, 6);
    assert_text(um_node_get(list->items[2], "k"), "");
    assert_true(um_node_get(list->items[2], "k")->is_quoted);
    assert_null(um_node_get(map, "c"));
    assert_null(um_node_get(list, "a"));
    parsed_release(&p);
}

static void columns_count_characters(void **state)
{
    struct parsed p;
    parse(&p, "\xc3\xa9\xe2\x82\xac: v\n");
    assert_pos(root(&p, 0)->entries[0].value->pos, 1, 5);
    parsed_release(&p);
    parse_bytes(&p, "f.json", UM_STR("{\"\xc3\xa9\": \n \"\xc3\xa9\", \"b\": 1}"));
    assert_pos(root(&p, 0)->entries[0].value->pos, 2, 2);
    assert_pos(root(&p, 0)->entries[1].pos, 2, 7);
    parsed_release(&p);
}

static void every_style_of_text_has_its_place(void **state)
{
    struct parsed p;
    parse(&p, "a: |\n"
              "  x\n"
              "\"b\": 'y'\n"
              "c: !!str \"z\"\n"
              "d: &x \"multi\n"
              "  line\"\n");
    const struct um_node *map = root(&p, 0);
    assert_text(map->entries[0].value, "x\n");
    assert_pos(map->entries[0].value->pos, 1, 1);
    assert_pos(map->entries[1].pos, 3, 1);
    assert_pos(map->entries[1].value->pos, 3, 6);
    assert_pos(map->entries[2].value->pos, 4, 10);
    assert_pos(map->entries[3].value->pos, 5, 7);
    assert_text(map->entries[3].value, "multi line");
    parsed_release(&p);
}

static void an_absent_value_stands_at_its_key(void **state)
{
    struct parsed p;
    parse(&p, "a:\n  b:\nc: ~\n");
    const struct um_node *b = um_node_get(um_node_get(root(&p, 0), "a"), "b");
    assert_true(um_node_is_null(b));
    assert_pos(b->pos, 2, 3);
    assert_true(um_node_is_null(um_node_get(root(&p, 0), "c")));
    parsed_release(&p);
}

static void empty_documents_are_left_out(void **state)
{
    struct parsed p;
    parse(&p, "---\n# nothing\n---\na: 1\n---\n---\nb: 2\n...\n---\nnull\n");
    assert_int_equal(p.rc, 0);
    assert_int_equal(p.docs.n, 2);
    assert_text(um_node_get(root(&p, 1), "b"), "2");
    assert_pos(root(&p, 1)->pos, 7, 1);
    parsed_release(&p);
    expect_said("f.yaml", UM_STR(""), 0, "");
    expect_said("f.yaml", UM_STR("\n\n# only a comment"), 0, "");
    expect_said("f.json", UM_STR(" \n"), 0, "");
}

static void line_ends_and_byte_order_marks(void **state)
{
    struct parsed p;
    parse(&p, "\xef\xbb\xbf"
              "a: 1\r\nb:\r\n- |\r\n  x\r\n  y\r\n- z\rc: 2\n");
    assert_int_equal(p.rc, 0);
    assert_pos(root(&p, 0)->entries[0].pos, 1, 1);
    assert_text(um_node_get(root(&p, 0), "b")->items[0], "x\ny\n");
    assert_pos(root(&p, 0)->entries[2].pos, 7, 1);
    parsed_release(&p);
}

static void a_list_is_unpacked(void **state)
{
    struct parsed p;
    parse(
        &p,
        "apiVersion: v1\nkind: List\nitems:\n- kind: A\n- kind: B\n---\nkind: C\n---\nkind: ServiceList\nitems: []\n");
    assert_int_equal(p.docs.n, 3);
    assert_text(um_node_get(root(&p, 1), "kind"), "B");
    assert_pos(root(&p, 1)->pos, 5, 3);
    parsed_release(&p);
    expect_said("f.yaml", UM_STR("kind: List\nitems: [a]\n"), UM_ESYNTAX,
                "f.yaml:2:9: error: a resource must be a mapping with apiVersion and kind, not text\n");
}

static void aliases_and_merges(void **state)
{
    struct parsed p;
    parse(&p, "base: &b {x: 1, y: 2}\n"
              "more: &m {y: 3, z: 4}\n"
              "same: *b\n"
              "one: {<<: *b, x: 9}\n"
              "two: {<<: [*b, *m]}\n"
              "quoted: {\"<<\": *b}\n");
    assert_int_equal(p.rc, 0);
    const struct um_node *map = root(&p, 0);
    assert_ptr_equal(um_node_get(map, "same"), um_node_get(map, "base"));
    const struct um_node *one = um_node_get(map, "one");
    assert_int_equal(one->n, 2);
    assert_text(um_node_get(one, "x"), "9");
    assert_text(um_node_get(one, "y"), "2");
    assert_pos(um_node_find(one, UM_STR("y"))->pos, 1, 17);
    const struct um_node *two = um_node_get(map, "two");
    assert_int_equal(two->n, 3);
    assert_text(um_node_get(two, "y"), "2");
    assert_text(um_node_get(two, "z"), "4");
    assert_non_null(um_node_get(um_node_get(map, "quoted"), "<<"));
    parsed_release(&p);
}

static void a_large_mapping_finds_its_repeated_keys(void **state)
{
    struct um_buf text;
    um_buf_init(&text, 0);
    um_buf_add_cstr(&text, "base: &b {k7: merged, other: merged}\nbig:\n  <<: *b\n");
    for (int i = 0; i < 1000; i++)
        um_buf_addf(&text, "  k%d: %d\n", i, i);
    um_buf_add_cstr(&text, "  k500: again\n");
    struct parsed p;
    parse_bytes(&p, "f.yaml", um_buf_str(&text));
    assert_string_equal(p.said.p, "f.yaml:1004:3: error: key `k500` was given before, on line 504\n");
    const struct um_node *big = um_node_get(root(&p, 0), "big");
    assert_int_equal(big->n, 1001);
    assert_text(um_node_get(big, "k500"), "500");
    assert_text(um_node_get(big, "k7"), "7");
    assert_text(um_node_get(big, "other"), "merged");
    parsed_release(&p);
    um_buf_release(&text);
}

static void tags(void **state)
{
    struct parsed p;
    parse(&p, "a: !!str 5\nb: ! 6\nc: !!int 7\nd: !!map {}\n");
    assert_int_equal(p.rc, 0);
    assert_true(um_node_get(root(&p, 0), "a")->is_quoted);
    assert_true(um_node_get(root(&p, 0), "b")->is_quoted);
    assert_false(um_node_get(root(&p, 0), "c")->is_quoted);
    parsed_release(&p);
    expect_said("f.yaml", UM_STR("a: !secret x\n"), UM_ESYNTAX, "f.yaml:1:12: error: unknown tag `!secret`\n");
}

static void json_is_told_by_name_or_by_looks(void **state)
{
    struct parsed p;
    parse_bytes(&p, "x", UM_STR(" \n{\"a\": \"1\", \"b\": [true, null, -1.5e3]}\n"));
    assert_int_equal(p.rc, 0);
    assert_true(um_node_get(root(&p, 0), "a")->is_quoted);
    const struct um_node *list = um_node_get(root(&p, 0), "b");
    assert_text(list->items[2], "-1.5e3");
    assert_true(um_node_is_null(list->items[1]));
    assert_pos(list->items[2]->pos, 2, 30);
    parsed_release(&p);
    parse(&p, "{a: b, 'c': d}\n"); /* not JSON, but YAML */
    assert_int_equal(p.rc, 0);
    assert_text(um_node_get(root(&p, 0), "c"), "d");
    parsed_release(&p);
    expect_said("f.json", UM_STR("{a: b}"), UM_ESYNTAX,
                "f.json:1:2: error: malformed JSON: a key in double quotes is missing\n");
}

static void json_strings(void **state)
{
    struct parsed p;
    parse_bytes(&p, "f.json", UM_STR("{\"\\u00e9\\n\": \"\\ud83d\\ude00\\/\\\"\\\\\\b\\f\\r\\t\\u20ac\"}"));
    assert_int_equal(p.rc, 0);
    assert_string_equal(root(&p, 0)->entries[0].key.p, "\xc3\xa9\n");
    assert_text(root(&p, 0)->entries[0].value, "\xf0\x9f\x98\x80/\"\\\b\f\r\t\xe2\x82\xac");
    parsed_release(&p);
    parse_bytes(&p, "f.json", UM_STR("{\"a\": \"x\\u0000y\"} {\"b\": 1}\n{\"c\": 2}"));
    assert_int_equal(p.docs.n, 3);
    assert_int_equal(um_node_get(root(&p, 0), "a")->text.n, 3);
    parsed_release(&p);
}

struct wrong {
    const char *text, *said;
};

static void wrong_json_is_refused(void **state)
{
    static const struct wrong WRONG[] = {
        {"{\"a\": 1,}", "1:9: error: malformed JSON: a key in double quotes is missing"},
        {"{\"a\": [1,]}", "1:10: error: malformed JSON: a value is missing, or is not quoted"},
        {"{\"a\": 01}", "1:8: error: malformed JSON: `,` or `}` is missing"},
        {"{\"a\": +1}", "1:7: error: malformed JSON: a value is missing, or is not quoted"},
        {"{\"a\": .5}", "1:7: error: malformed JSON: a value is missing, or is not quoted"},
        {"{\"a\": 1e}", "1:7: error: malformed JSON: a value is missing, or is not quoted"},
        {"{\"a\": nope}", "1:7: error: malformed JSON: a value is missing, or is not quoted"},
        {"{\"a\"}", "1:5: error: malformed JSON: `:` is missing"},
        {"{\"a\": 1", "1:8: error: malformed JSON: `,` or `}` is missing"},
        {"{\"a\": ", "1:7: error: malformed JSON: the text ends where a value should be"},
        {"{\"a\": \"x", "1:8: error: malformed JSON: string without closing quote"},
        {"{\"a\": \"x\ny\"}", "1:8: error: malformed JSON: string without closing quote"},
        {"{\"a\": \"\\x\"}", "1:9: error: malformed JSON: unknown escape"},
        {"{\"a\": \"\\u12g4\"}", "1:10: error: malformed JSON: \\u wants four hexadecimal digits"},
        {"{\"a\": \"\\ud800x\"}", "1:14: error: malformed JSON: half a surrogate pair"},
        {"{\"a\": \"\\udc00\"}", "1:14: error: malformed JSON: half a surrogate pair"},
        {"{\"a\": 1} x", "1:10: error: malformed JSON: a value is missing, or is not quoted"},
        {"{\"a\": 1, \"a\": 2}", "1:10: error: key `a` was given before, on line 1"},
        {"[1]", "1:1: error: a resource must be a mapping with apiVersion and kind, not a list"},
        {"\"x\"", "1:1: error: a resource must be a mapping with apiVersion and kind, not text"},
    };
    for (size_t i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++) {
        char said[256];
        snprintf(said, sizeof said, "f.json:%s\n", WRONG[i].said);
        expect_said("f.json", um_str_from(WRONG[i].text), UM_ESYNTAX, said);
    }
}

static void wrong_yaml_is_refused(void **state)
{
    static const struct wrong WRONG[] = {
        {"a: 1\nb:\n  - x\n c: 2\n", "4:2: error: malformed YAML: invalid indentation in mapping"},
        {"a:\n  b: 1\n\tc: 1\n", "3:2: error: malformed YAML: invalid tab used as indentation"},
        {"a: \"x\nb: 1\n", "1:5: error: malformed YAML: double-quoted scalar without closing quote"},
        {"a: 'x\n", "1:5: error: malformed YAML: single-quoted scalar without closing quote"},
        {"a: [1, 2\n", "2:1: error: malformed YAML: flow sequence without a closing bracket"},
        {"a: b: c\n", "1:5: error: malformed YAML: invalid nested block mapping on the same line"},
        {"a: @x\n", "1:4: error: malformed YAML: plain scalar cannot start with '@'"},
        {"a: 1\na: 2\na: 3\n", "2:1: error: key `a` was given before, on line 1\n"
                               "f.yaml:3:1: error: key `a` was given before, on line 1"},
        {"a: *x\n", "1:4: error: alias `*x` has no anchor before it, or stands inside of it"},
        {"a: &x {b: *x}\n", "1:11: error: alias `*x` has no anchor before it, or stands inside of it"},
        {"x: &x 1\n---\na: *x\n", "3:4: error: alias `*x` has no anchor before it, or stands inside of it"},
        {"? [a]\n: b\n", "1:3: error: a key must be text, not a list"},
        {"? {a: b}\n: b\n", "1:3: error: a key must be text, not a mapping"},
        {"x: &x 1\n*x : c\n", "2:1: error: a key must be text, not an alias"},
        {"x: &x 1\ny: {<<: *x}\n", "2:5: error: `<<` takes a mapping or a list of mappings"},
        {"x: {<<: [{}, 1]}\n", "1:5: error: `<<` takes a mapping or a list of mappings"},
        {"- a\n", "1:1: error: a resource must be a mapping with apiVersion and kind, not a list"},
        {"just text\n", "1:1: error: a resource must be a mapping with apiVersion and kind, not text"},
    };
    for (size_t i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++) {
        char said[256];
        snprintf(said, sizeof said, "f.yaml:%s\n", WRONG[i].said);
        expect_said("f.yaml", um_str_from(WRONG[i].text), UM_ESYNTAX, said);
    }
}

static void what_stands_before_an_error_is_kept(void **state)
{
    struct parsed p;
    parse(&p, "a: 1\n---\nb: [\n");
    assert_int_equal(p.rc, UM_ESYNTAX);
    assert_int_equal(p.docs.n, 1);
    parsed_release(&p);
}

static void memory_runs_out_at_every_size(void **state)
{
    static const char TEXT[] =
        "kind: List\nitems:\n- a: &x {b: [c, \"d\", 1], e: {f: g}}\n  h: {<<: *x, i: *x}\n- k: 1\n";
    bool has_room = false;
    for (size_t limit = 1; limit < 40000; limit += 16) {
        struct um_documents docs;
        struct um_diag diag;
        um_documents_init(&docs, limit);
        um_diag_init(&diag);
        int rc = um_documents_parse(&docs, UM_STR("f.yaml"), um_str_from(TEXT), &diag);
        assert_true(rc == 0 || rc == UM_ENOMEM);
        assert_false(um_diag_has_errors(&diag));
        has_room = rc == 0;
        um_documents_release(&docs);
        um_diag_release(&diag);
    }
    assert_true(has_room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mapping_keeps_order_and_places),
        cmocka_unit_test(columns_count_characters),
        cmocka_unit_test(every_style_of_text_has_its_place),
        cmocka_unit_test(an_absent_value_stands_at_its_key),
        cmocka_unit_test(empty_documents_are_left_out),
        cmocka_unit_test(line_ends_and_byte_order_marks),
        cmocka_unit_test(a_list_is_unpacked),
        cmocka_unit_test(aliases_and_merges),
        cmocka_unit_test(a_large_mapping_finds_its_repeated_keys),
        cmocka_unit_test(tags),
        cmocka_unit_test(json_is_told_by_name_or_by_looks),
        cmocka_unit_test(json_strings),
        cmocka_unit_test(wrong_json_is_refused),
        cmocka_unit_test(wrong_yaml_is_refused),
        cmocka_unit_test(what_stands_before_an_error_is_kept),
        cmocka_unit_test(memory_runs_out_at_every_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
