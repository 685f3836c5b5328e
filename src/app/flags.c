/* SPDX-License-Identifier: Apache-2.0 */
#include "app/flags.h"

#include "istio/compile_grow.h"

enum { WORKERS_MAX = 256, HEAD_BYTES_MIN = 1 << 10, HEAD_BYTES_MAX = 60 << 10, SHADOW_MEMORY_MIN = 64 << 10 };

static const uint64_t TIME_MAX_MS = 24ULL * 3600 * 1000;

/* ---- values ------------------------------------------------------------------------------------- */

/* what stands before and after `at`; false if that is -1 */
static bool cut_at(struct um_str s, ptrdiff_t at, struct um_str *ret_before, struct um_str *ret_after)
{
    if (at < 0)
        return false;
    *ret_before = (struct um_str){s.p, (size_t)at};
    *ret_after = um_str_skip(s, (size_t)at + 1);
    return true;
}

/* the index of s in `words`, which ends with NULL; UM_ESYNTAX */
static int word_of(struct um_str s, const char *const *words)
{
    for (int i = 0; words[i]; i++)
        if (um_str_eq(s, um_str_from(words[i])))
            return i;
    return UM_ESYNTAX;
}

static int to_switch(struct um_str s, bool *ret_on)
{
    static const char *const WORDS[] = {"off", "on", NULL};
    int word = word_of(s, WORDS);
    if (word < 0)
        return word;
    *ret_on = word == 1;
    return 0;
}

static int to_port(struct um_str s, uint16_t min, uint16_t *ret_port)
{
    uint64_t port;
    int rc = um_str_to_u64(s, UINT16_MAX, &port);
    if (rc == 0 && port < min)
        rc = UM_ELIMIT;
    if (rc == 0)
        *ret_port = (uint16_t)port;
    return rc;
}

static int to_u32(struct um_str s, uint32_t min, uint32_t max, uint32_t *ret_value)
{
    uint64_t v;
    int rc = um_str_to_u64(s, max, &v);
    if (rc == 0 && v < min)
        rc = UM_ELIMIT;
    if (rc == 0)
        *ret_value = (uint32_t)v;
    return rc;
}

static int to_time_ms(struct um_str s, uint64_t *ret_ms)
{
    uint64_t ms;
    bool exact;
    int rc = um_str_to_ms(s, &ms, &exact);
    if (rc == 0 && (!exact || ms > TIME_MAX_MS))
        rc = UM_ELIMIT;
    if (rc == 0)
        *ret_ms = ms;
    return rc;
}

static int to_bytes(struct um_str s, uint64_t min, uint64_t max, uint64_t *ret_bytes)
{
    uint64_t bytes;
    int rc = um_str_to_bytes(s, &bytes);
    if (rc == 0 && (bytes < min || bytes > max))
        rc = UM_ELIMIT;
    if (rc == 0)
        *ret_bytes = bytes;
    return rc;
}

/* ADDR:PORT with an IP address, an IPv6 one in brackets */
static int to_address(struct um_str s, uint16_t min_port, struct um_sockaddr *ret_addr)
{
    struct um_str ip, port_text;
    uint16_t port;
    if (!cut_at(s, um_str_rfind(s, ':'), &ip, &port_text))
        return UM_ESYNTAX;
    if (um_str_find(ip, ':') >= 0 && !um_str_starts(ip, UM_STR("[")))
        return UM_ESYNTAX; /* "::1" alone: which colon is the port's? */
    int rc = to_port(port_text, min_port, &port);
    return rc ? rc : um_sockaddr_parse(ip, port, ret_addr);
}

/* key=value,key=value behind what is in *labels */
static int add_labels(struct um_arena *arena, struct um_str list, struct um_label **labels, uint32_t *n)
{
    struct um_str item;
    while (um_str_split(&list, ',', &item)) {
        struct um_label label;
        if (!cut_at(item, um_str_find(item, '='), &label.key, &label.value) || label.key.n == 0)
            return UM_ESYNTAX;
        struct um_label *more = um_grow(arena, *labels, *n, sizeof *more);
        if (!more)
            return UM_ENOMEM;
        *labels = more;
        more[(*n)++] = label;
    }
    return 0;
}

