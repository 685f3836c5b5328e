/* SPDX-License-Identifier: Apache-2.0
 * The table of the endpoints, and the way of a call: who asks, which endpoint, by which method, with which parameters.
 */
#include "admin/call.h"
#include "http/url.h"

#include <assert.h>

const struct um_admin_endpoint um_admin_endpoints[] = {
    {.path = "/", .help = "this list as a page, with forms", .handle = um_admin_get_index},
    {.path = "/certs", .help = "certificates in use", .handle = um_admin_get_certs},
    {.path = "/clusters",
     .help = "clusters, their endpoints and limits",
     .handle = um_admin_get_clusters,
     .needs_stats = true,
     .params = {{.name = "format", .choices = "text|json"}}},
    {.path = "/config_dump",
     .help = "the configuration in force",
     .handle = um_admin_get_config_dump,
     .params =
         {{.name = "resource"}, {.name = "mask"}, {.name = "name_regex"}, {.name = "include_eds", .is_switch = true}}},
    {.path = "/help", .help = "the list of endpoints", .handle = um_admin_get_help},
    {.path = "/listeners",
     .help = "addresses that are listened on",
     .handle = um_admin_get_listeners,
     .params = {{.name = "format", .choices = "text|json"}}},
    {.path = "/logging",
     .help = "sets the level of the messages on standard error",
     .handle = um_admin_post_logging,
     .is_write = true,
     .params = {{.name = "level", .choices = "debug|info|warning|error", .is_required = true}}},
    {.path = "/memory", .help = "memory of the process", .handle = um_admin_get_memory},
    {.path = "/quitquitquit", .help = "drains and exits", .handle = um_admin_post_quit, .is_write = true},
    {.path = "/ready", .help = "200 while requests are served", .handle = um_admin_get_ready},
    {.path = "/reload", .help = "reads the configuration again", .handle = um_admin_post_reload, .is_write = true},
    {.path = "/server_info", .help = "version, state, flags", .handle = um_admin_get_server_info},
    {.path = "/shadow",
     .help = "what became of the copies, by route and shadow",
     .handle = um_admin_get_shadow,
     .needs_stats = true,
     .params = {{.name = "format", .choices = "text|json"}}},
    {.path = "/shadow",
     .help = "switches mirroring off and on: all of it, or one route's",
     .handle = um_admin_post_shadow,
     .is_write = true,
     .params = {{.name = "enable", .choices = "true|false", .is_required = true}, {.name = "route"}}},
    {.path = "/stats",
     .help = "counters and gauges",
     .handle = um_admin_get_stats,
     .needs_stats = true,
     .params = {{.name = "filter"},
                {.name = "usedonly", .is_switch = true},
                {.name = "format", .choices = "text|json|prometheus"}}},
    {.path = "/stats/prometheus",
     .help = "all metrics in Prometheus's text format",
     .handle = um_admin_get_prometheus,
     .needs_stats = true,
     .params = {{.name = "usedonly", .is_switch = true}}},
};
const size_t um_admin_n_endpoints = sizeof um_admin_endpoints / sizeof um_admin_endpoints[0];

/* ---- which endpoint ------------------------------------------------------------------------------- */

static const struct um_admin_endpoint *endpoint_of(struct um_str path, bool is_write)
{
    for (size_t i = 0; i < um_admin_n_endpoints; i++)
        if (um_admin_endpoints[i].is_write == is_write && um_str_eq(path, um_str_from(um_admin_endpoints[i].path)))
            return &um_admin_endpoints[i];
    return NULL;
}

static void refuse_method(struct um_admin_call *call, struct um_str path)
{
    bool is_read = endpoint_of(path, false), is_write = endpoint_of(path, true);
    um_admin_add_field(call, "allow", is_read ? (is_write ? "GET, HEAD, POST" : "GET, HEAD") : "POST");
    um_admin_say(call, 405, "Method %.*s not allowed, %s required.", UM_STR_ARG(call->request->method),
                 is_read && !is_write ? "GET" : "POST");
}

static void refuse_path(struct um_admin_call *call, struct um_str path)
{
    call->response->status = 404;
    um_buf_add_cstr(&call->response->body, "invalid path. ");
    um_admin_print_help(&call->response->body);
}

