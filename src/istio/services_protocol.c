/* SPDX-License-Identifier: Apache-2.0 */
#include "istio/services.h"

static const struct {
    struct um_str word;
    enum um_protocol protocol;
} WORDS[] = {
    {UM_STR_INIT("http"), UM_PROTOCOL_HTTP},
    {UM_STR_INIT("http2"), UM_PROTOCOL_HTTP2},
    {UM_STR_INIT("grpc"), UM_PROTOCOL_GRPC},
    {UM_STR_INIT("grpc-web"), UM_PROTOCOL_GRPC_WEB},
    {UM_STR_INIT("https"), UM_PROTOCOL_HTTPS},
    {UM_STR_INIT("tls"), UM_PROTOCOL_TLS},
    {UM_STR_INIT("tcp"), UM_PROTOCOL_TCP},
    {UM_STR_INIT("mongo"), UM_PROTOCOL_TCP},
    {UM_STR_INIT("redis"), UM_PROTOCOL_TCP},
    {UM_STR_INIT("mysql"), UM_PROTOCOL_TCP},
    {UM_STR_INIT("udp"), UM_PROTOCOL_UDP},
    {UM_STR_INIT("kubernetes.io/h2c"), UM_PROTOCOL_HTTP2},
    {UM_STR_INIT("kubernetes.io/ws"), UM_PROTOCOL_HTTP},
    {UM_STR_INIT("kubernetes.io/wss"), UM_PROTOCOL_HTTPS},
};

static bool find_word(struct um_str word, enum um_protocol *ret_protocol)
{
    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++) {
        if (um_str_ieq(WORDS[i].word, word)) {
            *ret_protocol = WORDS[i].protocol;
            return true;
        }
    }
    return false;
}

/* SMTP, DNS, MySQL, MongoDB: the server speaks first, or it is known not to be HTTP */
static bool is_never_http(uint16_t number)
{
    return number == 25 || number == 53 || number == 3306 || number == 27017;
}

enum um_protocol um_protocol_of(struct um_str app_protocol, struct um_str port_name, uint16_t number)
{
    enum um_protocol protocol;
    struct um_str word = app_protocol.n ? app_protocol : port_name;
    if (um_str_istarts(word, UM_STR("grpc-web")))
        return UM_PROTOCOL_GRPC_WEB;
    ptrdiff_t dash = um_str_find(word, '-');
    if (dash >= 0)
        word.n = (size_t)dash;
    if (find_word(word, &protocol))
        return protocol;
    return is_never_http(number) ? UM_PROTOCOL_TCP : UM_PROTOCOL_UNNAMED;
}

const char *um_protocol_name(enum um_protocol protocol)
{
    static const char *const NAMES[] = {
        [UM_PROTOCOL_HTTP] = "HTTP",         [UM_PROTOCOL_HTTP2] = "HTTP/2", [UM_PROTOCOL_GRPC] = "gRPC",
        [UM_PROTOCOL_GRPC_WEB] = "gRPC-Web", [UM_PROTOCOL_UNNAMED] = "HTTP", [UM_PROTOCOL_HTTPS] = "HTTPS",
        [UM_PROTOCOL_TLS] = "TLS",           [UM_PROTOCOL_TCP] = "TCP",      [UM_PROTOCOL_UDP] = "UDP",
    };
    return NAMES[protocol];
}
