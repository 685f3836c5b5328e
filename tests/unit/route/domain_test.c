/* SPDX-License-Identifier: Apache-2.0 */
#include "kit.h"

#include <stdio.h>
#include <strings.h>

enum { MAX_HOSTS = 8, MAX_DOMAINS = 4 };

struct scene {
    struct um_snapshot *snapshot;
    struct um_virtual_host hosts[MAX_HOSTS];
    struct um_str domains[MAX_HOSTS][MAX_DOMAINS];
    struct um_route_config config;
};

/* a configuration whose virtual hosts have those domains, "a b" one host, NULL the end */
static struct scene *open_scene(struct scene *s, bool is_gateway, const char *const *lists)
{
    *s = (struct scene){.snapshot = um_snapshot_new()};
    s->config = (struct um_route_config){.virtual_hosts = s->hosts, .is_gateway = is_gateway};
    for (; lists[s->config.n_virtual_hosts]; s->config.n_virtual_hosts++) {
        struct um_virtual_host *vh = &s->hosts[s->config.n_virtual_hosts];
        struct um_str rest = um_str_from(lists[s->config.n_virtual_hosts]);
        vh->name = rest;
        vh->domains = s->domains[s->config.n_virtual_hosts];
        while (um_str_split(&rest, ' ', &vh->domains[vh->n_domains]))
            vh->n_domains++;
    }
    s->snapshot->route_configs = &s->config;
    s->snapshot->n_route_configs = 1;
    assert_int_equal(um_route_index_build(s->snapshot), 0);
    return s;
}

static void close_scene(struct scene *s)
{
    um_snapshot_unref(s->snapshot);
}

/* the domains of the virtual host that an authority finds; "" if none */
static const char *found(struct scene *s, const char *authority)
{
    const struct um_virtual_host *vh = um_route_virtual_host(&s->config, um_str_from(authority));
    return vh ? vh->name.p : "";
}

static const char *const ORDINARY[] = {"httpbin.default.svc.cluster.local httpbin",
                                       "*.example.com",
                                       "*.dev.example.com",
                                       "www.dev.example.com",
                                       "[::1]",
                                       "*",
                                       NULL};

static void exact_then_longest_suffix_then_any(void **state)
{
    struct scene scene, *s = open_scene(&scene, true, ORDINARY);
    assert_string_equal(found(s, "httpbin"), ORDINARY[0]);
    assert_string_equal(found(s, "httpbin.default.svc.cluster.local:8000"), ORDINARY[0]);
    assert_string_equal(found(s, "HttpBin:80"), ORDINARY[0]);
    assert_string_equal(found(s, "a.example.com"), ORDINARY[1]);
    assert_string_equal(found(s, "a.b.EXAMPLE.com:1"), ORDINARY[1]);
    assert_string_equal(found(s, "a.dev.example.com"), ORDINARY[2]);
    assert_string_equal(found(s, "www.dev.example.com"), ORDINARY[3]);
    assert_string_equal(found(s, "dev.example.com"), ORDINARY[1]);
    assert_string_equal(found(s, "[::1]:15001"), ORDINARY[4]);
    assert_string_equal(found(s, "example.com"), ORDINARY[5]);
    assert_string_equal(found(s, ".example.com"), ORDINARY[5]);
    assert_string_equal(found(s, "notexample.com"), ORDINARY[5]);
    close_scene(s);
}

static void an_empty_authority_finds_nothing(void **state)
{
    struct scene scene, *s = open_scene(&scene, true, ORDINARY);
    assert_string_equal(found(s, ""), "");
    assert_string_equal(found(s, ":80"), "");
    close_scene(s);
}

static void without_any_the_unknown_finds_nothing(void **state)
{
    const char *const hosts[] = {"a", "*.b", NULL};
    struct scene scene, *s = open_scene(&scene, true, hosts);
    assert_string_equal(found(s, "c"), "");
    assert_string_equal(found(s, "b"), "");
    assert_string_equal(found(s, "x.b"), hosts[1]);
    close_scene(s);
}

