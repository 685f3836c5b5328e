/* SPDX-License-Identifier: Apache-2.0
 * prometheus: the text exposition format 0.0.4. Envoy's statistics have the names and labels that Istio's bootstrap
 * gives them (upstream_rq_2xx of cluster X is envoy_cluster_upstream_rq{response_code_class="2xx",cluster_name="X"});
 * umbra's own families are umbra_*. Every reason of a shadow is printed, zeros too, so that sums close. Thread: the
 * view's. */
#ifndef UM_STATS_PROMETHEUS_H
#define UM_STATS_PROMETHEUS_H

#include "base/buf.h"
#include "stats/stat_view.h"

/* what a response carries as its content type */
#define UM_PROMETHEUS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

void um_prometheus_print(struct um_buf *, const struct um_stat_view *);

#endif
