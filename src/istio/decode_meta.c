/* SPDX-License-Identifier: Apache-2.0 */
#include "istio/decode_meta.h"

#include "istio/kind_rules.h"

#include <time.h>

struct metadata {
    struct um_place place;
    struct um_str name, namespace_name, created;
    struct um_pairs labels, annotations;
};

static const struct um_field_row METADATA_ROWS[] = {
    UM_ROW(TEXT, "name", metadata, name, .is_required = true, .rule = um_rule_object_name),
    UM_ROW(TEXT, "namespace", metadata, namespace_name, .rule = um_rule_label),
    UM_ROW(PAIRS, "labels", metadata, labels),
    UM_ROW(PAIRS, "annotations", metadata, annotations),
    UM_ROW(TEXT, "creationTimestamp", metadata, created),
    UM_ROW_UNREAD("generateName"),
    UM_ROW_UNREAD("selfLink"),
    UM_ROW_UNREAD("uid"),
    UM_ROW_UNREAD("resourceVersion"),
    UM_ROW_UNREAD("generation"),
    UM_ROW_UNREAD("deletionTimestamp"),
    UM_ROW_UNREAD("deletionGracePeriodSeconds"),
    UM_ROW_UNREAD("ownerReferences"),
    UM_ROW_UNREAD("finalizers"),
    UM_ROW_UNREAD("managedFields"),
    UM_ROW_UNREAD("clusterName"),
};
static const struct um_table METADATA = UM_TABLE(METADATA_ROWS, metadata);

/* `width` digits and the sign behind them, off *s */
static bool take_number(struct um_str *s, size_t width, char sign, int *ret_value)
{
    uint64_t v;
    if (s->n < width || um_str_to_u64((struct um_str){s->p, width}, INT32_MAX, &v) != 0)
        return false;
    *s = um_str_skip(*s, width);
    if (sign && (s->n == 0 || um_lower(s->p[0]) != sign))
        return false;
    *s = um_str_skip(*s, sign != '\0');
    *ret_value = (int)v;
    return true;
}

static bool take_offset(struct um_str s, int *ret_seconds)
{
    int hours, minutes;
    *ret_seconds = 0;
    if (s.n == 1 && um_lower(s.p[0]) == 'z')
        return true;
    if (s.n != 6 || (s.p[0] != '+' && s.p[0] != '-'))
        return false;
    bool is_east = s.p[0] == '+';
    s = um_str_skip(s, 1);
    if (!take_number(&s, 2, ':', &hours) || !take_number(&s, 2, '\0', &minutes) || hours > 23 || minutes > 59)
        return false;
    *ret_seconds = (hours * 60 + minutes) * (is_east ? 60 : -60);
    return true;
}

/* RFC 3339, fractions of a second left out */
static bool parse_time(struct um_str s, int64_t *ret_seconds)
{
    struct tm t = {0};
    int offset;
    if (!take_number(&s, 4, '-', &t.tm_year) || !take_number(&s, 2, '-', &t.tm_mon) ||
        !take_number(&s, 2, 't', &t.tm_mday) || !take_number(&s, 2, ':', &t.tm_hour) ||
        !take_number(&s, 2, ':', &t.tm_min) || !take_number(&s, 2, '\0', &t.tm_sec))
        return false;
    if (s.n && s.p[0] == '.')
        do
            s = um_str_skip(s, 1);
        while (s.n && s.p[0] >= '0' && s.p[0] <= '9');
    bool is_date = t.tm_mon >= 1 && t.tm_mon <= 12 && t.tm_mday >= 1 && t.tm_mday <= 31;
    if (!is_date || t.tm_hour > 23 || t.tm_min > 59 || t.tm_sec > 60 || !take_offset(s, &offset))
        return false;
    t.tm_year -= 1900;
    t.tm_mon -= 1;
    *ret_seconds = (int64_t)timegm(&t) - offset;
    return true;
}

static struct um_str raw_text(const struct um_node *map, const char *key)
{
    const struct um_node *node = um_node_get(map, key);
    return node && node->kind == UM_NODE_SCALAR && !um_node_is_null(node) ? node->text : UM_STR("");
}

void um_decode_names(struct um_decoder *d, struct um_str kind, struct um_str default_namespace, struct um_meta *meta)
{
    const struct um_node *metadata = um_node_get(meta->place.node, "metadata");
    meta->name = raw_text(metadata, "name");
    meta->namespace_name = raw_text(metadata, "namespace");
    if (meta->namespace_name.n == 0)
        meta->namespace_name = default_namespace;
    meta->resource = um_arena_printf(d->arena, "%.*s/%.*s/%.*s", UM_STR_ARG(kind), UM_STR_ARG(meta->namespace_name),
                                     UM_STR_ARG(meta->name));
    d->no_memory |= !meta->resource.p;
}

void um_decode_meta(struct um_decoder *d, struct um_meta *meta)
{
    struct metadata m = {0};
    const struct um_entry *entry = um_node_find(meta->place.node, UM_STR("metadata"));
    struct um_place at = {&meta->place, meta, entry ? entry->value : NULL, UM_STR("metadata"), -1};
    if (!entry || um_node_is_null(entry->value)) {
        um_decode_fault(d, &meta->place, "metadata.name", "is missing");
        return;
    }
    if (at.node->kind != UM_NODE_MAP) {
        um_decode_wrong_type(d, &at, "a mapping");
        return;
    }
    um_decode_object(d, &METADATA, &at, &m);
    meta->labels = m.labels;
    meta->annotations = m.annotations;
    meta->has_created = m.created.n && parse_time(m.created, &meta->created_s);
    if (m.created.n && !meta->has_created)
        um_decode_fault(d, &at, "creationTimestamp", "must be a time such as 2026-01-31T12:00:00Z");
}
