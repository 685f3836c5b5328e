/* SPDX-License-Identifier: Apache-2.0
 * kit: what the tests of loops share: turning a loop until something is true, and no longer than a generous while. */
#ifndef UM_TESTS_UNIT_IO_KIT_H
#define UM_TESTS_UNIT_IO_KIT_H

#include "io/loop.h"

enum { KIT_PATIENCE_S = 20 };

/* the condition may do something; once it is true it is not evaluated again */
#define KIT_TURN_UNTIL(loop, condition)                                                                                \
    do {                                                                                                               \
        uint64_t kit_end_ns_ = um_clock_ns() + KIT_PATIENCE_S * UM_NS_PER_S;                                           \
        bool kit_is_true_;                                                                                             \
        while (!(kit_is_true_ = (condition)) && um_clock_ns() < kit_end_ns_)                                           \
            um_loop_turn((loop), 50);                                                                                  \
        assert_true(kit_is_true_);                                                                                     \
    } while (0)

/* for what must not happen */
static inline void kit_turn_for_ms(struct um_loop *loop, uint64_t ms)
{
    uint64_t end_ns = um_clock_ns() + ms * UM_NS_PER_MS;
    while (um_clock_ns() < end_ns)
        um_loop_turn(loop, 10);
}

#endif
