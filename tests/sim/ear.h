/*
 * What comes out of an output, listened to: which frame is heard when, and what is wrong with it. Believes
 * no counter.
 */
#ifndef SCREAM_EAR_H
#define SCREAM_EAR_H

#include "guest.h"

#include <stdbool.h>
#include <stdint.h>

/* All that is told since the latest ear_forget(). */
struct heard {
    double low, high; /* ms: latency, of sound at its full level */
    double sum;       /* ms */
    uint32_t looks;   /* at the latency */
    double off;       /* furthest from the level sent, of frames at about that level */
    uint64_t frames;  /* in all, */
    uint64_t silent;  /* of them at which nothing is heard, */
    uint64_t partly;  /* and neither that nor the full level */
    uint32_t clicks;  /* steps from a frame to the next one that no sound and no fade makes */
    uint32_t
        seams; /* such steps that change no level: right where the guest's frames are missing */
    uint32_t jumps; /* places at which sound is left out or comes again */
    uint32_t gaps;  /* silences that begin */
};

struct ear {
    struct heard heard;

    float left, right; /* the latest frame */
    bool whole;        /* that was at full level */
    bool quiet;        /* that was silent */
    bool begun;        /* there has been sound */
    double latency;    /* ms, the latest known */
    bool known;
    double jumped_at;    /* ns */
    uint32_t until_look; /* frames */
    uint32_t seam_left;  /* frames that belong to the latest seam or click */
};

void ear_init(struct ear *e);
void ear_forget(struct ear *e);

/* Another output: its sound comes out of silence, and says nothing about that of the former one. */
void ear_turn_away(struct ear *e);

/*
 * `frames` stereo frames, the first of them heard at that time, one more each frame_ns. g: NULL when they
 * are of a format that it does not send any more.
 */
void ear_hear(struct ear *e, const struct guest *g, const float *x, uint32_t frames, double at,
              double frame_ns);

#endif
