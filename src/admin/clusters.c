/* SPDX-License-Identifier: Apache-2.0
 * /clusters: every cluster with its limits, and the endpoints that are known now with what the workers counted for
 * each. Source: Envoy's admin.v3.Clusters and its text form. */
#include "admin/call.h"
#include "admin/dump.h"

#include <stdlib.h>

/* counters first, then gauges: Envoy's order in JSON; its text form is sorted by name, and so is each part here */
static const struct host_stat {
    const char *name;
    size_t offset;
    bool is_gauge;
} HOST_STATS[] = {
    {"cx_connect_fail", offsetof(struct um_endpoint_stats, cx_connect_fail), false},
    {"cx_total", offsetof(struct um_endpoint_stats, cx_total), false},
    {"rq_error", offsetof(struct um_endpoint_stats, rq_error), false},
    {"rq_success", offsetof(struct um_endpoint_stats, rq_success), false},
    {"rq_timeout", offsetof(struct um_endpoint_stats, rq_timeout), false},
    {"rq_total", offsetof(struct um_endpoint_stats, rq_total), false},
    {"cx_active", offsetof(struct um_endpoint_stats, cx_active), true},
    {"rq_active", offsetof(struct um_endpoint_stats, rq_active), true},
};
enum { N_HOST_STATS = sizeof HOST_STATS / sizeof HOST_STATS[0] };

static uint64_t value_of(const struct um_endpoint_stats *s, const struct host_stat *stat)
{
    return *(const uint64_t *)((const char *)s + stat->offset);
}

/* ---- the row of an endpoint ----------------------------------------------------------------------- */

/* the workers' rows, sorted */
struct rows {
    const struct um_endpoint_stats **p;
    size_t n;
};

static int by_cluster_and_address(const void *a, const void *b)
{
    const struct um_endpoint_stats *x = *(const struct um_endpoint_stats *const *)a;
    const struct um_endpoint_stats *y = *(const struct um_endpoint_stats *const *)b;
    if (x->cluster != y->cluster)
        return x->cluster < y->cluster ? -1 : 1;
    return strcmp(x->address, y->address);
}

static struct rows sort_rows(struct um_admin_call *call)
{
    const struct um_worker_stats *s = call->view->stats.stats;
    struct rows rows = {um_arena_array(&call->arena, s->n_endpoints + 1, sizeof *rows.p), 0};
    if (!rows.p) {
        call->response->body.failed = true;
        return rows;
    }
    while (rows.n < s->n_endpoints) {
        rows.p[rows.n] = &s->endpoints[rows.n];
        rows.n++;
    }
    qsort(rows.p, rows.n, sizeof *rows.p, by_cluster_and_address);
    return rows;
}

/* all zero for an endpoint that no worker has used */
static const struct um_endpoint_stats *row_of(const struct rows *rows, uint32_t cluster, const char *address)
{
    static const struct um_endpoint_stats UNUSED;
    struct um_endpoint_stats key = {.cluster = cluster};
    const struct um_endpoint_stats *at = &key;
    memcpy(key.address, address, UM_SOCKADDR_TEXT_BYTES);
    const struct um_endpoint_stats **found = bsearch(&at, rows->p, rows->n, sizeof at, by_cluster_and_address);
    return found ? *found : &UNUSED;
}

struct host {
    const struct um_cluster *cluster;
    const struct um_endpoint *endpoint;
    const struct um_endpoint_stats *row;
    char address[UM_SOCKADDR_TEXT_BYTES];
    struct um_dump_locality locality;
};

static struct host host_of(const struct um_cluster *cluster, const struct um_endpoint *e, const struct rows *rows)
{
    struct host h = {.cluster = cluster, .endpoint = e, .locality = um_dump_split_locality(e->locality)};
    um_sockaddr_text(&e->addr, h.address);
    h.row = row_of(rows, cluster->index, h.address);
    return h;
}

/* ---- text ----------------------------------------------------------------------------------------- */

static void print_cluster(struct um_buf *out, const struct um_cluster *c)
{
    const struct {
        const char *name;
        uint32_t value;
    } limits[] = {{"max_connections", c->limits.max_connections},
                  {"max_pending_requests", c->limits.max_pending_requests},
                  {"max_requests", c->limits.max_requests},
                  {"max_retries", c->limits.max_retries}};
    um_buf_addf(out, "%.*s::observability_name::%.*s\n", UM_STR_ARG(c->name), UM_STR_ARG(c->name));
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
        um_buf_addf(out, "%.*s::default_priority::%s::%u\n", UM_STR_ARG(c->name), limits[i].name, limits[i].value);
    um_buf_addf(out, "%.*s::added_via_api::true\n", UM_STR_ARG(c->name));
    if (c->discovery == UM_DISCOVERY_EDS)
        um_buf_addf(out, "%.*s::eds_service_name::%.*s\n", UM_STR_ARG(c->name), UM_STR_ARG(c->name));
}

static const char *health_flags(const struct host *h)
{
    if (h->row->is_ejected)
        return h->endpoint->is_healthy ? "/failed_outlier_check" : "/failed_outlier_check/failed_eds_health";
    return h->endpoint->is_healthy ? "healthy" : "/failed_eds_health";
}

