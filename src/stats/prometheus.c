/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/prometheus.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>

enum { FAMILY_BYTES = 96, MAX_LABELS = 4 };

struct label {
    const char *name; /* NULL ends a list */
    struct um_str value;
};

/* ---- the format --------------------------------------------------------------------------------- */

static void print_head(struct um_buf *out, const char *family, const char *type, const char *help)
{
    um_buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", family, help, family, type);
}

static void print_label_value(struct um_buf *out, struct um_str value)
{
    size_t from = 0;
    for (size_t i = 0; i < value.n; i++) {
        char c = value.p[i];
        if (c != '\\' && c != '"' && c != '\n')
            continue;
        um_buf_add(out, (struct um_str){value.p + from, i - from});
        um_buf_add_char(out, '\\');
        um_buf_add_char(out, c == '\n' ? 'n' : c);
        from = i + 1;
    }
    um_buf_add(out, um_str_skip(value, from));
}

/* family, suffix and labels, up to the value */
static void print_series(struct um_buf *out, const char *family, const char *suffix, const struct label *labels)
{
    um_buf_add_cstr(out, family);
    um_buf_add_cstr(out, suffix);
    for (const struct label *l = labels; l->name; l++) {
        um_buf_add_char(out, l == labels ? '{' : ',');
        um_buf_add_cstr(out, l->name);
        um_buf_add(out, UM_STR("=\""));
        print_label_value(out, l->value);
        um_buf_add_char(out, '"');
    }
    if (labels->name)
        um_buf_add_char(out, '}');
    um_buf_add_char(out, ' ');
}

static void print_value(struct um_buf *out, const char *family, const struct label *labels, uint64_t value)
{
    print_series(out, family, "", labels);
    um_buf_add_u64(out, value);
    um_buf_add_char(out, '\n');
}

static void print_buckets(struct um_buf *out, const char *family, const struct label *labels,
                          const struct um_histogram *h)
{
    struct label with_le[MAX_LABELS + 1] = {{.name = NULL}};
    unsigned n = 0;
    for (; labels[n].name; n++)
        with_le[n] = labels[n];
    uint64_t cumulative = 0;
    for (unsigned i = 0; i <= UM_HISTOGRAM_BOUNDS; i++) {
        cumulative += h->buckets[i];
        with_le[n] = (struct label){"le", um_str_from(um_histogram_le[i])};
        print_series(out, family, "_bucket", with_le);
        um_buf_add_u64(out, cumulative);
        um_buf_add_char(out, '\n');
    }
}

static void print_histogram(struct um_buf *out, const char *family, const struct label *labels,
                            const struct um_histogram *h)
{
    print_buckets(out, family, labels, h);
    print_series(out, family, "_sum", labels);
    um_buf_addf(out, "%" PRIu64 ".%06" PRIu64 "\n", h->sum_ns / UM_NS_PER_MS, h->sum_ns % UM_NS_PER_MS);
    print_series(out, family, "_count", labels);
    um_buf_add_u64(out, h->count);
    um_buf_add_char(out, '\n');
}

static void print_single(struct um_buf *out, const char *family, const char *type, const char *help, uint64_t value)
{
    static const struct label NONE[] = {{.name = NULL}};
    print_head(out, family, type, help);
    print_value(out, family, NONE, value);
}

/* ---- Envoy's statistics -------------------------------------------------------------------------- */

/* an Envoy statistic's Prometheus name; Istio's tag rule makes `_rq_2xx` the label 2xx of `_rq` */
struct family {
    char name[FAMILY_BYTES];
    struct um_str code_class; /* empty: none */
};

static struct family family_of(const char *prefix, const char *stat)
{
    struct family f = {.code_class = {NULL, 0}};
    struct um_str name = um_str_from(stat);
    if (um_str_ends(name, UM_STR("xx")) && name.n > 4 && name.p[name.n - 4] == '_') {
        f.code_class = um_str_skip(name, name.n - 3);
        name.n -= 4;
    }
    snprintf(f.name, sizeof f.name, "%s%.*s", prefix, UM_STR_ARG(name));
    for (char *p = f.name; *p; p++)
        if (*p == '.')
            *p = '_';
    return f;
}

