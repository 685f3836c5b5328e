/* SPDX-License-Identifier: Apache-2.0
 * The request as legs get it (forwarding fields, the route's edits) and the primary leg with its tries. */
#include "http/h1_write.h"
#include "proxy/exchange.h"

enum { BACKOFF_FACTOR_MAX = 10 };

/* ---- edits ---------------------------------------------------------------------------------------- */

static int set(struct um_exchange *x, enum um_field_id id, struct um_str value)
{
    return um_edits_known(&x->edits, &x->arena, UM_EDIT_SET, id, value);
}

static int drop(struct um_exchange *x, enum um_field_id id)
{
    return um_head_known(x->head, id)
               ? um_edits_known(&x->edits, &x->arena, UM_EDIT_REMOVE, id, (struct um_str){NULL, 0})
               : 0;
}

static struct um_str peer_ip(struct um_exchange *x)
{
    char text[UM_SOCKADDR_TEXT_BYTES];
    struct um_sockaddr addr = {.n = sizeof addr.u.v6};
    memcpy(&addr.u, x->d->peer, sizeof *x->d->peer);
    size_t n = um_sockaddr_ip_text(&addr, text);
    return um_arena_str(&x->arena, (struct um_str){text, n});
}

/* RFC 1918, RFC 4193, loopback: what Envoy calls internal */
static bool is_internal(const struct um_peer_address *a)
{
    if (a->any.sa_family == AF_INET) {
        uint32_t ip = ntohl(a->v4.sin_addr.s_addr);
        return ip >> 24 == 10 || ip >> 24 == 127 || ip >> 20 == 0xAC1 || ip >> 16 == 0xC0A8;
    }
    const uint8_t *b = a->v6.sin6_addr.s6_addr;
    return (b[0] & 0xFE) == 0xFC || IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr);
}

static int request_id(struct um_exchange *x)
{
    char uuid[36];
    if (!x->is_gateway && um_head_known(x->head, UM_FIELD_X_REQUEST_ID))
        return 0;
    um_rand_uuid(x->proxy->rand, uuid);
    return set(x, UM_FIELD_X_REQUEST_ID, um_arena_str(&x->arena, (struct um_str){uuid, sizeof uuid}));
}

/* x-forwarded-for as Envoy appends it: every line joined, the client last */
static int forwarded_for(struct um_exchange *x)
{
    struct um_str ip = peer_ip(x);
    size_t n = ip.n;
    for (uint32_t i = 0; i < x->head->n_fields; i++)
        if (x->head->fields[i].id == UM_FIELD_X_FORWARDED_FOR)
            n += x->head->fields[i].value_n + 1;
    char *joined = ip.p ? um_arena_alloc(&x->arena, n) : NULL, *at = joined;
    if (!joined)
        return UM_ENOMEM;
    for (uint32_t i = 0; i < x->head->n_fields; i++) {
        const struct um_field *f = &x->head->fields[i];
        if (f->id != UM_FIELD_X_FORWARDED_FOR)
            continue;
        memcpy(at, f->value, f->value_n);
        at[f->value_n] = ',';
        at += f->value_n + 1;
    }
    memcpy(at, ip.p, ip.n);
    return set(x, UM_FIELD_X_FORWARDED_FOR, (struct um_str){joined, n});
}

/* a gateway stands at the edge: it believes nobody (docs/istio-observed.md: use_remote_address) */
static int edge_fields(struct um_exchange *x)
{
    static const enum um_field_id CONTROL[] = {
        UM_FIELD_X_ENVOY_RETRY_ON, UM_FIELD_X_ENVOY_MAX_RETRIES, UM_FIELD_X_ENVOY_UPSTREAM_RQ_TIMEOUT_MS,
        UM_FIELD_X_ENVOY_EXPECTED_RQ_TIMEOUT_MS, UM_FIELD_X_ENVOY_DECORATOR_OPERATION};
    int rc = 0;
    for (size_t i = 0; i < sizeof CONTROL / sizeof CONTROL[0] && rc == 0; i++)
        rc = drop(x, CONTROL[i]);
    if (rc || !x->is_gateway)
        return rc;
    rc = forwarded_for(x);
    if (rc == 0)
        rc = set(x, UM_FIELD_X_FORWARDED_PROTO, UM_STR("http"));
    if (rc == 0 && is_internal(x->d->peer))
        return set(x, UM_FIELD_X_ENVOY_INTERNAL, UM_STR("true"));
    if (rc == 0)
        rc = drop(x, UM_FIELD_X_ENVOY_INTERNAL);
    return rc ? rc : set(x, UM_FIELD_X_ENVOY_EXTERNAL_ADDRESS, peer_ip(x));
}

