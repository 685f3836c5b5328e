/* SPDX-License-Identifier: Apache-2.0
 * scene: a snapshot built by hand with every kind of route, and a view of a process that serves it. For the tests of
 * the admin interface and of `umbra explain`. */
#ifndef UM_TEST_ADMIN_SCENE_H
#define UM_TEST_ADMIN_SCENE_H

#include "admin/admin.h"
#include "route/route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define V1 UM_STR_INIT("outbound|8000|v1|httpbin.default.svc.cluster.local")
#define V2 UM_STR_INIT("outbound|8000|v2|httpbin.default.svc.cluster.local")
#define EXT UM_STR_INIT("outbound|80||ext.example.com")
#define NONE UM_STR_INIT("outbound|80||gone.default.svc.cluster.local")
#define VS UM_STR_INIT("/apis/networking.istio.io/v1/namespaces/default/virtual-service/httpbin")

#define SCENE_ARRAY(name) (name), sizeof(name) / sizeof((name)[0])

static const struct um_cluster_limits SCENE_UNLIMITED = {.max_connections = UINT32_MAX,
                                                         .max_pending_requests = UINT32_MAX,
                                                         .max_requests = UINT32_MAX,
                                                         .max_retries = UINT32_MAX,
                                                         .connect_timeout_ms = 10000,
                                                         .idle_timeout_ms = 3600000};
static const struct um_cluster_limits SCENE_LIMITED = {.max_connections = 10,
                                                       .max_pending_requests = 20,
                                                       .max_requests = 30,
                                                       .max_retries = 40,
                                                       .max_requests_per_connection = 1,
                                                       .connect_timeout_ms = 1500,
                                                       .idle_timeout_ms = 60000,
                                                       .max_connection_duration_ms = 120000,
                                                       .has_keepalive = true,
                                                       .keepalive_time_s = 75};

enum { SCENE_V1, SCENE_V2, SCENE_EXT, SCENE_CLUSTERS };

static const struct um_str SCENE_CLUSTER_NAMES[SCENE_CLUSTERS] = {V1, V2, EXT};

static struct um_endpoint scene_v1_endpoints[2] = {{.locality = UM_STR_INIT("eu/a/1"), .weight = 1, .is_healthy = true},
                                                   {.locality = UM_STR_INIT("eu/b"), .weight = 2}};
static struct um_endpoint scene_v2_endpoints[1] = {{.hostname = UM_STR_INIT("pod-2"), .weight = 1, .is_healthy = true}};
static struct um_dns_name scene_names[1] = {{UM_STR_INIT("ext.example.com"), 80, 1, {NULL, 0}}};

static struct um_cluster scene_clusters[SCENE_CLUSTERS] = {
    {.name = V1,
     .host = UM_STR_INIT("httpbin.default.svc.cluster.local"),
     .subset = UM_STR_INIT("v1"),
     .port = 8000,
     .service_name = UM_STR_INIT("httpbin"),
     .service_namespace = UM_STR_INIT("default"),
     .config_path = UM_STR_INIT("/apis/networking.istio.io/v1/namespaces/default/destination-rule/httpbin"),
     .discovery = UM_DISCOVERY_EDS,
     .lb = UM_LB_LEAST_REQUEST,
     .endpoints = scene_v1_endpoints,
     .n_endpoints = 2},
    {.name = V2,
     .host = UM_STR_INIT("httpbin.default.svc.cluster.local"),
     .subset = UM_STR_INIT("v2"),
     .port = 8000,
     .service_name = UM_STR_INIT("httpbin"),
     .service_namespace = UM_STR_INIT("default"),
     .discovery = UM_DISCOVERY_EDS,
     .lb = UM_LB_ROUND_ROBIN,
     .endpoints = scene_v2_endpoints,
     .n_endpoints = 1},
    {.name = EXT,
     .host = UM_STR_INIT("ext.example.com"),
     .port = 80,
     .service_name = UM_STR_INIT("ext.example.com"),
     .service_namespace = UM_STR_INIT("default"),
     .discovery = UM_DISCOVERY_STRICT_DNS,
     .lb = UM_LB_RANDOM,
     .is_external = true,
     .dns_names = scene_names,
     .n_dns_names = 1},
};

/* ---- policies ------------------------------------------------------------------------------------- */

static const struct um_shadow_policy SCENE_DEFAULTS = {
    .max_body_bytes = UM_SHADOW_BODY_BYTES, .has_body = true, .has_host_suffix = true};

