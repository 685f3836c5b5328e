/* SPDX-License-Identifier: Apache-2.0
 * Documents into resources: which kind each is, its metadata, then its fields by the kind's table. */
#include "istio/decode_meta.h"

struct kind_row {
    const char *name, *group, *versions[4];       /* group "": core */
    const char *other_group;                      /* another API's kind of the same name: not used */
    const struct um_table *spec, *status, *whole; /* whole: the kind has no spec */
    size_t size, object_offset, list_offset, count_offset;
};

#define KIND(name_, group_, struct_, list_, ...)                                                                       \
    {                                                                                                                  \
        .name = (name_), .group = (group_), .size = sizeof(struct struct_),                                            \
        .list_offset = offsetof(struct um_resources, list_), .count_offset = offsetof(struct um_resources, n_##list_), \
        __VA_ARGS__                                                                                                    \
    }

#define ISTIO "networking.istio.io"
#define ISTIO_VERSIONS .versions = {"v1", "v1beta1", "v1alpha3"}

static const struct kind_row KINDS[UM_KINDS] = {
    [UM_KIND_VIRTUAL_SERVICE] = KIND("VirtualService", ISTIO, um_virtual_service, virtual_services, ISTIO_VERSIONS,
                                     .spec = &um_virtual_service_table),
    [UM_KIND_DESTINATION_RULE] = KIND("DestinationRule", ISTIO, um_destination_rule, destination_rules, ISTIO_VERSIONS,
                                      .spec = &um_destination_rule_table),
    [UM_KIND_SERVICE_ENTRY] =
        KIND("ServiceEntry", ISTIO, um_service_entry, service_entries, ISTIO_VERSIONS, .spec = &um_service_entry_table),
    [UM_KIND_WORKLOAD_ENTRY] =
        KIND("WorkloadEntry", ISTIO, um_workload_entry, workload_entries, ISTIO_VERSIONS, .spec = &um_workload_table,
             .object_offset = offsetof(struct um_workload_entry, workload)),
    [UM_KIND_GATEWAY] = KIND("Gateway", ISTIO, um_gateway, gateways, ISTIO_VERSIONS, .spec = &um_gateway_table,
                             .other_group = "gateway.networking.k8s.io"),
    [UM_KIND_SERVICE] = KIND("Service", "", um_service, services, .versions = {"v1"}, .spec = &um_service_table,
                             .other_group = "serving.knative.dev"),
    [UM_KIND_ENDPOINT_SLICE] = KIND("EndpointSlice", "discovery.k8s.io", um_endpoint_slice, endpoint_slices,
                                    .versions = {"v1"}, .whole = &um_endpoint_slice_table),
    [UM_KIND_ENDPOINTS] =
        KIND("Endpoints", "", um_endpoints, endpoints, .versions = {"v1"}, .whole = &um_endpoints_table),
    [UM_KIND_POD] =
        KIND("Pod", "", um_pod, pods, .versions = {"v1"}, .spec = &um_pod_table, .status = &um_pod_status_table),
    [UM_KIND_SHADOW_POLICY] =
        KIND("ShadowPolicy", "umbra.mesh", um_policy, policies, .versions = {"v1alpha1"}, .spec = &um_policy_table),
};

struct decoding {
    struct um_decoder decoder;
    const struct um_documents *docs;
    struct um_str default_namespace;
    struct um_resources *resources;
    int8_t *kind_of;       /* of each document; -1: none of ours */
    struct um_map by_name; /* resource path -> um_meta */
    struct um_map ignored; /* "apiVersion/kind" -> um_ignored_kind */
};

/* ---- which kind a document is ---- */

static struct um_str text_at(const struct um_node *map, const char *key)
{
    const struct um_node *node = um_node_get(map, key);
    return node && node->kind == UM_NODE_SCALAR ? node->text : (struct um_str){NULL, 0};
}

static void split_api_version(struct um_str api, struct um_str *ret_group, struct um_str *ret_version)
{
    ptrdiff_t slash = um_str_find(api, '/');
    *ret_group = (struct um_str){api.p, slash < 0 ? 0 : (size_t)slash};
    *ret_version = um_str_skip(api, (size_t)(slash + 1));
}

static bool has_version(const struct kind_row *row, struct um_str version)
{
    for (size_t i = 0; row->versions[i]; i++)
        if (um_str_eq(version, um_str_from(row->versions[i])))
            return true;
    return false;
}

static void wrong_api(struct decoding *g, const struct um_place *root, const struct kind_row *row, struct um_str api)
{
    struct um_decoder *d = &g->decoder;
    const char *slash = *row->group ? "/" : "";
    const char *hint = um_arena_printf(d->arena, "did you mean %s%s%s?", row->group, slash, row->versions[0]).p;
    um_complain(d->diag, UM_SEVERITY_ERROR, root, "apiVersion", hint, "`%.*s` has no kind %s", UM_STR_ARG(api),
                row->name);
}

static int count_ignored(struct decoding *g, const struct um_node *root, struct um_str api, struct um_str kind)
{
    struct um_arena *arena = g->decoder.arena;
    void *old;
    struct um_str key = um_arena_printf(arena, "%.*s/%.*s", UM_STR_ARG(api), UM_STR_ARG(kind));
    struct um_ignored_kind *ignored = key.p ? um_map_get(&g->ignored, key) : NULL;
    if (!ignored) {
        ignored = um_arena_zalloc(arena, sizeof *ignored);
        if (!key.p || !ignored)
            return UM_ENOMEM;
        *ignored = (struct um_ignored_kind){.api_version = api, .kind = kind, .pos = root->pos};
        int rc = um_map_put(&g->ignored, key, ignored, &old);
        if (rc)
            return rc;
    }
    ignored->count++;
    return 0;
}

static const struct kind_row *find_kind(struct um_str kind)
{
    for (size_t i = 0; i < UM_KINDS; i++)
        if (um_str_eq(kind, um_str_from(KINDS[i].name)))
            return &KINDS[i];
    return NULL;
}

/* *ret_row NULL: nothing to decode */
static int classify(struct decoding *g, const struct um_node *root, const struct kind_row **ret_row)
{
    struct um_meta meta = {.place = {.meta = &meta, .node = root, .index = -1}};
    struct um_str kind = text_at(root, "kind"), api = text_at(root, "apiVersion"), group, version;
    *ret_row = NULL;
    if (kind.n)
        um_decode_names(&g->decoder, kind, g->default_namespace, &meta);
    if (!kind.n || !api.n) {
        um_decode_fault(&g->decoder, &meta.place, kind.n ? "apiVersion" : "kind", "is missing: this is not a resource");
        return 0;
    }
    const struct kind_row *row = find_kind(kind);
    split_api_version(api, &group, &version);
    if (!row || (row->other_group && um_str_eq(group, um_str_from(row->other_group))))
        return count_ignored(g, root, api, kind);
    if (!um_str_eq(group, um_str_from(row->group)) || !has_version(row, version))
        wrong_api(g, &meta.place, row, api);
    else
        *ret_row = row;
    return 0;
}

/* ---- one resource ---- */

/* the fields beside spec that every resource of ours has; the Kubernetes kinds have more */
static const struct um_field_row TOP_ROWS[] = {
    UM_ROW_UNREAD("apiVersion"), UM_ROW_UNREAD("kind"),
    UM_ROW_UNREAD("metadata"),   UM_ROW_UNREAD("spec", .is_required = true),
    UM_ROW_UNREAD("status"),
};
static const struct um_table TOP = {.rows = TOP_ROWS, .n_rows = sizeof TOP_ROWS / sizeof TOP_ROWS[0]};

/* NULL: the part is missing, or no mapping, and was complained of if that is wrong */
static const struct um_node *part_of(struct um_decoder *d, const struct um_place *root, const char *name, bool is_open)
{
    const struct um_node *node = um_node_get(root->node, name);
    struct um_place at = {root, root->meta, node, um_str_from(name), -1};
    if (!node || um_node_is_null(node)) {
        struct um_node *empty = is_open ? um_decode_alloc(d, 1, sizeof *empty) : NULL;
        if (empty)
            *empty = (struct um_node){.kind = UM_NODE_MAP, .pos = root->node->pos};
        return empty;
    }
    if (node->kind == UM_NODE_MAP)
        return node;
    um_decode_wrong_type(d, &at, "a mapping");
    return NULL;
}

static void decode_spec(struct um_decoder *d, const struct um_table *table, const struct um_place *root, void *object)
{
    if (!table->is_open)
        um_decode_fields(d, &TOP, root, NULL);
    struct um_place at = {root, root->meta, part_of(d, root, "spec", table->is_open), UM_STR("spec"), -1};
    struct um_place *kept = (void *)((char *)object + table->place_offset);
    *kept = at.node ? at : *root;
    if (at.node)
        um_decode_object(d, table, &at, object);
}

static void decode_status(struct um_decoder *d, const struct um_table *table, const struct um_place *root, void *object)
{
    struct um_place *at = um_decode_alloc(d, 1, sizeof *at);
    if (!at)
        return;
    *at = (struct um_place){root, root->meta, part_of(d, root, "status", true), UM_STR("status"), -1};
    if (at->node)
        um_decode_fields(d, table, at, object);
}

static void check_unique(struct decoding *g, struct um_meta *meta)
{
    struct um_decoder *d = &g->decoder;
    const struct um_meta *old = meta->name.n ? um_decode_claim(d, &g->by_name, meta->resource, meta) : NULL;
    if (!old)
        return;
    struct um_pos first = um_place_pos(&old->place, "metadata.name");
    const char *hint = um_arena_printf(d->arena, "the first is at %s:%u:%u", first.file, first.line, first.column).p;
    um_complain(d->diag, UM_SEVERITY_ERROR, &meta->place, "metadata.name", hint, "the resource is defined twice");
}

static int decode_one(struct decoding *g, const struct kind_row *row, uint32_t index, struct um_meta *meta)
{
    struct um_decoder *d = &g->decoder;
    uint64_t errors = d->diag->n_found[UM_SEVERITY_ERROR];
    void *object = (char *)meta + row->object_offset;
    meta->kind = (enum um_kind)(row - KINDS);
    meta->order = index;
    meta->place = (struct um_place){.meta = meta, .node = g->docs->roots[index], .index = -1};
    um_decode_names(d, um_str_from(row->name), g->default_namespace, meta);
    um_decode_meta(d, meta);
    check_unique(g, meta);
    if (row->status)
        decode_status(d, row->status, &meta->place, object);
    if (row->spec)
        decode_spec(d, row->spec, &meta->place, object);
    else
        um_decode_object(d, row->whole, &meta->place, object);
    meta->is_broken = d->diag->n_found[UM_SEVERITY_ERROR] > errors;
    return d->no_memory ? UM_ENOMEM : 0;
}

/* ---- all of them ---- */

static void **list_of(struct um_resources *r, const struct kind_row *row)
{
    return (void **)(void *)((char *)r + row->list_offset);
}

static uint32_t *count_of(struct um_resources *r, const struct kind_row *row)
{
    return (uint32_t *)(void *)((char *)r + row->count_offset);
}

static int classify_all(struct decoding *g)
{
    for (uint32_t i = 0; i < g->docs->n; i++) {
        const struct kind_row *row;
        int rc = classify(g, g->docs->roots[i], &row);
        if (rc)
            return rc;
        g->kind_of[i] = row ? (int8_t)(row - KINDS) : -1;
        if (row)
            ++*count_of(g->resources, row);
    }
    return 0;
}

static int make_lists(struct decoding *g)
{
    for (size_t i = 0; i < UM_KINDS; i++) {
        uint32_t *n = count_of(g->resources, &KINDS[i]);
        void *list = um_decode_alloc(&g->decoder, *n, KINDS[i].size);
        if (!list)
            return UM_ENOMEM;
        *list_of(g->resources, &KINDS[i]) = list;
        *n = 0;
    }
    return 0;
}

static int decode_all(struct decoding *g)
{
    int rc = classify_all(g);
    if (rc == 0)
        rc = make_lists(g);
    for (uint32_t i = 0; i < g->docs->n && rc == 0; i++) {
        if (g->kind_of[i] < 0)
            continue;
        const struct kind_row *row = &KINDS[g->kind_of[i]];
        uint32_t at = (*count_of(g->resources, row))++;
        rc = decode_one(g, row, i, (void *)((char *)*list_of(g->resources, row) + at * row->size));
    }
    return rc;
}

static int list_ignored(struct decoding *g)
{
    struct um_resources *r = g->resources;
    r->ignored = um_decode_alloc(&g->decoder, g->ignored.n_live, sizeof *r->ignored);
    if (!r->ignored)
        return UM_ENOMEM;
    UM_MAP_EACH (entry, &g->ignored) {
        r->ignored[r->n_ignored++] = *(struct um_ignored_kind *)entry->value;
    }
    return 0;
}

int um_istio_decode(const struct um_documents *docs, struct um_str default_namespace, struct um_diag *diag,
                    struct um_arena *arena, struct um_resources *ret_resources)
{
    struct um_resources resources = {0};
    struct decoding g = {.decoder = {.diag = diag, .arena = arena},
                         .docs = docs,
                         .default_namespace = default_namespace,
                         .resources = &resources};
    um_map_init(&g.by_name);
    um_map_init(&g.ignored);
    g.kind_of = um_decode_alloc(&g.decoder, docs->n, sizeof *g.kind_of);
    int rc = g.kind_of ? decode_all(&g) : UM_ENOMEM;
    if (rc == 0)
        rc = list_ignored(&g);
    um_map_release(&g.by_name);
    um_map_release(&g.ignored);
    if (rc == 0)
        *ret_resources = resources;
    return rc;
}
