/* SPDX-License-Identifier: Apache-2.0
 * map: byte strings to pointers, open addressing. Keys are borrowed: they must outlive the map. Never put NULL.
 * UM_MAP_EACH walks in the order of insertion. Thread: its owner's; reading an unchanging map: any. */
#ifndef UM_BASE_MAP_H
#define UM_BASE_MAP_H

#include "base/err.h"
#include "base/str.h"

struct um_map_entry {
    struct um_str key;
    void *value; /* NULL: removed */
    uint64_t hash;
};

struct um_map {
    struct um_map_entry *entries; /* in order of insertion */
    uint32_t *slots;              /* index into entries + 1; 0: free */
    uint32_t n_entries, cap_entries, n_slots, n_live;
};

void um_map_init(struct um_map *);
void um_map_release(struct um_map *);
/* sets key to value; *ret_old (optional) the value it had before or NULL; UM_ENOMEM leaves the map as it was */
int um_map_put(struct um_map *, struct um_str key, void *value, void **ret_old) UM_MUST_CHECK;
void *um_map_get(const struct um_map *, struct um_str key);
void *um_map_remove(struct um_map *, struct um_str key); /* the value it had, or NULL */

#define UM_MAP_EACH(entry, map)                                                                                        \
    for (struct um_map_entry *entry = (map)->entries; entry && entry < (map)->entries + (map)->n_entries; entry++)     \
        if (entry->value)

#endif
