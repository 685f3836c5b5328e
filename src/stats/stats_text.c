/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/stats_text.h"

struct printer {
    struct um_buf *out;
    struct um_buf name; /* of the statistic at hand */
    size_t stem_n;      /* of name: what the statistics of one cluster or shadow share */
    const struct um_stats_text_options *options;
    bool has_any;
};

int um_stats_filter_new(struct um_str pattern, struct um_regex **ret_filter, char **ret_error)
{
    if (pattern.n > UM_REGEX_MAX_BYTES)
        return UM_ELIMIT;
    struct um_regex *alone; /* what is wrong alone may be right in parentheses: `a)(b` */
    int rc = um_regex_new(pattern, false, &alone, ret_error);
    if (rc)
        return rc;
    um_regex_free(alone);
    struct um_buf whole;
    um_buf_init(&whole, 0);
    um_buf_add_cstr(&whole, "(?s:.*)(?:");
    um_buf_add(&whole, pattern);
    um_buf_add_cstr(&whole, ")(?s:.*)");
    rc = whole.failed ? UM_ENOMEM : um_regex_new(um_buf_str(&whole), false, ret_filter, ret_error);
    um_buf_release(&whole);
    return rc;
}

static void print_line(struct printer *p, struct um_str name, uint64_t value)
{
    if (p->options->is_json) {
        um_buf_add_cstr(p->out, p->has_any ? ",{\"name\":" : "{\"name\":");
        um_buf_add_json(p->out, name);
        um_buf_add_cstr(p->out, ",\"value\":");
        um_buf_add_u64(p->out, value);
        um_buf_add_char(p->out, '}');
    } else {
        um_buf_add(p->out, name);
        um_buf_add_cstr(p->out, ": ");
        um_buf_add_u64(p->out, value);
        um_buf_add_char(p->out, '\n');
    }
    p->has_any = true;
}

/* one statistic: the stem and up to two more parts of its name */
static void print_stat(struct printer *p, const char *part, const char *last_part, uint64_t value)
{
    if (p->options->is_used_only && value == 0)
        return;
    p->name.n = p->stem_n;
    um_buf_add_cstr(&p->name, part);
    um_buf_add_cstr(&p->name, last_part);
    struct um_str name = um_buf_str(&p->name);
    if (!p->options->filter || um_regex_match(p->options->filter, name))
        print_line(p, name, value);
}

static void set_stem(struct printer *p, const char *kind, struct um_str a, struct um_str b)
{
    um_buf_clear(&p->name);
    um_buf_add_cstr(&p->name, kind);
    um_buf_add(&p->name, a);
    um_buf_add_char(&p->name, '.');
    um_buf_add(&p->name, b);
    if (b.n)
        um_buf_add_char(&p->name, '.');
    p->stem_n = p->name.n;
}

static void print_cluster(struct printer *p, struct um_str name, const struct um_cluster_stats *s)
{
    set_stem(p, "cluster.", name, (struct um_str){NULL, 0});
    for (int i = 0; i < UM_CLU_COUNT; i++)
        print_stat(p, um_cluster_counter_rows[i].name, "", s->v[i]);
}

static void print_worker(struct printer *p, const struct um_worker_stats *s)
{
    p->stem_n = 0;
    for (int i = 0; i < UM_CTR_COUNT; i++)
        print_stat(p, um_counter_rows[i].name, "", s->v[i]);
    print_stat(p, "http.downstream_cx_active", "", (uint64_t)s->cx_active);
    print_stat(p, "http.downstream_rq_active", "", (uint64_t)s->rq_active);
}

static void print_shadow(struct printer *p, const struct um_stat_shadow_name *name, const struct um_shadow_stats *s)
{
    set_stem(p, "umbra.shadow.", name->route, name->shadow);
    print_stat(p, "active", "", s->active);
    print_stat(p, "matched", "", s->matched);
    print_stat(p, "mirrored", "", s->mirrored);
    for (int i = 1; i <= 5; i++)
        print_stat(p, "completed.", um_code_classes[i], s->completed[i]);
    for (int i = 0; i < UM_SKIP_COUNT; i++)
        print_stat(p, "skipped.", um_skip_rows[i].name, s->skipped[i]);
    for (int i = 0; i < UM_DROP_COUNT; i++)
        print_stat(p, "dropped.", um_drop_rows[i].name, s->dropped[i]);
}

static void print_process(struct printer *p, const struct um_stat_view *view)
{
    int64_t held = view->stats->shadow_memory_bytes;
    p->stem_n = 0;
    print_stat(p, "server.live", "", view->is_live);
    print_stat(p, "server.uptime", "", view->uptime_s);
    print_stat(p, "umbra.config.last_reload_success", "", view->has_last_reload_succeeded);
    print_stat(p, "umbra.config.reloads.", "failure", view->reloads_failed);
    print_stat(p, "umbra.config.reloads.", "success", view->reloads_succeeded);
    print_stat(p, "umbra.shadow.memory_bytes", "", held < 0 ? 0 : (uint64_t)held);
    print_stat(p, "umbra.shadow.memory_limit_bytes", "", view->shadow_memory_limit_bytes);
}

void um_stats_text_print(struct um_buf *out, const struct um_stat_view *view,
                         const struct um_stats_text_options *options)
{
    struct printer p = {.out = out, .options = options};
    um_buf_init(&p.name, 0);
    if (options->is_json)
        um_buf_add_cstr(out, "{\"stats\":[");
    for (uint32_t i = 0; i < um_stat_view_clusters(view); i++)
        print_cluster(&p, view->names->clusters[i], &view->stats->clusters[i]);
    print_worker(&p, view->stats);
    print_process(&p, view);
    for (uint32_t i = 0; i < um_stat_view_shadows(view); i++)
        print_shadow(&p, &view->names->shadows[i], &view->stats->shadows[i]);
    if (options->is_json)
        um_buf_add_cstr(out, "]}\n");
    out->failed |= p.name.failed; /* a name that did not fit would be a missing or a wrong line */
    um_buf_release(&p.name);
}