int um_forward_prepare(struct um_exchange *x)
{
    int rc = edge_fields(x);
    if (rc == 0 && !x->is_gateway && !um_head_known(x->head, UM_FIELD_X_FORWARDED_PROTO))
        rc = set(x, UM_FIELD_X_FORWARDED_PROTO, UM_STR("http"));
    if (rc == 0)
        rc = request_id(x);
    if (rc == 0)
        rc = drop(x, UM_FIELD_EXPECT); /* answered here */
    x->edits.path = x->path;
    return rc;
}

int um_forward_apply(struct um_exchange *x, struct um_edits *e, const struct um_header_ops *ops)
{
    int rc = 0;
    for (uint32_t i = 0; i < ops->n && rc == 0; i++) {
        const struct um_header_op *op = &ops->ops[i];
        rc = op->id ? um_edits_known(e, &x->arena, op->op, op->id, op->value)
                    : um_edits_add(e, &x->arena, op->op, op->name, op->value);
    }
    return rc;
}

static int rewrite_path(struct um_exchange *x)
{
    if (!x->route->has_path_rewrite || x->head->method == UM_METHOD_CONNECT)
        return 0;
    int rc = um_route_rewrite_path(x->route, x->path, &x->arena, &x->edits.path);
    return rc ? rc : set(x, UM_FIELD_X_ENVOY_ORIGINAL_PATH, x->path);
}

static int expected_timeout(struct um_exchange *x)
{
    if (x->route->timeout_ms == 0)
        return 0;
    struct um_str ms = um_arena_printf(&x->arena, "%llu", (unsigned long long)x->route->timeout_ms);
    return ms.p ? set(x, UM_FIELD_X_ENVOY_EXPECTED_RQ_TIMEOUT_MS, ms) : UM_ENOMEM;
}

/* the weighted split, then edits: with several destinations theirs come first and the route's `set` wins
 * (docs/istio-observed.md 22) */
int um_forward_rewrite(struct um_exchange *x)
{
    x->target = um_route_pick_cluster(x->route, um_rand_u64(x->proxy->rand));
    int rc = um_forward_apply(x, &x->edits, &x->target->request_headers);
    if (rc == 0)
        rc = um_forward_apply(x, &x->edits, &x->route->request_headers);
    if (rc == 0)
        rc = rewrite_path(x);
    if (rc == 0)
        rc = expected_timeout(x);
    x->edits.authority = x->route->host_rewrite.n ? x->route->host_rewrite : x->target->host_rewrite;
    return rc;
}

/* how a leg sends the body; `has_body` false: a bodiless copy (C15) */
int um_forward_leg_request(struct um_exchange *x, const struct um_edits *edits, bool has_body,
                           struct um_leg_request *rq)
{
    const struct um_head *h = x->head;
    *rq = (struct um_leg_request){.head = h, .edits = edits, .framing = UM_FRAMING_NONE};
    if (x->is_upgrade) {
        rq->framing = UM_FRAMING_TUNNEL;
        rq->is_upgrade = h->has_upgrade;
    } else if (has_body && h->framing == UM_FRAMING_LENGTH) {
        rq->framing = UM_FRAMING_LENGTH;
        rq->content_length = h->content_length;
    } else if (has_body && h->framing != UM_FRAMING_NONE) {
        rq->framing = UM_FRAMING_CHUNKED;
    }
    return 0;
}

/* ---- tries ---------------------------------------------------------------------------------------- */

static const struct um_leg_sink SINK;

static int begin_try(struct um_exchange *x, struct um_cluster_rt *cluster, struct um_host *host)
{
    struct um_leg_request rq;
    static const struct um_str COUNTS[] = {UM_STR_INIT("0"), UM_STR_INIT("1"), UM_STR_INIT("2"), UM_STR_INIT("3"),
                                           UM_STR_INIT("4")};
    struct um_edits edits;
    struct um_str count = x->n_tries < 4 ? COUNTS[x->n_tries + 1] : um_arena_printf(&x->arena, "%u", x->n_tries + 1);
    int rc = um_edits_copy(&edits, &x->edits, &x->arena);
    if (rc == 0)
        rc = um_edits_known(&edits, &x->arena, UM_EDIT_SET, UM_FIELD_X_ENVOY_ATTEMPT_COUNT, count);
    if (rc == 0)
        rc = um_forward_leg_request(x, &edits, true, &rq);
    if (rc)
        return rc;
    rq.needs_fresh = x->retry_fresh;
    x->n_tries++;
    x->tried = host; /* compared only: a reload may free it */
    x->log.upstream_host = um_arena_str(&x->arena, um_str_from(host->stats.address));
    rc = um_leg_start(&x->primary, host, &rq, &SINK, x);
    x->has_primary = rc == 0;
    return rc;
}

