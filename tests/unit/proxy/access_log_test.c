/* SPDX-License-Identifier: Apache-2.0
 * The lines of the access log: Istio's fields in their order, what a client can put into them, and the writer under load. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/log_writer.h"

#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct um_log_record example(void)
{
    return (struct um_log_record){
        .start_wall_ns = UINT64_C(1769903999123000000),
        .duration_ns = 12 * UM_NS_PER_MS,
        .status = 200,
        .details = "via_upstream",
        .rx_bytes = 7,
        .tx_bytes = 100,
        .upstream_ms = 11,
        .method = UM_STR("GET"),
        .path = UM_STR("/get?a=1"),
        .protocol = UM_STR("HTTP/1.1"),
        .authority = UM_STR("app.test"),
        .user_agent = UM_STR("curl"),
        .forwarded_for = UM_STR("10.0.0.1"),
        .request_id = UM_STR("id-1"),
        .upstream_host = UM_STR("127.0.0.1:8081"),
        .upstream_cluster = UM_STR("outbound|80||app"),
        .upstream_local = UM_STR("127.0.0.1:5"),
        .local = UM_STR("127.0.0.1:80"),
        .peer = UM_STR("127.0.0.1:6"),
        .route_name = UM_STR("all"),
    };
}

static char *line_of(const struct um_log_record *r, enum um_log_format format)
{
    struct um_buf b;
    um_buf_init(&b, 0);
    um_access_log_format(&b, format, r);
    um_buf_add_char(&b, '\0');
    assert_false(b.failed);
    return b.p;
}

static void assert_line(const struct um_log_record *r, const char *expected)
{
    char *line = line_of(r, UM_LOG_TEXT);
    assert_string_equal(line, expected);
    free(line);
}

static void text_has_istios_fields_in_their_order(void **state)
{
    const struct um_log_record r = example();
    (void)state;
    assert_line(
        &r, "[2026-01-31T23:59:59.123Z] \"GET /get?a=1 HTTP/1.1\" 200 - via_upstream - \"-\" 7 100 12 11 \"10.0.0.1\" "
            "\"curl\" \"id-1\" \"app.test\" \"127.0.0.1:8081\" outbound|80||app 127.0.0.1:5 127.0.0.1:80 127.0.0.1:6 - "
            "all\n");
}

static void a_copys_line_ends_in_shadow_and_outcome(void **state)
{
    struct um_log_record r = example();
    (void)state;
    r.shadow = UM_STR("outbound|80||v2");
    r.outcome = "timeout";
    char *line = line_of(&r, UM_LOG_TEXT);
    assert_non_null(strstr(line, " all shadow=outbound|80||v2 outcome=timeout\n"));
    free(line);
}

static void absent_fields_are_dashes(void **state)
{
    const struct um_log_record r = {.upstream_ms = -1, .flags = UM_LOG_FLAG(UF) | UM_LOG_FLAG(URX)};
    (void)state;
    assert_line(
        &r,
        "[1970-01-01T00:00:00.000Z] \"- - -\" 0 UF,URX - - \"-\" 0 0 0 - \"-\" \"-\" \"-\" \"-\" \"-\" - - - - - -\n");
}

static void a_client_cannot_break_a_line(void **state)
{
    struct um_log_record r = example();
    (void)state;
    r.user_agent = UM_STR("a\" \\ \n\x7f"
                          "b");
    char *line = line_of(&r, UM_LOG_TEXT);
    assert_non_null(strstr(line, "\"a\\x22 \\x5c \\x0a\\x7fb\""));
    assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
    free(line);
}

static void json_parses_and_has_shadow_and_outcome(void **state)
{
    struct um_log_record r = example();
    (void)state;
    r.path = UM_STR("/\"\xff\n");
    r.shadow = UM_STR("outbound|80||v2");
    r.outcome = "completed";
    char *line = line_of(&r, UM_LOG_JSON);
    json_t *o = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(o);
    assert_int_equal(json_integer_value(json_object_get(o, "response_code")), 200);
    assert_string_equal(json_string_value(json_object_get(o, "path")), "/\"\xef\xbf\xbd\n");
    assert_string_equal(json_string_value(json_object_get(o, "shadow")), "outbound|80||v2");
    assert_string_equal(json_string_value(json_object_get(o, "outcome")), "completed");
    assert_true(json_is_null(json_object_get(o, "requested_server_name")));
    json_decref(o);
    free(line);
}

/* ---- the writer ------------------------------------------------------------------------------------ */

enum { THREADS = 4, LINES = 2000, LINE_BYTES = 8 };

static void *submit_lines(void *arg)
{
    struct um_log_writer *w = arg;
    for (int i = 0; i < LINES; i++) {
        char *line = strdup("1234567\n");
        assert_non_null(line);
        while (!um_log_writer_submit(w, line, LINE_BYTES))
            sched_yield(); /* full: a worker would count and go on */
    }
    return NULL;
}

static void many_threads_lose_no_line(void **state)
{
    char path[] = "/tmp/umbra-log-XXXXXX";
    pthread_t threads[THREADS];
    struct um_log_writer *w;
    int fd = mkstemp(path);
    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(um_log_writer_new(path, UM_LOG_TEXT, &w), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, submit_lines, w), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    um_log_writer_free(w);
    assert_int_equal(lseek(fd, 0, SEEK_END), THREADS * LINES * LINE_BYTES);
    close(fd);
    unlink(path);
}

static void a_file_that_cannot_be_opened_is_an_error(void **state)
{
    struct um_log_writer *w;
    (void)state;
    assert_int_equal(um_log_writer_new("/nonexistent/log", UM_LOG_TEXT, &w), UM_ENOTFOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_has_istios_fields_in_their_order),
        cmocka_unit_test(a_copys_line_ends_in_shadow_and_outcome),
        cmocka_unit_test(absent_fields_are_dashes),
        cmocka_unit_test(a_client_cannot_break_a_line),
        cmocka_unit_test(json_parses_and_has_shadow_and_outcome),
        cmocka_unit_test(many_threads_lose_no_line),
        cmocka_unit_test(a_file_that_cannot_be_opened_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
