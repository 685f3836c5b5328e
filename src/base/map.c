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
        if (e->value && e->hash == hash && um_str_eq(e->key, key))
            return e;
    }
    return NULL;
}

static void fill_slots(struct um_map *m)
{
    for (uint32_t i = 0; i < m->n_entries; i++) {
        uint32_t at = (uint32_t)m->entries[i].hash & (m->n_slots - 1);
        while (m->slots[at])
            at = (at + 1) & (m->n_slots - 1);
        m->slots[at] = i + 1;
    }
}

/* rebuilds the map without removed entries and so that n entries fill at most half of the slots */
static int rehash(struct um_map *m, uint32_t n)
{
    struct um_map made = {.n_slots = 16};
    while (made.n_slots < n * 2)
        made.n_slots *= 2;
    made.cap_entries = made.n_slots / 2;
    made.slots = calloc(made.n_slots, sizeof *made.slots);
    made.entries = malloc(made.cap_entries * sizeof *made.entries);
    if (!made.slots || !made.entries) {
        um_map_release(&made);
        return UM_ENOMEM;
    }
    UM_MAP_EACH (entry, m)
        made.entries[made.n_entries++] = *entry;
    made.n_live = made.n_entries;
    fill_slots(&made);
    um_map_release(m);
    *m = made;
    return 0;
}

int um_map_put(struct um_map *m, struct um_str key, void *value, void **ret_old)
{
    uint64_t hash = um_str_hash(key);
    struct um_map_entry *e = find(m, key, hash);
    if (ret_old)
        *ret_old = e ? e->value : NULL;
    if (e) {
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
    if (!e)
        return NULL;
    void *old = e->value;
    e->value = NULL;
    m->n_live--;
    return old;
}