/* ---- what each flag sets ------------------------------------------------------------------------ */

static int set_file(struct um_options *o, struct um_str value)
{
    struct um_str *files = um_grow(&o->arena, o->files, o->n_files, sizeof *files);
    if (value.n == 0)
        return UM_ESYNTAX;
    if (!files)
        return UM_ENOMEM;
    o->files = files;
    files[o->n_files++] = value;
    return 0;
}

static int set_role(struct um_options *o, struct um_str value)
{
    static const char *const WORDS[] = {
        [UM_ROLE_AUTO] = "", [UM_ROLE_GATEWAY] = "gateway", [UM_ROLE_SIDECAR] = "sidecar", NULL};
    int word = word_of(value, WORDS);
    if (word <= 0)
        return UM_ESYNTAX;
    o->compile.role = (enum um_role)word;
    return 0;
}

static int set_labels(struct um_options *o, struct um_str value)
{
    return add_labels(&o->arena, value, &o->compile.labels, &o->compile.n_labels);
}

static int set_namespace(struct um_options *o, struct um_str value)
{
    o->compile.namespace_name = value;
    return value.n ? 0 : UM_ESYNTAX;
}

static int set_bind(struct um_options *o, struct um_str value)
{
    o->compile.has_bind = true;
    return um_sockaddr_parse(value, 0, &o->compile.bind);
}

static int set_map_port(struct um_options *o, struct um_str value)
{
    struct um_str item, from, to;
    while (um_str_split(&value, ',', &item)) {
        struct um_port_map map, *maps = um_grow(&o->arena, o->compile.port_maps, o->compile.n_port_maps, sizeof *maps);
        if (!maps)
            return UM_ENOMEM;
        if (!cut_at(item, um_str_find(item, '='), &from, &to))
            return UM_ESYNTAX;
        int rc = to_port(from, 1, &map.from);
        if (rc == 0)
            rc = to_port(to, 0, &map.to);
        if (rc)
            return rc;
        o->compile.port_maps = maps;
        maps[o->compile.n_port_maps++] = map;
    }
    return 0;
}

static int set_endpoint(struct um_options *o, struct um_str value)
{
    struct um_given_endpoint endpoint = {0}, *endpoints;
    struct um_str target, address, labels;
    if (!cut_at(value, um_str_rfind(value, '='), &target, &address))
        return UM_ESYNTAX;
    int rc = to_address(address, 1, &endpoint.addr);
    if (rc == 0 && cut_at(target, um_str_find(target, ','), &endpoint.host, &labels))
        rc = add_labels(&o->arena, labels, &endpoint.labels, &endpoint.n_labels);
    else
        endpoint.host = target;
    if (rc || endpoint.host.n == 0)
        return rc ? rc : UM_ESYNTAX;
    endpoints = um_grow(&o->arena, o->compile.endpoints, o->compile.n_endpoints, sizeof *endpoints);
    if (!endpoints)
        return UM_ENOMEM;
    o->compile.endpoints = endpoints;
    endpoints[o->compile.n_endpoints++] = endpoint;
    return 0;
}

static int set_shadow_host_suffix(struct um_options *o, struct um_str value)
{
    return to_switch(value, &o->compile.has_shadow_host_suffix);
}

static int set_workers(struct um_options *o, struct um_str value)
{
    return to_u32(value, 1, WORKERS_MAX, &o->workers);
}

static int set_admin(struct um_options *o, struct um_str value)
{
    o->has_admin = !um_str_eq(value, UM_STR("off"));
    return o->has_admin ? to_address(value, 0, &o->admin) : 0;
}

static int set_access_log(struct um_options *o, struct um_str value)
{
    static const char *const WORDS[] = {[UM_ACCESS_LOG_OFF] = "off", [UM_ACCESS_LOG_STDOUT] = "stdout", NULL};
    int word = word_of(value, WORDS);
    o->access_log = word < 0 ? UM_ACCESS_LOG_FILE : (enum um_access_log_to)word;
    o->access_log_file = value;
    return value.n ? 0 : UM_ESYNTAX;
}

