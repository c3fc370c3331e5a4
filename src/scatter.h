/*
 * How the points of a line lie to each other, told by medians: however far off a few of them are, or however
 * often the line steps (packets were lost), the slope between the steps and the spread are what the
 * others make them.
 *
 * Pure: no clock, no allocation, no atomics.
 */
#ifndef SCREAM_SCATTER_H
#define SCREAM_SCATTER_H

#include <stdbool.h>
#include <stdint.h>

#define SCATTER_POINTS   24          /* slopes that the medians are of, at most, */
#define SCATTER_LEAST    10          /* and at least */
#define SCATTER_APART_NS 200000000LL /* points that are nearer to each other have no slope */

struct scatter {
    bool follows; /* there is a point to which the next one has a slope */
    int64_t time; /* ns: of it */
    uint64_t frame;
    unsigned added;
    float slopes[SCATTER_POINTS]; /* from point to point, a ring */
    double
        slope; /* by which the frames come later than nominal, a ratio: 100 ppm late is +100e-6 */
    double spread; /* of the slopes, likewise: half of them are no further off */
};

/* The next point follows no other. */
void scatter_break(struct scatter *s);

/* `frame` had arrived at time t; nominally one does every `period` ns. */
void scatter_add(struct scatter *s, int64_t t, uint64_t frame, double period);

/* Slope and spread mean something. */
static inline bool scatter_known(const struct scatter *s)
{
    return s->added >= SCATTER_LEAST;
}

#endif
