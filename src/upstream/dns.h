/* SPDX-License-Identifier: Apache-2.0
 * dns: endpoint sets of clusters that name hosts (Envoy's STRICT_DNS and LOGICAL_DNS), kept fresh.
 *
 *   STRICT_DNS   all addresses of all names          each name is asked once for all clusters that use it, again when
 *   LOGICAL_DNS  one address of the first name       its TTL is over, or after a failure; a failure changes no set
 *
 * Owner: um_dns_new's caller; the resolver outlives it. Errors: UM_ENOMEM. Thread: control; a set may be passed on by
 * reference. */
#ifndef UM_UPSTREAM_DNS_H
#define UM_UPSTREAM_DNS_H

#include "io/resolver.h"
#include "model/cluster.h"

enum {
    UM_DNS_REFRESH_MIN_S = 5, /* bounds of what a TTL can ask for */
    UM_DNS_REFRESH_MAX_S = 300,
    UM_DNS_RETRY_S = 60,    /* after a failure; istiod's dns_refresh_rate */
    UM_DNS_RETRY_NEW_S = 5, /* the same, while the name has never resolved */
    UM_DNS_QUERIES = 64,    /* under way at once */
};

struct um_dns;

/* Never called from within a um_dns function; may call any but um_dns_free. */
struct um_dns_events {
    /* the cluster has a new set, borrowed */
    void (*on_set)(void *ctx, struct um_str cluster, struct um_endpoint_set *);
    /* the last name that had never been heard of has answered, failed or gone */
    void (*on_warm)(void *ctx);
};

int um_dns_new(struct um_loop *, struct um_resolver *, const struct um_dns_events *, void *ctx,
               struct um_dns **ret_dns) UM_MUST_CHECK;
void um_dns_free(struct um_dns *);

/* Replaces the clusters; those without dns_names are passed over. A cluster that was there keeps its set until its
 * names say otherwise. UM_ENOMEM: nothing has changed. */
int um_dns_set_clusters(struct um_dns *, const struct um_cluster *, uint32_t n) UM_MUST_CHECK;
/* borrowed; NULL: an unknown cluster, or none of its names has ever resolved */
struct um_endpoint_set *um_dns_get(const struct um_dns *, struct um_str cluster);
/* every name has answered or failed at least once */
bool um_dns_is_warm(const struct um_dns *);

#endif
