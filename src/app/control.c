/* SPDX-License-Identifier: Apache-2.0 */
#include "app/control.h"

#include "app/notify.h"
#include "base/log.h"
#include "istio/compile.h"
#include "source/files.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* ---- publishing ----------------------------------------------------------------------------------- */

static void add_address(struct um_buf *line, const struct um_sockaddr *addr)
{
    char text[UM_SOCKADDR_TEXT_BYTES];
    um_sockaddr_text(addr, text);
    um_buf_add_cstr(line, text);
}

/* one line, once every listener accepts connections */
static void say_ready(struct um_control *s)
{
    struct um_buf line;
    um_buf_init(&line, 0);
    um_buf_add_cstr(&line, "umbra: ready, listening on");
    for (uint32_t i = 0; i < s->publisher.n_listeners; i++) {
        um_buf_add_cstr(&line, i ? ", " : " ");
        add_address(&line, &s->publisher.listeners[i].bound);
    }
    um_buf_add_cstr(&line, "; admin ");
    if (s->admin)
        add_address(&line, um_admin_server_address(s->admin));
    else
        um_buf_add_cstr(&line, "off");
    um_buf_add_char(&line, '\n');
    ssize_t n = write(STDERR_FILENO, line.p, line.n);
    (void)n;
    um_buf_release(&line);
    um_notify("READY=1");
}

static void fail_reload(struct um_control *s, struct um_str why)
{
    s->reloads_failed++;
    s->has_last_succeeded = false;
    s->reload_failed_wall_ns = um_clock_wall_ns();
    um_buf_clear(&s->reload_error);
    um_buf_add(&s->reload_error, (struct um_str){why.p, why.n < UM_RELOAD_ERROR_BYTES ? why.n : UM_RELOAD_ERROR_BYTES});
}

static int refresh_switches(struct um_control *s);

/* the candidate goes into force; at start-up a failure ends the process */
static void publish(struct um_control *s)
{
    struct um_snapshot *candidate = s->candidate;
    struct um_buf why;
    um_buf_init(&why, 0);
    s->candidate = NULL;
    um_timer_stop(&s->warming);
    int rc = um_publish(&s->publisher, &candidate, &why);
    if (rc) {
        um_log(UM_LOG_ERROR, "%.*s", UM_STR_ARG(um_buf_str(&why)));
        fail_reload(s, um_buf_str(&why));
        if (s->state == UM_ADMIN_INITIALIZING) {
            s->exit_status = 1;
            um_loop_stop(&s->loop);
        }
        um_buf_release(&why);
        return;
    }
    um_buf_release(&why);
    s->has_last_succeeded = true;
    s->reloads_succeeded++;
    if (refresh_switches(s))
        um_log(UM_LOG_ERROR, "shadow switches: %s", um_err_text(UM_ENOMEM));
    if (s->state == UM_ADMIN_INITIALIZING) {
        s->state = UM_ADMIN_LIVE;
        say_ready(s);
    } else {
        um_log(UM_LOG_INFO, "configuration %llu is in force", (unsigned long long)s->publisher.current->version);
    }
}

static void on_warming_over(struct um_timer *t)
{
    struct um_control *s = UM_CONTAINER(t, struct um_control, warming);
    if (s->candidate)
        publish(s);
}

static void on_dns_set(void *ctx, struct um_str cluster, struct um_endpoint_set *set)
{
    struct um_control *s = ctx;
    um_publish_endpoints(&s->publisher, cluster, set);
}

static void on_dns_warm(void *ctx)
{
    on_warming_over(&((struct um_control *)ctx)->warming);
}

/* ---- loading -------------------------------------------------------------------------------------- */

static void print_diagnostics(struct um_control *s, const struct um_diag *diag, struct um_buf *out)
{
    (void)s;
    um_diag_print_text(diag, out);
    ssize_t n = out->n ? write(STDERR_FILENO, out->p, out->n) : 0;
    (void)n;
}

static void name_ignored(const struct um_loaded *l)
{
    struct um_buf kinds;
    um_buf_init(&kinds, 0);
    um_loaded_ignored(l, &kinds);
    if (kinds.n)
        um_log(UM_LOG_INFO, "not used: %.*s", UM_STR_ARG(um_buf_str(&kinds)));
    um_buf_release(&kinds);
}

