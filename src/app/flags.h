/* SPDX-License-Identifier: Apache-2.0
 * flags: the table of command-line flags behind options.h. Immutable. Thread: any. */
#ifndef UM_APP_FLAGS_H
#define UM_APP_FLAGS_H

#include "app/options.h"

struct um_flag {
    const char *name;     /* without the dashes */
    char letter;          /* 0: none */
    const char *argument; /* as help shows it; NULL: takes none */
    unsigned commands;    /* enum um_command bits */
    const char *expects;  /* what a value must be, for error texts */
    const char *help;
    /* 0, UM_ESYNTAX or UM_ELIMIT for a bad value, UM_ENOMEM */
    int (*set)(struct um_options *, struct um_str value);
};

extern const struct um_flag um_flags[];
extern const size_t um_n_flags;

#endif
