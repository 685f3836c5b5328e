/* SPDX-License-Identifier: Apache-2.0
 *
 *   um_dns -> table (one per um_dns_set_clusters) -> cluster -> use (port, weight) -> record (outlives tables)
 *                                                      ^------- record.uses ---------'
 *   a record changes -> the sets of its users are composed -> those that differ are told by a task
 */
#include "upstream/dns.h"

#include "base/arena.h"
#include "base/map.h"
#include "upstream/dns_record.h"

#include <stdlib.h>

struct use {
    struct um_list node; /* record->uses */
    struct cluster *cluster;
    struct um_dns_record *record;
    struct um_str locality;
    uint32_t weight;
    uint16_t port;
};

struct cluster {
    struct um_str name;
    bool is_logical;
    struct use *uses;
    uint32_t n_uses;
    struct um_endpoint_set *set; /* NULL: none of its names has resolved */
    struct um_list untold;       /* dns->untold */
};

struct table {
    struct um_arena arena; /* clusters and uses */
    struct cluster *clusters;
    uint32_t n_clusters;
    struct um_map clusters_by_name, records;
};

struct um_dns {
    struct um_dns_records records;
    struct um_dns_events events;
    void *ctx;
    struct table table;
    struct um_list untold; /* clusters with a new set */
    struct um_task tell;
    bool is_warm_untold;
};

/* ---- sets ------------------------------------------------------------------------------------------ */

static struct um_endpoint endpoint_of(const struct use *u, const union um_ip_address *ip)
{
    struct um_endpoint e = {.hostname = u->record->name, .locality = u->locality, .is_healthy = true};
    e.weight = u->weight ? u->weight : 1;
    if (ip->any.sa_family == AF_INET) {
        e.addr.u.v4 = ip->v4;
        e.addr.u.v4.sin_port = htons(u->port);
        e.addr.n = sizeof ip->v4;
    } else {
        e.addr.u.v6 = ip->v6;
        e.addr.u.v6.sin6_port = htons(u->port);
        e.addr.n = sizeof ip->v6;
    }
    return e;
}

static int compare_addr(const struct um_sockaddr *a, const struct um_sockaddr *b)
{
    if (a->u.any.sa_family != b->u.any.sa_family)
        return a->u.any.sa_family < b->u.any.sa_family ? -1 : 1;
    int order = a->u.any.sa_family == AF_INET
                    ? memcmp(&a->u.v4.sin_addr, &b->u.v4.sin_addr, sizeof a->u.v4.sin_addr)
                    : memcmp(&a->u.v6.sin6_addr, &b->u.v6.sin6_addr, sizeof a->u.v6.sin6_addr);
    return order ? order : um_sockaddr_port(a) - um_sockaddr_port(b);
}

static int compare_endpoints(const void *x, const void *y)
{
    const struct um_endpoint *a = x, *b = y;
    int order = compare_addr(&a->addr, &b->addr);
    return order ? order : um_str_cmp(a->hostname, b->hostname);
}

static bool same_endpoints(const struct um_endpoint *a, const struct um_endpoint *b, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (compare_endpoints(&a[i], &b[i]) || a[i].weight != b[i].weight || !um_str_eq(a[i].locality, b[i].locality))
            return false;
    return true;
}

/* sorted, so that an unchanged answer is an unchanged set; an address that two names have counts once */
static uint32_t sort_unique(struct um_endpoint *e, uint32_t n)
{
    uint32_t kept = 0;
    qsort(e, n, sizeof *e, compare_endpoints);
    for (uint32_t i = 0; i < n; i++)
        if (kept == 0 || compare_addr(&e[kept - 1].addr, &e[i].addr))
            e[kept++] = e[i];
    return kept;
}

static uint32_t count_addresses(const struct cluster *c)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->n_uses; i++)
        n += c->uses[i].record->n;
    return n;
}

