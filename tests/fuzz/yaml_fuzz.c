/* SPDX-License-Identifier: Apache-2.0
 * Configuration files. The first byte chooses YAML or JSON by name; the rest is the file. What is refused has a reason with a
 * place inside of the file, what is taken decodes, and all of it prints. */
#include "config/build.h"
#include "config/text.h"
#include "fuzz.h"
#include "istio/resources.h"

#include <jansson.h>

enum { MEMORY_BYTES = 64 << 20 };

/* libfyaml 0.7.12 loses a buffer on a single-quoted text of many '' without an end */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libfyaml";
}

static uint32_t count_lines(struct um_str s)
{
    uint32_t n = 1;
    for (size_t i = 0; i < s.n; i++)
        n += s.p[i] == '\n' || s.p[i] == '\r';
    return n;
}

static void check_places(const struct um_diag *diag, struct um_str bytes)
{
    for (uint32_t i = 0; i < diag->n; i++) {
        UM_FUZZ_CHECK(diag->list[i].pos.line >= 1 && diag->list[i].pos.line <= count_lines(bytes) + 1);
        UM_FUZZ_CHECK(diag->list[i].pos.column >= 1 && diag->list[i].pos.column <= bytes.n + 2);
        UM_FUZZ_CHECK(diag->list[i].message.n > 0);
    }
}

static void print_all(struct um_diag *diag)
{
    struct um_buf out;
    um_buf_init(&out, 0);
    um_diag_sort(diag);
    um_diag_print_text(diag, &out);
    um_diag_print_json(diag, &out);
    um_diag_print_github(diag, &out);
    UM_FUZZ_CHECK(!out.failed);
    um_buf_release(&out);
}

static uint32_t count_broken(const struct um_resources *r)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < r->n_virtual_services; i++)
        n += r->virtual_services[i].meta.is_broken;
    return n;
}

static void load(const char *name, struct um_str bytes)
{
    struct um_documents docs;
    struct um_diag diag;
    struct um_arena arena;
    struct um_resources resources;
    um_documents_init(&docs, MEMORY_BYTES);
    um_diag_init(&diag);
    um_arena_init(&arena, NULL, MEMORY_BYTES);
    int rc = um_documents_parse(&docs, um_str_from(name), bytes, &diag);
    UM_FUZZ_CHECK((rc == UM_ESYNTAX || rc == UM_ELIMIT) == um_diag_has_errors(&diag) || rc == UM_ENOMEM);
    rc = um_istio_decode(&docs, UM_STR("default"), &diag, &arena, &resources);
    UM_FUZZ_CHECK(rc == 0 || rc == UM_ENOMEM);
    UM_FUZZ_CHECK(rc || um_diag_has_errors(&diag) || count_broken(&resources) == 0);
    check_places(&diag, bytes);
    print_all(&diag);
    um_arena_release(&arena);
    um_diag_release(&diag);
    um_documents_release(&docs);
}

static bool is_deep(struct um_str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += s.p[i] == '[' || s.p[i] == '{';
    return n > UM_DOCUMENT_MAX_DEPTH;
}

/* what jansson takes for JSON, so do we */
static void compare_with_jansson(struct um_str bytes)
{
    struct um_diag diag;
    struct um_buf owned;
    um_diag_init(&diag);
    um_buf_init(&owned, 0);
    if (um_text_clean("f", &bytes, &owned, &diag) == 0 && !is_deep(bytes)) {
        json_t *theirs = json_loadb(bytes.p, bytes.n, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        UM_FUZZ_CHECK(!theirs || um_json_is_valid(bytes));
        json_decref(theirs);
    }
    um_buf_release(&owned);
    um_diag_release(&diag);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n == 0)
        return 0;
    struct um_str bytes = {(const char *)data + 1, n - 1};
    bool is_json = data[0] == 'j';
    load(is_json ? "f.json" : "f.yaml", bytes);
    if (is_json)
        compare_with_jansson(bytes);
    return 0;
}
