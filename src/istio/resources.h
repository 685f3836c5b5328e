/* SPDX-License-Identifier: Apache-2.0
 * resources: everything a configuration says, decoded into plain structs, grouped by kind in order of appearance. A
 * field that is absent is 0, NULL or {NULL, 0}, or not `is_set`: defaults are compile's. Texts are slices of the
 * documents. Each object begins with its place (place.h), which a later check complains at. Owner: the arena given to
 * um_istio_decode; the documents must outlive it. Thread: control. */
#ifndef UM_ISTIO_RESOURCES_H
#define UM_ISTIO_RESOURCES_H

#include "istio/kind_destination_rule.h"
#include "istio/kind_gateway.h"
#include "istio/kind_kubernetes.h"
#include "istio/kind_service_entry.h"
#include "istio/kind_shadow_policy.h"
#include "istio/kind_virtual_service.h"

/* a kind that umbra does not use (Deployment, ConfigMap, ...), named once */
struct um_ignored_kind {
    struct um_str api_version, kind;
    uint32_t count;
    struct um_pos pos; /* of the first */
};

struct um_resources {
    struct um_virtual_service *virtual_services;
    struct um_destination_rule *destination_rules;
    struct um_service_entry *service_entries;
    struct um_workload_entry *workload_entries;
    struct um_gateway *gateways;
    struct um_service *services;
    struct um_endpoint_slice *endpoint_slices;
    struct um_endpoints *endpoints;
    struct um_pod *pods;
    struct um_policy *policies;
    uint32_t n_virtual_services, n_destination_rules, n_service_entries, n_workload_entries, n_gateways, n_services,
        n_endpoint_slices, n_endpoints, n_pods, n_policies;
    struct um_ignored_kind *ignored;
    uint32_t n_ignored;
};

/* Decodes every document and checks what can be checked of a resource alone. Faults are diagnostics; a resource with
 * one is kept, as broken. default_namespace is for resources that name none. 0 or UM_ENOMEM. */
int um_istio_decode(const struct um_documents *, struct um_str default_namespace, struct um_diag *, struct um_arena *,
                    struct um_resources *ret_resources) UM_MUST_CHECK;

#endif
