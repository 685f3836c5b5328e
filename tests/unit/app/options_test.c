/* SPDX-License-Identifier: Apache-2.0 */
#include "app/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { ARGS_MAX = 32 };

struct parsed {
    struct um_options options;
    struct um_buf error;
    int rc;
};

/* splits the line at single spaces; "~" stands for a space inside an argument */
static void parse(struct parsed *p, const char *line)
{
    static char text[1024];
    static char *argv[ARGS_MAX + 1];
    int argc = 0;
    assert_true(strlen(line) < sizeof text);
    memcpy(text, line, strlen(line) + 1);
    for (char *at = text; at && argc < ARGS_MAX;) {
        char *space = strchr(at, ' ');
        argv[argc++] = at;
        if (space)
            *space++ = '\0';
        at = space;
    }
    for (int i = 0; i < argc; i++)
        for (char *c = argv[i]; *c; c++)
            *c = *c == '~' ? ' ' : *c;
    argv[argc] = NULL;
    um_buf_init(&p->error, 0);
    p->rc = um_options_parse(&p->options, argc, argv, &p->error);
    um_buf_add_char(&p->error, '\0');
}

static void release(struct parsed *p)
{
    um_options_release(&p->options);
    um_buf_release(&p->error);
}

static void parse_well(struct parsed *p, const char *line)
{
    parse(p, line);
    if (p->rc)
        fail_msg("%s: %s", line, p->error.p);
}

/* the line is refused, and the error holds `part` */
static void expect_error(const char *line, const char *part)
{
    struct parsed p;
    parse(&p, line);
    assert_int_equal(p.rc, UM_EINVAL);
    if (!strstr(p.error.p, part))
        fail_msg("%s: '%s' is not in '%s'", line, part, p.error.p);
    release(&p);
}

static void assert_str(struct um_str s, const char *expected)
{
    assert_int_equal(s.n, strlen(expected));
    assert_memory_equal(s.p, expected, s.n);
}

static void assert_addr(const struct um_sockaddr *addr, const char *expected)
{
    char text[UM_SOCKADDR_TEXT_BYTES];
    um_sockaddr_text(addr, text);
    assert_string_equal(text, expected);
}

static void test_defaults(void **state)
{
    struct parsed p;
    parse_well(&p, "umbra run -f a.yaml");
    const struct um_options *o = &p.options;
    assert_int_equal(o->command, UM_COMMAND_RUN);
    assert_int_equal(o->n_files, 1);
    assert_str(o->files[0], "a.yaml");
    assert_int_equal(o->compile.role, UM_ROLE_AUTO);
    assert_str(o->compile.namespace_name, "default");
    assert_false(o->compile.has_bind);
    assert_true(o->compile.has_shadow_host_suffix);
    assert_true(o->has_shadow_istio_metrics);
    assert_true(o->has_admin);
    assert_addr(&o->admin, "127.0.0.1:15000");
    assert_int_equal(o->access_log, UM_ACCESS_LOG_STDOUT);
    assert_int_equal(o->shadow_memory_bytes, 64 << 20);
    assert_int_equal(o->drain_time_ms, 5000);
    assert_int_equal(o->limits.head_bytes, 60 << 10);
    assert_int_equal(o->limits.fields, 100);
    assert_int_equal(o->header_timeout_ms, 10000);
    assert_int_equal(o->idle_timeout_ms, 3600000);
    assert_int_equal(o->workers, 0);
    release(&p);
}

static void test_both_spellings_of_a_value(void **state)
{
    struct parsed p;
    parse_well(&p, "umbra run -f a --file=b --workers 3 --admin=off --role=sidecar --access-log /var/log/a --bind ::");
    const struct um_options *o = &p.options;
    assert_int_equal(o->n_files, 2);
    assert_str(o->files[1], "b");
    assert_int_equal(o->workers, 3);
    assert_false(o->has_admin);
    assert_int_equal(o->compile.role, UM_ROLE_SIDECAR);
    assert_int_equal(o->access_log, UM_ACCESS_LOG_FILE);
    assert_str(o->access_log_file, "/var/log/a");
    assert_true(o->compile.has_bind);
    assert_addr(&o->compile.bind, "[::]:0");
    release(&p);
}

static void test_many_files_keep_their_order(void **state)
{
    struct parsed p;
    parse_well(&p, "umbra check -f a -f b -f c -f d -f e -f -");
    const char *const expected[] = {"a", "b", "c", "d", "e", "-"};
    assert_int_equal(p.options.n_files, 6);
    for (size_t i = 0; i < 6; i++)
        assert_str(p.options.files[i], expected[i]);
    release(&p);
}