static const struct um_admin_endpoint *find(struct um_admin_call *call, struct um_str path)
{
    struct um_str method = call->request->method;
    bool is_post = um_str_eq(method, UM_STR("POST"));
    bool is_known = is_post || um_str_eq(method, UM_STR("GET")) || um_str_eq(method, UM_STR("HEAD"));
    const struct um_admin_endpoint *found = is_known ? endpoint_of(path, is_post) : NULL;
    if (found)
        return found;
    if (endpoint_of(path, false) || endpoint_of(path, true))
        refuse_method(call, path);
    else
        refuse_path(call, path);
    return NULL;
}

/* ---- its parameters ------------------------------------------------------------------------------- */

static const struct um_admin_param_rule *rule_of(const struct um_admin_endpoint *e, struct um_str name)
{
    for (const struct um_admin_param_rule *rule = e->params; rule->name; rule++)
        if (um_str_eq(name, um_str_from(rule->name)))
            return rule;
    return NULL;
}

static bool is_choice(const char *choices, struct um_str value)
{
    struct um_str rest = um_str_from(choices), choice;
    while (um_str_split(&rest, '|', &choice))
        if (um_str_eq(value, choice))
            return true;
    return false;
}

static bool check_param(struct um_admin_call *call, const struct um_admin_endpoint *e, const struct um_admin_param *p)
{
    const struct um_admin_param_rule *rule = rule_of(e, p->name);
    const struct um_admin_endpoint *other = endpoint_of(um_str_from(e->path), !e->is_write);
    if (!rule && other && rule_of(other, p->name))
        refuse_method(call, um_str_from(e->path)); /* GET /shadow?enable=false */
    else if (!rule)
        um_admin_say(call, 400, "%s takes no parameter '%.*s'", e->path, UM_STR_ARG(p->name));
    else if (rule->choices && !is_choice(rule->choices, p->value))
        um_admin_say(call, 400, "parameter '%s': expected %s, not '%.*s'", rule->name, rule->choices,
                     UM_STR_ARG(p->value));
    else
        return true;
    return false;
}

static bool check_params(struct um_admin_call *call, const struct um_admin_endpoint *e)
{
    struct um_str value;
    for (uint32_t i = 0; i < call->n_params; i++)
        if (!check_param(call, e, &call->params[i]))
            return false;
    for (const struct um_admin_param_rule *rule = e->params; rule->name; rule++)
        if (rule->is_required && !um_admin_param(call, rule->name, &value)) {
            um_admin_say(call, 400, "%s needs the parameter '%s' (%s)", e->path, rule->name,
                         rule->choices ? rule->choices : "any text");
            return false;
        }
    return true;
}

/* ---- the call ------------------------------------------------------------------------------------- */

static void answer(struct um_admin_call *call)
{
    struct um_str path, query;
    um_url_split(call->request->target, &path, &query);
    if (!um_admin_check_host(call))
        return;
    const struct um_admin_endpoint *e = find(call, path);
    if (!e || (e->is_write && !um_admin_check_origin(call)))
        return;
    assert(!e->needs_stats || call->view->stats.stats);
    if (um_admin_read_params(call, query) && check_params(call, e))
        e->handle(call);
}

void um_admin_handle(const struct um_admin_request *request, const struct um_admin_view *view,
                     const struct um_admin_actions *actions, struct um_admin_response *ret_response)
{
    static const struct um_snapshot NONE;
    struct um_admin_call call = {.request = request,
                                 .view = view,
                                 .snapshot = view->snapshot ? view->snapshot : &NONE,
                                 .actions = actions,
                                 .response = ret_response};
    *ret_response = (struct um_admin_response){.status = 200, .content_type = "text/plain; charset=UTF-8"};
    um_buf_init(&ret_response->body, 0);
    um_arena_init(&call.arena, NULL, 0);
    um_admin_add_field(&call, "cache-control", "no-cache, max-age=0");
    um_admin_add_field(&call, "x-content-type-options", "nosniff");
    answer(&call);
    um_arena_release(&call.arena);
    if (ret_response->body.failed) { /* what is there is cut short: better nothing than half a dump */
        um_buf_clear(&ret_response->body);
        ret_response->content_type = "text/plain; charset=UTF-8";
        um_admin_say(&call, 500, "%s", um_err_text(UM_ENOMEM));
    }
}

void um_admin_response_release(struct um_admin_response *response)
{
    um_buf_release(&response->body);
}

bool um_admin_needs_stats(struct um_str target)
{
    struct um_str path, query;
    um_url_split(target, &path, &query);
    const struct um_admin_endpoint *e = endpoint_of(path, false);
    return e && e->needs_stats;
}
