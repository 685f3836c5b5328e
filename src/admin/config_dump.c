/* SPDX-License-Identifier: Apache-2.0
 * /config_dump: which parts are asked for, and what of each.
 *
 *   (nothing)          all parts; include_eds adds the endpoints
 *   resource=NAME      the entries of one list alone, such as dynamic_active_clusters
 *   name_regex=RE      entries whose name matches as a whole
 *   mask=a.b,c         only these members; without `resource` parts that have none of them are left out
 */
#include "admin/dump.h"

#include <stdlib.h>

enum { MASK_PATHS_MAX = 16 };

/* one configs[] entry: the type of the message, its one list and the type of that list's entries */
static const struct section {
    const char *type, *resource, *element;
    json_t *(*build)(const struct um_dump *);
    bool is_optional; /* with include_eds only */
} SECTIONS[] = {
    {"BootstrapConfigDump", NULL, NULL, um_dump_bootstrap, false},
    {"ClustersConfigDump", "dynamic_active_clusters", "DynamicCluster", um_dump_clusters, false},
    {"EndpointsConfigDump", "dynamic_endpoint_configs", "DynamicEndpointConfig", um_dump_endpoints, true},
    {"ListenersConfigDump", "dynamic_listeners", "DynamicListener", um_dump_listeners, false},
    {"RoutesConfigDump", "dynamic_route_configs", "DynamicRouteConfig", um_dump_routes, false},
};
enum { N_SECTIONS = sizeof SECTIONS / sizeof SECTIONS[0] };

/* lists of Envoy's messages that umbra never has anything for */
static const char *const EMPTY_RESOURCES[] = {
    "static_clusters",         "dynamic_warming_clusters", "static_listeners",       "static_route_configs",
    "static_endpoint_configs", "static_secrets",           "dynamic_active_secrets", "dynamic_warming_secrets",
};

bool um_dump_wants(const struct um_dump *dump, struct um_str name)
{
    return !dump->names || um_regex_match(dump->names, name);
}

json_t *um_dump_version(const struct um_dump *dump)
{
    return um_json_u64_text(dump->snapshot->version);
}

json_t *um_dump_updated(const struct um_dump *dump)
{
    return um_json_time(dump->snapshot->made_wall_ns);
}

json_t *um_dump_istio_metadata(json_t *istio)
{
    return json_pack("{s:{s:o}}", "filter_metadata", "istio", istio);
}

/* the process does not change after its start */
json_t *um_dump_bootstrap(const struct um_dump *dump)
{
    json_t *bootstrap = json_object(), *out = json_object();
    um_json_set(&bootstrap, "node", um_admin_node(dump->view));
    um_json_set(&bootstrap, "admin", json_pack("{s:o}", "address", um_json_address(&dump->view->admin_address)));
    um_json_set(&out, "bootstrap", bootstrap);
    um_json_set(&out, "last_updated", um_json_time(dump->view->start_wall_ns));
    return out;
}

/* ---- mask ----------------------------------------------------------------------------------------- */

struct mask {
    struct um_str paths[MASK_PATHS_MAX];
    size_t n;
};

/* what is left of the mask below a member; *ret_is_whole: a path ends here */
static struct mask below(const struct mask *mask, struct um_str member, bool *ret_is_whole)
{
    struct mask rest = {.n = 0};
    *ret_is_whole = false;
    for (size_t i = 0; i < mask->n; i++) {
        struct um_str path = mask->paths[i];
        if (um_str_eq(path, member))
            *ret_is_whole = true;
        else if (um_str_starts(path, member) && path.p[member.n] == '.')
            rest.paths[rest.n++] = um_str_skip(path, member.n + 1);
    }
    return rest;
}

/* removes every member that no path leads to; lists are walked through. Depth: that of our own messages. */
static void trim(json_t *value, const struct mask *mask)
{
    const char *key;
    json_t *member;
    void *next;
    size_t i;
    json_array_foreach(value, i, member)
    {
        trim(member, mask);
    }
    json_object_foreach_safe(value, next, key, member)
    {
        bool is_whole;
        struct mask rest = below(mask, um_str_from(key), &is_whole);
        if (is_whole || strcmp(key, "@type") == 0)
            continue;
        if (rest.n && (json_is_object(member) || json_is_array(member)))
            trim(member, &rest);
        else
            json_object_del(value, key);
    }
}

static bool read_mask(struct um_admin_call *call, struct mask *mask)
{
    struct um_str text, path;
    mask->n = 0;
    if (!um_admin_param(call, "mask", &text))
        return true;
    while (um_str_split(&text, ',', &path)) {
        if (path.n == 0 || mask->n == MASK_PATHS_MAX) {
            um_admin_say(call, 400, "mask: expected 1 to %d paths such as bootstrap.node,last_updated", MASK_PATHS_MAX);
            return false;
        }
        mask->paths[mask->n++] = path;
    }
    return true;
}

