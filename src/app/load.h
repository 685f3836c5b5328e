/* SPDX-License-Identifier: Apache-2.0
 * load: files -> documents -> resources -> snapshot, with every diagnostic on the way. Owner: the caller; the resources
 * point into the documents, the snapshot into neither. Thread: control. */
#ifndef UM_APP_LOAD_H
#define UM_APP_LOAD_H

#include "app/options.h"
#include "istio/resources.h"
#include "model/snapshot.h"

struct um_loaded {
    struct um_documents documents;
    struct um_arena arena;
    struct um_resources resources;
    struct um_snapshot *snapshot; /* one reference; NULL if there was an error */
};

/* Goes as far as it can, so that `diag` (sorted) names all that is wrong. UM_EINVAL: errors are among it; UM_ENOMEM. To
 * be released in any case. */
int um_load(struct um_loaded *, const struct um_options *, struct um_diag *) UM_MUST_CHECK;
void um_loaded_release(struct um_loaded *);

/* "Deployment (2), ServiceAccount": kinds in the files that umbra does not use; nothing if there are none */
void um_loaded_ignored(const struct um_loaded *, struct um_buf *);

#endif
