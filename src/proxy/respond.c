/* SPDX-License-Identifier: Apache-2.0
 * What goes to the client: the primary's answer as it comes, or an answer of our own. */
#include "http/h1_write.h"
#include "proxy/exchange.h"

static const struct reply {
    uint16_t status;
    uint32_t flags;
    const char *details;
    struct um_str body;
} REPLIES[] = {
#define UM_LOCAL_REPLY(id, status, flag, details, body) {status, UM_REPLY_FLAG_##flag, details, UM_STR_INIT(body)},
#define UM_REPLY_FLAG_NONE 0
#define UM_REPLY_FLAG_NR UM_LOG_FLAG(NR)
#define UM_REPLY_FLAG_NC UM_LOG_FLAG(NC)
#define UM_REPLY_FLAG_UH UM_LOG_FLAG(UH)
#define UM_REPLY_FLAG_UO UM_LOG_FLAG(UO)
#define UM_REPLY_FLAG_UF UM_LOG_FLAG(UF)
#define UM_REPLY_FLAG_UC UM_LOG_FLAG(UC)
#define UM_REPLY_FLAG_UPE UM_LOG_FLAG(UPE)
#define UM_REPLY_FLAG_UT UM_LOG_FLAG(UT)
#define UM_REPLY_FLAG_OM UM_LOG_FLAG(OM)
#include "proxy/local_reply.def"
#undef UM_LOCAL_REPLY
};

