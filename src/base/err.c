/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

struct err_row {
    const char *symbol, *label, *text;
};

static const struct err_row ROWS[] = {
    [0] = {"OK", "ok", "no error"},
#define UM_ERR(code, symbol, label, text) [code] = {#symbol, label, text},
#include "base/err.def"
#undef UM_ERR
};

static const struct err_row *row(int err)
{
    static const struct err_row UNKNOWN = {"UNKNOWN", "unknown", "unknown error"};
    size_t i = err <= 0 ? (size_t) - (int64_t)err : sizeof ROWS;
    return i < sizeof ROWS / sizeof ROWS[0] && ROWS[i].symbol ? &ROWS[i] : &UNKNOWN;
}

const char *um_err_symbol(int err)
{
    return row(err)->symbol;
}

const char *um_err_label(int err)
{
    return row(err)->label;
}

const char *um_err_text(int err)
{
    return row(err)->text;
}

int um_err_from_errno(int err_no)
{
    switch (err_no) {
    case 0:
        return UM_OK;
    case ENOMEM:
    case ENOBUFS:
        return UM_ENOMEM;
    case EAGAIN:
    case EINPROGRESS:
        return UM_EAGAIN;
    case ECONNRESET:
    case EPIPE:
    case ECONNABORTED:
        return UM_ERESET;
    case ECONNREFUSED:
        return UM_EREFUSED;
    case ETIMEDOUT:
        return UM_ETIMEOUT;
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ENETDOWN:
    case EADDRNOTAVAIL:
        return UM_EUNREACH;
    case EADDRINUSE:
        return UM_EINUSE;
    case EACCES:
    case EPERM:
        return UM_EPERM;
    case ENOENT:
        return UM_ENOTFOUND;
    case EEXIST:
        return UM_EEXISTS;
    case EMFILE:
    case ENFILE:
        return UM_ELIMIT;
    case EINVAL:
        return UM_EINVAL;
    default:
        return UM_EIO;
    }
}