static void a_trailing_dot_is_known_to_sidecars_alone(void **state)
{
    const char *const hosts[] = {"a.ns", "*.wild", "dotted.", NULL};
    struct scene scene, *s = open_scene(&scene, false, hosts);
    assert_string_equal(found(s, "a.ns."), hosts[0]);
    assert_string_equal(found(s, "a.ns.:80"), hosts[0]);
    assert_string_equal(found(s, "a.ns.."), "");
    assert_string_equal(found(s, "x.wild."), hosts[1]);
    assert_string_equal(found(s, "dotted."), hosts[2]);
    assert_string_equal(found(s, "."), "");
    close_scene(s);
    s = open_scene(&scene, true, hosts);
    assert_string_equal(found(s, "a.ns"), hosts[0]);
    assert_string_equal(found(s, "a.ns."), "");
    close_scene(s);
}

static void the_first_to_name_a_domain_has_it(void **state)
{
    const char *const hosts[] = {"a b", "b c", "*", "*", NULL};
    struct scene scene, *s = open_scene(&scene, true, hosts);
    assert_string_equal(found(s, "b"), hosts[0]);
    assert_string_equal(found(s, "c"), hosts[1]);
    assert_ptr_equal(um_route_virtual_host(&s->config, UM_STR("z")), &s->hosts[2]);
    close_scene(s);
}

static void an_overlong_host_is_any(void **state)
{
    struct scene scene, *s = open_scene(&scene, true, ORDINARY);
    char host[4096];
    for (size_t i = 0; i < sizeof host - 1; i++)
        host[i] = i % 2 ? '.' : 'a';
    host[sizeof host - 1] = '\0';
    memcpy(host + sizeof host - 13, ".example.com", 13);
    assert_string_equal(found(s, host), ORDINARY[5]);
    close_scene(s);
}

/* against a search of all domains, over an alphabet of one letter and dots */
static bool slow_fits(struct um_str domain, const char *host, size_t *ret_rank)
{
    char text[32];
    snprintf(text, sizeof text, "%.*s", UM_STR_ARG(domain));
    size_t n = strlen(host), d = strlen(text);
    *ret_rank = text[0] != '*' ? 1000 : d;
    if (text[0] != '*')
        return strcasecmp(text, host) == 0;
    return d == 1 || (n > d - 1 && strcasecmp(host + n - (d - 1), text + 1) == 0);
}

static const char *slow_found(struct scene *s, const char *host)
{
    size_t best = 0, rank;
    const char *name = "";
    for (uint32_t i = 0; i < s->config.n_virtual_hosts; i++)
        for (uint32_t d = 0; d < s->hosts[i].n_domains; d++)
            if (slow_fits(s->hosts[i].domains[d], host, &rank) && rank > best) {
                best = rank;
                name = s->hosts[i].name.p;
            }
    return host[0] ? name : "";
}

static void random_names_are_found_as_by_search(void **state)
{
    static const char *const DOMAINS[] = {"*", "a", "a.a", "*.a", "*.a.a", "*.b", "a.b", "b.a *.b.a", "a.a.a *.a.b"};
    struct um_rand r;
    um_rand_init_seed(&r, 7);
    for (int round = 0; round < 2000; round++) {
        const char *lists[MAX_HOSTS + 1] = {NULL};
        for (uint32_t i = um_rand_below(&r, MAX_HOSTS + 1); i > 0; i--)
            lists[i - 1] = DOMAINS[um_rand_below(&r, 9)];
        struct scene scene, *s = open_scene(&scene, true, lists);
        for (int k = 0; k < 20; k++) {
            char host[12];
            size_t n = um_rand_below(&r, sizeof host);
            for (size_t i = 0; i < n; i++)
                host[i] = "ab.A"[um_rand_below(&r, 4)];
            host[n] = '\0';
            assert_string_equal(found(s, host), slow_found(s, host));
        }
        close_scene(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_then_longest_suffix_then_any),
        cmocka_unit_test(an_empty_authority_finds_nothing),
        cmocka_unit_test(without_any_the_unknown_finds_nothing),
        cmocka_unit_test(a_trailing_dot_is_known_to_sidecars_alone),
        cmocka_unit_test(the_first_to_name_a_domain_has_it),
        cmocka_unit_test(an_overlong_host_is_any),
        cmocka_unit_test(random_names_are_found_as_by_search),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
