/* SPDX-License-Identifier: Apache-2.0
 * The admin interface on the control thread's loop: the proxy's own HTTP/1.1 side, with um_admin_handle behind it.
 *
 *   request (head, body <= 64 KiB) -> ask the workers, if the answer shows counters -> view -> um_admin_handle ->
 * answer
 */
#include "app/control.h"
#include "base/log.h"
#include "downstream/downstream.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { BODY_BYTES = 64 << 10, CONNECTIONS_MAX = 64, FLAGS_MAX = 24, PIECE_BYTES = 60 << 10 };

struct um_admin_server {
    struct um_handler handler; /* first */
    struct um_control *server;
    struct um_listener_socket socket;
    struct um_sockaddr bound;
    struct um_ledger ledger;
    struct um_chunk_pool chunks;
    struct um_worker_stats stats;
    struct um_downstream_env env;
    struct um_downstream_settings settings;
};

/* one request; outlives its client while the workers are asked */
struct call {
    struct um_admin_server *admin;
    struct um_downstream *d; /* NULL: the client is gone */
    struct um_buf method, target, host, origin, content_type, body;
    bool is_asking, is_head;
    struct um_admin_response response;
    size_t sent;
    bool has_response;
};

static void free_call(struct call *c)
{
    struct um_buf *texts[] = {&c->method, &c->target, &c->host, &c->origin, &c->content_type, &c->body};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        um_buf_release(texts[i]);
    if (c->has_response)
        um_admin_response_release(&c->response);
    free(c);
}

/* ---- the view ------------------------------------------------------------------------------------- */

static const char *role_name(enum um_role role)
{
    return role == UM_ROLE_GATEWAY ? "gateway" : role == UM_ROLE_SIDECAR ? "sidecar" : "auto";
}

/* the command line as it is in force; texts live in `room` */
static uint32_t list_flags(const struct um_control *s, struct um_arena *room, struct um_admin_flag *flags)
{
    const struct um_options *o = s->options;
    const struct {
        const char *name;
        struct um_str value;
    } rows[] = {
        {"role", um_str_from(role_name(o->compile.role))},
        {"namespace", o->compile.namespace_name},
        {"workers", um_arena_printf(room, "%u", s->n_workers)},
        {"shadow_memory", um_arena_printf(room, "%llu", (unsigned long long)o->shadow_memory_bytes)},
        {"shadow_host_suffix", um_str_from(o->compile.has_shadow_host_suffix ? "on" : "off")},
        {"drain_time_ms", um_arena_printf(room, "%llu", (unsigned long long)o->drain_time_ms)},
        {"max_head_bytes", um_arena_printf(room, "%u", o->limits.head_bytes)},
        {"max_fields", um_arena_printf(room, "%u", o->limits.fields)},
        {"header_timeout_ms", um_arena_printf(room, "%llu", (unsigned long long)o->header_timeout_ms)},
        {"idle_timeout_ms", um_arena_printf(room, "%llu", (unsigned long long)o->idle_timeout_ms)},
    };
    uint32_t n = sizeof rows / sizeof rows[0];
    for (uint32_t i = 0; i < n; i++)
        flags[i] = (struct um_admin_flag){um_str_from(rows[i].name), rows[i].value};
    return n;
}

static void fill_endpoints(const struct um_control *s, struct um_arena *room, struct um_admin_view *view)
{
    const struct um_snapshot *snapshot = view->snapshot;
    struct um_endpoint_set **sets = snapshot ? um_arena_array(room, snapshot->n_clusters, sizeof *sets) : NULL;
    for (uint32_t i = 0; sets && i < snapshot->n_clusters; i++)
        sets[i] = um_dns_get(s->dns, snapshot->clusters[i].name);
    view->endpoint_sets = sets;
}

static void fill_listeners(const struct um_control *s, struct um_arena *room, struct um_admin_view *view)
{
    const struct um_publisher *p = &s->publisher;
    struct um_admin_listener *rows = um_arena_array(room, p->n_listeners, sizeof *rows);
    for (uint32_t i = 0; rows && i < p->n_listeners; i++)
        rows[i] = (struct um_admin_listener){p->listeners[i].name, p->listeners[i].bound};
    view->listeners = rows;
    view->n_listeners = rows ? p->n_listeners : 0;
}