static uint32_t collect(const struct cluster *c, struct um_endpoint *to)
{
    uint32_t n = 0;
    if (c->is_logical) {
        to[0] = endpoint_of(&c->uses[0], &c->uses[0].record->chosen);
        return 1;
    }
    for (uint32_t i = 0; i < c->n_uses; i++)
        for (unsigned k = 0; k < c->uses[i].record->n; k++)
            to[n++] = endpoint_of(&c->uses[i], &c->uses[i].record->addrs[k]);
    return sort_unique(to, n);
}

/* the cluster's set from what its names have said. Without memory the old one stays until the next answer. */
static void compose(struct um_dns *d, struct cluster *c)
{
    uint32_t n = count_addresses(c);
    struct um_endpoint *endpoints = n ? malloc(n * sizeof *endpoints) : NULL;
    if (!endpoints)
        return;
    n = collect(c, endpoints);
    bool is_same = c->set && c->set->n == n && same_endpoints(c->set->endpoints, endpoints, n);
    struct um_endpoint_set *set = is_same ? NULL : um_endpoint_set_new(endpoints, n);
    free(endpoints);
    if (!set)
        return;
    um_endpoint_set_unref(c->set);
    c->set = set;
    um_list_remove(&c->untold);
    um_list_push(&d->untold, &c->untold);
    um_loop_soon(d->records.loop, &d->tell);
}

static void tell(struct um_task *t)
{
    struct um_dns *d = UM_CONTAINER(t, struct um_dns, tell);
    struct um_list *node;
    while ((node = um_list_pop(&d->untold))) {
        struct cluster *c = UM_CONTAINER(node, struct cluster, untold);
        d->events.on_set(d->ctx, c->name, c->set);
    }
    bool is_warm = d->is_warm_untold && d->records.n_cold == 0;
    d->is_warm_untold = false;
    if (is_warm)
        d->events.on_warm(d->ctx);
}

static void on_answer(struct um_dns_record *r)
{
    struct um_dns *d = UM_CONTAINER(r->all, struct um_dns, records);
    UM_LIST_EACH (node, &r->uses)
        compose(d, UM_CONTAINER(node, struct use, node)->cluster);
}

static void on_warm(struct um_dns_records *all)
{
    struct um_dns *d = UM_CONTAINER(all, struct um_dns, records);
    d->is_warm_untold = true;
    um_loop_soon(all->loop, &d->tell);
}

/* ---- clusters -------------------------------------------------------------------------------------- */

static void table_init(struct table *t)
{
    *t = (struct table){0};
    um_arena_init(&t->arena, NULL, 0);
    um_map_init(&t->clusters_by_name);
    um_map_init(&t->records);
}

/* records that no other table uses go too */
static void table_release(struct table *t)
{
    for (uint32_t i = 0; i < t->n_clusters; i++) {
        struct cluster *c = &t->clusters[i];
        for (uint32_t k = 0; k < c->n_uses; k++)
            um_list_remove(&c->uses[k].node);
        um_list_remove(&c->untold);
        um_endpoint_set_unref(c->set);
    }
    UM_MAP_EACH (entry, &t->records) {
        struct um_dns_record *r = entry->value;
        if (um_list_empty(&r->uses))
            um_dns_record_free(r);
    }
    um_map_release(&t->clusters_by_name);
    um_map_release(&t->records);
    um_arena_release(&t->arena);
}

/* the record of that name: of this table, of the one in force, or a new one; NULL without memory */
static struct um_dns_record *record_of(struct um_dns *d, struct table *t, struct um_str name)
{
    struct um_dns_record *r = um_map_get(&t->records, name), *old = um_map_get(&d->table.records, name);
    if (r)
        return r;
    r = old ? old : um_dns_record_new(&d->records, name);
    if (!r || um_map_put(&t->records, r->name, r, NULL) == 0)
        return r;
    if (!old)
        um_dns_record_free(r);
    return NULL;
}

