/* SPDX-License-Identifier: Apache-2.0
 * The copies of a request (docs/mirroring.md).
 *
 *   draw: matched +1 -> skipped[reason] +1, or DRAWN
 *   admit (the primary has begun): mirrored +1, active +1; without a body the leg starts at the end of the turn, behind every
 *         primary's write, else at once so that no piece of the body is missed
 *   RUNNING -> completed[class] +1 or dropped[reason] +1, active -1: ENDED
 *
 * I1: nothing here waits, fails or slows the primary; only `mode: backpressure` may hold the request's body back.
 */
#include "proxy/exchange.h"

enum { LEG_BYTES_MIN = 4096, ANSWER_BYTES_MIN = 1 << 20, ANSWER_FACTOR = 4 };

static struct um_shadow_stats *stats_of(const struct um_proxy *p, const struct um_mirror *m)
{
    return &p->stats->shadows[m->index];
}

static struct um_cluster_rt *cluster_of(const struct um_copy *c)
{
    return um_upstream_cluster(c->x->proxy->upstream, c->mirror->cluster);
}

/* ---- draw ----------------------------------------------------------------------------------------- */

static bool is_off(const struct um_proxy *p, const struct um_mirror *m)
{
    const struct um_shadow_switches *s = &p->switches;
    return s->is_all_off || (s->is_off && m->index < s->n && s->is_off[m->index]);
}

static bool is_drawn(struct um_exchange *x, const struct um_mirror *m)
{
    char ip[UM_SOCKADDR_TEXT_BYTES];
    struct um_sample_request rq = {.head = x->head, .path = x->path};
    if (m->policy->sampling_key == UM_SAMPLING_SOURCE_ADDRESS) {
        struct um_sockaddr addr = {.n = sizeof addr.u.v6};
        memcpy(&addr.u, x->d->peer, sizeof *x->d->peer);
        rq.source_ip = (struct um_str){ip, um_sockaddr_ip_text(&addr, ip)};
    }
    return um_route_sample(m, &rq, um_rand_u64(x->proxy->rand));
}

static bool same_endpoints(const struct um_exchange *x, const struct um_mirror *m)
{
    if (!m->policy->wants_distinct_endpoints)
        return false;
    const struct um_weighted_cluster *clusters = x->route->clusters;
    const struct um_cluster_rt *shadow = um_upstream_cluster(x->proxy->upstream, m->cluster);
    for (uint32_t i = 0; i < x->route->n_clusters; i++) {
        const struct um_cluster_rt *primary = um_upstream_cluster(x->proxy->upstream, clusters[i].cluster);
        if (primary && um_upstream_same_endpoints(primary, shadow))
            return true;
    }
    return false;
}

/* why this exchange is not copied to this shadow, or UM_SKIP_COUNT if it is */
static enum um_skip skip_reason(struct um_exchange *x, const struct um_mirror *m)
{
    const struct um_proxy *p = x->proxy;
    if (um_head_known(x->head, UM_FIELD_X_UMBRA_SHADOW))
        return UM_SKIP_LOOP;
    if (is_off(p, m))
        return UM_SKIP_SWITCHED_OFF;
    if (x->route->action == UM_ACTION_REDIRECT)
        return UM_SKIP_REDIRECT;
    if (x->route->action == UM_ACTION_DIRECT_RESPONSE)
        return UM_SKIP_DIRECT_RESPONSE;
    if (x->head->method == UM_METHOD_CONNECT)
        return UM_SKIP_CONNECT;
    if (x->is_upgrade)
        return UM_SKIP_UPGRADE;
    if (!um_route_allows_method(m->policy, x->head))
        return UM_SKIP_METHOD;
    if (!m->cluster || !um_upstream_cluster(p->upstream, m->cluster))
        return UM_SKIP_NO_SHADOW_CLUSTER;
    if (!um_upstream_has_host(um_upstream_cluster(p->upstream, m->cluster), UM_SIDE_SHADOW))
        return UM_SKIP_NO_SHADOW_ENDPOINT;
    if (same_endpoints(x, m))
        return UM_SKIP_SAME_ENDPOINT;
    return is_drawn(x, m) ? UM_SKIP_COUNT : UM_SKIP_SAMPLED_OUT;
}

