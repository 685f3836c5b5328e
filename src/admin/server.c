/* SPDX-License-Identifier: Apache-2.0
 * The process itself: state, version, flags, memory, sockets, and the verbs that concern all of it. */
#include "admin/call.h"

#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

/* ---- state ---------------------------------------------------------------------------------------- */

const char *um_admin_state_name(enum um_admin_state state)
{
    static const char *const NAMES[] = {
        [UM_ADMIN_INITIALIZING] = "INITIALIZING", [UM_ADMIN_LIVE] = "LIVE", [UM_ADMIN_DRAINING] = "DRAINING"};
    return NAMES[state];
}

void um_admin_get_ready(struct um_admin_call *call)
{
    enum um_admin_state state = call->view->state;
    um_admin_say(call, state == UM_ADMIN_LIVE ? 200 : 503, "%s", um_admin_state_name(state));
}

static json_t *labels_of(const struct um_admin_view *view)
{
    json_t *labels = json_object();
    for (uint32_t i = 0; i < view->n_labels; i++)
        um_json_set_named(&labels, view->labels[i].key, um_json_str(view->labels[i].value));
    return labels;
}

/* type~address~name.namespace~domain, as istiod's clients name themselves */
static json_t *node_id(const struct um_admin_view *view)
{
    struct um_buf id;
    char ip[UM_SOCKADDR_TEXT_BYTES];
    um_buf_init(&id, 0);
    um_sockaddr_ip_text(&view->admin_address, ip);
    struct um_str ns = view->namespace_name;
    um_buf_addf(&id, "%s~%s~umbra.%.*s~%.*s.svc.cluster.local", view->is_gateway ? "router" : "sidecar", ip,
                UM_STR_ARG(ns), UM_STR_ARG(ns));
    json_t *made = id.failed ? NULL : um_json_str(um_buf_str(&id));
    um_buf_release(&id);
    return made;
}

json_t *um_admin_node(const struct um_admin_view *view)
{
    json_t *metadata = json_object(), *node = json_object();
    um_json_set(&metadata, "NAMESPACE", um_json_str(view->namespace_name));
    um_json_set_filled(&metadata, "LABELS", labels_of(view));
    um_json_set(&node, "id", node_id(view));
    um_json_set(&node, "cluster", json_string("umbra"));
    um_json_set(&node, "metadata", metadata);
    um_json_set(&node, "user_agent_name", json_string("umbra"));
    um_json_set(&node, "user_agent_version", um_json_str(view->stats.version));
    return node;
}

void um_admin_get_server_info(struct um_admin_call *call)
{
    const struct um_admin_view *view = call->view;
    json_t *flags = json_object(), *info = json_object();
    um_json_set(&flags, "concurrency", um_json_u64(view->n_workers));
    for (uint32_t i = 0; i < view->n_flags; i++)
        um_json_set_named(&flags, view->flags[i].name, um_json_str(view->flags[i].value));
    um_json_set(&info, "version", um_json_str(view->stats.version));
    um_json_set(&info, "state", json_string(um_admin_state_name(view->state)));
    um_json_set(&info, "uptime_current_epoch", um_json_duration(view->stats.uptime_s * 1000));
    um_json_set(&info, "uptime_all_epochs", um_json_duration(view->stats.uptime_s * 1000));
    um_json_set(&info, "command_line_options", flags);
    um_json_set(&info, "node", um_admin_node(view));
    um_admin_say_json(call, info);
}

/* ---- what it holds -------------------------------------------------------------------------------- */

/* TLS is not served or spoken: there are none */
void um_admin_get_certs(struct um_admin_call *call)
{
    um_admin_say_json(call, json_pack("{s:[]}", "certificates"));
}

static uint64_t resident_bytes(void)
{
    unsigned long long pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    char line[128];
    if (!f)
        return 0;
    if (fgets(line, sizeof line, f)) {
        struct um_str rest = um_str_from(line), size, resident;
        uint64_t n;
        if (um_str_split(&rest, ' ', &size) && um_str_split(&rest, ' ', &resident) &&
            um_str_to_u64(resident, UINT32_MAX, &n) == 0)
            pages = n;
    }
    fclose(f);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

void um_admin_get_memory(struct um_admin_call *call)
{
    struct mallinfo2 m = mallinfo2();
    json_t *memory = json_object();
    um_json_set(&memory, "allocated", um_json_u64_text(m.uordblks + m.hblkhd));
    um_json_set(&memory, "heap_size", um_json_u64_text(m.arena + m.hblkhd));
    um_json_set(&memory, "pageheap_free", um_json_u64_text(m.fordblks));
    um_json_set(&memory, "total_physical_bytes", um_json_u64_text(resident_bytes()));
    um_admin_say_json(call, memory);
}

static json_t *listeners_json(const struct um_admin_view *view)
{
    json_t *statuses = json_array();
    for (uint32_t i = 0; i < view->n_listeners; i++)
        um_json_append(&statuses, json_pack("{s:o, s:o}", "name", um_json_str(view->listeners[i].name), "local_address",
                                            um_json_address(&view->listeners[i].bound)));
    return json_pack("{s:o}", "listener_statuses", statuses);
}

void um_admin_get_listeners(struct um_admin_call *call)
{
    const struct um_admin_view *view = call->view;
    if (um_admin_param_is(call, "format", "json")) {
        um_admin_say_json(call, listeners_json(view));
        return;
    }
    for (uint32_t i = 0; i < view->n_listeners; i++) {
        char address[UM_SOCKADDR_TEXT_BYTES];
        um_sockaddr_text(&view->listeners[i].bound, address);
        um_buf_addf(&call->response->body, "%.*s::%s\n", UM_STR_ARG(view->listeners[i].name), address);
    }
}

/* ---- verbs ---------------------------------------------------------------------------------------- */

static void say_done(struct um_admin_call *call, int rc, const char *text)
{
    if (rc)
        um_admin_say(call, 500, "%s", um_err_text(rc));
    else
        um_admin_say(call, 200, "%s", text);
}

void um_admin_post_logging(struct um_admin_call *call)
{
    static const char *const LEVELS[] = {
        [UM_LOG_DEBUG] = "debug", [UM_LOG_INFO] = "info", [UM_LOG_WARNING] = "warning", [UM_LOG_ERROR] = "error"};
    for (int level = UM_LOG_DEBUG; level <= UM_LOG_ERROR; level++)
        if (um_admin_param_is(call, "level", LEVELS[level]))
            say_done(call, call->actions->set_log_level(call->actions->ctx, (enum um_log_level)level), "OK");
}

void um_admin_post_quit(struct um_admin_call *call)
{
    say_done(call, call->actions->quit(call->actions->ctx), "OK");
}

void um_admin_post_reload(struct um_admin_call *call)
{
    say_done(call, call->actions->reload(call->actions->ctx),
             "OK: begun; umbra_config_last_reload_success and /config_dump show what came of it");
}
