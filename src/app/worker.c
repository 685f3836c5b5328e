/* SPDX-License-Identifier: Apache-2.0 */
#include "app/worker.h"

#include "base/log.h"
#include "base/regex.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct worker_listener {
    struct um_listener_socket socket;
    struct um_proxy_listener proxy; /* what connections point at; stays for the life of the worker */
    struct um_sockaddr addr;
    struct um_worker *worker;
    struct um_list node;
};

struct um_worker {
    unsigned id;
    pthread_t thread;
    const struct um_worker_settings *settings;
    struct um_loop loop;
    struct um_mailbox mailbox;
    struct um_ledger ledger;
    struct um_chunk_pool chunks;
    struct um_worker_stats stats;
    struct um_rand rand;
    struct um_upstream upstream;
    struct um_downstream_env env;
    struct um_proxy proxy;
    struct um_access_log log;
    struct um_list listeners;
    struct um_message drain, stop, drained;
    bool is_drained;
};

static struct um_worker *of_proxy_ctx(void *ctx)
{
    return ctx;
}

/* ---- listeners ------------------------------------------------------------------------------------ */

static void on_accept(struct um_listener_socket *s, int fd)
{
    struct worker_listener *l = UM_CONTAINER(s, struct worker_listener, socket);
    if (um_h1_accept(&l->worker->env, fd, &l->proxy))
        l->worker->stats.v[UM_CTR_CX_OVERLOAD_REJECT]++;
}

static void on_reject(struct um_listener_socket *s)
{
    struct worker_listener *l = UM_CONTAINER(s, struct worker_listener, socket);
    l->worker->stats.v[UM_CTR_CX_OVERLOAD_REJECT]++;
    UM_LOG_EVERY(10000, UM_LOG_ERROR, "out of file descriptors: clients are refused (raise the limit, see ulimit -n)");
}

static struct worker_listener *listener_of(struct um_worker *w, const struct um_sockaddr *addr)
{
    UM_LIST_EACH (node, &w->listeners) {
        struct worker_listener *l = UM_CONTAINER(node, struct worker_listener, node);
        if (um_sockaddr_eq(&l->addr, addr))
            return l;
    }
    struct worker_listener *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    l->addr = *addr;
    l->worker = w;
    l->socket.watch.fd = -1;
    l->socket.on_accept = on_accept;
    l->socket.on_reject = on_reject;
    um_list_push(&w->listeners, &l->node);
    return l;
}

static void apply_listener(struct um_worker *w, struct um_worker_listener_update *u)
{
    struct worker_listener *l = listener_of(w, &u->addr);
    if (!l)
        return; /* no memory: the socket goes with the update */
    l->proxy.model = u->model;
    if (u->fd >= 0 && um_listener_start(&l->socket, &w->loop, u->fd) == 0)
        u->fd = -1;
}

static bool is_listed(const struct um_worker_update *u, const struct um_sockaddr *addr)
{
    for (uint32_t i = 0; i < u->n_listeners; i++)
        if (um_sockaddr_eq(&u->listeners[i].addr, addr))
            return true;
    return false;
}

/* those that the update does not name; while the old configuration is in force, so that what is queued is served by it */
static void stop_listeners(struct um_worker *w, const struct um_worker_update *u)
{
    UM_LIST_EACH (node, &w->listeners) {
        struct worker_listener *l = UM_CONTAINER(node, struct worker_listener, node);
        if (is_listed(u, &l->addr))
            continue;
        um_listener_stop(&l->socket);
        um_downstream_drain(&w->env, &l->proxy);
        l->proxy.model = NULL;
    }
}

/* ---- messages ------------------------------------------------------------------------------------- */

struct idle_hold {
    struct um_message message;
    const struct um_worker_settings *settings;
    struct um_hold *hold;
};

static void hold_is_idle(struct um_message *m, void *server)
{
    struct idle_hold *i = UM_CONTAINER(m, struct idle_hold, message);
    i->settings->on_hold_idle(server, i->hold);
    free(i);
}

/* the snapshot is freed by the control thread: it may be large */
static void on_hold_idle(void *ctx, struct um_hold *hold)
{
    struct um_worker *w = of_proxy_ctx(ctx);
    struct idle_hold *i = malloc(sizeof *i);
    if (!i)
        return; /* leaked until the end: better than freed under somebody */
    *i = (struct idle_hold){.message.run = hold_is_idle, .settings = w->settings, .hold = hold};
    um_mailbox_post(w->settings->control, &i->message);
}

