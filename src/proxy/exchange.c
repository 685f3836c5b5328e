/* SPDX-License-Identifier: Apache-2.0
 *
 *   client            exchange                     primary leg            shadow legs (tee.c)
 *     | on_request       | match, rewrite, draw         |                       |
 *     |----------------->| forward_start -------------->| start                 |
 *     |                  | tee_admit -------------------------- end of turn --->| start
 *     | on_body          |----------------------------->| push                  |
 *     |----------------->|------------------------------------ same chunk ----->| push
 *     | on_end           |----------------------------->| end                   | end
 *     |                  |<----------------------- head, body, end              |
 *     |<-- respond ------|                                                      |
 *     | on_sent: RESPONDED, access line, client free                            |
 *                        |<---------------------------------------------- ends: shadow line, counters
 *                        | finished: arena freed
 */
#include "proxy/exchange.h"

#include <assert.h>

static const uint8_t NEXT[] = {
    /* legal next states, as bits */
    [UM_EXCHANGE_RECEIVED] = 1 << UM_EXCHANGE_FORWARDING | 1 << UM_EXCHANGE_ANSWERING | 1 << UM_EXCHANGE_RESPONDED,
    [UM_EXCHANGE_FORWARDING] = 1 << UM_EXCHANGE_ANSWERING | 1 << UM_EXCHANGE_RESPONDED,
    [UM_EXCHANGE_ANSWERING] = 1 << UM_EXCHANGE_TUNNELING | 1 << UM_EXCHANGE_RESPONDED,
    [UM_EXCHANGE_TUNNELING] = 1 << UM_EXCHANGE_RESPONDED,
    [UM_EXCHANGE_RESPONDED] = 0,
};

void um_exchange_set_state(struct um_exchange *x, enum um_exchange_state next)
{
    assert(NEXT[x->state] & 1 << next);
    x->state = next;
}

struct um_cluster_rt *um_exchange_cluster(const struct um_exchange *x)
{
    return um_upstream_cluster(x->proxy->upstream, x->target->cluster);
}

struct um_str um_exchange_leg_local(struct um_exchange *x, const struct um_leg *leg)
{
    char text[UM_SOCKADDR_TEXT_BYTES];
    return um_arena_str(&x->arena, (struct um_str){text, um_leg_local_text(leg, text)});
}

/* ---- begin ---------------------------------------------------------------------------------------- */

/* the head outlives the receive buffer: fields into the arena, bytes by reference */
static int keep_head(struct um_exchange *x, const struct um_request_in *rq)
{
    struct um_head *head = um_arena_alloc(&x->arena, sizeof *head);
    size_t n = rq->head->n_fields * sizeof *head->fields;
    if (!head)
        return UM_ENOMEM;
    *head = *rq->head;
    head->fields = um_arena_alloc(&x->arena, n);
    if (!head->fields)
        return UM_ENOMEM;
    memcpy(head->fields, rq->head->fields, n);
    x->head = head;
    x->holder = rq->holder;
    um_chunk_ref(x->holder);
    return 0;
}

static struct um_exchange *new_exchange(struct um_proxy *p, struct um_downstream *d, const struct um_request_in *rq)
{
    struct um_arena arena;
    um_arena_init(&arena, p->chunks, 0);
    struct um_exchange *x = um_arena_zalloc(&arena, sizeof *x);
    if (!x)
        return NULL;
    x->arena = arena;
    if (keep_head(x, rq)) {
        um_arena_release(&x->arena);
        return NULL;
    }
    x->proxy = p;
    x->d = d;
    x->hold = p->hold;
    x->hold->n_exchanges++;
    x->request_ended = rq->ends;
    x->started_ns = p->loop->now_ns;
    um_timer_init(&x->timer, um_forward_on_timer);
    um_task_init(&x->start_copies, um_tee_start);
    um_outq_init(&x->replay, p->chunks, false);
    um_edits_init(&x->edits);
    p->n_exchanges++;
    p->stats->rq_active++;
    d->exchange = x;
    d->exchange_ops = &um_exchange_ops;
    return x;
}

