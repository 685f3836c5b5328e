/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dns_server.h"
#include "io/resolver.h"
#include "kit.h"

#include <stdlib.h>

struct answer {
    int n_calls;
    int status;
    unsigned n;
    uint32_t ttl_s;
    char addrs[UM_RESOLVE_ADDRESSES][INET6_ADDRSTRLEN];
};

struct fixture {
    struct um_loop loop;
    struct dns_server server;
    struct um_resolver *resolver;
    struct answer answer;
    struct um_resolve *query;
};

static void on_resolved(void *ctx, const struct um_resolved *r)
{
    struct answer *a = ctx;
    a->n_calls++;
    a->status = r->status;
    a->n = r->n;
    a->ttl_s = r->ttl_s;
    for (unsigned i = 0; i < r->n; i++) {
        const union um_ip_address *ip = &r->addrs[i];
        const void *bytes =
            ip->any.sa_family == AF_INET ? (const void *)&ip->v4.sin_addr : (const void *)&ip->v6.sin6_addr;
        assert_non_null(inet_ntop(ip->any.sa_family, bytes, a->addrs[i], sizeof a->addrs[i]));
        assert_int_equal(ip->any.sa_family == AF_INET ? ip->v4.sin_port : ip->v6.sin6_port, 0);
    }
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    *state = f;
    if (um_loop_init(&f->loop) || dns_server_start(&f->server, &f->loop))
        return -1;
    const struct um_resolver_options o = {.servers = f->server.address, .timeout_ms = 250, .tries = 2};
    return um_resolver_new(&f->loop, &o, &f->resolver);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    um_resolver_free(f->resolver);
    dns_server_stop(&f->server);
    um_loop_release(&f->loop);
    free(f);
    return 0;
}

static void resolve(struct fixture *f, const char *name)
{
    f->answer = (struct answer){0};
    assert_int_equal(um_resolver_start(f->resolver, um_str_from(name), on_resolved, &f->answer, &f->query), 0);
    assert_int_equal(f->answer.n_calls, 0);
    KIT_TURN_UNTIL(&f->loop, f->answer.n_calls);
    assert_int_equal(f->answer.n_calls, 1);
}

static bool has(const struct answer *a, const char *ip)
{
    for (unsigned i = 0; i < a->n; i++)
        if (strcmp(a->addrs[i], ip) == 0)
            return true;
    return false;
}

static void gives_all_addresses_and_the_lowest_ttl(void **state)
{
    struct fixture *f = *state;
    const struct dns_rr rrs[] = {{"a.test", DNS_A, "192.0.2.1", 60}, {"a.test", DNS_A, "192.0.2.2", 30}};
    dns_server_serve(&f->server, rrs, 2);
    resolve(f, "a.test");
    assert_int_equal(f->answer.status, 0);
    assert_int_equal(f->answer.n, 2);
    assert_int_equal(f->answer.ttl_s, 30);
    assert_true(has(&f->answer, "192.0.2.1") && has(&f->answer, "192.0.2.2"));
}

static void ipv6_is_for_names_without_ipv4(void **state)
{
    struct fixture *f = *state;
    const struct dns_rr rrs[] = {{"both.test", DNS_AAAA, "2001:db8::1", 90},
                                 {"both.test", DNS_A, "192.0.2.1", 60},
                                 {"six.test", DNS_AAAA, "2001:db8::6", 90}};
    dns_server_serve(&f->server, rrs, 3);
    resolve(f, "both.test");
    assert_int_equal(f->answer.n, 1);
    assert_string_equal(f->answer.addrs[0], "192.0.2.1");
    assert_int_equal(f->server.n_queries, 1);
    resolve(f, "six.test");
    assert_int_equal(f->answer.n, 1);
    assert_string_equal(f->answer.addrs[0], "2001:db8::6");
    f->server.fails_a = true; /* a failure is no answer: the name may well have IPv4 addresses */
    resolve(f, "both.test");
    assert_int_equal(f->answer.status, UM_EDNS);
}

