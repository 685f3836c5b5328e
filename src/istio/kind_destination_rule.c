/* SPDX-License-Identifier: Apache-2.0 */
#include "istio/decode.h"
#include "istio/kind_rules.h"

enum { MAX_PORT = 65535, MAX_PERCENT = 100 };

/* ---- loadBalancer ---- */

static const struct um_enum_name SIMPLES[] = {
    {"UNSPECIFIED", UM_LB_SIMPLE_UNSPECIFIED},
    {"ROUND_ROBIN", UM_LB_SIMPLE_ROUND_ROBIN},
    {"RANDOM", UM_LB_SIMPLE_RANDOM},
    {"LEAST_REQUEST", UM_LB_SIMPLE_LEAST_REQUEST},
    {"LEAST_CONN", UM_LB_SIMPLE_LEAST_REQUEST},
    {"PASSTHROUGH", UM_LB_SIMPLE_PASSTHROUGH},
    {NULL, 0},
};

static void check_load_balancer(struct um_decoder *d, void *object)
{
    const struct um_load_balancer *lb = object;
    if (um_place_has(&lb->place, "simple") && um_place_has(&lb->place, "consistentHash"))
        um_decode_fault(d, &lb->place, "consistentHash", "cannot stand beside `simple`");
}

static const struct um_field_row LOAD_BALANCER_ROWS[] = {
    UM_ROW(ENUM, "simple", um_load_balancer, simple, .names = SIMPLES),
    UM_ROW_UNREAD("consistentHash", .support = UM_NO_EFFECT, .note = "requests are spread as by LEAST_REQUEST"),
    UM_ROW_UNREAD("localityLbSetting", .support = UM_NO_EFFECT, .note = "localities are treated alike"),
    UM_ROW_UNREAD("warmupDurationSecs", .support = UM_NO_EFFECT),
    UM_ROW_UNREAD("warmup", .support = UM_NO_EFFECT),
};
static const struct um_table load_balancer_table =
    UM_TABLE(LOAD_BALANCER_ROWS, um_load_balancer, .check = check_load_balancer);

/* ---- connectionPool ---- */

static const struct um_field_row KEEPALIVE_ROWS[] = {
    UM_ROW(OPT_U32, "probes", um_tcp_keepalive, probes),
    UM_ROW(OPT_MS, "time", um_tcp_keepalive, time),
    UM_ROW(OPT_MS, "interval", um_tcp_keepalive, interval),
};
static const struct um_table keepalive_table = UM_TABLE(KEEPALIVE_ROWS, um_tcp_keepalive);

static const struct um_field_row TCP_ROWS[] = {
    UM_ROW(OPT_U32, "maxConnections", um_tcp_pool, max_connections, .max = INT32_MAX),
    UM_ROW(OPT_MS, "connectTimeout", um_tcp_pool, connect_timeout, .min = 1),
    UM_ROW(OBJECT, "tcpKeepalive", um_tcp_pool, tcp_keepalive, .table = &keepalive_table),
    UM_ROW(OPT_MS, "maxConnectionDuration", um_tcp_pool, max_connection_duration, .min = 1),
    UM_ROW(OPT_MS, "idleTimeout", um_tcp_pool, idle_timeout),
};
static const struct um_table tcp_table = UM_TABLE(TCP_ROWS, um_tcp_pool);

static const struct um_field_row HTTP_ROWS[] = {
    UM_ROW(OPT_U32, "http1MaxPendingRequests", um_http_pool, http1_max_pending_requests, .max = INT32_MAX),
    UM_ROW(OPT_U32, "http2MaxRequests", um_http_pool, http2_max_requests, .max = INT32_MAX),
    UM_ROW(OPT_U32, "maxRequestsPerConnection", um_http_pool, max_requests_per_connection, .max = INT32_MAX),
    UM_ROW(OPT_U32, "maxRetries", um_http_pool, max_retries, .max = INT32_MAX),
    UM_ROW(OPT_MS, "idleTimeout", um_http_pool, idle_timeout),
    UM_ROW_UNREAD("h2UpgradePolicy", .support = UM_NO_EFFECT, .note = "HTTP/1.1 is spoken to the endpoints"),
    UM_ROW_UNREAD("useClientProtocol", .support = UM_NO_EFFECT, .note = "HTTP/1.1 is spoken to the endpoints"),
    UM_ROW_UNREAD("maxConcurrentStreams", .support = UM_NO_EFFECT, .note = "HTTP/1.1 is spoken to the endpoints"),
    UM_ROW_UNREAD("http2KeepAlive", .support = UM_NO_EFFECT, .note = "HTTP/1.1 is spoken to the endpoints"),
};
static const struct um_table http_table = UM_TABLE(HTTP_ROWS, um_http_pool);

