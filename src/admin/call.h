/* SPDX-License-Identifier: Apache-2.0
 * call: one request to the admin interface on its way, and the table of the endpoints. Private to admin/.
 * Thread: the view's. */
#ifndef UM_ADMIN_CALL_H
#define UM_ADMIN_CALL_H

#include "admin/admin.h"
#include "admin/json.h"

enum { UM_ADMIN_PARAMS_MAX = 8 };

struct um_admin_param {
    struct um_str name, value; /* percent-decoded */
};

struct um_admin_call {
    const struct um_admin_request *request;
    const struct um_admin_view *view;
    const struct um_snapshot *snapshot; /* the view's, or an empty one */
    const struct um_admin_actions *actions;
    struct um_admin_response *response;
    struct um_arena arena; /* of this call */
    struct um_admin_param params[UM_ADMIN_PARAMS_MAX];
    uint32_t n_params;
};

/* what an endpoint takes; checked before it is called */
struct um_admin_param_rule {
    const char *name;
    const char *choices; /* "text|json"; NULL: any text */
    bool is_required;
    bool is_switch; /* given or not; its value is not looked at */
};

struct um_admin_endpoint {
    const char *path, *help;
    void (*handle)(struct um_admin_call *);
    bool is_write; /* POST; else GET and HEAD */
    bool needs_stats;
    struct um_admin_param_rule params[5];
};

extern const struct um_admin_endpoint um_admin_endpoints[];
extern const size_t um_admin_n_endpoints;

/* ---- call.c ---- */
/* query and form; false: the response says what is wrong */
bool um_admin_read_params(struct um_admin_call *, struct um_str query);
bool um_admin_param(const struct um_admin_call *, const char *name, struct um_str *ret_value);
bool um_admin_param_is(const struct um_admin_call *, const char *name, const char *value);
/* a line of plain text with that status; for errors too */
void um_admin_say(struct um_admin_call *, unsigned status, const char *format, ...) UM_PRINTF(3, 4);
void um_admin_say_json(struct um_admin_call *, json_t *tree); /* takes the tree over */
void um_admin_add_field(struct um_admin_call *, const char *name, const char *value);

/* ---- guard.c: who may ask; false: the response says why not ---- */
bool um_admin_check_host(struct um_admin_call *);
bool um_admin_check_origin(struct um_admin_call *);

/* ---- the endpoints ---- */
void um_admin_get_certs(struct um_admin_call *);
void um_admin_get_clusters(struct um_admin_call *);
void um_admin_get_config_dump(struct um_admin_call *);
void um_admin_get_help(struct um_admin_call *);
void um_admin_get_index(struct um_admin_call *);
void um_admin_get_listeners(struct um_admin_call *);
void um_admin_get_memory(struct um_admin_call *);
void um_admin_get_prometheus(struct um_admin_call *);
void um_admin_get_ready(struct um_admin_call *);
void um_admin_get_server_info(struct um_admin_call *);
void um_admin_get_shadow(struct um_admin_call *);
void um_admin_get_stats(struct um_admin_call *);
void um_admin_post_logging(struct um_admin_call *);
void um_admin_post_quit(struct um_admin_call *);
void um_admin_post_reload(struct um_admin_call *);
void um_admin_post_shadow(struct um_admin_call *);

/* help.c: the list of all endpoints as text; what /help and a 404 show */
void um_admin_print_help(struct um_buf *);

/* server.c: Envoy's core.v3.Node */
json_t *um_admin_node(const struct um_admin_view *);
const char *um_admin_state_name(enum um_admin_state);

/* endpoints of a cluster of the view's snapshot, as they are known now */
struct um_admin_hosts {
    const struct um_endpoint *p;
    uint32_t n;
};
struct um_admin_hosts um_admin_hosts_of(const struct um_admin_view *, const struct um_cluster *);

#endif