/* nothing to serve is an error: a selector that fits no Gateway, or no configuration at all */
static int check_listeners(const struct um_control *s, const struct um_loaded *l, struct um_buf *why)
{
    if (l->snapshot->n_listeners)
        return 0;
    size_t before = why->n;
    um_buf_add_cstr(why, "umbra: ");
    um_istio_no_listener(&l->resources, &s->options->compile, why);
    um_buf_add_char(why, '\n');
    (void)!write(STDERR_FILENO, why->p + before, why->n - before);
    return UM_EINVAL;
}

/* files -> candidate; UM_EINVAL: refused, said why, nothing changed */
static int load(struct um_control *s)
{
    struct um_loaded loaded;
    struct um_diag diag;
    struct um_buf text;
    um_diag_init(&diag);
    um_buf_init(&text, 0);
    int rc = um_load(&loaded, s->options, &diag);
    print_diagnostics(s, &diag, &text);
    if (rc == 0)
        rc = check_listeners(s, &loaded, &text);
    if (rc == 0)
        rc = um_dns_set_clusters(s->dns, loaded.snapshot->clusters, loaded.snapshot->n_clusters);
    if (rc == 0) {
        if (s->state == UM_ADMIN_INITIALIZING)
            name_ignored(&loaded);
        if (s->candidate)
            um_snapshot_unref(s->candidate);
        s->candidate = loaded.snapshot;
        s->candidate->version = ++s->snapshot_version;
        s->candidate->made_wall_ns = um_clock_wall_ns();
        loaded.snapshot = NULL;
    } else {
        fail_reload(s, text.n ? um_buf_str(&text) : um_str_from(um_err_text(rc)));
    }
    um_loaded_release(&loaded);
    um_diag_release(&diag);
    um_buf_release(&text);
    return rc;
}

static void publish_when_warm(struct um_control *s)
{
    if (um_dns_is_warm(s->dns))
        publish(s);
    else
        um_loop_timer(&s->loop, &s->warming, UM_WARMING_MS);
}

void um_control_reload(struct um_control *s)
{
    if (s->state == UM_ADMIN_DRAINING)
        return;
    if (load(s) == 0)
        publish_when_warm(s);
    else
        um_log(UM_LOG_ERROR, "the new configuration is refused, the old one stays in force");
}

static void on_changed(void *ctx)
{
    um_control_reload(ctx);
}

static void on_source_state(void *ctx, const char *text)
{
    (void)ctx;
    um_log(UM_LOG_WARNING, "%s", text);
}

static int follow_files(struct um_control *s)
{
    const struct um_source_sink sink = {on_changed, on_source_state, s};
    int rc = um_source_files_new(&s->loop, s->options->files, s->options->n_files, &s->source);
    return rc ? rc : um_source_start(s->source, &sink);
}

/* ---- switches (C8) -------------------------------------------------------------------------------- */

static int refresh_switches(struct um_control *s)
{
    const struct um_stat_names *names = &s->publisher.names;
    uint8_t *is_off = calloc(names->n_shadows + 1, 1);
    if (!is_off)
        return UM_ENOMEM;
    for (uint32_t i = 0; i < names->n_shadows; i++)
        is_off[i] = um_map_get(&s->off_routes, names->shadows[i].route) != NULL;
    free(s->is_off);
    s->is_off = is_off;
    s->n_is_off = names->n_shadows;
    return um_publish_switches(&s->publisher, s->is_all_off, is_off, s->n_is_off);
}

static bool has_route(const struct um_control *s, struct um_str route)
{
    const struct um_stat_names *names = &s->publisher.names;
    for (uint32_t i = 0; i < names->n_shadows; i++)
        if (um_str_eq(names->shadows[i].route, route))
            return true;
    return false;
}

static void forget_off_routes(struct um_control *s)
{
    UM_MAP_EACH (entry, &s->off_routes)
        free(entry->value);
    um_map_release(&s->off_routes);
    um_map_init(&s->off_routes);
}

/* the key lives in the value */
static int switch_route(struct um_control *s, bool is_on, struct um_str route)
{
    if (is_on) {
        free(um_map_remove(&s->off_routes, route));
        return 0;
    }
    if (um_map_get(&s->off_routes, route))
        return 0;
    char *own = malloc(route.n + 1);
    if (!own)
        return UM_ENOMEM;
    memcpy(own, route.p, route.n);
    int rc = um_map_put(&s->off_routes, (struct um_str){own, route.n}, own, NULL);
    if (rc)
        free(own);
    return rc;
}

