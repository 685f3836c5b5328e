/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "stats/counters.h"

#include <stdlib.h>

void um_stat_names_init(struct um_stat_names *names)
{
    *names = (struct um_stat_names){0};
    um_map_init(&names->cluster_indexes);
    um_map_init(&names->shadow_indexes);
}

static void free_keys(struct um_map *m)
{
    UM_MAP_EACH (entry, m)
        free((void *)(uintptr_t)entry->key.p);
    um_map_release(m);
}

void um_stat_names_release(struct um_stat_names *names)
{
    free_keys(&names->cluster_indexes);
    free_keys(&names->shadow_indexes);
    free(names->clusters);
    free(names->shadows);
    *names = (struct um_stat_names){0};
}

/* room for one more entry */
static int reserve(void **array, uint32_t n, uint32_t *cap, size_t size)
{
    if (n < *cap)
        return 0;
    uint32_t more = *cap ? *cap * 2 : 16;
    void *p = realloc(*array, more * size);
    if (!p)
        return UM_ENOMEM;
    *array = p;
    *cap = more;
    return 0;
}

/* a malloc'ed copy of the key is filed under index; *ret_key shows it */
static int file(struct um_map *m, struct um_str key, uint32_t index, struct um_str *ret_key)
{
    char *copy = malloc(key.n + 1);
    if (!copy)
        return UM_ENOMEM;
    if (key.n)
        memcpy(copy, key.p, key.n);
    copy[key.n] = '\0';
    int rc = um_map_put(m, (struct um_str){copy, key.n}, (void *)(uintptr_t)(index + 1), NULL);
    if (rc)
        free(copy);
    else
        *ret_key = (struct um_str){copy, key.n};
    return rc;
}

static bool find(const struct um_map *m, struct um_str key, uint32_t *ret_index)
{
    void *value = um_map_get(m, key);
    if (value)
        *ret_index = (uint32_t)(uintptr_t)value - 1;
    return value != NULL;
}

int um_stat_names_cluster(struct um_stat_names *names, struct um_str name, uint32_t *ret_index)
{
    if (find(&names->cluster_indexes, name, ret_index))
        return 0;
    uint32_t index = names->n_clusters;
    int rc = reserve((void **)&names->clusters, index, &names->cap_clusters, sizeof *names->clusters);
    if (rc == 0)
        rc = file(&names->cluster_indexes, name, index, &names->clusters[index]);
    if (rc)
        return rc;
    names->n_clusters++;
    *ret_index = index;
    return 0;
}

static int add_shadow(struct um_stat_names *names, struct um_str key, size_t route_n, uint32_t *ret_index)
{
    if (find(&names->shadow_indexes, key, ret_index))
        return 0;
    uint32_t index = names->n_shadows;
    struct um_str kept;
    int rc = reserve((void **)&names->shadows, index, &names->cap_shadows, sizeof *names->shadows);
    if (rc == 0)
        rc = file(&names->shadow_indexes, key, index, &kept);
    if (rc)
        return rc;
    names->shadows[index].route = (struct um_str){kept.p, route_n};
    names->shadows[index].shadow = um_str_skip(kept, route_n + 1);
    names->n_shadows++;
    *ret_index = index;
    return 0;
}

int um_stat_names_shadow(struct um_stat_names *names, struct um_str route, struct um_str shadow, uint32_t *ret_index)
{
    struct um_buf key;
    um_buf_init(&key, 0);
    um_buf_add(&key, route);
    um_buf_add_char(&key, '\0');
    um_buf_add(&key, shadow);
    int rc = key.failed ? UM_ENOMEM : add_shadow(names, um_buf_str(&key), route.n, ret_index);
    um_buf_release(&key);
    return rc;
}