/* the five classes stand side by side in the tables, so the first heads the family */
static void print_family_head(struct um_buf *out, const struct family *f, const struct um_stat_row *row)
{
    if (f->code_class.n == 0)
        print_head(out, f->name, row->is_gauge ? "gauge" : "counter", row->help);
    else if (f->code_class.p[0] == '1')
        print_head(out, f->name, "counter", "answers by status class");
}

static unsigned class_label(struct label *labels, const struct family *f)
{
    if (f->code_class.n == 0)
        return 0;
    labels[0] = (struct label){"response_code_class", f->code_class};
    return 1;
}

static void print_worker(struct um_buf *out, const struct um_worker_stats *stats)
{
    for (int i = 0; i < UM_CTR_COUNT; i++) {
        const struct um_stat_row *row = &um_counter_rows[i];
        bool is_own = um_str_starts(um_str_from(row->name), UM_STR("umbra."));
        struct family f = family_of(is_own ? "" : "envoy_", row->name);
        struct label labels[2] = {{.name = NULL}};
        class_label(labels, &f);
        print_family_head(out, &f, row);
        print_value(out, f.name, labels, stats->v[i]);
    }
    print_single(out, "envoy_http_downstream_cx_active", "gauge", "client connections open",
                 (uint64_t)stats->cx_active);
    print_single(out, "envoy_http_downstream_rq_active", "gauge", "requests in flight", (uint64_t)stats->rq_active);
}

static void print_cluster_counter(struct um_buf *out, const struct um_stat_view *view, int counter)
{
    const struct um_stat_row *row = &um_cluster_counter_rows[counter];
    struct family f = family_of("envoy_cluster_", row->name);
    struct label labels[3] = {{.name = NULL}};
    unsigned n = class_label(labels, &f);
    print_family_head(out, &f, row);
    for (uint32_t c = 0; c < um_stat_view_clusters(view); c++) {
        labels[n] = (struct label){"cluster_name", view->names->clusters[c]};
        print_value(out, f.name, labels, view->stats->clusters[c].v[counter]);
    }
}

static void print_clusters(struct um_buf *out, const struct um_stat_view *view)
{
    static const char TIME[] = "envoy_cluster_upstream_rq_time";
    for (int i = 0; i < UM_CLU_COUNT; i++)
        print_cluster_counter(out, view, i);
    print_head(out, TIME, "histogram", "milliseconds from a request to the end of its answer");
    for (uint32_t c = 0; c < um_stat_view_clusters(view); c++) {
        const struct label labels[] = {{"cluster_name", view->names->clusters[c]}, {.name = NULL}};
        print_histogram(out, TIME, labels, &view->stats->clusters[c].rq_time_ms);
    }
}

/* ---- shadows ------------------------------------------------------------------------------------ */

typedef void print_shadow_f(struct um_buf *out, const char *family, struct label labels[MAX_LABELS],
                            const struct um_shadow_stats *);

/* one family, one call of `print` per shadow; labels[2] is the printer's to use */
static void print_shadow_family(struct um_buf *out, const struct um_stat_view *view, const char *family,
                                const char *type, const char *help, print_shadow_f *print)
{
    print_head(out, family, type, help);
    for (uint32_t i = 0; i < um_stat_view_shadows(view); i++) {
        const struct um_stat_shadow_name *name = &view->names->shadows[i];
        struct label labels[MAX_LABELS] = {{"route", name->route}, {"shadow", name->shadow}};
        print(out, family, labels, &view->stats->shadows[i]);
    }
}

static void print_matched(struct um_buf *out, const char *family, struct label *labels, const struct um_shadow_stats *s)
{
    print_value(out, family, labels, s->matched);
}

static void print_mirrored(struct um_buf *out, const char *family, struct label *labels,
                           const struct um_shadow_stats *s)
{
    print_value(out, family, labels, s->mirrored);
}

static void print_active(struct um_buf *out, const char *family, struct label *labels, const struct um_shadow_stats *s)
{
    print_value(out, family, labels, s->active);
}

