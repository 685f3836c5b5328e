/* SPDX-License-Identifier: Apache-2.0
 * Clusters: one for every port of every service, and one more for each subset of its DestinationRules.
 * Source: the Istio API Thread: control. */
#ifndef UM_ISTIO_COMPILE_CLUSTER_H
#define UM_ISTIO_COMPILE_CLUSTER_H

#include "istio/compile_context.h"

void um_compile_clusters(struct um_compile *);

/* the cluster of a host, port and subset, or NULL; *ret_name its name in the snapshot either way */
const struct um_cluster *um_compile_find_cluster(struct um_compile *, struct um_str host, uint16_t port,
                                                 struct um_str subset, struct um_str *ret_name);

#endif
