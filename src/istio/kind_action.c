/* SPDX-License-Identifier: Apache-2.0 */
#include "istio/kind_action.h"

#include "istio/kind_match.h"
#include "istio/kind_rules.h"

enum { MAX_PORT = 65535, MAX_PERCENT = 100, MAX_BODY_BYTES = 1 << 20, LARGE_BODY_BYTES = 100 << 10 };

/* ---- Destination ---- */

static const struct um_field_row DESTINATION_PORT_ROWS[] = {
    UM_ROW(OPT_U32, "number", um_destination, port, .min = 1, .max = MAX_PORT, .is_required = true),
};
static const struct um_table destination_port_table = UM_TABLE(DESTINATION_PORT_ROWS, um_destination);

/* a ServiceEntry may have a wildcard for a host */
static const char *rule_destination(struct um_str s, struct um_arena *arena)
{
    return um_str_eq(s, UM_STR("*")) ? "must name a host: `*` is not one" : um_rule_wildcard_host(s, arena);
}

static const struct um_field_row DESTINATION_ROWS[] = {
    UM_ROW(TEXT, "host", um_destination, host, .is_required = true, .rule = rule_destination),
    UM_ROW(TEXT, "subset", um_destination, subset, .rule = um_rule_label),
    UM_ROW_FLAT("port", destination_port_table),
};
const struct um_table um_destination_table = UM_TABLE(DESTINATION_ROWS, um_destination);

static const struct um_field_row PERCENT_ROWS[] = {
    UM_ROW(OPT_DOUBLE, "value", um_percent, value, .min = 0, .max = MAX_PERCENT),
};
const struct um_table um_percent_table = UM_TABLE(PERCENT_ROWS, um_percent);

/* ---- HTTPRedirect, HTTPDirectResponse ---- */

static void check_redirect(struct um_decoder *d, void *object)
{
    const struct um_http_redirect *r = object;
    bool says_port = r->port.is_set || um_place_has(&r->place, "derivePort");
    if (!r->uri.n && !r->authority.n && !r->scheme.n && !says_port)
        um_decode_fault(d, &r->place, NULL, "must say uri, authority, scheme or port");
}

static const char *rule_scheme(struct um_str s, struct um_arena *arena)
{
    return um_str_eq(s, UM_STR("http")) || um_str_eq(s, UM_STR("https")) ? NULL : "must be `http` or `https`";
}

static const struct um_enum_name DERIVE_PORTS[] = {
    {"FROM_PROTOCOL_DEFAULT", UM_DERIVE_PORT_PROTOCOL_DEFAULT},
    {"FROM_REQUEST_PORT", UM_DERIVE_PORT_REQUEST},
    {NULL, 0},
};

static const struct um_field_row REDIRECT_ROWS[] = {
    UM_ROW(TEXT, "uri", um_http_redirect, uri),
    UM_ROW(TEXT, "authority", um_http_redirect, authority, .rule = um_rule_authority),
    UM_ROW(OPT_U32, "port", um_http_redirect, port, .min = 1, .max = MAX_PORT, .support = UM_UNSUPPORTED,
           .note = "write the port into `authority`"),
    UM_ROW(ENUM, "derivePort", um_http_redirect, derive_port, .names = DERIVE_PORTS, .support = UM_UNSUPPORTED,
           .note = "write the port into `authority`"),
    UM_ROW(TEXT, "scheme", um_http_redirect, scheme, .rule = rule_scheme),
    UM_ROW(OPT_U32, "redirectCode", um_http_redirect, redirect_code, .min = 300, .max = 399),
};
const struct um_table um_http_redirect_table = UM_TABLE(REDIRECT_ROWS, um_http_redirect, .check = check_redirect);

static void check_direct_response(struct um_decoder *d, void *object)
{
    const struct um_http_direct_response *r = object;
    if (r->body.n > MAX_BODY_BYTES)
        um_decode_fault(d, &r->place, "body.string", "is larger than 1 MiB");
    else if (r->body.n > LARGE_BODY_BYTES)
        um_decode_warning(d, &r->place, "body.string", "is larger than 100 KiB, and kept in memory");
}