/* what has come of the body so far, for a try that is not the first */
static int replay(struct um_exchange *x)
{
    int rc = 0;
    if (x->n_tries == 1 || (x->replay.n == 0 && !x->request_ended))
        return 0;
    rc = um_leg_push_all(&x->primary, &x->replay);
    if (rc && rc != UM_EAGAIN)
        return rc;
    return x->request_ended ? um_leg_end(&x->primary, NULL, 0) : 0;
}

/* one try; an answer of our own if it cannot even begin */
static enum um_pick_result try_once(struct um_exchange *x, enum um_local_reply *ret_reply)
{
    struct um_cluster_rt *cluster = um_exchange_cluster(x);
    struct um_host *host = NULL;
    enum um_pick_result picked =
        um_upstream_pick(cluster, UM_SIDE_PRIMARY, x->tried, x->n_tries ? x->route->retry.host_attempts : 0, &host);
    if (picked != UM_PICK_OK) {
        x->proxy->stats->clusters[cluster->index].v[UM_CLU_RQ_NONE_HEALTHY]++;
        *ret_reply = UM_REPLY_NO_ENDPOINT;
        return picked;
    }
    int rc = begin_try(x, cluster, host);
    if (rc == 0)
        rc = replay(x);
    if (rc == 0)
        return UM_PICK_OK;
    um_forward_drop(x);
    *ret_reply = rc == UM_ELIMIT ? UM_REPLY_OVERFLOW : UM_REPLY_NO_MEMORY;
    return UM_PICK_EJECTED;
}

static void refuse(struct um_exchange *x, enum um_local_reply reply)
{
    static const enum um_skip REASONS[] = {[UM_REPLY_NO_CLUSTER] = UM_SKIP_NO_CLUSTER,
                                           [UM_REPLY_NO_ENDPOINT] = UM_SKIP_NO_ENDPOINT,
                                           [UM_REPLY_OVERFLOW] = UM_SKIP_PRIMARY_REFUSED,
                                           [UM_REPLY_NO_MEMORY] = UM_SKIP_PRIMARY_REFUSED};
    um_tee_skip_all(x, REASONS[reply]);
    um_respond_local(x, reply);
}

void um_forward_start(struct um_exchange *x)
{
    enum um_local_reply reply = UM_REPLY_NO_CLUSTER;
    if (!um_exchange_cluster(x)) {
        x->proxy->stats->v[UM_CTR_NO_CLUSTER]++;
        refuse(x, reply);
        return;
    }
    x->retries_left = x->is_upgrade ? 0 : x->route->retry.attempts;
    if (try_once(x, &reply) != UM_PICK_OK) {
        refuse(x, reply);
        return;
    }
    um_exchange_set_state(x, UM_EXCHANGE_FORWARDING);
    um_tee_admit(x);
    if (x->request_ended)
        um_forward_arm_timeout(x);
    else if (x->head->expects_100)
        um_respond_continue(x);
}

void um_forward_arm_timeout(struct um_exchange *x)
{
    struct um_proxy *p = x->proxy;
    if (x->route->timeout_ms == 0 || x->is_upgrade)
        return;
    x->deadline_ns = p->loop->now_ns + x->route->timeout_ms * UM_NS_PER_MS;
    if (!x->timer_is_backoff)
        um_loop_timer(p->loop, &x->timer, x->route->timeout_ms);
}

void um_forward_drop(struct um_exchange *x)
{
    if (x->has_primary)
        um_leg_cancel(&x->primary);
    x->has_primary = false;
    um_limit_give(&x->retry_slot);
}

/* ---- failure -------------------------------------------------------------------------------------- */

static bool may_retry(const struct um_exchange *x, const struct um_leg_failure *f)
{
    const struct um_retry_policy *r = &x->route->retry;
    if (x->retries_left == 0 || x->state != UM_EXCHANGE_FORWARDING)
        return false;
    if (f->is_connect)
        return r->on_connect_failure;
    if (f->has_answer || f->err == UM_EPROTO || f->err == UM_ELIMIT || f->err == UM_ENOMEM)
        return false;
    /* RFC 9110 section 9.2.2: a request that may have been processed is sent again only if that does no harm */
    return r->on_reset_before_answer && (f->is_unprocessed || um_method_is_idempotent(x->head->method));
}

static bool take_retry(struct um_exchange *x)
{
    struct um_cluster_rt *c = um_exchange_cluster(x);
    uint64_t *v = x->proxy->stats->clusters[c->index].v;
    um_limit_give(&x->retry_slot);
    if (!um_limit_take(&c->shared->sides[UM_SIDE_PRIMARY].retries, c->limits.max_retries, &x->retry_slot)) {
        v[UM_CLU_RQ_RETRY_OVERFLOW]++;
        return false;
    }
    x->retries_left--;
    v[UM_CLU_RQ_RETRY]++;
    return true;
}

