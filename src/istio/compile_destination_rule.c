/* SPDX-License-Identifier: Apache-2.0 */
#include "istio/compile_destination_rule.h"

#include "istio/compile_grow.h"
#include "istio/compile_scope.h"
#include "istio/names.h"

/* MeshConfig.rootNamespace: its rules are everybody's fallback */
#define ROOT_NAMESPACE UM_STR("istio-system")

struct um_rules_namespace {
    struct um_map exact;    /* host -> struct um_host_rules */
    struct um_map wildcard; /* what follows the `*` -> struct um_host_rules */
};

struct builder {
    struct um_rules *rules;
    const struct um_compile_options *options;
    struct um_diag *diag;
    struct um_arena *arena;
};

/* ---- building ----------------------------------------------------------------------------------- */

static struct um_rules_namespace *namespace_of(struct builder *b, struct um_str name)
{
    struct um_rules_namespace *n = um_map_get(&b->rules->namespaces, name);
    if (n)
        return n;
    n = um_arena_zalloc(b->arena, sizeof *n);
    if (!n || um_map_put(&b->rules->namespaces, name, n, NULL))
        return NULL;
    um_map_init(&n->exact);
    um_map_init(&n->wildcard);
    return n;
}

static struct um_host_rules *rules_of(struct builder *b, const struct um_destination_rule *rule, struct um_str host)
{
    struct um_rules_namespace *n = namespace_of(b, rule->meta.namespace_name);
    if (!n)
        return NULL;
    bool is_wildcard = um_name_is_wildcard(host);
    struct um_map *map = is_wildcard ? &n->wildcard : &n->exact;
    struct um_str key = is_wildcard ? um_str_skip(host, 1) : host;
    struct um_host_rules *r = um_map_get(map, key);
    if (r)
        return r;
    r = um_arena_zalloc(b->arena, sizeof *r);
    if (!r || um_map_put(map, key, r, NULL))
        return NULL;
    *r = (struct um_host_rules){.host = host, .first = rule};
    return r;
}

static int add_subset(struct builder *b, struct um_host_rules *r, const struct um_destination_rule *rule,
                      struct um_subset *subset)
{
    struct um_str key = um_arena_printf(b->arena, "%.*s/%.*s|%.*s", UM_STR_ARG(rule->meta.namespace_name),
                                        UM_STR_ARG(r->host), UM_STR_ARG(subset->name));
    if (!key.p)
        return UM_ENOMEM;
    const struct um_subset *there = um_map_get(&b->rules->subsets, key);
    if (there) {
        if (there->place.meta != subset->place.meta) /* twice in one DestinationRule is an error of decoding */
            um_complain(b->diag, UM_SEVERITY_WARNING, &subset->place, "name", NULL,
                        "subset '%.*s' of this host is already defined by the older %.*s, which counts",
                        UM_STR_ARG(subset->name), UM_STR_ARG(there->place.meta->resource));
        return 0;
    }
    r->subsets = um_grow(b->arena, r->subsets, r->n_subsets, sizeof(struct um_subset *));
    if (!r->subsets)
        return UM_ENOMEM;
    r->subsets[r->n_subsets++] = subset;
    return um_map_put(&b->rules->subsets, key, subset, NULL);
}

static int add_rule(struct builder *b, const struct um_destination_rule *rule)
{
    struct um_str host = um_name_host(b->arena, rule->host, rule->meta.namespace_name);
    struct um_host_rules *r = host.p ? rules_of(b, rule, host) : NULL;
    if (!r)
        return UM_ENOMEM;
    if (r->policy && rule->traffic_policy)
        um_complain(b->diag, UM_SEVERITY_WARNING, &rule->place, "trafficPolicy", NULL,
                    "ignored: the policy of the older %.*s for the same host counts",
                    UM_STR_ARG(r->policy->place.meta->resource));
    else if (rule->traffic_policy)
        r->policy = rule->traffic_policy;
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < rule->n_subsets; i++)
        if (rule->subsets[i].name.n)
            rc = add_subset(b, r, rule, &rule->subsets[i]);
    return rc;
}

