/* SPDX-License-Identifier: Apache-2.0
 * mirror and mirrors[] of a route. Source: the Istio API Thread: control. */
#ifndef UM_ISTIO_COMPILE_MIRROR_H
#define UM_ISTIO_COMPILE_MIRROR_H

#include "istio/compile_match.h"

/* fills route->mirrors: `mirror` first, then mirrors[]; those of 0 % are left out */
void um_compile_mirrors(struct um_compile *, const struct um_virtual_service *, const struct um_http_route *,
                        const struct um_vantage *, struct um_route *);

/* the share of `mirror`, and of one of mirrors[]; numerator 0: not mirrored */
struct um_share {
    uint32_t numerator, denominator;
};
/* false: no mirror at all. A share so small that its numerator is 0 is one that never fires. */
bool um_mirror_share(const struct um_http_route *, struct um_share *ret_share);
bool um_mirrors_share(const struct um_http_mirror *, struct um_share *ret_share);

#endif
