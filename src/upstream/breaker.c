/* SPDX-License-Identifier: Apache-2.0
 *
 *   closed --5 failures in a row--> open --delay over, one leg passes--> half open --success--> closed
 *                                     ^------------- failure, delay doubled ---------+
 */
#include "upstream/upstream.h"

#define RELAXED memory_order_relaxed

bool um_breaker_is_open(const struct um_host_shared *h, uint64_t now_ms)
{
    uint64_t until = atomic_load_explicit(&h->open_until_ms, RELAXED);
    return until && (now_ms < until || atomic_load_explicit(&h->is_probing, RELAXED));
}

bool um_breaker_admit(struct um_host_shared *h, uint64_t now_ms)
{
    uint64_t until = atomic_load_explicit(&h->open_until_ms, RELAXED);
    if (until == 0)
        return true;
    return now_ms >= until && !atomic_exchange_explicit(&h->is_probing, true, RELAXED);
}

void um_breaker_success(struct um_host_shared *h)
{
    if (atomic_load_explicit(&h->failures, RELAXED) == 0 && atomic_load_explicit(&h->open_until_ms, RELAXED) == 0)
        return;
    atomic_store_explicit(&h->failures, 0, RELAXED);
    atomic_store_explicit(&h->openings, 0, RELAXED);
    atomic_store_explicit(&h->open_until_ms, 0, RELAXED);
    atomic_store_explicit(&h->is_probing, false, RELAXED);
}

void um_breaker_failure(struct um_host_shared *h, uint64_t now_ms, struct um_rand *rand)
{
    uint32_t failures = atomic_fetch_add_explicit(&h->failures, 1, RELAXED) + 1;
    bool was_probe = atomic_load_explicit(&h->is_probing, RELAXED);
    if (failures != UM_BREAKER_FAILURES && !was_probe)
        return;
    uint32_t openings = atomic_fetch_add_explicit(&h->openings, 1, RELAXED);
    uint32_t delay = UM_BREAKER_DELAY_MS << (openings < 3 ? openings : 3);
    if (delay > UM_BREAKER_DELAY_MAX_MS)
        delay = UM_BREAKER_DELAY_MAX_MS;
    delay = delay * 3 / 4 + um_rand_below(rand, delay / 2);
    atomic_store_explicit(&h->open_until_ms, now_ms + delay, RELAXED);
    atomic_store_explicit(&h->is_probing, false, RELAXED);
}

void um_breaker_forget(struct um_host_shared *h)
{
    atomic_store_explicit(&h->is_probing, false, RELAXED);
}
