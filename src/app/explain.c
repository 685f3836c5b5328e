/* SPDX-License-Identifier: Apache-2.0
 * The way of a request, taken step by step with the pieces that a worker takes it with. */
#include "app/explain.h"

#include "app/explanation.h"
#include "http/url.h"

/* ---- listener, virtual host ----------------------------------------------------------------------- */

/* by the port of the YAML, else by the one that --map-port moved it to */
static const struct um_listener *find_listener(const struct um_snapshot *s, uint16_t port)
{
    for (uint32_t i = 0; i < s->n_listeners; i++)
        if (s->listeners[i].port == port)
            return &s->listeners[i];
    for (uint32_t i = 0; i < s->n_listeners; i++)
        if (um_sockaddr_port(&s->listeners[i].addr) == port)
            return &s->listeners[i];
    return NULL;
}

/* the most specific domain of the virtual host that fits: the whole name, the longest "*.suffix", "*" */
static struct um_str find_domain(const struct um_virtual_host *vh, struct um_str authority)
{
    struct um_str host, port, best = {NULL, 0};
    um_url_split_authority(authority, &host, &port);
    if (host.n > 1 && host.p[host.n - 1] == '.')
        host.n--;
    for (uint32_t i = 0; i < vh->n_domains; i++) {
        struct um_str domain = vh->domains[i], suffix = um_str_skip(domain, 1);
        if (um_str_ieq(domain, host))
            return domain;
        bool is_wildcard = domain.n && domain.p[0] == '*' && host.n > suffix.n;
        if (is_wildcard && um_str_ieq(um_str_skip(host, host.n - suffix.n), suffix) && domain.n > best.n)
            best = domain;
    }
    return best;
}

/* ---- routes --------------------------------------------------------------------------------------- */

static struct um_route_request route_request(const struct um_explanation *e)
{
    const struct um_head *head = &e->request->head;
    return (struct um_route_request){.head = head,
                                     .path = head->method == UM_METHOD_CONNECT ? UM_STR("/") : e->path,
                                     .scheme = UM_STR("http"),
                                     .authority = head->authority};
}

/* what a condition looks at */
static bool see(const struct um_route_request *rq, const struct um_condition *c, struct um_str *ret_seen)
{
    struct um_str path, query;
    const struct um_field *field;
    switch (c->subject) {
    case UM_SUBJECT_METHOD:
        *ret_seen = rq->head->method_name;
        return true;
    case UM_SUBJECT_SCHEME:
        *ret_seen = rq->scheme;
        return true;
    case UM_SUBJECT_AUTHORITY:
        *ret_seen = rq->authority;
        return true;
    case UM_SUBJECT_QUERY:
        um_url_split(rq->path, &path, &query);
        return um_url_query_param(query, c->name, ret_seen);
    case UM_SUBJECT_HEADER:
        break;
    }
    field = um_head_find(rq->head, c->name, 0);
    if (field)
        *ret_seen = um_field_value(field);
    return field != NULL;
}

/* each part of the match is asked alone, by the matcher that workers use */
static void find_failure(struct um_explain_try *t, const struct um_route_request *rq)
{
    struct um_route part = {.match = {.path = t->route->match.path}};
    struct um_str query;
    if (!um_route_matches(&part, rq)) {
        t->is_there = true;
        um_url_split(rq->path, &t->seen, &query);
        return;
    }
    part.match = (struct um_route_match){.n_conditions = 1};
    for (uint32_t i = 0; i < t->route->match.n_conditions; i++) {
        part.match.conditions = &t->route->match.conditions[i];
        if (um_route_matches(&part, rq))
            continue;
        t->failed = part.match.conditions;
        t->is_there = see(rq, t->failed, &t->seen);
        return;
    }
}

static int try_routes(struct um_explanation *e)
{
    const struct um_virtual_host *vh = e->virtual_host;
    const struct um_route_request rq = route_request(e);
    e->tries = um_arena_array(&e->arena, vh->n_routes + 1, sizeof *e->tries);
    if (!e->tries)
        return UM_ENOMEM;
    while (!e->route && e->n_tries < vh->n_routes) {
        struct um_explain_try *t = &e->tries[e->n_tries];
        t->route = &vh->routes[e->n_tries++];
        t->has_matched = um_route_matches(t->route, &rq);
        if (t->has_matched)
            e->route = t->route;
        else
            find_failure(t, &rq);
    }
    return 0;
}

/* ---- destinations --------------------------------------------------------------------------------- */

static int apply(struct um_explanation *e, struct um_edits *edits, const struct um_header_ops *ops)
{
    int rc = 0;
    for (uint32_t i = 0; i < ops->n && rc == 0; i++)
        rc = um_edits_add(edits, &e->arena, ops->ops[i].op, ops->ops[i].name, ops->ops[i].value);
    return rc;
}

/* names that DNS resolves count as endpoints: nobody has asked yet */
static bool has_endpoint(const struct um_cluster *c)
{
    for (uint32_t i = 0; i < c->n_endpoints; i++)
        if (c->endpoints[i].is_healthy)
            return true;
    return c->n_dns_names > 0;
}

