/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/prometheus.h"

#include "stats/stats_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

struct scene {
    struct um_worker_stats stats;
    struct um_stat_names names;
    struct um_stat_view view;
    struct um_buf out;
};

static void fill_stats(struct um_worker_stats *s)
{
    s->v[UM_CTR_RQ_TOTAL] = 1234;
    s->v[UM_CTR_RQ_2XX] = 1200;
    s->v[UM_CTR_LOG_DROPPED] = 2;
    s->cx_active = 3;
    s->shadow_memory_bytes = 4096;
    s->clusters[0].v[UM_CLU_RQ_TOTAL] = 5;
    s->clusters[1].v[UM_CLU_RQ_5XX] = 6;
    s->clusters[1].v[UM_CLU_CX_ACTIVE] = 7;
    um_histogram_add_ns(&s->clusters[0].rq_time_ms, 700000);
    um_histogram_add_ns(&s->clusters[0].rq_time_ms, 12000001);
    s->shadows[0].matched = 10;
    s->shadows[0].skipped[UM_SKIP_SAMPLED_OUT] = 4;
    s->shadows[0].mirrored = 6;
    s->shadows[0].completed[2] = 3;
    s->shadows[0].dropped[UM_DROP_TIMEOUT] = 2;
    s->shadows[0].active = 1;
    um_histogram_add_ns(&s->shadows[0].duration_ms, 3600000000001);
}

static int set_up(void **state)
{
    static struct scene scene;
    struct scene *s = &scene;
    uint32_t index;
    um_worker_stats_init(&s->stats);
    um_stat_names_init(&s->names);
    um_buf_init(&s->out, 0);
    /* one more of each than there are names: not shown */
    assert_int_equal(um_worker_stats_grow(&s->stats, 3, 3), 0);
    assert_int_equal(um_stat_names_cluster(&s->names, UM_STR("outbound|80||x"), &index), 0);
    assert_int_equal(um_stat_names_cluster(&s->names, UM_STR("odd\"\\\n"), &index), 0);
    assert_int_equal(um_stat_names_shadow(&s->names, UM_STR("vs.ns/r"), UM_STR("outbound|80|v2|x"), &index), 0);
    assert_int_equal(um_stat_names_shadow(&s->names, UM_STR("vs.ns/0"), UM_STR("idle"), &index), 0);
    fill_stats(&s->stats);
    s->view = (struct um_stat_view){.stats = &s->stats,
                                    .names = &s->names,
                                    .version = UM_STR("1.2.3"),
                                    .uptime_s = 99,
                                    .is_live = true,
                                    .shadow_memory_limit_bytes = 64 << 20,
                                    .reloads_succeeded = 8,
                                    .reloads_failed = 1};
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *s = *state;
    um_worker_stats_release(&s->stats);
    um_stat_names_release(&s->names);
    um_buf_release(&s->out);
    return 0;
}

static const char *print(struct scene *s)
{
    um_prometheus_print(&s->out, &s->view);
    um_buf_add_char(&s->out, '\0');
    assert_false(s->out.failed);
    return s->out.p;
}

/* the text has that whole line, once */
static void assert_line(const char *text, const char *line)
{
    size_t n = strlen(line), found = 0;
    for (const char *at = text; (at = strstr(at, line)); at += n)
        found += (at == text || at[-1] == '\n') && at[n] == '\n';
    if (found != 1)
        print_error("%zu times in the output: %s\n", found, line);
    assert_int_equal(found, 1);
}

