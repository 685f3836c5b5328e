/* SPDX-License-Identifier: Apache-2.0
 * files: follows the files behind -f: FILE, DIR, and whatever symbolic links they lead through (`..data` of a mounted
 * ConfigMap, `current` of a deployment). inotify says that something happened, a scan says whether it matters. Where
 * inotify's limits are used up, the scan runs every second.
 * Changes are told once they have been quiet for a moment, so that an editor that writes in steps is read once.
 * Standard input is never followed. Errors: UM_ENOMEM. Thread: its loop's. */
#ifndef UM_SOURCE_FILES_H
#define UM_SOURCE_FILES_H

#include "base/str.h"
#include "io/loop.h"
#include "source/source.h"

enum {
    UM_SOURCE_QUIET_MS = 100,
    UM_SOURCE_UNQUIET_MAX_MS = 1000, /* told then though writing goes on */
    UM_SOURCE_POLL_MS = 1000,
};

/* paths are borrowed */
int um_source_files_new(struct um_loop *, const struct um_str *paths, uint32_t n,
                        struct um_source **ret_source) UM_MUST_CHECK;

#endif