/* the request's virtual host and route, or an own answer */
static bool match(struct um_exchange *x, const struct um_listener *listener)
{
    struct um_proxy *p = x->proxy;
    x->virtual_host = um_route_virtual_host(listener->routes, x->head->authority);
    const struct um_route_request rq = {.head = x->head,
                                        .path = x->head->method == UM_METHOD_CONNECT ? UM_STR("/") : x->path,
                                        .scheme = UM_STR("http"),
                                        .authority = x->head->authority};
    x->route = x->virtual_host ? um_route_match(x->virtual_host, &rq) : NULL;
    if (x->route)
        return true;
    p->stats->v[UM_CTR_NO_ROUTE]++;
    um_respond_local(x, UM_REPLY_NO_ROUTE);
    return false;
}

/* C1: after matching and the route's changes; drawn before the primary starts, sent after it was admitted */
static void serve(struct um_exchange *x)
{
    if (um_forward_prepare(x)) {
        um_respond_local(x, UM_REPLY_NO_MEMORY);
        return;
    }
    um_tee_draw(x);
    if (x->route->action != UM_ACTION_FORWARD) {
        um_respond_route(x);
        return;
    }
    if (um_forward_rewrite(x)) {
        um_tee_skip_all(x, UM_SKIP_PRIMARY_REFUSED);
        um_respond_local(x, UM_REPLY_NO_MEMORY);
        return;
    }
    um_forward_start(x);
}

static void on_request(struct um_handler *handler, struct um_downstream *d, const struct um_request_in *rq)
{
    struct um_proxy *p = (struct um_proxy *)handler;
    const struct um_proxy_listener *listener = d->listener;
    struct um_exchange *x = listener->model && p->hold ? new_exchange(p, d, rq) : NULL;
    if (!x) { /* no memory, or its listener is gone */
        d->ops->abort(d);
        return;
    }
    x->is_gateway = listener->model->is_gateway;
    x->is_upgrade = x->head->has_upgrade || x->head->method == UM_METHOD_CONNECT;
    x->path = x->head->path;
    if (x->head->method != UM_METHOD_CONNECT && um_url_normalise(x->head->path, &x->arena, &x->path)) {
        /* `http://host?query` names no path: Envoy answers 404  */
        bool has_no_path = um_str_starts(x->head->path, UM_STR("?"));
        um_respond_local(x, has_no_path ? UM_REPLY_NO_ROUTE : UM_REPLY_BAD_PATH);
        return;
    }
    if (match(x, listener->model))
        serve(x);
}

static void on_refused(struct um_handler *handler, struct um_downstream *d, unsigned status, const char *why)
{
    struct um_proxy *p = (struct um_proxy *)handler;
    struct um_log_record record = {.start_wall_ns = p->log ? um_clock_wall_ns() : 0,
                                   .status = (uint16_t)status,
                                   .details = why,
                                   .flags = UM_LOG_FLAG(DPE),
                                   .upstream_ms = -1};
    (void)d;
    if (p->log)
        um_access_log_add(p->log, &record);
}

/* ---- the request as it arrives -------------------------------------------------------------------- */

enum { REPLAY_BYTES = 64 << 10 };

/* a body that may have to be sent again is kept until the answer's head, up to a limit */
static void keep_for_retry(struct um_exchange *x, const struct um_slice *s)
{
    if (x->retries_left == 0 || x->state != UM_EXCHANGE_FORWARDING)
        return;
    if (x->replay.bytes + s->n > REPLAY_BYTES || um_outq_push(&x->replay, s)) {
        um_outq_clear(&x->replay);
        x->retries_left = 0;
    }
}

void um_exchange_pause_request(struct um_exchange *x)
{
    if (!x->paused_request && x->d)
        x->d->ops->pause(x->d);
    x->paused_request = true;
}

void um_exchange_resume_request(struct um_exchange *x)
{
    bool primary_holds = x->timer_is_backoff || (x->has_primary && x->primary.wants_room);
    if (!x->paused_request || !x->d || primary_holds || um_tee_holds_request(x))
        return;
    x->paused_request = false;
    x->d->ops->resume(x->d);
}

