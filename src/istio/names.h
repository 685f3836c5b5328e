/* SPDX-License-Identifier: Apache-2.0
 * names: how Istio completes, compares and composes the names of hosts, clusters and resources, and which known name is
 * nearest to one that is not known. Results live in the given arena; p is NULL without memory. Thread: any (pure). */
#ifndef UM_ISTIO_NAMES_H
#define UM_ISTIO_NAMES_H

#include "base/arena.h"

/* A short name (no dot, no wildcard, no IPv6 address) becomes NAME.NS.svc.cluster.local; all else stays. Lower-case. */
struct um_str um_name_host(struct um_arena *, struct um_str host, struct um_str namespace_name);
struct um_str um_name_lower(struct um_arena *, struct um_str);
/* NAME.NS.svc.cluster.local of a Kubernetes Service */
struct um_str um_name_service_host(struct um_arena *, struct um_str name, struct um_str namespace_name);

static inline bool um_name_is_wildcard(struct um_str host)
{
    return host.n > 0 && host.p[0] == '*';
}

/* What may follow the `*` of a wildcard that covers `host`, longest first: ".b.c", ".c" and "" for "a.b.c". Begin with
 * suffix = host; false when "" was the last. A wildcard host begins with its own: ".b.c" for "*.b.c". */
bool um_name_next_suffix(struct um_str *suffix);

/* whether every name that `narrow` stands for is one that `wide` stands for (both lower-case) */
bool um_name_is_within(struct um_str narrow, struct um_str wide);

/* outbound|PORT|SUBSET|HOST */
struct um_str um_name_cluster(struct um_arena *, uint16_t port, struct um_str subset, struct um_str host);
/* /apis/networking.istio.io/v1/namespaces/NS/KIND/NAME with kind as in "virtual-service" */
struct um_str um_name_config_path(struct um_arena *, const char *kind, struct um_str namespace_name,
                                  struct um_str name);
/* NS/NAME: the key of objects of one kind */
struct um_str um_name_key(struct um_arena *, struct um_str namespace_name, struct um_str name);

/* The nearest of the names considered, for "did you mean". name.p is NULL when none is near enough. */
struct um_nearest {
    struct um_str word, name;
    unsigned edits; /* of the best so far */
};

struct um_nearest um_nearest_to(struct um_str word);
void um_nearest_consider(struct um_nearest *, struct um_str name);

#endif
