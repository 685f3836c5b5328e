/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <unistd.h>

/* standard error goes to a file while a test logs */
struct capture {
    FILE *file;
    int kept;
    char text[16384];
};

static int set_up(void **state)
{
    static struct capture c;
    c = (struct capture){.file = tmpfile(), .kept = dup(STDERR_FILENO)};
    assert_non_null(c.file);
    assert_true(dup2(fileno(c.file), STDERR_FILENO) >= 0);
    um_log_set_level(UM_LOG_INFO);
    *state = &c;
    return 0;
}

/* what was logged; standard error is itself again */
static const char *logged(struct capture *c)
{
    dup2(c->kept, STDERR_FILENO);
    rewind(c->file);
    c->text[fread(c->text, 1, sizeof c->text - 1, c->file)] = '\0';
    return c->text;
}

static int tear_down(void **state)
{
    struct capture *c = *state;
    dup2(c->kept, STDERR_FILENO);
    close(c->kept);
    fclose(c->file);
    um_log_set_level(UM_LOG_INFO);
    return 0;
}

static int count(const char *text, char c)
{
    int n = 0;
    for (; *text; text++)
        n += *text == c;
    return n;
}

static void a_line_has_time_level_and_text(void **state)
{
    um_log(UM_LOG_WARNING, "cannot open %s", "x.yaml");
    const char *text = logged(*state);
    assert_int_equal(text[10], 'T');
    assert_string_equal(text + 24, " warning umbra: cannot open x.yaml\n");
}

static void levels_below_the_threshold_are_silent(void **state)
{
    um_log(UM_LOG_DEBUG, "one");
    um_log_set_level(UM_LOG_ERROR);
    um_log(UM_LOG_WARNING, "two");
    um_log(UM_LOG_ERROR, "three");
    um_log_set_level(UM_LOG_DEBUG);
    um_log(UM_LOG_DEBUG, "four");
    const char *text = logged(*state);
    assert_null(strstr(text, "one"));
    assert_null(strstr(text, "two"));
    assert_non_null(strstr(text, " error umbra: three\n"));
    assert_non_null(strstr(text, " debug umbra: four\n"));
}

/* a name in a file or from a peer must not be able to forge a line */
static void a_message_is_one_line(void **state)
{
    um_log(UM_LOG_INFO, "name %s end", "a\nb\r\x1b[31m\tc");
    const char *text = logged(*state);
    assert_int_equal(count(text, '\n'), 1);
    assert_non_null(strstr(text, "name a?b??[31m?c end\n"));
}

static void a_long_message_is_cut(void **state)
{
    static char longer[10000];
    memset(longer, 'x', sizeof longer - 1);
    um_log(UM_LOG_INFO, "%s", longer);
    const char *text = logged(*state);
    assert_int_equal(count(text, '\n'), 1);
    assert_in_range(strlen(text), 4000, 4096);
    assert_int_equal(text[strlen(text) - 1], '\n');
}

static void a_busy_site_is_held_back(void **state)
{
    struct um_log_site site = {0};
    for (int i = 0; i < 5; i++)
        um_log_every(&site, 3600000, UM_LOG_INFO, "round %d", i);
    atomic_store(&site.next_ns, 0);
    um_log_every(&site, 3600000, UM_LOG_INFO, "last");
    um_log_every(&site, 0, UM_LOG_DEBUG, "silent");
    const char *text = logged(*state);
    assert_int_equal(count(text, '\n'), 2);
    assert_non_null(strstr(text, "round 0\n"));
    assert_non_null(strstr(text, "last (and 4 more like it)\n"));
}

#define LOGGING(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOGGING(a_line_has_time_level_and_text), LOGGING(levels_below_the_threshold_are_silent),
        LOGGING(a_message_is_one_line),          LOGGING(a_long_message_is_cut),
        LOGGING(a_busy_site_is_held_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
