/* SPDX-License-Identifier: Apache-2.0 */
#include "upstream/upstream.h"

#include <stdlib.h>

void um_upstream_registry_init(struct um_upstream_registry *r)
{
    um_map_init(&r->clusters);
    um_map_init(&r->hosts);
    um_arena_init(&r->arena, NULL, 0);
}

void um_upstream_registry_release(struct um_upstream_registry *r)
{
    UM_MAP_EACH (entry, &r->clusters)
        free(entry->value);
    UM_MAP_EACH (entry, &r->hosts)
        free(entry->value);
    um_map_release(&r->clusters);
    um_map_release(&r->hosts);
    um_arena_release(&r->arena);
}

/* the entry of that key, made (cache-line aligned, cleared) if new */
static void *entry_of(struct um_upstream_registry *r, struct um_map *map, struct um_str key, size_t size)
{
    void *entry = um_map_get(map, key);
    if (entry)
        return entry;
    struct um_str own = um_arena_str(&r->arena, key);
    entry = own.p ? aligned_alloc(64, (size + 63) & ~(size_t)63) : NULL;
    if (!entry)
        return NULL;
    memset(entry, 0, size);
    if (um_map_put(map, own, entry, NULL)) {
        free(entry);
        return NULL;
    }
    return entry;
}

static struct um_host_shared *host_of(struct um_upstream_registry *r, struct um_str cluster, enum um_side side,
                                      const struct um_sockaddr *addr)
{
    char address[UM_SOCKADDR_TEXT_BYTES], key[512];
    size_t n = um_sockaddr_text(addr, address);
    if (cluster.n + n + 4 > sizeof key)
        return NULL;
    memcpy(key, cluster.p, cluster.n);
    key[cluster.n] = ' ';
    key[cluster.n + 1] = (char)('0' + side);
    key[cluster.n + 2] = ' ';
    memcpy(key + cluster.n + 3, address, n);
    return entry_of(r, &r->hosts, (struct um_str){key, cluster.n + 3 + n}, sizeof(struct um_host_shared));
}

void um_cluster_update_release(struct um_cluster_update *u)
{
    um_endpoint_set_unref(u->set);
    for (int side = 0; side < UM_SIDES; side++)
        free(u->hosts[side]);
}

int um_upstream_registry_update(struct um_upstream_registry *r, const struct um_cluster *c, struct um_endpoint_set *set,
                                struct um_cluster_update *ret_update)
{
    struct um_cluster_update u = {.index = c->index, .limits = c->limits, .lb = c->lb};
    u.shared = entry_of(r, &r->clusters, c->name, sizeof *u.shared);
    u.set = um_endpoint_set_ref(set);
    bool ok = u.shared != NULL;
    for (int side = 0; side < UM_SIDES && ok; side++) {
        u.hosts[side] = calloc(set->n + 1, sizeof *u.hosts[side]);
        ok = u.hosts[side] != NULL;
        for (uint32_t i = 0; i < set->n && ok; i++) {
            u.hosts[side][i] = host_of(r, c->name, (enum um_side)side, &set->endpoints[i].addr);
            ok = u.hosts[side][i] != NULL;
        }
    }
    if (!ok) {
        um_cluster_update_release(&u);
        return UM_ENOMEM;
    }
    *ret_update = u;
    return 0;
}
