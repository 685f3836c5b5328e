/* SPDX-License-Identifier: Apache-2.0
 * One element of http[].match as the conditions of a route. Source: the Istio API Thread: control. */
#ifndef UM_ISTIO_COMPILE_MATCH_H
#define UM_ISTIO_COMPILE_MATCH_H

#include "istio/compile_context.h"

/* where routes are compiled for: what decides about `port`, `gateways`, `sourceLabels` and `sourceNamespace` */
struct um_vantage {
    struct um_str gateway; /* "NS/NAME", or "mesh" */
    uint16_t port;         /* of the listener, as the YAML has it */
    bool is_fallback;      /* port 80 for hosts that live elsewhere as well: nothing is missing there */
};

/* "NS/NAME" of a gateway as a VirtualService of namespace `own` writes it; "mesh" stays. In scratch. */
struct um_str um_gateway_key(struct um_compile *, struct um_str written, struct um_str own);

/* match may be NULL: true */
bool um_match_applies(struct um_compile *, const struct um_http_match *, struct um_str vs_namespace,
                      const struct um_vantage *);
/* match may be NULL: every path */
struct um_route_match um_compile_match(struct um_compile *, const struct um_http_match *);

/* whether nothing that comes behind it can be reached */
bool um_route_is_catch_all(const struct um_route_match *);

#endif
