/* SPDX-License-Identifier: Apache-2.0 */
#include "route/trie.h"

#include "base/rand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { MAX_KEYS = 40, KEY_BYTES = 6 };

/* a random text over few letters, in upper case too if asked */
static struct um_str random_text(struct um_rand *r, struct um_arena *a, bool may_be_upper)
{
    char text[KEY_BYTES];
    size_t n = um_rand_below(r, KEY_BYTES + 1);
    for (size_t i = 0; i < n; i++)
        text[i] = "/abAB"[um_rand_below(r, may_be_upper ? 5 : 3)];
    return um_arena_str(a, (struct um_str){text, n});
}

static bool fits(const struct um_trie_key *key, struct um_str path, bool folds)
{
    bool is_prefix = folds ? um_str_istarts(path, key->path) : um_str_starts(path, key->path);
    return is_prefix && (!key->is_exact || key->path.n == path.n);
}

static void note(uint8_t *met, struct um_places places)
{
    for (uint32_t i = 0; i < places.n; i++) {
        assert_true(i == 0 || places.at[i - 1] < places.at[i]);
        met[places.at[i]]++;
    }
}

/* a walk meets each fitting key once and no other, and `least` is never above what lies below */
static void check_walk(const struct um_trie *t, const struct um_trie_key *keys, uint32_t n, struct um_str path)
{
    uint8_t met[MAX_KEYS] = {0};
    uint32_t least = 0;
    struct um_str rest = path;
    for (const struct um_trie_node *node = um_trie_first(t, &rest); node; node = um_trie_next(t, node, &rest)) {
        assert_true(node->least >= least);
        assert_true(node->prefixes.n == 0 || node->least <= node->prefixes.at[0]);
        assert_true(node->exacts.n == 0 || node->least <= node->exacts.at[0]);
        least = node->least;
        note(met, node->prefixes);
        if (rest.n == 0)
            note(met, node->exacts);
    }
    for (uint32_t i = 0; i < n; i++)
        assert_int_equal(met[keys[i].place], fits(&keys[i], path, t->folds_case));
}

static void walks_meet_what_fits(void **state)
{
    struct um_rand r;
    um_rand_init_seed(&r, 3);
    for (int round = 0; round < 3000; round++) {
        struct um_arena a;
        struct um_trie t;
        struct um_trie_key keys[MAX_KEYS];
        uint32_t n = um_rand_below(&r, MAX_KEYS + 1);
        bool folds = round % 2;
        um_arena_init(&a, NULL, 0);
        for (uint32_t i = 0; i < n; i++)
            keys[i] = (struct um_trie_key){random_text(&r, &a, !folds), um_rand_below(&r, 2), i};
        assert_int_equal(um_trie_build(&t, keys, n, folds, &a), 0);
        assert_true(t.n_nodes <= 2 * n);
        for (int k = 0; k < 20; k++)
            check_walk(&t, keys, n, random_text(&r, &a, true));
        um_arena_release(&a);
    }
}

static void deep_nesting_is_no_recursion(void **state)
{
    enum { DEPTH = 5000 };
    static char path[DEPTH];
    static struct um_trie_key keys[DEPTH];
    struct um_arena a;
    struct um_trie t;
    uint32_t nodes = 0;
    memset(path, 'a', sizeof path);
    for (uint32_t i = 0; i < DEPTH; i++)
        keys[i] = (struct um_trie_key){{path, i + 1}, false, i};
    um_arena_init(&a, NULL, 0);
    assert_int_equal(um_trie_build(&t, keys, DEPTH, false, &a), 0);
    struct um_str rest = {path, DEPTH};
    for (const struct um_trie_node *node = um_trie_first(&t, &rest); node; node = um_trie_next(&t, node, &rest))
        nodes++;
    assert_int_equal(nodes, DEPTH);
    um_arena_release(&a);
}

static void want_of_memory_is_an_error(void **state)
{
    struct um_arena a;
    struct um_trie t;
    struct um_trie_key key = {UM_STR("/"), false, 0};
    um_arena_init(&a, NULL, 20);
    assert_int_equal(um_trie_build(&t, &key, 1, false, &a), UM_ENOMEM);
    um_arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(walks_meet_what_fits),
        cmocka_unit_test(deep_nesting_is_no_recursion),
        cmocka_unit_test(want_of_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
