/* SPDX-License-Identifier: Apache-2.0
 * /shadow: the kill switches (C8) and the accounting of every shadow of every route (C25), for people and for scripts.
 */
#include "admin/call.h"

#include <stdlib.h>

enum { NEAREST_MAX = 3, EDITS_MAX = 64 };

/* ---- switches ------------------------------------------------------------------------------------- */

static bool is_on(const struct um_admin_view *view, uint32_t mirror)
{
    return !view->is_all_off && !(view->is_off && mirror < view->n_is_off && view->is_off[mirror]);
}

/* the routes that are most like `label`, the best first */
struct nearest {
    struct um_str labels[NEAREST_MAX];
    unsigned edits[NEAREST_MAX];
    size_t n;
};

static void consider(struct nearest *best, struct um_str label, unsigned edits)
{
    size_t at = best->n;
    for (size_t i = 0; i < best->n; i++)
        if (um_str_eq(best->labels[i], label))
            return;
    while (at > 0 && edits < best->edits[at - 1])
        at--;
    if (at == NEAREST_MAX)
        return;
    if (best->n < NEAREST_MAX)
        best->n++;
    for (size_t i = best->n - 1; i > at; i--) {
        best->labels[i] = best->labels[i - 1];
        best->edits[i] = best->edits[i - 1];
    }
    best->labels[at] = label;
    best->edits[at] = edits;
}

static void refuse_route(struct um_admin_call *call, struct um_str route)
{
    const struct um_stat_names *names = call->view->stats.names;
    struct nearest best = {.n = 0};
    struct um_buf list;
    for (uint32_t i = 0; i < names->n_shadows; i++)
        consider(&best, names->shadows[i].route, um_str_distance(route, names->shadows[i].route, EDITS_MAX));
    um_buf_init(&list, 0);
    for (size_t i = 0; i < best.n; i++)
        um_buf_addf(&list, "%s%.*s", i ? ", " : "", UM_STR_ARG(best.labels[i]));
    um_admin_say(call, 404, "no route '%.*s' has a mirror (%s%.*s)", UM_STR_ARG(route),
                 best.n ? "nearest: " : "there is none at all", UM_STR_ARG(um_buf_str(&list)));
    um_buf_release(&list);
}

static bool has_route(const struct um_stat_names *names, struct um_str route)
{
    for (uint32_t i = 0; i < names->n_shadows; i++)
        if (um_str_eq(names->shadows[i].route, route))
            return true;
    return false;
}

void um_admin_post_shadow(struct um_admin_call *call)
{
    struct um_str route = {NULL, 0};
    bool enable = um_admin_param_is(call, "enable", "true");
    bool is_one = um_admin_param(call, "route", &route);
    if (is_one && !has_route(call->view->stats.names, route)) {
        refuse_route(call, route);
        return;
    }
    int rc = call->actions->set_shadow(call->actions->ctx, enable, route);
    if (rc)
        um_admin_say(call, 500, "%s", um_err_text(rc));
    else
        um_admin_say(call, 200, "OK: mirroring of %s%.*s is %s", is_one ? "route " : "all routes", UM_STR_ARG(route),
                     enable ? "on" : "off");
}

/* ---- accounting as text --------------------------------------------------------------------------- */

static uint64_t sum(const uint64_t *v, size_t n)
{
    uint64_t total = 0;
    for (size_t i = 0; i < n; i++)
        total += v[i];
    return total;
}

/* "    skipped: sampled_out 600, method 2"; nothing where all are zero */
static void print_reasons(struct um_buf *out, const char *title, const uint64_t *v, const struct um_stat_row *rows,
                          size_t n)
{
    const char *before = title;
    for (size_t i = 0; i < n; i++) {
        if (v[i] == 0)
            continue;
        um_buf_addf(out, "%s %s %llu", before, rows[i].name, (unsigned long long)v[i]);
        before = ",";
    }
    if (before != title)
        um_buf_add_char(out, '\n');
}

