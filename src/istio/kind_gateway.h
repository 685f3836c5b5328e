/* SPDX-License-Identifier: Apache-2.0
 * Gateway as decoded (networking.istio.io, gateway.proto). */
#ifndef UM_ISTIO_KIND_GATEWAY_H
#define UM_ISTIO_KIND_GATEWAY_H

#include "istio/kind_service_entry.h"

enum um_server_tls_mode {
    UM_SERVER_TLS_PASSTHROUGH,
    UM_SERVER_TLS_SIMPLE,
    UM_SERVER_TLS_MUTUAL,
    UM_SERVER_TLS_AUTO_PASSTHROUGH,
    UM_SERVER_TLS_ISTIO_MUTUAL,
    UM_SERVER_TLS_OPTIONAL_MUTUAL,
};

struct um_server_tls {
    struct um_place place;
    struct um_opt_bool https_redirect;
    bool has_mode;
    enum um_server_tls_mode mode;
    struct um_str server_certificate, private_key, ca_certificates, ca_crl, credential_name;
    struct um_strs credential_names, subject_alt_names, verify_certificate_spki, verify_certificate_hash, cipher_suites;
};

struct um_server {
    struct um_place place;
    struct um_entry_port *port;
    struct um_str bind, default_endpoint, name;
    struct um_strs hosts; /* "[namespace/]host" */
    struct um_server_tls *tls;
};

struct um_gateway {
    struct um_meta meta;
    struct um_place place; /* of spec */
    struct um_server *servers;
    uint32_t n_servers;
    struct um_pairs selector; /* labels of the proxy; empty: every proxy */
};

#endif
