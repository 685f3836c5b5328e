/* SPDX-License-Identifier: Apache-2.0
 * An explanation for a program. Members that do not apply are absent. */
#include "admin/json.h"
#include "app/explanation.h"

/* the text that one of the phrases writes; takes the buffer over */
static json_t *text_of(struct um_buf *text)
{
    json_t *made = text->failed ? NULL : um_json_str(um_buf_str(text));
    um_buf_release(text);
    return made;
}

static void set_text(json_t **object, const char *key, struct um_str text)
{
    if (text.n)
        um_json_set(object, key, um_json_str(text));
}

static json_t *request_json(const struct um_explanation *e)
{
    json_t *out = json_object();
    um_json_set(&out, "method", um_json_str(e->request->method));
    um_json_set(&out, "url", um_json_str(e->request->url));
    set_text(&out, "host", e->request->head.authority);
    if (!e->is_path_bad)
        set_text(&out, "path", e->path);
    return out;
}

static json_t *listener_json(const struct um_listener *l)
{
    char address[UM_SOCKADDR_TEXT_BYTES];
    um_sockaddr_text(&l->addr, address);
    return json_pack("{s:o, s:i, s:s, s:o}", "name", um_json_str(l->name), "port", (int)l->port, "address", address,
                     "origin", um_json_str(l->origin));
}

static json_t *tries_json(const struct um_explanation *e)
{
    json_t *out = json_array();
    for (uint32_t i = 0; i < e->n_tries; i++) {
        const struct um_explain_try *t = &e->tries[i];
        struct um_buf why;
        json_t *one = json_object();
        um_json_set(&one, "name", um_json_str(t->route->name));
        set_text(&one, "label", t->route->label);
        um_json_set(&one, "matches", json_boolean(t->has_matched));
        if (!t->has_matched) {
            um_buf_init(&why, 0);
            um_explain_say_try(t, &why);
            um_json_set(&one, "reason", text_of(&why));
        }
        um_json_append(&out, one);
    }
    return out;
}

/* ---- the route ------------------------------------------------------------------------------------ */

static void set_forwarding(json_t **out, const struct um_route *r)
{
    struct um_buf causes;
    um_json_set(out, "timeout_ms", um_json_u64(r->timeout_ms));
    if (r->retry.attempts == 0)
        return;
    um_buf_init(&causes, 0);
    um_explain_say_retry_on(&r->retry, &causes);
    um_json_set(out, "retries",
                json_pack("{s:o, s:o}", "attempts", um_json_u64(r->retry.attempts), "on", text_of(&causes)));
}

static json_t *route_json(const struct um_route *r)
{
    static const char *const ACTIONS[] = {[UM_ACTION_FORWARD] = "forward",
                                          [UM_ACTION_REDIRECT] = "redirect",
                                          [UM_ACTION_DIRECT_RESPONSE] = "direct_response"};
    json_t *out = json_object();
    um_json_set(&out, "name", um_json_str(r->name));
    set_text(&out, "label", r->label);
    set_text(&out, "config", r->config_path);
    um_json_set(&out, "action", json_string(ACTIONS[r->action]));
    if (r->action == UM_ACTION_FORWARD) {
        set_forwarding(&out, r);
        return out;
    }
    um_json_set(&out, "status", um_json_u64(r->status));
    set_text(&out, "scheme", r->redirect_scheme);
    set_text(&out, "host", r->redirect_authority);
    set_text(&out, "path", r->redirect_path);
    return out;
}

/* ---- legs ----------------------------------------------------------------------------------------- */

static json_t *endpoints_json(const struct um_cluster *c)
{
    json_t *out = json_array();
    char address[UM_SOCKADDR_TEXT_BYTES];
    for (uint32_t i = 0; c && i < c->n_endpoints; i++) {
        um_sockaddr_text(&c->endpoints[i].addr, address);
        um_json_append(&out, json_pack("{s:s, s:b}", "address", address, "ready", c->endpoints[i].is_healthy));
    }
    for (uint32_t i = 0; c && i < c->n_dns_names; i++)
        um_json_append(&out, json_pack("{s:o, s:i}", "dns_name", um_json_str(c->dns_names[i].name), "port",
                                       (int)c->dns_names[i].port));
    return out;
}

static void append_field(void *ctx, struct um_str name, struct um_str value)
{
    um_json_append(ctx, json_pack("{s:o, s:o}", "name", um_json_str(name), "value", um_json_str(value)));
}

static json_t *head_json(const struct um_explanation *e, const struct um_edits *edits)
{
    const struct um_head *head = &e->request->head;
    json_t *fields = json_array(), *out = json_object();
    um_edits_each(edits, head, append_field, &fields);
    um_json_set(&out, "method", um_json_str(head->method_name));
    set_text(&out, "path", um_explain_path(e, edits));
    um_json_set(&out, "host", um_json_str(um_explain_host(e, edits)));
    um_json_set(&out, "headers", fields);
    return out;
}

