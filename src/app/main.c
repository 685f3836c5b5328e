/* SPDX-License-Identifier: Apache-2.0 */
#include "app/commands.h"
#include "app/print.h"

static int run_command(const struct um_options *o, struct um_buf *text)
{
    if (o->wants_help || o->wants_version) {
        if (o->wants_help)
            um_options_help(o->command, text);
        else
            um_buf_add_cstr(text, "umbra " UMBRA_VERSION "\n");
        return um_print(stdout, text) ? UM_EXIT_FAILURE : UM_EXIT_OK;
    }
    switch (o->command) {
    case UM_COMMAND_RUN:
        return um_run(o);
    case UM_COMMAND_CHECK:
        return um_check(o);
    case UM_COMMAND_EXPLAIN:
        return um_explain(o);
    }
    return UM_EXIT_USAGE;
}

int main(int argc, char **argv)
{
    struct um_options options;
    struct um_buf text;
    um_buf_init(&text, 0);
    int rc = um_options_parse(&options, argc, argv, &text), status;
    if (rc == UM_ENOMEM)
        um_buf_addf(&text, "umbra: %s\n", um_err_text(rc));
    if (rc == 0)
        status = run_command(&options, &text);
    else
        status = um_print(stderr, &text) || rc != UM_EINVAL ? UM_EXIT_FAILURE : UM_EXIT_USAGE;
    um_options_release(&options);
    um_buf_release(&text);
    return status;
}