static void keeps_the_order_of_the_answer(void **state)
{
    struct fixture *f = *state;
    const struct dns_rr rrs[] = {{"a.test", DNS_A, "192.0.2.9", 60}, {"a.test", DNS_A, "192.0.2.1", 60}};
    dns_server_serve(&f->server, rrs, 2);
    resolve(f, "a.test");
    assert_string_equal(f->answer.addrs[0], "192.0.2.9");
    assert_string_equal(f->answer.addrs[1], "192.0.2.1");
}

static void ttl_of_an_alias_counts(void **state)
{
    struct fixture *f = *state;
    const struct dns_rr rrs[] = {{"www.test", DNS_CNAME, "a.test", 7}, {"a.test", DNS_A, "192.0.2.1", 60}};
    dns_server_serve(&f->server, rrs, 2);
    resolve(f, "www.test");
    assert_int_equal(f->answer.status, 0);
    assert_int_equal(f->answer.n, 1);
    assert_int_equal(f->answer.ttl_s, 7);
}

static void unknown_failing_and_empty_names_are_dns_errors(void **state)
{
    struct fixture *f = *state;
    resolve(f, "nowhere.test");
    assert_int_equal(f->answer.status, UM_EDNS);
    assert_int_equal(f->answer.n, 0);
    f->server.rcode = DNS_SERVFAIL;
    resolve(f, "broken.test");
    assert_int_equal(f->answer.status, UM_EDNS);
    const struct dns_rr only_alias[] = {{"loose.test", DNS_CNAME, "end.test", 7}};
    dns_server_serve(&f->server, only_alias, 1);
    resolve(f, "loose.test");
    assert_int_equal(f->answer.status, UM_EDNS);
}

static void silent_server_times_out_after_its_tries(void **state)
{
    struct fixture *f = *state;
    f->server.is_silent = true;
    resolve(f, "a.test");
    assert_int_equal(f->answer.status, UM_EDNS);
    assert_int_equal(f->server.n_queries, 2);
}

static void recovers_after_a_dead_server(void **state)
{
    struct fixture *f = *state;
    const struct dns_rr rrs[] = {{"a.test", DNS_A, "192.0.2.1", 60}};
    f->server.is_silent = true;
    resolve(f, "a.test");
    f->server.is_silent = false;
    dns_server_serve(&f->server, rrs, 1);
    resolve(f, "a.test");
    assert_int_equal(f->answer.status, 0);
}

static void literals_answer_without_a_server(void **state)
{
    struct fixture *f = *state;
    resolve(f, "192.0.2.7");
    assert_int_equal(f->answer.status, 0);
    assert_int_equal(f->answer.n, 1);
    assert_string_equal(f->answer.addrs[0], "192.0.2.7");
    resolve(f, "2001:db8::7");
    assert_int_equal(f->answer.n, 1);
    assert_string_equal(f->answer.addrs[0], "2001:db8::7");
    assert_int_equal(f->server.n_queries, 0);
}

static void hosts_file_answers(void **state)
{
    struct fixture *f = *state;
    resolve(f, "localhost");
    assert_int_equal(f->answer.status, 0);
    assert_true(has(&f->answer, "127.0.0.1") || has(&f->answer, "::1"));
    assert_int_equal(f->server.n_queries, 0);
}

static void long_answers_come_over_tcp_and_are_capped(void **state)
{
    enum { MANY = UM_RESOLVE_ADDRESSES + 30 };
    struct fixture *f = *state;
    struct dns_rr rrs[MANY];
    char ips[MANY][16];
    for (int i = 0; i < MANY; i++) {
        snprintf(ips[i], sizeof ips[i], "192.0.2.%d", i);
        rrs[i] = (struct dns_rr){"many.test", DNS_A, ips[i], 60};
    }
    dns_server_serve(&f->server, rrs, MANY);
    resolve(f, "many.test");
    assert_int_equal(f->answer.status, 0);
    assert_int_equal(f->answer.n, UM_RESOLVE_ADDRESSES);
    assert_int_equal(f->server.n_by_tcp, 1);
}

