/* SPDX-License-Identifier: Apache-2.0
 * resolver: names to addresses without blocking, on c-ares: the hosts file, then DNS over UDP and TCP. AAAA is asked
 * only for names that have no A (istiod's V4_ONLY on a host with IPv4, with a way out). IP literals answer too. A query
 * asks once; refreshing is the caller's. Owner: um_resolver_new's caller. Errors:
 * UM_ENOMEM, UM_ELIMIT, UM_ESYNTAX (name), UM_EDNS. Thread: its loop's. */
#ifndef UM_IO_RESOLVER_H
#define UM_IO_RESOLVER_H

#include "base/str.h"
#include "io/loop.h"

#include <netinet/in.h>

enum {
    UM_RESOLVE_NAME_BYTES = 253,
    UM_RESOLVE_ADDRESSES = 64, /* of one answer; what comes beyond is left out */
    UM_RESOLVE_TIMEOUT_MS = 2000,
    UM_RESOLVE_TRIES = 3,
};

struct um_resolver;
struct um_resolve; /* a query under way */

union um_ip_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

struct um_resolved {
    int status;                       /* 0, UM_EDNS or UM_ENOMEM */
    const union um_ip_address *addrs; /* of one family, in the answer's order, port 0; borrowed for the call */
    unsigned n;                       /* at least 1 if status is 0 */
    uint32_t ttl_s;                   /* the lowest of the answer; 0 from the hosts file, UINT32_MAX for literals */
};
typedef void um_resolved_f(void *ctx, const struct um_resolved *);

struct um_resolver_options {
    const char *servers; /* "127.0.0.1:5353,[::1]:53"; NULL: the system's */
    int timeout_ms;      /* of the first try, doubled with each round; 0: UM_RESOLVE_TIMEOUT_MS */
    int tries;           /* 0: UM_RESOLVE_TRIES */
};

/* options are copied but for `servers`, which must outlive the resolver */
int um_resolver_new(struct um_loop *, const struct um_resolver_options *,
                    struct um_resolver **ret_resolver) UM_MUST_CHECK;
/* cancels every query; not from within a callback of the loop */
void um_resolver_free(struct um_resolver *);

/* on_resolved is called once, never from within start; *ret_query is valid until then */
int um_resolver_start(struct um_resolver *, struct um_str name, um_resolved_f *on_resolved, void *ctx,
                      struct um_resolve **ret_query) UM_MUST_CHECK;
/* on_resolved will not be called */
void um_resolve_cancel(struct um_resolve *);

#endif
