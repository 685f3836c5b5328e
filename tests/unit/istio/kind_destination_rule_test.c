/* SPDX-License-Identifier: Apache-2.0 */
#include "decode_kit.h"

#define HEAD "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: a}\nspec:\n  host: app\n"

static void every_field_that_is_served(void **state)
{
    struct decoded d;
    decode_well(&d, HEAD "  exportTo: ['*']\n"
                         "  workloadSelector: {matchLabels: {app: web}}\n"
                         "  trafficPolicy:\n"
                         "    loadBalancer: {simple: ROUND_ROBIN}\n"
                         "    tls: {mode: DISABLE}\n"
                         "    connectionPool:\n"
                         "      tcp:\n"
                         "        maxConnections: 100\n"
                         "        connectTimeout: 30ms\n"
                         "        idleTimeout: 0s\n"
                         "        maxConnectionDuration: 1h\n"
                         "        tcpKeepalive: {probes: 3, time: 7200s, interval: 75s}\n"
                         "      http:\n"
                         "        http1MaxPendingRequests: 1\n"
                         "        http2MaxRequests: 2\n"
                         "        maxRequestsPerConnection: 3\n"
                         "        maxRetries: 0\n"
                         "        idleTimeout: 1m30s\n"
                         "    portLevelSettings:\n"
                         "    - port: {number: 8000}\n"
                         "      loadBalancer: {simple: LEAST_CONN}\n"
                         "  subsets:\n"
                         "  - name: v1\n"
                         "    labels: {version: v1, empty: }\n"
                         "  - name: v1-mirroring\n"
                         "    labels: {version: v1-mirroring}\n"
                         "    trafficPolicy: {loadBalancer: {simple: PASSTHROUGH}}\n");
    const struct um_destination_rule *rule = d.resources.destination_rules;
    assert_str(rule->meta.resource, "DestinationRule/default/a");
    assert_str(rule->host, "app");
    assert_str(*um_pairs_get(&rule->workload_selector, UM_STR("app")), "web");
    const struct um_traffic_blocks *blocks = &rule->traffic_policy->blocks;
    assert_int_equal(blocks->load_balancer->simple, UM_LB_SIMPLE_ROUND_ROBIN);
    assert_int_equal(blocks->tls->mode, UM_TLS_DISABLE);
    assert_null(blocks->outlier_detection);
    const struct um_tcp_pool *tcp = blocks->connection_pool->tcp;
    assert_int_equal(tcp->max_connections.value, 100);
    assert_int_equal(tcp->connect_timeout.ms, 30);
    assert_true(tcp->idle_timeout.is_set);
    assert_int_equal(tcp->idle_timeout.ms, 0);
    assert_int_equal(tcp->max_connection_duration.ms, 3600000);
    assert_int_equal(tcp->tcp_keepalive->time.ms, 7200000);
    const struct um_http_pool *http = blocks->connection_pool->http;
    assert_int_equal(http->http1_max_pending_requests.value, 1);
    assert_int_equal(http->http2_max_requests.value, 2);
    assert_int_equal(http->max_requests_per_connection.value, 3);
    assert_true(http->max_retries.is_set);
    assert_int_equal(http->idle_timeout.ms, 90000);
    assert_int_equal(rule->traffic_policy->n_port_level_settings, 1);
    assert_int_equal(rule->traffic_policy->port_level_settings[0].port.value, 8000);
    assert_int_equal(rule->traffic_policy->port_level_settings[0].blocks.load_balancer->simple,
                     UM_LB_SIMPLE_LEAST_REQUEST);
    assert_int_equal(rule->n_subsets, 2);
    assert_str(*um_pairs_get(&rule->subsets[0].labels, UM_STR("empty")), "");
    assert_str(rule->subsets[1].name, "v1-mirroring");
    assert_int_equal(rule->subsets[1].traffic_policy->blocks.load_balancer->simple, UM_LB_SIMPLE_PASSTHROUGH);
    decoded_release(&d);
}

static void what_has_no_effect_is_a_warning(void **state)
{
    static const struct saying SAYINGS[] = {
        {"  trafficPolicy:\n    outlierDetection: {consecutive5xxErrors: 5, interval: 5m, baseEjectionTime: 15m}\n",
         "2:5: warning: spec.trafficPolicy.outlierDetection: is accepted and has no effect yet (endpoints that refuse "
         "connections are left alone by a breaker)"},
        {"  trafficPolicy:\n    loadBalancer: {localityLbSetting: {enabled: true}}\n",
         "2:20: warning: spec.trafficPolicy.loadBalancer.localityLbSetting: is accepted and has no effect yet "
         "(localities are treated alike)"},
        {"  trafficPolicy:\n    loadBalancer: {consistentHash: {useSourceIp: true}}\n",
         "2:20: warning: spec.trafficPolicy.loadBalancer.consistentHash: is accepted and has no effect yet (requests "
         "are spread as by LEAST_REQUEST)"},
        {"  trafficPolicy:\n    connectionPool: {http: {h2UpgradePolicy: UPGRADE}}\n",
         "2:29: warning: spec.trafficPolicy.connectionPool.http.h2UpgradePolicy: is accepted and has no effect yet "
         "(HTTP/1.1 is spoken to the endpoints)"},
    };
    EXPECT_SAYINGS(HEAD, 5, "DestinationRule/default/a", SAYINGS);
}

