/*
 * A guest and an output with clocks of their own, simulated, and a real stream and a real player that
 * steers between them: no thread, no waiting, the same every time.
 */
#ifndef SCREAM_WORLD_H
#define SCREAM_WORLD_H

#include "../../src/player.h"
#include "ear.h"
#include "guest.h"
#include "scenario.h"
#include "trace.h"

struct world {
    struct scenario scenario;
    struct stream stream;
    struct player *player;
    struct player_learnt learnt; /* outlives a player */
    struct guest guest;
    struct ear ear;
    struct trace *trace; /* what is heard is written to, NULL: nothing */
    struct dice dice;    /* the output's */
    double begun;        /* ns */
    double now;          /* ns */
    double frame_ns;     /* of the output */
    int64_t delay;       /* ns behind the period, or behind the queue */
    float *room;         /* for what it takes */

    double due;        /* ns: the next request by the output's clock, */
    double called;     /* and when it comes */
    double queue_end;  /* ns: when the end of the queue is due */
    double late;       /* ns: so much later than due the next period is heard, less delay */
    double deaf_until; /* ns: nobody answers requests */
    double reopens;    /* ns: when the next format's output is there; 0: it plays */
    uint64_t too_late; /* frames given when their time had passed */

    double next[SCENARIO_HAPPENINGS]; /* ns: when it happens */
};

/* It has begun and nothing has been heard yet. */
void world_open(struct world *w, const struct scenario *s, struct trace *trace);
void world_close(struct world *w);

void world_run(struct world *w, double seconds);

/* One request at the time at which it is due, as if the output asked for so many frames. */
void world_request(struct world *w, uint32_t frames);

/* The output stands still until then, ns; one with a queue only asks for nothing. */
void world_freeze(struct world *w, double until);

/* What is told of what was heard begins anew. */
void world_forget(struct world *w);

/* Underruns, skips and losses, as the player counts them. */
uint64_t world_counted(const struct world *w);

#endif
