/* SPDX-License-Identifier: Apache-2.0
 * fixture: a view of a running process around the scene, recorded actions, and calls of the admin interface. */
#ifndef UM_TEST_ADMIN_FIXTURE_H
#define UM_TEST_ADMIN_FIXTURE_H

#include "scene.h"

#include <jansson.h>
#include <stdlib.h>

/* what was done last */
struct recorded {
    unsigned n;
    const char *verb;
    bool is_on;
    char route[64];
    enum um_log_level level;
    int result; /* of the next action */
};

struct fixture {
    struct um_snapshot *snapshot;
    struct um_worker_stats stats;
    struct um_stat_names names;
    struct um_admin_view view;
    struct recorded recorded;
    struct um_admin_actions actions;
    struct um_admin_response response; /* of the last call */
    bool has_response;
};

static inline int record(void *ctx, const char *verb)
{
    struct recorded *r = ctx;
    r->n++;
    r->verb = verb;
    return r->result;
}

static inline int set_shadow(void *ctx, bool is_on, struct um_str route)
{
    struct recorded *r = ctx;
    r->is_on = is_on;
    snprintf(r->route, sizeof r->route, "%.*s", UM_STR_ARG(route));
    return record(ctx, "shadow");
}

static inline int set_log_level(void *ctx, enum um_log_level level)
{
    ((struct recorded *)ctx)->level = level;
    return record(ctx, "logging");
}

static inline int quit(void *ctx)
{
    return record(ctx, "quit");
}

static inline int reload(void *ctx)
{
    return record(ctx, "reload");
}

static inline void fill_stats(struct fixture *f)
{
    static struct um_endpoint_stats rows[] = {
        {.cluster = SCENE_V2,
         .address = "10.0.0.2:8080",
         .cx_total = 3,
         .cx_active = 1,
         .rq_total = 9,
         .is_ejected = true},
        {.cluster = SCENE_V1,
         .address = "10.0.0.1:8080",
         .cx_total = 5,
         .rq_total = 12,
         .rq_success = 11,
         .rq_error = 1},
    };
    struct um_shadow_stats *s;
    uint32_t index;
    um_worker_stats_init(&f->stats);
    um_stat_names_init(&f->names);
    assert_int_equal(um_worker_stats_grow(&f->stats, SCENE_CLUSTERS, 3), 0);
    for (uint32_t i = 0; i < SCENE_CLUSTERS; i++)
        assert_int_equal(um_stat_names_cluster(&f->names, SCENE_CLUSTER_NAMES[i], &index), 0);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(
            um_stat_names_shadow(&f->names, scene_routes[4].label, scene_main_mirrors[i].cluster_name, &index), 0);
    f->stats.clusters[SCENE_V1].v[UM_CLU_RQ_TOTAL] = 12;
    f->stats.shadow_memory_bytes = 4096;
    f->stats.endpoints = malloc(sizeof rows);
    assert_non_null(f->stats.endpoints);
    memcpy(f->stats.endpoints, rows, sizeof rows);
    f->stats.n_endpoints = 2;
    s = &f->stats.shadows[0];
    s->matched = 12;
    s->skipped[UM_SKIP_SAMPLED_OUT] = 2;
    s->skipped[UM_SKIP_METHOD] = 1;
    s->mirrored = 9;
    s->completed[2] = 6;
    s->dropped[UM_DROP_TIMEOUT] = 2;
    s->active = 1;
}

static inline int set_up(void **state)
{
    static struct fixture fixture;
    struct fixture *f = &fixture;
    *f = (struct fixture){.snapshot = scene_snapshot()};
    fill_stats(f);
    f->view = (struct um_admin_view){.snapshot = f->snapshot,
                                     .stats = {.stats = &f->stats,
                                               .names = &f->names,
                                               .version = UM_STR("1.2.3"),
                                               .uptime_s = 12,
                                               .shadow_memory_limit_bytes = 64 << 20,
                                               .has_last_reload_succeeded = true},
                                     .state = UM_ADMIN_LIVE,
                                     .start_wall_ns = 1769900400ULL * 1000000000,
                                     .is_gateway = true,
                                     .namespace_name = UM_STR("default"),
                                     .n_workers = 2,
                                     .admin_address = scene_address("127.0.0.1", 15000)};
    f->actions = (struct um_admin_actions){&f->recorded, set_shadow, set_log_level, quit, reload};
    *state = f;
    return 0;
}

