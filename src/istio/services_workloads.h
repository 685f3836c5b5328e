/* SPDX-License-Identifier: Apache-2.0
 * workloads: Pods and WorkloadEntries by their labels, so that a selector costs what it selects and not a walk over
 * all. Owner: the arena given. Thread: control. */
#ifndef UM_ISTIO_SERVICES_WORKLOADS_H
#define UM_ISTIO_SERVICES_WORKLOADS_H

#include "base/map.h"
#include "istio/resources.h"

struct um_workload_ref {
    const struct um_pairs *labels;
    const struct um_pod *pod; /* this or entry */
    const struct um_workload_entry *entry;
};

struct um_workload_list {
    struct um_workload_ref *items;
    uint32_t n;
};

struct um_workload_index {
    struct um_map by_label; /* "NS/KEY=VALUE" -> struct um_workload_list */
    struct um_map pods;     /* "NS/NAME", and addresses -> struct um_pod */
};

/* To be released in any case. UM_ENOMEM. */
int um_workload_index_build(struct um_workload_index *, const struct um_resources *, struct um_arena *) UM_MUST_CHECK;
void um_workload_index_release(struct um_workload_index *);

/* Workloads among which are all of that namespace that have the selector's labels: the caller compares the others.
 * An empty selector selects nothing. UM_ENOMEM; scratch is for the keys. */
int um_workload_candidates(const struct um_workload_index *, struct um_str namespace_name,
                           const struct um_pairs *selector, struct um_arena *scratch,
                           struct um_workload_list *ret_list) UM_MUST_CHECK;

#endif
