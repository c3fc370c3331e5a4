/* Seeded chance: the same on every machine. Sebastiano Vigna's splitmix64. */
#ifndef SCREAM_DICE_H
#define SCREAM_DICE_H

#include <stdint.h>

struct dice {
    uint64_t state;
};

static inline uint64_t dice_roll(struct dice *d)
{
    uint64_t x = d->state += 0x9e3779b97f4a7c15U;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9U;
    x = (x ^ x >> 27) * 0x94d049bb133111ebU;
    return x ^ x >> 31;
}

/* In [0, 1). */
static inline double dice_part(struct dice *d)
{
    return (double)(dice_roll(d) >> 11) * 0x1p-53;
}

/* In [0, n). */
static inline uint32_t dice_below(struct dice *d, uint32_t n)
{
    return (uint32_t)((dice_roll(d) >> 32) % n);
}

/* ns that a thread wakes up late on a busy machine, in one of `one_in` times: 5 to 14 ms, one of 20 of them 20 ms. */
static inline double dice_spike(struct dice *d, double one_in)
{
    if (dice_part(d) * one_in >= 1)
        return 0;
    return dice_part(d) < 0.05 ? 20e6 : 5e6 + 9e6 * dice_part(d);
}

#endif
