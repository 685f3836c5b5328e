/* SPDX-License-Identifier: Apache-2.0 */
#include "decode_kit.h"

#define HEAD                                                                                                           \
    "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: g}\nspec:\n  selector: {istio: "              \
    "ingressgateway}\n"
#define PORT "port: {number: 80, name: http, protocol: HTTP}"

static void a_gateway(void **state)
{
    struct decoded d;
    decode_well(&d, HEAD "  servers:\n"
                         "  - port:\n"
                         "      number: 80\n"
                         "      name: http\n"
                         "      protocol: HTTP\n"
                         "    name: main\n"
                         "    hosts: ['*', 'ns/*.example.com', ./a.example.com]\n"
                         "  - port: {number: 8080, name: grpc, protocol: grpc}\n"
                         "    hosts: ['*/b.example.com']\n"
                         "    tls: {httpsRedirect: false}\n");
    const struct um_gateway *g = d.resources.gateways;
    assert_str(*um_pairs_get(&g->selector, UM_STR("istio")), "ingressgateway");
    assert_int_equal(g->n_servers, 2);
    assert_int_equal(g->servers[0].port->number.value, 80);
    assert_str(g->servers[0].hosts.items[1], "ns/*.example.com");
    assert_null(g->servers[0].tls);
    assert_true(g->servers[1].tls->https_redirect.is_set);
    assert_false(g->servers[1].tls->has_mode);
    decoded_release(&d);
}

static void what_is_refused(void **state)
{
    static const struct saying SAYINGS[] = {
        {"  servers: []\n", "1:3: error: spec.servers: is missing"},
        {"  servers: [{hosts: ['*']}]\n", "1:13: error: spec.servers[0].port: is missing"},
        {"  servers: [{" PORT "}]\n", "1:13: error: spec.servers[0].hosts: is missing"},
        {"  servers: [{port: {number: 80, name: http}, hosts: ['*']}]\n",
         "1:14: error: spec.servers[0].port.protocol: is missing"},
        {"  servers: [{port: {number: 80, protocol: HTTP}, hosts: ['*']}]\n",
         "1:14: error: spec.servers[0].port.name: is missing"},
        {"  servers: [{port: {number: 80, name: h, protocol: HTTQ}, hosts: ['*']}]\n",
         "1:52: error: spec.servers[0].port.protocol: must be a protocol such as HTTP, HTTPS, HTTP2, GRPC, TCP or TLS"},
        {"  servers: [{" PORT ", hosts: ['*']}, {port: {number: 81, name: http, protocol: HTTP}, hosts: ['*']}]\n",
         "1:103: error: spec.servers[1].port.name: servers[0] has a port of the same name"},
        {"  servers: [{" PORT ", hosts: [a/b/c, 'a b', 'x_/a', '']}]\n",
         "1:70: error: spec.servers[0].hosts[0]: is not a valid host name\n"
         "1:77: error: spec.servers[0].hosts[1]: is not a valid host name\n"
         "1:84: error: spec.servers[0].hosts[2]: must be a host, or NAMESPACE/HOST\n"
         "1:92: error: spec.servers[0].hosts[3]: must not be empty"},
        {"  servers: [{" PORT ", hosts: ['*'], tls: {mode: SIMPLE, credentialName: c}}]\n",
         "1:88: error: spec.servers[0].tls.mode: cannot stand in a server whose protocol is HTTP"},
        {"  servers: [{" PORT ", hosts: ['*'], tls: {httpsRedirect: true}}]\n",
         "1:97: error: spec.servers[0].tls.httpsRedirect: is not supported yet"},
        {"  servers: [{port: {number: 443, name: https, protocol: HTTPS}, hosts: ['*']}]\n",
         "1:13: error: spec.servers[0].tls: is missing: the port's protocol is HTTPS\n"
         "1:57: warning: spec.servers[0].port.protocol: HTTPS is not served yet: no listener is opened for it"},
        {"  servers: [{port: {number: 443, name: https, protocol: HTTPS}, hosts: ['*'], tls: {mode: EASY}}]\n",
         "1:57: warning: spec.servers[0].port.protocol: HTTPS is not served yet: no listener is opened for it\n"
         "1:91: error: spec.servers[0].tls.mode: must be one of PASSTHROUGH, SIMPLE, MUTUAL, AUTO_PASSTHROUGH, "
         "ISTIO_MUTUAL, OPTIONAL_MUTUAL, not `EASY`"},
        {"  servers: [{" PORT ", hosts: ['*'], bind: 10.0.0.1}]\n",
         "1:76: warning: spec.servers[0].bind: is accepted and has no effect yet (`--bind` says where to listen)"},
        {"  servers: [{" PORT ", hosts: ['*']}]\n  selektor: {}\n",
         "2:3: error: spec.selektor: unknown field `selektor` (did you mean `selector`?)"},
    };
    EXPECT_SAYINGS(HEAD, 5, "Gateway/default/g", SAYINGS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_gateway),
        cmocka_unit_test(what_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
