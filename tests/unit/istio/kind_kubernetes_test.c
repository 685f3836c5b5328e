/* SPDX-License-Identifier: Apache-2.0 */
#include "decode_kit.h"

static void a_service(void **state)
{
    struct decoded d;
    decode_well(&d, "apiVersion: v1\n"
                    "kind: Service\n"
                    "metadata:\n"
                    "  name: httpbin\n"
                    "  labels:\n"
                    "    app: httpbin\n"
                    "spec:\n"
                    "  clusterIP: None\n"
                    "  clusterIPs: [None]\n"
                    "  sessionAffinity: None\n"
                    "  publishNotReadyAddresses: true\n"
                    "  ports:\n"
                    "  - name: http\n"
                    "    port: 8000\n"
                    "    targetPort: 80\n"
                    "    nodePort: 30080\n"
                    "  - {name: web, port: 8001, targetPort: web, appProtocol: http, protocol: TCP}\n"
                    "  - {name: udp, port: 8001, protocol: UDP}\n"
                    "  selector:\n"
                    "    app: httpbin\n"
                    "status: {loadBalancer: {}}\n");
    const struct um_service *s = d.resources.services;
    assert_str(s->cluster_ip, "None");
    assert_true(s->publish_not_ready_addresses.value);
    assert_int_equal(s->n_ports, 3);
    assert_str(s->ports[0].target_port, "80");
    assert_str(s->ports[1].target_port, "web");
    assert_null(s->ports[2].target_port.p);
    assert_str(*um_pairs_get(&s->selector, UM_STR("app")), "httpbin");
    assert_str(*um_pairs_get(&s->meta.labels, UM_STR("app")), "httpbin");
    decoded_release(&d);
}

static void services_that_are_refused(void **state)
{
    static const struct saying SAYINGS[] = {
        {"spec: {ports: [{port: 80, name: a}, {port: 80, name: b}]}\n",
         "1:44: error: spec.ports[1].port: ports[0] has the same number"},
        {"spec: {ports: [{port: 80, name: a}, {port: 81, name: a}]}\n",
         "1:54: error: spec.ports[1].name: ports[0] has the same name"},
        {"spec: {ports: [{port: 80}, {port: 81, name: a}]}\n",
         "1:16: error: spec.ports[0].name: is missing: a Service with several ports names each"},
        {"spec: {ports: [{port: '80'}]}\n",
         "1:23: error: spec.ports[0].port: must be a whole number, not text (remove the quotes)"},
        {"spec: {ports: [{port: 0x50}]}\n", "1:23: error: spec.ports[0].port: must be a whole number, not 0x50"},
        {"spec: {ports: [{name: a}]}\n", "1:16: error: spec.ports[0].port: is missing"},
        {"spec: {ports: [{port: 80, targetPort: true}]}\n",
         "1:39: error: spec.ports[0].targetPort: must be text, but `true` without quotes is a boolean (quote it: "
         "\"true\")"},
        {"spec: {type: ExternalName}\n", "1:1: error: spec.externalName: is missing: type is ExternalName"},
        {"spec: {type: ExternalName, externalName: a.example.com}\n", ""},
        {"spec: {selector: {app: on}}\n",
         "1:24: error: spec.selector.app: must be text, but `on` without quotes is a boolean (quote it: \"on\")"},
    };
    EXPECT_SAYINGS("apiVersion: v1\nkind: Service\nmetadata: {name: a}\n", 3, "Service/default/a", SAYINGS);
}

static void an_endpoint_slice(void **state)
{
    struct decoded d;
    decode_well(&d, "apiVersion: discovery.k8s.io/v1\n"
                    "kind: EndpointSlice\n"
                    "metadata:\n"
                    "  name: httpbin-x\n"
                    "  labels: {kubernetes.io/service-name: httpbin}\n"
                    "addressType: IPv4\n"
                    "ports:\n"
                    "- {name: http, port: 8080, protocol: TCP}\n"
                    "- {name: '', port: ~}\n"
                    "endpoints:\n"
                    "- addresses: [10.0.0.1]\n"
                    "  conditions: {ready: true, serving: true, terminating: false}\n"
                    "  nodeName: node\n"
                    "  zone: z\n"
                    "  targetRef: {kind: Pod, name: httpbin-v1, namespace: default, uid: x}\n"
                    "- addresses: [10.0.0.2]\n"
                    "  conditions: {ready: false}\n");
    const struct um_endpoint_slice *slice = d.resources.endpoint_slices;
    assert_str(slice->address_type, "IPv4");
    assert_int_equal(slice->n_ports, 2);
    assert_str(slice->ports[1].name, "");
    assert_false(slice->ports[1].port.is_set);
    assert_int_equal(slice->n_endpoints, 2);
    assert_true(slice->endpoints[0].ready.value);
    assert_str(slice->endpoints[0].target_ref->name, "httpbin-v1");
    assert_true(slice->endpoints[1].ready.is_set);
    assert_false(slice->endpoints[1].ready.value);
    assert_str(um_place_path(&slice->endpoints[1].place, "addresses[0]", &d.arena), "endpoints[1].addresses[0]");
    assert_int_equal(um_place_pos(&slice->endpoints[1].place, "addresses[0]").column, 15);
    decoded_release(&d);
}