static void on_update(struct um_message *m, void *receiver)
{
    struct um_worker *w = receiver;
    struct um_worker_update *u = UM_CONTAINER(m, struct um_worker_update, message);
    if (w->loop.is_stopping) { /* came too late */
        if (u->hold)
            on_hold_idle(w, u->hold);
        um_worker_update_free(u);
        return;
    }
    int rc = um_worker_stats_grow(&w->stats, u->n_stat_clusters, u->n_stat_shadows);
    for (uint32_t i = 0; i < u->n_clusters && rc == 0; i++)
        rc = um_upstream_apply(&w->upstream, &u->clusters[i]);
    if (rc == 0 && u->hold) {
        stop_listeners(w, u);
        um_proxy_adopt(&w->proxy, u->hold);
        for (uint32_t i = 0; i < u->n_listeners; i++)
            apply_listener(w, &u->listeners[i]);
    } else if (rc) {
        um_log(UM_LOG_ERROR, "worker %u keeps its old configuration: %s", w->id, um_err_text(rc));
        if (u->hold)
            w->proxy.on_hold_idle(w, u->hold);
    }
    um_worker_update_free(u);
}

static void on_switches(struct um_message *m, void *receiver)
{
    struct um_worker *w = receiver;
    struct um_worker_switches *s = UM_CONTAINER(m, struct um_worker_switches, message);
    free(w->proxy.switches.is_off);
    w->proxy.switches = s->switches;
    free(s);
}

static void scraped(struct um_message *m, void *server)
{
    struct um_worker_scrape *s = UM_CONTAINER(m, struct um_worker_scrape, message);
    s->worker->settings->on_scraped(server, s);
}

static void on_scrape(struct um_message *m, void *receiver)
{
    struct um_worker *w = receiver;
    struct um_worker_scrape *s = UM_CONTAINER(m, struct um_worker_scrape, message);
    if (um_ledger_is_over(&w->ledger)) /* what this turn took is given back before it is shown */
        w->proxy.relief.run(&w->proxy.relief);
    w->stats.shadow_memory_bytes = w->ledger.held;
    s->worker = w;
    s->rc = um_worker_stats_copy(&s->stats, &w->stats);
    if (s->rc == 0)
        s->rc = um_upstream_endpoint_stats(&w->upstream, &s->stats);
    s->message.run = scraped;
    um_mailbox_post(w->settings->control, &s->message);
}

/* ---- ending --------------------------------------------------------------------------------------- */

static void drained(struct um_message *m, void *server)
{
    struct um_worker *w = UM_CONTAINER(m, struct um_worker, drained);
    w->settings->on_drained(server, w);
}

static void on_connections_changed(struct um_handler *handler)
{
    struct um_proxy *p = (struct um_proxy *)handler;
    struct um_worker *w = of_proxy_ctx(p->ctx);
    bool is_quiet = um_list_empty(&w->env.connections) && p->n_exchanges == 0;
    if (!w->env.is_draining || w->is_drained || !is_quiet)
        return;
    w->is_drained = true;
    um_mailbox_post(w->settings->control, &w->drained);
}

static void on_drain(struct um_message *m, void *receiver)
{
    struct um_worker *w = receiver;
    (void)m;
    w->env.is_draining = true;
    UM_LIST_EACH (node, &w->listeners)
        um_listener_stop(&UM_CONTAINER(node, struct worker_listener, node)->socket);
    um_downstream_drain(&w->env, NULL);
    on_connections_changed(&w->proxy.handler);
}

static void on_stop(struct um_message *m, void *receiver)
{
    (void)m;
    um_loop_stop(&((struct um_worker *)receiver)->loop);
}

/* ---- life ----------------------------------------------------------------------------------------- */

static void on_lag(void *ctx, uint64_t lag_ns)
{
    um_histogram_add_ns(&of_proxy_ctx(ctx)->stats.loop_lag_ms, lag_ns);
}

