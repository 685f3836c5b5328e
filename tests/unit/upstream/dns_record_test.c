/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dns_kit.h"
#include "upstream/dns.h"
#include "upstream/dns_record.h"

#include <stdlib.h>

struct fixture {
    struct dns_kit kit;
    struct um_dns_records all;
    struct um_dns_record *record;
    int n_answers, n_warm;
};

static void on_answer(struct um_dns_record *r)
{
    UM_CONTAINER(r->all, struct fixture, all)->n_answers++;
}

static void on_warm(struct um_dns_records *all)
{
    UM_CONTAINER(all, struct fixture, all)->n_warm++;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    *state = f;
    if (dns_kit_init(&f->kit))
        return -1;
    um_dns_records_init(&f->all, &f->kit.loop, f->kit.resolver);
    f->all.on_answer = on_answer;
    f->all.on_warm = on_warm;
    f->record = um_dns_record_new(&f->all, UM_STR("a.test"));
    return f->record ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    if (f->record)
        um_dns_record_free(f->record);
    dns_kit_release(&f->kit);
    free(f);
    return 0;
}

/* the next answer to the record, or failure */
static void await_answer(struct fixture *f)
{
    int before = f->n_answers;
    um_dns_records_ask(&f->all);
    KIT_TURN_UNTIL(&f->kit.loop, f->n_answers > before);
}

static void ask_again(struct fixture *f)
{
    um_timer_stop(&f->record->refresh);
    f->record->refresh.on_due(&f->record->refresh);
    await_answer(f);
}

static unsigned refresh_in_s(const struct fixture *f)
{
    uint64_t due_ns = f->record->refresh.due_tick * UM_TIMER_TICK_MS * UM_NS_PER_MS;
    assert_true(um_timer_is_started(&f->record->refresh));
    return (unsigned)((due_ns - f->kit.loop.now_ns + UM_NS_PER_S / 2) / UM_NS_PER_S);
}

static uint32_t ipv4(const char *text)
{
    struct in_addr a;
    assert_int_equal(inet_pton(AF_INET, text, &a), 1);
    return a.s_addr;
}

static void ttl_is_clamped(void **state)
{
    struct fixture *f = *state;
    const struct {
        uint32_t ttl_s, refresh_s;
    } cases[] = {{0, 5}, {4, 5}, {5, 5}, {42, 42}, {300, 300}, {301, 300}, {86400, 300}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct dns_rr rr = {"a.test", DNS_A, "192.0.2.1", cases[i].ttl_s};
        dns_server_serve(&f->kit.server, &rr, 1);
        if (i)
            ask_again(f);
        else
            await_answer(f);
        assert_int_equal(refresh_in_s(f), cases[i].refresh_s);
    }
}

static void failure_keeps_the_addresses(void **state)
{
    struct fixture *f = *state;
    const struct dns_rr rr = {"a.test", DNS_A, "192.0.2.1", 30};
    await_answer(f); /* unknown so far: asked again soon */
    assert_int_equal(f->record->n, 0);
    assert_int_equal(refresh_in_s(f), UM_DNS_RETRY_NEW_S);
    dns_server_serve(&f->kit.server, &rr, 1);
    ask_again(f);
    assert_int_equal(f->record->n, 1);
    dns_server_serve(&f->kit.server, NULL, 0);
    ask_again(f);
    assert_int_equal(f->record->n, 1);
    assert_int_equal(refresh_in_s(f), UM_DNS_RETRY_S);
    f->kit.server.is_silent = true;
    ask_again(f);
    assert_int_equal(f->record->n, 1);
    assert_int_equal(refresh_in_s(f), UM_DNS_RETRY_S);
}

static void addresses_are_sorted(void **state)
{
    struct fixture *f = *state;
    const struct dns_rr both[] = {{"a.test", DNS_AAAA, "2001:db8::1", 30},
                                  {"a.test", DNS_A, "192.0.2.9", 30},
                                  {"a.test", DNS_A, "192.0.2.1", 30}};
    dns_server_serve(&f->kit.server, both, 3);
    await_answer(f);
    assert_int_equal(f->record->n, 2);
    assert_int_equal(f->record->addrs[0].v4.sin_addr.s_addr, ipv4("192.0.2.1"));
    assert_int_equal(f->record->addrs[1].v4.sin_addr.s_addr, ipv4("192.0.2.9"));
    dns_server_serve(&f->kit.server, both, 1);
    ask_again(f);
    assert_int_equal(f->record->n, 1);
    assert_int_equal(f->record->addrs[0].any.sa_family, AF_INET6);
    assert_int_equal(f->record->chosen.any.sa_family, AF_INET6);
}

