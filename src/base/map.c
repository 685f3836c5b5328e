/* SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"

#include <stdlib.h>

void um_map_init(struct um_map *m)
{
    *m = (struct um_map){0};
}

void um_map_release(struct um_map *m)
{
    free(m->entries);
    free(m->slots);
    *m = (struct um_map){0};
}

static struct um_map_entry *find(const struct um_map *m, struct um_str key, uint64_t hash)
{
    if (m->n_slots == 0)
        return NULL;
    for (uint32_t i = (uint32_t)hash & (m->n_slots - 1); m->slots[i]; i = (i + 1) & (m->n_slots - 1)) {
        struct um_map_entry *e = &m->entries[m->slots[i] - 1];
        if (e->hash == hash && um_str_eq(e->key, key))
            return e;
    }
    return NULL;
}

/* rebuilds slots (and drops removed entries) so that n entries fill at most half */
static int rehash(struct um_map *m, uint32_t n)
{
    uint32_t n_slots = 16;
    while (n_slots < n * 2)
        n_slots *= 2;
    uint32_t *slots = calloc(n_slots, sizeof *slots);
    struct um_map_entry *entries = realloc(m->entries, n_slots / 2 * sizeof *entries);
    if (entries)
        m->entries = entries;
    if (!slots || !entries) {
        free(slots);
        return UM_ENOMEM;
    }
    uint32_t live = 0;
    for (uint32_t i = 0; i < m->n_entries; i++)
        if (m->entries[i].value)
            m->entries[live++] = m->entries[i];
    for (uint32_t i = 0; i < live; i++) {
        uint32_t at = (uint32_t)m->entries[i].hash & (n_slots - 1);
        while (slots[at])
            at = (at + 1) & (n_slots - 1);
        slots[at] = i + 1;
    }
    free(m->slots);
    m->slots = slots;
    m->n_slots = n_slots;
    m->n_entries = m->n_live = live;
    m->cap_entries = n_slots / 2;
    return 0;
}

int um_map_put(struct um_map *m, struct um_str key, void *value, void **ret_old)
{
    uint64_t hash = um_str_hash(key);
    struct um_map_entry *e = find(m, key, hash);
    if (e) {
        if (ret_old)
            *ret_old = e->value;
        m->n_live += e->value == NULL;
        e->value = value;
        e->key = key;
        return 0;
    }
    if (m->n_entries == m->cap_entries) {
        int rc = rehash(m, m->n_live + 1 + m->n_live / 2);
        if (rc)
            return rc;
    }
    uint32_t at = (uint32_t)hash & (m->n_slots - 1);
    while (m->slots[at])
        at = (at + 1) & (m->n_slots - 1);
    m->entries[m->n_entries] = (struct um_map_entry){key, value, hash};
    m->slots[at] = ++m->n_entries;
    m->n_live++;
    if (ret_old)
        *ret_old = NULL;
    return 0;
}

void *um_map_get(const struct um_map *m, struct um_str key)
{
    struct um_map_entry *e = find(m, key, um_str_hash(key));
    return e ? e->value : NULL;
}

void *um_map_remove(struct um_map *m, struct um_str key)
{
    struct um_map_entry *e = find(m, key, um_str_hash(key));
    if (!e || !e->value)
        return NULL;
    void *old = e->value;
    e->value = NULL;
    m->n_live--;
    return old;
}
