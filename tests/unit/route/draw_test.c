/* SPDX-License-Identifier: Apache-2.0
 * Drawing: the weighted split, percentages, and sampling by a key. Chi-square bounds are the 99.9 % quantiles, with
 * fixed seeds, so that a failure is a fault and not bad luck. */
#include "kit.h"

#include <stdio.h>

static const struct um_shadow_policy AT_RANDOM = {.sampling_key = UM_SAMPLING_RANDOM};
static const struct um_shadow_policy BY_HEADER = {
    .sampling_key = UM_SAMPLING_HEADER, .sampling_name = UM_STR_INIT("x-user"), .sampling_salt = UM_STR_INIT("july")};

static struct um_mirror mirror_of(const struct um_shadow_policy *policy, uint32_t numerator, uint32_t denominator)
{
    return (struct um_mirror){
        .cluster_name = UM_STR("shadow"), .numerator = numerator, .denominator = denominator, .policy = policy};
}

static bool sample_user(const struct um_mirror *m, unsigned user, uint64_t random)
{
    char text[16];
    struct kit_request k;
    kit_request_init(&k, UM_STR("GET"), UM_STR("/"));
    kit_add_field(&k, UM_STR("X-User"), (struct um_str){text, (size_t)snprintf(text, sizeof text, "u%u", user)});
    return um_route_sample(m, &(struct um_sample_request){.head = &k.head, .path = k.head.path}, random);
}

static bool sample_keyless(const struct um_mirror *m, uint64_t random)
{
    struct kit_request k;
    kit_request_init(&k, UM_STR("GET"), UM_STR("/"));
    return um_route_sample(m, &(struct um_sample_request){.head = &k.head, .path = k.head.path}, random);
}

/* of two outcomes, one degree of freedom: 10.83 */
static void assert_share(uint32_t hits, uint32_t n, double share)
{
    double want = n * share, off = hits - want, chi2 = off * off / want + off * off / (n - want);
    if (chi2 > 10.83)
        print_error("%u of %u for a share of %g: chi2 %g\n", hits, n, share, chi2);
    assert_true(chi2 <= 10.83);
}

/* ---- percentages -------------------------------------------------------------------------------- */

static void shares_are_what_was_asked(void **state)
{
    enum { N = 200000 };
    static const uint32_t SHARES[][2] = {{100, 1000000}, {5699, 1000000}, {5, 100}, {500000, 1000000}, {99, 100}};
    struct um_rand r;
    um_rand_init_seed(&r, 11);
    for (size_t i = 0; i < sizeof SHARES / sizeof SHARES[0]; i++) {
        struct um_mirror by_chance = mirror_of(&AT_RANDOM, SHARES[i][0], SHARES[i][1]);
        struct um_mirror by_key = mirror_of(&BY_HEADER, SHARES[i][0], SHARES[i][1]);
        uint32_t chance_hits = 0, key_hits = 0;
        for (uint32_t k = 0; k < N; k++) {
            chance_hits += sample_keyless(&by_chance, um_rand_u64(&r));
            key_hits += sample_user(&by_key, k, 0);
        }
        assert_share(chance_hits, N, (double)SHARES[i][0] / SHARES[i][1]);
        assert_share(key_hits, N, (double)SHARES[i][0] / SHARES[i][1]);
    }
}

static void none_and_all_are_exact(void **state)
{
    struct um_mirror none = mirror_of(&AT_RANDOM, 0, 1000000), all = mirror_of(&AT_RANDOM, 100, 100);
    struct um_mirror key_none = mirror_of(&BY_HEADER, 0, 100), key_all = mirror_of(&BY_HEADER, 1000000, 1000000);
    struct um_rand r;
    um_rand_init_seed(&r, 12);
    for (unsigned i = 0; i < 10000; i++) {
        uint64_t random = i == 0 ? 0 : i == 1 ? 999999 : um_rand_u64(&r);
        assert_false(sample_keyless(&none, random));
        assert_true(sample_keyless(&all, random));
        assert_false(sample_user(&key_none, i, random));
        assert_true(sample_user(&key_all, i, random));
    }
}

/* ---- keys --------------------------------------------------------------------------------------- */