static void chosen_address_stays_while_it_is_answered(void **state)
{
    struct fixture *f = *state;
    const struct dns_rr turns[] = {{"a.test", DNS_A, "192.0.2.9", 30},
                                   {"a.test", DNS_A, "192.0.2.1", 30},
                                   {"a.test", DNS_A, "192.0.2.9", 30},
                                   {"a.test", DNS_A, "192.0.2.3", 30},
                                   {"a.test", DNS_A, "192.0.2.2", 30}};
    dns_server_serve(&f->kit.server, turns, 2);
    await_answer(f);
    assert_int_equal(f->record->chosen.v4.sin_addr.s_addr, ipv4("192.0.2.9"));
    dns_server_serve(&f->kit.server, turns + 1, 2);
    ask_again(f);
    assert_int_equal(f->record->chosen.v4.sin_addr.s_addr, ipv4("192.0.2.9"));
    dns_server_serve(&f->kit.server, turns + 3, 2);
    ask_again(f);
    assert_int_equal(f->record->chosen.v4.sin_addr.s_addr, ipv4("192.0.2.3"));
}

static void warm_when_every_name_was_heard_of(void **state)
{
    struct fixture *f = *state;
    const struct dns_rr rr = {"a.test", DNS_A, "192.0.2.1", 30};
    dns_server_serve(&f->kit.server, &rr, 1);
    struct um_dns_record *failing = um_dns_record_new(&f->all, UM_STR("nowhere.test"));
    struct um_dns_record *gone = um_dns_record_new(&f->all, UM_STR("gone.test"));
    assert_non_null(failing);
    assert_non_null(gone);
    assert_int_equal(f->all.n_cold, 3);
    um_dns_record_free(gone);
    um_dns_records_ask(&f->all);
    KIT_TURN_UNTIL(&f->kit.loop, f->n_answers == 2);
    assert_int_equal(f->n_warm, 1);
    assert_int_equal(f->all.n_cold, 0);
    ask_again(f);
    assert_int_equal(f->n_warm, 1);
    um_dns_record_free(failing);
    assert_int_equal(f->n_warm, 1);
}

static void name_that_cannot_be_asked_counts_as_failed(void **state)
{
    struct fixture *f = *state;
    char longest[UM_RESOLVE_NAME_BYTES + 1];
    memset(longest, 'a', sizeof longest);
    um_dns_record_free(f->record);
    f->record = um_dns_record_new(&f->all, (struct um_str){longest, sizeof longest});
    f->n_warm = 0;
    um_dns_records_ask(&f->all);
    assert_int_equal(f->n_answers, 1);
    assert_int_equal(f->n_warm, 1);
    assert_int_equal(refresh_in_s(f), UM_DNS_RETRY_NEW_S);
}

static void few_are_asked_at_once(void **state)
{
    enum { MANY = 2 * UM_DNS_QUERIES + 7 };
    struct fixture *f = *state;
    struct um_dns_record *records[MANY];
    char name[32];
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "n%d.test", i);
        records[i] = um_dns_record_new(&f->all, um_str_from(name));
        assert_non_null(records[i]);
    }
    um_dns_records_ask(&f->all);
    assert_int_equal(f->all.n_asked, UM_DNS_QUERIES);
    KIT_TURN_UNTIL(&f->kit.loop, f->n_answers == MANY + 1);
    assert_int_equal(f->all.n_asked, 0);
    for (int i = 0; i < MANY; i++)
        um_dns_record_free(records[i]);
}

static void freed_in_the_middle_of_a_query(void **state)
{
    struct fixture *f = *state;
    um_dns_records_ask(&f->all);
    assert_int_equal(f->all.n_asked, 1);
    um_dns_record_free(f->record);
    f->record = NULL;
    assert_int_equal(f->all.n_asked, 0);
    kit_turn_for_ms(&f->kit.loop, 100);
    assert_int_equal(f->n_answers, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(ttl_is_clamped),
        TEST(failure_keeps_the_addresses),
        TEST(addresses_are_sorted),
        TEST(chosen_address_stays_while_it_is_answered),
        TEST(warm_when_every_name_was_heard_of),
        TEST(name_that_cannot_be_asked_counts_as_failed),
        TEST(few_are_asked_at_once),
        TEST(freed_in_the_middle_of_a_query),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