static void envoy_families_have_istio_names(void **state)
{
    const char *text = print(*state);
    assert_line(text, "# TYPE envoy_http_downstream_rq_total counter");
    assert_line(text, "envoy_http_downstream_rq_total 1234");
    assert_line(text, "# TYPE envoy_http_downstream_rq counter");
    assert_line(text, "envoy_http_downstream_rq{response_code_class=\"2xx\"} 1200");
    assert_line(text, "envoy_http_downstream_rq{response_code_class=\"5xx\"} 0");
    assert_line(text, "envoy_http_downstream_cx_active 3");
    assert_line(text, "envoy_cluster_upstream_rq_total{cluster_name=\"outbound|80||x\"} 5");
    assert_line(text, "# TYPE envoy_cluster_upstream_rq counter");
    assert_line(text, "envoy_cluster_upstream_rq{response_code_class=\"5xx\",cluster_name=\"odd\\\"\\\\\\n\"} 6");
    assert_line(text, "# TYPE envoy_cluster_upstream_cx_active gauge");
    assert_line(text, "envoy_cluster_upstream_cx_active{cluster_name=\"odd\\\"\\\\\\n\"} 7");
    assert_line(text, "envoy_server_live 1");
    assert_line(text, "envoy_server_uptime 99");
}

static void own_families_are_the_contract_s(void **state)
{
    const char *text = print(*state);
    const char *const FAMILIES[] = {
        "matched_total counter", "skipped_total counter",    "mirrored_total counter",
        "active gauge",          "completed_total counter",  "dropped_total counter",
        "memory_bytes gauge",    "memory_limit_bytes gauge", "duration_milliseconds histogram"};
    char line[128];
    for (size_t i = 0; i < sizeof FAMILIES / sizeof FAMILIES[0]; i++) {
        snprintf(line, sizeof line, "# TYPE umbra_shadow_%s", FAMILIES[i]);
        assert_line(text, line);
    }
    assert_line(text, "umbra_shadow_matched_total{route=\"vs.ns/r\",shadow=\"outbound|80|v2|x\"} 10");
    assert_line(text, "umbra_shadow_matched_total{route=\"vs.ns/0\",shadow=\"idle\"} 0");
    assert_line(text,
                "umbra_shadow_skipped_total{route=\"vs.ns/r\",shadow=\"outbound|80|v2|x\",reason=\"sampled_out\"} 4");
    assert_line(text, "umbra_shadow_mirrored_total{route=\"vs.ns/r\",shadow=\"outbound|80|v2|x\"} 6");
    assert_line(text,
                "umbra_shadow_completed_total{route=\"vs.ns/r\",shadow=\"outbound|80|v2|x\",code_class=\"2xx\"} 3");
    assert_line(text, "umbra_shadow_dropped_total{route=\"vs.ns/r\",shadow=\"outbound|80|v2|x\",reason=\"timeout\"} 2");
    assert_line(text, "umbra_shadow_active{route=\"vs.ns/r\",shadow=\"outbound|80|v2|x\"} 1");
    assert_line(text, "umbra_shadow_memory_bytes 4096");
    assert_line(text, "umbra_shadow_memory_limit_bytes 67108864");
    assert_line(text, "umbra_config_last_reload_success 0");
    assert_line(text, "umbra_config_reloads_total{result=\"success\"} 8");
    assert_line(text, "umbra_config_reloads_total{result=\"failure\"} 1");
    assert_line(text, "# TYPE umbra_loop_lag_milliseconds histogram");
    assert_line(text, "umbra_access_log_dropped_total 2");
    assert_line(text, "umbra_build_info{version=\"1.2.3\"} 1");
}

static void every_reason_is_printed(void **state)
{
    const char *text = print(*state);
    char line[160];
    for (int i = 0; i < UM_SKIP_COUNT; i++) {
        snprintf(line, sizeof line, "umbra_shadow_skipped_total{route=\"vs.ns/0\",shadow=\"idle\",reason=\"%s\"} 0",
                 um_skip_label((enum um_skip)i));
        assert_line(text, line);
    }
    for (int i = 0; i < UM_DROP_COUNT; i++) {
        snprintf(line, sizeof line, "umbra_shadow_dropped_total{route=\"vs.ns/0\",shadow=\"idle\",reason=\"%s\"} 0",
                 um_drop_label((enum um_drop)i));
        assert_line(text, line);
    }
}

