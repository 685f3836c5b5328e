/* SPDX-License-Identifier: Apache-2.0
 * ShadowPolicies: which of them a mirror has, with the defaults filled in. Source: docs/mirroring.md.
 * Thread: control. */
#ifndef UM_ISTIO_COMPILE_POLICY_H
#define UM_ISTIO_COMPILE_POLICY_H

#include "istio/compile_context.h"

void um_compile_policies(struct um_compile *);

/* a mirror whose policy is asked for */
struct um_mirror_of {
    const struct um_virtual_service *vs;
    struct um_str section;      /* http[].name; may be empty */
    struct um_str host, subset; /* completed */
};

/* never NULL, but without memory */
const struct um_shadow_policy *um_compile_policy_of(struct um_compile *, const struct um_mirror_of *);
/* the ShadowPolicy itself, or NULL. A second one that fits, younger and without effect, goes to *ret_other. */
const struct um_policy *um_compile_find_policy(struct um_compile *, const struct um_mirror_of *,
                                               const struct um_policy **ret_other);

#endif
