/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "upstream/upstream.h"

enum { START_MS = 1000000 };

struct fixture {
    struct um_host_shared host;
    struct um_rand rand;
    uint64_t now_ms;
};

static int setup(void **state)
{
    static struct fixture f;
    f = (struct fixture){.now_ms = START_MS};
    um_rand_init_seed(&f.rand, 1);
    *state = &f;
    return 0;
}

static void fail_times(struct fixture *f, int times)
{
    while (times--)
        um_breaker_failure(&f->host, f->now_ms, &f->rand);
}

static bool is_open(const struct fixture *f)
{
    return um_breaker_is_open(&f->host, f->now_ms);
}

static bool admit(struct fixture *f)
{
    return um_breaker_admit(&f->host, f->now_ms);
}

/* how long it stays shut */
static uint64_t delay_ms(const struct fixture *f)
{
    return f->host.open_until_ms - f->now_ms;
}

/* the delay is over: the probe is let through */
static void wait_for_probe(struct fixture *f)
{
    f->now_ms = f->host.open_until_ms;
    assert_true(admit(f));
}

static void failures_in_a_row_open_it(void **state)
{
    struct fixture *f = *state;
    fail_times(f, UM_BREAKER_FAILURES - 1);
    assert_false(is_open(f));
    assert_true(admit(f));
    fail_times(f, 1);
    assert_true(is_open(f));
    assert_false(admit(f));
}

static void a_success_in_between_starts_the_count_again(void **state)
{
    struct fixture *f = *state;
    fail_times(f, UM_BREAKER_FAILURES - 1);
    um_breaker_success(&f->host);
    fail_times(f, UM_BREAKER_FAILURES - 1);
    assert_false(is_open(f));
    fail_times(f, 1);
    assert_true(is_open(f));
}

static void closed_it_admits_everybody(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 100; i++)
        assert_true(admit(f));
    um_breaker_success(&f->host);
    assert_false(is_open(f));
}

static void one_probe_passes_after_the_delay(void **state)
{
    struct fixture *f = *state;
    fail_times(f, UM_BREAKER_FAILURES);
    f->now_ms = f->host.open_until_ms - 1;
    assert_false(admit(f));
    f->now_ms++;
    assert_true(admit(f));
    assert_false(admit(f));
    assert_true(is_open(f));
    f->now_ms += 3600000; /* however long the probe takes */
    assert_false(admit(f));
}

static void a_good_probe_closes_it(void **state)
{
    struct fixture *f = *state;
    fail_times(f, UM_BREAKER_FAILURES);
    wait_for_probe(f);
    um_breaker_success(&f->host);
    assert_false(is_open(f));
    assert_true(admit(f) && admit(f));
    fail_times(f, UM_BREAKER_FAILURES);
    assert_in_range(delay_ms(f), UM_BREAKER_DELAY_MS * 3 / 4, UM_BREAKER_DELAY_MS * 5 / 4); /* as the first time */
}

static void bad_probes_double_the_delay_up_to_its_bound(void **state)
{
    struct fixture *f = *state;
    fail_times(f, UM_BREAKER_FAILURES);
    for (uint64_t expected = UM_BREAKER_DELAY_MS; expected <= 8 * UM_BREAKER_DELAY_MAX_MS; expected *= 2) {
        uint64_t base = expected < UM_BREAKER_DELAY_MAX_MS ? expected : UM_BREAKER_DELAY_MAX_MS;
        assert_in_range(delay_ms(f), base * 3 / 4, base * 5 / 4);
        wait_for_probe(f);
        fail_times(f, 1); /* one is enough */
        assert_true(is_open(f));
    }
}

static void delays_are_jittered(void **state)
{
    struct fixture *f = *state;
    uint64_t least = UINT64_MAX, most = 0;
    for (int i = 0; i < 200; i++) {
        f->host = (struct um_host_shared){0};
        fail_times(f, UM_BREAKER_FAILURES);
        least = delay_ms(f) < least ? delay_ms(f) : least;
        most = delay_ms(f) > most ? delay_ms(f) : most;
    }
    assert_in_range(least, UM_BREAKER_DELAY_MS * 3 / 4, UM_BREAKER_DELAY_MS * 4 / 5);
    assert_in_range(most, UM_BREAKER_DELAY_MS * 6 / 5, UM_BREAKER_DELAY_MS * 5 / 4);
}

static void a_forgotten_probe_lets_the_next_one_through(void **state)
{
    struct fixture *f = *state;
    fail_times(f, UM_BREAKER_FAILURES);
    wait_for_probe(f);
    um_breaker_forget(&f->host);
    assert_true(admit(f));
    assert_false(admit(f));
}

/* legs that were under way when it opened fail after it: they neither prolong it nor make it open later */
static void late_failures_change_nothing(void **state)
{
    struct fixture *f = *state;
    fail_times(f, UM_BREAKER_FAILURES);
    uint64_t until_ms = f->host.open_until_ms;
    f->now_ms += 10;
    fail_times(f, 50);
    assert_int_equal(f->host.open_until_ms, until_ms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(failures_in_a_row_open_it, setup),
        cmocka_unit_test_setup(a_success_in_between_starts_the_count_again, setup),
        cmocka_unit_test_setup(closed_it_admits_everybody, setup),
        cmocka_unit_test_setup(one_probe_passes_after_the_delay, setup),
        cmocka_unit_test_setup(a_good_probe_closes_it, setup),
        cmocka_unit_test_setup(bad_probes_double_the_delay_up_to_its_bound, setup),
        cmocka_unit_test_setup(delays_are_jittered, setup),
        cmocka_unit_test_setup(a_forgotten_probe_lets_the_next_one_through, setup),
        cmocka_unit_test_setup(late_failures_change_nothing, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
