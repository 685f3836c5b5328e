/* SPDX-License-Identifier: Apache-2.0
 * http[].match[] of a VirtualService, and StringMatch. */
#include "istio/kind_match.h"

#include "istio/kind_rules.h"

/* ---- StringMatch ---- */

static void check_text_match(struct um_decoder *d, void *object)
{
    const struct um_text_match *m = object;
    if (m->text.p && m->text.n == 0 && m->kind == UM_TEXT_PREFIX)
        um_decode_fault(d, &m->place, "prefix", "must not be empty");
    if (m->text.p && m->kind == UM_TEXT_REGEX) {
        const char *wrong = um_rule_regex(m->text, d->arena);
        if (wrong)
            um_decode_fault(d, &m->place, "regex", "%s", wrong);
    }
}

/* of a path Istio takes an empty prefix or regex as "any" */
static void check_uri_match(struct um_decoder *d, void *object)
{
    const struct um_text_match *m = object;
    if (m->text.n)
        check_text_match(d, object);
}

static const struct um_field_row TEXT_MATCH_ROWS[] = {
    UM_ROW(TEXT, "exact", um_text_match, text, .choice_offset = offsetof(struct um_text_match, kind),
           .choice = UM_TEXT_EXACT),
    UM_ROW(TEXT, "prefix", um_text_match, text, .choice_offset = offsetof(struct um_text_match, kind),
           .choice = UM_TEXT_PREFIX),
    UM_ROW(TEXT, "regex", um_text_match, text, .choice_offset = offsetof(struct um_text_match, kind),
           .choice = UM_TEXT_REGEX),
};

const struct um_table um_text_match_table = UM_TABLE(TEXT_MATCH_ROWS, um_text_match, .check = check_text_match);
static const struct um_table uri_match_table = UM_TABLE(TEXT_MATCH_ROWS, um_text_match, .check = check_uri_match);

/* ---- HTTPMatchRequest ---- */

static bool is_pseudo_header(struct um_str name)
{
    static const struct um_str NAMES[] = {UM_STR_INIT(":authority"), UM_STR_INIT(":method"), UM_STR_INIT(":path"),
                                          UM_STR_INIT(":scheme")};
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++)
        if (um_str_eq(name, NAMES[i]))
            return true;
    return false;
}

static void check_header_names(struct um_decoder *d, const struct um_text_match *headers, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        const struct um_place *place = &headers[i].place;
        if (um_str_starts(place->key, UM_STR("@request.auth.claims")))
            um_decode_fault(d, place, NULL, "is not supported yet: claims of a JWT");
        else if (!is_pseudo_header(place->key) && um_rule_token(place->key, d->arena))
            um_decode_fault(d, place, NULL, "is not a header's name");
    }
}

static void check_http_match(struct um_decoder *d, void *object)
{
    const struct um_http_match *m = object;
    check_header_names(d, m->headers, m->n_headers);
    check_header_names(d, m->without_headers, m->n_without_headers);
    for (uint32_t i = 0; i < m->n_query_params; i++)
        if (m->query_params[i].place.key.n == 0)
            um_decode_fault(d, &m->query_params[i].place, NULL, "the name of a query parameter must not be empty");
    if (m->gateways.n && m->source_labels.n)
        um_decode_warning(d, &m->place, "sourceLabels", "has no effect beside `gateways`, as in Istio");
    if (m->gateways.n && m->source_namespace.n)
        um_decode_warning(d, &m->place, "sourceNamespace", "has no effect beside `gateways`, as in Istio");
}

static const struct um_field_row HTTP_MATCH_ROWS[] = {
    UM_ROW(TEXT, "name", um_http_match, name),
    UM_ROW(OBJECT, "uri", um_http_match, uri, .table = &uri_match_table),
    UM_ROW(OBJECT, "scheme", um_http_match, scheme, .table = &um_text_match_table),
    UM_ROW(OBJECT, "method", um_http_match, method, .table = &um_text_match_table),
    UM_ROW(OBJECT, "authority", um_http_match, authority, .table = &um_text_match_table),
    UM_ROW_LIST(OBJECT_MAP, "headers", um_http_match, headers, .table = &um_text_match_table),
    UM_ROW_LIST(OBJECT_MAP, "withoutHeaders", um_http_match, without_headers, .table = &um_text_match_table),
    UM_ROW_LIST(OBJECT_MAP, "queryParams", um_http_match, query_params, .table = &um_text_match_table),
    UM_ROW(OPT_U32, "port", um_http_match, port, .min = 1, .max = 65535),
    UM_ROW(PAIRS, "sourceLabels", um_http_match, source_labels),
    UM_ROW(TEXTS, "gateways", um_http_match, gateways, .rule = um_rule_gateway_reference),
    UM_ROW(BOOL, "ignoreUriCase", um_http_match, ignore_uri_case),
    UM_ROW(TEXT, "sourceNamespace", um_http_match, source_namespace, .rule = um_rule_label),
    UM_ROW(TEXT, "statPrefix", um_http_match, stat_prefix, .support = UM_NO_EFFECT,
           .note = "umbra's metrics name every route"),
};

const struct um_table um_http_match_table = UM_TABLE(HTTP_MATCH_ROWS, um_http_match, .check = check_http_match);

/* ---- a rule that matches every request ---- */

static bool is_any_path(const struct um_text_match *uri)
{
    if (!uri || uri->kind == UM_TEXT_PRESENT)
        return true;
    if (uri->kind == UM_TEXT_PREFIX)
        return um_str_eq(uri->text, UM_STR("/")) || uri->text.n == 0;
    return uri->kind == UM_TEXT_REGEX && um_str_eq(uri->text, UM_STR(".*"));
}

static bool is_any_request(const struct um_http_match *m)
{
    return is_any_path(m->uri) && !m->scheme && !m->method && !m->authority && !m->n_headers && !m->n_without_headers &&
           !m->n_query_params && !m->port.is_set && !m->source_labels.n && !m->gateways.n && !m->source_namespace.n;
}

bool um_http_route_is_catch_all(const struct um_http_route *route)
{
    for (uint32_t i = 0; i < route->n_match; i++)
        if (is_any_request(&route->match[i]))
            return true;
    return route->n_match == 0;
}
