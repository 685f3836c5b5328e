/* SPDX-License-Identifier: Apache-2.0
 * An explanation for a terminal: a title in the first column, what belongs to it behind it. */
#include "app/explanation.h"

#include <stdio.h>

enum { TITLE_COLUMNS = 14, NAME_COLUMNS_MAX = 32, TRIES_SHOWN = 50 };

/* begins a line; title "" for one more line of the same */
static void begin(struct um_buf *out, const char *title)
{
    um_buf_addf(out, "%-*s", TITLE_COLUMNS, title);
}

/* begins the first line of a paragraph */
static void begin_part(struct um_buf *out, const char *title)
{
    um_buf_add_char(out, '\n');
    begin(out, title);
}

static void end(struct um_buf *out)
{
    um_buf_add_char(out, '\n');
}

static void say_ms(struct um_buf *out, uint64_t ms)
{
    um_explain_say_percentage((double)ms / 1000, out);
    um_buf_add_cstr(out, " s");
}

/* ---- what was found ------------------------------------------------------------------------------- */

static void print_found(const struct um_explanation *e, struct um_buf *out)
{
    char address[UM_SOCKADDR_TEXT_BYTES];
    const struct um_explain_request *rq = e->request;
    begin(out, "request");
    um_buf_addf(out, "%.*s %.*s\n", UM_STR_ARG(rq->method), UM_STR_ARG(rq->url));
    if (!e->listener)
        return;
    um_sockaddr_text(&e->listener->addr, address);
    begin(out, "listener");
    um_buf_addf(out, "%.*s, on %s\n", UM_STR_ARG(e->listener->name), address);
    begin(out, "");
    um_buf_addf(out, "of %.*s\n", UM_STR_ARG(e->listener->origin));
    if (e->path.n && !e->is_path_bad && !um_str_eq(e->path, rq->head.path)) {
        begin(out, "path");
        um_buf_addf(out, "%.*s, normalised\n", UM_STR_ARG(e->path));
    }
    if (!e->virtual_host)
        return;
    begin(out, "virtual host");
    um_buf_addf(out, "%.*s, by its domain %.*s\n", UM_STR_ARG(e->virtual_host->name), UM_STR_ARG(e->domain));
}

static struct um_str shown_name(const struct um_route *r)
{
    return r->name.n ? r->name : r->label;
}

static int name_columns(const struct um_explanation *e)
{
    size_t columns = 0;
    for (uint32_t i = 0; i < e->n_tries; i++)
        if (shown_name(e->tries[i].route).n > columns)
            columns = shown_name(e->tries[i].route).n;
    return columns < NAME_COLUMNS_MAX ? (int)columns : NAME_COLUMNS_MAX;
}

/* of very many the first ones and the last, which is the one that matches if any does */
static void print_tries(const struct um_explanation *e, struct um_buf *out)
{
    int columns = name_columns(e);
    for (uint32_t i = 0; i < e->n_tries; i++) {
        const struct um_explain_try *t = &e->tries[i];
        if (i == TRIES_SHOWN && i + 1 < e->n_tries) {
            begin(out, "");
            um_buf_addf(out, "... %u more that do not match\n", e->n_tries - 1 - i);
            i = e->n_tries - 1;
            t = &e->tries[i];
        }
        if (i == 0)
            begin_part(out, "routes");
        else
            begin(out, "");
        um_buf_addf(out, "%3u  %-*.*s  ", i + 1, columns, UM_STR_ARG(shown_name(t->route)));
        um_explain_say_try(t, out);
        end(out);
    }
}

/* ---- the route ------------------------------------------------------------------------------------ */

static void print_forwarding(const struct um_route *r, struct um_buf *out)
{
    begin(out, "");
    if (r->timeout_ms) {
        um_buf_add_cstr(out, "timeout ");
        say_ms(out, r->timeout_ms);
    } else {
        um_buf_add_cstr(out, "no timeout");
    }
    if (r->retry.attempts) {
        um_buf_addf(out, ", up to %u retries on ", r->retry.attempts);
        um_explain_say_retry_on(&r->retry, out);
    } else {
        um_buf_add_cstr(out, ", no retries");
    }
    end(out);
}

static void print_redirect(const struct um_route *r, struct um_buf *out)
{
    const struct {
        const char *name;
        struct um_str value;
    } parts[] = {{"scheme", r->redirect_scheme}, {"host", r->redirect_authority}, {"path", r->redirect_path}};
    const char *before = ", a redirect to";
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (parts[i].value.n) {
            um_buf_addf(out, "%s %s %.*s", before, parts[i].name, UM_STR_ARG(parts[i].value));
            before = ",";
        }
}

static void print_route(const struct um_route *r, struct um_buf *out)
{
    begin_part(out, "route");
    um_buf_addf(out, "%.*s\n", UM_STR_ARG(r->label.n ? r->label : r->name));
    if (r->action == UM_ACTION_FORWARD) {
        print_forwarding(r, out);
        return;
    }
    begin(out, "answer");
    um_buf_addf(out, "%u by umbra itself", (unsigned)r->status);
    if (r->action == UM_ACTION_REDIRECT)
        print_redirect(r, out);
    else
        um_buf_addf(out, ", with %zu bytes of text", r->body.n);
    end(out);
}

/* ---- legs ----------------------------------------------------------------------------------------- */

