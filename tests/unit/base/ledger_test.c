/* SPDX-License-Identifier: Apache-2.0 */
#include "base/ledger.h"

#include "base/rand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

static void without_a_budget_nothing_is_over(void **state)
{
    struct um_ledger l = {0};
    assert_true(um_ledger_fits(&l, INT64_MAX / 2));
    um_ledger_charge(&l, 1000);
    assert_false(um_ledger_is_over(&l));
    um_ledger_charge(&l, -400);
    assert_int_equal(l.held, 600);
}

static void what_fits_can_be_charged(void **state)
{
    struct um_rand r;
    struct um_budget budget = {.limit_bytes = 1000000};
    struct um_ledger l[3] = {{.budget = &budget}, {.budget = &budget}, {.budget = &budget}};
    um_rand_init_seed(&r, 1);
    for (int i = 0; i < 100000; i++) {
        struct um_ledger *mine = &l[um_rand_below(&r, 3)];
        int64_t n = um_rand_below(&r, 50000);
        if (um_rand_below(&r, 2) && um_ledger_fits(mine, n))
            um_ledger_charge(mine, n);
        else
            um_ledger_charge(mine, mine->held < n ? -mine->held : -n);
        assert_false(um_ledger_is_over(mine));
        assert_true(l[0].held + l[1].held + l[2].held <= budget.limit_bytes);
        assert_int_equal(atomic_load(&budget.leased), l[0].leased + l[1].leased + l[2].leased);
    }
}

static void the_last_byte_can_be_used(void **state)
{
    struct um_budget budget = {.limit_bytes = 100001};
    struct um_ledger l = {.budget = &budget};
    assert_false(um_ledger_fits(&l, 100002));
    assert_true(um_ledger_fits(&l, 100001));
    um_ledger_charge(&l, 100001);
    assert_false(um_ledger_is_over(&l));
    um_ledger_charge(&l, 1);
    assert_true(um_ledger_is_over(&l));
    um_ledger_charge(&l, -1);
    assert_false(um_ledger_is_over(&l));
}

static void an_idle_worker_leaves_the_budget_to_others(void **state)
{
    struct um_budget budget = {.limit_bytes = 1 << 20};
    struct um_ledger a = {.budget = &budget}, b = {.budget = &budget};
    um_ledger_charge(&a, 1 << 20);
    assert_false(um_ledger_fits(&b, 1));
    um_ledger_charge(&a, -(1 << 20));
    assert_true(um_ledger_fits(&b, (1 << 20) - (128 << 10))); /* all but a step or two */
}

static void *charge_and_release(void *budget)
{
    struct um_ledger l = {.budget = budget};
    struct um_rand r;
    um_rand_init_seed(&r, (uint64_t)(uintptr_t)&l);
    for (int i = 0; i < 20000; i++) {
        um_ledger_charge(&l, um_rand_below(&r, 100000));
        if (um_rand_below(&r, 3) == 0)
            um_ledger_charge(&l, -l.held);
    }
    um_ledger_charge(&l, -l.held);
    return (void *)(uintptr_t)l.leased;
}

static void threads_share_a_budget(void **state)
{
    struct um_budget budget = {.limit_bytes = 1 << 20};
    pthread_t threads[4];
    int64_t kept = 0;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, charge_and_release, &budget), 0);
    for (int i = 0; i < 4; i++) {
        void *leased;
        assert_int_equal(pthread_join(threads[i], &leased), 0);
        kept += (int64_t)(uintptr_t)leased;
    }
    assert_int_equal(atomic_load(&budget.leased), kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_budget_nothing_is_over),
        cmocka_unit_test(what_fits_can_be_charged),
        cmocka_unit_test(the_last_byte_can_be_used),
        cmocka_unit_test(an_idle_worker_leaves_the_budget_to_others),
        cmocka_unit_test(threads_share_a_budget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
