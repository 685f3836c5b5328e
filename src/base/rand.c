/* SPDX-License-Identifier: Apache-2.0 */
#include "base/rand.h"

#include "base/clock.h"

#include <sys/random.h>

static uint64_t splitmix(uint64_t *x)
{
    uint64_t z = *x += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
}

void um_rand_init_seed(struct um_rand *r, uint64_t seed)
{
    for (int i = 0; i < 4; i++)
        r->s[i] = splitmix(&seed);
}

void um_rand_init(struct um_rand *r)
{
    if (getrandom(r->s, sizeof r->s, 0) != (ssize_t)sizeof r->s || (r->s[0] | r->s[1] | r->s[2] | r->s[3]) == 0)
        um_rand_init_seed(r, um_clock_wall_ns());
}

static uint64_t rotl(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

uint64_t um_rand_u64(struct um_rand *r)
{
    uint64_t result = rotl(r->s[1] * 5, 7) * 9, t = r->s[1] << 17;
    r->s[2] ^= r->s[0];
    r->s[3] ^= r->s[1];
    r->s[1] ^= r->s[2];
    r->s[0] ^= r->s[3];
    r->s[2] ^= t;
    r->s[3] = rotl(r->s[3], 45);
    return result;
}

uint32_t um_rand_below(struct um_rand *r, uint32_t n)
{
    /* Lemire, "Fast random integer generation in an interval" */
    uint64_t m = (um_rand_u64(r) >> 32) * n;
    if ((uint32_t)m < n) {
        uint32_t floor = -n % n;
        while ((uint32_t)m < floor)
            m = (um_rand_u64(r) >> 32) * n;
    }
    return (uint32_t)(m >> 32);
}

void um_rand_uuid(struct um_rand *r, char out[36])
{
    static const char HEX[] = "0123456789abcdef";
    uint64_t hi = um_rand_u64(r), lo = um_rand_u64(r);
    hi = (hi & 0xFFFFFFFFFFFF0FFF) | 0x4000;
    lo = (lo & 0x3FFFFFFFFFFFFFFF) | 0x8000000000000000;
    for (int i = 0, nibble = 0; i < 36; i++) {
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            out[i] = '-';
            continue;
        }
        uint64_t word = nibble < 16 ? hi : lo;
        out[i] = HEX[word >> (60 - 4 * (nibble & 15)) & 15];
        nibble++;
    }
}
