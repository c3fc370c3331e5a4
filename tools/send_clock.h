/*
 * The guest's time: how many frames its sound card has played by now, and when its driver wakes to
 * send them. Pure: the time comes in as an argument (CLOCK_MONOTONIC ns); any thread.
 */
#ifndef SCREAM_SEND_CLOCK_H
#define SCREAM_SEND_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Frame k begins at t0 + k / hz, and is there to be sent when it has ended, at t0 + (k + 1) / hz. */
struct guest_clock {
    int64_t t0; /* ns */
    double hz;  /* frames a second of the host's clock */
};

/* ppm: how much faster the guest's clock runs than the host's. speed: times real time, over 0. */
void guest_clock_start(struct guest_clock *clock, int64_t t0, uint32_t rate, double ppm,
                       double speed);

/* Whole frames there are at `now`; 0 before t0. */
uint64_t guest_frames(const struct guest_clock *clock, int64_t now);

/* The first moment at which so many frames are there. */
int64_t guest_time(const struct guest_clock *clock, uint64_t frames);

/* Random numbers from a seed: the same on every machine. */
struct guest_random {
    uint64_t state;
};

double guest_random_next(struct guest_random *random); /* [0, 1) */

/*
 * When the driver wakes: on a grid of `burst` from `start`, each time late by a random part of
 * `jitter`, and never while it stalls: [start + n * stall_every, + stall) for n = 1, 2, ... A wake
 * that falls into a stall happens at its end. Lateness only delays: frames go by guest_clock.
 *
 * The grid is the guest's own: the driver's timer and its count of frames go by one clock, Windows' interrupt
 * time. By the host's, packets at 500 ppm would beat against wakes, by 2 ms in 4 s (chunks by 10 ms in 20 s):
 * arrivals that no driver makes, and that hide its rate for so long. A speed is of the frames only.
 */
struct guest_pacer {
    int64_t start, jitter, stall, stall_every; /* ns; stall_every 0: none */
    int64_t burst;                             /* ns of the guest's clock, */
    double ppm;                                /* which is so much faster than the host's */
    struct guest_random random;
};

struct guest_wake {
    int64_t at;         /* ns */
    int64_t stall_from; /* ns; the stall that delayed this wake began then, 0: none did */
};

/* The first wake after `now`. */
struct guest_wake guest_next_wake(struct guest_pacer *pacer, int64_t now);

/*
 * What of a byte stream is on its way: it is cut into units (a datagram's PCM, a chunk of shared
 * memory) wherever they end, also within a frame; a unit goes when it is full.
 */
struct guest_cut {
    uint32_t frame_bytes, unit_bytes;
    uint64_t units; /* sent */
};

/* Units that are full and not sent when the stream has so many frames. */
uint64_t guest_units_due(const struct guest_cut *cut, uint64_t frames);

/* The frames that the next `units` units carry or touch: at units' ends within a frame, it counts
 * for both sides. */
void guest_unit_frames(const struct guest_cut *cut, uint64_t units, uint64_t *first,
                       uint64_t *frames);

#endif
