/* SPDX-License-Identifier: Apache-2.0
 * admin: the admin interface as a function from a request and a view of the process to a response: no sockets, no
 * clocks, nothing remembered between two calls. Envoy's endpoints in Envoy's shape, and /shadow.
 *
 *   head, body -> um_admin_request --+
 *   workers' counters, snapshot ... -> um_admin_view --+--> um_admin_handle --> um_admin_response
 *                                      um_admin_actions (what a POST may do) --+
 *
 * A request may come from a page in a browser: a Host that is neither an IP address nor a known name is refused (DNS
 * rebinding), and so is a POST whose Origin is not this server. Every slice of request and view is borrowed for the
 * time of the call. Errors: every failure is a response. Thread: the view's. */
#ifndef UM_ADMIN_ADMIN_H
#define UM_ADMIN_ADMIN_H

#include "base/buf.h"
#include "base/log.h"
#include "istio/compile_options.h"
#include "model/snapshot.h"
#include "stats/stat_view.h"

enum um_admin_state { UM_ADMIN_INITIALIZING, UM_ADMIN_LIVE, UM_ADMIN_DRAINING };

struct um_admin_request {
    struct um_str method;
    struct um_str target; /* path and query as sent */
    struct um_str host;   /* values of the fields; empty: absent */
    struct um_str origin;
    struct um_str content_type;
    struct um_str body; /* bounded by whoever received it */
};

struct um_admin_listener {
    struct um_str name;
    struct um_sockaddr bound; /* with the port that the kernel gave */
};

/* a flag of the command line as it is in force: "shadow_memory", "67108864" */
struct um_admin_flag {
    struct um_str name, value;
};

struct um_admin_view {
    const struct um_snapshot *snapshot; /* NULL: none yet */
    struct um_stat_view stats;          /* counters may be left out (NULL) where um_admin_needs_stats says no */
    enum um_admin_state state;
    uint64_t start_wall_ns;
    enum um_log_level log_level;

    bool is_gateway;
    struct um_str namespace_name;
    const struct um_label *labels;
    uint32_t n_labels;
    uint32_t n_workers;
    struct um_sockaddr admin_address;
    const struct um_admin_flag *flags;
    uint32_t n_flags;
    const struct um_str *host_names; /* that a Host may have beside IP addresses and localhost */
    uint32_t n_host_names;

    const struct um_admin_listener *listeners;
    uint32_t n_listeners;
    /* what DNS has given, by position in snapshot->clusters; NULL, for all or for one: the endpoints as compiled */
    struct um_endpoint_set *const *endpoint_sets;

    struct um_str reload_error; /* diagnostics of the last reload; empty: it succeeded */
    uint64_t reload_wall_ns;    /* of that failure */

    bool is_all_off;       /* C8: all shadows are switched off */
    const uint8_t *is_off; /* by um_mirror.index; NULL: none is */
    uint32_t n_is_off;
};

/* what the write verbs do; each returns 0 or UM_E* */
struct um_admin_actions {
    void *ctx;
    /* route empty: all of them, and with is_on those that were switched off one by one as well */
    int (*set_shadow)(void *ctx, bool is_on, struct um_str route);
    int (*set_log_level)(void *ctx, enum um_log_level);
    int (*quit)(void *ctx);   /* drain and exit, after this answer */
    int (*reload)(void *ctx); /* begins one; its result shows in the next views */
};

struct um_admin_field {
    const char *name, *value;
};

enum { UM_ADMIN_FIELDS_MAX = 4 };

struct um_admin_response {
    uint16_t status;
    const char *content_type;
    struct um_admin_field fields[UM_ADMIN_FIELDS_MAX];
    uint32_t n_fields;
    struct um_buf body; /* an answer to HEAD has it too: whoever sends it leaves it out */
};

/* fills an uninitialised response; to be released in any case */
void um_admin_handle(const struct um_admin_request *, const struct um_admin_view *, const struct um_admin_actions *,
                     struct um_admin_response *ret_response);
void um_admin_response_release(struct um_admin_response *);

/* whether the answer to that target shows counters, so that the workers must be asked first */
bool um_admin_needs_stats(struct um_str target);

#endif