/* destination before route, so that the route's `set` wins (docs/istio-observed.md 22) */
static int edit_destination(struct um_explanation *e, struct um_explain_destination *d)
{
    um_edits_init(&d->edits);
    d->edits.authority = e->route->host_rewrite.n ? e->route->host_rewrite : d->to->host_rewrite;
    int rc = um_route_rewrite_path(e->route, e->path, &e->arena, &d->edits.path);
    if (rc == 0)
        rc = apply(e, &d->edits, &d->to->request_headers);
    return rc ? rc : apply(e, &d->edits, &e->route->request_headers);
}

static int add_destinations(struct um_explanation *e)
{
    const struct um_route *r = e->route;
    int rc = 0;
    e->destinations = um_arena_array(&e->arena, r->n_clusters, sizeof *e->destinations);
    if (!e->destinations)
        return UM_ENOMEM;
    for (uint32_t i = 0; i < r->n_clusters && rc == 0; i++) {
        const struct um_weighted_cluster *to = &r->clusters[i];
        struct um_explain_destination *d = &e->destinations[e->n_destinations];
        if (r->n_clusters > 1 && to->weight == 0)
            continue; /* never drawn */
        *d = (struct um_explain_destination){.to = to, .percentage = 100, .problem = UM_SKIP_COUNT};
        if (r->n_clusters > 1)
            d->percentage = 100.0 * to->weight / r->total_weight;
        if (!to->cluster)
            d->problem = UM_SKIP_NO_CLUSTER;
        else if (!has_endpoint(to->cluster))
            d->problem = UM_SKIP_NO_ENDPOINT;
        rc = edit_destination(e, d);
        e->n_destinations++;
    }
    return rc;
}

/* ---- copies --------------------------------------------------------------------------------------- */

static bool has_address(const struct um_cluster *c, const struct um_sockaddr *addr)
{
    for (uint32_t i = 0; i < c->n_endpoints; i++)
        if (um_sockaddr_eq(&c->endpoints[i].addr, addr))
            return true;
    return false;
}

static bool same_endpoints(const struct um_cluster *a, const struct um_cluster *b)
{
    if (!a || a->n_endpoints == 0 || a->n_endpoints != b->n_endpoints)
        return false;
    for (uint32_t i = 0; i < a->n_endpoints; i++)
        if (!has_address(b, &a->endpoints[i].addr))
            return false;
    return true;
}

static bool shares_endpoints(const struct um_explanation *e, const struct um_mirror *m)
{
    for (uint32_t i = 0; m->policy->wants_distinct_endpoints && i < e->n_destinations; i++)
        if (same_endpoints(e->destinations[i].to->cluster, m->cluster))
            return true;
    return false;
}

/* the reasons of um_tee_draw and then of um_forward_start in their order, but for those that only traffic knows */
static enum um_skip skip_reason(const struct um_explanation *e, const struct um_mirror *m)
{
    const struct um_head *head = &e->request->head;
    enum um_skip primary = UM_SKIP_COUNT;
    if (um_head_known(head, UM_FIELD_X_UMBRA_SHADOW))
        return UM_SKIP_LOOP;
    if (e->route->action == UM_ACTION_REDIRECT)
        return UM_SKIP_REDIRECT;
    if (e->route->action == UM_ACTION_DIRECT_RESPONSE)
        return UM_SKIP_DIRECT_RESPONSE;
    if (head->method == UM_METHOD_CONNECT)
        return UM_SKIP_CONNECT;
    if (head->has_upgrade)
        return UM_SKIP_UPGRADE;
    if (!um_route_allows_method(m->policy, head))
        return UM_SKIP_METHOD;
    if (!m->cluster)
        return UM_SKIP_NO_SHADOW_CLUSTER;
    if (!has_endpoint(m->cluster))
        return UM_SKIP_NO_SHADOW_ENDPOINT;
    if (shares_endpoints(e, m))
        return UM_SKIP_SAME_ENDPOINT;
    for (uint32_t i = 0; i < e->n_destinations; i++) {
        primary = e->destinations[i].problem;
        if (primary == UM_SKIP_COUNT)
            break;
    }
    return primary;
}

static void find_key(const struct um_explanation *e, struct um_explain_copy *c)
{
    const struct um_shadow_policy *policy = c->mirror->policy;
    const struct um_field *field;
    struct um_str path, query;
    switch (policy->sampling_key) {
    case UM_SAMPLING_HEADER:
        field = um_head_find(&e->request->head, policy->sampling_name, 0);
        c->key = field ? um_field_value(field) : c->key;
        break;
    case UM_SAMPLING_COOKIE:
        (void)um_route_cookie(&e->request->head, policy->sampling_name, &c->key);
        break;
    case UM_SAMPLING_QUERY:
        um_url_split(e->path, &path, &query);
        (void)um_url_query_param(query, policy->sampling_name, &c->key);
        break;
    case UM_SAMPLING_RANDOM:
    case UM_SAMPLING_SOURCE_ADDRESS:
        break;
    }
    c->has_key = c->key.n > 0;
}

