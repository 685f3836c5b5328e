/* SPDX-License-Identifier: Apache-2.0 */
#include "model/snapshot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static unsigned n_freed;

static void count_free(struct um_snapshot *s)
{
    n_freed++;
}

static void the_last_reference_frees(void **state)
{
    struct um_snapshot *s = um_snapshot_new();
    assert_non_null(s);
    s->on_free = count_free;
    n_freed = 0;
    assert_ptr_equal(um_snapshot_ref(s), s);
    um_snapshot_unref(s);
    assert_int_equal(n_freed, 0);
    um_snapshot_unref(s);
    assert_int_equal(n_freed, 1);
    um_snapshot_unref(NULL);
}

static void finds_clusters_by_name(void **state)
{
    struct um_snapshot *s = um_snapshot_new();
    s->clusters = um_arena_array(&s->arena, 1, sizeof *s->clusters);
    s->n_clusters = 1;
    s->clusters[0].name = UM_STR("outbound|80||a.example");
    assert_int_equal(um_map_put(&s->clusters_by_name, s->clusters[0].name, &s->clusters[0], NULL), 0);
    assert_ptr_equal(um_snapshot_cluster(s, UM_STR("outbound|80||a.example")), &s->clusters[0]);
    assert_null(um_snapshot_cluster(s, UM_STR("outbound|81||a.example")));
    um_snapshot_unref(s);
}

static void owns_its_regexes(void **state)
{
    struct um_snapshot *s = um_snapshot_new();
    s->regexes = um_arena_array(&s->arena, 1, sizeof(struct um_regex *));
    assert_int_equal(um_regex_new(UM_STR("a+"), false, &s->regexes[0], NULL), 0);
    s->n_regexes = 1;
    assert_true(um_regex_match(s->regexes[0], UM_STR("aa")));
    um_snapshot_unref(s); /* the leak checker watches */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_reference_frees),
        cmocka_unit_test(finds_clusters_by_name),
        cmocka_unit_test(owns_its_regexes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
