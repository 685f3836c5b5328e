/* SPDX-License-Identifier: Apache-2.0
 * What text and JSON say in the same words. */
#include "app/explanation.h"

#include <stdio.h>

struct um_str um_explain_host(const struct um_explanation *e, const struct um_edits *edits)
{
    return edits->authority.n ? edits->authority : e->request->head.authority;
}

struct um_str um_explain_path(const struct um_explanation *e, const struct um_edits *edits)
{
    return edits->path.n ? edits->path : e->path;
}

void um_explain_say_percentage(double percentage, struct um_buf *out)
{
    char digits[32];
    int n = snprintf(digits, sizeof digits, "%.4f", percentage);
    while (n > 1 && digits[n - 1] == '0')
        n--;
    if (digits[n - 1] == '.')
        n--;
    um_buf_add(out, (struct um_str){digits, (size_t)n});
}

/* ---- why not -------------------------------------------------------------------------------------- */

static void say_ports(const struct um_snapshot *s, struct um_buf *out)
{
    um_buf_add_cstr(out, s->n_listeners ? "; the listeners have " : "; there is no listener at all");
    for (uint32_t i = 0; i < s->n_listeners; i++) {
        uint16_t port = s->listeners[i].port;
        bool is_new = true;
        for (uint32_t j = 0; j < i; j++)
            is_new &= s->listeners[j].port != port;
        if (is_new)
            um_buf_addf(out, "%s%u", i ? ", " : "", (unsigned)port);
    }
}

static void say_domains(const struct um_route_config *config, struct um_buf *out)
{
    enum { SHOWN = 8 };
    uint32_t n = 0;
    for (uint32_t i = 0; i < config->n_virtual_hosts; i++)
        for (uint32_t j = 0; j < config->virtual_hosts[i].n_domains; j++)
            if (n++ < SHOWN)
                um_buf_addf(out, "%s%.*s", n > 1 ? ", " : "; known are ",
                            UM_STR_ARG(config->virtual_hosts[i].domains[j]));
    if (n > SHOWN)
        um_buf_addf(out, " and %u more", n - SHOWN);
}

unsigned um_explanation_refusal(const struct um_explanation *e, struct um_buf *why)
{
    const struct um_explain_request *rq = e->request;
    if (!e->listener) {
        um_buf_addf(why, "nothing listens on port %u", (unsigned)rq->port);
        say_ports(e->snapshot, why);
        return 0;
    }
    if (rq->fault) {
        um_buf_add_cstr(why, um_h1_fault_text(rq->fault));
        return um_h1_fault_status(rq->fault);
    }
    if (e->is_path_bad) {
        um_buf_add_cstr(why, "the path cannot be normalised");
        return 400;
    }
    if (!e->virtual_host) {
        um_buf_addf(why, "no virtual host is for '%.*s'", UM_STR_ARG(rq->head.authority));
        say_domains(e->listener->routes, why);
        return 404;
    }
    if (!e->route) {
        um_buf_add_cstr(why, "no route matches");
        return 404;
    }
    return 0;
}

/* NULL: the path */
static void say_subject(const struct um_condition *c, struct um_buf *out)
{
    static const char *const NAMES[] = {[UM_SUBJECT_HEADER] = "header",
                                        [UM_SUBJECT_METHOD] = "method",
                                        [UM_SUBJECT_SCHEME] = "scheme",
                                        [UM_SUBJECT_AUTHORITY] = "authority",
                                        [UM_SUBJECT_QUERY] = "query parameter"};
    um_buf_add_cstr(out, c ? NAMES[c->subject] : "path");
    if (c && (c->subject == UM_SUBJECT_HEADER || c->subject == UM_SUBJECT_QUERY))
        um_buf_addf(out, " %.*s", UM_STR_ARG(c->name));
}

static void say_wanted(const struct um_string_match *m, bool is_inverted, struct um_buf *out)
{
    um_buf_add_cstr(out, is_inverted ? " must not " : " must ");
    switch (m->kind) {
    case UM_MATCH_ANY:
    case UM_MATCH_PRESENT:
        um_buf_add_cstr(out, "be there");
        return;
    case UM_MATCH_EXACT:
        um_buf_add_cstr(out, "be ");
        break;
    case UM_MATCH_PREFIX:
        um_buf_add_cstr(out, "begin with ");
        break;
    case UM_MATCH_REGEX:
        um_buf_add_cstr(out, "match the regular expression ");
        break;
    }
    um_buf_addf(out, "\"%.*s\"%s", UM_STR_ARG(m->value), m->ignore_case ? " (in any case)" : "");
}