static void slices_that_are_refused(void **state)
{
    static const struct saying SAYINGS[] = {
        {"addressType: IPv5\n", "1:14: error: addressType: must be IPv4, IPv6 or FQDN"},
        {"endpoints: []\n", "-2:1: error: addressType: is missing"},
        {"addressType: IPv4\nendpoints: [{addresses: [10.0.0.300]}]\n",
         "2:26: error: endpoints[0].addresses[0]: must be an IP address"},
        {"addressType: FQDN\nendpoints: [{addresses: [a.example]}]\n", ""},
        {"addressType: IPv4\nendpoints: [{}]\n", "2:13: error: endpoints[0].addresses: is missing"},
        {"addressType: IPv4\nports: [{port: 65536}]\n",
         "2:16: error: ports[0].port: must be between 1 and 65535, not 65536"},
    };
    EXPECT_SAYINGS("apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
                   "metadata: {name: a, labels: {kubernetes.io/service-name: b}}\n",
                   3, "EndpointSlice/default/a", SAYINGS);
    static const struct saying NO_SERVICE[] = {
        {"addressType: IPv4\n",
         "-0:1: warning: metadata.labels: belongs to no Service: the label kubernetes.io/service-name is missing"},
    };
    EXPECT_SAYINGS("apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: a}\n", 3,
                   "EndpointSlice/default/a", NO_SERVICE);
}

static void endpoints(void **state)
{
    struct decoded d;
    decode_well(&d, "apiVersion: v1\n"
                    "kind: Endpoints\n"
                    "metadata: {name: httpbin}\n"
                    "subsets:\n"
                    "- addresses: [{ip: 10.0.0.1, targetRef: {kind: Pod, name: p}}]\n"
                    "  notReadyAddresses: [{ip: 10.0.0.2}]\n"
                    "  ports: [{name: http, port: 8080}]\n");
    const struct um_endpoint_subset *subset = d.resources.endpoints[0].subsets;
    assert_str(subset->addresses[0].ip, "10.0.0.1");
    assert_str(subset->addresses[0].target_ref->name, "p");
    assert_str(subset->not_ready_addresses[0].ip, "10.0.0.2");
    assert_int_equal(subset->ports[0].port.value, 8080);
    decoded_release(&d);
}

static void pods(void **state)
{
    struct decoded d;
    decode_well(&d, "apiVersion: v1\n"
                    "kind: Pod\n"
                    "metadata: {name: a, labels: {version: v1}}\n"
                    "spec:\n"
                    "  serviceAccountName: sa\n"
                    "  containers:\n"
                    "  - {name: c, image: x, ports: [{name: web, containerPort: 8080}]}\n"
                    "status:\n"
                    "  podIP: 10.0.0.1\n"
                    "  podIPs: [{ip: 10.0.0.1}]\n"
                    "  conditions: [{type: Initialized, status: 'True'}, {type: Ready, status: 'False'}]\n"
                    "---\n"
                    "apiVersion: v1\n"
                    "kind: Pod\n"
                    "metadata: {name: b}\n"
                    "status: {podIP: 10.0.0.2, conditions: [{type: Ready, status: 'True'}]}\n"
                    "---\n"
                    "apiVersion: v1\n"
                    "kind: Pod\n"
                    "metadata: {name: c}\n");
    const struct um_pod *pods = d.resources.pods;
    assert_int_equal(d.resources.n_pods, 3);
    assert_str(pods[0].pod_ip, "10.0.0.1");
    assert_int_equal(pods[0].containers[0].ports[0].container_port.value, 8080);
    assert_str(um_place_path(&pods[0].pod_ips[0].place, "ip", &d.arena), "status.podIPs[0].ip");
    assert_false(pods[0].is_ready);
    assert_true(pods[1].is_ready);
    assert_true(pods[2].is_ready);
    decoded_release(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_service),         cmocka_unit_test(services_that_are_refused),
        cmocka_unit_test(an_endpoint_slice), cmocka_unit_test(slices_that_are_refused),
        cmocka_unit_test(endpoints),         cmocka_unit_test(pods),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
