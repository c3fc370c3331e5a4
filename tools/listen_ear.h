/*
 * What was heard and what was sent, as floats behind one and the same low-pass (listen_kernel.h), so
 * that they can be compared at any position. Pure but for memory.
 */
#ifndef SCREAM_LISTEN_EAR_H
#define SCREAM_LISTEN_EAR_H

#include "listen_kernel.h"
#include "listen_track.h"

#define EAR_MOST        256 /* recorded frames that are asked for at once */
#define EAR_SLOPE_EVERY 4   /* recorded frames to a slope */
#define EAR_SCALE_MAX   8.0 /* between the recording's rate and a segment's */

/* Frames [first, first + count), cached. */
struct stretch {
    int64_t first;
    unsigned count; /* 0: nothing yet */
    float *samples;
};

/* Kernels for a pair of rates. */
struct tuning {
    uint32_t rate; /* sent; 0: unused */
    struct kernel heard, sent;
};

struct ear {
    const struct track_request *request;
    const struct segment *segment; /* that it is tuned to; NULL: none */
    struct tuning *tuning;
    double nominal; /* sent frames a recorded one, by the names of both rates */
    struct tuning tunings[12];
    struct stretch heard[TRACK_CHANNELS], sent[PCM_MAX_CHANNELS];
    float *raw; /* what `heard` is filtered from */
};

/* 0 or -ENOMEM; close by ear_close() either way. */
int ear_open(struct ear *e, const struct track_request *request);
void ear_close(struct ear *e);

/* Before any of those below. 1, 0 if the rates are too far apart, or -ENOMEM. */
int ear_tune(struct ear *e, const struct segment *s);

/* Recorded frames [first, first + count); silence outside. Valid until the next call. */
const float *ear_heard(struct ear *e, unsigned channel, uint64_t first, unsigned count);

/*
 * The sent signal at `count` positions from `from` on, `rate` apart, of the channels in the mask;
 * silence outside the segment. slopes: of every EAR_SLOPE_EVERYth, per sent frame; NULL: none.
 */
struct ear_sent {
    float values[PCM_MAX_CHANNELS][EAR_MOST];
    float slopes[PCM_MAX_CHANNELS][EAR_MOST / EAR_SLOPE_EVERY];
};
void ear_sent(struct ear *e, unsigned mask, double from, double rate, unsigned count, bool slopes,
              struct ear_sent *out);

#endif