static void what_is_refused(void **state)
{
    static const struct saying SAYINGS[] = {
        {"  subsets: [{name: v1}, {name: v2}, {name: v1}]\n",
         "1:44: error: spec.subsets[2].name: subsets[0] has the same name"},
        {"  subsets: [{name: v1.0}]\n",
         "1:20: error: spec.subsets[0].name: must be a DNS label: letters, digits and `-`, at most 63"},
        {"  subsets: [{labels: {a: b}}]\n", "1:13: error: spec.subsets[0].name: is missing"},
        {"  subsets: [{name: v1, lables: {a: b}}]\n",
         "1:24: error: spec.subsets[0].lables: unknown field `lables` (did you mean `labels`?)"},
        {"  subsets: [{name: v1, labels: {version: 1}}]\n",
         "1:42: error: spec.subsets[0].labels.version: must be text, but `1` without quotes is a number (quote it: "
         "\"1\")"},
        {"  subsets: [{name: v1, labels: [a]}]\n",
         "1:24: error: spec.subsets[0].labels: must be a mapping of texts, not a list"},
        {"  trafficPolicy: {}\n", "1:3: error: spec.trafficPolicy: must not be empty"},
        {"  trafficPolicy: {connectionPool: {}}\n",
         "1:19: error: spec.trafficPolicy.connectionPool: must have tcp or http"},
        {"  trafficPolicy: {connectionPool: {tcp: {maxConnections: -1}}}\n",
         "1:58: error: spec.trafficPolicy.connectionPool.tcp.maxConnections: must be between 0 and 2147483647, not -1"},
        {"  trafficPolicy: {connectionPool: {tcp: {connectTimeout: 0s}}}\n",
         "1:58: error: spec.trafficPolicy.connectionPool.tcp.connectTimeout: must be at least 1ms, in whole "
         "milliseconds"},
        {"  trafficPolicy: {loadBalancer: {simple: FASTEST}}\n",
         "1:42: error: spec.trafficPolicy.loadBalancer.simple: must be one of UNSPECIFIED, ROUND_ROBIN, RANDOM, "
         "LEAST_REQUEST, LEAST_CONN, PASSTHROUGH, not `FASTEST`"},
        {"  trafficPolicy: {tls: {mode: SIMPLE}}\n",
         "1:31: error: spec.trafficPolicy.tls.mode: is not supported yet: TLS to the endpoints (DISABLE sends plain "
         "text)"},
        {"  trafficPolicy: {tls: {mode: MUTUAL}}\n",
         "1:31: error: spec.trafficPolicy.tls.mode: is not supported yet: TLS to the endpoints (DISABLE sends plain "
         "text)\n"
         "1:31: error: spec.trafficPolicy.tls.mode: needs clientCertificate and privateKey, or credentialName"},
        {"  trafficPolicy: {tunnel: {targetHost: a}}\n",
         "1:19: error: spec.trafficPolicy.tunnel: is not supported yet"},
        {"  trafficPolicy: {portLevelSettings: [{loadBalancer: {simple: RANDOM}}]}\n",
         "1:39: error: spec.trafficPolicy.portLevelSettings[0]: must have more than a port\n"
         "1:39: error: spec.trafficPolicy.portLevelSettings[0].port: is missing"},
        {"  trafficPolicy: {portLevelSettings: [{port: {number: 80}}]}\n",
         "1:39: error: spec.trafficPolicy.portLevelSettings[0]: must have more than a port"},
        {"  trafficPolicy:\n    outlierDetection: {maxEjectionPercent: 101, interval: 0s}\n",
         "2:5: warning: spec.trafficPolicy.outlierDetection: is accepted and has no effect yet (endpoints that refuse "
         "connections are left alone by a breaker)\n"
         "2:44: error: spec.trafficPolicy.outlierDetection.maxEjectionPercent: must be between 0 and 100, not 101\n"
         "2:59: error: spec.trafficPolicy.outlierDetection.interval: must be at least 1ms, in whole milliseconds"},
        {"  trafficPolicy:\n    outlierDetection: {consecutiveLocalOriginFailures: 3}\n",
         "2:5: warning: spec.trafficPolicy.outlierDetection: is accepted and has no effect yet (endpoints that refuse "
         "connections are left alone by a breaker)\n"
         "2:56: error: spec.trafficPolicy.outlierDetection.consecutiveLocalOriginFailures: needs "
         "splitExternalLocalOriginErrors: true"},
        {"  exportTo: [a b]\n", "1:14: error: spec.exportTo[0]: must be `.`, `*` or a namespace"},
        {"  hosts: [b]\n", "1:3: error: spec.hosts: unknown field `hosts` (did you mean `host`?)"},
    };
    EXPECT_SAYINGS(HEAD, 5, "DestinationRule/default/a", SAYINGS);
}

static void a_host_is_needed(void **state)
{
    static const struct saying SAYINGS[] = {
        {"spec: {subsets: []}\n", "1:1: error: spec.host: is missing"},
        {"spec: {host: 'a b'}\n", "1:14: error: spec.host: is not a valid host name"},
        {"spec: {host: '*.local'}\n", ""},
    };
    EXPECT_SAYINGS("apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: a}\n", 3,
                   "DestinationRule/default/a", SAYINGS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_that_is_served),
        cmocka_unit_test(what_has_no_effect_is_a_warning),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(a_host_is_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
