/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rand.h"
#include "http/field_name.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- when field_name.def has changed: a new hash for field_name.c ------------------------------- */

enum { SLOT_BITS = 7 };

static uint32_t slot_of(struct um_str name, uint32_t multiplier)
{
    const unsigned char *p = (const void *)name.p;
    uint32_t key =
        (uint32_t)name.n | (uint32_t)p[0] << 8 | (uint32_t)p[name.n / 2] << 16 | (uint32_t)p[name.n - 1] << 24;
    return ((key | 0x20202000) * multiplier) >> (32 - SLOT_BITS);
}

/* the slots for a multiplier; false if two names collide */
static bool fill(uint32_t multiplier, unsigned slots[1 << SLOT_BITS])
{
    memset(slots, 0, sizeof slots[0] << SLOT_BITS);
    for (unsigned id = 1; id < UM_FIELD_COUNT; id++) {
        unsigned *slot = &slots[slot_of(um_field_id_name(id), multiplier)];
        if (*slot)
            return false;
        *slot = id;
    }
    return true;
}

static void print_new_hash(void)
{
    unsigned slots[1 << SLOT_BITS];
    struct um_rand rand;
    uint32_t multiplier;
    um_rand_init_seed(&rand, 1);
    do
        multiplier = (uint32_t)um_rand_u64(&rand) | 1;
    while (!fill(multiplier, slots));
    print_message("MULTIPLIER = 0x%08x; SLOTS =", multiplier);
    for (unsigned i = 0; i < 1 << SLOT_BITS; i++)
        print_message("%s%u,", i % 16 ? " " : "\n    ", slots[i]);
    print_message("\n");
}

/* ---- tests -------------------------------------------------------------------------------------- */

static void test_every_name_is_found(void **state)
{
    for (unsigned id = 1; id < UM_FIELD_COUNT; id++)
        if (um_field_id_of(um_field_id_name(id)) != id) {
            print_new_hash();
            fail_msg("%.*s is not found: field_name.c needs the hash above", UM_STR_ARG(um_field_id_name(id)));
        }
}

static void test_case_does_not_matter(void **state)
{
    for (unsigned id = 1; id < UM_FIELD_COUNT; id++) {
        struct um_str name = um_field_id_name(id);
        char upper[64];
        for (size_t i = 0; i < name.n; i++)
            upper[i] = (char)(name.p[i] >= 'a' && name.p[i] <= 'z' ? name.p[i] - 32 : name.p[i]);
        assert_int_equal(um_field_id_of((struct um_str){upper, name.n}), id);
        upper[0] = name.p[0];
        assert_int_equal(um_field_id_of((struct um_str){upper, name.n}), id);
    }
}

/* a name with any one byte changed, dropped or added is another name */
static void test_neighbours_are_other_names(void **state)
{
    for (unsigned id = 1; id < UM_FIELD_COUNT; id++) {
        struct um_str name = um_field_id_name(id);
        for (size_t at = 0; at < name.n; at++)
            for (int c = 0; c < 256; c++) {
                char changed[64];
                memcpy(changed, name.p, name.n);
                changed[at] = (char)c;
                bool is_same = um_lower(changed[at]) == name.p[at];
                assert_int_equal(um_field_id_of((struct um_str){changed, name.n}), is_same ? id : UM_FIELD_OTHER);
            }
        assert_int_equal(um_field_id_of((struct um_str){name.p, name.n - 1}), UM_FIELD_OTHER);
        assert_int_equal(um_field_id_of((struct um_str){name.p, name.n + 1}), UM_FIELD_OTHER);
    }
}

static void test_other_names(void **state)
{
    char longest[300];
    memset(longest, 'x', sizeof longest);
    for (size_t n = 0; n <= sizeof longest; n++)
        assert_int_equal(um_field_id_of((struct um_str){longest, n}), UM_FIELD_OTHER);
    assert_int_equal(um_field_id_name(UM_FIELD_OTHER).n, 0);
}

static void test_sets(void **state)
{
    assert_true(um_field_id_is_hop(UM_FIELD_CONNECTION));
    assert_true(um_field_id_is_hop(UM_FIELD_TRANSFER_ENCODING));
    assert_true(um_field_id_is_hop(UM_FIELD_UPGRADE));
    assert_false(um_field_id_is_hop(UM_FIELD_HOST));
    assert_false(um_field_id_is_hop(UM_FIELD_OTHER));
    assert_true(um_field_ids_end_to_end >> UM_FIELD_HOST & 1);
    assert_true(um_field_ids_end_to_end >> UM_FIELD_X_UMBRA_SHADOW & 1);
    assert_int_equal(um_field_ids_end_to_end & um_field_ids_hop, 0);
    assert_true(um_field_id_is_codecs(UM_FIELD_CONTENT_LENGTH));
    assert_false(um_field_id_is_codecs(UM_FIELD_CONTENT_TYPE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_name_is_found),
        cmocka_unit_test(test_case_does_not_matter),
        cmocka_unit_test(test_neighbours_are_other_names),
        cmocka_unit_test(test_other_names),
        cmocka_unit_test(test_sets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