static void print_shadow(struct um_buf *out, const struct um_admin_view *view, uint32_t i, int width)
{
    const struct um_stat_shadow_name *name = &view->stats.names->shadows[i];
    const struct um_shadow_stats *s = &view->stats.stats->shadows[i];
    um_buf_addf(out, "%-*.*s  %-6s %10llu %10llu %10llu %10llu %10llu %8llu\n", width, UM_STR_ARG(name->route),
                is_on(view, i) ? "on" : "off", (unsigned long long)s->matched,
                (unsigned long long)sum(s->skipped, UM_SKIP_COUNT), (unsigned long long)s->mirrored,
                (unsigned long long)sum(s->completed, 6), (unsigned long long)sum(s->dropped, UM_DROP_COUNT),
                (unsigned long long)s->active);
    um_buf_addf(out, "    to %.*s\n", UM_STR_ARG(name->shadow));
    print_reasons(out, "    skipped:", s->skipped, um_skip_rows, UM_SKIP_COUNT);
    print_reasons(out, "    dropped:", s->dropped, um_drop_rows, UM_DROP_COUNT);
}

static int widest_route(const struct um_stat_view *stats)
{
    size_t width = sizeof "route" - 1;
    for (uint32_t i = 0; i < um_stat_view_shadows(stats); i++)
        if (stats->names->shadows[i].route.n > width)
            width = stats->names->shadows[i].route.n;
    return (int)width;
}

static void print_text(struct um_buf *out, const struct um_admin_view *view)
{
    const struct um_stat_view *stats = &view->stats;
    int width = widest_route(stats);
    um_buf_addf(out, "mirroring: %s\nmemory: %lld of %llu bytes\n\n", view->is_all_off ? "off" : "on",
                (long long)stats->stats->shadow_memory_bytes, (unsigned long long)stats->shadow_memory_limit_bytes);
    um_buf_addf(out, "%-*s  %-6s %10s %10s %10s %10s %10s %8s\n", width, "route", "switch", "matched", "skipped",
                "mirrored", "completed", "dropped", "active");
    for (uint32_t i = 0; i < um_stat_view_shadows(stats); i++)
        print_shadow(out, view, i, width);
}

/* ---- accounting as JSON --------------------------------------------------------------------------- */

static json_t *reasons_json(const uint64_t *v, const struct um_stat_row *rows, size_t n)
{
    json_t *out = json_object();
    for (size_t i = 0; i < n; i++)
        if (v[i])
            um_json_set(&out, rows[i].name, um_json_u64(v[i]));
    return out;
}

static json_t *completed_json(const struct um_shadow_stats *s)
{
    json_t *out = json_object();
    for (size_t class = 1; class < 6; class ++)
        if (s->completed[class])
            um_json_set(&out, um_code_classes[class], um_json_u64(s->completed[class]));
    return out;
}

static json_t *shadow_json(const struct um_admin_view *view, uint32_t i)
{
    const struct um_stat_shadow_name *name = &view->stats.names->shadows[i];
    const struct um_shadow_stats *s = &view->stats.stats->shadows[i];
    json_t *out = json_object();
    um_json_set(&out, "route", um_json_str(name->route));
    um_json_set(&out, "shadow", um_json_str(name->shadow));
    um_json_set(&out, "enabled", json_boolean(is_on(view, i)));
    um_json_set(&out, "matched", um_json_u64(s->matched));
    um_json_set(&out, "skipped", reasons_json(s->skipped, um_skip_rows, UM_SKIP_COUNT));
    um_json_set(&out, "mirrored", um_json_u64(s->mirrored));
    um_json_set(&out, "completed", completed_json(s));
    um_json_set(&out, "dropped", reasons_json(s->dropped, um_drop_rows, UM_DROP_COUNT));
    um_json_set(&out, "active", um_json_u64(s->active));
    return out;
}

void um_admin_get_shadow(struct um_admin_call *call)
{
    const struct um_admin_view *view = call->view;
    if (!um_admin_param_is(call, "format", "json")) {
        print_text(&call->response->body, view);
        return;
    }
    json_t *shadows = json_array(), *all = json_object();
    for (uint32_t i = 0; i < um_stat_view_shadows(&view->stats); i++)
        um_json_append(&shadows, shadow_json(view, i));
    um_json_set(&all, "enabled", json_boolean(!view->is_all_off));
    um_json_set(&all, "memory_bytes", json_integer((json_int_t)view->stats.stats->shadow_memory_bytes));
    um_json_set(&all, "memory_limit_bytes", um_json_u64(view->stats.shadow_memory_limit_bytes));
    um_json_set(&all, "shadows", shadows);
    um_admin_say_json(call, all);
}
