/* SPDX-License-Identifier: Apache-2.0
 * The map against a list that is searched from one end to the other. */
#include "base/map.h"

#include "base/rand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

enum { KEYS = 3000 };

struct model {
    int keys[KEYS]; /* in order of insertion */
    void *values[KEYS];
    int n;
};

static int model_find(const struct model *m, int key)
{
    for (int i = 0; i < m->n; i++)
        if (m->keys[i] == key)
            return i;
    return -1;
}

static void *model_put(struct model *m, int key, void *value)
{
    int at = model_find(m, key);
    void *old = at < 0 ? NULL : m->values[at];
    if (at < 0)
        m->keys[at = m->n++] = key;
    m->values[at] = value;
    return old;
}

static void *model_remove(struct model *m, int key)
{
    int at = model_find(m, key);
    if (at < 0)
        return NULL;
    void *old = m->values[at];
    m->n--;
    memmove(m->keys + at, m->keys + at + 1, (size_t)(m->n - at) * sizeof *m->keys);
    memmove(m->values + at, m->values + at + 1, (size_t)(m->n - at) * sizeof *m->values);
    return old;
}

static char texts[KEYS][16];

static struct um_str key_text(int key)
{
    return um_str_from(texts[key]);
}

static void check_same(const struct um_map *map, const struct model *m)
{
    int i = 0;
    UM_MAP_EACH (entry, map) {
        assert_true(i < m->n);
        assert_true(um_str_eq(entry->key, key_text(m->keys[i])));
        assert_ptr_equal(entry->value, m->values[i]);
        i++;
    }
    assert_int_equal(i, m->n);
    assert_int_equal(map->n_live, m->n);
}

static void random_step(struct um_map *map, struct model *m, struct um_rand *r, uint32_t remove_of_10)
{
    int key = (int)um_rand_below(r, KEYS);
    void *old = NULL, *value = &texts[um_rand_below(r, KEYS)];
    if (um_rand_below(r, 10) < remove_of_10) {
        assert_ptr_equal(um_map_remove(map, key_text(key)), model_remove(m, key));
    } else {
        assert_int_equal(um_map_put(map, key_text(key), value, &old), 0);
        assert_ptr_equal(old, model_put(m, key, value));
    }
    key = (int)um_rand_below(r, KEYS);
    int at = model_find(m, key);
    assert_ptr_equal(um_map_get(map, key_text(key)), at < 0 ? NULL : m->values[at]);
}

static void it_is_a_list_but_faster(void **state)
{
    static struct model m;
    struct um_map map;
    struct um_rand r;
    um_rand_init_seed(&r, 9);
    um_map_init(&map);
    for (int i = 0; i < KEYS; i++)
        snprintf(texts[i], sizeof texts[i], "k%d", i);
    /* filled, emptied almost, filled again: what is kept shrinks before it grows */
    static const uint32_t REMOVES_OF_10[] = {1, 5, 9, 10, 3, 9, 0};
    for (size_t phase = 0; phase < sizeof REMOVES_OF_10 / sizeof REMOVES_OF_10[0]; phase++)
        for (int i = 0; i < 6000; i++) {
            random_step(&map, &m, &r, REMOVES_OF_10[phase]);
            if (i % 500 == 0)
                check_same(&map, &m);
        }
    check_same(&map, &m);
    um_map_release(&map);
    assert_null(um_map_get(&map, key_text(1)));
}

static void growing_after_many_removals(void **state)
{
    struct um_map map;
    static char keys[2000][16];
    um_map_init(&map);
    for (int i = 0; i < 2000; i++) {
        snprintf(keys[i], sizeof keys[i], "%d", i);
        assert_int_equal(um_map_put(&map, um_str_from(keys[i]), keys[i], NULL), 0);
        if (i >= 3)
            assert_ptr_equal(um_map_remove(&map, um_str_from(keys[i - 3])), keys[i - 3]);
    }
    assert_int_equal(map.n_live, 3);
    for (int i = 1997; i < 2000; i++)
        assert_ptr_equal(um_map_get(&map, um_str_from(keys[i])), keys[i]);
    um_map_release(&map);
}

/* a removed key's bytes may be gone */
static void removed_keys_are_not_read(void **state)
{
    struct um_map map;
    um_map_init(&map);
    char *key = strdup("key");
    assert_int_equal(um_map_put(&map, um_str_from(key), &map, NULL), 0);
    assert_ptr_equal(um_map_remove(&map, um_str_from(key)), &map);
    free(key);
    assert_null(um_map_get(&map, UM_STR("key")));
    assert_null(um_map_remove(&map, UM_STR("key")));
    void *old = &map;
    assert_int_equal(um_map_put(&map, UM_STR("key"), &map, &old), 0);
    assert_null(old);
    um_map_release(&map);
}

static void an_empty_map_and_an_empty_key(void **state)
{
    struct um_map map;
    struct um_str none = {NULL, 0};
    um_map_init(&map);
    assert_null(um_map_get(&map, none));
    assert_null(um_map_remove(&map, UM_STR("x")));
    assert_int_equal(um_map_put(&map, none, &map, NULL), 0);
    assert_ptr_equal(um_map_get(&map, UM_STR("")), &map);
    um_map_release(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_a_list_but_faster),
        cmocka_unit_test(growing_after_many_removals),
        cmocka_unit_test(removed_keys_are_not_read),
        cmocka_unit_test(an_empty_map_and_an_empty_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
