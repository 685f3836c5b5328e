/* SPDX-License-Identifier: Apache-2.0 */
#include "istio/compile_mirror.h"

#include "istio/check_destination.h"
#include "istio/compile_cluster.h"
#include "istio/compile_policy.h"
#include "istio/compile_route.h"

enum { MILLION = 1000000, HUNDRED = 100, PER_PERCENT = MILLION / HUNDRED };

static const struct um_share ALL = {HUNDRED, HUNDRED};

/* istiod cuts off, in doubles: 0.57 % is 5699 of a million */
static bool share_of_percent(const struct um_percent *percent, struct um_share *ret_share)
{
    double value = percent->value.value;
    if (!(value > 0))
        return false;
    *ret_share = (struct um_share){value >= HUNDRED ? MILLION : (uint32_t)(value * PER_PERCENT), MILLION};
    return true;
}

bool um_mirror_share(const struct um_http_route *http, struct um_share *ret_share)
{
    *ret_share = ALL;
    if (http->mirror_percentage)
        return share_of_percent(http->mirror_percentage, ret_share);
    if (http->mirror_percent.is_set)
        ret_share->numerator = http->mirror_percent.value;
    return ret_share->numerator > 0;
}

bool um_mirrors_share(const struct um_http_mirror *mirror, struct um_share *ret_share)
{
    *ret_share = ALL;
    return !mirror->percentage || share_of_percent(mirror->percentage, ret_share);
}

static void add_mirror(struct um_compile *c, const struct um_virtual_service *vs, const struct um_http_route *http,
                       const struct um_destination *destination, struct um_share share, const struct um_vantage *at,
                       struct um_route *route)
{
    struct um_target target = um_compile_target(c, destination, vs->meta.namespace_name, at->port);
    struct um_mirror_of of = {vs, http->name, target.host, destination->subset};
    struct um_mirror *m = &route->mirrors[route->n_mirrors++];
    m->cluster = um_compile_find_cluster(c, target.host, target.port, destination->subset, &m->cluster_name);
    if (!m->cluster)
        um_check_listener_port(c, destination, &target, at);
    m->numerator = share.numerator;
    m->denominator = share.denominator;
    m->policy = um_compile_policy_of(c, &of);
}

void um_compile_mirrors(struct um_compile *c, const struct um_virtual_service *vs, const struct um_http_route *http,
                        const struct um_vantage *at, struct um_route *route)
{
    struct um_share share;
    uint32_t n = (http->mirror != NULL) + http->n_mirrors;
    if (n == 0)
        return;
    route->mirrors = um_compile_items(c, n, sizeof *route->mirrors);
    if (!route->mirrors)
        return;
    if (http->mirror && um_mirror_share(http, &share))
        add_mirror(c, vs, http, http->mirror, share, at, route);
    for (uint32_t i = 0; i < http->n_mirrors; i++)
        if (http->mirrors[i].destination && um_mirrors_share(&http->mirrors[i], &share))
            add_mirror(c, vs, http, http->mirrors[i].destination, share, at, route);
}