void um_tee_draw(struct um_exchange *x)
{
    const struct um_route *r = x->route;
    for (uint32_t i = 0; i < r->n_mirrors; i++) {
        struct um_shadow_stats *s = stats_of(x->proxy, &r->mirrors[i]);
        enum um_skip skip = skip_reason(x, &r->mirrors[i]);
        s->matched++;
        if (skip == UM_SKIP_COUNT && !x->copies) {
            x->copies = um_arena_array(&x->arena, r->n_mirrors, sizeof *x->copies);
            if (!x->copies)
                skip = UM_SKIP_MEMORY;
        }
        if (skip == UM_SKIP_COUNT)
            x->copies[x->n_copies++] = (struct um_copy){.x = x, .mirror = &r->mirrors[i]};
        else
            s->skipped[skip]++;
    }
}

void um_tee_skip_all(struct um_exchange *x, enum um_skip reason)
{
    for (uint32_t i = 0; i < x->n_copies; i++)
        stats_of(x->proxy, x->copies[i].mirror)->skipped[reason]++;
    x->n_copies = 0;
}

/* ---- end ------------------------------------------------------------------------------------------ */

static void write_line(struct um_copy *c, const char *outcome)
{
    struct um_exchange *x = c->x;
    struct um_log_record r = x->log;
    const struct um_head *h = x->head;
    uint64_t now_ns = um_clock_ns();
    r.duration_ns = now_ns - x->started_ns;
    r.start_wall_ns = um_clock_wall_ns() - r.duration_ns;
    r.status = c->status;
    r.flags = 0;
    r.details = outcome;
    r.rx_bytes = c->leg.body_bytes;
    r.tx_bytes = c->leg.answer_bytes;
    r.upstream_ms = -1;
    r.method = h->method_name;
    r.path = h->path;
    r.protocol = h->version == UM_HTTP_10 ? UM_STR("HTTP/1.0") : UM_STR("HTTP/1.1");
    r.authority = um_url_shadow_authority(h->authority, &x->arena);
    r.route_name = x->route->name;
    r.upstream_cluster = c->mirror->cluster_name;
    r.upstream_host = c->leg.host ? um_str_from(c->leg.host->stats.address) : (struct um_str){NULL, 0};
    r.upstream_local = c->local;
    r.local = r.peer = (struct um_str){NULL, 0};
    um_edits_lookup(&x->edits, h, UM_STR("user-agent"), &r.user_agent);
    um_edits_lookup(&x->edits, h, UM_STR("x-forwarded-for"), &r.forwarded_for);
    um_edits_lookup(&x->edits, h, UM_STR("x-request-id"), &r.request_id);
    r.shadow = c->mirror->cluster_name;
    r.outcome = outcome;
    um_access_log_add(x->proxy->log, &r);
}

/* the copy is over, its leg too; the exchange may go with it */
static void end(struct um_copy *c, const char *outcome)
{
    struct um_exchange *x = c->x;
    c->state = UM_COPY_ENDED;
    um_timer_stop(&c->deadline);
    um_list_remove(&c->node);
    stats_of(x->proxy, c->mirror)->active--;
    x->n_active--;
    if (x->proxy->log)
        write_line(c, outcome);
    um_exchange_resume_request(x);
    um_exchange_check_upload(x);
    um_exchange_check(x);
}

void um_tee_drop(struct um_copy *c, enum um_drop reason)
{
    if (c->state == UM_COPY_ENDED)
        return;
    if (c->state == UM_COPY_RUNNING && reason == UM_DROP_TIMEOUT)
        um_leg_cancel_timeout(&c->leg);
    else if (c->state == UM_COPY_RUNNING && reason == UM_DROP_TOO_LARGE)
        um_leg_cancel_excess(&c->leg);
    else if (c->state == UM_COPY_RUNNING)
        um_leg_cancel(&c->leg);
    stats_of(c->x->proxy, c->mirror)->dropped[reason]++;
    end(c, um_drop_label(reason));
}

static enum um_drop drop_of(const struct um_leg_failure *f)
{
    switch (f->err) {
    case UM_ENOMEM:
        return UM_DROP_MEMORY;
    case UM_EPROTO:
        return UM_DROP_MALFORMED;
    case UM_ELIMIT:
        return f->is_connect ? UM_DROP_OVERFLOW : UM_DROP_TOO_LARGE;
    case UM_ETLS:
        return UM_DROP_TLS;
    case UM_EDNS:
        return UM_DROP_DNS;
    case UM_ETIMEOUT:
        return f->is_connect ? UM_DROP_CONNECT_TIMEOUT : UM_DROP_RESET;
    default:
        return f->is_connect ? UM_DROP_CONNECT_FAILED : UM_DROP_RESET;
    }
}

