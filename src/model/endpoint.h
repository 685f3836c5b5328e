/* SPDX-License-Identifier: Apache-2.0
 * endpoint: where a cluster's requests can go. A set is immutable and reference-counted across threads: the control thread
 * makes a new one when DNS or the configuration changes it. I4 fixes policy, not endpoints.
 * Source: Envoy LbEndpoint, ClusterLoadAssignment. */
#ifndef UM_MODEL_ENDPOINT_H
#define UM_MODEL_ENDPOINT_H

#include "base/str.h"

#include <netinet/in.h>
#include <stdatomic.h>
#include <sys/socket.h>

struct um_sockaddr {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } u;
    socklen_t n;
};

/* "1.2.3.4" or "::1" (brackets allowed) and a port; UM_ESYNTAX if it is not an IP address */
int um_sockaddr_parse(struct um_str ip, uint16_t port, struct um_sockaddr *ret_addr);
/* "1.2.3.4:80" or "[::1]:80", NUL-terminated; returns its length */
enum { UM_SOCKADDR_TEXT_BYTES = 64 };
size_t um_sockaddr_text(const struct um_sockaddr *, char out[UM_SOCKADDR_TEXT_BYTES]);
/* the address alone, without port and brackets */
size_t um_sockaddr_ip_text(const struct um_sockaddr *, char out[UM_SOCKADDR_TEXT_BYTES]);
uint16_t um_sockaddr_port(const struct um_sockaddr *);
bool um_sockaddr_eq(const struct um_sockaddr *, const struct um_sockaddr *);

struct um_endpoint {
    struct um_sockaddr addr;
    struct um_str hostname; /* the DNS name it came from; empty if none */
    struct um_str locality; /* "region/zone/subzone"; empty */
    uint32_t weight;        /* 1.. */
    bool is_healthy;        /* false: known and not ready (EndpointSlice conditions) */
};

struct um_endpoint_set {
    _Atomic uint32_t refs;
    uint32_t n;
    struct um_endpoint *endpoints; /* of this set's own memory, strings included */
};

/* a copy, strings included, one reference; NULL without memory */
struct um_endpoint_set *um_endpoint_set_new(const struct um_endpoint *, uint32_t n);
struct um_endpoint_set *um_endpoint_set_ref(struct um_endpoint_set *);
void um_endpoint_set_unref(struct um_endpoint_set *);

#endif
