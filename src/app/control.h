/* SPDX-License-Identifier: Apache-2.0
 * control: the control thread: it loads configurations, publishes them, asks the workers for their counters, resolves
 * names, serves the admin interface, and decides when to end. Everything here belongs to the control thread.
 *
 *   INITIALIZING -> LIVE -> DRAINING -> stopped
 *
 * A configuration waits (warming) until the names of its DNS clusters have answered or failed once. */
#ifndef UM_APP_CONTROL_H
#define UM_APP_CONTROL_H

#include "admin/admin.h"
#include "app/load.h"
#include "app/publish.h"
#include "io/resolver.h"
#include "source/source.h"
#include "upstream/dns.h"

struct um_admin_server;
struct um_signals;

enum { UM_WARMING_MS = 5000, UM_RELOAD_ERROR_BYTES = 64 << 10, UM_STALL_TIMEOUT_MS = 300000 };

struct um_control {
    const struct um_options *options;
    struct um_loop loop;
    struct um_mailbox mailbox;
    struct um_budget shadow_budget;
    struct um_log_writer *log;
    struct um_worker_settings settings;
    struct um_worker *workers[256];
    unsigned n_workers, n_started, n_drained;
    struct um_resolver *resolver;
    struct um_dns *dns;
    struct um_source *source;
    struct um_publisher publisher;
    struct um_admin_server *admin;
    struct um_watch signals;

    enum um_admin_state state;
    uint64_t start_wall_ns, start_ns;
    struct um_snapshot *candidate; /* warming */
    struct um_timer warming, draining;
    int exit_status;

    uint64_t reloads_succeeded, reloads_failed, reload_failed_wall_ns;
    bool has_last_succeeded;
    struct um_buf reload_error;
    uint64_t snapshot_version;

    struct um_map off_routes; /* C8: labels that are switched off, own memory */
    bool is_all_off;
    uint8_t *is_off; /* by mirror index */
    uint32_t n_is_off;
};

/* `umbra run`: until told to end; the exit status */
int um_control_run(struct um_control *, const struct um_options *);

/* reads and compiles again; the old configuration stays in force unless all is well */
void um_control_reload(struct um_control *);
/* as the first SIGTERM does */
void um_control_drain(struct um_control *);
/* C8; route empty: all. UM_ENOTFOUND: no such route now; UM_ENOMEM */
int um_control_set_shadow(struct um_control *, bool is_on, struct um_str route) UM_MUST_CHECK;

/* ---- scrape.c: the workers' counters, added up ---- */
typedef void um_scraped_f(void *ctx, struct um_worker_stats *total); /* NULL without memory */
int um_control_scrape(struct um_control *, um_scraped_f *, void *ctx) UM_MUST_CHECK;
void um_control_on_scraped(void *server, struct um_worker_scrape *);

/* ---- admin_server.c ---- */
int um_admin_server_new(struct um_control *, struct um_admin_server **ret_admin,
                        struct um_buf *ret_error) UM_MUST_CHECK;
const struct um_sockaddr *um_admin_server_address(const struct um_admin_server *);
void um_admin_server_free(struct um_admin_server *);

#endif
