/* SPDX-License-Identifier: Apache-2.0 */
#include "http/url.h"
#include "route/index.h"

#include <stdlib.h>

/* longer hosts match "*" alone; a host name has at most 253 bytes (RFC 1035 section 2.3.4) */
enum { HOST_BYTES = 255 };

/* Up to so many routes the plain scan is as fast as the index. */
enum { SCAN_ROUTES = 2 };

struct um_domain_index {
    struct um_map hosts; /* virtual hosts by exact domain, and by ".suffix" for "*.suffix" */
    bool has_wildcards;
    const struct um_virtual_host *any; /* of "*" */
};

/* Sidecars take a host with a trailing dot for the one without, gateways do not know it, as with Istio's Envoy. */
static struct um_str without_dot(const struct um_route_config *config, struct um_str host)
{
    if (!config->is_gateway && host.n > 1 && host.p[host.n - 1] == '.')
        host.n--;
    return host;
}

/* ---- lookup ------------------------------------------------------------------------------------- */

/* the longest suffix wins; "*" stands for at least one byte */
static const struct um_virtual_host *find_wildcard(const struct um_domain_index *index, struct um_str host)
{
    for (size_t i = 1; i < host.n; i++) {
        const struct um_virtual_host *vh = host.p[i] == '.' ? um_map_get(&index->hosts, um_str_skip(host, i)) : NULL;
        if (vh)
            return vh;
    }
    return NULL;
}

static const struct um_virtual_host *find_host(const struct um_route_config *config, struct um_str host)
{
    const struct um_domain_index *index = config->domain_index;
    char lower[HOST_BYTES];
    if (host.n > sizeof lower)
        return NULL;
    for (size_t i = 0; i < host.n; i++)
        lower[i] = um_lower(host.p[i]);
    host = without_dot(config, (struct um_str){lower, host.n});
    const struct um_virtual_host *vh = host.p[0] == '.' ? NULL : um_map_get(&index->hosts, host);
    return vh || !index->has_wildcards ? vh : find_wildcard(index, host);
}

const struct um_virtual_host *um_route_virtual_host(const struct um_route_config *config, struct um_str authority)
{
    const struct um_domain_index *index = config->domain_index;
    struct um_str host, port;
    um_url_split_authority(authority, &host, &port);
    if (host.n == 0)
        return NULL;
    const struct um_virtual_host *vh = index->hosts.n_live ? find_host(config, host) : NULL;
    return vh ? vh : index->any;
}

/* ---- building ----------------------------------------------------------------------------------- */

/* the first virtual host that names a domain has it */
static int add_domain(struct um_route_config *config, struct um_virtual_host *vh, struct um_str domain)
{
    struct um_domain_index *index = config->domain_index;
    struct um_str key = without_dot(config, domain);
    if (um_str_eq(domain, UM_STR("*"))) {
        index->any = index->any ? index->any : vh;
        return 0;
    }
    if (um_str_starts(key, UM_STR("*."))) {
        key = um_str_skip(key, 1);
        index->has_wildcards = true;
    }
    return um_map_get(&index->hosts, key) ? 0 : um_map_put(&index->hosts, key, vh, NULL);
}

static int index_config(struct um_route_config *config, struct um_arena *arena)
{
    config->domain_index = um_arena_zalloc(arena, sizeof *config->domain_index);
    if (!config->domain_index)
        return UM_ENOMEM;
    um_map_init(&config->domain_index->hosts);
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < config->n_virtual_hosts; i++) {
        struct um_virtual_host *vh = &config->virtual_hosts[i];
        for (uint32_t d = 0; rc == 0 && d < vh->n_domains; d++)
            rc = add_domain(config, vh, vh->domains[d]);
        if (rc == 0 && vh->n_routes > SCAN_ROUTES)
            rc = um_route_index_new(vh, arena, &vh->index);
    }
    return rc;
}

/* what is not in the snapshot's arena */
static void on_snapshot_free(struct um_snapshot *s)
{
    for (uint32_t i = 0; i < s->n_route_configs; i++)
        if (s->route_configs[i].domain_index)
            um_map_release(&s->route_configs[i].domain_index->hosts);
}

int um_route_index_build(struct um_snapshot *s)
{
    int rc = 0;
    s->on_free = on_snapshot_free;
    for (uint32_t i = 0; rc == 0 && i < s->n_route_configs; i++)
        rc = index_config(&s->route_configs[i], &s->arena);
    return rc;
}
