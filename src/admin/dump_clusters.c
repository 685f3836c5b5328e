/* SPDX-License-Identifier: Apache-2.0
 * Clusters and their endpoints as Envoy's configuration messages. */
#include "admin/dump.h"

#define UM_HTTP_PROTOCOL_OPTIONS "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"

enum { IDLE_TIMEOUT_DEFAULT_MS = 3600000, OVERPROVISIONING_FACTOR = 140 };

/* ---- parts ---------------------------------------------------------------------------------------- */

struct um_dump_locality um_dump_split_locality(struct um_str text)
{
    struct um_dump_locality l = {.region = {NULL, 0}};
    if (um_str_split(&text, '/', &l.region) && um_str_split(&text, '/', &l.zone))
        l.sub_zone = text;
    return l;
}

static void set_text(json_t **object, const char *key, struct um_str text)
{
    if (text.n)
        um_json_set(object, key, um_json_str(text));
}

json_t *um_dump_locality_json(const struct um_dump_locality *l)
{
    json_t *locality = json_object();
    set_text(&locality, "region", l->region);
    set_text(&locality, "zone", l->zone);
    set_text(&locality, "sub_zone", l->sub_zone);
    return locality;
}

json_t *um_dump_circuit_breakers(const struct um_cluster_limits *limits)
{
    json_t *threshold = json_object();
    um_json_set(&threshold, "max_connections", um_json_u64(limits->max_connections));
    um_json_set(&threshold, "max_pending_requests", um_json_u64(limits->max_pending_requests));
    um_json_set(&threshold, "max_requests", um_json_u64(limits->max_requests));
    um_json_set(&threshold, "max_retries", um_json_u64(limits->max_retries));
    return json_pack("{s:[o]}", "thresholds", threshold);
}

/* subset and config are absent where there is none */
static json_t *cluster_metadata(const struct um_cluster *c)
{
    json_t *service = json_object(), *istio = json_object();
    um_json_set(&service, "host", um_json_str(c->host));
    um_json_set(&service, "name", um_json_str(c->service_name));
    um_json_set(&service, "namespace", um_json_str(c->service_namespace));
    set_text(&istio, "config", c->config_path);
    um_json_set(&istio, "default_original_port", um_json_u64(c->port));
    um_json_set(&istio, "services", json_pack("[o]", service));
    set_text(&istio, "subset", c->subset);
    return um_dump_istio_metadata(istio);
}

static json_t *tcp_keepalive(const struct um_cluster_limits *l)
{
    json_t *keepalive = json_object();
    if (l->keepalive_probes)
        um_json_set(&keepalive, "keepalive_probes", um_json_u64(l->keepalive_probes));
    if (l->keepalive_time_s)
        um_json_set(&keepalive, "keepalive_time", um_json_u64(l->keepalive_time_s));
    if (l->keepalive_interval_s)
        um_json_set(&keepalive, "keepalive_interval", um_json_u64(l->keepalive_interval_s));
    return json_pack("{s:o}", "tcp_keepalive", keepalive);
}

/* empty where every setting has its default */
static json_t *http_options(const struct um_cluster_limits *l)
{
    json_t *common = json_object();
    if (l->idle_timeout_ms != IDLE_TIMEOUT_DEFAULT_MS)
        um_json_set(&common, "idle_timeout", um_json_duration(l->idle_timeout_ms));
    if (l->max_connection_duration_ms)
        um_json_set(&common, "max_connection_duration", um_json_duration(l->max_connection_duration_ms));
    if (l->max_requests_per_connection)
        um_json_set(&common, "max_requests_per_connection", um_json_u64(l->max_requests_per_connection));
    if (!common || json_object_size(common) == 0)
        return common;
    return json_pack("{s:{s:s, s:o, s:{s:{}}}}", UM_HTTP_PROTOCOL_OPTIONS, "@type",
                     "type.googleapis.com/" UM_HTTP_PROTOCOL_OPTIONS, "common_http_protocol_options", common,
                     "explicit_http_config", "http_protocol_options");
}

/* ---- endpoints ------------------------------------------------------------------------------------ */

static json_t *lb_endpoint(const struct um_endpoint *e)
{
    json_t *endpoint = json_pack("{s:o}", "address", um_json_address(&e->addr)), *out = json_object();
    set_text(&endpoint, "hostname", e->hostname);
    um_json_set(&out, "endpoint", endpoint);
    um_json_set(&out, "health_status", json_string(e->is_healthy ? "HEALTHY" : "UNHEALTHY"));
    um_json_set(&out, "load_balancing_weight", um_json_u64(e->weight));
    return out;
}

/* one locality after the other: neighbours of the same one stand together */
static json_t *locality_endpoints(struct um_admin_hosts hosts)
{
    json_t *all = json_array();
    for (uint32_t i = 0; i < hosts.n;) {
        struct um_str locality = hosts.p[i].locality;
        struct um_dump_locality parts = um_dump_split_locality(locality);
        json_t *group = json_object(), *members = json_array();
        um_json_set_filled(&group, "locality", um_dump_locality_json(&parts));
        while (i < hosts.n && um_str_eq(hosts.p[i].locality, locality))
            um_json_append(&members, lb_endpoint(&hosts.p[i++]));
        um_json_set(&group, "lb_endpoints", members);
        um_json_append(&all, group);
    }
    return all;
}

