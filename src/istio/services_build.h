/* SPDX-License-Identifier: Apache-2.0
 * services_build: what services.c and services_endpoints.c share while a registry is built. Thread: control. */
#ifndef UM_ISTIO_SERVICES_BUILD_H
#define UM_ISTIO_SERVICES_BUILD_H

#include "istio/services.h"

struct um_services_build {
    struct um_registry *registry;
    const struct um_resources *resources;
    const struct um_compile_options *options;
    struct um_diag *diag;
    struct um_arena *arena;
    const struct um_meta **entries_by_age; /* each the first member of a ServiceEntry */
    int rc;                                /* the first failure; later steps do nothing */
};

/* whether `entry` is one of those that made the service: others of its host count for nothing */
bool um_services_is_of(const struct um_mesh_service *, const struct um_service_entry *entry);

/* gives every service its instances */
void um_services_join(struct um_services_build *);

#endif