static void fail_for_memory(struct um_exchange *x)
{
    um_forward_drop(x);
    if (x->state == UM_EXCHANGE_FORWARDING)
        um_respond_local(x, UM_REPLY_NO_MEMORY);
    else
        um_respond_abort(x);
}

static void on_body(void *exchange, const struct um_slice *s)
{
    struct um_exchange *x = exchange;
    keep_for_retry(x, s);
    int rc = x->has_primary ? um_leg_push(&x->primary, s) : 0;
    if (rc && rc != UM_EAGAIN) {
        fail_for_memory(x);
        return;
    }
    if (x->n_active)
        um_tee_body(x, s);
    if (rc == UM_EAGAIN || um_tee_holds_request(x))
        um_exchange_pause_request(x);
}

static void on_end(void *exchange, const struct um_field *trailers, uint32_t n)
{
    struct um_exchange *x = exchange;
    x->request_ended = true;
    if (n)
        x->retries_left = 0; /* trailers are not kept for another try */
    if (x->has_primary && um_leg_end(&x->primary, trailers, n)) {
        fail_for_memory(x);
        return;
    }
    if (x->n_active)
        um_tee_end(x, trailers, n);
    if (x->state == UM_EXCHANGE_FORWARDING)
        um_forward_arm_timeout(x);
}

static void on_room(void *exchange)
{
    struct um_exchange *x = exchange;
    if (x->has_primary)
        um_leg_resume(&x->primary);
}

void um_exchange_check_upload(struct um_exchange *x)
{
    if (!x->d || !x->answer_ended || x->request_ended)
        return;
    um_exchange_resume_request(x); /* whoever held it back was the primary */
    if (!um_tee_wants_body(x))
        x->d->ops->cut(x->d);
}

/* ---- the two ends --------------------------------------------------------------------------------- */

static void fill_upstream(const struct um_exchange *x, struct um_log_record *r)
{
    if (!x->target)
        return;
    r->upstream_cluster = x->target->cluster_name;
}

static void fill_request(const struct um_exchange *x, struct um_log_record *r)
{
    static const char *const PROTOCOLS[] = {"HTTP/1.0", "HTTP/1.1", "HTTP/2"};
    const struct um_head *h = x->head;
    r->method = h->method_name;
    r->path = h->path;
    r->protocol = um_str_from(PROTOCOLS[h->version == UM_HTTP_10 ? 0 : h->version == UM_HTTP_11 ? 1 : 2]);
    r->authority = h->authority;
    r->route_name = x->route ? x->route->name : (struct um_str){NULL, 0};
    um_edits_lookup(&x->edits, h, UM_STR("user-agent"), &r->user_agent);
    um_edits_lookup(&x->edits, h, UM_STR("x-forwarded-for"), &r->forwarded_for);
    um_edits_lookup(&x->edits, h, UM_STR("x-request-id"), &r->request_id);
}

static struct um_str address_text(const struct um_peer_address *a, char out[UM_SOCKADDR_TEXT_BYTES])
{
    struct um_sockaddr addr = {.n = sizeof a->v6};
    memcpy(&addr.u, a, sizeof *a < sizeof addr.u ? sizeof *a : sizeof addr.u);
    return (struct um_str){out, um_sockaddr_text(&addr, out)};
}

static void write_line(struct um_exchange *x, uint64_t rx_bytes, uint64_t tx_bytes)
{
    struct um_log_record *r = &x->log;
    char local[UM_SOCKADDR_TEXT_BYTES], peer[UM_SOCKADDR_TEXT_BYTES];
    uint64_t now_ns = um_clock_ns();
    r->duration_ns = now_ns - x->started_ns;
    r->start_wall_ns = um_clock_wall_ns() - r->duration_ns;
    r->rx_bytes = rx_bytes;
    r->tx_bytes = tx_bytes;
    fill_request(x, r);
    fill_upstream(x, r);
    r->local = address_text(x->d->local, local);
    r->peer = address_text(x->d->peer, peer);
    um_access_log_add(x->proxy->log, r);
}

