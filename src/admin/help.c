/* SPDX-License-Identifier: Apache-2.0
 * The lists of endpoints, made from their table: as text, and as a page with a form per write verb. No scripts, nothing
 * from elsewhere. */
#include "admin/call.h"

/* ---- text ----------------------------------------------------------------------------------------- */

static const char *value_of(const struct um_admin_param_rule *rule)
{
    if (rule->choices)
        return rule->choices;
    return rule->is_switch ? "no value" : "any text";
}

void um_admin_print_help(struct um_buf *out)
{
    um_buf_add_cstr(out, "admin commands are:\n");
    for (size_t i = 0; i < um_admin_n_endpoints; i++) {
        const struct um_admin_endpoint *e = &um_admin_endpoints[i];
        um_buf_addf(out, "  %s%s: %s\n", e->path, e->is_write ? " (POST)" : "", e->help);
        for (const struct um_admin_param_rule *rule = e->params; rule->name; rule++)
            um_buf_addf(out, "      %s: %s%s\n", rule->name, value_of(rule), rule->is_required ? "" : " (optional)");
    }
}

void um_admin_get_help(struct um_admin_call *call)
{
    um_admin_print_help(&call->response->body);
}

/* ---- page ----------------------------------------------------------------------------------------- */

static const char HEAD[] = "<!DOCTYPE html>\n"
                           "<html lang=\"en\">\n"
                           "<head>\n"
                           "<meta charset=\"utf-8\">\n"
                           "<meta name=\"viewport\" content=\"width=device-width\">\n"
                           "<title>umbra admin</title>\n"
                           "<style>\n"
                           "body { font: 16px/1.5 sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em }\n"
                           "table { border-collapse: collapse }\n"
                           "td { border-top: 1px solid #ccc; padding: .4em .8em .4em 0; vertical-align: top }\n"
                           "code { font-size: 90% }\n"
                           "form { margin: 0 }\n"
                           "</style>\n"
                           "</head>\n"
                           "<body>\n";

/* only what stands in the page comes from us; names and states of the view may hold anything */
static void add_html(struct um_buf *out, struct um_str s)
{
    for (size_t i = 0; i < s.n; i++)
        switch (s.p[i]) {
        case '<':
            um_buf_add_cstr(out, "&lt;");
            break;
        case '>':
            um_buf_add_cstr(out, "&gt;");
            break;
        case '&':
            um_buf_add_cstr(out, "&amp;");
            break;
        default:
            um_buf_add_char(out, s.p[i]);
        }
}

static void add_select(struct um_buf *out, const struct um_admin_param_rule *rule)
{
    struct um_str rest = um_str_from(rule->choices), choice;
    um_buf_addf(out, "<select name=\"%s\">", rule->name);
    if (!rule->is_required)
        um_buf_add_cstr(out, "<option></option>");
    while (um_str_split(&rest, '|', &choice))
        um_buf_addf(out, "<option>%.*s</option>", UM_STR_ARG(choice));
    um_buf_add_cstr(out, "</select> ");
}

static void add_form(struct um_buf *out, const struct um_admin_endpoint *e)
{
    um_buf_addf(out, "<form method=\"post\" action=\"%s\">", e->path);
    for (const struct um_admin_param_rule *rule = e->params; rule->name; rule++) {
        um_buf_addf(out, "<label>%s ", rule->name);
        if (rule->choices)
            add_select(out, rule);
        else
            um_buf_addf(out, "<input name=\"%s\"%s> ", rule->name, rule->is_required ? " required" : "");
        um_buf_add_cstr(out, "</label>");
    }
    um_buf_addf(out, "<button>POST %s</button></form>", e->path);
}

static void add_parameters(struct um_buf *out, const struct um_admin_endpoint *e)
{
    for (const struct um_admin_param_rule *rule = e->params; rule->name; rule++)
        um_buf_addf(out, "%s<code>%s%s%s</code>", rule == e->params ? "<br>" : " ", rule->name,
                    rule->choices ? "=" : "", rule->choices ? rule->choices : "");
}

static void add_row(struct um_buf *out, const struct um_admin_endpoint *e)
{
    um_buf_add_cstr(out, "<tr><td>");
    if (e->is_write)
        um_buf_addf(out, "<code>%s</code>", e->path);
    else
        um_buf_addf(out, "<a href=\"%s\"><code>%s</code></a>", e->path, e->path);
    um_buf_addf(out, "</td><td>%s", e->help);
    if (e->is_write)
        add_form(out, e);
    else
        add_parameters(out, e);
    um_buf_add_cstr(out, "</td></tr>\n");
}

void um_admin_get_index(struct um_admin_call *call)
{
    struct um_buf *out = &call->response->body;
    call->response->content_type = "text/html; charset=UTF-8";
    um_admin_add_field(call, "content-security-policy",
                       "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'");
    um_buf_add_cstr(out, HEAD);
    um_buf_add_cstr(out, "<h1>umbra ");
    add_html(out, call->view->stats.version);
    um_buf_addf(out, "</h1>\n<p>State: %s</p>\n", um_admin_state_name(call->view->state));
    if (call->view->reload_error.n) {
        um_buf_add_cstr(out, "<p>The last reload was refused; the configuration before it is in force:</p>\n<pre>");
        add_html(out, call->view->reload_error);
        um_buf_add_cstr(out, "</pre>\n");
    }
    um_buf_add_cstr(out, "<table>\n");
    for (size_t i = 0; i < um_admin_n_endpoints; i++)
        add_row(out, &um_admin_endpoints[i]);
    um_buf_add_cstr(out, "</table>\n</body>\n</html>\n");
}
