/* SPDX-License-Identifier: Apache-2.0 */
#include "istio/compile_scope.h"

#include "istio/compile_grow.h"
#include "istio/resources.h"

#include <stdlib.h>

#define META_IS_FIRST(type) _Static_assert(offsetof(type, meta) == 0, "um_by_age takes a resource for its meta")
META_IS_FIRST(struct um_virtual_service);
META_IS_FIRST(struct um_destination_rule);
META_IS_FIRST(struct um_service_entry);
META_IS_FIRST(struct um_policy);

static int compare(const void *a, const void *b)
{
    const struct um_meta *x = *(const struct um_meta *const *)a, *y = *(const struct um_meta *const *)b;
    if (um_meta_is_older(x, y))
        return -1;
    if (um_meta_is_older(y, x))
        return 1;
    return (x->order > y->order) - (x->order < y->order);
}

const struct um_meta **um_by_age(struct um_arena *arena, const void *resources, uint32_t n, size_t size)
{
    const struct um_meta **metas = um_items_new(arena, n, sizeof *metas);
    if (!metas)
        return NULL;
    for (uint32_t i = 0; i < n; i++)
        metas[i] = (const void *)((const char *)resources + i * size);
    qsort(metas, n, sizeof *metas, compare);
    return metas;
}

bool um_is_exported(const struct um_strs *export_to, struct um_str own, struct um_str from)
{
    for (uint32_t i = 0; i < export_to->n; i++) {
        struct um_str to = export_to->items[i];
        if (um_str_eq(to, UM_STR("*")) || um_str_eq(to, from) || (um_str_eq(to, UM_STR(".")) && um_str_eq(own, from)))
            return true;
    }
    return export_to->n == 0;
}

static bool has_label(const struct um_compile_options *o, const struct um_pair *label)
{
    for (uint32_t i = 0; i < o->n_labels; i++)
        if (um_str_eq(o->labels[i].key, label->key) && um_str_eq(o->labels[i].value, label->value))
            return true;
    return false;
}

bool um_proxy_has_labels(const struct um_compile_options *o, const struct um_pairs *selector)
{
    for (uint32_t i = 0; i < selector->n; i++)
        if (!has_label(o, &selector->items[i]))
            return false;
    return true;
}
