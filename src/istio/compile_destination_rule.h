/* SPDX-License-Identifier: Apache-2.0
 * DestinationRules: which of them speaks for a service, and what it says for a port and subset of it.
 * Source: the Istio API, docs/istio-observed.md 30. Owner: the arena given. Thread: control. */
#ifndef UM_ISTIO_COMPILE_DESTINATION_RULE_H
#define UM_ISTIO_COMPILE_DESTINATION_RULE_H

#include "istio/services.h"

/* all DestinationRules of one host and namespace, as if they were one */
struct um_host_rules {
    struct um_str host;
    const struct um_destination_rule *first; /* the oldest */
    const struct um_traffic_policy *policy;  /* of the oldest that has one */
    const struct um_subset **subsets;        /* of all; the first definition of a name counts */
    uint32_t n_subsets;
};

struct um_rules {
    struct um_map namespaces; /* name -> struct um_rules_namespace */
    struct um_map subsets;    /* "NS/HOST|SUBSET" -> struct um_subset */
};

/* To be released in any case. UM_ENOMEM. Diagnostics: what a merge leaves out. */
int um_rules_build(struct um_rules *, const struct um_resources *, const struct um_compile_options *, struct um_diag *,
                   struct um_arena *) UM_MUST_CHECK;
void um_rules_release(struct um_rules *);

/* the rules for a service as this proxy sees it; NULL: none */
const struct um_host_rules *um_rules_find(const struct um_rules *, const struct um_mesh_service *,
                                          struct um_str proxy_namespace);
/* NULL: not defined. rules may be NULL. */
const struct um_subset *um_rules_subset(const struct um_host_rules *, struct um_str name);

/* the policy in force: whole blocks, never merged field by field. subset may be NULL. */
struct um_traffic_blocks um_rules_blocks(const struct um_host_rules *, const struct um_subset *, uint16_t port);

#endif
