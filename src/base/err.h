/* SPDX-License-Identifier: Apache-2.0
 * Errors: every fallible function returns 0 or a negative UM_E*. One table (err.def) gives code, symbol,
 * metric label and text. Leaves never log; the owner of the exchange, source or listener does.
 * Thread: any. */
#ifndef UM_BASE_ERR_H
#define UM_BASE_ERR_H

enum um_err {
    UM_OK = 0,
#define UM_ERR(code, symbol, label, text) UM_E##symbol = -(code),
#include "base/err.def"
#undef UM_ERR
};

#define UM_MUST_CHECK __attribute__((warn_unused_result))
#define UM_PRINTF(fmt_index, first) __attribute__((format(printf, fmt_index, first)))
#define UM_LIKELY(x) __builtin_expect(!!(x), 1)
#define UM_UNLIKELY(x) __builtin_expect(!!(x), 0)

const char *um_err_symbol(int err);
const char *um_err_label(int err);
const char *um_err_text(int err);

/* errno of a socket or file call -> UM_E* */
int um_err_from_errno(int err_no);

#endif
