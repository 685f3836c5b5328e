/* SPDX-License-Identifier: Apache-2.0
 * compile: decoded resources and the proxy's identity become a snapshot: listeners, virtual hosts, routes, clusters.
 * A pure function; one file for each part of Istio's API (compile_*.c), laid out as a request meets them. Warnings of
 * the analysis (check.h) come with it. Owner: the caller owns the snapshot, which borrows nothing from its sources; the
 * caller builds the route indexes. Thread: control.
 *
 *   resources -> registry (services.h) -> rules (DestinationRules) -> clusters -> policies
 *                                                      -> gateway | sidecar: listeners, virtual hosts, routes */
#ifndef UM_ISTIO_COMPILE_H
#define UM_ISTIO_COMPILE_H

#include "istio/compile_options.h"
#include "istio/resources.h"
#include "model/snapshot.h"

/* 0; UM_ESYNTAX if diag holds errors, those from before included; UM_ENOMEM. A configuration that opens no listener
 * is not an error here: um_istio_no_listener says why. */
int um_istio_compile(const struct um_resources *, const struct um_compile_options *, struct um_diag *,
                     struct um_snapshot **ret_snapshot) UM_MUST_CHECK;

/* why there is no listener, in one sentence, and what to do about it */
void um_istio_no_listener(const struct um_resources *, const struct um_compile_options *, struct um_buf *);

#endif