static void histograms_are_cumulative_milliseconds(void **state)
{
    const char *text = print(*state);
    const char *const LINES[] = {"_bucket{cluster_name=\"outbound|80||x\",le=\"0.5\"} 0",
                                 "_bucket{cluster_name=\"outbound|80||x\",le=\"1\"} 1",
                                 "_bucket{cluster_name=\"outbound|80||x\",le=\"10\"} 1",
                                 "_bucket{cluster_name=\"outbound|80||x\",le=\"25\"} 2",
                                 "_bucket{cluster_name=\"outbound|80||x\",le=\"+Inf\"} 2",
                                 "_sum{cluster_name=\"outbound|80||x\"} 12.700001",
                                 "_count{cluster_name=\"outbound|80||x\"} 2"};
    char line[160];
    for (size_t i = 0; i < sizeof LINES / sizeof LINES[0]; i++) {
        snprintf(line, sizeof line, "envoy_cluster_upstream_rq_time%s", LINES[i]);
        assert_line(text, line);
    }
    assert_line(
        text,
        "umbra_shadow_duration_milliseconds_bucket{route=\"vs.ns/r\",shadow=\"outbound|80|v2|x\",le=\"3600000\"} 0");
    assert_line(
        text, "umbra_shadow_duration_milliseconds_bucket{route=\"vs.ns/r\",shadow=\"outbound|80|v2|x\",le=\"+Inf\"} 1");
}

/* runs a program with that text as its input; its output in `said`; its exit code, 127 if it is not there */
static int run(const char *const argv[], struct um_str input, char *said, size_t said_bytes)
{
    FILE *in = tmpfile(), *out = tmpfile();
    assert_true(in && out);
    assert_int_equal(fwrite(input.p, 1, input.n, in), input.n);
    rewind(in);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fileno(in), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, fileno(out), STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, fileno(out), STDERR_FILENO);
    pid_t pid;
    int status = 127 << 8;
    if (posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv, environ) == 0)
        waitpid(pid, &status, 0);
    posix_spawn_file_actions_destroy(&actions);
    rewind(out);
    said[fread(said, 1, said_bytes - 1, out)] = '\0';
    fclose(in);
    fclose(out);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Its style rules (exit 3) are not met by Envoy's names, nor by milliseconds, which Istio uses. */
static void promtool_reads_it(void **state)
{
    struct scene *s = *state;
    const char *const argv[] = {"promtool", "check", "metrics", NULL};
    char said[16384], *rest = said, *line;
    um_prometheus_print(&s->out, &s->view);
    int code = run(argv, um_buf_str(&s->out), said, sizeof said);
    if (code == 127)
        skip();
    if (code != 0 && code != 3)
        print_error("%s\n", said);
    assert_true(code == 0 || code == 3);
    while ((line = strsep(&rest, "\n")))
        if (strncmp(line, "umbra_", 6) == 0 && !strstr(line, "milliseconds"))
            fail_msg("promtool: %s", line);
}

static void python_client_reads_it(void **state)
{
    static const char PROGRAM[] =
        "import sys\n"
        "try: from prometheus_client.parser import text_string_to_metric_families as parse\n"
        "except ImportError: sys.exit(127)\n"
        "text = sys.stdin.read()\n"
        "names = [line.split()[2] for line in text.split('\\n') if line.startswith('# TYPE')]\n"
        "assert len(set(names)) == len(names), 'a family is split'\n"
        "families = list(parse(text))\n"
        "assert all(f.documentation and f.type != 'unknown' for f in families)\n"
        "values = {s.labels['cluster_name'] for f in families for s in f.samples\n"
        "          if 'cluster_name' in s.labels}\n"
        "assert values == {'outbound|80||x', 'odd\"\\\\\\n'}, values\n";
    struct scene *s = *state;
    const char *const argv[] = {"/usr/bin/python3", "-c", PROGRAM, NULL};
    char said[4096];
    um_prometheus_print(&s->out, &s->view);
    int code = run(argv, um_buf_str(&s->out), said, sizeof said);
    if (code == 127)
        skip();
    if (code)
        print_error("%s\n", said);
    assert_int_equal(code, 0);
}

