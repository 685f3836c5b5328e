/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include "base/rand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { N = 300 };

struct piece {
    unsigned char *p;
    size_t n;
    unsigned char mark;
};

/* random sizes, all written; nothing overlaps and all is aligned */
static void fill(struct um_arena *a, struct um_rand *r, size_t most)
{
    struct piece pieces[N];
    for (int i = 0; i < N; i++) {
        size_t n = um_rand_below(r, 10) ? um_rand_below(r, 100) : um_rand_below(r, (uint32_t)most);
        pieces[i] = (struct piece){um_arena_alloc(a, n), n, (unsigned char)i};
        assert_non_null(pieces[i].p);
        assert_int_equal((uintptr_t)pieces[i].p % 16, 0);
        memset(pieces[i].p, pieces[i].mark, n);
    }
    for (int i = 0; i < N; i++)
        for (size_t k = 0; k < pieces[i].n; k++)
            assert_int_equal(pieces[i].p[k], pieces[i].mark);
}

static void pieces_do_not_overlap(void **state)
{
    struct um_rand r;
    um_rand_init_seed(&r, 1);
    struct um_ledger ledger = {0};
    struct um_chunk_pool pool;
    um_chunk_pool_init(&pool, &ledger);
    for (int round = 0; round < 50; round++) {
        struct um_arena plain, pooled;
        um_arena_init(&plain, NULL, 0);
        um_arena_init(&pooled, &pool, 0);
        fill(&plain, &r, 100000);
        fill(&pooled, &r, 60000);
        um_arena_release(&plain);
        um_arena_release(&pooled);
        assert_int_equal(pool.live_bytes, 0);
    }
    um_chunk_pool_release(&pool);
}

static void sizes_at_the_edge(void **state)
{
    struct um_ledger ledger = {0};
    struct um_chunk_pool pool;
    struct um_arena a, pooled;
    um_chunk_pool_init(&pool, &ledger);
    um_arena_init(&a, NULL, 0);
    um_arena_init(&pooled, &pool, 0);
    assert_non_null(um_arena_alloc(&a, 0));
    assert_non_null(um_arena_array(&a, 0, 8));
    assert_ptr_not_equal(um_arena_alloc(&a, 0), um_arena_alloc(&a, 0));
    for (size_t n = SIZE_MAX; n > SIZE_MAX - 40; n--)
        assert_null(um_arena_alloc(&a, n));
    assert_null(um_arena_array(&a, SIZE_MAX / 2, 3));
    assert_null(um_arena_alloc(&pooled, um_chunk_class_bytes(UM_CHUNK_64K) + 1));
    assert_non_null(um_arena_alloc(&pooled, 10)); /* a failure leaves it usable */
    um_arena_release(&a);
    um_arena_release(&pooled);
    um_chunk_pool_release(&pool);
}

static void a_limit_is_never_passed(void **state)
{
    struct um_rand r;
    um_rand_init_seed(&r, 2);
    for (int round = 0; round < 200; round++) {
        struct um_arena a;
        size_t limit = 1 + um_rand_below(&r, 30000), given = 0;
        um_arena_init(&a, NULL, limit);
        for (int i = 0; i < 400; i++) {
            size_t n = um_rand_below(&r, 500);
            char *p = um_arena_alloc(&a, n);
            if (!p)
                continue;
            memset(p, 1, n);
            given += n;
        }
        assert_true(given <= limit);
        assert_true(a.held_bytes <= limit);
        assert_true(limit < 2000 || given > limit / 4);
        assert_null(um_arena_alloc(&a, limit + 1));
        um_arena_release(&a);
    }
}

static void texts(void **state)
{
    struct um_arena a;
    um_arena_init(&a, NULL, 0);
    struct um_str s = um_arena_str(&a, (struct um_str){"ab\0c", 4});
    assert_int_equal(s.n, 4);
    assert_memory_equal(s.p, "ab\0c", 5);
    s = um_arena_str(&a, (struct um_str){NULL, 0});
    assert_true(s.p && s.n == 0 && s.p[0] == '\0');
    s = um_arena_printf(&a, "%s-%d", "x", 42);
    assert_string_equal(s.p, "x-42");
    assert_int_equal(s.n, 4);
    unsigned char *z = um_arena_zalloc(&a, 33);
    for (int i = 0; i < 33; i++)
        assert_int_equal(z[i], 0);
    um_arena_release(&a);
    um_arena_init(&a, NULL, 8);
    assert_null(um_arena_str(&a, UM_STR("longer than the limit")).p);
    assert_null(um_arena_printf(&a, "%s", "longer than the limit").p);
    um_arena_release(&a);
}

static void blocks_become_the_shadows(void **state)
{
    struct um_ledger ledger = {0};
    struct um_chunk_pool pool;
    struct um_arena a;
    um_chunk_pool_init(&pool, &ledger);
    um_arena_init(&a, &pool, 0);
    assert_non_null(um_arena_alloc(&a, 100));
    assert_int_equal(ledger.held, 0);
    um_arena_to_shadow(&a);
    assert_int_equal(ledger.held, pool.live_bytes);
    assert_non_null(um_arena_alloc(&a, 20000));
    assert_int_equal(ledger.held, pool.live_bytes);
    um_arena_to_shadow(&a);
    assert_int_equal(ledger.held, pool.live_bytes);
    um_arena_release(&a);
    assert_int_equal(ledger.held, 0);
    assert_int_equal(pool.live_bytes, 0);
    um_chunk_pool_release(&pool);
}

static void an_arena_may_live_in_its_own_block(void **state)
{
    struct um_arena local, *inside;
    um_arena_init(&local, NULL, 0);
    inside = um_arena_alloc(&local, sizeof *inside);
    *inside = local;
    assert_non_null(um_arena_alloc(inside, 100000));
    um_arena_release(inside);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_do_not_overlap),     cmocka_unit_test(sizes_at_the_edge),
        cmocka_unit_test(a_limit_is_never_passed),   cmocka_unit_test(texts),
        cmocka_unit_test(blocks_become_the_shadows), cmocka_unit_test(an_arena_may_live_in_its_own_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
