/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../io/kit.h"
#include "source/files.h"

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Each test works in a directory of its own, which is the current one. */
struct fixture {
    struct um_loop loop;
    struct um_source *source;
    struct um_str paths[4];
    char root[64];
    int n_changes, n_states;
    uint64_t changed_ns;
};

static void on_changed(void *ctx)
{
    struct fixture *f = ctx;
    f->n_changes++;
    f->changed_ns = um_clock_ns();
}

static void on_state(void *ctx, const char *text)
{
    struct fixture *f = ctx;
    assert_non_null(strstr(text, "inotify"));
    f->n_states++;
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    *state = f;
    snprintf(f->root, sizeof f->root, "/tmp/umbra-files-XXXXXX");
    if (!mkdtemp(f->root) || chdir(f->root))
        return -1;
    return um_loop_init(&f->loop);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    um_source_free(f->source);
    um_loop_release(&f->loop);
    int rc = chdir("/") || nftw(f->root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(f);
    return rc;
}

static void start(struct fixture *f, const char *path)
{
    f->paths[0] = um_str_from(path);
    assert_int_equal(um_source_files_new(&f->loop, f->paths, 1, &f->source), 0);
    assert_int_equal(um_source_start(f->source, &(struct um_source_sink){on_changed, on_state, f}), 0);
    assert_int_equal(f->n_changes, 0);
}

/* one change is told, within the promised time, and no second one follows */
static void expect_change(struct fixture *f)
{
    uint64_t from_ns = um_clock_ns();
    f->n_changes = 0;
    KIT_TURN_UNTIL(&f->loop, f->n_changes);
    assert_true(f->changed_ns - from_ns < 2 * UM_NS_PER_S);
    kit_turn_for_ms(&f->loop, 3 * UM_SOURCE_QUIET_MS);
    assert_int_equal(f->n_changes, 1);
}

static void expect_nothing(struct fixture *f)
{
    f->n_changes = 0;
    kit_turn_for_ms(&f->loop, 4 * UM_SOURCE_QUIET_MS);
    assert_int_equal(f->n_changes, 0);
}

static void file_is_written(void **state)
{
    struct fixture *f = *state;
    write_file("a.yaml", "a: 1");
    start(f, "a.yaml");
    expect_nothing(f);
    write_file("a.yaml", "a: 2");
    expect_change(f);
    write_file("a.yaml", "a: 3");
    expect_change(f);
}

static void file_is_replaced_by_rename(void **state)
{
    struct fixture *f = *state;
    write_file("a.yaml", "a: 1");
    start(f, "a.yaml");
    write_file("a.yaml.new", "a: 2");
    expect_nothing(f);
    assert_int_equal(rename("a.yaml.new", "a.yaml"), 0);
    expect_change(f);
    write_file("a.yaml", "a: 3"); /* the new inode is followed as well */
    expect_change(f);
}

static void file_goes_and_comes_back(void **state)
{
    struct fixture *f = *state;
    write_file("a.yaml", "a: 1");
    start(f, "a.yaml");
    assert_int_equal(unlink("a.yaml"), 0);
    expect_change(f);
    write_file("a.yaml", "a: 1");
    expect_change(f);
}

static void absolute_path_that_does_not_exist_yet(void **state)
{
    struct fixture *f = *state;
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/sub/deeper/a.yaml", f->root);
    start(f, path);
    assert_int_equal(mkdir("sub", 0700), 0);
    expect_nothing(f);
    assert_int_equal(mkdir("sub/deeper", 0700), 0);
    write_file("sub/deeper/a.yaml", "a: 1");
    expect_change(f);
}

static void file_of_another_name_changes_nothing(void **state)
{
    struct fixture *f = *state;
    write_file("a.yaml", "a: 1");
    start(f, ".");
    write_file("access.log", "GET /");
    write_file(".a.yaml.swp", "a: 1");
    expect_nothing(f);
}

static void directory_gains_and_loses_files(void **state)
{
    struct fixture *f = *state;
    start(f, ".");
    write_file("a.yaml", "a: 1");
    expect_change(f);
    write_file("b.json", "{}");
    expect_change(f);
    assert_int_equal(unlink("a.yaml"), 0);
    expect_change(f);
    assert_int_equal(rename("b.json", "c.yml"), 0);
    expect_change(f);
    assert_int_equal(rename("c.yml", "c.txt"), 0);
    expect_change(f);
}

static void nested_directories_are_followed_as_they_appear(void **state)
{
    struct fixture *f = *state;
    start(f, ".");
    assert_int_equal(mkdir("one", 0700), 0);
    assert_int_equal(mkdir("one/two", 0700), 0);
    write_file("one/two/a.yaml", "a: 1");
    expect_change(f);
    write_file("one/two/a.yaml", "a: 2");
    expect_change(f);
    assert_int_equal(rename("one", "other"), 0);
    expect_change(f);
    write_file("other/two/a.yaml", "a: 3");
    expect_change(f);
}

/* what the kubelet's AtomicWriter does with a ConfigMap */
static void mount_config_map(const char *version, const char *text)
{
    char path[PATH_MAX];
    assert_int_equal(mkdir(version, 0700), 0);
    snprintf(path, sizeof path, "%s/a.yaml", version);
    write_file(path, text);
    assert_int_equal(symlink(version, "..data_tmp"), 0);
    assert_int_equal(rename("..data_tmp", "..data"), 0);
}

static void config_map_is_swapped(const char *given, struct fixture *f)
{
    mount_config_map("..2026_01", "a: 1");
    assert_int_equal(symlink("..data/a.yaml", "a.yaml"), 0);
    start(f, given);
    mount_config_map("..2026_02", "a: 2");
    assert_int_equal(unlink("..2026_01/a.yaml"), 0);
    assert_int_equal(rmdir("..2026_01"), 0);
    expect_change(f);
    mount_config_map("..2026_03", "a: 3");
    expect_change(f);
}

static void config_map_as_directory(void **state)
{
    config_map_is_swapped(".", *state);
}

static void config_map_as_file(void **state)
{
    config_map_is_swapped("a.yaml", *state);
}

static void links_are_followed_to_their_targets(void **state)
{
    struct fixture *f = *state;
    char target[PATH_MAX];
    assert_int_equal(mkdir("v1", 0700), 0);
    assert_int_equal(mkdir("v2", 0700), 0);
    assert_int_equal(mkdir("conf", 0700), 0);
    write_file("v1/a.yaml", "a: 1");
    write_file("v2/a.yaml", "a: 2");
    assert_int_equal(symlink("v1", "current"), 0);
    snprintf(target, sizeof target, "%s/current/a.yaml", f->root);
    assert_int_equal(symlink(target, "conf/a.yaml"), 0);
    start(f, "conf");
    write_file("v1/a.yaml", "a: 11");
    expect_change(f);
    assert_int_equal(symlink("v2", "next"), 0);
    assert_int_equal(rename("next", "current"), 0);
    expect_change(f);
    write_file("v1/a.yaml", "a: 111"); /* no longer on the way */
    expect_nothing(f);
    write_file("v2/a.yaml", "a: 22");
    expect_change(f);
}

static void links_that_lead_up_end(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(symlink(".", "again"), 0);
    assert_int_equal(symlink("..", "up"), 0);
    assert_int_equal(symlink("loop", "loop"), 0);
    write_file("a.yaml", "a: 1");
    start(f, "a.yaml");
    um_source_free(f->source);
    assert_int_equal(unlink("up"), 0); /* what else is up there is not the test's */
    start(f, ".");
    write_file("a.yaml", "a: 2");
    expect_change(f);
}

static void steps_of_an_editor_are_told_once(void **state)
{
    struct fixture *f = *state;
    write_file("a.yaml", "a: 1");
    start(f, "a.yaml");
    f->n_changes = 0;
    assert_int_equal(rename("a.yaml", "a.yaml~"), 0);
    kit_turn_for_ms(&f->loop, 30);
    write_file("a.yaml", "");
    kit_turn_for_ms(&f->loop, 30);
    write_file("a.yaml", "a: 2");
    kit_turn_for_ms(&f->loop, 30);
    assert_int_equal(unlink("a.yaml~"), 0);
    expect_change(f);
}

static void endless_writing_is_told_after_a_second(void **state)
{
    struct fixture *f = *state;
    write_file("a.yaml", "a: 1");
    start(f, "a.yaml");
    uint64_t from_ns = um_clock_ns();
    while (!f->n_changes && um_clock_ns() - from_ns < KIT_PATIENCE_S * UM_NS_PER_S) {
        write_file("a.yaml", "a: 2");
        kit_turn_for_ms(&f->loop, 20);
    }
    assert_int_equal(f->n_changes, 1);
    assert_true(f->changed_ns - from_ns > 900 * UM_NS_PER_MS);
    assert_true(f->changed_ns - from_ns < 2000 * UM_NS_PER_MS);
}

static void kick_tells_though_nothing_changed(void **state)
{
    struct fixture *f = *state;
    write_file("a.yaml", "a: 1");
    start(f, "a.yaml");
    um_source_kick(f->source);
    assert_int_equal(f->n_changes, 1);
    expect_nothing(f);
    write_file("a.yaml", "a: 2");
    um_source_kick(f->source); /* the change is part of what is read now */
    assert_int_equal(f->n_changes, 1);
    expect_nothing(f);
}

static void standard_input_and_pipes_are_not_followed(void **state)
{
    struct fixture *f = *state;
    write_file("-", "a: 1");
    assert_int_equal(mkfifo("pipe.yaml", 0600), 0);
    f->paths[1] = UM_STR("-");
    start(f, "pipe.yaml");
    write_file("-", "a: 2");
    expect_nothing(f);
}

static void without_inotify_changes_are_polled(void **state)
{
    struct fixture *f = *state;
    struct rlimit before, none = {0};
    write_file("a.yaml", "a: 1");
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none.rlim_max = before.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0); /* stands for fs.inotify's limits, which are everybody's */
    start(f, "a.yaml");
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(f->n_states, 1);
    expect_nothing(f);
    write_file("a.yaml", "a: 2");
    expect_change(f);
    assert_int_equal(unlink("a.yaml"), 0);
    expect_change(f);
    write_file("a.yaml", "a: 3");
    um_source_kick(f->source);
    assert_int_equal(f->n_changes, 2);
    assert_int_equal(f->n_states, 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(file_is_written),
        TEST(file_is_replaced_by_rename),
        TEST(file_goes_and_comes_back),
        TEST(absolute_path_that_does_not_exist_yet),
        TEST(file_of_another_name_changes_nothing),
        TEST(directory_gains_and_loses_files),
        TEST(nested_directories_are_followed_as_they_appear),
        TEST(config_map_as_directory),
        TEST(config_map_as_file),
        TEST(links_are_followed_to_their_targets),
        TEST(links_that_lead_up_end),
        TEST(steps_of_an_editor_are_told_once),
        TEST(endless_writing_is_told_after_a_second),
        TEST(kick_tells_though_nothing_changed),
        TEST(standard_input_and_pipes_are_not_followed),
        TEST(without_inotify_changes_are_polled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
