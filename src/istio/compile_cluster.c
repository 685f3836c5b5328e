/* SPDX-License-Identifier: Apache-2.0 */
#include "istio/compile_cluster.h"

#include "istio/names.h"

#include <stdio.h>

enum { CONNECT_TIMEOUT_MS = 10000, IDLE_TIMEOUT_MS = 3600000 };

/* ---- limits ------------------------------------------------------------------------------------- */

/* 0 stands for "not said", as in Istio */
static void limit(uint32_t *to, struct um_opt_u32 from)
{
    if (from.value)
        *to = from.value;
}

static void apply_tcp(struct um_cluster_limits *l, const struct um_tcp_pool *tcp)
{
    limit(&l->max_connections, tcp->max_connections);
    if (tcp->connect_timeout.is_set)
        l->connect_timeout_ms = tcp->connect_timeout.ms;
    l->max_connection_duration_ms = tcp->max_connection_duration.ms;
    if (tcp->idle_timeout.is_set)
        l->idle_timeout_ms = tcp->idle_timeout.ms;
    if (!tcp->tcp_keepalive)
        return;
    l->has_keepalive = true;
    l->keepalive_probes = tcp->tcp_keepalive->probes.value;
    l->keepalive_time_s = (uint32_t)(tcp->tcp_keepalive->time.ms / 1000);
    l->keepalive_interval_s = (uint32_t)(tcp->tcp_keepalive->interval.ms / 1000);
}

static void apply_http(struct um_cluster_limits *l, const struct um_http_pool *http)
{
    limit(&l->max_pending_requests, http->http1_max_pending_requests);
    limit(&l->max_requests, http->http2_max_requests);
    limit(&l->max_retries, http->max_retries);
    limit(&l->max_requests_per_connection, http->max_requests_per_connection);
    if (http->idle_timeout.is_set) /* over tcp.idleTimeout */
        l->idle_timeout_ms = http->idle_timeout.ms;
}

static struct um_cluster_limits limits_of(const struct um_connection_pool *pool)
{
    struct um_cluster_limits l = {
        .max_connections = UINT32_MAX,
        .max_pending_requests = UINT32_MAX,
        .max_requests = UINT32_MAX,
        .max_retries = UINT32_MAX,
        .connect_timeout_ms = CONNECT_TIMEOUT_MS,
        .idle_timeout_ms = IDLE_TIMEOUT_MS,
    };
    if (pool && pool->tcp)
        apply_tcp(&l, pool->tcp);
    if (pool && pool->http)
        apply_http(&l, pool->http);
    return l;
}

static enum um_lb_policy lb_of(const struct um_load_balancer *lb)
{
    switch (lb ? lb->simple : UM_LB_SIMPLE_UNSPECIFIED) {
    case UM_LB_SIMPLE_ROUND_ROBIN:
        return UM_LB_ROUND_ROBIN;
    case UM_LB_SIMPLE_RANDOM:
        return UM_LB_RANDOM;
    case UM_LB_SIMPLE_PASSTHROUGH:
        return UM_LB_CLUSTER_PROVIDED;
    default:
        return UM_LB_LEAST_REQUEST;
    }
}

/* ---- endpoints ---------------------------------------------------------------------------------- */

struct wanted {
    const struct um_mesh_service *service;
    uint32_t port; /* index of the service's */
    const struct um_subset *subset;
};

static bool is_wanted(const struct wanted *w, const struct um_mesh_instance *i)
{
    return i->ports[w->port] && (!w->subset || um_pairs_contain(i->labels, &w->subset->labels));
}

static uint32_t count_wanted(const struct wanted *w)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < w->service->n_instances; i++)
        n += is_wanted(w, &w->service->instances[i]);
    return n;
}

static void add_endpoints(struct um_compile *c, struct um_cluster *cluster, const struct wanted *w)
{
    cluster->endpoints = um_compile_items(c, count_wanted(w), sizeof *cluster->endpoints);
    for (uint32_t i = 0; cluster->endpoints && i < w->service->n_instances; i++) {
        const struct um_mesh_instance *instance = &w->service->instances[i];
        struct um_endpoint *e = &cluster->endpoints[cluster->n_endpoints];
        if (!is_wanted(w, instance) || um_sockaddr_parse(instance->address, instance->ports[w->port], &e->addr))
            continue;
        e->locality = um_compile_keep(c, instance->locality);
        e->weight = instance->weight;
        e->is_healthy = instance->is_ready;
        cluster->n_endpoints++;
    }
}

static void add_dns_names(struct um_compile *c, struct um_cluster *cluster, const struct wanted *w)
{
    cluster->dns_names = um_compile_items(c, count_wanted(w), sizeof *cluster->dns_names);
    for (uint32_t i = 0; cluster->dns_names && i < w->service->n_instances; i++) {
        const struct um_mesh_instance *instance = &w->service->instances[i];
        if (!is_wanted(w, instance) || (cluster->discovery == UM_DISCOVERY_LOGICAL_DNS && cluster->n_dns_names))
            continue;
        cluster->dns_names[cluster->n_dns_names++] = (struct um_dns_name){
            .name = um_compile_keep(c, instance->address),
            .port = instance->ports[w->port],
            .weight = instance->weight,
            .locality = um_compile_keep(c, instance->locality),
        };
    }
}

