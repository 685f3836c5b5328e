/* SPDX-License-Identifier: Apache-2.0
 * Listeners as Envoy's configuration messages: one filter chain with the HTTP connection manager, which names its route
 * configuration. */
#include "admin/dump.h"

#define UM_HTTP_CONNECTION_MANAGER                                                                                     \
    "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
#define UM_ROUTER "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"

static json_t *stat_prefix(const struct um_listener *l)
{
    struct um_buf text;
    um_buf_init(&text, 0);
    um_buf_addf(&text, "outbound_%.*s", UM_STR_ARG(l->name));
    json_t *made = text.failed ? NULL : um_json_str(um_buf_str(&text));
    um_buf_release(&text);
    return made;
}

static json_t *connection_manager(const struct um_listener *l)
{
    json_t *hcm = json_object();
    um_json_set(&hcm, "@type", json_string(UM_HTTP_CONNECTION_MANAGER));
    um_json_set(&hcm, "stat_prefix", stat_prefix(l));
    um_json_set(&hcm, "rds", json_pack("{s:o}", "route_config_name", um_json_str(l->routes->name)));
    um_json_set(&hcm, "http_filters",
                json_pack("[{s:s, s:{s:s}}]", "name", "envoy.filters.http.router", "typed_config", "@type", UM_ROUTER));
    if (l->is_gateway)
        um_json_set(&hcm, "use_remote_address", json_true());
    um_json_set(&hcm, "normalize_path", json_true());
    return json_pack("{s:s, s:o}", "name", "envoy.filters.network.http_connection_manager", "typed_config", hcm);
}

static json_t *listener_json(const struct um_listener *l)
{
    json_t *out = json_object();
    um_json_set(&out, "@type", json_string("type.googleapis.com/envoy.config.listener.v3.Listener"));
    um_json_set(&out, "name", um_json_str(l->name));
    um_json_set(&out, "address", um_json_address(&l->addr));
    um_json_set(&out, "filter_chains", json_pack("[{s:[o]}]", "filters", connection_manager(l)));
    um_json_set(&out, "traffic_direction", json_string("OUTBOUND"));
    return out;
}

/* a refused reload is refused as a whole: every listener shows it, for it is there that people look */
static json_t *error_state(const struct um_dump *dump)
{
    return json_pack("{s:o, s:o}", "last_update_attempt", um_json_time(dump->view->reload_wall_ns), "details",
                     um_json_str(dump->view->reload_error));
}

static json_t *dynamic_listener(const struct um_dump *dump, const struct um_listener *l)
{
    json_t *out = json_object();
    um_json_set(&out, "name", um_json_str(l->name));
    um_json_set(&out, "active_state",
                json_pack("{s:o, s:o, s:o}", "version_info", um_dump_version(dump), "listener", listener_json(l),
                          "last_updated", um_dump_updated(dump)));
    if (dump->view->reload_error.n)
        um_json_set(&out, "error_state", error_state(dump));
    return out;
}

json_t *um_dump_listeners(const struct um_dump *dump)
{
    json_t *listeners = json_array(), *out = json_object();
    for (uint32_t i = 0; i < dump->snapshot->n_listeners; i++)
        if (um_dump_wants(dump, dump->snapshot->listeners[i].name))
            um_json_append(&listeners, dynamic_listener(dump, &dump->snapshot->listeners[i]));
    um_json_set(&out, "version_info", um_dump_version(dump));
    um_json_set_filled(&out, "dynamic_listeners", listeners);
    return out;
}
