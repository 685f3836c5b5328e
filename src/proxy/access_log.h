/* SPDX-License-Identifier: Apache-2.0
 * access_log: lines in Istio's default format, text or JSON, one per exchange and one per shadow leg (C27).
 * A worker formats into its own buffer and hands full buffers (or, at the end of a turn, what there is) to a writer
 * thread, so that a slow disk or a stopped reader costs lines, which are counted, and never time (I7). Owner:
 * um_log_writer the process, um_access_log the worker. Thread: as said. */
#ifndef UM_PROXY_ACCESS_LOG_H
#define UM_PROXY_ACCESS_LOG_H

#include "base/buf.h"
#include "http/message.h"
#include "io/loop.h"
#include "stats/counters.h"

#include <pthread.h>

enum um_response_flag {
    UM_LOG_FLAG_NONE = 0,
#define UM_RESPONSE_FLAG(id) UM_LOG_FLAG_BIT_##id,
#include "proxy/response_flag.def"
#undef UM_RESPONSE_FLAG
};
/* as bits of um_log_record.flags */
#define UM_LOG_FLAG(id) (1u << UM_LOG_FLAG_BIT_##id)

/* what a line needs beyond the request's head; all text is borrowed for the call */
struct um_log_record {
    uint64_t start_wall_ns, duration_ns;
    uint32_t flags; /* UM_LOG_FLAG(x) | ... */
    uint16_t status;
    const char *details; /* response code details */
    uint64_t rx_bytes, tx_bytes;
    int64_t upstream_ms; /* -1: none */
    struct um_str method, path, protocol, authority, user_agent, forwarded_for, request_id, original_path;
    struct um_str upstream_host, upstream_cluster, route_name;
    struct um_str upstream_local, local, peer;
    struct um_str shadow; /* cluster; empty: the exchange's own line */
    const char *outcome;  /* of a shadow */
};

enum um_log_format { UM_LOG_TEXT, UM_LOG_JSON };
enum { UM_LOG_BUFFER_BYTES = 64 << 10, UM_LOG_QUEUE_MAX = 64 };

struct um_log_writer; /* the thread */
/* path NULL: standard output. UM_EIO and the like with errno kept */
int um_log_writer_new(const char *path, enum um_log_format, struct um_log_writer **ret_writer) UM_MUST_CHECK;
/* opens the file anew (log rotation) */
void um_log_writer_reopen(struct um_log_writer *);
/* writes what is queued and ends the thread */
void um_log_writer_free(struct um_log_writer *);

struct um_access_log {
    struct um_log_writer *writer;
    struct um_loop *loop;
    struct um_worker_stats *stats;
    struct um_buf buf;
    uint64_t n_lines; /* in it */
    struct um_task flush;
};
void um_access_log_init(struct um_access_log *, struct um_log_writer *, struct um_loop *, struct um_worker_stats *);
void um_access_log_release(struct um_access_log *);
void um_access_log_add(struct um_access_log *, const struct um_log_record *);
/* the line itself, newline included; for tests */
void um_access_log_format(struct um_buf *, enum um_log_format, const struct um_log_record *);

#endif
