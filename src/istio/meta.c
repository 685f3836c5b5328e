/* SPDX-License-Identifier: Apache-2.0 */
#include "istio/meta.h"

bool um_meta_is_older(const struct um_meta *a, const struct um_meta *b)
{
    if (a->has_created && b->has_created && a->created_s != b->created_s)
        return a->created_s < b->created_s;
    int order = um_str_cmp(a->name, b->name);
    return order ? order < 0 : um_str_cmp(a->namespace_name, b->namespace_name) < 0;
}
