/* SPDX-License-Identifier: Apache-2.0 */
#include "istio/compile_policy.h"

#include "istio/compile_grow.h"
#include "istio/compile_header.h"
#include "istio/compile_scope.h"
#include "istio/names.h"

/* a ShadowPolicy among those of one target */
struct entry {
    const struct um_policy *policy;
    struct um_str host; /* of spec.shadow, completed; empty: any */
    const struct um_shadow_policy *compiled;
    uint32_t age; /* smaller is older */
};

struct um_policy_list {
    struct entry *entries; /* oldest first */
    uint32_t n;
};

/* ---- the index ---------------------------------------------------------------------------------- */

/* targets with a section have a key of their own, so that a policy per route costs a look-up per route */
static struct um_str key_of(struct um_compile *c, struct um_str namespace_name, struct um_str name,
                            struct um_str section)
{
    return um_compile_made(c, um_arena_printf(&c->scratch, "%.*s/%.*s/%.*s", UM_STR_ARG(namespace_name),
                                              UM_STR_ARG(name), UM_STR_ARG(section)));
}

static void add_policy(struct um_compile *c, const struct um_policy *p, uint32_t age)
{
    struct um_str key = key_of(c, p->meta.namespace_name, p->target_ref->name, p->target_ref->section_name);
    struct um_policy_list *list = key.p ? um_map_get(&c->policies, key) : NULL;
    if (!list) {
        list = um_items_new(&c->scratch, 1, sizeof *list);
        if (!list || !key.p) {
            c->rc = UM_ENOMEM;
            return;
        }
        um_compile_put(c, &c->policies, key, list);
    }
    list->entries = um_grow(&c->scratch, list->entries, list->n, sizeof *list->entries);
    if (!list->entries) {
        c->rc = UM_ENOMEM;
        return;
    }
    struct entry *e = &list->entries[list->n++];
    *e = (struct entry){.policy = p, .age = age};
    if (p->shadow && p->shadow->host.n)
        e->host = um_compile_made(c, um_name_host(&c->scratch, p->shadow->host, p->meta.namespace_name));
}

/* ---- what a policy says ------------------------------------------------------------------------- */

static void set_sampling(struct um_compile *c, struct um_shadow_policy *to, const struct um_policy_sampling *from)
{
    static const enum um_sampling_key KEYS[] = {
        [UM_POLICY_KEY_NONE] = UM_SAMPLING_RANDOM,
        [UM_POLICY_KEY_HEADER] = UM_SAMPLING_HEADER,
        [UM_POLICY_KEY_COOKIE] = UM_SAMPLING_COOKIE,
        [UM_POLICY_KEY_QUERY] = UM_SAMPLING_QUERY,
        [UM_POLICY_KEY_SOURCE_ADDRESS] = UM_SAMPLING_SOURCE_ADDRESS,
    };
    if (!from)
        return;
    to->sampling_salt = um_compile_keep(c, from->salt);
    if (!from->key)
        return;
    to->sampling_key = KEYS[from->key->kind];
    to->sampling_name = from->key->kind == UM_POLICY_KEY_HEADER ? um_compile_keep_lower(c, from->key->name)
                                                                : um_compile_keep(c, from->key->name);
}

static void set_methods(struct um_compile *c, struct um_shadow_policy *to, const struct um_strs *from)
{
    to->other_methods = um_compile_items(c, from->n, sizeof *to->other_methods);
    for (uint32_t i = 0; to->other_methods && i < from->n; i++) {
        enum um_method method = um_method_of(from->items[i]);
        if (method != UM_METHOD_OTHER)
            to->methods |= 1u << method;
        else
            to->other_methods[to->n_other_methods++] = um_compile_keep(c, from->items[i]);
    }
}

static struct um_shadow_policy defaults(const struct um_compile *c)
{
    return (struct um_shadow_policy){
        .max_body_bytes = UM_SHADOW_BODY_BYTES,
        .has_body = true,
        .has_host_suffix = c->options->has_shadow_host_suffix,
    };
}

