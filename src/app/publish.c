/* SPDX-License-Identifier: Apache-2.0 */
#include "app/publish.h"

#include <stdlib.h>
#include <unistd.h>

void um_publisher_init(struct um_publisher *p, struct um_worker **workers, unsigned n_workers, struct um_dns *dns)
{
    *p = (struct um_publisher){.workers = workers, .n_workers = n_workers, .dns = dns};
    um_upstream_registry_init(&p->registry);
    um_stat_names_init(&p->names);
}

void um_publisher_release(struct um_publisher *p)
{
    if (p->current)
        um_snapshot_unref(p->current);
    for (uint32_t i = 0; i < p->n_listeners; i++)
        free((void *)(uintptr_t)p->listeners[i].name.p);
    free(p->listeners);
    um_upstream_registry_release(&p->registry);
    um_stat_names_release(&p->names);
}

/* ---- indexes -------------------------------------------------------------------------------------- */

static int index_routes(struct um_publisher *p, struct um_virtual_host *vh)
{
    int rc = 0;
    for (uint32_t r = 0; r < vh->n_routes && rc == 0; r++)
        for (uint32_t m = 0; m < vh->routes[r].n_mirrors && rc == 0; m++) {
            struct um_mirror *mirror = &vh->routes[r].mirrors[m];
            rc = um_stat_names_shadow(&p->names, vh->routes[r].label, mirror->cluster_name, &mirror->index);
        }
    return rc;
}

static int assign_indexes(struct um_publisher *p, struct um_snapshot *s)
{
    int rc = 0;
    for (uint32_t i = 0; i < s->n_clusters && rc == 0; i++)
        rc = um_stat_names_cluster(&p->names, s->clusters[i].name, &s->clusters[i].index);
    for (uint32_t i = 0; i < s->n_route_configs; i++)
        for (uint32_t v = 0; v < s->route_configs[i].n_virtual_hosts && rc == 0; v++)
            rc = index_routes(p, &s->route_configs[i].virtual_hosts[v]);
    return rc;
}

/* ---- one worker's update -------------------------------------------------------------------------- */

static struct um_hold *new_hold(struct um_snapshot *s)
{
    struct um_hold *hold = calloc(1, sizeof *hold);
    if (hold)
        hold->snapshot = um_snapshot_ref(s);
    return hold;
}

static void free_hold(struct um_hold *hold)
{
    if (hold)
        um_snapshot_unref(hold->snapshot);
    free(hold);
}

void um_publisher_hold_idle(struct um_publisher *p, struct um_hold *hold)
{
    (void)p;
    free_hold(hold);
}

/* the endpoints to begin with: known ones, or what DNS has said so far */
static struct um_endpoint_set *first_set(struct um_publisher *p, const struct um_cluster *c)
{
    struct um_endpoint_set *set = c->n_dns_names ? um_dns_get(p->dns, c->name) : NULL;
    return set ? um_endpoint_set_ref(set) : um_endpoint_set_new(c->endpoints, c->n_dns_names ? 0 : c->n_endpoints);
}

static int add_cluster(struct um_publisher *p, struct um_worker_update *u, const struct um_cluster *c)
{
    struct um_endpoint_set *set = first_set(p, c);
    if (!set)
        return UM_ENOMEM;
    int rc = um_upstream_registry_update(&p->registry, c, set, &u->clusters[u->n_clusters]);
    um_endpoint_set_unref(set);
    u->n_clusters += rc == 0;
    return rc;
}

static struct um_worker_update *new_update(struct um_publisher *p, struct um_snapshot *s)
{
    struct um_worker_update *u = calloc(1, sizeof *u);
    if (!u)
        return NULL;
    u->clusters = calloc(s->n_clusters + 1, sizeof *u->clusters);
    u->listeners = calloc(s->n_listeners + 1, sizeof *u->listeners);
    u->hold = new_hold(s);
    int rc = u->clusters && u->listeners && u->hold ? 0 : UM_ENOMEM;
    for (uint32_t i = 0; i < s->n_clusters && rc == 0; i++)
        rc = add_cluster(p, u, &s->clusters[i]);
    u->n_stat_clusters = p->names.n_clusters;
    u->n_stat_shadows = p->names.n_shadows;
    if (rc == 0)
        return u;
    free_hold(u->hold);
    um_worker_update_free(u);
    return NULL;
}