/* ---- resource ------------------------------------------------------------------------------------- */

static json_t *typed(const char *message, const char *element, json_t *members)
{
    struct um_buf type;
    um_buf_init(&type, 0);
    um_buf_addf(&type, "type.googleapis.com/envoy.admin.v3.%s%s%s", message, element ? "." : "",
                element ? element : "");
    json_t *out = type.failed ? NULL : json_pack("{s:o}", "@type", um_json_str(um_buf_str(&type)));
    um_buf_release(&type);
    if (!members || !out || json_object_update(out, members)) {
        json_decref(out);
        out = NULL;
    }
    json_decref(members);
    return out;
}

static json_t *resource_entries(const struct section *s, const struct um_dump *dump, const struct mask *mask)
{
    json_t *section = s->build(dump), *configs = json_array(), *entry;
    size_t i;
    if (!section)
        um_json_append(&configs, NULL);
    json_array_foreach(json_object_get(section, s->resource), i, entry)
    {
        if (mask->n)
            trim(entry, mask);
        um_json_append(&configs, typed(s->type, s->element, json_incref(entry)));
    }
    json_decref(section);
    return configs;
}

static const struct section *section_with(struct um_str resource)
{
    for (size_t i = 0; i < N_SECTIONS; i++)
        if (SECTIONS[i].resource && um_str_eq(resource, um_str_from(SECTIONS[i].resource)))
            return &SECTIONS[i];
    return NULL;
}

static bool is_empty_resource(struct um_str resource)
{
    for (size_t i = 0; i < sizeof EMPTY_RESOURCES / sizeof EMPTY_RESOURCES[0]; i++)
        if (um_str_eq(resource, um_str_from(EMPTY_RESOURCES[i])))
            return true;
    return false;
}

static void say_configs(struct um_admin_call *call, json_t *configs)
{
    um_admin_say_json(call, json_pack("{s:o}", "configs", configs));
}

static void dump_resource(struct um_admin_call *call, const struct um_dump *dump, const struct mask *mask,
                          struct um_str resource)
{
    struct um_str ignored;
    const struct section *s = section_with(resource);
    bool wants_endpoints = um_admin_param(call, "include_eds", &ignored);
    if (s && (!s->is_optional || wants_endpoints))
        say_configs(call, resource_entries(s, dump, mask));
    else if (is_empty_resource(resource))
        say_configs(call, json_array());
    else if (um_str_eq(resource, UM_STR("bootstrap")) || um_str_eq(resource, UM_STR("version_info")))
        um_admin_say(call, 400, "%.*s is not a repeated field. Use ?mask=%.*s to get only this field",
                     UM_STR_ARG(resource), UM_STR_ARG(resource));
    else
        um_admin_say(call, 404, "%.*s not found in config dump", UM_STR_ARG(resource));
}

/* ---- all ------------------------------------------------------------------------------------------ */

static void dump_all(struct um_admin_call *call, const struct um_dump *dump, const struct mask *mask)
{
    struct um_str ignored;
    json_t *configs = json_array();
    bool wants_endpoints = um_admin_param(call, "include_eds", &ignored);
    for (size_t i = 0; i < N_SECTIONS; i++) {
        if (SECTIONS[i].is_optional && !wants_endpoints)
            continue;
        json_t *section = SECTIONS[i].build(dump);
        if (section && mask->n)
            trim(section, mask);
        if (section && mask->n && json_object_size(section) == 0)
            json_decref(section);
        else
            um_json_append(&configs, typed(SECTIONS[i].type, NULL, section));
    }
    if (configs && json_array_size(configs) == 0) {
        json_decref(configs);
        um_admin_say(call, 400, "mask: none of its paths could be applied to any configs");
        return;
    }
    say_configs(call, configs);
}

static bool read_names(struct um_admin_call *call, struct um_regex **ret_names)
{
    struct um_str pattern;
    char *error = NULL;
    *ret_names = NULL;
    if (!um_admin_param(call, "name_regex", &pattern) || pattern.n == 0)
        return true;
    int rc = pattern.n > UM_REGEX_MAX_BYTES ? UM_ELIMIT : um_regex_new(pattern, false, ret_names, &error);
    if (rc)
        um_admin_say(call, rc == UM_ENOMEM ? 500 : 400, "Error while parsing name_regex from %.*s: %s",
                     UM_STR_ARG(pattern), error ? error : um_err_text(rc));
    free(error);
    return rc == 0;
}

void um_admin_get_config_dump(struct um_admin_call *call)
{
    struct um_dump dump = {.view = call->view, .snapshot = call->snapshot};
    struct um_str resource;
    struct mask mask;
    if (!read_mask(call, &mask) || !read_names(call, &dump.names))
        return;
    if (um_admin_param(call, "resource", &resource))
        dump_resource(call, &dump, &mask, resource);
    else
        dump_all(call, &dump, &mask);
    um_regex_free(dump.names);
}