static void check_connection_pool(struct um_decoder *d, void *object)
{
    const struct um_connection_pool *pool = object;
    if (!um_place_has(&pool->place, "tcp") && !um_place_has(&pool->place, "http"))
        um_decode_fault(d, &pool->place, NULL, "must have tcp or http");
}

static const struct um_field_row CONNECTION_POOL_ROWS[] = {
    UM_ROW(OBJECT, "tcp", um_connection_pool, tcp, .table = &tcp_table),
    UM_ROW(OBJECT, "http", um_connection_pool, http, .table = &http_table),
};
static const struct um_table connection_pool_table =
    UM_TABLE(CONNECTION_POOL_ROWS, um_connection_pool, .check = check_connection_pool);

/* ---- outlierDetection ---- */

static void check_outlier(struct um_decoder *d, void *object)
{
    const struct um_outlier_detection *o = object;
    if (o->consecutive_local_origin_failures.value && !o->split_external_local_origin_errors.value)
        um_decode_fault(d, &o->place, "consecutiveLocalOriginFailures", "needs splitExternalLocalOriginErrors: true");
}

static const struct um_field_row OUTLIER_ROWS[] = {
    UM_ROW_UNREAD("consecutiveErrors", .support = UM_DEPRECATED, .note = "use `consecutive5xxErrors`"),
    UM_ROW(OPT_U32, "consecutive5xxErrors", um_outlier_detection, consecutive_5xx_errors),
    UM_ROW(OPT_U32, "consecutiveGatewayErrors", um_outlier_detection, consecutive_gateway_errors),
    UM_ROW(OPT_U32, "consecutiveLocalOriginFailures", um_outlier_detection, consecutive_local_origin_failures),
    UM_ROW(OPT_BOOL, "splitExternalLocalOriginErrors", um_outlier_detection, split_external_local_origin_errors),
    UM_ROW(OPT_MS, "interval", um_outlier_detection, interval, .min = 1),
    UM_ROW(OPT_MS, "baseEjectionTime", um_outlier_detection, base_ejection_time, .min = 1),
    UM_ROW(OPT_U32, "maxEjectionPercent", um_outlier_detection, max_ejection_percent, .max = MAX_PERCENT),
    UM_ROW(OPT_U32, "minHealthPercent", um_outlier_detection, min_health_percent, .max = MAX_PERCENT),
    UM_ROW_UNREAD("outlierDetectionHttpErrorCodes"),
};
static const struct um_table outlier_table = UM_TABLE(OUTLIER_ROWS, um_outlier_detection, .check = check_outlier);

/* ---- tls ---- */

static void check_tls(struct um_decoder *d, void *object)
{
    const struct um_client_tls *tls = object;
    if (tls->mode != UM_TLS_DISABLE)
        um_complain(d->diag, UM_SEVERITY_ERROR, &tls->place, "mode", "DISABLE sends plain text",
                    "is not supported yet: TLS to the endpoints");
    if (tls->mode == UM_TLS_MUTUAL && !tls->credential_name.n && (!tls->client_certificate.n || !tls->private_key.n))
        um_decode_fault(d, &tls->place, "mode", "needs clientCertificate and privateKey, or credentialName");
    if (tls->credential_name.n && (tls->client_certificate.n || tls->private_key.n || tls->ca_certificates.n))
        um_decode_fault(d, &tls->place, "credentialName", "cannot stand beside certificate files");
}

static const struct um_enum_name TLS_MODES[] = {
    {"DISABLE", UM_TLS_DISABLE},
    {"SIMPLE", UM_TLS_SIMPLE},
    {"MUTUAL", UM_TLS_MUTUAL},
    {"ISTIO_MUTUAL", UM_TLS_ISTIO_MUTUAL},
    {NULL, 0},
};

static const struct um_field_row TLS_ROWS[] = {
    UM_ROW(ENUM, "mode", um_client_tls, mode, .names = TLS_MODES),
    UM_ROW(TEXT, "clientCertificate", um_client_tls, client_certificate),
    UM_ROW(TEXT, "privateKey", um_client_tls, private_key),
    UM_ROW(TEXT, "caCertificates", um_client_tls, ca_certificates),
    UM_ROW(TEXT, "caCrl", um_client_tls, ca_crl),
    UM_ROW(TEXT, "credentialName", um_client_tls, credential_name),
    UM_ROW(TEXTS, "subjectAltNames", um_client_tls, subject_alt_names),
    UM_ROW(TEXT, "sni", um_client_tls, sni),
    UM_ROW(OPT_BOOL, "insecureSkipVerify", um_client_tls, insecure_skip_verify),
};
static const struct um_table tls_table = UM_TABLE(TLS_ROWS, um_client_tls, .check = check_tls);

/* ---- trafficPolicy ---- */

