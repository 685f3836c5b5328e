/* SPDX-License-Identifier: Apache-2.0
 * exchange: one client request with its answers. Private to proxy/. Lives in its own arena, which it frees as its last
 * act.
 *
 *   RECEIVED -> FORWARDING -> ANSWERING -> (TUNNELING) -> RESPONDED -> finished
 *       |            |   ^ retry                             ^
 *       +- own answer (404, 503, ...) -----------------------+
 *
 * I2: two ends, each reached once. RESPONDED: the client's answer has ended and its connection is free (x->d is NULL
 * from then on). Finished: the last leg has ended too. What belongs to the request stands here; what belongs to a try,
 * in the leg. Thread: its worker's. */
#ifndef UM_PROXY_EXCHANGE_H
#define UM_PROXY_EXCHANGE_H

#include "http/url.h"
#include "proxy/proxy.h"
#include "route/route.h"
#include "upstream/leg.h"

enum um_exchange_state {
    UM_EXCHANGE_RECEIVED,
    UM_EXCHANGE_FORWARDING, /* a primary leg, or a retry that waits */
    UM_EXCHANGE_ANSWERING,  /* the answer's head has gone to the client */
    UM_EXCHANGE_TUNNELING,
    UM_EXCHANGE_RESPONDED,
};

enum um_local_reply {
#define UM_LOCAL_REPLY(id, status, flag, details, body) UM_REPLY_##id,
#include "proxy/local_reply.def"
#undef UM_LOCAL_REPLY
};

enum um_copy_state { UM_COPY_DRAWN, UM_COPY_RUNNING, UM_COPY_ENDED };

struct um_exchange;

/* one shadow of an exchange */
struct um_copy {
    struct um_exchange *x;
    const struct um_mirror *mirror;
    struct um_leg leg;
    struct um_timer deadline;
    struct um_list node;  /* proxy->copies */
    uint64_t progress_ns; /* the request's end, or its last byte that the shadow took */
    size_t taken_bytes;
    enum um_copy_state state;
    uint16_t status;
    struct um_str local; /* of its connection, for the log */
};

struct um_exchange {
    struct um_proxy *proxy;
    struct um_arena arena;
    struct um_hold *hold;
    struct um_downstream *d; /* NULL: RESPONDED */
    enum um_exchange_state state;
    bool request_ended, answer_ended, has_primary, is_upgrade, paused_request, is_gateway;

    const struct um_head *head; /* fields in the arena, bytes in holder */
    struct um_chunk *holder;
    struct um_str path; /* normalised */
    const struct um_virtual_host *virtual_host;
    const struct um_route *route;
    const struct um_weighted_cluster *target;
    struct um_edits edits; /* on the request, common to all legs */

    struct um_leg primary;
    struct um_host *tried; /* the last endpoint */
    uint32_t retries_left, n_tries;
    _Atomic uint32_t *retry_slot; /* of the cluster's limit of retries */
    bool retry_fresh;
    struct um_outq replay; /* the request's body so far, for a retry */
    struct um_timer timer; /* the route's time-out, or the back-off of a retry */
    bool timer_is_backoff;
    uint64_t deadline_ns; /* of the route; 0: none */

    struct um_copy *copies;
    uint32_t n_copies, n_active;
    struct um_task start_copies;

    struct um_log_record log;
    uint64_t started_ns;
    uint64_t answered_bytes; /* of the answer's body, once RESPONDED */
};

/* exchange.c */
void um_exchange_set_state(struct um_exchange *, enum um_exchange_state);
struct um_cluster_rt *um_exchange_cluster(const struct um_exchange *);
/* in the arena; empty without a connection */
struct um_str um_exchange_leg_local(struct um_exchange *, const struct um_leg *);
/* finishes if nothing is left to wait for; the exchange may be gone afterwards */
void um_exchange_check(struct um_exchange *);
/* nobody reads the rest of the upload: tell the downstream, if there is a rest */
void um_exchange_check_upload(struct um_exchange *);
void um_exchange_pause_request(struct um_exchange *);
void um_exchange_resume_request(struct um_exchange *); /* unless somebody still holds it back */
extern const struct um_exchange_ops um_exchange_ops;

/* forward.c: the request as legs get it, and the primary leg with its tries */
int um_forward_prepare(struct um_exchange *) UM_MUST_CHECK;
int um_forward_rewrite(struct um_exchange *) UM_MUST_CHECK;
void um_forward_start(struct um_exchange *);
int um_forward_apply(struct um_exchange *, struct um_edits *, const struct um_header_ops *) UM_MUST_CHECK;
int um_forward_leg_request(struct um_exchange *, const struct um_edits *, bool has_body,
                           struct um_leg_request *) UM_MUST_CHECK;
void um_forward_on_timer(struct um_timer *);
void um_forward_arm_timeout(struct um_exchange *);
void um_forward_drop(struct um_exchange *); /* the primary leg and its retry are given up */

/* respond.c: what goes to the client */
void um_respond_local(struct um_exchange *, enum um_local_reply);
void um_respond_route(struct um_exchange *); /* redirect, direct response */
void um_respond_informational(struct um_exchange *, const struct um_head *);
void um_respond_head(struct um_exchange *, const struct um_head *, bool ends);
void um_respond_body(struct um_exchange *, const struct um_slice *);
void um_respond_end(struct um_exchange *, const struct um_field *trailers, uint32_t n);
void um_respond_abort(struct um_exchange *);
void um_respond_continue(struct um_exchange *); /* 100 Continue */

/* tee.c: the copies */
void um_tee_draw(struct um_exchange *);
void um_tee_skip_all(struct um_exchange *, enum um_skip); /* the primary was not admitted */
void um_tee_admit(struct um_exchange *);
void um_tee_start(struct um_task *); /* x->start_copies, at the end of a turn */
void um_tee_body(struct um_exchange *, const struct um_slice *);
void um_tee_end(struct um_exchange *, const struct um_field *trailers, uint32_t n);
void um_tee_cut(struct um_exchange *);      /* the upload ended too soon */
void um_tee_answered(struct um_exchange *); /* the primary's answer has ended: its size is known */
bool um_tee_wants_body(const struct um_exchange *);
bool um_tee_holds_request(const struct um_exchange *); /* back-pressure (opt-in) */
void um_tee_relief(struct um_task *);
void um_tee_drop(struct um_copy *, enum um_drop);

#endif