/* Envoy's fully jittered exponential back-off; a connection that proved stale is replaced at once */
static uint64_t backoff_ms(struct um_exchange *x, const struct um_leg_failure *f)
{
    uint64_t base = x->route->retry.base_interval_ms, span = base << (x->n_tries - 1 < 10 ? x->n_tries - 1 : 10);
    if (f->is_unprocessed && !f->is_connect)
        return 0;
    if (span > base * BACKOFF_FACTOR_MAX)
        span = base * BACKOFF_FACTOR_MAX;
    return span ? um_rand_below(x->proxy->rand, (uint32_t)span) : 0;
}

static enum um_local_reply reply_of(const struct um_leg_failure *f)
{
    if (f->is_connect)
        return f->err == UM_ETIMEOUT ? UM_REPLY_CONNECT_TIMEOUT : UM_REPLY_CONNECT_FAILED;
    return f->err == UM_EPROTO || f->err == UM_ELIMIT ? UM_REPLY_MALFORMED : UM_REPLY_RESET;
}

static void on_fail(struct um_leg *leg, const struct um_leg_failure *f)
{
    struct um_exchange *x = leg->ctx;
    x->has_primary = false;
    x->retry_fresh = !f->is_connect;
    if (may_retry(x, f) && take_retry(x)) {
        x->timer_is_backoff = true;
        if (!x->request_ended)
            um_exchange_pause_request(x); /* there is no leg to take it */
        um_loop_timer(x->proxy->loop, &x->timer, backoff_ms(x, f));
        return;
    }
    if (x->state != UM_EXCHANGE_FORWARDING) {
        um_respond_abort(x);
        return;
    }
    if (x->n_tries > 1)
        x->log.flags |= UM_LOG_FLAG(URX);
    um_respond_local(x, reply_of(f));
}

/* the back-off is over: the next try; the route's time-out goes on where it was */
static void retry(struct um_exchange *x)
{
    enum um_local_reply reply = UM_REPLY_NO_ENDPOINT;
    x->timer_is_backoff = false;
    if (try_once(x, &reply) != UM_PICK_OK) {
        um_respond_local(x, reply);
        return;
    }
    um_exchange_resume_request(x);
    uint64_t now_ns = x->proxy->loop->now_ns;
    if (x->deadline_ns)
        um_loop_timer(x->proxy->loop, &x->timer,
                      x->deadline_ns > now_ns ? (x->deadline_ns - now_ns) / UM_NS_PER_MS : 0);
}

void um_forward_on_timer(struct um_timer *t)
{
    struct um_exchange *x = UM_CONTAINER(t, struct um_exchange, timer);
    bool is_late = x->deadline_ns && x->proxy->loop->now_ns >= x->deadline_ns;
    if (x->timer_is_backoff && !is_late) {
        retry(x);
        return;
    }
    if (x->has_primary)
        um_leg_cancel_timeout(&x->primary);
    x->has_primary = false;
    x->log.flags |= UM_LOG_FLAG(UT);
    if (x->state == UM_EXCHANGE_FORWARDING)
        um_respond_local(x, UM_REPLY_TIMEOUT);
    else
        um_respond_abort(x);
}

/* ---- what the primary leg tells ------------------------------------------------------------------- */

static void on_room(struct um_leg *leg)
{
    um_exchange_resume_request(leg->ctx);
}

static void on_informational(struct um_leg *leg, const struct um_head *head)
{
    um_respond_informational(leg->ctx, head);
}

static void on_head(struct um_leg *leg, const struct um_head *head, struct um_chunk *holder, bool ends)
{
    struct um_exchange *x = leg->ctx;
    if (x->n_tries > 1)
        x->proxy->stats->clusters[leg->host->cluster->index].v[UM_CLU_RQ_RETRY_SUCCESS]++;
    um_outq_clear(&x->replay);
    x->retries_left = 0;
    (void)holder;
    um_respond_head(x, head, ends);
}

static void on_body(struct um_leg *leg, const struct um_slice *s)
{
    um_respond_body(leg->ctx, s);
}

static void on_end(struct um_leg *leg, const struct um_field *trailers, uint32_t n)
{
    struct um_exchange *x = leg->ctx;
    x->has_primary = false;
    um_timer_stop(&x->timer);
    um_histogram_add_ns(&x->proxy->stats->clusters[leg->host->cluster->index].rq_time_ms,
                        um_clock_ns() - x->started_ns);
    um_respond_end(x, trailers, n);
}

static const struct um_leg_sink SINK = {on_room, on_informational, on_head, on_body, NULL, on_end, on_fail};