static void a_larger_percentage_holds_a_smaller_one(void **state)
{
    struct um_mirror five = mirror_of(&BY_HEADER, 5, 100), ten = mirror_of(&BY_HEADER, 100000, 1000000),
                     eleven = mirror_of(&BY_HEADER, 11, 100);
    for (unsigned user = 0; user < 20000; user++) {
        assert_true(!sample_user(&five, user, 0) || sample_user(&ten, user, 0));
        assert_true(!sample_user(&ten, user, 0) || sample_user(&eleven, user, 0));
    }
}

static void the_answer_is_the_key_s_alone(void **state)
{
    struct um_mirror half = mirror_of(&BY_HEADER, 50, 100);
    for (unsigned user = 0; user < 100; user++)
        assert_int_equal(sample_user(&half, user, 0), sample_user(&half, user, UINT64_MAX));
    /* pinned: replicas and later versions must agree on who is copied */
    uint32_t bits = 0;
    for (unsigned user = 0; user < 32; user++)
        bits |= (uint32_t)sample_user(&half, user, 0) << user;
    assert_int_equal(bits, 0x920FA3B8);
}

/* counts of the four outcomes of two yes-or-no answers; independent when chi2 of the table is small */
static void assert_independent(uint32_t counts[2][2])
{
    double n = 0, chi2 = 0, rows[2] = {0}, columns[2] = {0};
    for (int a = 0; a < 2; a++)
        for (int b = 0; b < 2; b++) {
            n += counts[a][b];
            rows[a] += counts[a][b];
            columns[b] += counts[a][b];
        }
    for (int a = 0; a < 2; a++)
        for (int b = 0; b < 2; b++) {
            double want = rows[a] * columns[b] / n, off = counts[a][b] - want;
            chi2 += off * off / want;
        }
    if (chi2 > 10.83)
        print_error("chi2 %g\n", chi2);
    assert_true(chi2 <= 10.83);
}

static void shadows_and_salts_differ(void **state)
{
    struct um_shadow_policy august = BY_HEADER;
    august.sampling_salt = UM_STR("august");
    struct um_mirror one = mirror_of(&BY_HEADER, 30, 100), other = one, salted = mirror_of(&august, 30, 100);
    other.cluster_name = UM_STR("shadow2");
    uint32_t shadows[2][2] = {{0}}, salts[2][2] = {{0}};
    for (unsigned user = 0; user < 50000; user++) {
        bool hit = sample_user(&one, user, 0);
        shadows[hit][sample_user(&other, user, 0)]++;
        salts[hit][sample_user(&salted, user, 0)]++;
    }
    assert_independent(shadows);
    assert_independent(salts);
}

static void salt_name_and_key_do_not_run_together(void **state)
{
    struct um_shadow_policy ab = BY_HEADER, a = BY_HEADER;
    ab.sampling_salt = UM_STR("ab");
    a.sampling_salt = UM_STR("a");
    struct um_mirror ab_c = mirror_of(&ab, 50, 100), a_bc = mirror_of(&a, 50, 100);
    ab_c.cluster_name = UM_STR("c");
    a_bc.cluster_name = UM_STR("bc");
    uint32_t counts[2][2] = {{0}};
    for (unsigned user = 0; user < 20000; user++)
        counts[sample_user(&ab_c, user, 0)][sample_user(&a_bc, user, 0)]++;
    assert_independent(counts);
}

static void the_split_does_not_lean_on_the_key(void **state)
{
    struct um_weighted_cluster clusters[] = {{.weight = 60}, {.weight = 40}};
    struct um_route route = {.clusters = clusters, .n_clusters = 2, .total_weight = 100};
    struct um_mirror half = mirror_of(&BY_HEADER, 50, 100);
    struct um_rand r;
    uint32_t counts[2][2] = {{0}};
    um_rand_init_seed(&r, 13);
    for (unsigned user = 0; user < 50000; user++)
        counts[um_route_pick_cluster(&route, um_rand_u64(&r)) == clusters][sample_user(&half, user, um_rand_u64(&r))]++;
    assert_independent(counts);
}

/* does that request have a key? With one the random number does not matter. */
static bool is_keyed(const struct um_shadow_policy *policy, const struct um_sample_request *request)
{
    struct um_mirror half = mirror_of(policy, 50, 100);
    return um_route_sample(&half, request, 0) == um_route_sample(&half, request, 999999);
}

