/* SPDX-License-Identifier: Apache-2.0
 * Who may ask. The interface has no password: what protects it is the address that it is bound to. A browser on the
 * same machine can reach that address too, so a page of somebody else must be kept out: by a name of its own (DNS
 * rebinding) and by a form that it posts here. */
#include "admin/call.h"
#include "http/url.h"

static bool is_ip(struct um_str host)
{
    struct um_sockaddr addr;
    return um_sockaddr_parse(host, 0, &addr) == 0;
}

static bool is_known_name(const struct um_admin_view *view, struct um_str host)
{
    if (host.n == 0 || um_str_ieq(host, UM_STR("localhost")))
        return true;
    for (uint32_t i = 0; i < view->n_host_names; i++)
        if (um_str_ieq(host, view->host_names[i]))
            return true;
    return false;
}

bool um_admin_check_host(struct um_admin_call *call)
{
    struct um_str host, port;
    um_url_split_authority(call->request->host, &host, &port);
    if (is_ip(host) || is_known_name(call->view, host))
        return true;
    um_admin_say(call, 403,
                 "Host '%.*s' is refused: the admin interface is asked by IP address or as localhost, so that a web "
                 "page cannot reach it by a name of its own",
                 UM_STR_ARG(call->request->host));
    return false;
}

bool um_admin_check_origin(struct um_admin_call *call)
{
    struct um_str origin = call->request->origin, scheme = UM_STR("http://");
    if (origin.n == 0)
        return true;
    if (um_str_istarts(origin, scheme) && um_str_ieq(um_str_skip(origin, scheme.n), call->request->host))
        return true;
    um_admin_say(call, 403, "Origin '%.*s' is refused: a page of another site may not change anything here",
                 UM_STR_ARG(origin));
    return false;
}
