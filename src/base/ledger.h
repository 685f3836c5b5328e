/* SPDX-License-Identifier: Apache-2.0
 * ledger: how many bytes a worker holds only for shadows (C19), against one budget of the process.
 * A worker leases budget in steps from one atomic, so charging is plain arithmetic. A charge never fails (bytes
 * may become the shadows' when the primary lets go of them); on_over tells the owner, who drops legs at the end of the
 * turn. Owner: the worker; um_budget: the process. Thread: a ledger its worker's, a budget any. */
#ifndef UM_BASE_LEDGER_H
#define UM_BASE_LEDGER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct um_budget {
    _Atomic int64_t leased;
    int64_t limit_bytes;
};

struct um_ledger {
    struct um_budget *budget; /* NULL: counts, never over */
    int64_t held, leased;
    void (*on_over)(void *ctx); /* a charge did not fit; may be NULL. Called from within anything: it only takes note */
    void *ctx;
};

/* adds n bytes (n may be negative) */
void um_ledger_charge(struct um_ledger *, int64_t n);
/* true if n more bytes fit, leasing them if need be */
bool um_ledger_fits(struct um_ledger *, int64_t n);
static inline bool um_ledger_is_over(const struct um_ledger *l)
{
    return l->budget && l->held > l->leased;
}

#endif
