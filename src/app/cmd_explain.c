/* SPDX-License-Identifier: Apache-2.0 */
#include "app/commands.h"
#include "app/explain.h"
#include "app/load.h"
#include "app/print.h"

/* UM_EINVAL: the diagnostics are in `out` */
static int answer(const struct um_options *o, const struct um_explain_request *request, struct um_buf *out)
{
    struct um_diag diag;
    struct um_loaded loaded;
    um_diag_init(&diag);
    int rc = um_load(&loaded, o, &diag);
    if (rc == 0)
        rc = um_explain_print(loaded.snapshot, request, o->format, out);
    else
        um_diag_print_text(&diag, out);
    um_loaded_release(&loaded);
    um_diag_release(&diag);
    return rc;
}

static int explain(const struct um_options *o, struct um_arena *arena, struct um_buf *out)
{
    struct um_explain_request request;
    int rc = um_explain_parse(arena, o->method, o->url, o->headers, o->n_headers, &request, out);
    if (rc == UM_EINVAL) {
        fprintf(stderr, "umbra explain: %.*s\nTry 'umbra explain --help'.\n", UM_STR_ARG(um_buf_str(out)));
        return UM_EXIT_USAGE;
    }
    if (rc == 0)
        rc = answer(o, &request, out);
    int printed = um_print(rc ? stderr : stdout, out);
    if (rc == UM_ENOMEM || printed)
        fprintf(stderr, "umbra explain: %s\n", um_err_text(printed ? printed : rc));
    return rc == 0 && printed == 0 ? UM_EXIT_OK : UM_EXIT_FAILURE;
}

int um_explain(const struct um_options *o)
{
    struct um_arena arena;
    struct um_buf out;
    um_arena_init(&arena, NULL, 0);
    um_buf_init(&out, 0);
    int status = explain(o, &arena, &out);
    um_buf_release(&out);
    um_arena_release(&arena);
    return status;
}
