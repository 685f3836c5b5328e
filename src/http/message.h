/* SPDX-License-Identifier: Apache-2.0
 * message: the head of a request or a response, the same for HTTP/1.1 and HTTP/2, and edits on top of it.
 *
 * A head is an array of fields whose slices point into the bytes as received (a chunk that the head's holder
 * keeps) or into an arena. It is never changed once parsed: who forwards it lays a list of edits over it, and
 * writing walks both (three legs with three Hosts share one head).
 * Sources: RFC 9110 (fields, methods), RFC 9112 (message syntax), RFC 9113 (pseudo fields).
 * Owner: the exchange's arena, or the stack of a test. Thread: its worker's. */
#ifndef UM_HTTP_MESSAGE_H
#define UM_HTTP_MESSAGE_H

#include "base/arena.h"
#include "base/str.h"

/* known names; UM_FIELD_OTHER for all else */
enum um_field_id {
    UM_FIELD_OTHER = 0,
#define UM_FIELD_NAME(id, name, flags) UM_FIELD_##id,
#include "http/field_name.def"
#undef UM_FIELD_NAME
    UM_FIELD_COUNT
};

enum um_version { UM_HTTP_10 = 10, UM_HTTP_11 = 11, UM_HTTP_2 = 20 };

enum um_method {
    UM_METHOD_OTHER = 0,
    UM_METHOD_GET,
    UM_METHOD_HEAD,
    UM_METHOD_POST,
    UM_METHOD_PUT,
    UM_METHOD_DELETE,
    UM_METHOD_CONNECT,
    UM_METHOD_OPTIONS,
    UM_METHOD_TRACE,
    UM_METHOD_PATCH,
};

/* how the body's end is known (RFC 9112 section 6.3) */
enum um_framing {
    UM_FRAMING_NONE,    /* no body */
    UM_FRAMING_LENGTH,  /* content_length bytes, may be 0 */
    UM_FRAMING_CHUNKED, /* h1 chunked coding */
    UM_FRAMING_CLOSE,   /* response: until the connection closes */
    UM_FRAMING_STREAM,  /* h2: until END_STREAM, length unknown */
    UM_FRAMING_TUNNEL,  /* 101, or 2xx to CONNECT: bytes both ways from here on */
};

struct um_field {
    const char *name;
    const char *value;
    uint32_t name_n, value_n;
    uint16_t id;          /* enum um_field_id */
    uint8_t is_plain;     /* h1: stands in the received bytes as `name: value\r\n`: runs of such are copied whole */
    uint8_t is_nominated; /* named in Connection: hop-by-hop for this message */
};

struct um_head {
    enum um_version version;
    enum um_framing framing;
    uint64_t content_length; /* with UM_FRAMING_LENGTH */
    bool is_response;
    bool has_upgrade; /* Connection: upgrade together with an Upgrade field */
    bool keep_alive;  /* h1: the connection may carry another message after this one */
    bool expects_100; /* Expect: 100-continue on HTTP/1.1 */

    enum um_method method; /* request */
    struct um_str method_name;
    struct um_str scheme;    /* "http" or "https": of an absolute-form target, else of the connection */
    struct um_str authority; /* absolute-form host, else Host; empty if there is none */
    struct um_str path;      /* path and query as sent; "*" for OPTIONS *, empty for CONNECT */
    bool is_absolute_form;

    uint16_t status; /* response */
    struct um_str reason;

    struct um_field *fields;
    uint32_t n_fields;
    uint16_t first_of[UM_FIELD_COUNT]; /* index + 1 of the first field with that id, 0: absent; [0] unused */
};

static inline struct um_str um_field_name(const struct um_field *f)
{
    return (struct um_str){f->name, f->name_n};
}

static inline struct um_str um_field_value(const struct um_field *f)
{
    return (struct um_str){f->value, f->value_n};
}

/* the id of a name in any case, by a perfect hash; and back (lower-case) */
enum um_field_id um_field_id_of(struct um_str name);
struct um_str um_field_id_name(enum um_field_id);
bool um_field_id_is_hop(enum um_field_id);

enum um_method um_method_of(struct um_str name);
bool um_method_is_idempotent(enum um_method); /* RFC 9110 section 9.2.2 */
bool um_method_is_safe(enum um_method);       /* RFC 9110 section 9.2.1 */

static inline const struct um_field *um_head_known(const struct um_head *h, enum um_field_id id)
{
    return h->first_of[id] ? &h->fields[h->first_of[id] - 1] : NULL;
}

/* first field of that name (any case); NULL if absent. `from` continues a search: 0, then index + 1. */
const struct um_field *um_head_find(const struct um_head *, struct um_str name, uint32_t from);

/* sets first_of from fields[] (ids must be set): for heads that no parser of h1 has filled in */
void um_head_index(struct um_head *);

/* a deep copy whose bytes live in the arena; NULL without memory */
struct um_head *um_head_copy(struct um_arena *, const struct um_head *);

/* token, field value and Host syntax (RFC 9110 sections 5.6.2, 5.5, 7.2) */
bool um_is_token(struct um_str);
bool um_is_field_value(struct um_str);
bool um_is_authority(struct um_str);

/* reason phrase of a status, "Unknown" if not registered */
struct um_str um_status_reason(unsigned status);

/* ---- edits -------------------------------------------------------------------------------------- */

enum um_edit_op {
    UM_EDIT_SET,    /* removes all fields of that name and adds one at the end */
    UM_EDIT_ADD,    /* adds a field at the end */
    UM_EDIT_REMOVE, /* removes all fields of that name */
};

/* Applied in order, each upon the result of those before it: SET a, REMOVE a, ADD a gives one a. Edits of Host (that is
 * `authority` below), of Content-Length and of hop-by-hop fields are dropped when added: the codec writes those. */
struct um_edit {
    enum um_edit_op op;
    enum um_field_id id;
    struct um_str name, value; /* borrowed: arena, snapshot or literal */
};

struct um_edits {
    /* empty (p == NULL): as in the head */
    struct um_str method, path, authority, scheme;
    struct um_edit *edits; /* in the arena; grows by doubling */
    uint32_t n_edits, cap_edits;
};

void um_edits_init(struct um_edits *);
/* a copy that may be added to without changing `from`; bytes stay borrowed; UM_ENOMEM */
int um_edits_copy(struct um_edits *, const struct um_edits *from, struct um_arena *) UM_MUST_CHECK;
/* name in any case; UM_ENOMEM */
int um_edits_add(struct um_edits *, struct um_arena *, enum um_edit_op, struct um_str name,
                 struct um_str value) UM_MUST_CHECK;
/* the same with a known name */
int um_edits_known(struct um_edits *, struct um_arena *, enum um_edit_op, enum um_field_id,
                   struct um_str value) UM_MUST_CHECK;

/* the value that a header match or a log sees after the edits: first field of that name that Connection does not
 * nominate; "host" is the authority; false if absent */
bool um_edits_lookup(const struct um_edits *, const struct um_head *, struct um_str name, struct um_str *ret_value);

/* a callback per field of the result, in the order they are written; Host and framing fields are not among them
 * (the codec writes those). For h2, Lua, explain and tests: the plain statement of what um_h1_write_* do. */
typedef void um_edits_each_f(void *ctx, struct um_str name, struct um_str value);
void um_edits_each(const struct um_edits *, const struct um_head *, um_edits_each_f *, void *ctx);

#endif