static void fill_view(struct um_admin_server *a, const struct um_worker_stats *stats, struct um_arena *room,
                      struct um_admin_flag *flags, struct um_admin_view *view)
{
    const struct um_control *s = a->server;
    const struct um_compile_options *c = &s->options->compile;
    bool is_gateway =
        s->publisher.current && s->publisher.current->n_listeners && s->publisher.current->listeners[0].is_gateway;
    *view = (struct um_admin_view){
        .snapshot = s->publisher.current,
        .stats = {.stats = stats,
                  .names = &s->publisher.names,
                  .version = UM_STR(UMBRA_VERSION),
                  .uptime_s = (um_clock_ns() - s->start_ns) / UM_NS_PER_S,
                  .is_live = s->state == UM_ADMIN_LIVE,
                  .shadow_memory_limit_bytes = s->options->shadow_memory_bytes,
                  .reloads_succeeded = s->reloads_succeeded,
                  .reloads_failed = s->reloads_failed,
                  .has_last_reload_succeeded = s->has_last_succeeded},
        .state = s->state,
        .start_wall_ns = s->start_wall_ns,
        .log_level = um_log_get_level(),
        .is_gateway = is_gateway,
        .namespace_name = c->namespace_name,
        .labels = c->labels,
        .n_labels = c->n_labels,
        .n_workers = s->n_workers,
        .admin_address = a->bound,
        .reload_error = s->has_last_succeeded ? (struct um_str){NULL, 0} : um_buf_str(&s->reload_error),
        .reload_wall_ns = s->reload_failed_wall_ns,
        .is_all_off = s->is_all_off,
        .is_off = s->is_off,
        .n_is_off = s->n_is_off,
    };
    view->flags = flags;
    view->n_flags = list_flags(s, room, flags);
    fill_endpoints(s, room, view);
    fill_listeners(s, room, view);
}

/* ---- write verbs ---------------------------------------------------------------------------------- */

static int set_shadow(void *ctx, bool is_on, struct um_str route)
{
    return um_control_set_shadow(ctx, is_on, route);
}

static int set_log_level(void *ctx, enum um_log_level level)
{
    (void)ctx;
    um_log_set_level(level);
    return 0;
}

static int quit(void *ctx)
{
    um_control_drain(ctx);
    return 0;
}

static int reload(void *ctx)
{
    um_control_reload(ctx);
    return 0;
}

/* ---- the answer ----------------------------------------------------------------------------------- */

/* a piece of the body at a time: chunks are bounded, and so is what waits for a slow client */
static void send_more(struct call *c)
{
    struct um_str rest = um_str_skip(um_buf_str(&c->response.body), c->sent);
    int rc = 0;
    while (rc == 0 && rest.n && !c->is_head) {
        size_t n = rest.n < PIECE_BYTES ? rest.n : PIECE_BYTES;
        struct um_chunk *chunk = um_chunk_new(&c->admin->chunks, um_chunk_class_for(n));
        if (!chunk) {
            c->d->ops->abort(c->d);
            free_call(c);
            return;
        }
        memcpy(chunk->data, rest.p, n);
        chunk->used = (uint32_t)n;
        const struct um_slice slice = {chunk, chunk->data, n};
        rc = c->d->ops->send_body(c->d, &slice);
        um_chunk_unref(chunk);
        c->sent += n;
        rest = um_str_skip(rest, n);
    }
    if (rest.n == 0 || c->is_head)
        rc = c->d->ops->send_end(c->d, NULL, 0);
}

static void respond(struct call *c)
{
    const struct um_head head = {.version = UM_HTTP_11,
                                 .is_response = true,
                                 .framing = UM_FRAMING_LENGTH,
                                 .content_length = c->response.body.n,
                                 .status = c->response.status,
                                 .reason = um_status_reason(c->response.status),
                                 .keep_alive = true};
    struct um_arena room;
    struct um_edits edits;
    um_arena_init(&room, NULL, 0);
    um_edits_init(&edits);
    int rc = um_edits_add(&edits, &room, UM_EDIT_SET, UM_STR("content-type"), um_str_from(c->response.content_type));
    for (uint32_t i = 0; i < c->response.n_fields && rc == 0; i++)
        rc = um_edits_add(&edits, &room, UM_EDIT_SET, um_str_from(c->response.fields[i].name),
                          um_str_from(c->response.fields[i].value));
    if (rc == 0)
        rc = c->d->ops->send_head(c->d, &head, &edits, false);
    um_arena_release(&room);
    if (rc == 0) {
        send_more(c);
        return;
    }
    c->d->ops->abort(c->d);
    free_call(c);
}

static void handle(struct call *c, const struct um_worker_stats *stats)
{
    struct um_admin_server *a = c->admin;
    const struct um_admin_actions actions = {a->server, set_shadow, set_log_level, quit, reload};
    const struct um_admin_request rq = {um_buf_str(&c->method), um_buf_str(&c->target),       um_buf_str(&c->host),
                                        um_buf_str(&c->origin), um_buf_str(&c->content_type), um_buf_str(&c->body)};
    struct um_admin_flag flags[FLAGS_MAX];
    struct um_admin_view view;
    struct um_arena room;
    um_arena_init(&room, NULL, 0);
    fill_view(a, stats, &room, flags, &view);
    um_admin_handle(&rq, &view, &actions, &c->response);
    um_arena_release(&room);
    c->has_response = true;
    respond(c);
}

static void on_scraped(void *ctx, struct um_worker_stats *total)
{
    struct call *c = ctx;
    c->is_asking = false;
    if (!c->d) {
        free_call(c);
    } else if (!total) {
        c->d->ops->abort(c->d);
        free_call(c);
    } else {
        handle(c, total);
    }
}

