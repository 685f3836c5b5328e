/* SPDX-License-Identifier: Apache-2.0
 * What every endpoint needs: parameters in, texts and trees out. */
#include "admin/call.h"

#include <stdarg.h>
#include <stdio.h>

/* ---- parameters ----------------------------------------------------------------------------------- */

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = um_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* RFC 3986 section 2.1; in a form `+` is a space as well. UM_ESYNTAX, UM_ENOMEM */
static int decode(struct um_arena *arena, struct um_str s, bool is_form, struct um_str *ret_text)
{
    char *to = um_arena_alloc(arena, s.n + 1);
    size_t n = 0;
    if (!to)
        return UM_ENOMEM;
    for (size_t i = 0; i < s.n; i++) {
        to[n++] = is_form && s.p[i] == '+' ? ' ' : s.p[i];
        if (s.p[i] != '%')
            continue;
        if (i + 2 >= s.n || hex(s.p[i + 1]) < 0 || hex(s.p[i + 2]) < 0)
            return UM_ESYNTAX;
        to[n - 1] = (char)(hex(s.p[i + 1]) << 4 | hex(s.p[i + 2]));
        i += 2;
    }
    to[n] = '\0';
    *ret_text = (struct um_str){to, n};
    return 0;
}

static bool add_param(struct um_admin_call *call, struct um_str pair, bool is_form)
{
    struct um_admin_param p;
    ptrdiff_t equals = um_str_find(pair, '=');
    struct um_str name = {pair.p, equals < 0 ? pair.n : (size_t)equals}, again;
    int rc = decode(&call->arena, name, is_form, &p.name);
    if (rc == 0)
        rc = decode(&call->arena, um_str_skip(pair, name.n + 1), is_form, &p.value);
    if (is_form && rc == 0 && p.value.n == 0)
        return true; /* a browser sends every field of a form: an empty one was not given */
    if (rc)
        um_admin_say(call, rc == UM_ESYNTAX ? 400 : 500, "'%.*s': %s", UM_STR_ARG(pair), um_err_text(rc));
    else if (um_admin_param(call, p.name.p, &again))
        um_admin_say(call, 400, "parameter '%s' is given twice", p.name.p);
    else if (call->n_params == UM_ADMIN_PARAMS_MAX)
        um_admin_say(call, 400, "more than %d parameters", UM_ADMIN_PARAMS_MAX);
    else
        call->params[call->n_params++] = p;
    return call->response->status == 200;
}

static bool add_params(struct um_admin_call *call, struct um_str text, bool is_form)
{
    while (text.n) {
        ptrdiff_t end = um_str_find(text, '&');
        struct um_str pair = {text.p, end < 0 ? text.n : (size_t)end};
        if (pair.n && !add_param(call, pair, is_form))
            return false;
        text = um_str_skip(text, pair.n + 1);
    }
    return true;
}

bool um_admin_read_params(struct um_admin_call *call, struct um_str query)
{
    const struct um_admin_request *rq = call->request;
    bool is_form = um_str_istarts(rq->content_type, UM_STR("application/x-www-form-urlencoded"));
    return add_params(call, query, false) && (!is_form || add_params(call, rq->body, true));
}

bool um_admin_param(const struct um_admin_call *call, const char *name, struct um_str *ret_value)
{
    for (uint32_t i = 0; i < call->n_params; i++)
        if (um_str_eq(call->params[i].name, um_str_from(name))) {
            *ret_value = call->params[i].value;
            return true;
        }
    return false;
}

bool um_admin_param_is(const struct um_admin_call *call, const char *name, const char *value)
{
    struct um_str given;
    return um_admin_param(call, name, &given) && um_str_eq(given, um_str_from(value));
}

/* ---- answers -------------------------------------------------------------------------------------- */

void um_admin_say(struct um_admin_call *call, unsigned status, const char *format, ...)
{
    struct um_admin_response *r = call->response;
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *to = n < 0 ? NULL : um_buf_reserve(&r->body, (size_t)n + 1);
    if (to) {
        va_start(args, format);
        vsnprintf(to, (size_t)n + 1, format, args);
        va_end(args);
        um_buf_grew(&r->body, (size_t)n);
    }
    um_buf_add_char(&r->body, '\n');
    r->status = (uint16_t)status;
}

void um_admin_say_json(struct um_admin_call *call, json_t *tree)
{
    call->response->content_type = "application/json";
    if (um_json_print(&call->response->body, tree))
        call->response->body.failed = true;
}

void um_admin_add_field(struct um_admin_call *call, const char *name, const char *value)
{
    struct um_admin_response *r = call->response;
    if (r->n_fields < UM_ADMIN_FIELDS_MAX)
        r->fields[r->n_fields++] = (struct um_admin_field){name, value};
}

struct um_admin_hosts um_admin_hosts_of(const struct um_admin_view *view, const struct um_cluster *cluster)
{
    const struct um_endpoint_set *set =
        view->endpoint_sets ? view->endpoint_sets[cluster - view->snapshot->clusters] : NULL;
    return set ? (struct um_admin_hosts){set->endpoints, set->n}
               : (struct um_admin_hosts){cluster->endpoints, cluster->n_endpoints};
}
