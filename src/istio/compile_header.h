/* SPDX-License-Identifier: Apache-2.0
 * Header operations of routes, destinations and ShadowPolicies. Source: the Istio API, docs/istio-observed.md 22.
 * Thread: control. */
#ifndef UM_ISTIO_COMPILE_HEADER_H
#define UM_ISTIO_COMPILE_HEADER_H

#include "istio/compile_context.h"

/* Two levels come together as istiod does it: all removals first, then the sets and adds of the outer level, then
 * those of the inner, each sorted by name. Either may be NULL. Host and pseudo fields are not among them. */
struct um_header_ops um_compile_headers(struct um_compile *, const struct um_header_changes *outer,
                                        const struct um_header_changes *inner);

/* what set or add say of `host` or `:authority`: the host rewrite; set counts before add. Empty: nothing. */
struct um_str um_header_authority(const struct um_header_changes *request);
bool um_header_is_authority(struct um_str name);

#endif
