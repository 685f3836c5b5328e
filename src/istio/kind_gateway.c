/* SPDX-License-Identifier: Apache-2.0 */
#include "istio/decode.h"
#include "istio/kind_rules.h"

/* ---- tls ---- */

static const struct um_enum_name TLS_MODES[] = {
    {"PASSTHROUGH", UM_SERVER_TLS_PASSTHROUGH},
    {"SIMPLE", UM_SERVER_TLS_SIMPLE},
    {"MUTUAL", UM_SERVER_TLS_MUTUAL},
    {"AUTO_PASSTHROUGH", UM_SERVER_TLS_AUTO_PASSTHROUGH},
    {"ISTIO_MUTUAL", UM_SERVER_TLS_ISTIO_MUTUAL},
    {"OPTIONAL_MUTUAL", UM_SERVER_TLS_OPTIONAL_MUTUAL},
    {NULL, 0},
};

static void set_has_mode(struct um_decoder *d, void *object)
{
    struct um_server_tls *tls = object;
    tls->has_mode = um_place_has(&tls->place, "mode");
}

static const struct um_field_row TLS_ROWS[] = {
    UM_ROW(OPT_BOOL, "httpsRedirect", um_server_tls, https_redirect),
    UM_ROW(ENUM, "mode", um_server_tls, mode, .names = TLS_MODES),
    UM_ROW(TEXT, "serverCertificate", um_server_tls, server_certificate),
    UM_ROW(TEXT, "privateKey", um_server_tls, private_key),
    UM_ROW(TEXT, "caCertificates", um_server_tls, ca_certificates),
    UM_ROW(TEXT, "caCrl", um_server_tls, ca_crl),
    UM_ROW(TEXT, "credentialName", um_server_tls, credential_name),
    UM_ROW(TEXTS, "credentialNames", um_server_tls, credential_names),
    UM_ROW_UNREAD("tlsCertificates"),
    UM_ROW(TEXTS, "subjectAltNames", um_server_tls, subject_alt_names),
    UM_ROW(TEXTS, "verifyCertificateSpki", um_server_tls, verify_certificate_spki),
    UM_ROW(TEXTS, "verifyCertificateHash", um_server_tls, verify_certificate_hash),
    UM_ROW_UNREAD("minProtocolVersion"),
    UM_ROW_UNREAD("maxProtocolVersion"),
    UM_ROW(TEXTS, "cipherSuites", um_server_tls, cipher_suites),
};
static const struct um_table tls_table = UM_TABLE(TLS_ROWS, um_server_tls, .check = set_has_mode);

/* ---- servers ---- */

static bool is_one_of(struct um_str protocol, const char *const *names)
{
    for (; *names; names++)
        if (um_str_ieq(protocol, um_str_from(*names)))
            return true;
    return false;
}

static void check_server_tls(struct um_decoder *d, const struct um_server *s)
{
    static const char *const PLAIN[] = {"HTTP", "HTTP2", "GRPC", "GRPC-WEB", NULL};
    static const char *const SECURE[] = {"HTTPS", "TLS", NULL};
    bool has_tls = um_place_has(&s->place, "tls");
    if (is_one_of(s->port->protocol, SECURE) && !has_tls)
        um_decode_fault(d, &s->place, "tls", "is missing: the port's protocol is %.*s", UM_STR_ARG(s->port->protocol));
    if (!is_one_of(s->port->protocol, PLAIN)) {
        um_decode_warning(d, &s->place, "port.protocol", "%.*s is not served yet: no listener is opened for it",
                          UM_STR_ARG(s->port->protocol));
        return;
    }
    if (s->tls && s->tls->has_mode)
        um_decode_fault(d, &s->place, "tls.mode", "cannot stand in a server whose protocol is %.*s",
                        UM_STR_ARG(s->port->protocol));
    if (s->tls && s->tls->https_redirect.value)
        um_decode_fault(d, &s->place, "tls.httpsRedirect", "is not supported yet");
}

static void check_server(struct um_decoder *d, void *object)
{
    const struct um_server *s = object;
    if (!um_place_has(&s->place, "hosts"))
        um_decode_fault(d, &s->place, "hosts", "is missing");
    if (s->port && s->port->protocol.n)
        check_server_tls(d, s);
    else if (s->port && !um_place_has(&s->port->place, "protocol"))
        um_decode_fault(d, &s->port->place, "protocol", "is missing");
}

static const struct um_field_row SERVER_ROWS[] = {
    UM_ROW(OBJECT, "port", um_server, port, .table = &um_entry_port_table, .is_required = true),
    UM_ROW(TEXT, "bind", um_server, bind, .support = UM_NO_EFFECT, .note = "`--bind` says where to listen"),
    UM_ROW(TEXTS, "hosts", um_server, hosts, .rule = um_rule_server_host),
    UM_ROW(OBJECT, "tls", um_server, tls, .table = &tls_table),
    UM_ROW(TEXT, "defaultEndpoint", um_server, default_endpoint, .support = UM_NO_EFFECT),
    UM_ROW(TEXT, "name", um_server, name),
};
static const struct um_table server_table = UM_TABLE(SERVER_ROWS, um_server, .check = check_server);

/* ---- spec ---- */

static void check_gateway(struct um_decoder *d, void *object)
{
    const struct um_gateway *g = object;
    struct um_map names;
    um_map_init(&names);
    for (uint32_t i = 0; i < g->n_servers; i++) {
        struct um_server *server = &g->servers[i];
        const struct um_server *first = NULL;
        if (server->port && server->port->name.n)
            first = um_decode_claim(d, &names, server->port->name, server);
        if (first)
            um_decode_fault(d, &server->place, "port.name", "servers[%d] has a port of the same name",
                            (int)first->place.index);
    }
    um_map_release(&names);
    if (!um_place_has(&g->place, "servers"))
        um_decode_fault(d, &g->place, "servers", "is missing");
}

static const struct um_field_row GATEWAY_ROWS[] = {
    UM_ROW_LIST(OBJECTS, "servers", um_gateway, servers, .table = &server_table),
    UM_ROW(PAIRS, "selector", um_gateway, selector),
};
const struct um_table um_gateway_table = UM_TABLE(GATEWAY_ROWS, um_gateway, .check = check_gateway);
