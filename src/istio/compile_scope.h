/* SPDX-License-Identifier: Apache-2.0
 * scope: which resources this proxy sees, and which of several counts. Thread: any. */
#ifndef UM_ISTIO_COMPILE_SCOPE_H
#define UM_ISTIO_COMPILE_SCOPE_H

#include "istio/compile_options.h"
#include "istio/meta.h"

/* The metas of an array of resources, oldest first. A meta is the first member of each kind of resource, so that a
 * pointer to the one is a pointer to the other. NULL without memory. */
const struct um_meta **um_by_age(struct um_arena *, const void *resources, uint32_t n, size_t size);

/* whether a resource of namespace `own` with that exportTo is seen from namespace `from`; an empty list: by all */
bool um_is_exported(const struct um_strs *export_to, struct um_str own, struct um_str from);

/* whether the proxy's --labels have all of `selector`; an empty selector fits every proxy */
bool um_proxy_has_labels(const struct um_compile_options *, const struct um_pairs *selector);

#endif