static int set_access_log_format(struct um_options *o, struct um_str value)
{
    static const char *const WORDS[] = {[UM_LOG_TEXT] = "text", [UM_LOG_JSON] = "json", NULL};
    int word = word_of(value, WORDS);
    if (word < 0)
        return word;
    o->access_log_format = (enum um_log_format)word;
    return 0;
}

static int set_shadow_memory(struct um_options *o, struct um_str value)
{
    return to_bytes(value, SHADOW_MEMORY_MIN, INT64_MAX, &o->shadow_memory_bytes);
}

static int set_shadow_istio_metrics(struct um_options *o, struct um_str value)
{
    return to_switch(value, &o->has_shadow_istio_metrics);
}

static int set_drain_time(struct um_options *o, struct um_str value)
{
    return to_time_ms(value, &o->drain_time_ms);
}

static int set_max_head_bytes(struct um_options *o, struct um_str value)
{
    uint64_t bytes;
    int rc = to_bytes(value, HEAD_BYTES_MIN, HEAD_BYTES_MAX, &bytes);
    if (rc == 0)
        o->limits.head_bytes = (uint32_t)bytes;
    return rc;
}

static int set_max_fields(struct um_options *o, struct um_str value)
{
    return to_u32(value, 1, UM_H1_FIELDS_MAX, &o->limits.fields);
}

static int set_header_timeout(struct um_options *o, struct um_str value)
{
    return to_time_ms(value, &o->header_timeout_ms);
}

static int set_idle_timeout(struct um_options *o, struct um_str value)
{
    return to_time_ms(value, &o->idle_timeout_ms);
}

static int set_log_level(struct um_options *o, struct um_str value)
{
    static const char *const WORDS[] = {
        [UM_LOG_DEBUG] = "debug", [UM_LOG_INFO] = "info", [UM_LOG_WARNING] = "warning", [UM_LOG_ERROR] = "error", NULL,
    };
    int word = word_of(value, WORDS);
    if (word < 0)
        return word;
    o->log_level = (enum um_log_level)word;
    return 0;
}

static int set_format(struct um_options *o, struct um_str value)
{
    static const char *const WORDS[] = {
        [UM_FORMAT_TEXT] = "text",
        [UM_FORMAT_JSON] = "json",
        [UM_FORMAT_GITHUB] = "github",
        NULL,
    };
    int word = word_of(value, WORDS);
    if (word < 0 || (word == UM_FORMAT_GITHUB && o->command != UM_COMMAND_CHECK))
        return UM_ESYNTAX;
    o->format = (enum um_format)word;
    return 0;
}

static int set_header(struct um_options *o, struct um_str value)
{
    struct um_named_value header, *headers = um_grow(&o->arena, o->headers, o->n_headers, sizeof *headers);
    if (!headers)
        return UM_ENOMEM;
    if (!cut_at(value, um_str_find(value, ':'), &header.name, &header.value) || !um_is_token(header.name))
        return UM_ESYNTAX;
    header.value = um_str_trim(header.value);
    o->headers = headers;
    headers[o->n_headers++] = header;
    return um_is_field_value(header.value) ? 0 : UM_ESYNTAX;
}

static int set_help(struct um_options *o, struct um_str value)
{
    o->wants_help = true;
    return 0;
}

/* ---- the table ---------------------------------------------------------------------------------- */

enum {
    RUN = UM_COMMAND_RUN,
    CHECK = UM_COMMAND_CHECK,
    EXPLAIN = UM_COMMAND_EXPLAIN,
    ALL = UM_COMMAND_RUN | UM_COMMAND_CHECK | UM_COMMAND_EXPLAIN,
};

#define DURATION "a duration of at most 24h, in whole milliseconds, such as 500ms, 10s or 1h"

const struct um_flag um_flags[] = {
#define UM_FLAG(name, letter, argument, commands, set, expects, help)                                                  \
    {name, letter, argument, commands, expects, help, set},
#include "app/flags.def"
#undef UM_FLAG
};
const size_t um_n_flags = sizeof um_flags / sizeof um_flags[0];