static json_t *destinations_json(const struct um_explanation *e)
{
    json_t *out = json_array();
    for (uint32_t i = 0; i < e->n_destinations; i++) {
        const struct um_explain_destination *d = &e->destinations[i];
        json_t *one = json_object();
        um_json_set(&one, "cluster", um_json_str(d->to->cluster_name));
        um_json_set(&one, "percentage", json_real(d->percentage));
        um_json_set(&one, "endpoints", endpoints_json(d->to->cluster));
        if (d->problem != UM_SKIP_COUNT)
            um_json_set(&one, "problem", json_string(um_skip_rows[d->problem].name));
        um_json_set(&one, "request", head_json(e, &d->edits));
        um_json_append(&out, one);
    }
    return out;
}

/* ---- mirrors -------------------------------------------------------------------------------------- */

static json_t *policy_json(const struct um_shadow_policy *p)
{
    struct um_buf methods;
    json_t *out = json_object();
    um_buf_init(&methods, 0);
    um_explain_say_methods(p, &methods);
    set_text(&out, "name", p->name);
    if (methods.n)
        um_json_set(&out, "methods", text_of(&methods));
    um_json_set(&out, "timeout_ms", um_json_u64(p->timeout_ms));
    um_json_set(&out, "body", json_string(p->has_body ? "stream" : "none"));
    um_json_set(&out, "max_body_bytes", um_json_u64(p->max_body_bytes));
    um_json_set(&out, "mode", json_string(p->mode == UM_BODY_LIMIT_DROP ? "drop" : "backpressure"));
    return out;
}

static json_t *copy_json(const struct um_explanation *e, const struct um_explain_copy *c)
{
    static const char *const OUTCOMES[] = {
        [UM_EXPLAIN_COPIED] = "copied", [UM_EXPLAIN_SAMPLED] = "sampled", [UM_EXPLAIN_SKIPPED] = "not_copied"};
    struct um_buf text;
    json_t *out = json_object();
    um_buf_init(&text, 0);
    um_explain_say_outcome(c, &text);
    um_json_set(&out, "cluster", um_json_str(c->mirror->cluster_name));
    um_json_set(&out, "percentage", json_real(c->percentage));
    um_json_set(&out, "outcome", json_string(OUTCOMES[c->outcome]));
    if (c->outcome == UM_EXPLAIN_SKIPPED)
        um_json_set(&out, "reason", json_string(um_skip_rows[c->reason].name));
    um_json_set(&out, "text", text_of(&text));
    if (c->has_key)
        um_json_set(&out, "key", um_json_str(c->key));
    um_json_set(&out, "policy", policy_json(c->mirror->policy));
    um_json_set(&out, "endpoints", endpoints_json(c->mirror->cluster));
    if (c->has_request)
        um_json_set(&out, "request", head_json(e, &c->edits));
    return out;
}

static json_t *copies_json(const struct um_explanation *e)
{
    json_t *out = json_array();
    for (uint32_t i = 0; i < e->n_copies; i++)
        um_json_append(&out, copy_json(e, &e->copies[i]));
    return out;
}

/* ---- all ------------------------------------------------------------------------------------------ */

/* "answer": what umbra says by itself because a step failed; without a status nobody answers at all */
static void set_refusal(json_t **out, const struct um_explanation *e)
{
    struct um_buf why;
    um_buf_init(&why, 0);
    unsigned status = um_explanation_refusal(e, &why);
    if (why.n == 0 && !why.failed) {
        um_buf_release(&why);
        return;
    }
    json_t *answer = json_object();
    if (status)
        um_json_set(&answer, "status", um_json_u64(status));
    um_json_set(&answer, "text", text_of(&why));
    um_json_set(out, "answer", answer);
}

int um_explanation_print_json(const struct um_explanation *e, struct um_buf *out)
{
    json_t *tree = json_object();
    um_json_set(&tree, "request", request_json(e));
    if (e->listener)
        um_json_set(&tree, "listener", listener_json(e->listener));
    if (e->virtual_host) {
        um_json_set(
            &tree, "virtual_host",
            json_pack("{s:o, s:o}", "name", um_json_str(e->virtual_host->name), "domain", um_json_str(e->domain)));
        um_json_set(&tree, "routes", tries_json(e));
    }
    set_refusal(&tree, e);
    if (e->route) {
        um_json_set(&tree, "route", route_json(e->route));
        um_json_set(&tree, "destinations", destinations_json(e));
        um_json_set(&tree, "mirrors", copies_json(e));
    }
    return um_json_print(out, tree);
}