/* ---- the request ---------------------------------------------------------------------------------- */

static void on_body(void *exchange, const struct um_slice *s)
{
    struct call *c = exchange;
    um_buf_add(&c->body, (struct um_str){s->p, s->n});
}

static void on_end(void *exchange, const struct um_field *trailers, uint32_t n)
{
    struct call *c = exchange;
    (void)trailers;
    (void)n;
    if (!um_admin_needs_stats(um_buf_str(&c->target))) {
        handle(c, NULL);
        return;
    }
    c->is_asking = true;
    if (um_control_scrape(c->admin->server, on_scraped, c))
        on_scraped(c, NULL);
}

static void on_gone(void *exchange)
{
    struct call *c = exchange;
    c->d = NULL;
    if (!c->is_asking)
        free_call(c);
}

static void on_abort(void *exchange, int err)
{
    (void)err;
    on_gone(exchange);
}

static void on_room(void *exchange)
{
    send_more(exchange);
}

static const struct um_exchange_ops OPS = {on_body, on_end, on_abort, on_room, on_gone, on_gone};

static void copy_field(const struct um_head *head, struct um_str name, struct um_buf *to)
{
    const struct um_field *f = um_head_find(head, name, 0);
    if (f)
        um_buf_add(to, um_field_value(f));
}

static void on_request(struct um_handler *handler, struct um_downstream *d, const struct um_request_in *rq)
{
    struct um_admin_server *a = (struct um_admin_server *)handler;
    struct call *c = calloc(1, sizeof *c);
    if (!c) {
        d->ops->abort(d);
        return;
    }
    c->admin = a;
    c->d = d;
    c->is_head = rq->head->method == UM_METHOD_HEAD;
    um_buf_init(&c->body, BODY_BYTES);
    um_buf_add(&c->method, rq->head->method_name);
    um_buf_add(&c->target, rq->head->path);
    um_buf_add(&c->host, rq->head->authority);
    copy_field(rq->head, UM_STR("origin"), &c->origin);
    copy_field(rq->head, UM_STR("content-type"), &c->content_type);
    d->exchange = c;
    d->exchange_ops = &OPS;
    if (rq->ends)
        on_end(c, NULL, 0);
}

static void on_refused(struct um_handler *handler, struct um_downstream *d, unsigned status, const char *why)
{
    (void)handler;
    (void)d;
    (void)status;
    (void)why;
}

/* ---- life ----------------------------------------------------------------------------------------- */

static void on_accept(struct um_listener_socket *s, int fd)
{
    struct um_admin_server *a = UM_CONTAINER(s, struct um_admin_server, socket);
    if (a->stats.cx_active >= CONNECTIONS_MAX)
        close(fd);
    else
        (void)!um_h1_accept(&a->env, fd, NULL);
}

static void on_reject(struct um_listener_socket *s)
{
    (void)s;
}

static int open_socket(struct um_admin_server *a, struct um_buf *ret_error)
{
    int fd;
    char text[UM_SOCKADDR_TEXT_BYTES];
    a->bound = a->server->options->admin;
    int rc = um_listener_open(&a->bound.u.any, a->bound.n, 1, &fd);
    if (rc == 0)
        rc = um_listener_start(&a->socket, &a->server->loop, fd);
    if (rc == 0)
        return 0;
    um_sockaddr_text(&a->bound, text);
    um_buf_addf(ret_error, "admin interface %s: %s; choose another one with --admin ADDR:PORT, or --admin off", text,
                rc == UM_EINUSE ? "this port is in use by another process" : um_err_text(rc));
    return rc;
}

int um_admin_server_new(struct um_control *server, struct um_admin_server **ret_admin, struct um_buf *ret_error)
{
    struct um_admin_server *a = calloc(1, sizeof *a);
    if (!a)
        return UM_ENOMEM;
    a->server = server;
    a->handler = (struct um_handler){on_request, on_refused, NULL};
    a->socket.on_accept = on_accept;
    a->socket.on_reject = on_reject;
    a->settings = server->settings.downstream;
    um_chunk_pool_init(&a->chunks, &a->ledger);
    um_worker_stats_init(&a->stats);
    a->env = (struct um_downstream_env){.loop = &server->loop,
                                        .chunks = &a->chunks,
                                        .stats = &a->stats,
                                        .settings = &a->settings,
                                        .handler = &a->handler};
    um_list_init(&a->env.connections);
    int rc = open_socket(a, ret_error);
    if (rc) {
        free(a);
        return rc;
    }
    *ret_admin = a;
    return 0;
}

const struct um_sockaddr *um_admin_server_address(const struct um_admin_server *a)
{
    return &a->bound;
}

void um_admin_server_free(struct um_admin_server *a)
{
    if (!a)
        return;
    um_listener_stop(&a->socket);
    um_downstream_close_all(&a->env);
    um_loop_turn(&a->server->loop, 0);
    um_worker_stats_release(&a->stats);
    um_chunk_pool_release(&a->chunks);
    free(a);
}