static void print_endpoints(const struct um_cluster *c, struct um_buf *out)
{
    enum { SHOWN = 8 };
    char address[UM_SOCKADDR_TEXT_BYTES];
    if (!c || c->n_endpoints + c->n_dns_names == 0)
        return;
    begin(out, "");
    um_buf_add_cstr(out, "to");
    for (uint32_t i = 0; i < c->n_endpoints && i < SHOWN; i++) {
        um_sockaddr_text(&c->endpoints[i].addr, address);
        um_buf_addf(out, "%s %s%s", i ? "," : "", address, c->endpoints[i].is_healthy ? "" : " (not ready)");
    }
    if (c->n_endpoints > SHOWN)
        um_buf_addf(out, " and %u more", c->n_endpoints - SHOWN);
    for (uint32_t i = 0; i < c->n_dns_names; i++)
        um_buf_addf(out, "%s what DNS gives for %.*s, port %u", i ? "," : "", UM_STR_ARG(c->dns_names[i].name),
                    (unsigned)c->dns_names[i].port);
    end(out);
}

static void print_field(void *ctx, struct um_str name, struct um_str value)
{
    struct um_buf *out = ctx;
    begin(out, "");
    um_buf_addf(out, "  %.*s: %.*s\n", UM_STR_ARG(name), UM_STR_ARG(value));
}

static void print_head(const struct um_explanation *e, const struct um_edits *edits, struct um_buf *out)
{
    const struct um_head *head = &e->request->head;
    struct um_str host = um_explain_host(e, edits);
    struct um_str path = head->method == UM_METHOD_CONNECT ? host : um_explain_path(e, edits);
    begin(out, "");
    um_buf_addf(out, "  %.*s %.*s HTTP/1.1\n", UM_STR_ARG(head->method_name), UM_STR_ARG(path));
    print_field(out, UM_STR("host"), host);
    um_edits_each(edits, head, print_field, out);
}

static void print_destination(const struct um_explanation *e, const struct um_explain_destination *d,
                              struct um_buf *out)
{
    begin(out, "destination");
    um_explain_say_percentage(d->percentage, out);
    um_buf_addf(out, " %%: %.*s\n", UM_STR_ARG(d->to->cluster_name));
    print_endpoints(d->to->cluster, out);
    if (d->problem != UM_SKIP_COUNT) {
        begin(out, "");
        um_buf_addf(out, "answer 503: %s\n", um_skip_rows[d->problem].help);
    }
    print_head(e, &d->edits, out);
}

/* ---- mirrors -------------------------------------------------------------------------------------- */

static void print_policy(const struct um_route *r, const struct um_shadow_policy *p, struct um_buf *out)
{
    uint64_t timeout_ms = p->timeout_ms ? p->timeout_ms : r->timeout_ms ? r->timeout_ms : UM_SHADOW_TIMEOUT_MS;
    begin(out, "");
    if (p->name.n)
        um_buf_addf(out, "ShadowPolicy %.*s: ", UM_STR_ARG(p->name));
    um_buf_add_cstr(out, "timeout ");
    say_ms(out, timeout_ms);
    um_buf_add_cstr(out, p->methods || p->n_other_methods ? "; methods " : "; all methods");
    um_explain_say_methods(p, out);
    end(out);
    begin(out, "");
    if (p->has_body)
        um_buf_addf(out, "with the body; past %llu bytes that wait %s\n", (unsigned long long)p->max_body_bytes,
                    p->mode == UM_BODY_LIMIT_DROP ? "the copy is dropped" : "the client is slowed");
    else
        um_buf_add_cstr(out, "without the body\n");
}

static void print_copy(const struct um_explanation *e, const struct um_explain_copy *c, struct um_buf *out)
{
    begin_part(out, "mirror");
    um_buf_addf(out, "%.*s\n", UM_STR_ARG(c->mirror->cluster_name));
    begin(out, "");
    um_explain_say_outcome(c, out);
    end(out);
    if (c->has_request && c->outcome == UM_EXPLAIN_SKIPPED) {
        begin(out, "");
        um_buf_add_cstr(out, "with one (--endpoint) ");
        um_explain_say_drawn(c, out);
        end(out);
    }
    if (c->has_request)
        print_endpoints(c->mirror->cluster, out);
    if (c->has_request || c->mirror->policy->name.n)
        print_policy(e->route, c->mirror->policy, out);
    if (c->has_request)
        print_head(e, &c->edits, out);
}

/* ---- all ------------------------------------------------------------------------------------------ */

static void print_refusal(const struct um_explanation *e, struct um_buf *out)
{
    struct um_buf why;
    um_buf_init(&why, 0);
    unsigned status = um_explanation_refusal(e, &why);
    if (why.n) {
        begin_part(out, "answer");
        um_buf_addf(out, status ? "%u: " : "none: ", status);
        um_buf_add(out, um_buf_str(&why));
        end(out);
    }
    out->failed |= why.failed;
    um_buf_release(&why);
}

void um_explanation_print_text(const struct um_explanation *e, struct um_buf *out)
{
    print_found(e, out);
    print_tries(e, out);
    print_refusal(e, out);
    if (!e->route)
        return;
    print_route(e->route, out);
    for (uint32_t i = 0; i < e->n_destinations; i++)
        print_destination(e, &e->destinations[i], out);
    for (uint32_t i = 0; i < e->n_copies; i++)
        print_copy(e, &e->copies[i], out);
    if (e->n_copies == 0) {
        begin_part(out, "mirror");
        um_buf_add_cstr(out, "none\n");
    }
    if (e->n_destinations == 0)
        return;
    begin_part(out, "note");
    um_buf_add_cstr(out, "umbra sets x-request-id, x-forwarded-for, x-forwarded-proto and x-envoy-* besides\n");
}
