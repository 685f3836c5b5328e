/* SPDX-License-Identifier: Apache-2.0
 * rand: xoshiro256** (Blackman and Vigna), seeded from the kernel or from a number in tests. Not for secrets.
 * Thread: its owner's. */
#ifndef UM_BASE_RAND_H
#define UM_BASE_RAND_H

#include <stdint.h>

struct um_rand {
    uint64_t s[4];
};

void um_rand_init(struct um_rand *);                     /* from getrandom(2) */
void um_rand_init_seed(struct um_rand *, uint64_t seed); /* repeatable */
uint64_t um_rand_u64(struct um_rand *);
uint32_t um_rand_below(struct um_rand *, uint32_t n); /* uniform in [0, n), n > 0, without bias */
/* a random UUID (RFC 9562 version 4), 36 bytes, no NUL */
void um_rand_uuid(struct um_rand *, char out[36]);

#endif