static const struct um_field_row BODY_ROWS[] = {
    UM_ROW(TEXT, "string", um_http_direct_response, body),
    UM_ROW_UNREAD("bytes", .support = UM_UNSUPPORTED, .note = "use `string`"),
};
static const struct um_table body_table = UM_TABLE(BODY_ROWS, um_http_direct_response);

static const struct um_field_row DIRECT_RESPONSE_ROWS[] = {
    UM_ROW(OPT_U32, "status", um_http_direct_response, status, .min = 200, .max = 600, .is_required = true),
    UM_ROW_FLAT("body", body_table),
};
const struct um_table um_http_direct_response_table =
    UM_TABLE(DIRECT_RESPONSE_ROWS, um_http_direct_response, .check = check_direct_response);

/* ---- HTTPRewrite ---- */

static const struct um_field_row REGEX_REWRITE_ROWS[] = {
    UM_ROW(TEXT, "match", um_regex_rewrite, match, .is_required = true, .rule = um_rule_regex),
    UM_ROW(TEXT, "rewrite", um_regex_rewrite, rewrite, .is_required = true),
};
static const struct um_table regex_rewrite_table = UM_TABLE(REGEX_REWRITE_ROWS, um_regex_rewrite);

static void check_rewrite(struct um_decoder *d, void *object)
{
    const struct um_http_rewrite *r = object;
    if (!r->uri.n && !r->authority.n && !r->uri_regex_rewrite)
        um_decode_fault(d, &r->place, NULL, "must say uri, authority or uriRegexRewrite");
    if (r->uri.n && r->uri_regex_rewrite)
        um_decode_fault(d, &r->place, "uriRegexRewrite", "cannot stand beside `uri`");
}

static const struct um_field_row REWRITE_ROWS[] = {
    UM_ROW(TEXT, "uri", um_http_rewrite, uri),
    UM_ROW(TEXT, "authority", um_http_rewrite, authority, .rule = um_rule_authority),
    UM_ROW(OBJECT, "uriRegexRewrite", um_http_rewrite, uri_regex_rewrite, .table = &regex_rewrite_table,
           .support = UM_UNSUPPORTED, .note = "use `uri` with a prefix match"),
};
const struct um_table um_http_rewrite_table = UM_TABLE(REWRITE_ROWS, um_http_rewrite, .check = check_rewrite);

/* ---- HTTPRetry ---- */

static void check_retries(struct um_decoder *d, void *object)
{
    const struct um_http_retries *r = object;
    bool is_off = r->attempts.is_set && r->attempts.value == 0;
    bool says_more = r->per_try_timeout.is_set || r->retry_on.n || r->retry_remote_localities.is_set;
    if (is_off && says_more)
        um_decode_fault(
            d, &r->place, "attempts",
            "0 switches retries off: perTryTimeout, retryOn and retryRemoteLocalities cannot stand beside it");
}

static const char RETRIES_NOW[] = "a try that failed to connect, or was reset before any byte of an answer, is retried";

static const struct um_field_row RETRIES_ROWS[] = {
    UM_ROW(OPT_U32, "attempts", um_http_retries, attempts, .max = INT32_MAX),
    UM_ROW(OPT_MS, "perTryTimeout", um_http_retries, per_try_timeout, .min = 1, .support = UM_NO_EFFECT,
           .note = RETRIES_NOW),
    UM_ROW(TEXT, "retryOn", um_http_retries, retry_on, .rule = um_rule_retry_on),
    UM_ROW(OPT_BOOL, "retryRemoteLocalities", um_http_retries, retry_remote_localities, .support = UM_NO_EFFECT),
    UM_ROW(OPT_BOOL, "retryIgnorePreviousHosts", um_http_retries, retry_ignore_previous_hosts, .support = UM_NO_EFFECT),
    UM_ROW(OPT_MS, "backoff", um_http_retries, backoff, .min = 1),
};
const struct um_table um_http_retries_table = UM_TABLE(RETRIES_ROWS, um_http_retries, .check = check_retries);

