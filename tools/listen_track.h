/*
 * Finds in a recording what was sent: stretches that match ("runs"). Pure but for memory.
 *
 * A run says which recorded frames hold which sent frames, and which sent channel each recorded
 * channel holds, found by listening and not by believing. What lies between runs is for
 * listen_judge.h.
 *
 * There are two ways to match. Exactly: sample by sample, for segments at the recording's own rate.
 * Resampled: the band-limited signal at a position between two sent frames that may drift, at any
 * rate. A run of the latter kind has a path: where it was at its waypoints.
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

enum track_mode {
    TRACK_AUTO, /* exactly, unless that finds nothing where the resampled way does */
    TRACK_EXACT,
    TRACK_RESAMPLED,
};

struct track_request {
    enum track_mode mode;
    const struct recording *recording;
    const struct segment *segments;
    size_t n_segments;
    const struct timeline *line; /* NULL: unknown; search by position alone */
    int64_t tolerance;           /* of a sample, in units of the full int32_t scale */
    int8_t map[TRACK_CHANNELS];  /* what each recorded channel should hold */
};

/* Recorded frame `recorded` is what the sent signal is at frame `sent`. */
struct waypoint {
    double recorded, sent;
    double error; /* power of what differs from it, against the sound's; 0: too faint to tell */
};

struct run {
    size_t segment;
    uint64_t recorded, sent, frames; /* [recorded, + frames) holds [sent, ...) */
    int8_t holds[TRACK_CHANNELS];
    double position,
        rate; /* resampled: the exact place of the first frame found, and the pace there */
    struct waypoint *path; /* ascending; NULL: frame by frame */
    size_t n_path;
};

struct run_list {
    struct run *at;
    size_t count;
    bool resampled; /* how they were matched */
};

/* The sent position that is heard `offset` frames after a run's begin; beyond its ends, as at them. */
double run_sent_at(const struct run *run, double offset);

/* The default tolerance: one step of the coarsest of both widths, 16 bit at the finest. */
int64_t track_tolerance(const struct recording *r, const struct pcm_format *sent);

/* Ascending in recorded frames, never overlapping. 0 or -ENOMEM; free by runs_finish(). */
int track(const struct track_request *request, struct run_list *runs);
void runs_finish(struct run_list *runs);

/* True if frame's samples are all within the tolerance of silence. */
bool track_silent(const struct track_request *request, uint64_t frame);

#endif