static void bad_names_are_refused(void **state)
{
    struct fixture *f = *state;
    char longest[UM_RESOLVE_NAME_BYTES + 1];
    memset(longest, 'a', sizeof longest);
    struct um_str name = {longest, sizeof longest};
    assert_int_equal(um_resolver_start(f->resolver, name, on_resolved, NULL, &f->query), UM_ELIMIT);
    assert_int_equal(um_resolver_start(f->resolver, UM_STR(""), on_resolved, NULL, &f->query), UM_ESYNTAX);
    assert_int_equal(um_resolver_start(f->resolver, UM_STR("a\0b.test"), on_resolved, NULL, &f->query), UM_ESYNTAX);
    resolve(f, "a..test"); /* c-ares refuses it */
    assert_int_equal(f->answer.status, UM_EDNS);
}

static void cancelled_query_is_not_told(void **state)
{
    struct fixture *f = *state;
    const struct dns_rr rrs[] = {{"a.test", DNS_A, "192.0.2.1", 60}};
    dns_server_serve(&f->server, rrs, 1);
    struct answer cancelled = {0};
    struct um_resolve *asked, *answered;
    assert_int_equal(um_resolver_start(f->resolver, UM_STR("a.test"), on_resolved, &cancelled, &asked), 0);
    assert_int_equal(um_resolver_start(f->resolver, UM_STR("192.0.2.7"), on_resolved, &cancelled, &answered), 0);
    um_resolve_cancel(asked);
    um_resolve_cancel(answered);
    resolve(f, "a.test"); /* its answer comes after the cancelled one's */
    assert_int_equal(f->answer.n, 1);
    assert_int_equal(cancelled.n_calls, 0);
}

static void free_ends_queries_under_way(void **state)
{
    struct fixture *f = *state;
    f->server.is_silent = true;
    assert_int_equal(um_resolver_start(f->resolver, UM_STR("a.test"), on_resolved, &f->answer, &f->query), 0);
    assert_int_equal(um_resolver_start(f->resolver, UM_STR("::1"), on_resolved, &f->answer, &f->query), 0);
    um_loop_turn(&f->loop, 0);
    f->answer = (struct answer){0};
    um_resolver_free(f->resolver);
    f->resolver = NULL;
    kit_turn_for_ms(&f->loop, 100);
    assert_int_equal(f->answer.n_calls, 0);
}

static void many_at_once(void **state)
{
    enum { MANY = 200 };
    struct fixture *f = *state;
    const struct dns_rr rrs[] = {{"a.test", DNS_A, "192.0.2.1", 60}};
    struct um_resolve *query;
    dns_server_serve(&f->server, rrs, 1);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(um_resolver_start(f->resolver, UM_STR("a.test"), on_resolved, &f->answer, &query), 0);
    KIT_TURN_UNTIL(&f->loop, f->answer.n_calls == MANY);
}

static void bad_servers_are_a_syntax_error(void **state)
{
    struct fixture *f = *state;
    struct um_resolver *r;
    assert_int_equal(um_resolver_new(&f->loop, &(struct um_resolver_options){.servers = "nonsense"}, &r), UM_ESYNTAX);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(gives_all_addresses_and_the_lowest_ttl),
        TEST(ipv6_is_for_names_without_ipv4),
        TEST(keeps_the_order_of_the_answer),
        TEST(ttl_of_an_alias_counts),
        TEST(unknown_failing_and_empty_names_are_dns_errors),
        TEST(silent_server_times_out_after_its_tries),
        TEST(recovers_after_a_dead_server),
        TEST(literals_answer_without_a_server),
        TEST(hosts_file_answers),
        TEST(long_answers_come_over_tcp_and_are_capped),
        TEST(bad_names_are_refused),
        TEST(cancelled_query_is_not_told),
        TEST(free_ends_queries_under_way),
        TEST(many_at_once),
        TEST(bad_servers_are_a_syntax_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