static void keys_are_found_where_they_are(void **state)
{
    struct kit_request k;
    kit_request_init(&k, UM_STR("GET"), UM_STR("/?a=&b=2"));
    kit_add_field(&k, UM_STR("Cookie"), UM_STR("session=s1"));
    kit_add_field(&k, UM_STR("X-Empty"), UM_STR(""));
    struct um_sample_request request = {.head = &k.head, .path = k.head.path, .source_ip = UM_STR("10.0.0.1")};
    static const struct {
        enum um_sampling_key kind;
        const char *name;
        bool is_there;
    } CASES[] = {{UM_SAMPLING_RANDOM, "", false},       {UM_SAMPLING_HEADER, "COOKIE", true},
                 {UM_SAMPLING_HEADER, "x-no", false},   {UM_SAMPLING_HEADER, "x-empty", false},
                 {UM_SAMPLING_COOKIE, "session", true}, {UM_SAMPLING_COOKIE, "Session", false},
                 {UM_SAMPLING_QUERY, "b", true},        {UM_SAMPLING_QUERY, "a", false},
                 {UM_SAMPLING_QUERY, "c", false},       {UM_SAMPLING_SOURCE_ADDRESS, "", true}};
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct um_shadow_policy policy = {.sampling_key = CASES[i].kind, .sampling_name = um_str_from(CASES[i].name)};
        assert_int_equal(is_keyed(&policy, &request), CASES[i].is_there);
    }
}

static void cookies(void **state)
{
    struct kit_request k;
    struct um_str v;
    kit_request_init(&k, UM_STR("GET"), UM_STR("/"));
    assert_false(um_route_cookie(&k.head, UM_STR("a"), &v));
    kit_add_field(&k, UM_STR("Accept"), UM_STR("a=wrong"));
    kit_add_field(&k, UM_STR("Cookie"), UM_STR("aa=0; a=1;b = \"two\" ; flag; c="));
    kit_add_field(&k, UM_STR("cookie"), UM_STR("a=9; d=x=y"));
    static const char *const CASES[][2] = {{"a", "1"}, {"aa", "0"}, {"b", "two"}, {"c", ""}, {"d", "x=y"}};
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        assert_true(um_route_cookie(&k.head, um_str_from(CASES[i][0]), &v));
        assert_true(um_str_eq(v, um_str_from(CASES[i][1])));
    }
    assert_false(um_route_cookie(&k.head, UM_STR("flag"), &v));
    assert_false(um_route_cookie(&k.head, UM_STR("A"), &v));
}

/* ---- the weighted split ------------------------------------------------------------------------- */

static void weights_are_kept(void **state)
{
    enum { N = 300000, K = 5 };
    struct um_weighted_cluster clusters[K] = {
        {.weight = 0}, {.weight = 1}, {.weight = 90}, {.weight = 0}, {.weight = 9}};
    struct um_route route = {.clusters = clusters, .n_clusters = K, .total_weight = 100};
    uint32_t counts[K] = {0};
    struct um_rand r;
    um_rand_init_seed(&r, 14);
    for (int i = 0; i < N; i++)
        counts[um_route_pick_cluster(&route, um_rand_u64(&r)) - clusters]++;
    assert_int_equal(counts[0] + counts[3], 0);
    for (int k = 0; k < K; k++)
        if (clusters[k].weight)
            assert_share(counts[k], N, clusters[k].weight / 100.0);
}

static void a_lone_cluster_needs_no_weight(void **state)
{
    struct um_weighted_cluster one = {.weight = 0};
    struct um_route route = {.clusters = &one, .n_clusters = 1};
    assert_ptr_equal(um_route_pick_cluster(&route, 123), &one);
    route.n_clusters = 0;
    assert_null(um_route_pick_cluster(&route, 123));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_are_what_was_asked),
        cmocka_unit_test(none_and_all_are_exact),
        cmocka_unit_test(a_larger_percentage_holds_a_smaller_one),
        cmocka_unit_test(the_answer_is_the_key_s_alone),
        cmocka_unit_test(shadows_and_salts_differ),
        cmocka_unit_test(salt_name_and_key_do_not_run_together),
        cmocka_unit_test(the_split_does_not_lean_on_the_key),
        cmocka_unit_test(keys_are_found_where_they_are),
        cmocka_unit_test(cookies),
        cmocka_unit_test(weights_are_kept),
        cmocka_unit_test(a_lone_cluster_needs_no_weight),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
