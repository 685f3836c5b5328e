/* SPDX-License-Identifier: Apache-2.0 */
#include "decode_kit.h"

#define HEAD                                                                                                           \
    "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: a}\nspec:\n  hosts: [a.example]\n"
#define PORTS "  ports: [{number: 80, name: http, protocol: HTTP}]\n"

static void the_cross_cluster_tutorial(void **state)
{
    struct decoded d;
    decode_well(&d, "apiVersion: networking.istio.io/v1alpha3\n"
                    "kind: ServiceEntry\n"
                    "metadata:\n"
                    "  name: httpbin-cluster-b\n"
                    "spec:\n"
                    "  hosts:\n"
                    "  - httpbin.mirror.cluster-b\n"
                    "  location: MESH_EXTERNAL\n"
                    "  ports:\n"
                    "  - number: 80\n"
                    "    name: http\n"
                    "    protocol: HTTP\n"
                    "  resolution: STATIC\n"
                    "  endpoints:\n"
                    "  - address: 192.0.2.1\n");
    const struct um_service_entry *se = d.resources.service_entries;
    assert_int_equal(se->location, UM_LOCATION_MESH_EXTERNAL);
    assert_int_equal(se->resolution, UM_RESOLUTION_STATIC);
    assert_int_equal(se->ports[0].number.value, 80);
    assert_str(se->ports[0].protocol, "HTTP");
    assert_str(se->endpoints[0].address, "192.0.2.1");
    assert_false(se->has_workload_selector);
    decoded_release(&d);
}

static void every_field_that_is_served(void **state)
{
    struct decoded d;
    decode_well(&d, HEAD "  addresses: [10.0.0.1, 10.1.0.0/16, '2001:db8::/32']\n"
                         "  exportTo: ['~']\n"
                         "  location: MESH_INTERNAL\n"
                         "  resolution: DNS\n"
                         "  ports:\n"
                         "  - {number: 80, name: http, protocol: http, targetPort: 8080}\n"
                         "  - {number: 81, name: grpc-web, protocol: GRPC-Web}\n"
                         "  endpoints:\n"
                         "  - address: b.example\n"
                         "    ports: {http: 9090}\n"
                         "    labels: {version: v1}\n"
                         "    locality: r/z/s\n"
                         "    network: net\n"
                         "    serviceAccount: sa\n"
                         "    weight: 20\n");
    const struct um_service_entry *se = d.resources.service_entries;
    assert_int_equal(se->addresses.n, 3);
    assert_int_equal(se->ports[0].target_port.value, 8080);
    assert_str(se->endpoints[0].ports.items[0].name, "http");
    assert_int_equal(se->endpoints[0].ports.items[0].number, 9090);
    assert_int_equal(se->endpoints[0].weight.value, 20);
    assert_str(se->endpoints[0].locality, "r/z/s");
    decoded_release(&d);
}

/* what istiod accepts against expectation */
static void odd_and_accepted(void **state)
{
    static const struct saying SAYINGS[] = {
        {"  resolution: STATIC\n", ""},
        {PORTS "  resolution: STATIC\n", ""},
        {PORTS "  resolution: DNS\n", ""},
        {PORTS "  resolution: STATIC\n  endpoints: [{address: 'unix:///run/a.sock'}]\n", ""},
        {PORTS "  resolution: STATIC\n  workloadSelector: {labels: {app: a}}\n", ""},
    };
    EXPECT_SAYINGS(HEAD, 5, "ServiceEntry/default/a", SAYINGS);
}

