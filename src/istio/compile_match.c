/* SPDX-License-Identifier: Apache-2.0 */
#include "istio/compile_match.h"

#include "istio/compile_header.h"
#include "istio/compile_scope.h"
#include "istio/names.h"

struct um_str um_gateway_key(struct um_compile *c, struct um_str written, struct um_str own)
{
    struct um_str name = written, namespace_name = own;
    ptrdiff_t dot = um_str_find(written, '.');
    if (um_str_eq(written, UM_STR("mesh")))
        return written;
    if (um_str_starts(written, UM_STR("./"))) {
        name = um_str_skip(written, 2);
    } else if (um_str_find(written, '/') >= 0) {
        return written;
    } else if (dot >= 0) { /* NAME.NS.svc.cluster.local, of old */
        name.n = (size_t)dot;
        namespace_name = um_str_skip(written, (size_t)dot + 1);
        ptrdiff_t end = um_str_find(namespace_name, '.');
        namespace_name.n = end < 0 ? namespace_name.n : (size_t)end;
    }
    return um_compile_made(c, um_name_key(&c->scratch, namespace_name, name));
}

bool um_match_applies(struct um_compile *c, const struct um_http_match *m, struct um_str vs_namespace,
                      const struct um_vantage *at)
{
    if (!m)
        return true;
    if (m->port.is_set && m->port.value != at->port)
        return false;
    for (uint32_t i = 0; i < m->gateways.n; i++)
        if (um_str_eq(um_gateway_key(c, m->gateways.items[i], vs_namespace), at->gateway))
            return true;
    if (m->gateways.n) /* in force, they stand in for the conditions on the source */
        return false;
    return um_proxy_has_labels(c->options, &m->source_labels) &&
           (m->source_namespace.n == 0 || um_str_eq(m->source_namespace, c->options->namespace_name));
}

static struct um_string_match text_match(struct um_compile *c, const struct um_text_match *from, bool ignore_case)
{
    struct um_string_match m = {.ignore_case = ignore_case, .value = um_compile_keep(c, from->text)};
    switch (from->kind) {
    case UM_TEXT_EXACT:
        m.kind = UM_MATCH_EXACT;
        break;
    case UM_TEXT_PREFIX:
        m.kind = UM_MATCH_PREFIX;
        break;
    case UM_TEXT_REGEX:
        m.kind = UM_MATCH_REGEX;
        m.ignore_case = false;
        m.regex = um_compile_regex(c, from->text);
        break;
    case UM_TEXT_PRESENT:
        m.kind = UM_MATCH_PRESENT;
        break;
    }
    return m;
}

static void add_condition(struct um_compile *c, struct um_route_match *to, enum um_match_subject subject,
                          const struct um_text_match *from)
{
    if (from)
        to->conditions[to->n_conditions++] =
            (struct um_condition){.subject = subject, .match = text_match(c, from, false)};
}

/* a pseudo field, which Istio takes as a name, or a header */
static enum um_match_subject subject_of(struct um_str name)
{
    if (um_header_is_authority(name))
        return UM_SUBJECT_AUTHORITY;
    if (um_str_ieq(name, UM_STR(":method")))
        return UM_SUBJECT_METHOD;
    if (um_str_ieq(name, UM_STR(":scheme")))
        return UM_SUBJECT_SCHEME;
    return UM_SUBJECT_HEADER;
}

static void add_headers(struct um_compile *c, struct um_route_match *to, const struct um_text_match *from, uint32_t n,
                        bool is_inverted)
{
    for (uint32_t i = 0; i < n; i++) {
        struct um_condition *condition = &to->conditions[to->n_conditions];
        add_condition(c, to, subject_of(from[i].place.key), &from[i]);
        condition->is_inverted = is_inverted;
        if (condition->subject != UM_SUBJECT_HEADER)
            continue;
        condition->name = um_compile_keep_lower(c, from[i].place.key);
        condition->id = um_field_id_of(condition->name);
    }
}

static void add_query_params(struct um_compile *c, struct um_route_match *to, const struct um_http_match *m)
{
    for (uint32_t i = 0; i < m->n_query_params; i++) {
        struct um_condition *condition = &to->conditions[to->n_conditions];
        add_condition(c, to, UM_SUBJECT_QUERY, &m->query_params[i]);
        condition->name = um_compile_keep(c, m->query_params[i].place.key);
    }
}

struct um_route_match um_compile_match(struct um_compile *c, const struct um_http_match *m)
{
    struct um_route_match to = {.path = {.kind = UM_MATCH_PREFIX, .value = UM_STR("/")}};
    if (!m)
        return to;
    if (m->uri && (m->uri->text.n || m->uri->kind == UM_TEXT_PREFIX)) /* `{}` and an empty regex: every path */
        to.path = text_match(c, m->uri, m->ignore_uri_case);
    to.conditions =
        um_compile_items(c, 3 + (size_t)m->n_headers + m->n_without_headers + m->n_query_params, sizeof *to.conditions);
    if (!to.conditions)
        return to;
    add_condition(c, &to, UM_SUBJECT_METHOD, m->method);
    add_condition(c, &to, UM_SUBJECT_SCHEME, m->scheme);
    add_condition(c, &to, UM_SUBJECT_AUTHORITY, m->authority);
    add_headers(c, &to, m->headers, m->n_headers, false);
    add_headers(c, &to, m->without_headers, m->n_without_headers, true);
    add_query_params(c, &to, m);
    return to;
}

bool um_route_is_catch_all(const struct um_route_match *m)
{
    if (m->n_conditions)
        return false;
    switch (m->path.kind) {
    case UM_MATCH_PREFIX:
        return m->path.value.n == 0 || um_str_eq(m->path.value, UM_STR("/"));
    case UM_MATCH_REGEX:
        return um_str_eq(m->path.value, UM_STR(".*"));
    default:
        return false;
    }
}