/* IMF-fixdate (RFC 9110 section 5.6.7), made once a second */
static struct um_str date(struct um_proxy *p)
{
    uint64_t now_s = p->loop->now_ns / UM_NS_PER_S;
    if (now_s != p->date_s || !p->date[0]) {
        time_t wall = (time_t)(um_clock_wall_ns() / UM_NS_PER_S);
        struct tm tm;
        gmtime_r(&wall, &tm);
        strftime(p->date, sizeof p->date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
        p->date_s = now_s;
    }
    return um_str_from(p->date);
}

/* the answer cannot be sent or finished: the client must see that */
void um_respond_abort(struct um_exchange *x)
{
    struct um_downstream *d = x->d;
    um_forward_drop(x);
    if (!d)
        return;
    if (!x->log.details)
        x->log.details = "upstream_reset_after_response_started";
    if (!x->request_ended)
        um_tee_cut(x);
    d->ops->abort(d);
    x->answer_ended = true;
    um_exchange_ops.on_sent(x);
}

static void send_own(struct um_exchange *x, const struct um_head *head, const struct um_edits *edits,
                     struct um_str body)
{
    struct um_downstream *d = x->d;
    um_exchange_set_state(x, UM_EXCHANGE_ANSWERING);
    x->answer_ended = true;
    x->log.status = head->status;
    x->log.upstream_ms = -1;
    int rc = d->ops->send_head(d, head, edits, body.n == 0);
    if (rc == 0 && body.n) {
        struct um_chunk *c = um_chunk_new(x->proxy->chunks, um_chunk_class_for(body.n));
        rc = UM_ENOMEM;
        if (c) {
            memcpy(c->data, body.p, body.n);
            c->used = (uint32_t)body.n;
            const struct um_slice s = {c, c->data, body.n};
            rc = d->ops->send_body(d, &s);
            um_chunk_unref(c);
        }
    }
    if (rc && rc != UM_EAGAIN) {
        um_respond_abort(x);
        return;
    }
    if (d->ops->send_end(d, NULL, 0))
        um_respond_abort(x);
    else
        um_exchange_check_upload(x);
}

static int add_own_fields(struct um_exchange *x, struct um_edits *e, bool has_text)
{
    int rc = um_edits_known(e, &x->arena, UM_EDIT_SET, UM_FIELD_DATE, date(x->proxy));
    if (rc == 0)
        rc = um_edits_known(e, &x->arena, UM_EDIT_SET, UM_FIELD_SERVER, UM_STR("umbra"));
    if (rc == 0 && has_text)
        rc = um_edits_known(e, &x->arena, UM_EDIT_SET, UM_FIELD_CONTENT_TYPE, UM_STR("text/plain"));
    return rc;
}

static struct um_head own_head(unsigned status, size_t body_bytes)
{
    return (struct um_head){.version = UM_HTTP_11,
                            .is_response = true,
                            .framing = UM_FRAMING_LENGTH,
                            .content_length = body_bytes,
                            .status = (uint16_t)status,
                            .reason = um_status_reason(status),
                            .keep_alive = true};
}

void um_respond_local(struct um_exchange *x, enum um_local_reply id)
{
    const struct reply *r = &REPLIES[id];
    const struct um_head head = own_head(r->status, r->body.n);
    struct um_edits edits;
    um_edits_init(&edits);
    x->log.flags |= r->flags;
    x->log.details = r->details;
    um_forward_drop(x);
    int rc = add_own_fields(x, &edits, r->body.n > 0);
    if (rc == 0 && id == UM_REPLY_OVERFLOW) /* Envoy: a circuit breaker refused, trying again makes it worse */
        rc = um_edits_add(&edits, &x->arena, UM_EDIT_SET, UM_STR("x-envoy-overloaded"), UM_STR("true"));
    if (rc)
        um_respond_abort(x);
    else
        send_own(x, &head, &edits, r->body);
}

/* docs/istio-observed.md 25: default ports are left out of the location, a rewritten path drops the query */
static struct um_str location(struct um_exchange *x)
{
    const struct um_route *r = x->route;
    struct um_str scheme = r->redirect_scheme.n ? r->redirect_scheme : UM_STR("http");
    struct um_str authority = r->redirect_authority.n ? r->redirect_authority : x->head->authority;
    struct um_str path = x->path, ignored, query;
    if (r->redirect_path.n) {
        um_url_split(x->path, &ignored, &query);
        bool keeps_query = query.n && um_str_find(r->redirect_path, '?') < 0;
        path = keeps_query ? um_arena_printf(&x->arena, "%.*s?%.*s", UM_STR_ARG(r->redirect_path), UM_STR_ARG(query))
                           : r->redirect_path;
    }
    struct um_str host, port;
    um_url_split_authority(authority, &host, &port);
    bool scheme_changes = r->redirect_scheme.n > 0;
    if (scheme_changes && (um_str_eq(port, UM_STR("80")) || um_str_eq(port, UM_STR("443"))))
        authority = host;
    return um_arena_printf(&x->arena, "%.*s://%.*s%.*s", UM_STR_ARG(scheme), UM_STR_ARG(authority), UM_STR_ARG(path));
}

void um_respond_route(struct um_exchange *x)
{
    const struct um_route *r = x->route;
    bool is_redirect = r->action == UM_ACTION_REDIRECT;
    const struct um_head head = own_head(r->status, is_redirect ? 0 : r->body.n);
    struct um_edits edits;
    um_edits_init(&edits);
    x->log.details = "direct_response";
    int rc = add_own_fields(x, &edits, !is_redirect && r->body.n > 0);
    if (rc == 0 && is_redirect)
        rc = um_edits_known(&edits, &x->arena, UM_EDIT_SET, UM_FIELD_LOCATION, location(x));
    if (rc == 0)
        rc = um_forward_apply(x, &edits, &r->response_headers);
    if (rc)
        um_respond_abort(x);
    else
        send_own(x, &head, &edits, is_redirect ? (struct um_str){NULL, 0} : r->body);
}

/* ---- the primary's answer ------------------------------------------------------------------------- */

void um_respond_continue(struct um_exchange *x)
{
    const struct um_head head = {
        .version = UM_HTTP_11, .is_response = true, .status = 100, .reason = UM_STR("Continue")};
    if (x->d->ops->send_informational(x->d, &head, NULL))
        um_respond_abort(x);
}

/* 100 was answered here already (Expect is not forwarded); the others pass (RFC 9110 section 15.2) */
void um_respond_informational(struct um_exchange *x, const struct um_head *head)
{
    if (head->status == 100 || !x->d)
        return;
    if (x->d->ops->send_informational(x->d, head, NULL))
        um_respond_abort(x);
}

static int answer_edits(struct um_exchange *x, const struct um_head *head, struct um_edits *e)
{
    char digits[UM_U64_TEXT_BYTES];
    size_t n = um_u64_text(digits, (uint64_t)x->log.upstream_ms);
    struct um_str ms = um_arena_str(&x->arena, (struct um_str){digits, n});
    int rc = ms.p ? um_edits_known(e, &x->arena, UM_EDIT_SET, UM_FIELD_X_ENVOY_UPSTREAM_SERVICE_TIME, ms) : UM_ENOMEM;
    if (rc == 0 && !um_head_known(head, UM_FIELD_DATE))
        rc = um_edits_known(e, &x->arena, UM_EDIT_SET, UM_FIELD_DATE, date(x->proxy));
    if (rc == 0)
        rc = um_forward_apply(x, e, &x->target->response_headers);
    return rc ? rc : um_forward_apply(x, e, &x->route->response_headers);
}

void um_respond_head(struct um_exchange *x, const struct um_head *head, bool ends)
{
    struct um_edits edits;
    um_edits_init(&edits);
    um_exchange_set_state(x, UM_EXCHANGE_ANSWERING);
    x->log.status = head->status;
    x->log.details = "via_upstream";
    if (x->proxy->log)
        x->log.upstream_local = um_exchange_leg_local(x, &x->primary);
    x->log.upstream_ms = (int64_t)((x->proxy->loop->now_ns - x->started_ns) / UM_NS_PER_MS);
    if (answer_edits(x, head, &edits) || x->d->ops->send_head(x->d, head, &edits, ends)) {
        um_respond_abort(x);
        return;
    }
    if (head->framing == UM_FRAMING_TUNNEL) {
        um_timer_stop(&x->timer);
        um_exchange_set_state(x, UM_EXCHANGE_TUNNELING);
    }
}

void um_respond_body(struct um_exchange *x, const struct um_slice *s)
{
    int rc = x->d ? x->d->ops->send_body(x->d, s) : 0;
    if (rc == UM_EAGAIN)
        um_leg_pause(&x->primary);
    else if (rc)
        um_respond_abort(x);
}

void um_respond_end(struct um_exchange *x, const struct um_field *trailers, uint32_t n)
{
    if (!x->d)
        return;
    x->answer_ended = true;
    if (x->d->ops->send_end(x->d, trailers, n))
        um_respond_abort(x);
    else if (x->state == UM_EXCHANGE_TUNNELING)
        x->d->ops->cut(x->d); /* the server has closed: so has the tunnel */
    else
        um_exchange_check_upload(x);
}
