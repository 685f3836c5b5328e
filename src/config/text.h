/* SPDX-License-Identifier: Apache-2.0
 * text: what a file must be before a parser sees it: UTF-8 without control characters, of a bounded size. Internal to
 * config/. Faults are diagnostics. Thread: any. */
#ifndef UM_CONFIG_TEXT_H
#define UM_CONFIG_TEXT_H

#include "config/diag.h"

/* Checks *bytes, takes a byte order mark off, and makes every line end a "\n": if that changes anything *bytes is in
 * `owned` afterwards. UM_ESYNTAX, UM_ELIMIT: a diagnostic was added; UM_ENOMEM. */
int um_text_clean(const char *file, struct um_str *bytes, struct um_buf *owned, struct um_diag *) UM_MUST_CHECK;

/* UM_ELIMIT: a line is longer than what a YAML scanner may be asked to hold */
int um_text_check_lines(const char *file, struct um_str bytes, struct um_diag *) UM_MUST_CHECK;

#endif
