/* SPDX-License-Identifier: Apache-2.0
 * dns_kit: a loop with a DNS server double and a resolver that asks it. */
#ifndef UM_TESTS_UNIT_UPSTREAM_DNS_KIT_H
#define UM_TESTS_UNIT_UPSTREAM_DNS_KIT_H

#include "../io/dns_server.h"
#include "../io/kit.h"
#include "io/resolver.h"

struct dns_kit {
    struct um_loop loop;
    struct dns_server server;
    struct um_resolver *resolver;
};

static inline int dns_kit_init(struct dns_kit *k)
{
    if (um_loop_init(&k->loop) || dns_server_start(&k->server, &k->loop))
        return -1;
    const struct um_resolver_options o = {.servers = k->server.address, .timeout_ms = 1000, .tries = 1};
    return um_resolver_new(&k->loop, &o, &k->resolver);
}

static inline void dns_kit_release(struct dns_kit *k)
{
    um_resolver_free(k->resolver);
    dns_server_stop(&k->server);
    um_loop_release(&k->loop);
}

/* fires every timer that is due within so many seconds of the last one that was run */
static inline void dns_kit_skip_s(struct dns_kit *k, uint64_t s)
{
    um_timer_wheel_run(&k->loop.timers, k->loop.timers.tick * UM_TIMER_TICK_MS * UM_NS_PER_MS + s * UM_NS_PER_S);
}

#endif
