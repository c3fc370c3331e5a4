/*
 * Finds in a recording what was sent: stretches that match sample by sample ("runs"). Pure but for
 * memory.
 *
 * A run says which recorded frames hold which sent frames, and which sent channel each recorded
 * channel holds, found by listening and not by believing. What lies between runs is for
 * listen_judge.h.
 *
 * Only segments at the recording's own rate can be matched. A resampled recording would need an
 * alignment by fractions of a frame: that is another way to find and follow a run, to be put beside
 * this one behind track().
 */
#ifndef SCREAM_LISTEN_TRACK_H
#define SCREAM_LISTEN_TRACK_H

#include "listen_clock.h"
#include "listen_log.h"
#include "listen_pcm.h"

#include <stddef.h>
#include <stdint.h>

#define TRACK_CHANNELS 32 /* of a recording */

/* What a recorded channel holds, or should: a sent channel's index, or one of these. */
enum { HOLDS_SILENCE = -1, HOLDS_ANYTHING = -2 };

struct track_request {
    const struct recording *recording;
    const struct segment *segments;
    size_t n_segments;
    const struct timeline *line; /* NULL: unknown; search by position alone */
    int64_t tolerance;           /* of a sample, in units of the full int32_t scale */
    int8_t map[TRACK_CHANNELS];  /* what each recorded channel should hold */
};

struct run {
    size_t segment;
    uint64_t recorded, sent, frames; /* [recorded, + frames) holds [sent, + frames) */
    int8_t holds[TRACK_CHANNELS];
};

struct run_list {
    struct run *at;
    size_t count;
};

/* The default tolerance: one step of the coarsest of both widths, 16 bit at the finest. */
int64_t track_tolerance(const struct recording *r, const struct pcm_format *sent);

/* Ascending in recorded frames, never overlapping. 0 or -ENOMEM; free by runs_finish(). */
int track(const struct track_request *request, struct run_list *runs);
void runs_finish(struct run_list *runs);

/* True if frame's samples are all within the tolerance of silence. */
bool track_silent(const struct track_request *request, uint64_t frame);

#endif