static enum um_explain_outcome draw(const struct um_explanation *e, const struct um_explain_copy *c)
{
    const struct um_mirror *m = c->mirror;
    const struct um_sample_request rq = {.head = &e->request->head, .path = e->path};
    if (m->numerator >= m->denominator || (c->has_key && um_route_sample(m, &rq, 0)))
        return UM_EXPLAIN_COPIED;
    return m->numerator && !c->has_key ? UM_EXPLAIN_SAMPLED : UM_EXPLAIN_SKIPPED;
}

static void decide(const struct um_explanation *e, struct um_explain_copy *c)
{
    find_key(e, c);
    c->drawn = draw(e, c);
    c->reason = skip_reason(e, c->mirror);
    bool lacks_endpoint = c->reason == UM_SKIP_NO_ENDPOINT || c->reason == UM_SKIP_NO_SHADOW_ENDPOINT;
    c->has_request = c->drawn != UM_EXPLAIN_SKIPPED && (c->reason == UM_SKIP_COUNT || lacks_endpoint);
    if (c->reason == UM_SKIP_COUNT && c->drawn == UM_EXPLAIN_SKIPPED)
        c->reason = UM_SKIP_SAMPLED_OUT;
    c->outcome = c->reason == UM_SKIP_COUNT ? c->drawn : UM_EXPLAIN_SKIPPED;
}

/* C10, C11: over the head of the destination that is drawn; the first one stands for them here */
static int edit_copy(struct um_explanation *e, struct um_explain_copy *c)
{
    const struct um_shadow_policy *policy = c->mirror->policy;
    struct um_str host = um_explain_host(e, &e->destinations[0].edits);
    int rc = um_edits_copy(&c->edits, &e->destinations[0].edits, &e->arena);
    if (rc == 0)
        rc = um_edits_known(&c->edits, &e->arena, UM_EDIT_SET, UM_FIELD_X_UMBRA_SHADOW, UM_STR("1"));
    if (rc == 0)
        rc = apply(e, &c->edits, &policy->headers);
    if (policy->host_rewrite.n)
        c->edits.authority = policy->host_rewrite;
    else if (policy->has_host_suffix)
        c->edits.authority = um_url_shadow_authority(host, &e->arena);
    return rc;
}

static int add_copies(struct um_explanation *e)
{
    const struct um_route *r = e->route;
    int rc = 0;
    e->copies = um_arena_array(&e->arena, r->n_mirrors + 1, sizeof *e->copies);
    if (!e->copies)
        return UM_ENOMEM;
    for (; e->n_copies < r->n_mirrors && rc == 0; e->n_copies++) {
        struct um_explain_copy *c = &e->copies[e->n_copies];
        c->mirror = &r->mirrors[e->n_copies];
        c->percentage = 100.0 * c->mirror->numerator / c->mirror->denominator;
        decide(e, c);
        if (e->n_destinations)
            rc = edit_copy(e, c);
    }
    return rc;
}

/* ---- all ------------------------------------------------------------------------------------------ */

static int normalise(struct um_explanation *e)
{
    e->path = e->request->head.path;
    if (e->request->head.method == UM_METHOD_CONNECT)
        return 0;
    int rc = um_url_normalise(e->path, &e->arena, &e->path);
    e->is_path_bad = rc == UM_ESYNTAX;
    return e->is_path_bad ? 0 : rc;
}

int um_explanation_make(struct um_explanation *e, const struct um_snapshot *snapshot,
                        const struct um_explain_request *rq)
{
    *e = (struct um_explanation){.snapshot = snapshot, .request = rq};
    um_arena_init(&e->arena, NULL, 0);
    e->listener = find_listener(snapshot, rq->port);
    if (!e->listener || rq->fault)
        return 0;
    int rc = normalise(e);
    if (rc || e->is_path_bad)
        return rc;
    e->virtual_host = um_route_virtual_host(e->listener->routes, rq->head.authority);
    if (!e->virtual_host)
        return 0;
    e->domain = find_domain(e->virtual_host, rq->head.authority);
    rc = try_routes(e);
    if (rc == 0 && e->route && e->route->action == UM_ACTION_FORWARD)
        rc = add_destinations(e);
    if (rc == 0 && e->route)
        rc = add_copies(e);
    return rc;
}

void um_explanation_release(struct um_explanation *e)
{
    um_arena_release(&e->arena);
}

int um_explain_print(const struct um_snapshot *snapshot, const struct um_explain_request *rq, enum um_format format,
                     struct um_buf *ret_text)
{
    struct um_explanation e;
    int rc = um_explanation_make(&e, snapshot, rq);
    if (rc == 0 && format == UM_FORMAT_JSON)
        rc = um_explanation_print_json(&e, ret_text);
    else if (rc == 0)
        um_explanation_print_text(&e, ret_text);
    um_explanation_release(&e);
    return rc == 0 && ret_text->failed ? UM_ENOMEM : rc;
}
