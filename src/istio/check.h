/* SPDX-License-Identifier: Apache-2.0
 * check: what is wrong between resources, as warnings: the configuration is served as Istio would serve it. What is
 * wrong within one resource is decoding's to say. Sources: istioctl analyze, docs/mirroring.md and C24.
 * Thread: control. */
#ifndef UM_ISTIO_CHECK_H
#define UM_ISTIO_CHECK_H

#include "istio/compile_context.h"

void um_istio_check(struct um_compile *);

/* its parts, one for each file */
void um_check_services(struct um_compile *);         /* check_services.c: ports, DestinationRules, subsets */
void um_check_virtual_services(struct um_compile *); /* check_virtual_service.c: gateways, hosts, rules */
void um_check_order(struct um_compile *, const struct um_virtual_service *); /* check_order.c */
void um_check_destinations(struct um_compile *); /* check_destination.c: hosts, subsets and ports that routes name */
void um_check_mirrors(struct um_compile *);      /* check_mirror.c: what a shadow gets, and where it goes */
void um_check_policies(struct um_compile *);     /* check_policy.c: ShadowPolicies without a mirror */

#endif
