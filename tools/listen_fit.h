/*
 * Compares a piece of the recording with what was sent at a position and pace, and finds the position
 * and pace at which they differ the least. Pure.
 */
#ifndef SCREAM_LISTEN_FIT_H
#define SCREAM_LISTEN_FIT_H

#include "listen_ear.h"

/* Recorded frame `recorded` is what was sent at `position`; `rate` sent frames to a recorded one. */
struct pace {
    uint64_t recorded;
    double position, rate;
};

struct fitter {
    struct ear *ear;
    const int8_t *holds; /* of each recorded channel */
    double faint;        /* power of a sample's rounding */

    /* of the latest comparison */
    struct ear_sent sent;
    float differs[TRACK_CHANNELS][EAR_MOST];
    double power[TRACK_CHANNELS], error[TRACK_CHANNELS]; /* sums */
    double loudest;                                      /* power */
    double s0, s1, s2, g0, g1;     /* moments of the slope, and of slope and difference */
    double some_power, some_error; /* of those frames that a slope is known of */
};

/* Compares `count` frames, EAR_MOST at most. */
void fit_compare(struct fitter *f, const struct pace *p, unsigned count);

/* What was compared is the same: to -40 dB in each channel. */
bool fit_faithful(const struct fitter *f, unsigned count);

/* So many of the compared frames are good in a row, from the first or from the last on; all of them
 * where none stands out. */
unsigned fit_good_frames(const struct fitter *f, unsigned count, bool from_end);

/* Moves p to where `count` frames fit best, if it is within a frame or two. False: they do not. */
bool fit_settle(struct fitter *f, struct pace *p, unsigned count);

/*
 * The same for a position that is known but for a servo's small steps; the rate is left alone. *error
 * becomes what a waypoint says of it.
 */
bool fit_step(struct fitter *f, struct pace *p, unsigned count, double *error);

#endif
