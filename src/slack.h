/*
 * How much is kept in store against lateness, beyond what arrivals lag behind as a rule: the part of
 * the automatic target that learns. It grows at once where too little was in store, or nearly, and
 * shrinks when for many minutes much more was there than anything needed.
 *
 * Not by how late arrivals were, as SERVO's first draft has it: what is left in store before each fill
 * tells of late arrivals, late requests and both at once. Pure: no clock, no allocation, no atomics.
 */
#ifndef SCREAM_SLACK_H
#define SCREAM_SLACK_H

#include <stdbool.h>
#include <stdint.h>

#define SLACK_LEAST_NS  2000000LL
#define SLACK_MOST_NS   80000000LL
#define SLACK_STEP_NS   5000000LL      /* more after a dropout, twice that after the next... */
#define SLACK_LEAP_NS   20000000LL     /* ...and this at most, */
#define SLACK_SOON_NS   10000000000LL  /* when it comes so soon, */
#define SLACK_ONE_NS    100000000LL    /* but not so soon that it is the same one */
#define SLACK_NEAR_NS   1000000LL      /* and if so little was left, that was near one: */
#define SLACK_NUDGE_NS  2000000LL      /* so much more */
#define SLACK_KEEP_NS   3000000LL      /* what should be left at the worst moment */
#define SLACK_WINDOW_NS 600000000000LL /* after so long without either, half of what was left */
#define SLACK_WORTH_NS  2000000LL      /* beyond that is given back, if it is worth a change */
#define SLACK_RECENT_NS 200000000LL    /* what is left while a sound ends says nothing */
#define SLACK_STALL_NS  60000000LL     /* a longer silence is a stall: nothing is kept for those */

struct slack {
    int64_t amount; /* ns */
    int64_t
        least; /* ns: the least that was left in the present window, but for the latest two spans */
    int64_t passed;         /* ns of it */
    int64_t former, recent; /* likewise: of the two spans of SLACK_RECENT_NS, */
    int64_t spanned;        /* and ns of the present one */
    bool near;              /* a dropout was near; if none has come of it, it counts */
    int64_t step;           /* ns by which the latest dropout made it grow, */
    int64_t since;          /* and ns since then */
};

void slack_init(struct slack *s, int64_t first);

/* At a fill so much is left in store, and dt ns have passed since the last one. */
void slack_note(struct slack *s, int64_t left, int64_t dt);

/* Too little was in store: silence for so many ns. */
void slack_dropout(struct slack *s, int64_t silence);

/* There is sound again after a silence of the guest's own. */
void slack_paused(struct slack *s);

#endif
