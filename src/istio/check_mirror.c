/* SPDX-License-Identifier: Apache-2.0
 * What a mirror gets that it perhaps should not, and whose endpoints it shares. Source: docs/mirroring.md C24. */
#include "istio/check.h"
#include "istio/compile_cluster.h"
#include "istio/compile_mirror.h"
#include "istio/compile_policy.h"
#include "istio/compile_route.h"

enum { COMPARED_ENDPOINTS_MAX = 4096 }; /* pairs: comparing is quadratic */

struct mirrored {
    struct um_compile *c;
    const struct um_virtual_service *vs;
    const struct um_http_route *http;
    const struct um_destination *destination; /* the mirror's */
    const struct um_policy *policy;           /* NULL: none */
};

/* ---- endpoints ---------------------------------------------------------------------------------- */

/* the pods of a destination, by the labels that choose them */
struct pods {
    const struct um_mesh_service *service;
    const struct um_pairs *selector; /* of a Service; NULL otherwise */
    const struct um_pairs *subset;   /* NULL: the whole service */
    struct um_target target;
};

/* false: the host or the subset is unknown, which is said elsewhere */
static bool find_pods(const struct mirrored *m, const struct um_destination *d, struct pods *ret_pods)
{
    struct um_compile *c = m->c;
    struct pods p = {.target = um_compile_target(c, d, m->vs->meta.namespace_name, 0)};
    p.service = p.target.service;
    if (!p.service)
        return false;
    if (p.service->kubernetes && p.service->kubernetes->selector.n)
        p.selector = &p.service->kubernetes->selector;
    if (d->subset.n) {
        const struct um_subset *subset =
            um_rules_subset(um_rules_find(&c->rules, p.service, c->options->namespace_name), d->subset);
        if (!subset)
            return false;
        p.subset = &subset->labels;
    }
    *ret_pods = p;
    return true;
}

static bool have_labels(const struct pods *p, const struct um_pairs *wanted)
{
    for (uint32_t i = 0; wanted && i < wanted->n; i++) {
        const struct um_pair *w = &wanted->items[i];
        const struct um_str *there = p->subset ? um_pairs_get(p->subset, w->key) : NULL;
        if (!there && p->selector)
            there = um_pairs_get(p->selector, w->key);
        if (!there || !um_str_eq(*there, w->value))
            return false;
    }
    return true;
}

/* whether each pod of `narrow` is one of `wide` too, as far as labels tell */
static bool are_among(const struct pods *narrow, const struct pods *wide)
{
    if (narrow->service == wide->service)
        return have_labels(narrow, wide->subset);
    return narrow->selector && wide->selector &&
           um_str_eq(narrow->service->namespace_name, wide->service->namespace_name) &&
           have_labels(narrow, wide->selector) && have_labels(narrow, wide->subset);
}

static const struct um_cluster *cluster_of(const struct mirrored *m, const struct pods *p,
                                           const struct um_destination *d)
{
    struct um_str name;
    uint16_t port = p->target.port;
    if (port == 0 && p->service->n_ports == 1)
        port = p->service->ports[0].number;
    return um_compile_find_cluster(m->c, p->target.host, port, d->subset, &name);
}

/* an endpoint that both have, or NULL */
static const struct um_endpoint *find_shared(const struct um_cluster *a, const struct um_cluster *b)
{
    if (!a || !b || (uint64_t)a->n_endpoints * b->n_endpoints > COMPARED_ENDPOINTS_MAX)
        return NULL;
    for (uint32_t i = 0; i < a->n_endpoints; i++)
        for (uint32_t k = 0; k < b->n_endpoints; k++)
            if (um_sockaddr_eq(&a->endpoints[i].addr, &b->endpoints[k].addr))
                return &a->endpoints[i];
    return NULL;
}

