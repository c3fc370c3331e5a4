/*
 * When a recorded frame was recorded. A chunk of a recording can come late, never early, so the
 * earliest arrivals lie on the true line. Pure.
 */
#ifndef SCREAM_LISTEN_CLOCK_H
#define SCREAM_LISTEN_CLOCK_H

#include "listen_pcm.h"

#include <stdbool.h>

#define CLOCK_JUMPS 64

/*
 * A server that could not keep its time goes on later: the line is broken. From that frame on, all is
 * so much later, ns.
 */
struct clock_jump {
    double frame, by;
};

struct timeline {
    double start; /* ns, CLOCK_MONOTONIC: frame 0 */
    double frame; /* ns a frame */
    double late;  /* ns: how far behind the line the latest chunk came */
    unsigned jumps;
    struct clock_jump jump[CLOCK_JUMPS]; /* in order */
};

/*
 * False when there are too few arrivals to say (a file). The rate is taken to be the nominal one
 * until there are ten seconds to measure it by.
 */
bool timeline_fit(struct timeline *line, const struct recording *r);

/* When it was recorded, ns; and the frame of a moment, before the first one too. */
double timeline_at(const struct timeline *line, double frame);
double timeline_frame(const struct timeline *line, double at);

#endif
