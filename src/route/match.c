/* SPDX-License-Identifier: Apache-2.0 */
#include "route/match.h"

#include "http/url.h"

void um_route_view_init(struct um_route_view *view, const struct um_route_request *request)
{
    const struct um_edits *edits = request->edits;
    view->request = request;
    view->method = edits && edits->method.p ? edits->method : request->head->method_name;
    um_url_split(request->path, &view->path, &view->query);
}

static bool text_matches(const struct um_string_match *m, struct um_str text)
{
    switch (m->kind) {
    case UM_MATCH_ANY:
    case UM_MATCH_PRESENT:
        return true;
    case UM_MATCH_EXACT:
        return m->ignore_case ? um_str_ieq(text, m->value) : um_str_eq(text, m->value);
    case UM_MATCH_PREFIX:
        return m->ignore_case ? um_str_istarts(text, m->value) : um_str_starts(text, m->value);
    case UM_MATCH_REGEX:
        return um_regex_match(m->regex, text);
    }
    return false;
}

/* ---- conditions --------------------------------------------------------------------------------- */

/* An absent value counts as empty under inversion, so that `without x: exact y` holds; `without x: {}` is about
 * presence itself and an empty value is present, as in Envoy. */
static bool absence_matches(const struct um_condition *c)
{
    return c->is_inverted && (c->match.kind == UM_MATCH_PRESENT || !text_matches(&c->match, UM_STR("")));
}

static bool value_matches(const struct um_condition *c, bool is_there, struct um_str value)
{
    return is_there ? text_matches(&c->match, value) != c->is_inverted : absence_matches(c);
}

static bool is_named(const struct um_condition *c, unsigned id, struct um_str name)
{
    return id == c->id && (id != UM_FIELD_OTHER || um_str_ieq(name, c->name));
}

/* The edits that count for a name begin at its last SET or REMOVE, which hides the head's own lines. */
static uint32_t first_edit(const struct um_edits *edits, const struct um_condition *c, bool *ret_hides_head)
{
    uint32_t first = 0;
    *ret_hides_head = false;
    for (uint32_t i = 0; i < edits->n_edits; i++) {
        const struct um_edit *e = &edits->edits[i];
        if (e->op != UM_EDIT_ADD && is_named(c, e->id, e->name)) {
            first = i;
            *ret_hides_head = true;
        }
    }
    return first;
}

/* what the lines of one field have shown so far */
struct lines {
    bool is_there, is_match;
};

static void see_line(struct lines *seen, const struct um_condition *c, struct um_str value)
{
    seen->is_there = true;
    seen->is_match |= text_matches(&c->match, value);
}

static void see_head(struct lines *seen, const struct um_condition *c, const struct um_head *head)
{
    uint32_t first = 0;
    if (c->id != UM_FIELD_OTHER) {
        if (head->first_of[c->id] == 0)
            return;
        first = head->first_of[c->id] - 1U;
    }
    for (uint32_t i = first; i < head->n_fields && !seen->is_match; i++) {
        const struct um_field *f = &head->fields[i];
        if (!f->is_nominated && is_named(c, f->id, um_field_name(f)))
            see_line(seen, c, um_field_value(f));
    }
}

static void see_edits(struct lines *seen, const struct um_condition *c, const struct um_edits *edits, uint32_t first)
{
    for (uint32_t i = first; i < edits->n_edits && !seen->is_match; i++) {
        const struct um_edit *e = &edits->edits[i];
        if (e->op != UM_EDIT_REMOVE && is_named(c, e->id, e->name))
            see_line(seen, c, e->value);
    }
}

/* each line of a repeated field is matched alone, as Envoy 1.40 does */
static bool field_matches(const struct um_condition *c, const struct um_route_request *r)
{
    struct lines seen = {false, false};
    bool hides_head = false;
    uint32_t first = r->edits ? first_edit(r->edits, c, &hides_head) : 0;
    if (!hides_head)
        see_head(&seen, c, r->head);
    if (r->edits)
        see_edits(&seen, c, r->edits, first);
    return seen.is_there ? seen.is_match != c->is_inverted : absence_matches(c);
}

/* pseudo fields (RFC 9113 section 8.3.1), which Istio lets people name among the headers */
static bool pseudo_field_matches(const struct um_condition *c, const struct um_route_view *view)
{
    const struct um_route_request *r = view->request;
    if (um_str_eq(c->name, UM_STR(":path")))
        return value_matches(c, true, r->path);
    if (um_str_eq(c->name, UM_STR(":method")))
        return value_matches(c, true, view->method);
    if (um_str_eq(c->name, UM_STR(":scheme")))
        return value_matches(c, true, r->scheme);
    return value_matches(c, r->authority.n && um_str_eq(c->name, UM_STR(":authority")), r->authority);
}

static bool header_matches(const struct um_condition *c, const struct um_route_view *view)
{
    if (c->id == UM_FIELD_HOST)
        return value_matches(c, view->request->authority.n, view->request->authority);
    if (c->name.n && c->name.p[0] == ':')
        return pseudo_field_matches(c, view);
    return field_matches(c, view->request);
}

static bool condition_matches(const struct um_condition *c, const struct um_route_view *view)
{
    struct um_str value = {NULL, 0};
    bool is_there;
    switch (c->subject) {
    case UM_SUBJECT_HEADER:
        return header_matches(c, view);
    case UM_SUBJECT_METHOD:
        return value_matches(c, true, view->method);
    case UM_SUBJECT_SCHEME:
        return value_matches(c, true, view->request->scheme);
    case UM_SUBJECT_AUTHORITY:
        return value_matches(c, true, view->request->authority);
    case UM_SUBJECT_QUERY:
        is_there = um_url_query_param(view->query, c->name, &value);
        return value_matches(c, is_there, value);
    }
    return false;
}

/* ---- routes ------------------------------------------------------------------------------------- */

bool um_route_matches_view(const struct um_route *route, const struct um_route_view *view)
{
    const struct um_route_match *m = &route->match;
    if (!text_matches(&m->path, view->path))
        return false;
    for (uint32_t i = 0; i < m->n_conditions; i++)
        if (!condition_matches(&m->conditions[i], view))
            return false;
    return true;
}

bool um_route_matches(const struct um_route *route, const struct um_route_request *request)
{
    struct um_route_view view;
    um_route_view_init(&view, request);
    return um_route_matches_view(route, &view);
}

uint32_t um_route_scan(const struct um_virtual_host *vh, const struct um_route_view *view, uint32_t limit)
{
    uint32_t i = 0;
    while (i < limit && !um_route_matches_view(&vh->routes[i], view))
        i++;
    return i;
}

const struct um_route *um_route_match_linear(const struct um_virtual_host *vh, const struct um_route_request *request)
{
    struct um_route_view view;
    um_route_view_init(&view, request);
    uint32_t place = um_route_scan(vh, &view, vh->n_routes);
    return place < vh->n_routes ? &vh->routes[place] : NULL;
}