/* the client's side is over; what is left are copies */
static void responded(struct um_exchange *x)
{
    if (x->proxy->log)
        write_line(x, x->d->rx_bytes, x->d->tx_bytes);
    x->answered_bytes = x->d->tx_bytes;
    x->d = NULL;
    um_exchange_set_state(x, UM_EXCHANGE_RESPONDED);
    um_forward_drop(x);
    um_timer_stop(&x->timer);
    um_outq_clear(&x->replay);
    x->proxy->stats->rq_active--;
    if (x->n_active) { /* from here on every byte is held for shadows only (C19) */
        um_chunk_to_shadow(x->holder);
        um_arena_to_shadow(&x->arena);
    }
    um_tee_answered(x);
}

static void on_sent(void *exchange)
{
    responded(exchange);
}

/* C17: a whole request lives on at the shadows; half of one must not look whole */
static void on_abort(void *exchange, int err)
{
    struct um_exchange *x = exchange;
    if (!x->request_ended)
        um_tee_cut(x);
    if (!x->answer_ended) {
        x->log.flags |= err == UM_EPROTO ? UM_LOG_FLAG(DPE) : UM_LOG_FLAG(DC);
        x->log.details = err == UM_ETIMEOUT ? "downstream_timeout" : "downstream_remote_disconnect";
        if (!x->log.upstream_ms && !x->log.status)
            x->log.upstream_ms = -1;
    }
    responded(x);
}

static void on_tunnel_end(void *exchange)
{
    struct um_exchange *x = exchange;
    x->request_ended = true;
    if (x->has_primary)
        (void)!um_leg_end(&x->primary, NULL, 0);
}

const struct um_exchange_ops um_exchange_ops = {on_body, on_end, on_abort, on_room, on_sent, on_tunnel_end};

static void let_go(struct um_hold *hold, struct um_proxy *p)
{
    if (--hold->n_exchanges == 0 && !hold->is_current)
        p->on_hold_idle(p->ctx, hold);
}

void um_exchange_check(struct um_exchange *x)
{
    struct um_proxy *p = x->proxy;
    if (x->state != UM_EXCHANGE_RESPONDED || x->n_active)
        return;
    um_task_cancel(&x->start_copies);
    if (x->arena.is_shadows)
        um_chunk_unref_shadow(x->holder);
    else
        um_chunk_unref(x->holder);
    let_go(x->hold, p);
    p->n_exchanges--;
    um_arena_release(&x->arena);
    if (p->handler.on_connections_changed)
        p->handler.on_connections_changed(&p->handler);
}

/* ---- the proxy ------------------------------------------------------------------------------------ */

static void on_ledger_over(void *ctx)
{
    struct um_proxy *p = ctx;
    um_loop_late(p->loop, &p->relief);
}

void um_proxy_init(struct um_proxy *p, struct um_loop *loop, struct um_chunk_pool *chunks,
                   struct um_worker_stats *stats, struct um_rand *rand, struct um_upstream *upstream)
{
    *p = (struct um_proxy){.handler = {on_request, on_refused, NULL},
                           .loop = loop,
                           .chunks = chunks,
                           .ledger = chunks->ledger,
                           .stats = stats,
                           .rand = rand,
                           .upstream = upstream};
    p->ledger->on_over = on_ledger_over;
    p->ledger->ctx = p;
    um_list_init(&p->copies);
    um_task_init(&p->relief, um_tee_relief);
}

void um_proxy_adopt(struct um_proxy *p, struct um_hold *hold)
{
    struct um_hold *old = p->hold;
    p->hold = hold;
    hold->is_current = true;
    if (!old)
        return;
    old->is_current = false;
    if (old->n_exchanges == 0)
        p->on_hold_idle(p->ctx, old);
}

void um_proxy_drop_copies(struct um_proxy *p)
{
    struct um_list *node;
    while ((node = um_list_first(&p->copies)))
        um_tee_drop(UM_CONTAINER(node, struct um_copy, node), UM_DROP_SHUTDOWN);
}
