/* SPDX-License-Identifier: Apache-2.0 */
#include "istio/check.h"
#include "istio/compile_route.h"
#include "istio/names.h"

/* VirtualServices by "NS/NAME", and their rules by "NS/NAME/SECTION" */
struct targets {
    struct um_compile *c;
    struct um_map by_key;
    const struct um_policy *policy; /* the one looked at */
};

static struct um_str section_key(struct um_compile *c, const struct um_meta *vs, struct um_str section)
{
    return um_compile_made(c, um_arena_printf(&c->scratch, "%.*s/%.*s/%.*s", UM_STR_ARG(vs->namespace_name),
                                              UM_STR_ARG(vs->name), UM_STR_ARG(section)));
}

static void add_target(struct targets *t, struct um_virtual_service *vs)
{
    struct um_str key = um_compile_made(t->c, um_name_key(&t->c->scratch, vs->meta.namespace_name, vs->meta.name));
    if (key.p)
        um_compile_put(t->c, &t->by_key, key, vs);
    for (uint32_t i = 0; i < vs->n_http; i++) {
        if (vs->http[i].name.n == 0)
            continue;
        key = section_key(t->c, &vs->meta, vs->http[i].name);
        if (key.p)
            um_compile_put(t->c, &t->by_key, key, &vs->http[i]);
    }
}

static const char *hint(struct um_compile *c, const struct um_nearest *nearest)
{
    return nearest->name.p ? um_arena_printf(&c->scratch, "did you mean '%.*s'?", UM_STR_ARG(nearest->name)).p : NULL;
}

static void say_no_target(struct targets *t)
{
    const struct um_policy *p = t->policy;
    struct um_nearest nearest = um_nearest_to(p->target_ref->name);
    for (uint32_t i = 0; i < t->c->resources->n_virtual_services; i++) {
        const struct um_meta *vs = &t->c->resources->virtual_services[i].meta;
        if (um_str_eq(vs->namespace_name, p->meta.namespace_name))
            um_nearest_consider(&nearest, vs->name);
    }
    um_complain(t->c->diag, UM_SEVERITY_WARNING, &p->target_ref->place, "name", hint(t->c, &nearest),
                "there is no VirtualService '%.*s' in namespace '%.*s': the policy has no effect",
                UM_STR_ARG(p->target_ref->name), UM_STR_ARG(p->meta.namespace_name));
}

static void say_no_section(struct targets *t, const struct um_virtual_service *vs)
{
    struct um_nearest nearest = um_nearest_to(t->policy->target_ref->section_name);
    for (uint32_t i = 0; i < vs->n_http; i++)
        um_nearest_consider(&nearest, vs->http[i].name);
    um_complain(t->c->diag, UM_SEVERITY_WARNING, &t->policy->target_ref->place, "sectionName", hint(t->c, &nearest),
                "%.*s has no rule of this name: the policy has no effect", UM_STR_ARG(vs->meta.resource));
}

static bool is_meant(const struct targets *t, const struct um_virtual_service *vs, const struct um_destination *d,
                     struct um_str host)
{
    const struct um_policy_shadow *s = t->policy->shadow;
    if (!d)
        return false;
    struct um_target target = um_compile_target(t->c, d, vs->meta.namespace_name, 0);
    return (host.n == 0 || um_str_eq(target.host, host)) && (!s || s->subset.n == 0 || um_str_eq(s->subset, d->subset));
}

static bool has_mirror(const struct targets *t, const struct um_virtual_service *vs, const struct um_http_route *http,
                       struct um_str host)
{
    if (is_meant(t, vs, http->mirror, host))
        return true;
    for (uint32_t i = 0; i < http->n_mirrors; i++)
        if (is_meant(t, vs, http->mirrors[i].destination, host))
            return true;
    return false;
}

static void check_shadow(struct targets *t, const struct um_virtual_service *vs, const struct um_http_route *section)
{
    const struct um_policy *p = t->policy;
    struct um_str host = {NULL, 0};
    if (p->shadow && p->shadow->host.n)
        host = um_compile_made(t->c, um_name_host(&t->c->scratch, p->shadow->host, p->meta.namespace_name));
    for (uint32_t i = 0; i < vs->n_http; i++)
        if ((!section || section == &vs->http[i]) && has_mirror(t, vs, &vs->http[i], host))
            return;
    um_complain(t->c->diag, UM_SEVERITY_WARNING, p->shadow ? &p->shadow->place : &p->target_ref->place, NULL, NULL,
                "%.*s has no such mirror: the policy has no effect", UM_STR_ARG(vs->meta.resource));
}

static void check_policy(struct targets *t)
{
    const struct um_policy *p = t->policy;
    if (p->meta.is_broken || !p->target_ref)
        return;
    struct um_str key = um_compile_made(t->c, um_name_key(&t->c->scratch, p->meta.namespace_name, p->target_ref->name));
    const struct um_virtual_service *vs = key.p ? um_map_get(&t->by_key, key) : NULL;
    const struct um_http_route *section = NULL;
    if (!vs) {
        say_no_target(t);
        return;
    }
    if (p->target_ref->section_name.n) {
        section = um_map_get(&t->by_key, section_key(t->c, &vs->meta, p->target_ref->section_name));
        if (!section) {
            say_no_section(t, vs);
            return;
        }
    }
    check_shadow(t, vs, section);
}

void um_check_policies(struct um_compile *c)
{
    struct targets t = {.c = c};
    um_map_init(&t.by_key);
    for (uint32_t i = 0; c->resources->n_policies && i < c->resources->n_virtual_services; i++)
        add_target(&t, &c->resources->virtual_services[i]);
    for (uint32_t i = 0; !um_compile_has_failed(c) && i < c->resources->n_policies; i++) {
        t.policy = &c->resources->policies[i];
        check_policy(&t);
    }
    um_map_release(&t.by_key);
}