static void a_small_buffer_fails_once(void **state)
{
    struct scene *s = *state;
    struct um_buf small;
    um_buf_init(&small, 1000);
    um_prometheus_print(&small, &s->view);
    assert_true(small.failed);
    assert_true(small.n <= 1000);
    um_buf_release(&small);
}

/* ---- /stats ---- */

static const char *print_text(struct scene *s, struct um_stats_text_options options)
{
    um_buf_clear(&s->out);
    um_stats_text_print(&s->out, &s->view, &options);
    um_buf_add_char(&s->out, '\0');
    assert_false(s->out.failed);
    return s->out.p;
}

static void text_has_envoy_s_lines(void **state)
{
    const char *text = print_text(*state, (struct um_stats_text_options){.is_used_only = false});
    assert_line(text, "cluster.outbound|80||x.upstream_rq_total: 5");
    assert_line(text, "cluster.outbound|80||x.upstream_rq_5xx: 0");
    assert_line(text, "http.downstream_rq_2xx: 1200");
    assert_line(text, "http.downstream_cx_active: 3");
    assert_line(text, "server.live: 1");
    assert_line(text, "umbra.shadow.vs.ns/r.outbound|80|v2|x.dropped.timeout: 2");
    assert_line(text, "umbra.shadow.vs.ns/0.idle.matched: 0");
    assert_line(text, "umbra.shadow.memory_limit_bytes: 67108864");
}

static void text_can_be_narrowed(void **state)
{
    const char *text = print_text(*state, (struct um_stats_text_options){.is_used_only = true});
    assert_line(text, "cluster.outbound|80||x.upstream_rq_total: 5");
    assert_null(strstr(text, ": 0\n"));
    struct um_regex *filter;
    assert_int_equal(um_stats_filter_new(UM_STR("rq_total$|^server"), &filter, NULL), 0);
    text = print_text(*state, (struct um_stats_text_options){.filter = filter, .is_used_only = true});
    assert_string_equal(text, "cluster.outbound|80||x.upstream_rq_total: 5\nhttp.downstream_rq_total: 1234\n"
                              "server.live: 1\nserver.uptime: 99\n");
    um_regex_free(filter);
}

static void json_is_json(void **state)
{
    const char *text = print_text(*state, (struct um_stats_text_options){.is_used_only = true, .is_json = true});
    json_error_t error;
    json_t *root = json_loads(text, 0, &error), *item;
    if (!root)
        fail_msg("%s", error.text);
    size_t i, hits = 0;
    json_array_foreach(json_object_get(root, "stats"), i, item)
    {
        const char *name = json_string_value(json_object_get(item, "name"));
        if (strcmp(name, "cluster.odd\"\\\n.upstream_cx_active") == 0)
            hits += json_integer_value(json_object_get(item, "value")) == 7;
    }
    assert_int_equal(hits, 1);
    json_decref(root);
}

static void a_bad_filter_is_refused(void **state)
{
    struct um_regex *filter;
    char *error = NULL, text[UM_REGEX_MAX_BYTES + 1];
    memset(text, 'a', sizeof text);
    assert_int_equal(um_stats_filter_new(UM_STR("a)|(b"), &filter, &error), UM_ESYNTAX);
    assert_non_null(error);
    free(error);
    assert_int_equal(um_stats_filter_new((struct um_str){text, sizeof text}, &filter, NULL), UM_ELIMIT);
}

#define SCENE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE(envoy_families_have_istio_names),
        SCENE(own_families_are_the_contract_s),
        SCENE(every_reason_is_printed),
        SCENE(histograms_are_cumulative_milliseconds),
        SCENE(promtool_reads_it),
        SCENE(python_client_reads_it),
        SCENE(a_small_buffer_fails_once),
        SCENE(text_has_envoy_s_lines),
        SCENE(text_can_be_narrowed),
        SCENE(json_is_json),
        cmocka_unit_test(a_bad_filter_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