static void test_labels(void **state)
{
    struct parsed p;
    parse_well(&p, "umbra run -f a --labels istio=ingressgateway,app=x --labels empty=");
    const struct um_options *o = &p.options;
    assert_int_equal(o->compile.n_labels, 3);
    assert_str(o->compile.labels[0].key, "istio");
    assert_str(o->compile.labels[0].value, "ingressgateway");
    assert_str(o->compile.labels[1].key, "app");
    assert_str(o->compile.labels[2].value, "");
    release(&p);
    expect_error("umbra run -f a --labels istio", "--labels 'istio': expected KEY=VALUE");
    expect_error("umbra run -f a --labels =x", "--labels '=x'");
}

static void test_map_port(void **state)
{
    struct parsed p;
    parse_well(&p, "umbra run -f a --map-port 80=8080,443=0 --map-port 1=2");
    assert_int_equal(p.options.compile.n_port_maps, 3);
    assert_int_equal(p.options.compile.port_maps[0].from, 80);
    assert_int_equal(p.options.compile.port_maps[0].to, 8080);
    assert_int_equal(p.options.compile.port_maps[1].to, 0);
    assert_int_equal(p.options.compile.port_maps[2].from, 1);
    release(&p);
    expect_error("umbra run -f a --map-port 80:8080", "--map-port '80:8080': expected PORT=PORT");
    expect_error("umbra run -f a --map-port 80=65536", "--map-port '80=65536'");
    expect_error("umbra run -f a --map-port 0=80", "--map-port");
    expect_error("umbra run -f a --map-port=", "--map-port ''");
}

static void test_endpoint(void **state)
{
    struct parsed p;
    parse_well(&p, "umbra run -f a --endpoint httpbin,version=v1,zone=a=127.0.0.1:8081 --endpoint b.ns=[::1]:80");
    const struct um_given_endpoint *e = p.options.compile.endpoints;
    assert_int_equal(p.options.compile.n_endpoints, 2);
    assert_str(e[0].host, "httpbin");
    assert_int_equal(e[0].n_labels, 2);
    assert_str(e[0].labels[0].key, "version");
    assert_str(e[0].labels[1].value, "a");
    assert_addr(&e[0].addr, "127.0.0.1:8081");
    assert_str(e[1].host, "b.ns");
    assert_int_equal(e[1].n_labels, 0);
    assert_addr(&e[1].addr, "[::1]:80");
    release(&p);
    static const char *const bad[] = {
        "httpbin",        "httpbin=127.0.0.1",       "httpbin=127.0.0.1:0",     "=127.0.0.1:80", "httpbin=localhost:80",
        "httpbin=::1:80", "httpbin,v1=127.0.0.1:80", "httpbin=127.0.0.1:99999",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char line[128];
        snprintf(line, sizeof line, "umbra run -f a --endpoint %s", bad[i]);
        expect_error(line, "expected HOST[,KEY=VALUE...]=ADDR:PORT");
    }
}

static void test_sizes_and_times(void **state)
{
    struct parsed p;
    parse_well(&p, "umbra run -f a --shadow-memory 128Mi --drain-time 1m30s --header-timeout 0 --idle-timeout 250ms "
                   "--max-head-bytes 8Ki --max-fields 1000");
    const struct um_options *o = &p.options;
    assert_int_equal(o->shadow_memory_bytes, 128 << 20);
    assert_int_equal(o->drain_time_ms, 90000);
    assert_int_equal(o->header_timeout_ms, 0);
    assert_int_equal(o->idle_timeout_ms, 250);
    assert_int_equal(o->limits.head_bytes, 8192);
    assert_int_equal(o->limits.fields, 1000);
    release(&p);
    expect_error("umbra run -f a --shadow-memory 64MB", "--shadow-memory '64MB': expected at least 64Ki bytes");
    expect_error("umbra run -f a --shadow-memory 1", "--shadow-memory '1'");
    expect_error("umbra run -f a --drain-time 5", "--drain-time '5': expected a duration");
    expect_error("umbra run -f a --drain-time 25h", "--drain-time '25h'");
    expect_error("umbra run -f a --drain-time 1us", "--drain-time '1us'");
    expect_error("umbra run -f a --max-head-bytes 61Ki", "bytes from 1Ki to 60Ki");
    expect_error("umbra run -f a --max-fields 0", "a number from 1 to 1000");
    expect_error("umbra run -f a --workers 0", "--workers '0': expected a number from 1 to 256");
}

static void test_words(void **state)
{
    struct parsed p;
    parse_well(&p,
               "umbra run -f a --shadow-host-suffix off --shadow-istio-metrics off --log-level debug --access-log off");
    assert_false(p.options.compile.has_shadow_host_suffix);
    assert_false(p.options.has_shadow_istio_metrics);
    assert_int_equal(p.options.log_level, UM_LOG_DEBUG);
    assert_int_equal(p.options.access_log, UM_ACCESS_LOG_OFF);
    release(&p);
    expect_error("umbra run -f a --role router", "--role 'router': expected gateway or sidecar");
    expect_error("umbra run -f a --role=", "--role ''");
    expect_error("umbra run -f a --shadow-host-suffix yes", "expected on or off");
    expect_error("umbra run -f a --admin 15000", "--admin '15000': expected ADDR:PORT");
    expect_error("umbra run -f a --bind localhost", "--bind 'localhost': expected an IP address");
}

