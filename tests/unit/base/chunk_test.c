/* SPDX-License-Identifier: Apache-2.0
 * Chunks and the ledgers they charge, under random operations against a plain model: a list of references. */
#include "base/chunk.h"

#include "base/rand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { WORKERS = 2, MAX_REFS = 400, STEPS = 40000 };

struct reference {
    struct um_chunk *chunk;
    bool is_shadow;
};

struct worker {
    struct um_ledger ledger;
    struct um_chunk_pool pool;
    struct reference refs[MAX_REFS];
    uint32_t n_refs;
};

static bool is_listed_before(const struct worker *w, uint32_t i)
{
    for (uint32_t k = 0; k < i; k++)
        if (w->refs[k].chunk == w->refs[i].chunk)
            return true;
    return false;
}

static bool is_shadows_alone(const struct worker *w, const struct um_chunk *chunk)
{
    for (uint32_t i = 0; i < w->n_refs; i++)
        if (w->refs[i].chunk == chunk && !w->refs[i].is_shadow)
            return false;
    return true;
}

/* live bytes are those of all chunks; held are those of chunks that nobody but shadows refers to */
static void check_worker(const struct worker *w)
{
    int64_t live = 0, held = 0;
    for (uint32_t i = 0; i < w->n_refs; i++) {
        if (is_listed_before(w, i))
            continue;
        live += w->refs[i].chunk->cap;
        held += is_shadows_alone(w, w->refs[i].chunk) ? w->refs[i].chunk->cap : 0;
        assert_int_equal(um_chunk_is_shadows(w->refs[i].chunk), is_shadows_alone(w, w->refs[i].chunk));
    }
    assert_int_equal(w->pool.live_bytes, live);
    assert_int_equal(w->ledger.held, held);
}

static void drop(struct worker *w, uint32_t i)
{
    if (w->refs[i].is_shadow)
        um_chunk_unref_shadow(w->refs[i].chunk);
    else
        um_chunk_unref(w->refs[i].chunk);
    w->refs[i] = w->refs[--w->n_refs];
}

static void add(struct worker *w, struct um_chunk *chunk, bool is_shadow)
{
    if (is_shadow)
        um_chunk_ref_shadow(chunk);
    else
        um_chunk_ref(chunk);
    w->refs[w->n_refs++] = (struct reference){chunk, is_shadow};
}

static void random_step(struct worker *w, struct um_rand *r, bool grows)
{
    uint32_t any = w->n_refs ? um_rand_below(r, w->n_refs) : 0, what = um_rand_below(r, 10);
    if (w->n_refs == MAX_REFS || (w->n_refs && what < (grows ? 3U : 6U))) {
        drop(w, any);
    } else if (what < 8 && w->n_refs) {
        bool may_be_primary = !um_chunk_is_shadows(w->refs[any].chunk) || um_rand_below(r, 4) == 0;
        add(w, w->refs[any].chunk, !may_be_primary || um_rand_below(r, 2));
    } else if (what == 8 && w->n_refs && !w->refs[any].is_shadow) {
        um_chunk_to_shadow(w->refs[any].chunk);
        w->refs[any].is_shadow = true;
    } else {
        struct um_chunk *chunk = um_chunk_new(&w->pool, (enum um_chunk_class)um_rand_below(r, UM_CHUNK_CLASSES));
        assert_non_null(chunk);
        assert_int_equal(chunk->refs, 1);
        assert_int_equal(chunk->used, 0);
        chunk->data[chunk->cap - 1] = 1;
        w->refs[w->n_refs++] = (struct reference){chunk, false};
    }
}

static void check_budget(const struct um_budget *budget, const struct worker *workers)
{
    int64_t leased = 0;
    for (int i = 0; i < WORKERS; i++) {
        const struct um_ledger *l = &workers[i].ledger;
        leased += l->leased;
        assert_true(l->leased >= 0);
        assert_int_equal(um_ledger_is_over(l), l->held > l->leased);
    }
    assert_int_equal(atomic_load(&budget->leased), leased);
    assert_true(leased <= budget->limit_bytes);
}

static void references_and_charges_agree(void **state)
{
    static struct worker workers[WORKERS];
    struct um_budget budget = {.limit_bytes = 256 << 10};
    struct um_rand r;
    bool was_over = false;
    um_rand_init_seed(&r, 5);
    for (int i = 0; i < WORKERS; i++) {
        workers[i] = (struct worker){.ledger.budget = &budget};
        um_chunk_pool_init(&workers[i].pool, &workers[i].ledger);
    }
    for (int step = 0; step < STEPS; step++) {
        struct worker *w = &workers[um_rand_below(&r, WORKERS)];
        random_step(w, &r, step / 4000 % 2 == 0);
        was_over |= um_ledger_is_over(&w->ledger);
        if (step % 16 == 0)
            check_worker(w);
        check_budget(&budget, workers);
    }
    assert_true(was_over);
    for (int i = 0; i < WORKERS; i++) {
        while (workers[i].n_refs)
            drop(&workers[i], workers[i].n_refs - 1);
        check_worker(&workers[i]);
        assert_false(um_ledger_is_over(&workers[i].ledger));
        um_chunk_pool_release(&workers[i].pool);
    }
}

static void classes(void **state)
{
    for (int k = 0; k < UM_CHUNK_CLASSES; k++) {
        uint32_t bytes = um_chunk_class_bytes((enum um_chunk_class)k);
        assert_int_equal(um_chunk_class_for(bytes), k);
        assert_int_equal(um_chunk_class_for(bytes + 1), k + 1);
    }
    assert_int_equal(um_chunk_class_for(0), 0);
    assert_int_equal(um_chunk_class_for(SIZE_MAX), UM_CHUNK_CLASSES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(references_and_charges_agree),
        cmocka_unit_test(classes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