static json_t *load_assignment(const struct um_dump *dump, const struct um_cluster *c)
{
    struct um_admin_hosts hosts = um_admin_hosts_of(dump->view, c);
    json_t *out = json_object();
    um_json_set(&out, "@type", json_string("type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"));
    um_json_set(&out, "cluster_name", um_json_str(c->name));
    um_json_set_filled(&out, "endpoints", locality_endpoints(hosts));
    um_json_set(&out, "policy", json_pack("{s:i}", "overprovisioning_factor", OVERPROVISIONING_FACTOR));
    return out;
}

json_t *um_dump_endpoints(const struct um_dump *dump)
{
    json_t *configs = json_array();
    for (uint32_t i = 0; i < dump->snapshot->n_clusters; i++) {
        const struct um_cluster *c = &dump->snapshot->clusters[i];
        if (um_dump_wants(dump, c->name))
            um_json_append(&configs, json_pack("{s:o}", "endpoint_config", load_assignment(dump, c)));
    }
    return json_pack("{s:o}", "dynamic_endpoint_configs", configs);
}

/* the names that are resolved, as they are configured */
static json_t *dns_assignment(const struct um_cluster *c)
{
    json_t *members = json_array();
    for (uint32_t i = 0; i < c->n_dns_names; i++) {
        const struct um_dns_name *d = &c->dns_names[i];
        json_t *address =
            json_pack("{s:{s:o, s:i}}", "socket_address", "address", um_json_str(d->name), "port_value", (int)d->port);
        um_json_append(&members, json_pack("{s:{s:o}, s:o}", "endpoint", "address", address, "load_balancing_weight",
                                           um_json_u64(d->weight)));
    }
    return json_pack("{s:o, s:[{s:o}]}", "cluster_name", um_json_str(c->name), "endpoints", "lb_endpoints", members);
}

/* ---- clusters ------------------------------------------------------------------------------------- */

static const char *const TYPES[] = {
    [UM_DISCOVERY_EDS] = "EDS",
    [UM_DISCOVERY_STRICT_DNS] = "STRICT_DNS",
    [UM_DISCOVERY_LOGICAL_DNS] = "LOGICAL_DNS",
    [UM_DISCOVERY_ORIGINAL_DST] = "ORIGINAL_DST",
};

/* ROUND_ROBIN is the protocol's default */
static const char *const LB_POLICIES[] = {
    [UM_LB_LEAST_REQUEST] = "LEAST_REQUEST",
    [UM_LB_ROUND_ROBIN] = NULL,
    [UM_LB_RANDOM] = "RANDOM",
    [UM_LB_CLUSTER_PROVIDED] = "CLUSTER_PROVIDED",
};

static json_t *cluster_json(const struct um_cluster *c)
{
    json_t *out = json_object();
    um_json_set(&out, "@type", json_string("type.googleapis.com/envoy.config.cluster.v3.Cluster"));
    um_json_set(&out, "name", um_json_str(c->name));
    um_json_set(&out, "type", json_string(TYPES[c->discovery]));
    if (c->discovery == UM_DISCOVERY_EDS)
        um_json_set(&out, "eds_cluster_config", json_pack("{s:o}", "service_name", um_json_str(c->name)));
    um_json_set(&out, "connect_timeout", um_json_duration(c->limits.connect_timeout_ms));
    if (LB_POLICIES[c->lb])
        um_json_set(&out, "lb_policy", json_string(LB_POLICIES[c->lb]));
    um_json_set(&out, "circuit_breakers", um_dump_circuit_breakers(&c->limits));
    um_json_set(&out, "metadata", cluster_metadata(c));
    if (c->limits.has_keepalive)
        um_json_set(&out, "upstream_connection_options", tcp_keepalive(&c->limits));
    if (c->n_dns_names)
        um_json_set(&out, "load_assignment", dns_assignment(c));
    um_json_set_filled(&out, "typed_extension_protocol_options", http_options(&c->limits));
    return out;
}

json_t *um_dump_clusters(const struct um_dump *dump)
{
    json_t *active = json_array(), *out = json_object();
    for (uint32_t i = 0; i < dump->snapshot->n_clusters; i++) {
        const struct um_cluster *c = &dump->snapshot->clusters[i];
        if (um_dump_wants(dump, c->name))
            um_json_append(&active, json_pack("{s:o, s:o, s:o}", "version_info", um_dump_version(dump), "cluster",
                                              cluster_json(c), "last_updated", um_dump_updated(dump)));
    }
    um_json_set(&out, "version_info", um_dump_version(dump));
    um_json_set_filled(&out, "dynamic_active_clusters", active);
    return out;
}
