/* SPDX-License-Identifier: Apache-2.0
 * kit: routes and requests by hand, for the tests of route/. */
#ifndef TESTS_UNIT_ROUTE_KIT_H
#define TESTS_UNIT_ROUTE_KIT_H

#include "route/route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { KIT_FIELDS = 64 };

/* a request whose head holds its own fields */
struct kit_request {
    struct um_head head;
    struct um_field fields[KIT_FIELDS];
    struct um_route_request request;
};

static inline void kit_add_field(struct kit_request *k, struct um_str name, struct um_str value)
{
    assert_true(k->head.n_fields < KIT_FIELDS);
    k->fields[k->head.n_fields++] = (struct um_field){.name = name.p,
                                                      .name_n = (uint32_t)name.n,
                                                      .value = value.p,
                                                      .value_n = (uint32_t)value.n,
                                                      .id = (uint16_t)um_field_id_of(name)};
    um_head_index(&k->head);
}

static inline void kit_request_init(struct kit_request *k, struct um_str method, struct um_str path)
{
    *k = (struct kit_request){.head = {.method_name = method, .path = path}};
    k->head.fields = k->fields;
    k->head.method = um_method_of(method);
    k->request = (struct um_route_request){
        .head = &k->head, .path = path, .scheme = UM_STR("http"), .authority = UM_STR("host.example:80")};
}

/* a configuration with one virtual host for "*" */
static inline struct um_snapshot *kit_snapshot(struct um_route *routes, uint32_t n)
{
    struct um_snapshot *s = um_snapshot_new();
    assert_non_null(s);
    s->n_route_configs = 1;
    s->route_configs = um_arena_array(&s->arena, 1, sizeof *s->route_configs);
    struct um_virtual_host *vh = um_arena_array(&s->arena, 1, sizeof *vh);
    struct um_str *domains = um_arena_array(&s->arena, 1, sizeof *domains);
    domains[0] = UM_STR("*");
    *vh = (struct um_virtual_host){.domains = domains, .n_domains = 1, .routes = routes, .n_routes = n};
    s->route_configs[0].virtual_hosts = vh;
    s->route_configs[0].n_virtual_hosts = 1;
    assert_int_equal(um_route_index_build(s), 0);
    return s;
}

static inline const struct um_virtual_host *kit_host(const struct um_snapshot *s)
{
    return &s->route_configs[0].virtual_hosts[0];
}

static inline struct um_regex *kit_regex(struct um_str pattern)
{
    struct um_regex *regex;
    assert_int_equal(um_regex_new(pattern, false, &regex, NULL), 0);
    return regex;
}

#endif
