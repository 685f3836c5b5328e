/* SPDX-License-Identifier: Apache-2.0 */
#include "app/load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/umbra-load-XXXXXX";

struct house {
    struct um_options options;
    char path_text[128];
    struct um_diag diag;
    struct um_loaded loaded;
    struct um_buf text;
};

/* loads one file with that content */
static int load(struct house *h, const char *content)
{
    char umbra[] = "umbra", check[] = "check", flag[] = "-f";
    char *argv[] = {umbra, check, flag, h->path_text, NULL};
    snprintf(h->path_text, sizeof h->path_text, "%s/mesh.yaml", folder);
    FILE *file = fopen(h->path_text, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(content, 1, strlen(content), file), strlen(content));
    fclose(file);
    um_buf_init(&h->text, 0);
    assert_int_equal(um_options_parse(&h->options, 4, argv, &h->text), 0);
    um_diag_init(&h->diag);
    return um_load(&h->loaded, &h->options, &h->diag);
}

static void release(struct house *h)
{
    unlink(h->path_text);
    um_buf_release(&h->text);
    um_loaded_release(&h->loaded);
    um_diag_release(&h->diag);
    um_options_release(&h->options);
}

#define GATEWAY                                                                                                        \
    "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: g}\n"                                         \
    "spec: {selector: {a: b}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]}\n---\n"
#define DEPLOYMENT "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\n---\n"

static void test_good_files_give_a_snapshot(void **state)
{
    struct house h;
    assert_int_equal(load(&h, GATEWAY), 0);
    assert_non_null(h.loaded.snapshot);
    assert_int_equal(h.loaded.resources.n_gateways, 1);
    assert_true(h.loaded.snapshot->n_listeners > 0);
    release(&h);
}

static void test_kinds_not_used_are_named_once(void **state)
{
    struct house h;
    assert_int_equal(load(&h, GATEWAY DEPLOYMENT DEPLOYMENT "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n"), 0);
    um_loaded_ignored(&h.loaded, &h.text);
    um_buf_add_char(&h.text, '\0');
    assert_string_equal(h.text.p, "Deployment (2), Secret");
    release(&h);
}

static void test_one_error_takes_the_snapshot_away_and_all_are_told(void **state)
{
    struct house h;
    assert_int_equal(load(&h, GATEWAY "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a}\n"
                                      "spec: {hosts: [a], htp: [], gatewayz: []}\n"),
                     UM_EINVAL);
    assert_null(h.loaded.snapshot);
    assert_true(h.diag.n_found[UM_SEVERITY_ERROR] >= 2);
    release(&h);
}

static void test_a_file_that_is_no_yaml(void **state)
{
    struct house h;
    assert_int_equal(load(&h, "a: [1, 2\nb: }\n"), UM_EINVAL);
    assert_null(h.loaded.snapshot);
    assert_int_equal(h.diag.n_found[UM_SEVERITY_ERROR], 1);
    release(&h);
}

static int make_folder(void **state)
{
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_files_give_a_snapshot),
        cmocka_unit_test(test_kinds_not_used_are_named_once),
        cmocka_unit_test(test_one_error_takes_the_snapshot_away_and_all_are_told),
        cmocka_unit_test(test_a_file_that_is_no_yaml),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
