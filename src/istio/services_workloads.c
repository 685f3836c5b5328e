/* SPDX-License-Identifier: Apache-2.0 */
#include "istio/services_workloads.h"

#include "istio/compile_grow.h"
#include "istio/names.h"

static struct um_str label_key(struct um_arena *arena, struct um_str namespace_name, const struct um_pair *label)
{
    return um_arena_printf(arena, "%.*s/%.*s=%.*s", UM_STR_ARG(namespace_name), UM_STR_ARG(label->key),
                           UM_STR_ARG(label->value));
}

static int add_to_list(struct um_workload_list *list, struct um_workload_ref ref, struct um_arena *arena)
{
    list->items = um_grow(arena, list->items, list->n, sizeof *list->items);
    if (!list->items)
        return UM_ENOMEM;
    list->items[list->n++] = ref;
    return 0;
}

static int add_label(struct um_workload_index *x, struct um_str key, struct um_workload_ref ref, struct um_arena *arena)
{
    struct um_workload_list *list = key.p ? um_map_get(&x->by_label, key) : NULL;
    if (!list) {
        list = um_arena_zalloc(arena, sizeof *list);
        if (!list || !key.p || um_map_put(&x->by_label, key, list, NULL))
            return UM_ENOMEM;
    }
    return add_to_list(list, ref, arena);
}

static int add_workload(struct um_workload_index *x, const struct um_meta *meta, struct um_workload_ref ref,
                        struct um_arena *arena)
{
    for (uint32_t i = 0; i < ref.labels->n; i++) {
        int rc = add_label(x, label_key(arena, meta->namespace_name, &ref.labels->items[i]), ref, arena);
        if (rc)
            return rc;
    }
    return 0;
}

/* a WorkloadEntry's labels are those of its metadata and, where these do not say, of its spec */
static const struct um_pairs *entry_labels(const struct um_workload_entry *entry, struct um_arena *arena)
{
    const struct um_pairs *over = &entry->meta.labels, *under = &entry->workload.labels;
    if (over->n == 0)
        return under;
    struct um_pairs *merged = um_arena_zalloc(arena, sizeof *merged);
    struct um_pair *items = um_arena_array(arena, over->n + under->n, sizeof *items);
    if (!merged || !items)
        return NULL;
    memcpy(items, over->items, over->n * sizeof *items);
    *merged = (struct um_pairs){items, over->n};
    for (uint32_t i = 0; i < under->n; i++)
        if (!um_pairs_get(over, under->items[i].key))
            items[merged->n++] = under->items[i];
    return merged;
}

static int add_entry(struct um_workload_index *x, const struct um_workload_entry *entry, struct um_arena *arena)
{
    struct um_workload_ref ref = {.labels = entry_labels(entry, arena), .entry = entry};
    return ref.labels ? add_workload(x, &entry->meta, ref, arena) : UM_ENOMEM;
}

static int add_pod(struct um_workload_index *x, struct um_pod *pod, struct um_arena *arena)
{
    struct um_str key = um_name_key(arena, pod->meta.namespace_name, pod->meta.name);
    if (!key.p || um_map_put(&x->pods, key, pod, NULL))
        return UM_ENOMEM;
    if (pod->pod_ip.n && um_map_put(&x->pods, pod->pod_ip, pod, NULL))
        return UM_ENOMEM;
    return add_workload(x, &pod->meta, (struct um_workload_ref){.labels = &pod->meta.labels, .pod = pod}, arena);
}

int um_workload_index_build(struct um_workload_index *x, const struct um_resources *resources, struct um_arena *arena)
{
    int rc = 0;
    um_map_init(&x->by_label);
    um_map_init(&x->pods);
    for (uint32_t i = 0; rc == 0 && i < resources->n_pods; i++)
        rc = add_pod(x, &resources->pods[i], arena);
    for (uint32_t i = 0; rc == 0 && i < resources->n_workload_entries; i++)
        rc = add_entry(x, &resources->workload_entries[i], arena);
    return rc;
}

void um_workload_index_release(struct um_workload_index *x)
{
    um_map_release(&x->by_label);
    um_map_release(&x->pods);
}

int um_workload_candidates(const struct um_workload_index *x, struct um_str namespace_name,
                           const struct um_pairs *selector, struct um_arena *scratch, struct um_workload_list *ret_list)
{
    struct um_workload_list best = {0};
    for (uint32_t i = 0; i < selector->n; i++) {
        struct um_str key = label_key(scratch, namespace_name, &selector->items[i]);
        if (!key.p)
            return UM_ENOMEM;
        const struct um_workload_list *list = um_map_get(&x->by_label, key);
        if (!list) {
            best.n = 0;
            break;
        }
        if (i == 0 || list->n < best.n)
            best = *list;
    }
    *ret_list = best;
    return 0;
}
