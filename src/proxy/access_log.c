/* SPDX-License-Identifier: Apache-2.0
 * The fields and their order: the Istio API (istiod's default text and JSON formats). */
#include "proxy/log_writer.h"

#include <inttypes.h>
#include <stdio.h>

static const char *const FLAGS[] = {
#define UM_RESPONSE_FLAG(id) #id,
#include "proxy/response_flag.def"
#undef UM_RESPONSE_FLAG
};

static struct um_str flags_text(uint32_t flags, char out[64])
{
    size_t n = 0;
    for (size_t i = 0; i < sizeof FLAGS / sizeof FLAGS[0]; i++)
        if (flags & 2u << i)
            n += (size_t)snprintf(out + n, 64 - n, "%s%s", n ? "," : "", FLAGS[i]);
    return (struct um_str){out, n};
}

/* inside quotes of the text format: what a client sends must not break the line */
static void add_escaped(struct um_buf *b, struct um_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == '"' || c == '\\' || c < 0x20 || c == 0x7F)
            um_buf_addf(b, "\\x%02x", c);
        else
            um_buf_add_char(b, (char)c);
    }
}

static void add_quoted(struct um_buf *b, struct um_str s)
{
    um_buf_add_char(b, '"');
    add_escaped(b, s.n ? s : UM_STR("-"));
    um_buf_add_char(b, '"');
}

static void add_plain(struct um_buf *b, struct um_str s)
{
    um_buf_add_char(b, ' ');
    um_buf_add(b, s.n ? s : UM_STR("-"));
}

static struct um_str or_dash(struct um_str s)
{
    return s.n ? s : UM_STR("-");
}

enum { LOGGED_PATH_BYTES = 8192 };

/* METHOD PATH PROTOCOL in one pair of quotes */
static void add_request_line(struct um_buf *b, const struct um_log_record *r)
{
    struct um_str path = or_dash(r->original_path.n ? r->original_path : r->path);
    if (path.n > LOGGED_PATH_BYTES)
        path.n = LOGGED_PATH_BYTES;
    um_buf_add_char(b, '"');
    add_escaped(b, or_dash(r->method));
    um_buf_add_char(b, ' ');
    add_escaped(b, path);
    um_buf_add_char(b, ' ');
    um_buf_add(b, or_dash(r->protocol));
    um_buf_add_char(b, '"');
}

static void format_text(struct um_buf *b, const struct um_log_record *r)
{
    char when[UM_CLOCK_TEXT_BYTES], flags[64];
    um_clock_text(r->start_wall_ns, when);
    um_buf_addf(b, "[%s] ", when);
    add_request_line(b, r);
    um_buf_addf(b, " %u", r->status);
    add_plain(b, flags_text(r->flags, flags));
    um_buf_addf(b, " %s - \"-\" %" PRIu64 " %" PRIu64 " %" PRIu64 " ", r->details ? r->details : "-", r->rx_bytes,
                r->tx_bytes, r->duration_ns / UM_NS_PER_MS);
    if (r->upstream_ms < 0)
        um_buf_add_char(b, '-');
    else
        um_buf_add_u64(b, (uint64_t)r->upstream_ms);
    const struct um_str quoted[] = {r->forwarded_for, r->user_agent, r->request_id, r->authority, r->upstream_host};
    for (size_t i = 0; i < sizeof quoted / sizeof quoted[0]; i++) {
        um_buf_add_char(b, ' ');
        add_quoted(b, quoted[i]);
    }
    const struct um_str plain[] = {r->upstream_cluster, r->upstream_local, r->local, r->peer, {NULL, 0}, r->route_name};
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
        add_plain(b, plain[i]);
    if (r->shadow.n)
        um_buf_addf(b, " shadow=%.*s outcome=%s", UM_STR_ARG(r->shadow), r->outcome);
    um_buf_add_char(b, '\n');
}

static void add_json_str(struct um_buf *b, const char *name, struct um_str value)
{
    um_buf_addf(b, ",\"%s\":", name);
    if (value.n)
        um_buf_add_json(b, value);
    else
        um_buf_add(b, UM_STR("null"));
}