static inline void forget(struct fixture *f)
{
    if (f->has_response)
        um_admin_response_release(&f->response);
    f->has_response = false;
}

static inline int tear_down(void **state)
{
    struct fixture *f = *state;
    forget(f);
    um_worker_stats_release(&f->stats);
    um_stat_names_release(&f->names);
    um_snapshot_unref(f->snapshot);
    return 0;
}

/* ---- calls ---------------------------------------------------------------------------------------- */

/* the body, NUL-terminated */
static inline const char *ask(struct fixture *f, const struct um_admin_request *rq, unsigned status)
{
    forget(f);
    um_admin_handle(rq, &f->view, &f->actions, &f->response);
    f->has_response = true;
    um_buf_add_char(&f->response.body, '\0');
    assert_false(f->response.body.failed);
    if (f->response.status != status)
        fail_msg("%.*s %.*s: %u instead of %u: %s", UM_STR_ARG(rq->method), UM_STR_ARG(rq->target), f->response.status,
                 status, f->response.body.p);
    return f->response.body.p;
}

static inline const char *get(struct fixture *f, const char *target, unsigned status)
{
    return ask(f,
               &(struct um_admin_request){
                   .method = UM_STR("GET"), .target = um_str_from(target), .host = UM_STR("localhost:15000")},
               status);
}

static inline const char *post(struct fixture *f, const char *target, unsigned status)
{
    return ask(f,
               &(struct um_admin_request){
                   .method = UM_STR("POST"), .target = um_str_from(target), .host = UM_STR("127.0.0.1:15000")},
               status);
}

static inline const char *field(const struct fixture *f, const char *name)
{
    for (uint32_t i = 0; i < f->response.n_fields; i++)
        if (strcmp(f->response.fields[i].name, name) == 0)
            return f->response.fields[i].value;
    return "";
}

static inline void assert_says(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("'%s' is not in:\n%s", part, text);
}

static inline void assert_silent(const char *text, const char *part)
{
    if (strstr(text, part))
        fail_msg("'%s' is in:\n%s", part, text);
}

/* ---- JSON ----------------------------------------------------------------------------------------- */

/* the tree of an answer; to be released */
static inline json_t *get_json(struct fixture *f, const char *target)
{
    json_error_t error;
    const char *text = get(f, target, 200);
    json_t *tree = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (!tree)
        fail_msg("%s:%d:%d: %s", target, error.line, error.column, error.text);
    assert_string_equal(f->response.content_type, "application/json");
    return tree;
}

/* compares with JSON whose strings stand in single quotes */
static inline void assert_json(const json_t *is, const char *wanted)
{
    char *text = strdup(wanted), *dump;
    json_error_t error;
    assert_non_null(text);
    for (char *p = text; *p; p++)
        *p = *p == '\'' ? '"' : *p;
    json_t *tree = json_loads(text, JSON_DECODE_ANY, &error);
    free(text);
    if (!tree)
        fail_msg("expectation: %d:%d: %s", error.line, error.column, error.text);
    if (!json_equal(is, tree)) {
        dump = json_dumps(is, JSON_INDENT(1) | JSON_ENCODE_ANY);
        fail_msg("is:\n%s\nwanted:\n%s", dump ? dump : "(nothing)", wanted);
    }
    json_decref(tree);
}

/* a member by path: "configs.1.dynamic_listeners.0.name"; fails if there is none */
static inline json_t *at(json_t *tree, const char *path)
{
    struct um_str rest = um_str_from(path), step;
    while (um_str_split(&rest, '.', &step)) {
        uint64_t index;
        bool is_index = um_str_to_u64(step, 1000, &index) == 0;
        tree = is_index ? json_array_get(tree, index) : json_object_getn(tree, step.p, step.n);
        if (!tree)
            fail_msg("nothing at %.*s of %s", UM_STR_ARG(step), path);
    }
    return tree;
}

#endif