static const struct um_shadow_policy *compile_policy(struct um_compile *c, const struct um_policy *from)
{
    struct um_shadow_policy *to = um_compile_items(c, 1, sizeof *to);
    if (!to)
        return NULL;
    *to = defaults(c);
    to->name = um_compile_made(c, um_arena_printf(&c->snapshot->arena, "%.*s.%.*s", UM_STR_ARG(from->meta.name),
                                                  UM_STR_ARG(from->meta.namespace_name)));
    set_sampling(c, to, from->sampling);
    set_methods(c, to, &from->methods);
    to->timeout_ms = from->timeout.ms;
    if (from->max_body_bytes.is_set)
        to->max_body_bytes = from->max_body_bytes.bytes;
    if (from->mode == UM_POLICY_MODE_BACKPRESSURE)
        to->mode = UM_BODY_LIMIT_BACKPRESSURE;
    to->has_body = from->body == UM_POLICY_BODY_STREAM;
    if (from->host_suffix.is_set)
        to->has_host_suffix = from->host_suffix.value;
    if (from->host_rewrite.n) { /* outright: without suffix */
        to->host_rewrite = um_compile_keep(c, from->host_rewrite);
        to->has_host_suffix = false;
    }
    to->wants_distinct_endpoints = from->distinct_endpoints.value;
    to->headers = um_compile_headers(c, from->headers, NULL);
    return to;
}

void um_compile_policies(struct um_compile *c)
{
    struct um_shadow_policy *built_in = um_compile_items(c, 1, sizeof *built_in);
    const struct um_meta **by_age =
        um_by_age(&c->scratch, c->resources->policies, c->resources->n_policies, sizeof *c->resources->policies);
    if (!built_in || !by_age) {
        c->rc = UM_ENOMEM;
        return;
    }
    *built_in = defaults(c);
    c->default_policy = built_in;
    for (uint32_t i = 0; !um_compile_has_failed(c) && i < c->resources->n_policies; i++) {
        const struct um_policy *p = (const void *)by_age[i];
        if (p->target_ref && p->target_ref->name.n)
            add_policy(c, p, i);
    }
}

/* ---- the policy of a mirror --------------------------------------------------------------------- */

static bool fits(const struct entry *e, const struct um_mirror_of *mirror)
{
    const struct um_policy_shadow *shadow = e->policy->shadow;
    return (e->host.n == 0 || um_str_eq(e->host, mirror->host)) &&
           (!shadow || shadow->subset.n == 0 || um_str_eq(shadow->subset, mirror->subset));
}

/* keeps the two oldest */
static void take_older(struct entry *best[2], struct entry *e)
{
    if (!best[0] || e->age < best[0]->age) {
        best[1] = best[0];
        best[0] = e;
    } else if (!best[1] || e->age < best[1]->age) {
        best[1] = e;
    }
}

static void find_two(struct um_compile *c, const struct um_mirror_of *mirror, struct entry *best[2])
{
    const struct um_meta *vs = &mirror->vs->meta;
    struct um_str sections[] = {{NULL, 0}, mirror->section};
    best[0] = best[1] = NULL;
    for (unsigned i = 0; i < (mirror->section.n ? 2 : 1) && c->policies.n_live; i++) {
        struct um_str key = key_of(c, vs->namespace_name, vs->name, sections[i]);
        const struct um_policy_list *list = key.p ? um_map_get(&c->policies, key) : NULL;
        for (uint32_t k = 0; list && k < list->n; k++)
            if (fits(&list->entries[k], mirror))
                take_older(best, &list->entries[k]);
    }
}

const struct um_policy *um_compile_find_policy(struct um_compile *c, const struct um_mirror_of *mirror,
                                               const struct um_policy **ret_other)
{
    struct entry *best[2];
    find_two(c, mirror, best);
    *ret_other = best[1] ? best[1]->policy : NULL;
    return best[0] ? best[0]->policy : NULL;
}

const struct um_shadow_policy *um_compile_policy_of(struct um_compile *c, const struct um_mirror_of *mirror)
{
    struct entry *best[2];
    find_two(c, mirror, best);
    if (!best[0])
        return c->default_policy;
    if (!best[0]->compiled)
        best[0]->compiled = compile_policy(c, best[0]->policy);
    return best[0]->compiled;
}
