/* SPDX-License-Identifier: Apache-2.0 */
#include "app/load.h"

#include "config/read.h"
#include "istio/compile.h"
#include "route/route.h"

int um_load(struct um_loaded *l, const struct um_options *o, struct um_diag *diag)
{
    *l = (struct um_loaded){0};
    um_documents_init(&l->documents, 0);
    um_arena_init(&l->arena, NULL, 0);
    int rc = um_read_all(&l->documents, o->files, o->n_files, diag);
    if (rc != UM_ENOMEM)
        rc = um_istio_decode(&l->documents, o->compile.namespace_name, diag, &l->arena, &l->resources);
    if (rc != UM_ENOMEM)
        rc = um_istio_compile(&l->resources, &o->compile, diag, &l->snapshot);
    if (rc == 0)
        rc = um_route_index_build(l->snapshot);
    um_diag_sort(diag);
    if (rc != UM_ENOMEM && um_diag_has_errors(diag))
        rc = UM_EINVAL;
    if (rc && l->snapshot) {
        um_snapshot_unref(l->snapshot);
        l->snapshot = NULL;
    }
    return rc;
}

void um_loaded_release(struct um_loaded *l)
{
    if (l->snapshot)
        um_snapshot_unref(l->snapshot);
    um_arena_release(&l->arena);
    um_documents_release(&l->documents);
}

void um_loaded_ignored(const struct um_loaded *l, struct um_buf *out)
{
    for (uint32_t i = 0; i < l->resources.n_ignored; i++) {
        const struct um_ignored_kind *kind = &l->resources.ignored[i];
        um_buf_addf(out, "%s%.*s", i ? ", " : "", UM_STR_ARG(kind->kind));
        if (kind->count > 1)
            um_buf_addf(out, " (%u)", kind->count);
    }
}