/* ---- deadline (C20) ------------------------------------------------------------------------------- */

static uint64_t timeout_ms(const struct um_copy *c)
{
    if (c->mirror->policy->timeout_ms)
        return c->mirror->policy->timeout_ms;
    return c->x->route->timeout_ms ? c->x->route->timeout_ms : UM_SHADOW_TIMEOUT_MS;
}

/* from the end of the request; while it still arrives, from the last byte that the shadow took */
static void on_deadline(struct um_timer *t)
{
    struct um_copy *c = UM_CONTAINER(t, struct um_copy, deadline);
    uint64_t now_ns = c->x->proxy->loop->now_ns, limit_ms = timeout_ms(c);
    if (!c->leg.request_ended && c->leg.sent_bytes != c->taken_bytes) {
        c->taken_bytes = c->leg.sent_bytes;
        c->progress_ns = now_ns;
    }
    if (!c->leg.request_ended && c->leg.out.bytes == 0)
        c->progress_ns = now_ns; /* nothing to take: the client is slow, not the shadow */
    uint64_t passed_ms = (now_ns - c->progress_ns) / UM_NS_PER_MS;
    if (passed_ms >= limit_ms)
        um_tee_drop(c, UM_DROP_TIMEOUT);
    else
        um_loop_timer(c->x->proxy->loop, t, limit_ms - passed_ms);
}

/* ---- what a shadow leg tells ---------------------------------------------------------------------- */

static void on_room(struct um_leg *leg)
{
    struct um_copy *c = leg->ctx;
    um_exchange_resume_request(c->x);
}

static void on_informational(struct um_leg *leg, const struct um_head *head)
{
    (void)leg;
    (void)head;
}

static void on_head(struct um_leg *leg, const struct um_head *head, struct um_chunk *holder, bool ends)
{
    struct um_copy *c = leg->ctx;
    (void)holder;
    (void)ends;
    c->status = head->status;
    if (c->x->proxy->log)
        c->local = um_exchange_leg_local(c->x, leg);
}

static void on_body(struct um_leg *leg, const struct um_slice *s)
{
    (void)leg;
    (void)s;
}

/* An answer without end would keep production's loop busy: a shadow's may be a few times the primary's. While that is not
 * whole, the shadow waits for it; afterwards it is too large. */
static uint64_t answer_limit(const struct um_exchange *x)
{
    uint64_t primary = x->d ? x->d->tx_bytes : x->answered_bytes;
    return ANSWER_BYTES_MIN + primary * ANSWER_FACTOR;
}

static void on_excess(struct um_leg *leg)
{
    struct um_copy *c = leg->ctx;
    leg->answer_limit = answer_limit(c->x);
    if (leg->answer_bytes <= leg->answer_limit)
        return;
    if (c->x->d)
        um_leg_pause(leg);
    else
        um_tee_drop(c, UM_DROP_TOO_LARGE);
}

void um_tee_answered(struct um_exchange *x)
{
    x->n_active++; /* the last copy to end must not free the exchange under this loop */
    for (uint32_t i = 0; i < x->n_copies; i++) {
        struct um_copy *c = &x->copies[i];
        if (c->state != UM_COPY_RUNNING || !c->leg.is_paused)
            continue;
        um_leg_resume(&c->leg);
        on_excess(&c->leg);
    }
    x->n_active--;
    um_exchange_check(x);
}

static void on_end(struct um_leg *leg, const struct um_field *trailers, uint32_t n)
{
    struct um_copy *c = leg->ctx;
    struct um_shadow_stats *s = stats_of(c->x->proxy, c->mirror);
    unsigned class = c->status / 100;
    (void)trailers;
    (void)n;
    s->completed[class >= 1 && class <= 5 ? class : 5]++;
    if (leg->first_sent_ns)
        um_histogram_add_ns(&s->duration_ms, c->x->proxy->loop->now_ns - leg->first_sent_ns);
    end(c, "completed");
}