int um_control_set_shadow(struct um_control *s, bool is_on, struct um_str route)
{
    int rc = 0;
    if (route.n == 0) {
        s->is_all_off = !is_on;
        if (is_on)
            forget_off_routes(s);
    } else {
        rc = has_route(s, route) ? switch_route(s, is_on, route) : UM_ENOTFOUND;
    }
    return rc ? rc : refresh_switches(s);
}

/* ---- ending --------------------------------------------------------------------------------------- */

static void on_draining_over(struct um_timer *t)
{
    um_loop_stop(&UM_CONTAINER(t, struct um_control, draining)->loop);
}

static void on_drained(void *server, struct um_worker *w)
{
    struct um_control *s = server;
    (void)w;
    if (++s->n_drained == s->n_workers)
        um_loop_stop(&s->loop);
}

void um_control_drain(struct um_control *s)
{
    if (s->state == UM_ADMIN_DRAINING)
        return;
    um_log(UM_LOG_INFO, "draining");
    um_notify("STOPPING=1");
    s->state = UM_ADMIN_DRAINING;
    for (unsigned i = 0; i < s->n_workers; i++)
        um_worker_drain(s->workers[i]);
    um_loop_timer(&s->loop, &s->draining, s->options->drain_time_ms);
}

static void on_signal(struct um_watch *w, uint32_t events)
{
    struct um_control *s = UM_CONTAINER(w, struct um_control, signals);
    struct signalfd_siginfo info;
    (void)events;
    while (read(w->fd, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGHUP) {
            um_log(UM_LOG_INFO, "SIGHUP: reloading");
            if (s->log)
                um_log_writer_reopen(s->log);
            um_source_kick(s->source);
        } else if (info.ssi_signo == SIGUSR1) {
            if (s->log)
                um_log_writer_reopen(s->log);
        } else if (info.ssi_signo == SIGQUIT || s->state == UM_ADMIN_DRAINING) {
            _exit(128 + (int)info.ssi_signo);
        } else {
            um_control_drain(s);
        }
    }
}

/* ---- life ----------------------------------------------------------------------------------------- */

static int watch_signals(struct um_control *s)
{
    sigset_t set;
    sigemptyset(&set);
    const int numbers[] = {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        sigaddset(&set, numbers[i]);
    signal(SIGPIPE, SIG_IGN);
    pthread_sigmask(SIG_BLOCK, &set, NULL); /* before any thread, so that all inherit it */
    int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return fd < 0 ? um_err_from_errno(errno)
                  : um_loop_watch_level(&s->loop, &s->signals, fd, 1 /* EPOLLIN */, on_signal);
}

static void on_hold_idle(void *server, struct um_hold *hold)
{
    um_publisher_hold_idle(&((struct um_control *)server)->publisher, hold);
}

/* as many descriptors as this user may have */
static void raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int open_log(struct um_control *s)
{
    const struct um_options *o = s->options;
    if (o->access_log == UM_ACCESS_LOG_OFF)
        return 0;
    struct um_str file = o->access_log_file;
    int rc = um_log_writer_new(o->access_log == UM_ACCESS_LOG_FILE ? file.p : NULL, o->access_log_format, &s->log);
    if (rc)
        um_log(UM_LOG_ERROR, "access log %.*s: %s", UM_STR_ARG(file), um_err_text(rc));
    return rc;
}

static void fill_settings(struct um_control *s)
{
    const struct um_options *o = s->options;
    s->shadow_budget.limit_bytes = (int64_t)o->shadow_memory_bytes;
    s->settings = (struct um_worker_settings){
        .downstream = {.limits = o->limits,
                       .head_timeout_ms = o->header_timeout_ms,
                       .idle_timeout_ms = o->idle_timeout_ms,
                       .stall_timeout_ms = UM_STALL_TIMEOUT_MS},
        .shadow_budget = &s->shadow_budget,
        .log = s->log,
        .control = &s->mailbox,
        .on_hold_idle = on_hold_idle,
        .on_scraped = um_control_on_scraped,
        .on_drained = on_drained,
    };
}

static int make_workers(struct um_control *s)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned wanted = s->options->workers ? s->options->workers : cores < 1 ? 1 : cores > 64 ? 64 : (unsigned)cores;
    int rc = 0;
    while (s->n_workers < wanted && rc == 0) {
        rc = um_worker_new(s->n_workers, &s->settings, &s->workers[s->n_workers]);
        s->n_workers += rc == 0;
    }
    return rc;
}