static void print_skipped(struct um_buf *out, const char *family, struct label *labels, const struct um_shadow_stats *s)
{
    for (int i = 0; i < UM_SKIP_COUNT; i++) {
        labels[2] = (struct label){"reason", um_str_from(um_skip_rows[i].name)};
        print_value(out, family, labels, s->skipped[i]);
    }
}

static void print_completed(struct um_buf *out, const char *family, struct label *labels,
                            const struct um_shadow_stats *s)
{
    for (int i = 1; i <= 5; i++) {
        labels[2] = (struct label){"code_class", um_str_from(um_code_classes[i])};
        print_value(out, family, labels, s->completed[i]);
    }
}

static void print_dropped(struct um_buf *out, const char *family, struct label *labels, const struct um_shadow_stats *s)
{
    for (int i = 0; i < UM_DROP_COUNT; i++) {
        labels[2] = (struct label){"reason", um_str_from(um_drop_rows[i].name)};
        print_value(out, family, labels, s->dropped[i]);
    }
}

static void print_duration(struct um_buf *out, const char *family, struct label *labels,
                           const struct um_shadow_stats *s)
{
    print_histogram(out, family, labels, &s->duration_ms);
}

static void print_shadows(struct um_buf *out, const struct um_stat_view *view)
{
    static const struct {
        const char *family, *type, *help;
        print_shadow_f *print;
    } FAMILIES[] = {
        {"umbra_shadow_matched_total", "counter", "exchanges whose route names this shadow", print_matched},
        {"umbra_shadow_skipped_total", "counter", "exchanges that were not copied, by reason", print_skipped},
        {"umbra_shadow_mirrored_total", "counter", "copies started", print_mirrored},
        {"umbra_shadow_completed_total", "counter", "copies whose answer ended, by status class", print_completed},
        {"umbra_shadow_dropped_total", "counter", "copies that ended otherwise, by reason", print_dropped},
        {"umbra_shadow_active", "gauge", "copies in flight", print_active},
        {"umbra_shadow_duration_milliseconds", "histogram", "first byte sent to last byte received", print_duration},
    };
    for (size_t i = 0; i < sizeof FAMILIES / sizeof FAMILIES[0]; i++)
        print_shadow_family(out, view, FAMILIES[i].family, FAMILIES[i].type, FAMILIES[i].help, FAMILIES[i].print);
    print_single(out, "umbra_shadow_memory_bytes", "gauge", "bytes held for shadows now",
                 view->stats->shadow_memory_bytes < 0 ? 0 : (uint64_t)view->stats->shadow_memory_bytes);
    print_single(out, "umbra_shadow_memory_limit_bytes", "gauge", "bound of the bytes held for shadows",
                 view->shadow_memory_limit_bytes);
}

/* ---- the process -------------------------------------------------------------------------------- */

static void print_process(struct um_buf *out, const struct um_stat_view *view)
{
    static const char RELOADS[] = "umbra_config_reloads_total", BUILD[] = "umbra_build_info",
                      LAG[] = "umbra_loop_lag_milliseconds";
    const struct label none[] = {{.name = NULL}}, success[] = {{"result", UM_STR("success")}, {.name = NULL}},
                       failure[] = {{"result", UM_STR("failure")}, {.name = NULL}},
                       version[] = {{"version", view->version}, {.name = NULL}};
    print_single(out, "envoy_server_live", "gauge", "1 when ready and not draining", view->is_live);
    print_single(out, "envoy_server_uptime", "gauge", "seconds since the start", view->uptime_s);
    print_head(out, BUILD, "gauge", "1, with the version that runs");
    print_value(out, BUILD, version, 1);
    print_single(out, "umbra_config_last_reload_success", "gauge", "1 when the last configuration was accepted",
                 view->has_last_reload_succeeded);
    print_head(out, RELOADS, "counter", "configurations read, by result");
    print_value(out, RELOADS, success, view->reloads_succeeded);
    print_value(out, RELOADS, failure, view->reloads_failed);
    print_head(out, LAG, "histogram", "how late the loop ran its timers");
    print_histogram(out, LAG, none, &view->stats->loop_lag_ms);
}

void um_prometheus_print(struct um_buf *out, const struct um_stat_view *view)
{
    print_process(out, view);
    print_worker(out, view->stats);
    print_clusters(out, view);
    print_shadows(out, view);
}
