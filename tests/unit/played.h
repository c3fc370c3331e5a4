/*
 * The player against a guest and an output whose clocks are simulated: no thread, no waiting, the same
 * every time.
 */
#ifndef SCREAM_PLAYED_H
#define SCREAM_PLAYED_H

#include "player.h"
#include "stream.h"

#include <stdint.h>

#define PLAYED_MOST_FRAMES (48000 * 20) /* that are heard of one */

struct played {
    struct stream stream;
    struct player *player;
    struct pcm_format format;
    int64_t now;
    /* guest */
    int64_t guest_zero; /* when its frame 0 came to be */
    int64_t next_tick;
    uint64_t sent; /* bytes */
    bool mute;     /* it sends nothing, and its clock of frames stands still */
    int64_t stalled_until;
    /* output */
    uint32_t period;
    int64_t next_fill;
    int64_t delay;
    int16_t *heard; /* interleaved, as filled since the start */
    uint64_t heard_frames;
};

/* Never 0, so that silence is told from sound; 16 bit, another one in each channel. */
int16_t played_sample(uint64_t frame, unsigned channel);

/* A guest of that format, of 16 bit, and an output of that period, both from p->now on; target: ns. */
void played_open(struct played *p, const struct pcm_format *f, uint32_t period, int64_t target);
void played_close(struct played *p);

/* Both go on, for so many ns. */
void played_run(struct played *p, int64_t duration);

/* The first output frame from `from` on that is no silence; heard_frames: there is none. */
uint64_t played_first_sound(const struct played *p, uint64_t from);

/* How many frames from `at` on are the guest's from `frame` on, in every channel. */
uint64_t played_matching(const struct played *p, uint64_t at, uint64_t frame);

/* ns from the moment the guest's frame came to be to the moment it is heard. */
int64_t played_latency(const struct played *p, uint64_t at, int64_t frame);

#endif