static int start_workers(struct um_control *s)
{
    int rc = 0;
    while (s->n_started < s->n_workers && rc == 0) {
        rc = um_worker_start(s->workers[s->n_started]);
        s->n_started += rc == 0;
    }
    return rc;
}

static int start_admin(struct um_control *s)
{
    struct um_buf why;
    if (!s->options->has_admin)
        return 0;
    um_buf_init(&why, 0);
    int rc = um_admin_server_new(s, &s->admin, &why);
    if (rc)
        um_log(UM_LOG_ERROR, "%.*s", UM_STR_ARG(um_buf_str(&why)));
    um_buf_release(&why);
    return rc;
}

static int start_names(struct um_control *s)
{
    static const struct um_dns_events EVENTS = {on_dns_set, on_dns_warm};
    const struct um_resolver_options options = {0};
    int rc = um_resolver_new(&s->loop, &options, &s->resolver);
    return rc ? rc : um_dns_new(&s->loop, s->resolver, &EVENTS, s, &s->dns);
}

static int start(struct um_control *s)
{
    int rc = watch_signals(s);
    if (rc == 0)
        rc = start_names(s);
    if (rc == 0)
        rc = open_log(s);
    if (rc)
        return rc;
    fill_settings(s);
    rc = make_workers(s);
    um_publisher_init(&s->publisher, s->workers, s->n_workers, s->dns);
    if (rc == 0)
        rc = follow_files(s); /* before the first reading, so that nothing is missed */
    if (rc == 0)
        rc = load(s);
    if (rc == 0)
        rc = start_admin(s);
    if (rc == 0)
        rc = start_workers(s);
    if (rc == 0)
        publish_when_warm(s);
    return rc;
}

/* the workers give back what they hold before what they point at goes */
static void stop(struct um_control *s)
{
    for (unsigned i = 0; i < s->n_started; i++)
        um_worker_stop(s->workers[i]);
    for (unsigned i = 0; i < s->n_workers; i++)
        um_worker_join(s->workers[i]);
    um_admin_server_free(s->admin);
    um_mailbox_drain(&s->mailbox);
    for (unsigned i = 0; i < s->n_workers; i++)
        um_worker_free(s->workers[i]);
    um_mailbox_drain(&s->mailbox); /* what they gave back in the end */
    um_source_free(s->source);
    if (s->candidate)
        um_snapshot_unref(s->candidate);
    if (s->dns)
        um_dns_free(s->dns);
    if (s->resolver)
        um_resolver_free(s->resolver);
    um_publisher_release(&s->publisher);
    um_log_writer_free(s->log);
    forget_off_routes(s);
    um_map_release(&s->off_routes);
    free(s->is_off);
    um_buf_release(&s->reload_error);
    if (s->signals.fd > 0)
        um_loop_unwatch_close(&s->loop, &s->signals);
    um_loop_release(&s->loop);
}

int um_control_run(struct um_control *s, const struct um_options *options)
{
    *s = (struct um_control){
        .options = options, .start_wall_ns = um_clock_wall_ns(), .start_ns = um_clock_ns(), .signals.fd = -1};
    um_log_set_level(options->log_level);
    raise_descriptors();
    int rc = um_loop_init(&s->loop);
    if (rc) {
        um_log(UM_LOG_ERROR, "cannot start: %s", um_err_text(rc));
        return 1;
    }
    um_mailbox_init(&s->mailbox, &s->loop, s);
    um_timer_init(&s->warming, on_warming_over);
    um_timer_init(&s->draining, on_draining_over);
    um_map_init(&s->off_routes);
    um_buf_init(&s->reload_error, 0);
    rc = start(s);
    if (rc == 0)
        um_loop_run(&s->loop);
    else if (rc != UM_EINVAL)
        um_log(UM_LOG_ERROR, "cannot start: %s", um_err_text(rc));
    stop(s);
    return rc ? 1 : s->exit_status;
}