static void on_fail(struct um_leg *leg, const struct um_leg_failure *f)
{
    struct um_copy *c = leg->ctx;
    stats_of(c->x->proxy, c->mirror)->dropped[drop_of(f)]++;
    end(c, um_drop_label(drop_of(f)));
}

static const struct um_leg_sink SINK = {on_room, on_informational, on_head, on_body, on_excess, on_end, on_fail};

/* ---- start ---------------------------------------------------------------------------------------- */

enum { TRACEPARENT_BYTES = 55, SPAN_AT = 36, SPAN_BYTES = 16 };

/* W3C trace context: `00-TRACE-SPAN-FLAGS`; the copy continues the trace with a span of its own */
static int trace_edit(struct um_copy *c, struct um_edits *e)
{
    static const char HEX[] = "0123456789abcdef";
    struct um_exchange *x = c->x;
    const struct um_field *f = um_head_known(x->head, UM_FIELD_TRACEPARENT);
    if (!f || f->value_n != TRACEPARENT_BYTES || !um_str_starts(um_field_value(f), UM_STR("00-")))
        return 0;
    struct um_str value = um_arena_str(&x->arena, um_field_value(f));
    if (!value.p)
        return UM_ENOMEM;
    uint64_t span = um_rand_u64(x->proxy->rand) | 1; /* never zero */
    for (int i = 0; i < SPAN_BYTES; i++)
        ((char *)(uintptr_t)value.p)[SPAN_AT + i] = HEX[span >> (4 * i) & 15];
    return um_edits_known(e, &x->arena, UM_EDIT_SET, UM_FIELD_TRACEPARENT, value);
}

/* C10, C11: the primary's head, with Host, marker and the policy's fields */
static int copy_edits(struct um_copy *c, struct um_edits *e)
{
    struct um_exchange *x = c->x;
    const struct um_shadow_policy *policy = c->mirror->policy;
    struct um_str host = x->edits.authority.n ? x->edits.authority : x->head->authority;
    int rc = um_edits_copy(e, &x->edits, &x->arena);
    if (rc == 0)
        rc = um_edits_known(e, &x->arena, UM_EDIT_SET, UM_FIELD_X_ENVOY_ATTEMPT_COUNT, UM_STR("1"));
    if (rc == 0)
        rc = um_edits_known(e, &x->arena, UM_EDIT_SET, UM_FIELD_X_UMBRA_SHADOW, UM_STR("1"));
    if (rc == 0)
        rc = trace_edit(c, e);
    if (rc == 0)
        rc = um_forward_apply(x, e, &policy->headers);
    if (policy->host_rewrite.n)
        e->authority = policy->host_rewrite;
    else if (policy->has_host_suffix)
        e->authority = um_url_shadow_authority(host, &x->arena);
    return rc;
}

static int start_leg(struct um_copy *c, struct um_host *host)
{
    struct um_exchange *x = c->x;
    struct um_leg_request rq;
    struct um_edits edits;
    int rc = copy_edits(c, &edits);
    if (rc == 0)
        rc = um_forward_leg_request(x, &edits, c->mirror->policy->has_body, &rq);
    if (rc == 0)
        rc = um_leg_start(&c->leg, host, &rq, &SINK, c);
    if (rc)
        return rc;
    c->state = UM_COPY_RUNNING;
    c->leg.discards_body = true;
    c->leg.answer_limit = ANSWER_BYTES_MIN;
    if (c->mirror->policy->mode == UM_BODY_LIMIT_BACKPRESSURE) {
        c->leg.high_bytes = c->mirror->policy->max_body_bytes;
        c->leg.low_bytes = c->leg.high_bytes / 4;
    }
    c->progress_ns = x->proxy->loop->now_ns;
    um_loop_timer(x->proxy->loop, &c->deadline, timeout_ms(c));
    return 0;
}

static void start(struct um_copy *c)
{
    struct um_host *host = NULL;
    struct um_proxy *p = c->x->proxy;
    if (!um_ledger_fits(p->ledger, LEG_BYTES_MIN)) {
        um_tee_drop(c, UM_DROP_MEMORY);
        return;
    }
    enum um_pick_result picked = um_upstream_pick(cluster_of(c), UM_SIDE_SHADOW, NULL, 0, &host);
    if (picked != UM_PICK_OK) {
        um_tee_drop(c, UM_DROP_EJECTED);
        return;
    }
    int rc = start_leg(c, host);
    if (rc) {
        um_breaker_forget(host->shared);
        um_tee_drop(c, rc == UM_ELIMIT ? UM_DROP_OVERFLOW : UM_DROP_MEMORY);
    }
}

