/* SPDX-License-Identifier: Apache-2.0
 * The request that `umbra explain` is asked about: written out as a client would send it, and read by the same parser
 * that reads clients, so that both judge alike. */
#include "app/explain.h"

#include "http/url.h"

struct url {
    struct um_str host, port, path; /* host with its brackets */
};

static int refuse(struct um_str what, struct um_buf *error, const char *why)
{
    um_buf_addf(error, "'%.*s': %s", UM_STR_ARG(what), why);
    return UM_EINVAL;
}

/* bytes that would end the request line or a field of the text that is made here */
static bool has_blank(struct um_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7F)
            return true;
    return false;
}

static int check_fields(const struct um_named_value *headers, uint32_t n, struct um_buf *error)
{
    for (uint32_t i = 0; i < n; i++)
        if (!um_is_token(headers[i].name) || !um_is_field_value(headers[i].value)) {
            um_buf_addf(error, "'%.*s: %.*s': expected a header field, 'NAME: VALUE'", UM_STR_ARG(headers[i].name),
                        UM_STR_ARG(headers[i].value));
            return UM_EINVAL;
        }
    return 0;
}

static int split_url(struct um_str url, struct url *u, struct um_buf *error)
{
    struct um_str scheme = UM_STR("http://"), rest = um_str_skip(url, scheme.n);
    if (um_str_istarts(url, UM_STR("https://")))
        return refuse(url, error, "https is not served: expected http://host[:port]/path");
    if (!um_str_istarts(url, scheme))
        return refuse(url, error, "expected http://host[:port]/path");
    if (has_blank(url))
        return refuse(url, error, "a URL has no white space or control bytes");
    if (um_str_find(url, '#') >= 0)
        return refuse(url, error, "what follows a # is never sent to a server");
    size_t n = 0;
    while (n < rest.n && rest.p[n] != '/' && rest.p[n] != '?')
        n++;
    um_url_split_authority((struct um_str){rest.p, n}, &u->host, &u->port);
    u->path = um_str_skip(rest, n);
    return u->host.n ? 0 : refuse(url, error, "there is no host in it");
}

static int read_port(struct um_str url, struct um_str text, uint16_t *ret_port, struct um_buf *error)
{
    uint64_t port = 80;
    if (text.n && (um_str_to_u64(text, UINT16_MAX, &port) || port == 0))
        return refuse(url, error, "a port is a number from 1 to 65535");
    *ret_port = (uint16_t)port;
    return 0;
}

/* what a client puts into Host; the default port is left out (RFC 9110 section 4.2.3), but CONNECT always has one */
static void add_authority(struct um_buf *out, const struct url *u, uint16_t port, bool wants_port)
{
    um_buf_add(out, u->host);
    if (port != 80 || wants_port)
        um_buf_addf(out, ":%u", (unsigned)port);
}

static bool is_host(struct um_str name)
{
    return um_str_ieq(name, UM_STR("host"));
}

static void write_request(struct um_buf *out, const struct um_explain_request *rq, const struct url *u,
                          const struct um_named_value *headers, uint32_t n)
{
    bool has_host = false, is_connect = um_str_eq(rq->method, UM_STR("CONNECT"));
    um_buf_addf(out, "%.*s ", UM_STR_ARG(rq->method));
    if (is_connect)
        add_authority(out, u, rq->port, true);
    else
        um_buf_addf(out, "%s%.*s", u->path.n && u->path.p[0] == '/' ? "" : "/", UM_STR_ARG(u->path));
    um_buf_add_cstr(out, " HTTP/1.1\r\n");
    for (uint32_t i = 0; i < n; i++)
        has_host |= is_host(headers[i].name);
    if (!has_host) {
        um_buf_add_cstr(out, "Host: ");
        add_authority(out, u, rq->port, is_connect);
        um_buf_add_cstr(out, "\r\n");
    }
    for (uint32_t i = 0; i < n; i++)
        um_buf_addf(out, "%.*s: %.*s\r\n", UM_STR_ARG(headers[i].name), UM_STR_ARG(headers[i].value));
    um_buf_add_cstr(out, "\r\n");
}

static int read_head(struct um_arena *arena, struct um_str bytes, struct um_explain_request *rq)
{
    const struct um_h1_limits limits = {UM_H1_HEAD_BYTES_DEFAULT, UM_H1_FIELDS_DEFAULT};
    size_t scanned = 0;
    bytes = um_arena_str(arena, bytes);
    rq->head.fields = um_arena_array(arena, limits.fields, sizeof *rq->head.fields);
    if (!bytes.p || !rq->head.fields)
        return UM_ENOMEM;
    ptrdiff_t n = um_h1_parse_request(bytes, &limits, &scanned, &rq->head, &rq->fault);
    return n == UM_ENOMEM ? UM_ENOMEM : 0;
}

int um_explain_parse(struct um_arena *arena, struct um_str method, struct um_str url,
                     const struct um_named_value *headers, uint32_t n_headers, struct um_explain_request *ret_request,
                     struct um_buf *ret_error)
{
    struct um_explain_request rq = {.method = method, .url = url};
    struct um_buf text;
    struct url u;
    int rc = method.n == 0         ? refuse(url, ret_error, "expected 'METHOD http://host[:port]/path'")
             : um_is_token(method) ? split_url(url, &u, ret_error)
                                   : refuse(method, ret_error, "expected a method, such as GET");
    if (rc == 0)
        rc = read_port(url, u.port, &rq.port, ret_error);
    if (rc == 0)
        rc = check_fields(headers, n_headers, ret_error);
    if (rc)
        return rc;
    um_buf_init(&text, 0);
    write_request(&text, &rq, &u, headers, n_headers);
    rc = text.failed ? UM_ENOMEM : read_head(arena, um_buf_str(&text), &rq);
    um_buf_release(&text);
    if (rc == 0)
        *ret_request = rq;
    return rc;
}