/* the four blocks of a trafficPolicy and of one of its portLevelSettings */
#define BLOCK_ROWS(struct_)                                                                                            \
    UM_ROW(OBJECT, "loadBalancer", struct_, blocks.load_balancer, .table = &load_balancer_table),                      \
        UM_ROW(OBJECT, "connectionPool", struct_, blocks.connection_pool, .table = &connection_pool_table),            \
        UM_ROW(OBJECT, "outlierDetection", struct_, blocks.outlier_detection, .table = &outlier_table,                 \
               .support = UM_NO_EFFECT, .note = "endpoints that refuse connections are left alone by a breaker"),      \
        UM_ROW(OBJECT, "tls", struct_, blocks.tls, .table = &tls_table)

static const struct um_field_row SETTING_PORT_ROWS[] = {
    UM_ROW(OPT_U32, "number", um_port_policy, port, .min = 1, .max = MAX_PORT, .is_required = true),
};
static const struct um_table setting_port_table = UM_TABLE(SETTING_PORT_ROWS, um_port_policy);

static void check_port_policy(struct um_decoder *d, void *object)
{
    const struct um_port_policy *policy = object;
    if (policy->place.node->n < 2)
        um_decode_fault(d, &policy->place, NULL, "must have more than a port");
}

static const struct um_field_row PORT_POLICY_ROWS[] = {
    UM_ROW_FLAT("port", setting_port_table, .is_required = true),
    BLOCK_ROWS(um_port_policy),
};
static const struct um_table port_policy_table = UM_TABLE(PORT_POLICY_ROWS, um_port_policy, .check = check_port_policy);

static void check_traffic_policy(struct um_decoder *d, void *object)
{
    const struct um_traffic_policy *policy = object;
    if (policy->place.node->n == 0)
        um_decode_fault(d, &policy->place, NULL, "must not be empty");
}

static const struct um_field_row TRAFFIC_POLICY_ROWS[] = {
    BLOCK_ROWS(um_traffic_policy),
    UM_ROW_LIST(OBJECTS, "portLevelSettings", um_traffic_policy, port_level_settings, .table = &port_policy_table),
    UM_ROW_UNREAD("tunnel", .support = UM_UNSUPPORTED),
    UM_ROW_UNREAD("proxyProtocol", .support = UM_UNSUPPORTED),
    UM_ROW_UNREAD("retryBudget", .support = UM_NO_EFFECT, .note = "`connectionPool.http.maxRetries` bounds retries"),
};
static const struct um_table traffic_policy_table =
    UM_TABLE(TRAFFIC_POLICY_ROWS, um_traffic_policy, .check = check_traffic_policy);

/* ---- spec ---- */

static const struct um_field_row SUBSET_ROWS[] = {
    UM_ROW(TEXT, "name", um_subset, name, .is_required = true, .rule = um_rule_label),
    UM_ROW(PAIRS, "labels", um_subset, labels),
    UM_ROW(OBJECT, "trafficPolicy", um_subset, traffic_policy, .table = &traffic_policy_table),
};
static const struct um_table subset_table = UM_TABLE(SUBSET_ROWS, um_subset);

static void check_destination_rule(struct um_decoder *d, void *object)
{
    const struct um_destination_rule *rule = object;
    struct um_map names;
    um_map_init(&names);
    for (uint32_t i = 0; i < rule->n_subsets; i++) {
        struct um_subset *subset = &rule->subsets[i];
        const struct um_subset *first = subset->name.n ? um_decode_claim(d, &names, subset->name, subset) : NULL;
        if (first)
            um_decode_fault(d, &subset->place, "name", "subsets[%d] has the same name", (int)first->place.index);
    }
    um_map_release(&names);
}

static const struct um_field_row SELECTOR_ROWS[] = {
    UM_ROW(PAIRS, "matchLabels", um_destination_rule, workload_selector),
};
static const struct um_table selector_table = UM_TABLE(SELECTOR_ROWS, um_destination_rule);

static const struct um_field_row DESTINATION_RULE_ROWS[] = {
    UM_ROW(TEXT, "host", um_destination_rule, host, .is_required = true, .rule = um_rule_wildcard_host),
    UM_ROW(OBJECT, "trafficPolicy", um_destination_rule, traffic_policy, .table = &traffic_policy_table),
    UM_ROW_LIST(OBJECTS, "subsets", um_destination_rule, subsets, .table = &subset_table),
    UM_ROW(TEXTS, "exportTo", um_destination_rule, export_to, .rule = um_rule_namespace_scope),
    UM_ROW_FLAT("workloadSelector", selector_table),
};
const struct um_table um_destination_rule_table =
    UM_TABLE(DESTINATION_RULE_ROWS, um_destination_rule, .check = check_destination_rule);
