/* SPDX-License-Identifier: Apache-2.0
 * place: where a decoded object stands: its resource, the path to it, and its node in the file. Every decoded object
 * begins with one, so that a check can complain of any field of it by name, long after decoding:
 *     um_complain(diag, UM_SEVERITY_ERROR, &route->place, "mirror.subset", hint, "subset %.*s does not exist", ...);
 * Owner: the resources' arena; nodes are the documents'. Thread: control. */
#ifndef UM_ISTIO_PLACE_H
#define UM_ISTIO_PLACE_H

#include "config/document.h"

struct um_meta;

struct um_place {
    const struct um_place *up; /* NULL: the resource itself */
    const struct um_meta *meta;
    const struct um_node *node;
    struct um_str key; /* as written in the file; of a map of objects (headers) the user's key */
    int32_t index;     /* of a list's element; -1 otherwise */
};

/* "spec.http[0].mirror" + field, in the arena; {NULL, 0} without memory. field may be NULL */
struct um_str um_place_path(const struct um_place *, const char *field, struct um_arena *);
/* Position of a field below the place: "host", "port.number", "hosts[2]"; camelCase finds snake_case as well. A
 * scalar's own position, else its key's; of what is absent the nearest that is there. field may be NULL. */
struct um_pos um_place_pos(const struct um_place *, const char *field);

/* hint may be NULL */
void um_complain(struct um_diag *, enum um_severity, const struct um_place *, const char *field, const char *hint,
                 const char *format, ...) UM_PRINTF(6, 7);

/* the same of the place itself, at a position of the caller's choice (a key whose value is not at fault) */
void um_complain_at(struct um_diag *, enum um_severity, const struct um_place *, struct um_pos, const char *hint,
                    const char *format, ...) UM_PRINTF(6, 7);

/* whether the field directly below the place is there, and neither null nor an empty list */
bool um_place_has(const struct um_place *, const char *field);
/* whether a key of the file means the field `name` */
bool um_place_is_name(struct um_str key, struct um_str name);

/* ---- values that may be absent ---- */
struct um_opt_u32 {
    bool is_set;
    uint32_t value;
};
struct um_opt_bool {
    bool is_set;
    bool value;
};
struct um_opt_double {
    bool is_set;
    double value;
};
struct um_opt_ms {
    bool is_set;
    uint64_t ms;
};
struct um_opt_bytes {
    bool is_set;
    uint64_t bytes;
};

/* a text field is {NULL, 0} when absent; all texts are NUL-terminated */
struct um_strs {
    struct um_str *items;
    uint32_t n;
};
struct um_pair {
    struct um_str key, value;
};
struct um_pairs {
    struct um_pair *items;
    uint32_t n;
};
struct um_named_port { /* portName: number */
    struct um_str name;
    uint32_t number;
};
struct um_named_ports {
    struct um_named_port *items;
    uint32_t n;
};

/* NULL if absent */
const struct um_str *um_pairs_get(const struct um_pairs *, struct um_str key);
/* every pair of `selector` is in `labels`; an empty selector is contained in all */
bool um_pairs_contain(const struct um_pairs *labels, const struct um_pairs *selector);

#endif
