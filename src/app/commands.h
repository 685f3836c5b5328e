/* SPDX-License-Identifier: Apache-2.0
 * commands: what main hands over to, one file each. Every command returns the exit status of the process.
 * Thread: main's. */
#ifndef UM_APP_COMMANDS_H
#define UM_APP_COMMANDS_H

#include "app/options.h"

enum um_exit { UM_EXIT_OK = 0, UM_EXIT_FAILURE = 1, UM_EXIT_USAGE = 2 };

int um_run(const struct um_options *);
int um_check(const struct um_options *);
int um_explain(const struct um_options *);

#endif