static void format_json(struct um_buf *b, const struct um_log_record *r)
{
    char when[UM_CLOCK_TEXT_BYTES], flags[64];
    um_clock_text(r->start_wall_ns, when);
    um_buf_addf(b, "{\"start_time\":\"%s\"", when);
    add_json_str(b, "route_name", r->route_name);
    add_json_str(b, "method", r->method);
    add_json_str(b, "path", r->original_path.n ? r->original_path : r->path);
    add_json_str(b, "protocol", r->protocol);
    um_buf_addf(b, ",\"response_code\":%u", r->status);
    add_json_str(b, "response_flags", or_dash(flags_text(r->flags, flags)));
    add_json_str(b, "response_code_details", um_str_from(r->details));
    um_buf_addf(b,
                ",\"connection_termination_details\":null,\"bytes_received\":%" PRIu64 ",\"bytes_sent\":%" PRIu64
                ",\"duration\":%" PRIu64,
                r->rx_bytes, r->tx_bytes, r->duration_ns / UM_NS_PER_MS);
    if (r->upstream_ms < 0)
        um_buf_add(b, UM_STR(",\"upstream_service_time\":null"));
    else
        um_buf_addf(b, ",\"upstream_service_time\":\"%" PRId64 "\"", r->upstream_ms);
    add_json_str(b, "x_forwarded_for", r->forwarded_for);
    add_json_str(b, "user_agent", r->user_agent);
    add_json_str(b, "request_id", r->request_id);
    add_json_str(b, "authority", r->authority);
    add_json_str(b, "upstream_host", r->upstream_host);
    add_json_str(b, "upstream_cluster", r->upstream_cluster);
    add_json_str(b, "upstream_local_address", r->upstream_local);
    add_json_str(b, "downstream_local_address", r->local);
    add_json_str(b, "downstream_remote_address", r->peer);
    um_buf_add(b, UM_STR(",\"requested_server_name\":null,\"upstream_transport_failure_reason\":null"));
    if (r->shadow.n) {
        add_json_str(b, "shadow", r->shadow);
        add_json_str(b, "outcome", um_str_from(r->outcome));
    }
    um_buf_add(b, UM_STR("}\n"));
}

void um_access_log_format(struct um_buf *b, enum um_log_format format, const struct um_log_record *r)
{
    if (format == UM_LOG_JSON)
        format_json(b, r);
    else
        format_text(b, r);
}

/* ---- per worker ----------------------------------------------------------------------------------- */

static void flush(struct um_task *t)
{
    struct um_access_log *log = UM_CONTAINER(t, struct um_access_log, flush);
    if (log->buf.n == 0)
        return;
    uint64_t lines = log->n_lines;
    log->n_lines = 0;
    if (um_log_writer_submit(log->writer, log->buf.p, log->buf.n)) {
        um_buf_init(&log->buf, UM_LOG_BUFFER_BYTES);
        return;
    }
    log->stats->v[UM_CTR_LOG_DROPPED] += lines;
    um_buf_clear(&log->buf);
}

void um_access_log_init(struct um_access_log *log, struct um_log_writer *writer, struct um_loop *loop,
                        struct um_worker_stats *stats)
{
    *log = (struct um_access_log){.writer = writer, .loop = loop, .stats = stats};
    um_buf_init(&log->buf, UM_LOG_BUFFER_BYTES);
    um_task_init(&log->flush, flush);
}

void um_access_log_release(struct um_access_log *log)
{
    flush(&log->flush);
    um_task_cancel(&log->flush);
    um_buf_release(&log->buf);
}

void um_access_log_add(struct um_access_log *log, const struct um_log_record *r)
{
    size_t before = log->buf.n;
    um_access_log_format(&log->buf, um_log_writer_format(log->writer), r);
    if (log->buf.failed) { /* full: what was there goes out, and this line begins the next buffer */
        log->buf.failed = false;
        log->buf.n = before;
        flush(&log->flush);
        um_access_log_format(&log->buf, um_log_writer_format(log->writer), r);
        if (log->buf.failed) {
            um_buf_clear(&log->buf);
            log->stats->v[UM_CTR_LOG_DROPPED]++;
            return;
        }
    }
    log->n_lines++;
    um_loop_late(log->loop, &log->flush);
}
