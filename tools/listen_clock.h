/*
 * When a recorded frame was recorded. A chunk of a recording can come late, never early, so the
 * earliest arrivals lie on the true line. Pure.
 */
#ifndef SCREAM_LISTEN_CLOCK_H
#define SCREAM_LISTEN_CLOCK_H

#include "listen_pcm.h"

#include <stdbool.h>

struct timeline {
    double start; /* ns, CLOCK_MONOTONIC: frame 0 */
    double frame; /* ns a frame */
    double late;  /* ns: how far behind the line the latest chunk came */
};

/*
 * False when there are too few arrivals to say (a file). The rate is taken to be the nominal one
 * until there are ten seconds to measure it by.
 */
bool timeline_fit(struct timeline *line, const struct recording *r);

static inline double timeline_at(const struct timeline *line, double frame)
{
    return line->start + frame * line->frame;
}

#endif
