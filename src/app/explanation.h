/* SPDX-License-Identifier: Apache-2.0
 * explanation: what `umbra explain` has found out, before it is printed as text or JSON. Each step is there only if the
 * one before it succeeded. Private to explain*.c. Owner: its arena. Thread: any (pure). */
#ifndef UM_APP_EXPLANATION_H
#define UM_APP_EXPLANATION_H

#include "app/explain.h"
#include "route/route.h"
#include "stats/counters.h"

/* one route held against the request */
struct um_explain_try {
    const struct um_route *route;
    bool has_matched;
    const struct um_condition *failed; /* NULL: the path */
    bool is_there;                     /* what the condition looks at */
    struct um_str seen;
};

struct um_explain_destination {
    const struct um_weighted_cluster *to;
    double percentage;
    enum um_skip problem;  /* NO_CLUSTER, NO_ENDPOINT, or UM_SKIP_COUNT */
    struct um_edits edits; /* over the request's head */
};

enum um_explain_outcome {
    UM_EXPLAIN_COPIED,  /* whatever is drawn */
    UM_EXPLAIN_SAMPLED, /* as chance has it, or the client's address */
    UM_EXPLAIN_SKIPPED,
};

struct um_explain_copy {
    const struct um_mirror *mirror;
    double percentage;
    enum um_explain_outcome drawn; /* by the percentage alone */
    enum um_explain_outcome outcome;
    enum um_skip reason; /* SKIPPED */
    bool has_request;    /* copied, or would be if only there were endpoints, which files often lack */
    bool has_key;        /* the policy's sampling key is in the request */
    struct um_str key;
    struct um_edits edits;
};

struct um_explanation {
    const struct um_snapshot *snapshot;
    const struct um_explain_request *request;
    struct um_arena arena;

    const struct um_listener *listener;
    bool is_path_bad;
    struct um_str path; /* normalised */
    const struct um_virtual_host *virtual_host;
    struct um_str domain; /* by which it was found */
    struct um_explain_try *tries;
    uint32_t n_tries;
    const struct um_route *route;
    struct um_explain_destination *destinations; /* those that may be drawn */
    uint32_t n_destinations;
    struct um_explain_copy *copies;
    uint32_t n_copies;
};

/* to be released in any case; UM_ENOMEM */
int um_explanation_make(struct um_explanation *, const struct um_snapshot *,
                        const struct um_explain_request *) UM_MUST_CHECK;
void um_explanation_release(struct um_explanation *);

void um_explanation_print_text(const struct um_explanation *, struct um_buf *);
int um_explanation_print_json(const struct um_explanation *, struct um_buf *) UM_MUST_CHECK;

/* ---- phrases that both forms share ---- */
/* the status that umbra answers by itself because a step failed, and why; 0: it does not. */
unsigned um_explanation_refusal(const struct um_explanation *, struct um_buf *why);
/* `header x-tester must be "true", is absent` */
void um_explain_say_try(const struct um_explain_try *, struct um_buf *);
/* "copied: 50 % of requests, at random" */
void um_explain_say_drawn(const struct um_explain_copy *, struct um_buf *);
/* the same, or "not copied: the shadow has no usable endpoint" */
void um_explain_say_outcome(const struct um_explain_copy *, struct um_buf *);
/* "12.5", at most four decimals */
void um_explain_say_percentage(double, struct um_buf *);
/* "connect-failure, refused-stream" */
void um_explain_say_retry_on(const struct um_retry_policy *, struct um_buf *);
/* the names of the methods that a policy lets pass; nothing: all of them */
void um_explain_say_methods(const struct um_shadow_policy *, struct um_buf *);
struct um_str um_explain_host(const struct um_explanation *, const struct um_edits *);
struct um_str um_explain_path(const struct um_explanation *, const struct um_edits *);

#endif