static void print_line(struct um_buf *out, const struct host *h, const char *name, struct um_str value)
{
    um_buf_addf(out, "%.*s::%s::%s::%.*s\n", UM_STR_ARG(h->cluster->name), h->address, name, UM_STR_ARG(value));
}

static void print_number(struct um_buf *out, const struct host *h, const char *name, uint64_t value)
{
    um_buf_addf(out, "%.*s::%s::%s::%llu\n", UM_STR_ARG(h->cluster->name), h->address, name, (unsigned long long)value);
}

static void print_host(struct um_buf *out, const struct host *h)
{
    for (size_t i = 0; i < N_HOST_STATS; i++)
        print_number(out, h, HOST_STATS[i].name, value_of(h->row, &HOST_STATS[i]));
    print_line(out, h, "hostname", h->endpoint->hostname);
    print_line(out, h, "health_flags", um_str_from(health_flags(h)));
    print_number(out, h, "weight", h->endpoint->weight);
    print_line(out, h, "region", h->locality.region);
    print_line(out, h, "zone", h->locality.zone);
    print_line(out, h, "sub_zone", h->locality.sub_zone);
    print_line(out, h, "canary", UM_STR("false"));
    print_line(out, h, "priority", UM_STR("0"));
    print_line(out, h, "success_rate", UM_STR("-1"));
    print_line(out, h, "local_origin_success_rate", UM_STR("-1"));
}

static void print_text(struct um_admin_call *call, const struct rows *rows)
{
    for (uint32_t i = 0; i < call->snapshot->n_clusters; i++) {
        const struct um_cluster *c = &call->snapshot->clusters[i];
        const struct um_admin_hosts hosts = um_admin_hosts_of(call->view, c);
        print_cluster(&call->response->body, c);
        for (uint32_t j = 0; j < hosts.n; j++) {
            struct host h = host_of(c, &hosts.p[j], rows);
            print_host(&call->response->body, &h);
        }
    }
}

/* ---- JSON ----------------------------------------------------------------------------------------- */

static json_t *stats_json(const struct host *h)
{
    json_t *stats = json_array();
    for (size_t i = 0; i < N_HOST_STATS; i++) {
        uint64_t value = value_of(h->row, &HOST_STATS[i]);
        json_t *stat = json_object();
        if (HOST_STATS[i].is_gauge)
            um_json_set(&stat, "type", json_string("GAUGE"));
        if (value)
            um_json_set(&stat, "value", um_json_u64_text(value));
        um_json_set(&stat, "name", json_string(HOST_STATS[i].name));
        um_json_append(&stats, stat);
    }
    return stats;
}

static json_t *host_json(const struct host *h)
{
    json_t *health = json_object(), *host = json_object();
    if (h->row->is_ejected)
        um_json_set(&health, "failed_outlier_check", json_true());
    um_json_set(&health, "eds_health_status", json_string(h->endpoint->is_healthy ? "HEALTHY" : "UNHEALTHY"));
    um_json_set(&host, "address", um_json_address(&h->endpoint->addr));
    um_json_set(&host, "stats", stats_json(h));
    um_json_set(&host, "health_status", health);
    um_json_set(&host, "weight", um_json_u64(h->endpoint->weight));
    if (h->endpoint->hostname.n)
        um_json_set(&host, "hostname", um_json_str(h->endpoint->hostname));
    um_json_set(&host, "locality", um_dump_locality_json(&h->locality));
    return host;
}

static json_t *cluster_json(const struct um_admin_call *call, const struct um_cluster *c, const struct rows *rows)
{
    const struct um_admin_hosts hosts = um_admin_hosts_of(call->view, c);
    json_t *statuses = json_array(), *cluster = json_object();
    for (uint32_t i = 0; i < hosts.n; i++) {
        struct host h = host_of(c, &hosts.p[i], rows);
        um_json_append(&statuses, host_json(&h));
    }
    um_json_set(&cluster, "name", um_json_str(c->name));
    um_json_set(&cluster, "added_via_api", json_true());
    um_json_set_filled(&cluster, "host_statuses", statuses);
    um_json_set(&cluster, "circuit_breakers", um_dump_circuit_breakers(&c->limits));
    um_json_set(&cluster, "observability_name", um_json_str(c->name));
    if (c->discovery == UM_DISCOVERY_EDS)
        um_json_set(&cluster, "eds_service_name", um_json_str(c->name));
    return cluster;
}

void um_admin_get_clusters(struct um_admin_call *call)
{
    struct rows rows = sort_rows(call);
    if (!rows.p)
        return;
    if (!um_admin_param_is(call, "format", "json")) {
        print_text(call, &rows);
        return;
    }
    json_t *statuses = json_array(), *all = json_object();
    for (uint32_t i = 0; i < call->snapshot->n_clusters; i++)
        um_json_append(&statuses, cluster_json(call, &call->snapshot->clusters[i], &rows));
    um_json_set(&all, "cluster_statuses", statuses);
    um_admin_say_json(call, all);
}
