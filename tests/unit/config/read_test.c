/* SPDX-License-Identifier: Apache-2.0 */
#include "config/read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

struct scene {
    char dir[64];
    struct um_documents docs;
    struct um_diag diag;
};

static int set_up(void **state)
{
    struct scene *s = calloc(1, sizeof *s);
    snprintf(s->dir, sizeof s->dir, "/tmp/umbra-read-XXXXXX");
    um_documents_init(&s->docs, 0);
    um_diag_init(&s->diag);
    *state = s;
    return mkdtemp(s->dir) && chdir(s->dir) == 0 ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

static int tear_down(void **state)
{
    struct scene *s = *state;
    int rc = nftw(s->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS) | chdir("/");
    um_documents_release(&s->docs);
    um_diag_release(&s->diag);
    free(s);
    return rc;
}

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static int read_paths(struct scene *s, const char *paths)
{
    struct um_str list[8], rest = um_str_from(paths);
    uint32_t n = 0;
    while (n < 8 && um_str_split(&rest, ' ', &list[n]))
        n++;
    return um_read_all(&s->docs, list, n, &s->diag);
}

/* the values of `k` in all documents, in order */
static void assert_values(const struct scene *s, const char *wanted)
{
    struct um_buf values;
    um_buf_init(&values, 0);
    for (uint32_t i = 0; i < s->docs.n; i++)
        um_buf_addf(&values, "%s%s", i ? " " : "", um_node_get(s->docs.roots[i], "k")->text.p);
    um_buf_add_char(&values, '\0');
    assert_string_equal(values.p, wanted);
    um_buf_release(&values);
}

static void assert_said(struct scene *s, const char *wanted)
{
    struct um_buf said;
    um_buf_init(&said, 0);
    um_diag_sort(&s->diag);
    um_diag_print_text(&s->diag, &said);
    um_buf_add_char(&said, '\0');
    assert_string_equal(said.p, wanted);
    um_buf_release(&said);
}

static void a_directory_is_read_by_name(void **state)
{
    struct scene *s = *state;
    mkdir("d", 0700);
    mkdir("d/b", 0700);
    write_file("d/c.yaml", "k: c\n");
    write_file("d/a.yml", "k: a1\n---\nk: a2\n");
    write_file("d/b/x.json", "{\"k\": \"bx\"}");
    write_file("d/notes.txt", "k: text\n");
    write_file("d/yaml", "k: bare\n");
    write_file("d/.hidden.yaml", "k: hidden\n");
    mkfifo("d/pipe.yaml", 0600);
    assert_int_equal(read_paths(s, "d"), 0);
    assert_values(s, "a1 a2 bx c");
    assert_string_equal(s->docs.roots[2]->pos.file, "d/b/x.json");
    assert_said(s, "");
}

static void paths_are_read_in_the_order_given(void **state)
{
    struct scene *s = *state;
    write_file("z", "k: z\n");
    write_file("a.yaml", "k: a\n");
    mkdir("d", 0700);
    write_file("d/c.yaml", "k: c\n");
    assert_int_equal(read_paths(s, "z d/ a.yaml"), 0);
    assert_values(s, "z c a");
    assert_string_equal(s->docs.roots[1]->pos.file, "d/c.yaml");
}

static void a_mounted_config_map_is_read_once(void **state)
{
    struct scene *s = *state;
    mkdir("m", 0700);
    mkdir("m/..2026_01_31", 0700);
    mkdir("m/..2026_01_31/sub", 0700);
    write_file("m/..2026_01_31/a.yaml", "k: a\n");
    write_file("m/..2026_01_31/sub/b.yaml", "k: b\n");
    assert_int_equal(symlink("..2026_01_31", "m/..data"), 0);
    assert_int_equal(symlink("..data/a.yaml", "m/a.yaml"), 0);
    assert_int_equal(symlink("..data/sub", "m/sub"), 0);
    assert_int_equal(read_paths(s, "m"), 0);
    assert_values(s, "a b");
}

static void links_that_lead_up_end(void **state)
{
    struct scene *s = *state;
    mkdir("d", 0700);
    mkdir("d/e", 0700);
    write_file("d/e/a.yaml", "k: a\n");
    assert_int_equal(symlink("..", "d/e/up"), 0);
    assert_int_equal(symlink(".", "d/self"), 0);
    assert_int_equal(read_paths(s, "d"), 0);
    assert_values(s, "a");
}

static void standard_input_is_a_file(void **state)
{
    struct scene *s = *state;
    write_file("in", "k: [\n");
    int kept = dup(STDIN_FILENO), fd = open("in", O_RDONLY);
    dup2(fd, STDIN_FILENO);
    close(fd);
    assert_int_equal(read_paths(s, "-"), UM_ESYNTAX);
    dup2(kept, STDIN_FILENO);
    close(kept);
    assert_said(s, "<stdin>:2:1: error: malformed YAML: flow sequence without a closing bracket\n");
}

static void what_cannot_be_read_is_said_and_the_rest_is_read(void **state)
{
    struct scene *s = *state;
    mkdir("d", 0700);
    mkdir("empty", 0700);
    write_file("d/bad.yaml", "a: \xff\n");
    write_file("d/good.yaml", "k: good\n");
    assert_int_equal(symlink("nowhere", "d/gone.yaml"), 0);
    assert_int_equal(symlink("nowhere", "d/gone.txt"), 0);
    assert_int_equal(read_paths(s, "missing.yaml d empty"), UM_ESYNTAX);
    assert_values(s, "good");
    assert_said(s, "d/bad.yaml:1:4: error: byte 0xff is not UTF-8 (save the file as UTF-8)\n"
                   "d/gone.yaml:1:1: error: cannot be read: No such file or directory\n"
                   "empty:1:1: warning: the directory has no *.yaml, *.yml or *.json\n"
                   "missing.yaml:1:1: error: cannot be read: No such file or directory\n");
}

static void large_files_are_refused_unread(void **state)
{
    struct scene *s = *state;
    write_file("big.yaml", "");
    assert_int_equal(truncate("big.yaml", 100 << 20), 0);
    assert_int_equal(read_paths(s, "big.yaml /dev/zero"), UM_ESYNTAX);
    assert_said(s, "/dev/zero:1:1: error: the file is larger than 64 MiB\n"
                   "big.yaml:1:1: error: the file has 104857600 bytes, more than 64 MiB\n");
}

static void directories_too_deep(void **state)
{
    struct scene *s = *state;
    for (int i = 0; i <= UM_READ_MAX_DEPTH; i++) {
        mkdir("d", 0700);
        assert_int_equal(chdir("d"), 0);
    }
    write_file("a.yaml", "k: a\n");
    assert_int_equal(chdir(s->dir), 0);
    assert_int_equal(read_paths(s, "d"), UM_ESYNTAX);
    assert_int_equal(s->docs.n, 0);
    assert_int_equal(s->diag.n, 2); /* and that there was nothing */
}

static void files_too_many(void **state)
{
    struct scene *s = *state;
    mkdir("d", 0700);
    for (int i = 0; i < UM_READ_MAX_FILES + 3; i++) {
        char name[32];
        snprintf(name, sizeof name, "d/%05d.yaml", i);
        write_file(name, "");
    }
    assert_int_equal(read_paths(s, "d"), UM_ESYNTAX);
    assert_said(s, "d/10000.yaml:1:1: error: more than 10000 files\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_directory_is_read_by_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(paths_are_read_in_the_order_given, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_mounted_config_map_is_read_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(links_that_lead_up_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(standard_input_is_a_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_read_is_said_and_the_rest_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(large_files_are_refused_unread, set_up, tear_down),
        cmocka_unit_test_setup_teardown(directories_too_deep, set_up, tear_down),
        cmocka_unit_test_setup_teardown(files_too_many, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
