/* SPDX-License-Identifier: Apache-2.0
 * scan: what the files behind -f are now, as one number, and the directories where a change of it would show. Takes the
 * files that config/read.h takes and reads none. Errors: what cannot be looked at counts as absent; its reader says
 * why. Thread: any. */
#ifndef UM_SOURCE_SCAN_H
#define UM_SOURCE_SCAN_H

#include "base/str.h"

/* has_entries: its entries matter; else only that it stays where it is. Called before the directory is looked into. */
typedef void um_scan_directory_f(void *ctx, const char *path, bool has_entries);

/* differs if a file was written, replaced, added or removed; on_directory may name a directory twice */
uint64_t um_scan_files(const struct um_str *paths, uint32_t n, um_scan_directory_f *on_directory, void *ctx);

#endif
