/* SPDX-License-Identifier: Apache-2.0
 * print: what a command has to say, to standard output or standard error. Thread: main's. */
#ifndef UM_APP_PRINT_H
#define UM_APP_PRINT_H

#include "base/buf.h"

#include <stdio.h>

/* UM_ENOMEM: the text is not whole; UM_EIO: it could not be written (a full disk, a closed pipe) */
int um_print(FILE *, const struct um_buf *) UM_MUST_CHECK;

#endif
