/* SPDX-License-Identifier: Apache-2.0
 * check_destination: the destinations that routes name. Thread: control. */
#ifndef UM_ISTIO_CHECK_DESTINATION_H
#define UM_ISTIO_CHECK_DESTINATION_H

#include "istio/compile_route.h"

/* A destination without a port was looked up on the listener's and has no cluster there (docs/istio-observed.md 1): says so,
 * unless its host or subset is what is missing. */
void um_check_listener_port(struct um_compile *, const struct um_destination *, const struct um_target *,
                            const struct um_vantage *);

#endif