static void check_shared_endpoint(const struct mirrored *m, const struct pods *shadow, const struct pods *primary,
                                  const struct um_destination *d)
{
    char text[UM_SOCKADDR_TEXT_BYTES];
    const struct um_endpoint *shared = find_shared(cluster_of(m, shadow, m->destination), cluster_of(m, primary, d));
    if (!shared)
        return;
    um_sockaddr_text(&shared->addr, text);
    um_complain(m->c->diag, UM_SEVERITY_WARNING, &m->destination->place, "host", NULL,
                "copies go back to production: both have the endpoint %s", text);
}

static void check_against(const struct mirrored *m, const struct um_destination *d)
{
    struct pods shadow, primary;
    bool is_handled = m->policy && m->policy->distinct_endpoints.value;
    if (!d || !find_pods(m, m->destination, &shadow) || !find_pods(m, d, &primary))
        return;
    bool shadow_in_primary = are_among(&shadow, &primary), primary_in_shadow = are_among(&primary, &shadow);
    if (shadow_in_primary && primary_in_shadow && !is_handled)
        um_complain(m->c->diag, UM_SEVERITY_WARNING, &m->destination->place, "host", NULL,
                    "shadow and primary are the same endpoints");
    else if (shadow_in_primary && !primary_in_shadow)
        um_complain(m->c->diag, UM_SEVERITY_WARNING, &d->place, "host", "give the route the subset of production",
                    "'%.*s' selects the shadow's pods as well: they answer production's requests",
                    UM_STR_ARG(primary.target.host));
    else if (primary_in_shadow && !is_handled)
        um_complain(m->c->diag, UM_SEVERITY_WARNING, &m->destination->place, "host",
                    "give the mirror the subset of the shadow",
                    "'%.*s' selects production's pods as well: copies go to them too", UM_STR_ARG(shadow.target.host));
    else if (!is_handled)
        check_shared_endpoint(m, &shadow, &primary, d);
}

/* ---- methods ------------------------------------------------------------------------------------ */

static bool fits(struct um_compile *c, const struct um_text_match *m, struct um_str text)
{
    if (!m)
        return true;
    switch (m->kind) {
    case UM_TEXT_EXACT:
        return um_str_eq(m->text, text);
    case UM_TEXT_PREFIX:
        return um_str_starts(text, m->text);
    case UM_TEXT_REGEX: {
        struct um_regex *regex = um_compile_regex(c, m->text);
        return regex && um_regex_match(regex, text);
    }
    default:
        return true;
    }
}

static bool takes_method(struct um_compile *c, const struct um_http_route *http, struct um_str method)
{
    for (uint32_t i = 0; i < http->n_match; i++)
        if (fits(c, http->match[i].method, method))
            return true;
    return http->n_match == 0;
}

static void check_writes(const struct mirrored *m, const char *field)
{
    static const struct um_str WRITES[] = {UM_STR_INIT("POST"), UM_STR_INIT("PUT"), UM_STR_INIT("PATCH"),
                                           UM_STR_INIT("DELETE")};
    struct um_buf out;
    if (m->policy && m->policy->methods.n)
        return;
    um_buf_init(&out, 0);
    for (size_t i = 0; i < sizeof WRITES / sizeof WRITES[0]; i++)
        if (takes_method(m->c, m->http, WRITES[i]))
            um_buf_addf(&out, "%s%.*s", out.n ? ", " : "", UM_STR_ARG(WRITES[i]));
    if (out.n)
        um_complain(m->c->diag, UM_SEVERITY_WARNING, &m->http->place, field,
                    "a ShadowPolicy with `methods` says which are meant", "writes are mirrored too: %.*s",
                    UM_STR_ARG(um_buf_str(&out)));
    um_buf_release(&out);
}

static bool is_same_path(const struct um_text_match *a, const struct um_text_match *b)
{
    return a && b ? a->kind == b->kind && um_str_eq(a->text, b->text) : a == b;
}