static struct um_header_op scene_policy_ops[] = {
    {UM_EDIT_REMOVE, UM_FIELD_AUTHORIZATION, UM_STR_INIT("authorization"), {NULL, 0}},
    {UM_EDIT_SET, UM_FIELD_OTHER, UM_STR_INIT("x-env"), UM_STR_INIT("shadow")},
};
static const struct um_shadow_policy SCENE_POLICY = {
    .name = UM_STR_INIT("careful.default"),
    .sampling_key = UM_SAMPLING_HEADER,
    .sampling_name = UM_STR_INIT("x-user-id"),
    .sampling_salt = UM_STR_INIT("july"),
    .methods = 1u << UM_METHOD_GET | 1u << UM_METHOD_HEAD,
    .timeout_ms = 5000,
    .max_body_bytes = 1024,
    .mode = UM_BODY_LIMIT_BACKPRESSURE,
    .host_rewrite = UM_STR_INIT("v2.test.example"),
    .wants_distinct_endpoints = true,
    .headers = {SCENE_ARRAY(scene_policy_ops)},
};

/* ---- routes --------------------------------------------------------------------------------------- */

static struct um_condition scene_canary_conditions[] = {
    {.subject = UM_SUBJECT_HEADER,
     .name = UM_STR_INIT("x-tester"),
     .match = {.kind = UM_MATCH_EXACT, .value = UM_STR_INIT("true")}},
    {.subject = UM_SUBJECT_HEADER,
     .name = UM_STR_INIT("x-old"),
     .match = {.kind = UM_MATCH_PREFIX, .value = UM_STR_INIT("1")},
     .is_inverted = true},
    {.subject = UM_SUBJECT_QUERY, .name = UM_STR_INIT("q"), .match = {.kind = UM_MATCH_PRESENT}},
    {.subject = UM_SUBJECT_METHOD, .match = {.kind = UM_MATCH_EXACT, .value = UM_STR_INIT("GET")}},
};
static struct um_header_op scene_v1_ops[] = {
    {UM_EDIT_REMOVE, UM_FIELD_OTHER, UM_STR_INIT("x-internal"), {NULL, 0}},
    {UM_EDIT_ADD, UM_FIELD_OTHER, UM_STR_INIT("x-share"), UM_STR_INIT("100%")},
};
static struct um_weighted_cluster scene_canary_clusters[] = {
    {.cluster_name = V1,
     .cluster = &scene_clusters[SCENE_V1],
     .weight = 90,
     .request_headers = {SCENE_ARRAY(scene_v1_ops)},
     .host_rewrite = UM_STR_INIT("v1.internal")},
    {.cluster_name = V2, .cluster = &scene_clusters[SCENE_V2], .weight = 10},
};
static struct um_weighted_cluster scene_main_clusters[] = {
    {.cluster_name = V1, .cluster = &scene_clusters[SCENE_V1], .weight = 1}};
static struct um_weighted_cluster scene_lost_clusters[] = {{.cluster_name = NONE, .weight = 1}};
static struct um_header_op scene_main_ops[] = {
    {UM_EDIT_SET, UM_FIELD_OTHER, UM_STR_INIT("x-route"), UM_STR_INIT("main")}};
static struct um_mirror scene_main_mirrors[] = {
    {.cluster_name = V2,
     .cluster = &scene_clusters[SCENE_V2],
     .numerator = 500000,
     .denominator = 1000000,
     .policy = &SCENE_POLICY,
     .index = 0},
    {.cluster_name = EXT,
     .cluster = &scene_clusters[SCENE_EXT],
     .numerator = 100,
     .denominator = 100,
     .policy = &SCENE_DEFAULTS,
     .index = 1},
    {.cluster_name = NONE, .numerator = 0, .denominator = 1000000, .policy = &SCENE_DEFAULTS, .index = 2},
};