void um_explain_say_try(const struct um_explain_try *t, struct um_buf *out)
{
    if (t->has_matched) {
        um_buf_add_cstr(out, "matches");
        return;
    }
    say_subject(t->failed, out);
    say_wanted(t->failed ? &t->failed->match : &t->route->match.path, t->failed && t->failed->is_inverted, out);
    if (t->is_there)
        um_buf_addf(out, ", is \"%.*s\"", UM_STR_ARG(t->seen));
    else
        um_buf_add_cstr(out, ", is absent");
}

/* ---- mirrors -------------------------------------------------------------------------------------- */

/* header x-user-id, "42" */
static void say_key(const struct um_explain_copy *c, struct um_buf *out)
{
    static const char *const NAMES[] = {[UM_SAMPLING_HEADER] = "header ",
                                        [UM_SAMPLING_COOKIE] = "cookie ",
                                        [UM_SAMPLING_QUERY] = "query parameter ",
                                        [UM_SAMPLING_SOURCE_ADDRESS] = "client's address"};
    const struct um_shadow_policy *policy = c->mirror->policy;
    um_buf_addf(out, "its %s%.*s", NAMES[policy->sampling_key], UM_STR_ARG(policy->sampling_name));
    if (c->has_key)
        um_buf_addf(out, ", \"%.*s\",", UM_STR_ARG(c->key));
}

/* what decides where the request itself does not */
static void say_chance(const struct um_explain_copy *c, struct um_buf *out)
{
    switch (c->mirror->policy->sampling_key) {
    case UM_SAMPLING_RANDOM:
        um_buf_add_cstr(out, "at random");
        break;
    case UM_SAMPLING_SOURCE_ADDRESS:
        um_buf_add_cstr(out, "by ");
        say_key(c, out);
        break;
    default:
        um_buf_add_cstr(out, "at random, for ");
        say_key(c, out);
        um_buf_add_cstr(out, " is absent");
    }
}

void um_explain_say_drawn(const struct um_explain_copy *c, struct um_buf *out)
{
    bool is_out = c->drawn == UM_EXPLAIN_SKIPPED;
    if (c->mirror->numerator >= c->mirror->denominator) {
        um_buf_add_cstr(out, "copied: 100 % of requests");
        return;
    }
    um_buf_add_cstr(out, is_out ? "not copied: " : "copied: ");
    if (c->has_key) {
        say_key(c, out);
        um_buf_add_cstr(out, is_out ? " is not among the " : " is among the ");
    }
    um_explain_say_percentage(c->percentage, out);
    um_buf_add_cstr(out, c->has_key ? " %" : " % of requests");
    if (c->drawn == UM_EXPLAIN_SAMPLED) {
        um_buf_add_cstr(out, ", ");
        say_chance(c, out);
    }
}

void um_explain_say_outcome(const struct um_explain_copy *c, struct um_buf *out)
{
    if (c->outcome == UM_EXPLAIN_SKIPPED && c->reason != UM_SKIP_SAMPLED_OUT)
        um_buf_addf(out, "not copied: %s", um_skip_rows[c->reason].help);
    else
        um_explain_say_drawn(c, out);
}

void um_explain_say_methods(const struct um_shadow_policy *policy, struct um_buf *out)
{
    static const char *const NAMES[] = {
        [UM_METHOD_GET] = "GET",         [UM_METHOD_HEAD] = "HEAD",     [UM_METHOD_POST] = "POST",
        [UM_METHOD_PUT] = "PUT",         [UM_METHOD_DELETE] = "DELETE", [UM_METHOD_CONNECT] = "CONNECT",
        [UM_METHOD_OPTIONS] = "OPTIONS", [UM_METHOD_TRACE] = "TRACE",   [UM_METHOD_PATCH] = "PATCH"};
    const char *before = "";
    for (unsigned m = UM_METHOD_GET; m <= UM_METHOD_PATCH; m++)
        if (policy->methods & 1u << m) {
            um_buf_addf(out, "%s%s", before, NAMES[m]);
            before = ", ";
        }
    for (uint32_t i = 0; i < policy->n_other_methods; i++) {
        um_buf_addf(out, "%s%.*s", before, UM_STR_ARG(policy->other_methods[i]));
        before = ", ";
    }
}

void um_explain_say_retry_on(const struct um_retry_policy *p, struct um_buf *out)
{
    const struct {
        bool is_on;
        const char *name;
    } causes[] = {{p->on_connect_failure, "connect-failure"},
                  {p->on_refused_stream, "refused-stream"},
                  {p->on_reset_before_answer, "reset-before-request"}};
    const char *before = "";
    for (size_t i = 0; i < sizeof causes / sizeof causes[0]; i++)
        if (causes[i].is_on) {
            um_buf_addf(out, "%s%s", before, causes[i].name);
            before = ", ";
        }
}
