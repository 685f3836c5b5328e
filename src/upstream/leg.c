/* SPDX-License-Identifier: Apache-2.0 */
#include "upstream/leg.h"

#include "http/h1_write.h"
#include "upstream/pool.h"

static void on_fail_task(struct um_task *t)
{
    struct um_leg *leg = UM_CONTAINER(t, struct um_leg, fail);
    struct um_leg_failure failure = leg->failure;
    um_leg_fail(leg, &failure);
}

static int write_head(struct um_leg *leg, const struct um_leg_request *rq)
{
    const struct um_h1_framing_out f = {
        .framing = rq->framing, .content_length = rq->content_length, .upgrade = rq->is_upgrade};
    char *to = um_outq_reserve(&leg->out, um_h1_head_bytes(rq->head, rq->edits));
    if (!to)
        return UM_ENOMEM;
    um_outq_commit(&leg->out, um_h1_write_request(to, rq->head, rq->edits, &f));
    return 0;
}

/* copies are always bounded (C22), requests where the cluster says so */
static uint32_t request_limit(const struct um_host *h)
{
    uint32_t limit = h->cluster->limits.max_requests;
    return h->side == UM_SIDE_SHADOW && limit > UM_SHADOW_MAX_LEGS ? UM_SHADOW_MAX_LEGS : limit;
}

static int count_in(struct um_leg *leg)
{
    struct um_host *h = leg->host;
    if (!um_limit_take(&h->cluster->shared->sides[h->side].requests, request_limit(h), &leg->request_slot)) {
        um_host_counters(h)[UM_CLU_RQ_PENDING_OVERFLOW]++;
        return UM_ELIMIT;
    }
    leg->counts_request = true;
    h->rq_active++;
    return 0;
}

void um_leg_attached(struct um_leg *leg)
{
    leg->counts_active = true;
    um_host_counters(leg->host)[UM_CLU_RQ_ACTIVE]++;
}

static bool has_no_body(const struct um_leg_request *rq)
{
    return rq->framing == UM_FRAMING_NONE || (rq->framing == UM_FRAMING_LENGTH && rq->content_length == 0);
}

int um_leg_start(struct um_leg *leg, struct um_host *h, const struct um_leg_request *rq, const struct um_leg_sink *sink,
                 void *ctx)
{
    bool is_shadow = h->side == UM_SIDE_SHADOW;
    *leg = (struct um_leg){.sink = sink,
                           .ctx = ctx,
                           .host = h,
                           .method = rq->head->method,
                           .framing = (uint8_t)rq->framing,
                           .is_shadow = is_shadow,
                           .needs_fresh = rq->needs_fresh,
                           .request_ended = has_no_body(rq),
                           .high_bytes = UM_LEG_HIGH_BYTES,
                           .low_bytes = UM_LEG_LOW_BYTES};
    um_list_init(&leg->node);
    um_task_init(&leg->fail, on_fail_task);
    um_outq_init(&leg->out, h->cluster->upstream->chunks, is_shadow);
    int rc = count_in(leg);
    if (rc == 0)
        rc = write_head(leg, rq);
    if (rc == 0)
        rc = um_pool_join(h, leg);
    if (rc) {
        um_leg_over(leg);
        return rc;
    }
    um_host_counters(h)[UM_CLU_RQ_TOTAL]++;
    h->stats.rq_total++;
    return 0;
}

static int after_push(struct um_leg *leg)
{
    if (leg->conn)
        um_conn_flush(leg->conn);
    leg->wants_room = leg->out.bytes > leg->high_bytes;
    return leg->wants_room ? UM_EAGAIN : 0;
}

/* around the bytes of one piece: chunk size before, CRLF behind */
static int open_piece(struct um_leg *leg, size_t n)
{
    char size[20];
    if (leg->framing != UM_FRAMING_CHUNKED)
        return 0;
    return um_outq_copy(&leg->out, (struct um_str){size, um_h1_write_chunk_size(size, n)});
}

static int close_piece(struct um_leg *leg)
{
    int rc = leg->framing == UM_FRAMING_CHUNKED ? um_outq_copy(&leg->out, UM_STR("\r\n")) : 0;
    return rc ? rc : after_push(leg);
}

