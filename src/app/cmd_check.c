/* SPDX-License-Identifier: Apache-2.0 */
#include "app/commands.h"
#include "app/load.h"
#include "app/print.h"

static void add_count(struct um_buf *out, uint64_t n, const char *what)
{
    um_buf_addf(out, "%llu %s%s", (unsigned long long)n, what, n == 1 ? "" : "s");
}

/* "2 VirtualServices, 1 Service" */
static void add_inventory(struct um_buf *out, const struct um_resources *r)
{
    const struct {
        uint32_t n;
        const char *one, *many;
    } KINDS[] = {
        {r->n_gateways, "Gateway", "Gateways"},
        {r->n_virtual_services, "VirtualService", "VirtualServices"},
        {r->n_destination_rules, "DestinationRule", "DestinationRules"},
        {r->n_service_entries, "ServiceEntry", "ServiceEntries"},
        {r->n_services, "Service", "Services"},
        {r->n_policies, "ShadowPolicy", "ShadowPolicies"},
    };
    bool is_first = true;
    for (size_t i = 0; i < sizeof KINDS / sizeof KINDS[0]; i++) {
        if (KINDS[i].n == 0)
            continue;
        um_buf_addf(out, "%s%u %s", is_first ? "" : ", ", KINDS[i].n, KINDS[i].n == 1 ? KINDS[i].one : KINDS[i].many);
        is_first = false;
    }
    if (is_first)
        um_buf_add_cstr(out, "nothing that umbra uses");
}

static void add_summary(struct um_buf *out, const struct um_loaded *l, const struct um_diag *diag)
{
    if (l->resources.n_ignored) {
        um_buf_add_cstr(out, "umbra check: not used: ");
        um_loaded_ignored(l, out);
        um_buf_add_char(out, '\n');
    }
    um_buf_add_cstr(out, "umbra check: ");
    if (diag->n == 0) {
        um_buf_add_cstr(out, "no problems: ");
    } else {
        add_count(out, diag->n_found[UM_SEVERITY_ERROR], "error");
        um_buf_add_cstr(out, ", ");
        add_count(out, diag->n_found[UM_SEVERITY_WARNING], "warning");
        um_buf_add_cstr(out, " in: ");
    }
    add_inventory(out, &l->resources);
    um_buf_add_char(out, '\n');
}

/* returns where it is to be printed */
static FILE *add_findings(struct um_buf *out, enum um_format format, const struct um_loaded *l,
                          const struct um_diag *diag)
{
    switch (format) {
    case UM_FORMAT_JSON:
        um_diag_print_json(diag, out);
        return stdout;
    case UM_FORMAT_GITHUB:
        um_diag_print_github(diag, out);
        return stdout;
    default:
        um_diag_print_text(diag, out);
        add_summary(out, l, diag);
        return stderr;
    }
}

int um_check(const struct um_options *o)
{
    struct um_diag diag;
    struct um_loaded loaded;
    struct um_buf out;
    um_diag_init(&diag);
    um_buf_init(&out, 0);
    int rc = um_load(&loaded, o, &diag);
    FILE *to = add_findings(&out, o->format, &loaded, &diag);
    int printed = um_print(to, &out);
    if (rc == UM_ENOMEM || printed)
        fprintf(stderr, "umbra check: %s\n", um_err_text(printed ? printed : rc));
    um_buf_release(&out);
    um_loaded_release(&loaded);
    um_diag_release(&diag);
    return rc == 0 && printed == 0 ? UM_EXIT_OK : UM_EXIT_FAILURE;
}