/* ---- clusters ----------------------------------------------------------------------------------- */

/* what the clusters of one service have in common */
struct shared {
    const struct um_mesh_service *service;
    const struct um_host_rules *rules;
    struct um_str host, name, namespace_name, config_path;
};

static struct shared shared_of(struct um_compile *c, const struct um_mesh_service *s, const struct um_host_rules *rules)
{
    struct shared sh = {
        .service = s,
        .rules = rules,
        .host = um_compile_keep(c, s->host),
        .name = um_compile_keep(c, s->name),
        .namespace_name = um_compile_keep(c, s->namespace_name),
    };
    if (rules)
        sh.config_path =
            um_compile_made(c, um_name_config_path(&c->snapshot->arena, "destination-rule",
                                                   rules->first->meta.namespace_name, rules->first->meta.name));
    return sh;
}

static void add_cluster(struct um_compile *c, const struct shared *sh, uint32_t port, const struct um_subset *subset)
{
    struct um_cluster *cluster = &c->snapshot->clusters[c->snapshot->n_clusters];
    struct wanted w = {sh->service, port, subset};
    uint16_t number = sh->service->ports[port].number;
    struct um_traffic_blocks blocks = um_rules_blocks(sh->rules, subset, number);
    *cluster = (struct um_cluster){
        .host = sh->host,
        .subset = subset ? um_compile_keep(c, subset->name) : (struct um_str){NULL, 0},
        .port = number,
        .service_name = sh->name,
        .service_namespace = sh->namespace_name,
        .config_path = sh->config_path,
        .discovery = sh->service->discovery,
        .lb = lb_of(blocks.load_balancer),
        .limits = limits_of(blocks.connection_pool),
        .is_external = sh->service->is_external,
    };
    cluster->name = um_compile_made(c, um_name_cluster(&c->snapshot->arena, number, cluster->subset, cluster->host));
    if (cluster->lb == UM_LB_CLUSTER_PROVIDED)
        cluster->discovery = UM_DISCOVERY_ORIGINAL_DST;
    if (cluster->discovery == UM_DISCOVERY_EDS)
        add_endpoints(c, cluster, &w);
    else if (cluster->discovery != UM_DISCOVERY_ORIGINAL_DST)
        add_dns_names(c, cluster, &w);
    um_compile_put(c, &c->snapshot->clusters_by_name, cluster->name, cluster);
    c->snapshot->n_clusters++;
}

static void add_service(struct um_compile *c, const struct um_mesh_service *s)
{
    struct shared sh = shared_of(c, s, um_rules_find(&c->rules, s, c->options->namespace_name));
    for (uint32_t port = 0; port < s->n_ports; port++) {
        if (s->ports[port].protocol == UM_PROTOCOL_UDP)
            continue;
        add_cluster(c, &sh, port, NULL);
        for (uint32_t i = 0; sh.rules && i < sh.rules->n_subsets; i++)
            add_cluster(c, &sh, port, sh.rules->subsets[i]);
    }
}

void um_compile_clusters(struct um_compile *c)
{
    size_t n = 0;
    for (uint32_t i = 0; i < c->registry.n_services; i++) {
        const struct um_mesh_service *s = c->registry.services[i];
        const struct um_host_rules *rules = um_rules_find(&c->rules, s, c->options->namespace_name);
        n += s->n_ports * (1 + (size_t)(rules ? rules->n_subsets : 0));
    }
    c->snapshot->clusters = um_compile_items(c, n, sizeof *c->snapshot->clusters);
    for (uint32_t i = 0; !um_compile_has_failed(c) && i < c->registry.n_services; i++)
        if (!c->registry.services[i]->stands_for)
            add_service(c, c->registry.services[i]);
}

const struct um_cluster *um_compile_find_cluster(struct um_compile *c, struct um_str host, uint16_t port,
                                                 struct um_str subset, struct um_str *ret_name)
{
    char text[512]; /* hosts have at most 255 characters, subsets 63: a longer name is of no cluster */
    int n = snprintf(text, sizeof text, "outbound|%u|%.*s|%.*s", (unsigned)port, UM_STR_ARG(subset), UM_STR_ARG(host));
    const struct um_cluster *cluster = NULL;
    if (n > 0 && (size_t)n < sizeof text)
        cluster = um_snapshot_cluster(c->snapshot, (struct um_str){text, (size_t)n});
    *ret_name = cluster ? cluster->name : um_compile_made(c, um_name_cluster(&c->snapshot->arena, port, subset, host));
    return cluster;
}
