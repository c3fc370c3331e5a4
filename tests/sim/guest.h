/*
 * The guest's driver and the receiver that reads it, simulated: what is written to a stream, and when. The
 * left channel is a sine of 1 Hz and the right one the cosine, so that each frame heard tells which
 * one it is. Each sound begins softly: whatever step is heard is none of the guest's.
 */
#ifndef SCREAM_SIM_GUEST_H
#define SCREAM_SIM_GUEST_H

#include "../../receivers/ivshmem_pace.h"
#include "../../src/stream.h"
#include "dice.h"
#include "scenario.h"

#define GUEST_LEVEL 0.5

/* From frame `from` on, frame k comes to be at zero + k * frame. */
struct guest_line {
    uint64_t from;
    double zero, frame; /* ns */
};

#define GUEST_LINES 64

struct guest {
    const struct scenario *scenario;
    struct stream *stream;
    struct dice dice;
    struct pcm_format format;
    uint8_t *sound;  /* a second of it, and a chunk more, */
    uint8_t *soft;   /* and room for a packet of a beginning, */
    uint64_t begins; /* which is this frame */

    double ppm;             /* of its clock, now */
    uint32_t grain;         /* frames that are sent together */
    uint32_t tick_rest;     /* hundredths of a frame that wake-ups have not counted yet */
    double tick_at;         /* ns: its latest wake-up */
    double next;            /* ns: when what it has to send next is there */
    double stalled_until;   /* ns */
    double paused_until;    /* ns */
    uint64_t counted, sent; /* frames since the beginning of the format */
    uint64_t lost;          /* packets of all formats */

    /* shared memory: what has been written, and the receiver that looks for it */
    uint64_t published; /* frames */
    struct shm_pace pace;
    double look; /* ns: the next one */

    struct guest_line lines[GUEST_LINES]; /* the latest ones, a ring */
    unsigned newest;                      /* never wraps in practice */
    unsigned first_line;                  /* of this format */
};

/* The scenario and the stream outlive it. Begins at that time, ns. */
void guest_init(struct guest *g, const struct scenario *s, struct stream *stream, double now);
void guest_finish(struct guest *g);

/* When it wants guest_turn() next, ns. */
double guest_next(const struct guest *g);
void guest_turn(struct guest *g);

/* What may happen to it; now, until: ns. */
void guest_stall(struct guest *g, double until);
void guest_pause(struct guest *g, double until);
void guest_step(struct guest *g, double ppm);
void guest_change(struct guest *g, double now, uint32_t rate);

/*
 * A frame of which the place within a second is known (frames) is heard at that time, less than a second
 * after it came to be: how long after, ns.
 */
double guest_age(const struct guest *g, double place, double heard);

#endif