static struct um_route scene_routes[] = {
    {.name = UM_STR_INIT("canary"),
     .label = UM_STR_INIT("httpbin.default/canary"),
     .config_path = VS,
     .match = {.path = {.kind = UM_MATCH_EXACT, .value = UM_STR_INIT("/get")}, SCENE_ARRAY(scene_canary_conditions)},
     .clusters = scene_canary_clusters,
     .n_clusters = 2,
     .total_weight = 100},
    {.name = UM_STR_INIT("old"),
     .label = UM_STR_INIT("httpbin.default/old"),
     .config_path = VS,
     .match = {.path = {.kind = UM_MATCH_PREFIX, .ignore_case = true, .value = UM_STR_INIT("/old")}},
     .action = UM_ACTION_REDIRECT,
     .status = 302,
     .redirect_path = UM_STR_INIT("/new"),
     .redirect_authority = UM_STR_INIT("new.example.com"),
     .redirect_scheme = UM_STR_INIT("https"),
     .mirrors = scene_main_mirrors,
     .n_mirrors = 1},
    {.name = UM_STR_INIT("teapot"),
     .label = UM_STR_INIT("httpbin.default/teapot"),
     .match = {.path = {.kind = UM_MATCH_EXACT, .value = UM_STR_INIT("/teapot")}},
     .action = UM_ACTION_DIRECT_RESPONSE,
     .status = 418,
     .body = UM_STR_INIT("short \"and\" stout\n")},
    {.name = UM_STR_INIT("lost"),
     .label = UM_STR_INIT("httpbin.default/lost"),
     .config_path = VS,
     .match = {.path = {.kind = UM_MATCH_EXACT, .value = UM_STR_INIT("/lost")}},
     .clusters = scene_lost_clusters,
     .n_clusters = 1,
     .total_weight = 1,
     .mirrors = scene_main_mirrors,
     .n_mirrors = 1},
    {.name = UM_STR_INIT("main"),
     .label = UM_STR_INIT("httpbin.default/main"),
     .config_path = VS,
     .clusters = scene_main_clusters,
     .n_clusters = 1,
     .total_weight = 1,
     .timeout_ms = 1500,
     .retry = {.attempts = 2,
               .on_connect_failure = true,
               .on_refused_stream = true,
               .base_interval_ms = 25,
               .host_attempts = 5},
     .request_headers = {SCENE_ARRAY(scene_main_ops)},
     .host_rewrite = UM_STR_INIT("inner.example.com"),
     .has_path_rewrite = true,
     .path_rewrite = UM_STR_INIT("/v1/"),
     .mirrors = scene_main_mirrors,
     .n_mirrors = 3},
};

static struct um_str scene_domains[] = {UM_STR_INIT("httpbin.example.com"), UM_STR_INIT("*.wild.example.com")};
static struct um_virtual_host scene_hosts[] = {{.name = UM_STR_INIT("httpbin.example.com:80"),
                                                .domains = scene_domains,
                                                .n_domains = 2,
                                                .routes = scene_routes,
                                                .n_routes = sizeof scene_routes / sizeof scene_routes[0]}};
static struct um_route_config scene_config = {
    .name = UM_STR_INIT("http.80"), .virtual_hosts = scene_hosts, .n_virtual_hosts = 1, .is_gateway = true};
static struct um_listener scene_listeners[] = {{.name = UM_STR_INIT("0.0.0.0_80"),
                                                .port = 80,
                                                .routes = &scene_config,
                                                .origin = UM_STR_INIT("Gateway default/httpbin-gateway port 80"),
                                                .is_gateway = true}};

static inline struct um_sockaddr scene_address(const char *ip, uint16_t port)
{
    struct um_sockaddr addr;
    assert_int_equal(um_sockaddr_parse(um_str_from(ip), port, &addr), 0);
    return addr;
}

/* a snapshot of its own arrays; one reference */
static inline struct um_snapshot *scene_snapshot(void)
{
    struct um_snapshot *s = um_snapshot_new();
    assert_non_null(s);
    scene_v1_endpoints[0].addr = scene_address("10.0.0.1", 8080);
    scene_v1_endpoints[1].addr = scene_address("fd00::1", 8080);
    scene_v2_endpoints[0].addr = scene_address("10.0.0.2", 8080);
    scene_listeners[0].addr = scene_address("0.0.0.0", 8080);
    for (uint32_t i = 0; i < SCENE_CLUSTERS; i++) {
        scene_clusters[i].index = i;
        scene_clusters[i].limits = i == SCENE_EXT ? SCENE_LIMITED : SCENE_UNLIMITED;
        assert_int_equal(um_map_put(&s->clusters_by_name, scene_clusters[i].name, &scene_clusters[i], NULL), 0);
    }
    s->version = 7;
    s->made_wall_ns = 1769904000ULL * 1000000000;
    s->listeners = scene_listeners;
    s->n_listeners = 1;
    s->route_configs = &scene_config;
    s->n_route_configs = 1;
    s->clusters = scene_clusters;
    s->n_clusters = SCENE_CLUSTERS;
    return s;
}

#endif
