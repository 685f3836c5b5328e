/* SPDX-License-Identifier: Apache-2.0
 * read: the files behind `-f`: FILE, DIR (recursive, names sorted: *.yaml, *.yml, *.json), `-` for standard input.
 * Names that begin with a dot are left out of a directory: `..data` of a mounted ConfigMap holds the same files again.
 * Symbolic links are followed, but never up. Limits: UM_READ_MAX_FILES and the sizes of document.h.
 * Errors: a file that cannot be read is a diagnostic, and the others are still read. Thread: control. */
#ifndef UM_CONFIG_READ_H
#define UM_CONFIG_READ_H

#include "config/document.h"

enum { UM_READ_MAX_FILES = 10000, UM_READ_MAX_DEPTH = 32 };

/* UM_ESYNTAX: a diagnostic with an error was added; UM_ENOMEM */
int um_read_all(struct um_documents *, const struct um_str *paths, uint32_t n, struct um_diag *) UM_MUST_CHECK;

#endif
