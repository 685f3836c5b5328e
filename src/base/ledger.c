/* SPDX-License-Identifier: Apache-2.0 */
#include "base/ledger.h"

enum { STEP_BYTES = 64 << 10 };

static int64_t round_up(int64_t n)
{
    return (n + STEP_BYTES - 1) / STEP_BYTES * STEP_BYTES;
}

/* takes up to `want` from the budget, at least `least`; 0 if not even that is left */
static int64_t lease(struct um_budget *b, int64_t want, int64_t least)
{
    int64_t now = atomic_load_explicit(&b->leased, memory_order_relaxed), take;
    do {
        int64_t left = b->limit_bytes - now;
        take = left < want ? left : want;
        if (take < least)
            return 0;
    } while (!atomic_compare_exchange_weak_explicit(&b->leased, &now, now + take, memory_order_relaxed,
                                                    memory_order_relaxed));
    return take;
}

static void extend(struct um_ledger *l, int64_t held)
{
    if (held > l->leased)
        l->leased += lease(l->budget, round_up(held - l->leased), held - l->leased);
}

void um_ledger_charge(struct um_ledger *l, int64_t n)
{
    l->held += n;
    if (!l->budget)
        return;
    if (n > 0) {
        extend(l, l->held);
        if (l->on_over && um_ledger_is_over(l))
            l->on_over(l->ctx);
        return;
    }
    int64_t spare = l->leased - round_up(l->held < 0 ? 0 : l->held) - STEP_BYTES;
    if (spare > 0) { /* one step is kept, so that a worker at a boundary does not touch the atomic each time */
        l->leased -= spare;
        atomic_fetch_sub_explicit(&l->budget->leased, spare, memory_order_relaxed);
    }
}

bool um_ledger_fits(struct um_ledger *l, int64_t n)
{
    if (!l->budget)
        return true;
    extend(l, l->held + n);
    return l->held + n <= l->leased;
}
