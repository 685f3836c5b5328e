/* SPDX-License-Identifier: Apache-2.0
 * Headers.HeaderOperations: of routes, destinations and ShadowPolicies. */
#include "istio/kind_action.h"
#include "istio/kind_rules.h"

#include "http/message.h"

static bool is_host(struct um_str name)
{
    return um_str_ieq(name, UM_STR("host")) || um_str_eq(name, UM_STR(":authority"));
}

/* %VAR% or %VAR(...)% at s, its length; 0: none */
static size_t variable_length(struct um_str s)
{
    ptrdiff_t end = um_str_find(um_str_skip(s, 1), '%');
    return end < 0 ? 0 : (size_t)end + 2;
}

/* Envoy reads `%%` as a percent sign and `%NAME%` as a variable */
static const char *wrong_value(struct um_str value)
{
    if (!um_is_field_value(value))
        return "is not a header's value: control characters, or spaces at its ends";
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] != '%')
            continue;
        size_t n = variable_length(um_str_skip(value, i));
        if (n == 0)
            return "has a single `%`: write `%%`";
        if (n > 2)
            return "is not supported yet: variables (`%NAME%`)";
        i++;
    }
    return NULL;
}

static void wrong_pair(struct um_decoder *d, const struct um_header_changes *h, const char *list,
                       const struct um_pair *pair, const char *wrong)
{
    bool is_counted_only = um_diag_is_full(d->diag, UM_SEVERITY_ERROR);
    const struct um_place up = {&h->place, h->place.meta, um_node_get(h->place.node, list), um_str_from(list), -1};
    const struct um_entry *entry = is_counted_only ? up.node->entries : um_node_find(up.node, pair->key);
    const struct um_place at = {&up, up.meta, entry->value, pair->key, -1};
    if (wrong)
        um_decode_fault(d, &at, NULL, "%s", wrong);
    else
        um_complain_at(d->diag, UM_SEVERITY_ERROR, &at, entry->pos, NULL, "is not a header that can be set here");
}

static void check_pairs(struct um_decoder *d, const struct um_header_changes *h, const char *list,
                        const struct um_pairs *pairs, bool is_request)
{
    for (uint32_t i = 0; i < pairs->n; i++) {
        const struct um_pair *pair = &pairs->items[i];
        const char *wrong = wrong_value(pair->value);
        if (wrong)
            wrong_pair(d, h, list, pair, wrong);
        if (is_host(pair->key) ? !is_request : um_rule_token(pair->key, d->arena) != NULL)
            wrong_pair(d, h, list, pair, NULL);
    }
}

static uint32_t count_hosts(const struct um_pairs *pairs)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < pairs->n; i++)
        n += is_host(pairs->items[i].key);
    return n;
}

static void check_changes(struct um_decoder *d, const struct um_header_changes *h, bool is_request)
{
    check_pairs(d, h, "set", &h->set, is_request);
    check_pairs(d, h, "add", &h->add, is_request);
    if (count_hosts(&h->set) + count_hosts(&h->add) > 1)
        um_decode_fault(d, &h->place, NULL, "the host can be set once only");
}

static void check_request_changes(struct um_decoder *d, void *object)
{
    check_changes(d, object, true);
}

static void check_response_changes(struct um_decoder *d, void *object)
{
    check_changes(d, object, false);
}

static const char *rule_removable(struct um_str name, struct um_arena *arena)
{
    return is_host(name) || um_rule_token(name, arena) ? "is not a header that can be removed" : NULL;
}

static const struct um_field_row CHANGE_ROWS[] = {
    UM_ROW(PAIRS, "set", um_header_changes, set),
    UM_ROW(PAIRS, "add", um_header_changes, add),
    UM_ROW(TEXTS, "remove", um_header_changes, remove, .rule = rule_removable),
};

const struct um_table um_header_changes_request_table =
    UM_TABLE(CHANGE_ROWS, um_header_changes, .check = check_request_changes);
static const struct um_table response_table = UM_TABLE(CHANGE_ROWS, um_header_changes, .check = check_response_changes);

static const struct um_field_row HEADERS_ROWS[] = {
    UM_ROW(OBJECT, "request", um_http_headers, request, .table = &um_header_changes_request_table),
    UM_ROW(OBJECT, "response", um_http_headers, response, .table = &response_table),
};

const struct um_table um_http_headers_table = UM_TABLE(HEADERS_ROWS, um_http_headers);