static int add_use(struct um_dns *d, struct table *t, struct cluster *c, const struct um_dns_name *from)
{
    struct use *u = &c->uses[c->n_uses];
    *u = (struct use){.cluster = c, .weight = from->weight, .port = from->port};
    u->record = record_of(d, t, from->name);
    u->locality = um_arena_str(&t->arena, from->locality);
    if (!u->record || !u->locality.p)
        return UM_ENOMEM;
    um_list_init(&u->node);
    um_list_push(&u->record->uses, &u->node);
    c->n_uses++;
    return 0;
}

static int add_cluster(struct um_dns *d, struct table *t, const struct um_cluster *from)
{
    struct cluster *c = &t->clusters[t->n_clusters];
    c->is_logical = from->discovery == UM_DISCOVERY_LOGICAL_DNS;
    uint32_t n = c->is_logical ? 1 : from->n_dns_names;
    c->name = um_arena_str(&t->arena, from->name);
    c->uses = um_arena_array(&t->arena, n, sizeof *c->uses);
    um_list_init(&c->untold);
    if (!c->name.p || !c->uses || um_map_put(&t->clusters_by_name, c->name, c, NULL))
        return UM_ENOMEM;
    t->n_clusters++;
    int rc = 0;
    for (uint32_t i = 0; i < n && rc == 0; i++)
        rc = add_use(d, t, c, &from->dns_names[i]);
    return rc;
}

static int table_build(struct um_dns *d, struct table *t, const struct um_cluster *clusters, uint32_t n)
{
    t->clusters = um_arena_array(&t->arena, n + 1, sizeof *t->clusters);
    int rc = t->clusters ? 0 : UM_ENOMEM;
    for (uint32_t i = 0; i < n && rc == 0; i++)
        if (clusters[i].n_dns_names)
            rc = add_cluster(d, t, &clusters[i]);
    return rc;
}

/* a set that was not told yet still is to be */
static void inherit(struct um_dns *d, struct cluster *c, struct cluster *old)
{
    c->set = old->set;
    old->set = NULL;
    if (!um_list_empty(&old->untold))
        um_list_push(&d->untold, &c->untold);
}

int um_dns_set_clusters(struct um_dns *d, const struct um_cluster *clusters, uint32_t n)
{
    struct table next, old = d->table;
    table_init(&next);
    int rc = table_build(d, &next, clusters, n);
    if (rc) {
        table_release(&next);
        return rc;
    }
    d->table = next;
    for (uint32_t i = 0; i < next.n_clusters; i++) {
        struct cluster *c = &next.clusters[i], *before = um_map_get(&old.clusters_by_name, c->name);
        if (before)
            inherit(d, c, before);
        compose(d, c);
    }
    table_release(&old);
    um_dns_records_ask(&d->records);
    return 0;
}

struct um_endpoint_set *um_dns_get(const struct um_dns *d, struct um_str cluster)
{
    const struct cluster *c = um_map_get(&d->table.clusters_by_name, cluster);
    return c ? c->set : NULL;
}

bool um_dns_is_warm(const struct um_dns *d)
{
    return d->records.n_cold == 0;
}

int um_dns_new(struct um_loop *loop, struct um_resolver *resolver, const struct um_dns_events *events, void *ctx,
               struct um_dns **ret_dns)
{
    struct um_dns *d = calloc(1, sizeof *d);
    if (!d)
        return UM_ENOMEM;
    um_dns_records_init(&d->records, loop, resolver);
    d->records.on_answer = on_answer;
    d->records.on_warm = on_warm;
    d->events = *events;
    d->ctx = ctx;
    table_init(&d->table);
    um_list_init(&d->untold);
    um_task_init(&d->tell, tell);
    *ret_dns = d;
    return 0;
}

void um_dns_free(struct um_dns *d)
{
    if (!d)
        return;
    table_release(&d->table);
    um_task_cancel(&d->tell);
    free(d);
}
