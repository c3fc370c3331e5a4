/*
 * A guest and an output with clocks of their own, simulated, and a real stream and a real player that
 * steers between them: no thread, no waiting, the same every time. The guest's left channel is a sine
 * and its right one the cosine, so that each frame heard tells the position it comes from, to a
 * thousandth of a frame, and any click.
 */
#ifndef SCREAM_WORLD_H
#define SCREAM_WORLD_H

#include "clock.h"
#include "player.h"
#include "stream.h"

#define WORLD_RATE 48000

struct world {
    struct stream stream;
    struct player *player;
    double guest_ppm, output_ppm;
    uint32_t period;              /* frames: a fill, or what a request says has been played */
    int64_t delay;                /* ns behind the period, or behind the queue */
    double guest_tick, next_fill; /* ns */
    double queue_end;             /* ns: when the end of the queue is due; 0: it has none */
    uint64_t counted, sent;       /* frames */
    bool mute;
    double stalled_until, late_until; /* ns: the guest sends nothing, nobody answers requests */
    double zero; /* ns: when the guest's frame 0 came to be, by its clock as it runs */

    /* what was heard */
    bool heard_before;
    double phase;     /* of the latest frame, unwrapped, in frames */
    double low, high; /* ms: latency since the latest world_forget() */
    double worst;     /* furthest from the level sent */
    uint64_t silent;  /* frames */
    uint64_t late;    /* frames given when their time had passed */
};

/* queued: its output has a queue that is filled ahead of time, with requests of a period. */
void world_open(struct world *w, bool queued, uint32_t period, double guest_ppm, double output_ppm);
void world_close(struct world *w);

void world_run(struct world *w, double seconds);

/* One fill of a period at its time. */
void world_fill(struct world *w);

/* What is told of what was heard begins anew. */
void world_forget(struct world *w);

/* Underruns and skips so far. */
uint64_t world_dropouts(const struct world *w);

#endif