/* ---- listeners ------------------------------------------------------------------------------------ */

static struct um_open_listener *find_listener(struct um_publisher *p, const struct um_listener *model)
{
    for (uint32_t i = 0; i < p->n_listeners; i++)
        if (um_sockaddr_eq(&p->listeners[i].wanted, &model->addr) && um_str_eq(p->listeners[i].name, model->name))
            return &p->listeners[i];
    return NULL;
}

static int add_listener(struct um_publisher *p, const struct um_listener *model, const struct um_sockaddr *bound)
{
    struct um_open_listener *grown = realloc(p->listeners, (p->n_listeners + 1) * sizeof *grown);
    char *name = malloc(model->name.n + 1);
    if (grown)
        p->listeners = grown;
    if (!grown || !name) {
        free(name);
        return UM_ENOMEM;
    }
    memcpy(name, model->name.p, model->name.n);
    p->listeners[p->n_listeners++] = (struct um_open_listener){model->addr, *bound, {name, model->name.n}, true};
    return 0;
}

static void explain_bind(struct um_buf *out, const struct um_listener *model, int rc)
{
    char text[UM_SOCKADDR_TEXT_BYTES];
    um_sockaddr_text(&model->addr, text);
    um_buf_addf(out, "%s: %.*s: ", text, UM_STR_ARG(model->origin));
    if (rc == UM_EINUSE)
        um_buf_addf(out,
                    "another process holds this port (another umbra included); stop it, or move this listener with "
                    "--map-port %u=PORT",
                    model->port);
    else if (rc == UM_EPERM)
        um_buf_addf(out, "this user may not open port %u; move it with --map-port %u=8080", model->port, model->port);
    else if (rc == UM_EUNREACH)
        um_buf_addf(out, "this machine has no such address; choose one with --bind");
    else
        um_buf_addf(out, "%s", um_err_text(rc));
}

/* [::] beside 0.0.0.0 is a wish: a machine without IPv6 does not have it */
static bool is_optional(const struct um_listener *model, const struct um_snapshot *s)
{
    if (model->addr.u.any.sa_family != AF_INET6 || !IN6_IS_ADDR_UNSPECIFIED(&model->addr.u.v6.sin6_addr))
        return false;
    for (uint32_t i = 0; i < s->n_listeners; i++)
        if (s->listeners[i].port == model->port && s->listeners[i].addr.u.any.sa_family == AF_INET)
            return true;
    return false;
}

/* with port 0 on both families the second one follows the first's port */
static void follow_port(struct um_publisher *p, const struct um_snapshot *s, const struct um_listener *model,
                        struct um_sockaddr *addr)
{
    if (um_sockaddr_port(addr) != 0)
        return;
    for (uint32_t i = 0; i < s->n_listeners && &s->listeners[i] != model; i++) {
        const struct um_open_listener *other = find_listener(p, &s->listeners[i]);
        if (other && s->listeners[i].port == model->port &&
            s->listeners[i].addr.u.any.sa_family != addr->u.any.sa_family)
            addr->u.v6.sin6_port = htons(um_sockaddr_port(&other->bound));
    }
}

/* opens a socket per worker, or finds that they are open */
static int open_listener(struct um_publisher *p, const struct um_snapshot *s, const struct um_listener *model,
                         struct um_worker_update **updates, struct um_buf *ret_error)
{
    struct um_open_listener *known = find_listener(p, model);
    struct um_sockaddr bound = known ? known->bound : model->addr;
    int fds[256];
    if (known) {
        known->is_listed = true;
    } else {
        follow_port(p, s, model, &bound);
        int rc = um_listener_open(&bound.u.any, bound.n, p->n_workers, fds);
        if (rc && is_optional(model, s) && rc != UM_EINUSE && rc != UM_EPERM)
            return 0;
        if (rc) {
            explain_bind(ret_error, model, rc);
            return rc;
        }
        if (add_listener(p, model, &bound)) {
            for (unsigned i = 0; i < p->n_workers; i++)
                close(fds[i]);
            return UM_ENOMEM;
        }
    }
    for (unsigned i = 0; i < p->n_workers; i++) {
        struct um_worker_update *u = updates[i];
        u->listeners[u->n_listeners++] = (struct um_worker_listener_update){bound, known ? -1 : fds[i], model};
    }
    return 0;
}