static void test_format_by_command(void **state)
{
    struct parsed p;
    parse_well(&p, "umbra check -f a --format github");
    assert_int_equal(p.options.format, UM_FORMAT_GITHUB);
    release(&p);
    expect_error("umbra explain -f a --format github GET~http://a/", "--format 'github': expected text or json");
    expect_error("umbra check -f a --format yaml", "expected text, json or github");
}

static void test_explain_takes_a_request(void **state)
{
    struct parsed p;
    parse_well(&p, "umbra explain GET~http://a:80/x?y=1 -f a -H x-user:~~me~ --header=b:c");
    assert_str(p.options.method, "GET");
    assert_str(p.options.url, "http://a:80/x?y=1");
    assert_int_equal(p.options.n_headers, 2);
    assert_str(p.options.headers[0].name, "x-user");
    assert_str(p.options.headers[0].value, "me");
    assert_str(p.options.headers[1].value, "c");
    release(&p);
    expect_error("umbra explain -f a", "no request is given");
    expect_error("umbra explain -f a http://a/", "expected 'METHOD http://host[:port]/path'");
    expect_error("umbra explain -f a GET~http://a/ more", "unexpected argument 'more'");
    expect_error("umbra explain -f a GET~http://a/ -H nocolon", "-H 'nocolon': expected 'NAME: VALUE'");
    expect_error("umbra explain -f a GET~http://a/ -H a~b:c", "-H");
}

static void test_usage_errors(void **state)
{
    expect_error("umbra", "no command is given");
    expect_error("umbra chekc", "'chekc' is not a command: expected run, check or explain (did you mean check?)");
    expect_error("umbra run", "umbra run: no configuration is given: expected -f FILE|DIR");
    expect_error("umbra run a.yaml", "no configuration is given");
    expect_error("umbra run -f a b.yaml", "unexpected argument 'b.yaml' (a file or directory is given with -f)");
    expect_error("umbra run -f", "-f: a value is missing: expected a file");
    expect_error("umbra run -f a --workers", "--workers: a value is missing");
    expect_error("umbra run -f a --maap-port=1=2", "there is no flag --maap-port (did you mean --map-port?)");
    expect_error("umbra run -f a --label app=x --shadow-mem 1Mi --xyzzy", "there is no flag --xyzzy\n");
    expect_error("umbra run -f a -z", "there is no flag -z");
    expect_error("umbra check -f a --workers 2", "--workers is not a flag of this command, but of umbra run");
    expect_error("umbra run -f a --help=x", "--help takes no value");
    expect_error("umbra run -f a --wrokers 2", "Try 'umbra run --help'.");
}

static void test_help_and_version(void **state)
{
    struct parsed p;
    parse_well(&p, "umbra --version");
    assert_true(p.options.wants_version);
    release(&p);
    parse_well(&p, "umbra --help");
    assert_true(p.options.wants_help);
    assert_int_equal(p.options.command, 0);
    release(&p);
    parse_well(&p, "umbra check --help"); /* though no -f is given */
    assert_true(p.options.wants_help);
    assert_int_equal(p.options.command, UM_COMMAND_CHECK);
    release(&p);
}

static void test_help_text_lists_the_flags_of_the_command(void **state)
{
    struct um_buf text;
    um_buf_init(&text, 0);
    um_options_help(UM_COMMAND_CHECK, &text);
    um_buf_add_char(&text, '\0');
    assert_non_null(strstr(text.p, "Usage: umbra check -f FILE|DIR"));
    assert_non_null(strstr(text.p, "\n  -f, --file FILE|DIR\n"));
    assert_non_null(strstr(text.p, "\n  --format text|json|github\n"));
    assert_null(strstr(text.p, "--workers"));
    for (const char *line = text.p, *end; (end = strchr(line, '\n')); line = end + 1)
        if (line[0] == ' ' && line[2] == ' ')
            assert_true(end - line <= 80);
    um_buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_both_spellings_of_a_value),
        cmocka_unit_test(test_many_files_keep_their_order),
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_map_port),
        cmocka_unit_test(test_endpoint),
        cmocka_unit_test(test_sizes_and_times),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_format_by_command),
        cmocka_unit_test(test_explain_takes_a_request),
        cmocka_unit_test(test_usage_errors),
        cmocka_unit_test(test_help_and_version),
        cmocka_unit_test(test_help_text_lists_the_flags_of_the_command),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
