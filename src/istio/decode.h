/* SPDX-License-Identifier: Apache-2.0
 * decode: nodes into structs by tables, a row for every field that the API has, so that a typing error can be told from
 * a field that is not supported yet. Internal to istio/: kind_*.c define the tables, decode_*.c read by them. Errors:
 * faults are diagnostics; no_memory is looked at once, at the end. Thread: control. */
#ifndef UM_ISTIO_DECODE_H
#define UM_ISTIO_DECODE_H

#include "base/map.h"
#include "istio/resources.h"

struct um_decoder {
    struct um_diag *diag;
    struct um_arena *arena;
    bool no_memory;
};

enum um_field_type {
    UM_TYPE_UNREAD,         /* nothing is read, whatever it is */
    UM_TYPE_TEXT,           /* struct um_str */
    UM_TYPE_TEXT_OR_NUMBER, /* struct um_str: "http" or 8080 */
    UM_TYPE_BOOL,           /* bool */
    UM_TYPE_OPT_BOOL,
    UM_TYPE_OPT_U32,     /* min to max */
    UM_TYPE_OPT_DOUBLE,  /* min to max */
    UM_TYPE_OPT_MS,      /* a duration of min milliseconds at least */
    UM_TYPE_OPT_BYTES,   /* a Kubernetes quantity */
    UM_TYPE_ENUM,        /* an enum, by `names` */
    UM_TYPE_TEXTS,       /* struct um_strs */
    UM_TYPE_PAIRS,       /* struct um_pairs: text to text */
    UM_TYPE_NAMED_PORTS, /* struct um_named_ports: text to port number */
    UM_TYPE_OBJECT,      /* pointer to a struct of `table` */
    UM_TYPE_OBJECTS,     /* pointer and count, from a list */
    UM_TYPE_OBJECT_MAP,  /* pointer and count, from a mapping whose keys are the user's */
    UM_TYPE_FLAT,        /* a mapping of `table` whose fields are members of the same struct */
    UM_TYPES
};

enum um_support {
    UM_SUPPORTED,
    UM_DEPRECATED,  /* a warning; it has its effect */
    UM_NO_EFFECT,   /* a warning: what is served is right without it */
    UM_UNSUPPORTED, /* an error: what is served would not be what the text says */
};

struct um_enum_name {
    const char *name; /* NULL: the end */
    int value;
};

/* what is wrong with a text ("must be ..."), in the arena or static; NULL: nothing */
typedef const char *um_rule_f(struct um_str text, struct um_arena *);

struct um_field_row {
    const char *name; /* camelCase */
    enum um_field_type type;
    enum um_support support;
    const char *note; /* of what is not supported: why it does no harm, or what to do instead */
    bool is_required;
    uint16_t offset, n_offset;      /* of the member and, of a list of objects, of its count */
    uint16_t choice_offset, choice; /* of a oneof: the enum that says which member was given, and its value (not 0) */
    int64_t min, max;               /* max 0: none */
    um_rule_f *rule;                /* of TEXT and each of TEXTS */
    const struct um_enum_name *names;
    const struct um_table *table;
};

struct um_table {
    const struct um_field_row *rows;
    uint32_t n_rows; /* at most 64 */
    uint32_t size, place_offset;
    bool is_open;                                     /* other fields are accepted unread */
    void (*check)(struct um_decoder *, void *object); /* what the fields together must be; NULL: nothing */
};

#define UM_ROW(type_, name_, struct_, member_, ...)                                                                    \
    {                                                                                                                  \
        .name = (name_), .type = UM_TYPE_##type_, .offset = offsetof(struct struct_, member_), __VA_ARGS__             \
    }
#define UM_ROW_LIST(type_, name_, struct_, member_, ...)                                                               \
    UM_ROW(type_, name_, struct_, member_, .n_offset = offsetof(struct struct_, n_##member_), __VA_ARGS__)
#define UM_ROW_FLAT(name_, table_, ...)                                                                                \
    {                                                                                                                  \
        .name = (name_), .type = UM_TYPE_FLAT, .table = &(table_), __VA_ARGS__                                         \
    }
#define UM_ROW_UNREAD(name_, ...)                                                                                      \
    {                                                                                                                  \
        .name = (name_), .type = UM_TYPE_UNREAD, __VA_ARGS__                                                           \
    }
#define UM_TABLE(rows_, struct_, ...)                                                                                  \
    {                                                                                                                  \
        .rows = (rows_), .n_rows = sizeof(rows_) / sizeof(rows_)[0], .size = sizeof(struct struct_),                   \
        .place_offset = offsetof(struct struct_, place), __VA_ARGS__                                                   \
    }

/* Sets the object's place to `at`, reads its fields, checks them. `at` must be a mapping. */
void um_decode_object(struct um_decoder *, const struct um_table *, const struct um_place *at, void *object);
/* the same without place and check: the fields below `at`, which must live as long as the object */
void um_decode_fields(struct um_decoder *, const struct um_table *, const struct um_place *at, void *object);
/* one value of a row; `at` is the value's place */
void um_decode_value(struct um_decoder *, const struct um_field_row *, const struct um_place *at, void *object);

/* an error: the value is not what is wanted ("must be a list, not text") */
void um_decode_wrong_type(struct um_decoder *, const struct um_place *, const char *wanted);
/* The value that claimed this key before, or NULL: then `value` has it now. For lists whose names must differ. */
void *um_decode_claim(struct um_decoder *, struct um_map *, struct um_str key, void *value);
/* cleared; NULL sets no_memory */
void *um_decode_alloc(struct um_decoder *, size_t n, size_t size);

#define um_decode_fault(d, place, field, ...)                                                                          \
    um_complain((d)->diag, UM_SEVERITY_ERROR, (place), (field), NULL, __VA_ARGS__)
#define um_decode_warning(d, place, field, ...)                                                                        \
    um_complain((d)->diag, UM_SEVERITY_WARNING, (place), (field), NULL, __VA_ARGS__)

/* ---- the kinds: the table of spec, or of the whole resource ---- */
extern const struct um_table um_virtual_service_table, um_destination_rule_table, um_service_entry_table,
    um_workload_table, um_gateway_table, um_service_table, um_endpoint_slice_table, um_endpoints_table, um_pod_table,
    um_pod_status_table, um_policy_table;

/* shared between kinds */
extern const struct um_table um_header_changes_request_table, um_entry_port_table;

#endif