/* those that are not in the snapshot; after a failure, those that were opened for it */
static void forget_listeners(struct um_publisher *p, uint32_t from)
{
    uint32_t kept = from;
    for (uint32_t i = from; i < p->n_listeners; i++)
        if (p->listeners[i].is_listed)
            p->listeners[kept++] = p->listeners[i];
        else
            free((void *)(uintptr_t)p->listeners[i].name.p);
    p->n_listeners = kept;
}

static int open_listeners(struct um_publisher *p, struct um_snapshot *s, struct um_worker_update **updates,
                          struct um_buf *ret_error)
{
    uint32_t before = p->n_listeners;
    int rc = 0;
    for (uint32_t i = 0; i < before; i++)
        p->listeners[i].is_listed = false;
    for (uint32_t i = 0; i < s->n_listeners && rc == 0; i++)
        rc = open_listener(p, s, &s->listeners[i], updates, ret_error);
    if (rc == 0) {
        forget_listeners(p, 0);
        return 0;
    }
    for (uint32_t i = before; i < p->n_listeners; i++)
        p->listeners[i].is_listed = false;
    forget_listeners(p, before);
    return rc;
}

/* ---- publish -------------------------------------------------------------------------------------- */

static void give_back(struct um_publisher *p, struct um_worker_update **updates)
{
    for (unsigned i = 0; i < p->n_workers; i++)
        if (updates[i]) {
            free_hold(updates[i]->hold);
            um_worker_update_free(updates[i]);
        }
}

int um_publish(struct um_publisher *p, struct um_snapshot **snapshot, struct um_buf *ret_error)
{
    struct um_snapshot *s = *snapshot;
    struct um_worker_update **updates = calloc(p->n_workers, sizeof *updates);
    *snapshot = NULL;
    int rc = updates ? assign_indexes(p, s) : UM_ENOMEM;
    for (unsigned i = 0; i < p->n_workers && rc == 0; i++) {
        updates[i] = new_update(p, s);
        rc = updates[i] ? 0 : UM_ENOMEM;
    }
    if (rc == 0)
        rc = open_listeners(p, s, updates, ret_error);
    if (rc) {
        if (rc == UM_ENOMEM)
            um_buf_add_cstr(ret_error, um_err_text(rc));
        if (updates)
            give_back(p, updates);
        free(updates);
        um_snapshot_unref(s);
        return rc;
    }
    for (unsigned i = 0; i < p->n_workers; i++)
        um_worker_post_update(p->workers[i], updates[i]);
    free(updates);
    if (p->current)
        um_snapshot_unref(p->current);
    p->current = s;
    return 0;
}

void um_publish_endpoints(struct um_publisher *p, struct um_str cluster, struct um_endpoint_set *set)
{
    const struct um_cluster *c = p->current ? um_snapshot_cluster(p->current, cluster) : NULL;
    for (unsigned i = 0; c && i < p->n_workers; i++) {
        struct um_worker_update *u = calloc(1, sizeof *u);
        if (!u)
            return; /* the old endpoints serve on; the next answer tries again */
        u->clusters = calloc(1, sizeof *u->clusters);
        u->n_stat_clusters = p->names.n_clusters;
        u->n_stat_shadows = p->names.n_shadows;
        if (!u->clusters || um_upstream_registry_update(&p->registry, c, set, &u->clusters[0])) {
            um_worker_update_free(u);
            return;
        }
        u->n_clusters = 1;
        um_worker_post_update(p->workers[i], u);
    }
}

int um_publish_switches(struct um_publisher *p, bool is_all_off, const uint8_t *is_off, uint32_t n)
{
    for (unsigned i = 0; i < p->n_workers; i++) {
        struct um_worker_switches *s = calloc(1, sizeof *s);
        uint8_t *copy = n ? malloc(n) : NULL;
        if (!s || (n && !copy)) {
            free(s);
            free(copy);
            return UM_ENOMEM;
        }
        if (n)
            memcpy(copy, is_off, n);
        s->switches = (struct um_shadow_switches){is_all_off, copy, n};
        um_worker_post_switches(p->workers[i], s);
    }
    return 0;
}