int um_worker_new(unsigned id, const struct um_worker_settings *settings, struct um_worker **ret_worker)
{
    struct um_worker *w = calloc(1, sizeof *w);
    if (!w)
        return UM_ENOMEM;
    int rc = um_loop_init(&w->loop);
    if (rc) {
        free(w);
        return rc;
    }
    w->id = id;
    w->settings = settings;
    w->loop.on_lag = on_lag;
    w->loop.on_lag_ctx = w;
    w->ledger = (struct um_ledger){.budget = settings->shadow_budget};
    um_mailbox_init(&w->mailbox, &w->loop, w);
    um_chunk_pool_init(&w->chunks, &w->ledger);
    um_worker_stats_init(&w->stats);
    um_rand_init(&w->rand);
    um_upstream_init(&w->upstream, &w->loop, &w->chunks, &w->stats, &w->rand);
    w->upstream.answer_limits = settings->downstream.limits;
    um_proxy_init(&w->proxy, &w->loop, &w->chunks, &w->stats, &w->rand, &w->upstream);
    w->proxy.handler.on_connections_changed = on_connections_changed;
    w->proxy.on_hold_idle = on_hold_idle;
    w->proxy.ctx = w;
    if (settings->log) {
        um_access_log_init(&w->log, settings->log, &w->loop, &w->stats);
        w->proxy.log = &w->log;
    }
    w->env = (struct um_downstream_env){.loop = &w->loop,
                                        .chunks = &w->chunks,
                                        .stats = &w->stats,
                                        .settings = &settings->downstream,
                                        .handler = &w->proxy.handler};
    um_list_init(&w->env.connections);
    um_list_init(&w->listeners);
    w->drain.run = on_drain;
    w->stop.run = on_stop;
    w->drained.run = drained;
    *ret_worker = w;
    return 0;
}

static void give_up_everything(struct um_worker *w)
{
    UM_LIST_EACH (node, &w->listeners)
        um_listener_stop(&UM_CONTAINER(node, struct worker_listener, node)->socket);
    um_downstream_close_all(&w->env);
    um_proxy_drop_copies(&w->proxy);
    um_loop_turn(&w->loop, 0);
    um_upstream_release(&w->upstream);
    if (w->settings->log)
        um_access_log_release(&w->log);
    um_chunk_pool_release(&w->chunks);
    if (w->proxy.hold)
        on_hold_idle(w, w->proxy.hold);
}

static void *run(void *arg)
{
    struct um_worker *w = arg;
    char name[16];
    snprintf(name, sizeof name, "umbra-w%u", w->id);
    pthread_setname_np(pthread_self(), name);
    um_regex_thread_init(w->id + 1);
    um_loop_run(&w->loop);
    give_up_everything(w);
    return NULL;
}

int um_worker_start(struct um_worker *w)
{
    return um_err_from_errno(pthread_create(&w->thread, NULL, run, w));
}

void um_worker_join(struct um_worker *w)
{
    if (w->thread)
        pthread_join(w->thread, NULL);
}

void um_worker_free(struct um_worker *w)
{
    um_mailbox_drain(&w->mailbox); /* updates that came too late give back what they carry */
    UM_LIST_EACH (node, &w->listeners)
        free(UM_CONTAINER(node, struct worker_listener, node));
    free(w->proxy.switches.is_off);
    um_worker_stats_release(&w->stats);
    um_loop_release(&w->loop);
    free(w);
}

/* ---- the control thread's side -------------------------------------------------------------------- */

void um_worker_update_free(struct um_worker_update *u)
{
    for (uint32_t i = 0; i < u->n_clusters; i++)
        um_cluster_update_release(&u->clusters[i]);
    for (uint32_t i = 0; i < u->n_listeners; i++)
        if (u->listeners[i].fd >= 0)
            close(u->listeners[i].fd);
    free(u->clusters);
    free(u->listeners);
    free(u);
}

void um_worker_post_update(struct um_worker *w, struct um_worker_update *u)
{
    u->message.run = on_update;
    um_mailbox_post(&w->mailbox, &u->message);
}

void um_worker_post_switches(struct um_worker *w, struct um_worker_switches *s)
{
    s->message.run = on_switches;
    um_mailbox_post(&w->mailbox, &s->message);
}

void um_worker_post_scrape(struct um_worker *w, struct um_worker_scrape *s)
{
    s->message.run = on_scrape;
    um_mailbox_post(&w->mailbox, &s->message);
}

void um_worker_drain(struct um_worker *w)
{
    um_mailbox_post(&w->mailbox, &w->drain);
}

void um_worker_stop(struct um_worker *w)
{
    um_mailbox_post(&w->mailbox, &w->stop);
}