static void start_all(struct um_exchange *x)
{
    uint32_t n = x->n_copies;
    x->n_active++; /* the last copy to end must not free the exchange under this loop */
    for (uint32_t i = 0; i < n; i++)
        if (x->copies[i].state == UM_COPY_DRAWN)
            start(&x->copies[i]);
    x->n_active--;
    um_exchange_check(x);
}

void um_tee_start(struct um_task *t)
{
    start_all(UM_CONTAINER(t, struct um_exchange, start_copies));
}

void um_tee_admit(struct um_exchange *x)
{
    for (uint32_t i = 0; i < x->n_copies; i++) {
        struct um_copy *c = &x->copies[i];
        struct um_shadow_stats *s = stats_of(x->proxy, c->mirror);
        um_timer_init(&c->deadline, on_deadline);
        um_list_push(&x->proxy->copies, &c->node);
        s->mirrored++;
        s->active++;
        x->n_active++;
    }
    if (x->n_active == 0)
        return;
    if (x->request_ended)
        um_loop_late(x->proxy->loop, &x->start_copies);
    else
        start_all(x);
}

/* ---- the body ------------------------------------------------------------------------------------- */

static bool takes_body(const struct um_copy *c)
{
    return c->state == UM_COPY_RUNNING && !c->leg.request_ended && !c->leg.is_over;
}

static bool is_full(const struct um_copy *c)
{
    return um_leg_waiting_bytes(&c->leg) > c->mirror->policy->max_body_bytes;
}

static void push(struct um_copy *c, const struct um_slice *s)
{
    int rc = um_leg_push(&c->leg, s);
    if (rc && rc != UM_EAGAIN)
        um_tee_drop(c, UM_DROP_MEMORY);
    else if (is_full(c) && c->mirror->policy->mode == UM_BODY_LIMIT_DROP)
        um_tee_drop(c, UM_DROP_BODY_LIMIT);
}

void um_tee_body(struct um_exchange *x, const struct um_slice *s)
{
    for (uint32_t i = 0; i < x->n_copies; i++)
        if (takes_body(&x->copies[i]))
            push(&x->copies[i], s);
}

void um_tee_end(struct um_exchange *x, const struct um_field *trailers, uint32_t n)
{
    for (uint32_t i = 0; i < x->n_copies; i++) {
        struct um_copy *c = &x->copies[i];
        if (!takes_body(c))
            continue;
        c->progress_ns = x->proxy->loop->now_ns;
        if (um_leg_end(&c->leg, trailers, n))
            um_tee_drop(c, UM_DROP_MEMORY);
    }
}

/* a copy that has its whole request (it may be bodiless, C15) is not concerned */
void um_tee_cut(struct um_exchange *x)
{
    for (uint32_t i = 0; i < x->n_copies; i++)
        if (takes_body(&x->copies[i]) || x->copies[i].state == UM_COPY_DRAWN)
            um_tee_drop(&x->copies[i], UM_DROP_TRUNCATED);
}

bool um_tee_wants_body(const struct um_exchange *x)
{
    for (uint32_t i = 0; i < x->n_copies; i++)
        if (takes_body(&x->copies[i]))
            return true;
    return false;
}

bool um_tee_holds_request(const struct um_exchange *x)
{
    for (uint32_t i = 0; i < x->n_copies; i++) {
        const struct um_copy *c = &x->copies[i];
        if (takes_body(c) && c->mirror->policy->mode == UM_BODY_LIMIT_BACKPRESSURE && is_full(c))
            return true;
    }
    return false;
}

/* ---- memory (C19) --------------------------------------------------------------------------------- */

void um_tee_relief(struct um_task *t)
{
    struct um_proxy *p = UM_CONTAINER(t, struct um_proxy, relief);
    struct um_list *node;
    while (um_ledger_is_over(p->ledger) && (node = um_list_first(&p->copies)))
        um_tee_drop(UM_CONTAINER(node, struct um_copy, node), UM_DROP_MEMORY);
}
