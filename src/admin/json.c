/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/json.h"

#include "base/clock.h"

#include <stdio.h>

/* well-formed UTF-8 of s; `room` holds it if s was not */
static struct um_str cleaned(struct um_str s, struct um_buf *room)
{
    size_t good = s.n;
    if (um_str_is_utf8(s, &good))
        return s;
    while (!um_str_is_utf8(s, &good)) {
        um_buf_add(room, (struct um_str){s.p, good});
        um_buf_add_cstr(room, "\xEF\xBF\xBD");
        s = um_str_skip(s, good + 1);
    }
    um_buf_add(room, s);
    return um_buf_str(room);
}

json_t *um_json_str(struct um_str s)
{
    struct um_buf room;
    um_buf_init(&room, 0);
    struct um_str text = cleaned(s, &room);
    json_t *made = room.failed ? NULL : json_stringn(text.n ? text.p : "", text.n);
    um_buf_release(&room);
    return made;
}

json_t *um_json_u64(uint64_t v)
{
    return json_integer(v > INT64_MAX ? INT64_MAX : (json_int_t)v);
}

json_t *um_json_u64_text(uint64_t v)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)v);
    return json_string(text);
}

json_t *um_json_duration(uint64_t ms)
{
    char text[32];
    if (ms % 1000)
        snprintf(text, sizeof text, "%llu.%03us", (unsigned long long)(ms / 1000), (unsigned)(ms % 1000));
    else
        snprintf(text, sizeof text, "%llus", (unsigned long long)(ms / 1000));
    return json_string(text);
}

json_t *um_json_time(uint64_t wall_ns)
{
    char text[UM_CLOCK_TEXT_BYTES];
    um_clock_text(wall_ns, text);
    return json_string(text);
}

json_t *um_json_address(const struct um_sockaddr *addr)
{
    char ip[UM_SOCKADDR_TEXT_BYTES];
    um_sockaddr_ip_text(addr, ip);
    return json_pack("{s:{s:s, s:i}}", "socket_address", "address", ip, "port_value", (int)um_sockaddr_port(addr));
}

/* gives the tree up if a step into it has failed */
static void check(json_t **tree, int rc)
{
    if (rc == 0)
        return;
    json_decref(*tree);
    *tree = NULL;
}

void um_json_set(json_t **object, const char *key, json_t *value)
{
    check(object, json_object_set_new(*object, key, value));
}

void um_json_set_named(json_t **object, struct um_str key, json_t *value)
{
    struct um_buf room;
    um_buf_init(&room, 0);
    struct um_str name = cleaned(key, &room);
    if (room.failed) {
        json_decref(value);
        value = NULL;
    }
    check(object, json_object_setn_new(*object, name.n ? name.p : "", name.n, value));
    um_buf_release(&room);
}

void um_json_append(json_t **array, json_t *value)
{
    check(array, json_array_append_new(*array, value));
}

void um_json_set_filled(json_t **object, const char *key, json_t *value)
{
    if (value && json_array_size(value) == 0 && json_object_size(value) == 0)
        json_decref(value);
    else
        um_json_set(object, key, value);
}

static int add_text(const char *text, size_t n, void *ctx)
{
    struct um_buf *out = ctx;
    um_buf_add(out, (struct um_str){text, n});
    return out->failed ? -1 : 0;
}

int um_json_print(struct um_buf *out, json_t *tree)
{
    int rc = tree ? json_dump_callback(tree, add_text, out, JSON_INDENT(1) | JSON_REAL_PRECISION(10)) : -1;
    json_decref(tree);
    um_buf_add_char(out, '\n');
    return rc || out->failed ? UM_ENOMEM : 0;
}