int um_leg_push(struct um_leg *leg, const struct um_slice *s)
{
    if (leg->is_over || s->n == 0)
        return 0;
    leg->body_bytes += s->n;
    int rc = open_piece(leg, s->n);
    if (rc == 0)
        rc = um_outq_push(&leg->out, s);
    return rc ? rc : close_piece(leg);
}

int um_leg_push_all(struct um_leg *leg, const struct um_outq *q)
{
    if (leg->is_over || q->bytes == 0)
        return 0;
    leg->body_bytes += q->bytes;
    int rc = open_piece(leg, q->bytes);
    if (rc == 0)
        rc = um_outq_append(&leg->out, q);
    return rc ? rc : close_piece(leg);
}

int um_leg_end(struct um_leg *leg, const struct um_field *trailers, uint32_t n)
{
    if (leg->is_over || leg->request_ended)
        return 0;
    if (leg->framing == UM_FRAMING_CHUNKED) {
        char *to = um_outq_reserve(&leg->out, um_h1_trailers_bytes(trailers, n));
        if (!to)
            return UM_ENOMEM;
        um_outq_commit(&leg->out, um_h1_write_trailers(to, trailers, n));
    }
    leg->request_ended = true;
    int rc = after_push(leg);
    return rc == UM_EAGAIN ? 0 : rc;
}

void um_leg_over(struct um_leg *leg)
{
    struct um_host *h = leg->host;
    if (leg->is_over)
        return;
    leg->is_over = true;
    leg->conn = NULL;
    um_pool_leave(leg);
    um_task_cancel(&leg->fail);
    um_outq_clear(&leg->out);
    if (leg->counts_request) {
        um_limit_give(&leg->request_slot);
        h->rq_active--;
    }
    if (leg->counts_active)
        um_host_counters(h)[UM_CLU_RQ_ACTIVE]--;
    um_pool_check(h);
}

static void give_up(struct um_leg *leg)
{
    struct um_conn *conn = leg->conn;
    if (conn) {
        um_host_counters(leg->host)[UM_CLU_RQ_TX_RESET]++;
        um_conn_abandon(conn);
    }
    um_leg_over(leg);
}

void um_leg_cancel(struct um_leg *leg)
{
    if (leg->is_over)
        return;
    if (leg->is_shadow)
        um_breaker_forget(leg->host->shared);
    give_up(leg);
}

/* counts against the endpoint */
static void blame(struct um_leg *leg)
{
    struct um_upstream *u = leg->host->cluster->upstream;
    if (leg->is_shadow)
        um_breaker_failure(leg->host->shared, u->loop->now_ns / UM_NS_PER_MS, u->rand);
}

void um_leg_cancel_timeout(struct um_leg *leg)
{
    if (leg->is_over)
        return;
    um_host_counters(leg->host)[UM_CLU_RQ_TIMEOUT]++;
    leg->host->stats.rq_timeout++;
    blame(leg);
    give_up(leg);
}

void um_leg_cancel_excess(struct um_leg *leg)
{
    if (leg->is_over)
        return;
    blame(leg);
    give_up(leg);
}

void um_leg_fail(struct um_leg *leg, const struct um_leg_failure *failure)
{
    if (leg->is_over)
        return;
    leg->host->stats.rq_error++;
    um_leg_over(leg);
    leg->sink->on_fail(leg, failure);
}

void um_leg_fail_soon(struct um_leg *leg, const struct um_leg_failure *failure)
{
    leg->failure = *failure;
    um_loop_soon(leg->host->cluster->upstream->loop, &leg->fail);
}

void um_leg_pause(struct um_leg *leg)
{
    leg->is_paused = true;
    if (leg->conn)
        um_conn_pause(leg->conn);
}

void um_leg_resume(struct um_leg *leg)
{
    leg->is_paused = false;
    if (leg->conn)
        um_conn_resume(leg->conn);
}

size_t um_leg_local_text(const struct um_leg *leg, char out[UM_SOCKADDR_TEXT_BYTES])
{
    struct um_sockaddr local;
    if (!leg->conn || um_conn_local(leg->conn, &local))
        return 0;
    return um_sockaddr_text(&local, out);
}
