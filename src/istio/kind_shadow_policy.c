/* SPDX-License-Identifier: Apache-2.0 */
#include "istio/decode.h"
#include "istio/kind_rules.h"

/* ---- targetRef, shadow ---- */

static const char *rule_group(struct um_str s, struct um_arena *arena)
{
    return um_str_eq(s, UM_STR("networking.istio.io")) ? NULL : "must be networking.istio.io";
}

static const char *rule_kind(struct um_str s, struct um_arena *arena)
{
    return um_str_eq(s, UM_STR("VirtualService")) ? NULL : "must be VirtualService";
}

static const struct um_field_row TARGET_ROWS[] = {
    UM_ROW(TEXT, "group", um_policy_target, group, .is_required = true, .rule = rule_group),
    UM_ROW(TEXT, "kind", um_policy_target, kind, .is_required = true, .rule = rule_kind),
    UM_ROW(TEXT, "name", um_policy_target, name, .is_required = true, .rule = um_rule_object_name),
    UM_ROW(TEXT, "sectionName", um_policy_target, section_name, .rule = um_rule_not_empty),
};
static const struct um_table target_table = UM_TABLE(TARGET_ROWS, um_policy_target);

static const struct um_field_row SHADOW_ROWS[] = {
    UM_ROW(TEXT, "host", um_policy_shadow, host, .is_required = true, .rule = um_rule_host),
    UM_ROW(TEXT, "subset", um_policy_shadow, subset, .rule = um_rule_label),
};
static const struct um_table shadow_table = UM_TABLE(SHADOW_ROWS, um_policy_shadow);

/* ---- sampling ---- */

#define KEY(kind_) .choice_offset = offsetof(struct um_policy_sampling_key, kind), .choice = UM_POLICY_KEY_##kind_

static void check_key(struct um_decoder *d, void *object)
{
    struct um_policy_sampling_key *key = object;
    if (key->kind == UM_POLICY_KEY_NONE)
        um_decode_fault(d, &key->place, NULL, "must be header, cookie, queryParam or sourceAddress");
    if (key->kind == UM_POLICY_KEY_SOURCE_ADDRESS && !key->source_address)
        key->kind = UM_POLICY_KEY_NONE;
}

static const struct um_field_row KEY_ROWS[] = {
    UM_ROW(TEXT, "header", um_policy_sampling_key, name, .rule = um_rule_token, KEY(HEADER)),
    UM_ROW(TEXT, "cookie", um_policy_sampling_key, name, .rule = um_rule_token, KEY(COOKIE)),
    UM_ROW(TEXT, "queryParam", um_policy_sampling_key, name, .rule = um_rule_not_empty, KEY(QUERY)),
    UM_ROW(BOOL, "sourceAddress", um_policy_sampling_key, source_address, KEY(SOURCE_ADDRESS)),
};
static const struct um_table key_table = UM_TABLE(KEY_ROWS, um_policy_sampling_key, .check = check_key);

static const struct um_field_row SAMPLING_ROWS[] = {
    UM_ROW(OBJECT, "key", um_policy_sampling, key, .table = &key_table, .is_required = true),
    UM_ROW(TEXT, "salt", um_policy_sampling, salt),
};
static const struct um_table sampling_table = UM_TABLE(SAMPLING_ROWS, um_policy_sampling);

/* ---- spec ---- */

static const struct um_enum_name MODES[] = {
    {"drop", UM_POLICY_MODE_DROP},
    {"backpressure", UM_POLICY_MODE_BACKPRESSURE},
    {NULL, 0},
};

static const struct um_enum_name BODIES[] = {
    {"stream", UM_POLICY_BODY_STREAM},
    {"none", UM_POLICY_BODY_NONE},
    {NULL, 0},
};

/* methods are case-sensitive: `get` would fit nothing */
static const char *rule_method(struct um_str s, struct um_arena *arena)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] >= 'a' && s.p[i] <= 'z')
            return "must be a method in upper case, such as GET";
    return um_rule_token(s, arena);
}

static const struct um_field_row POLICY_ROWS[] = {
    UM_ROW(OBJECT, "targetRef", um_policy, target_ref, .table = &target_table, .is_required = true),
    UM_ROW(OBJECT, "shadow", um_policy, shadow, .table = &shadow_table),
    UM_ROW(OBJECT, "sampling", um_policy, sampling, .table = &sampling_table),
    UM_ROW(TEXTS, "methods", um_policy, methods, .rule = rule_method),
    UM_ROW(OPT_MS, "timeout", um_policy, timeout, .min = 1),
    UM_ROW(OPT_BYTES, "maxBodyBytes", um_policy, max_body_bytes),
    UM_ROW(ENUM, "mode", um_policy, mode, .names = MODES),
    UM_ROW(ENUM, "body", um_policy, body, .names = BODIES),
    UM_ROW(OPT_BOOL, "hostSuffix", um_policy, host_suffix),
    UM_ROW(TEXT, "hostRewrite", um_policy, host_rewrite, .rule = um_rule_authority),
    UM_ROW(OPT_BOOL, "distinctEndpoints", um_policy, distinct_endpoints),
    UM_ROW(OBJECT, "headers", um_policy, headers, .table = &um_header_changes_request_table),
    UM_ROW_UNREAD("delivery", .support = UM_UNSUPPORTED),
    UM_ROW_UNREAD("rate", .support = UM_UNSUPPORTED),
    UM_ROW_UNREAD("redact", .support = UM_UNSUPPORTED),
    UM_ROW_UNREAD("compare", .support = UM_UNSUPPORTED),
    UM_ROW_UNREAD("record", .support = UM_UNSUPPORTED),
};
const struct um_table um_policy_table = UM_TABLE(POLICY_ROWS, um_policy);