static bool is_for_this_proxy(const struct um_compile_options *o, const struct um_destination_rule *rule)
{
    struct um_str own = rule->meta.namespace_name;
    if (rule->workload_selector.n &&
        !(um_str_eq(own, o->namespace_name) && um_proxy_has_labels(o, &rule->workload_selector)))
        return false;
    return um_is_exported(&rule->export_to, own, o->namespace_name);
}

int um_rules_build(struct um_rules *rules, const struct um_resources *resources,
                   const struct um_compile_options *options, struct um_diag *diag, struct um_arena *arena)
{
    struct builder b = {rules, options, diag, arena};
    um_map_init(&rules->namespaces);
    um_map_init(&rules->subsets);
    const struct um_meta **by_age = um_by_age(arena, resources->destination_rules, resources->n_destination_rules,
                                              sizeof *resources->destination_rules);
    int rc = by_age ? 0 : UM_ENOMEM;
    for (uint32_t i = 0; rc == 0 && i < resources->n_destination_rules; i++) {
        const struct um_destination_rule *rule = (const void *)by_age[i];
        if (rule->host.n && is_for_this_proxy(options, rule))
            rc = add_rule(&b, rule);
    }
    return rc;
}

void um_rules_release(struct um_rules *rules)
{
    UM_MAP_EACH (entry, &rules->namespaces) {
        struct um_rules_namespace *n = entry->value;
        um_map_release(&n->exact);
        um_map_release(&n->wildcard);
    }
    um_map_release(&rules->namespaces);
    um_map_release(&rules->subsets);
}

/* ---- looking up --------------------------------------------------------------------------------- */

static const struct um_host_rules *find_in(const struct um_rules *rules, struct um_str namespace_name,
                                           struct um_str host)
{
    const struct um_rules_namespace *n = um_map_get(&rules->namespaces, namespace_name);
    if (!n)
        return NULL;
    const struct um_host_rules *found = um_name_is_wildcard(host) ? NULL : um_map_get(&n->exact, host);
    while (!found && um_name_next_suffix(&host))
        found = um_map_get(&n->wildcard, host);
    return found;
}

const struct um_host_rules *um_rules_find(const struct um_rules *rules, const struct um_mesh_service *service,
                                          struct um_str proxy_namespace)
{
    const struct um_host_rules *found = NULL;
    if (!um_str_eq(proxy_namespace, ROOT_NAMESPACE))
        found = find_in(rules, proxy_namespace, service->host);
    if (!found)
        found = find_in(rules, service->namespace_name, service->host);
    return found ? found : find_in(rules, ROOT_NAMESPACE, service->host);
}

const struct um_subset *um_rules_subset(const struct um_host_rules *r, struct um_str name)
{
    for (uint32_t i = 0; r && i < r->n_subsets; i++)
        if (um_str_eq(r->subsets[i]->name, name))
            return r->subsets[i];
    return NULL;
}

/* ---- the policy in force ------------------------------------------------------------------------ */

static const struct um_traffic_blocks *port_blocks(const struct um_traffic_policy *policy, uint16_t port)
{
    for (uint32_t i = 0; i < policy->n_port_level_settings; i++)
        if (policy->port_level_settings[i].port.value == port)
            return &policy->port_level_settings[i].blocks;
    return NULL;
}

static void lay_over(struct um_traffic_blocks *under, const struct um_traffic_blocks *over)
{
    if (over->load_balancer)
        under->load_balancer = over->load_balancer;
    if (over->connection_pool)
        under->connection_pool = over->connection_pool;
    if (over->outlier_detection)
        under->outlier_detection = over->outlier_detection;
    if (over->tls)
        under->tls = over->tls;
}

/* a port's settings stand in for all four blocks, what they leave out included */
static void apply(struct um_traffic_blocks *blocks, const struct um_traffic_policy *policy, uint16_t port)
{
    const struct um_traffic_blocks *of_port = port_blocks(policy, port);
    if (of_port)
        *blocks = *of_port;
    else
        lay_over(blocks, &policy->blocks);
}

struct um_traffic_blocks um_rules_blocks(const struct um_host_rules *rules, const struct um_subset *subset,
                                         uint16_t port)
{
    struct um_traffic_blocks blocks = {0};
    if (rules && rules->policy)
        apply(&blocks, rules->policy, port);
    if (subset && subset->traffic_policy)
        apply(&blocks, subset->traffic_policy, port);
    return blocks;
}