/* ---- HTTPFaultInjection ---- */

static const struct um_field_row DELAY_ROWS[] = {
    UM_ROW(OPT_MS, "fixedDelay", um_http_fault_delay, fixed_delay, .min = 1, .is_required = true),
    UM_ROW(OPT_U32, "percent", um_http_fault_delay, percent, .max = MAX_PERCENT),
    UM_ROW(OBJECT, "percentage", um_http_fault_delay, percentage, .table = &um_percent_table),
};
static const struct um_table delay_table = UM_TABLE(DELAY_ROWS, um_http_fault_delay);

static void check_abort(struct um_decoder *d, void *object)
{
    const struct um_http_fault_abort *a = object;
    if (a->http_status.is_set == (a->grpc_status.p != NULL))
        um_decode_fault(d, &a->place, NULL, "must say either httpStatus or grpcStatus");
}

static const struct um_field_row ABORT_ROWS[] = {
    UM_ROW(OPT_U32, "httpStatus", um_http_fault_abort, http_status, .min = 200, .max = 600),
    UM_ROW(TEXT, "grpcStatus", um_http_fault_abort, grpc_status, .rule = um_rule_not_empty),
    UM_ROW(OBJECT, "percentage", um_http_fault_abort, percentage, .table = &um_percent_table),
};
static const struct um_table abort_table = UM_TABLE(ABORT_ROWS, um_http_fault_abort, .check = check_abort);

static void check_fault(struct um_decoder *d, void *object)
{
    const struct um_http_fault *f = object;
    if (!um_place_has(&f->place, "delay") && !um_place_has(&f->place, "abort"))
        um_decode_fault(d, &f->place, NULL, "must say delay or abort");
}

static const struct um_field_row FAULT_ROWS[] = {
    UM_ROW(OBJECT, "delay", um_http_fault, delay, .table = &delay_table),
    UM_ROW(OBJECT, "abort", um_http_fault, abort, .table = &abort_table),
};
const struct um_table um_http_fault_table = UM_TABLE(FAULT_ROWS, um_http_fault, .check = check_fault);

/* ---- CorsPolicy ---- */

static void check_cors(struct um_decoder *d, void *object)
{
    const struct um_cors_policy *c = object;
    if (c->max_age.is_set && c->max_age.ms % 1000)
        um_decode_fault(d, &c->place, "maxAge", "must be in whole seconds");
}

static const struct um_enum_name PREFLIGHTS[] = {
    {"UNSPECIFIED", UM_PREFLIGHTS_FORWARD},
    {"FORWARD", UM_PREFLIGHTS_FORWARD},
    {"IGNORE", UM_PREFLIGHTS_IGNORE},
    {NULL, 0},
};

static const struct um_field_row CORS_ROWS[] = {
    UM_ROW_LIST(OBJECTS, "allowOrigins", um_cors_policy, allow_origins, .table = &um_text_match_table),
    UM_ROW(TEXTS, "allowOrigin", um_cors_policy, allow_origin, .rule = um_rule_not_empty),
    UM_ROW(TEXTS, "allowMethods", um_cors_policy, allow_methods, .rule = um_rule_token),
    UM_ROW(TEXTS, "allowHeaders", um_cors_policy, allow_headers, .rule = um_rule_token),
    UM_ROW(TEXTS, "exposeHeaders", um_cors_policy, expose_headers, .rule = um_rule_token),
    UM_ROW(OPT_MS, "maxAge", um_cors_policy, max_age),
    UM_ROW(OPT_BOOL, "allowCredentials", um_cors_policy, allow_credentials),
    UM_ROW(ENUM, "unmatchedPreflights", um_cors_policy, unmatched_preflights, .names = PREFLIGHTS),
};
const struct um_table um_cors_policy_table = UM_TABLE(CORS_ROWS, um_cors_policy, .check = check_cors);