/* the rule behind `http` that takes HEAD on the path of `m`, as far as plain sight goes; NULL: none */
static const struct um_http_route *find_rule_for_head(struct um_compile *c, const struct um_virtual_service *vs,
                                                      const struct um_http_route *http, const struct um_http_match *m)
{
    for (const struct um_http_route *r = http; r < vs->http + vs->n_http; r++) {
        if (r->n_match == 0)
            return r;
        for (uint32_t i = 0; i < r->n_match; i++) {
            const struct um_http_match *other = &r->match[i];
            bool is_any =
                !other->uri || (other->uri->kind == UM_TEXT_PREFIX && um_str_eq(other->uri->text, UM_STR("/")));
            if ((is_any || is_same_path(other->uri, m->uri)) && fits(c, other->method, UM_STR("HEAD")))
                return r;
        }
    }
    return NULL;
}

/* A rule for GET lets HEAD and OPTIONS fall through, which people rarely mean. */
static void check_head(struct um_compile *c, const struct um_virtual_service *vs, const struct um_http_route *http)
{
    for (uint32_t i = 0; i < http->n_match; i++) {
        const struct um_http_match *m = &http->match[i];
        if (!m->method || !fits(c, m->method, UM_STR("GET")) || fits(c, m->method, UM_STR("HEAD")))
            continue;
        const struct um_http_route *rule = find_rule_for_head(c, vs, http, m);
        if (!rule)
            um_complain(c->diag, UM_SEVERITY_WARNING, &m->place, "method", NULL,
                        "HEAD and OPTIONS are not covered: they get 404");
        else if (!rule->mirror && rule->n_mirrors == 0)
            um_complain(c->diag, UM_SEVERITY_WARNING, &m->place, "method", NULL,
                        "HEAD and OPTIONS are not covered: they fall to http[%u], which mirrors nothing",
                        (unsigned)(rule - vs->http));
    }
}

/* ---- together ----------------------------------------------------------------------------------- */

static void check_mirror(struct um_compile *c, const struct um_virtual_service *vs, const struct um_http_route *http,
                         const struct um_destination *destination, const char *field)
{
    const struct um_policy *younger;
    struct um_target target = um_compile_target(c, destination, vs->meta.namespace_name, 0);
    struct um_mirror_of of = {vs, http->name, target.host, destination->subset};
    struct mirrored m = {c, vs, http, destination, um_compile_find_policy(c, &of, &younger)};
    if (younger)
        um_complain(c->diag, UM_SEVERITY_WARNING, &younger->place, "targetRef", NULL,
                    "the older %.*s is for the same mirror, and counts", UM_STR_ARG(m.policy->meta.resource));
    for (uint32_t i = 0; i < http->n_route; i++)
        if (http->n_route == 1 || http->route[i].weight.value > 0)
            check_against(&m, http->route[i].destination);
    check_writes(&m, field);
}

static void check_http(struct um_compile *c, const struct um_virtual_service *vs, const struct um_http_route *http)
{
    struct um_share share;
    bool has_mirror = false;
    if (http->n_route == 0) /* it answers by itself */
        return;
    if (http->mirror && um_mirror_share(http, &share)) {
        check_mirror(c, vs, http, http->mirror, "mirror");
        has_mirror = true;
    }
    for (uint32_t i = 0; i < http->n_mirrors; i++) {
        if (!http->mirrors[i].destination || !um_mirrors_share(&http->mirrors[i], &share))
            continue;
        check_mirror(c, vs, http, http->mirrors[i].destination, "mirrors");
        has_mirror = true;
    }
    if (has_mirror)
        check_head(c, vs, http);
}

void um_check_mirrors(struct um_compile *c)
{
    for (uint32_t i = 0; i < c->resources->n_virtual_services; i++) {
        const struct um_virtual_service *vs = &c->resources->virtual_services[i];
        for (uint32_t k = 0; !um_compile_has_failed(c) && !vs->meta.is_broken && k < vs->n_http; k++)
            check_http(c, vs, &vs->http[k]);
    }
}
