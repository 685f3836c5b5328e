/* SPDX-License-Identifier: Apache-2.0
 * compile_context: one compilation under way, shared by the files compile_*.c and check*.c. What the snapshot keeps is
 * copied into its arena by the helpers here; the first failed allocation sets rc, and what comes after may give up
 * at any point: the snapshot is thrown away. Thread: control. */
#ifndef UM_ISTIO_COMPILE_CONTEXT_H
#define UM_ISTIO_COMPILE_CONTEXT_H

#include "istio/compile_destination_rule.h"
#include "istio/services.h"
#include "model/snapshot.h"

struct um_compile {
    const struct um_resources *resources;
    const struct um_compile_options *options;
    struct um_diag *diag;
    bool is_gateway;
    struct um_snapshot *snapshot;
    struct um_arena scratch; /* of the compilation alone */

    struct um_registry registry;
    struct um_rules rules;
    const struct um_meta **virtual_services; /* oldest first; each the first member of a VirtualService */
    struct um_map regexes;                   /* pattern -> struct um_regex */
    struct um_map policies;                  /* "NS/NAME" of a VirtualService -> struct um_policy_list */
    const struct um_shadow_policy *default_policy;
    int rc;
};

static inline bool um_compile_has_failed(const struct um_compile *c)
{
    return c->rc != 0;
}

/* n cleared items in the snapshot; NULL without memory */
void *um_compile_items(struct um_compile *, size_t n, size_t size);
/* a copy in the snapshot; an empty text stays empty */
struct um_str um_compile_keep(struct um_compile *, struct um_str);
/* the same in lower-case */
struct um_str um_compile_keep_lower(struct um_compile *, struct um_str);
/* `s` itself; notes it if there was no memory for it */
struct um_str um_compile_made(struct um_compile *, struct um_str s);
void um_compile_put(struct um_compile *, struct um_map *, struct um_str key, void *value);
/* the snapshot's regex of that pattern, made once; decoding has tried it. NULL without memory. */
struct um_regex *um_compile_regex(struct um_compile *, struct um_str pattern);

#endif