static void what_is_refused(void **state)
{
    static const struct saying SAYINGS[] = {
        {"  ports: [{number: 80, name: a}, {number: 80, name: b}, {number: 81, name: a}]\n",
         "1:43: error: spec.ports[1].number: ports[0] has the same number\n"
         "1:76: error: spec.ports[2].name: ports[0] has the same name"},
        {"  ports: [{name: a}]\n", "1:11: error: spec.ports[0].number: is missing"},
        {"  ports: [{number: 80}]\n", "1:11: error: spec.ports[0].name: is missing"},
        {"  ports: [{number: 80, name: a.b}]\n",
         "1:30: error: spec.ports[0].name: must be a DNS label: letters, digits and `-`, at most 63"},
        {"  ports: [{number: 80, name: a, protocol: SMTP}]\n",
         "1:43: error: spec.ports[0].protocol: must be a protocol such as HTTP, HTTPS, HTTP2, GRPC, TCP or TLS"},
        {"  endpoints: [{address: 10.0.0.1}]\n",
         "1:3: error: spec.endpoints: cannot stand beside `resolution: NONE`, the default (say `resolution: STATIC` or "
         "DNS)"},
        {"  resolution: STATIC\n  endpoints: [{address: b.example}]\n",
         "2:25: error: spec.endpoints[0].address: must be an IP address under `resolution: STATIC` (names need "
         "`resolution: DNS`)"},
        {"  resolution: DNS\n  endpoints: [{address: 'unix:///a'}]\n",
         "2:25: error: spec.endpoints[0].address: a unix socket needs `resolution: STATIC`"},
        {"  resolution: STATIC\n  endpoints: [{labels: {a: b}}]\n",
         "2:15: error: spec.endpoints[0].address: is missing"},
        {"  resolution: STATIC\n" PORTS "  endpoints: [{address: 10.0.0.1, ports: {grpc: 1, http: 70000}}]\n",
         "3:35: error: spec.endpoints[0].ports: `grpc` is not the name of one of the ServiceEntry's ports\n"
         "3:58: error: spec.endpoints[0].ports.http: must be between 1 and 65535, not 70000"},
        {"  resolution: DNS_ROUND_ROBIN\n  endpoints: [{address: a.b}, {address: c.d}]\n",
         "2:3: error: spec.endpoints: `resolution: DNS_ROUND_ROBIN` takes one endpoint"},
        {"  resolution: DYNAMIC_DNS\n", "1:15: error: spec.resolution: DYNAMIC_DNS is not supported yet"},
        {"  resolution: static\n",
         "1:15: error: spec.resolution: must be one of NONE, STATIC, DNS, DNS_ROUND_ROBIN, DYNAMIC_DNS, not `static`"},
        {"  resolution: STATIC\n  workloadSelector: {labels: {a: b}}\n  endpoints: [{address: 10.0.0.1}]\n",
         "2:3: error: spec.workloadSelector: cannot stand beside `endpoints`"},
        {"  addresses: [10.0.0.0/33]\n",
         "1:15: error: spec.addresses[0]: must be an IP address or a range such as 10.0.0.0/8"},
        {"  subjectAltNames: [a]\n",
         "1:3: warning: spec.subjectAltNames: is accepted and has no effect yet (TLS to the endpoints is not spoken "
         "yet)"},
    };
    EXPECT_SAYINGS(HEAD, 5, "ServiceEntry/default/a", SAYINGS);
}

static void hosts_that_are_refused(void **state)
{
    static const struct saying SAYINGS[] = {
        {"spec: {resolution: STATIC}\n", "1:1: error: spec.hosts: is missing"},
        {"spec: {hosts: ['*']}\n", "1:16: error: spec.hosts[0]: must not be `*`"},
        {"spec: {hosts: ['*.a.b'], resolution: DNS}\n",
         "1:8: error: spec.hosts: a wildcard cannot be resolved: `resolution: DNS` needs endpoints"},
    };
    EXPECT_SAYINGS("apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: a}\n", 3,
                   "ServiceEntry/default/a", SAYINGS);
}

static void workload_entries(void **state)
{
    static const struct saying SAYINGS[] = {
        {"spec: {address: '2001:db8::1', ports: {http: 80}, labels: {app: a}, weight: 1}\n", ""},
        {"spec: {address: a b}\n", "1:17: error: spec.address: is not a valid host name"},
        {"spec: {labels: {app: a}}\n", "1:1: error: spec.address: is missing"},
        {"spec: {address: 10.0.0.1, ports: [80]}\n",
         "1:27: error: spec.ports: must be a mapping of port names to numbers, not a list"},
    };
    static const char HEAD_OF_ENTRY[] =
        "apiVersion: networking.istio.io/v1\nkind: WorkloadEntry\nmetadata: {name: a}\n";
    EXPECT_SAYINGS(HEAD_OF_ENTRY, 3, "WorkloadEntry/default/a", SAYINGS);
    struct decoded d;
    decode_well(&d, "apiVersion: networking.istio.io/v1\nkind: WorkloadEntry\nmetadata: {name: a}\n"
                    "spec: {address: 10.0.0.1, labels: {app: a}}\n");
    assert_str(d.resources.workload_entries[0].workload.address, "10.0.0.1");
    assert_str(um_place_path(&d.resources.workload_entries[0].workload.place, "address", &d.arena), "spec.address");
    decoded_release(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cross_cluster_tutorial), cmocka_unit_test(every_field_that_is_served),
        cmocka_unit_test(odd_and_accepted),           cmocka_unit_test(what_is_refused),
        cmocka_unit_test(hosts_that_are_refused),     cmocka_unit_test(workload_entries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
