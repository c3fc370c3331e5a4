/*
 * How much is kept in store against lateness, beyond what arrivals lag behind as a rule: the part of
 * the automatic target that learns. It grows at once where too little was in store, or nearly, and is
 * given back when nothing has needed it.
 *
 * How much was needed is not told by how late arrivals were, as SERVO's first draft has it: what is in
 * store before each fill, on the arrivals' line and in truth, tells of late arrivals, late requests and
 * both at once. Where lateness has a heavy tail, nobody has seen the worst of it, so twice what was seen
 * is kept: a quiet machine keeps next to nothing after some minutes, one whose threads are late by half of
 * what is kept keeps it all. And each time that something was given back wrongly, the window within which
 * nothing may have needed it doubles: however rare the late ones are, giving back costs few dropouts.
 *
 * Pure: no clock, no allocation, no atomics.
 */
#ifndef SCREAM_SLACK_H
#define SCREAM_SLACK_H

#include <stdbool.h>
#include <stdint.h>

#define SLACK_LEAST_NS  700000LL
#define SLACK_MOST_NS   80000000LL
#define SLACK_STEP_NS   5000000LL      /* more after a dropout, twice that after the next... */
#define SLACK_LEAP_NS   20000000LL     /* ...and this at most, */
#define SLACK_SOON_NS   10000000000LL  /* when it comes so soon, */
#define SLACK_ONE_NS    100000000LL    /* but not so soon that it is the same one */
#define SLACK_NEAR_NS   300000LL       /* if so little was left, or such a part of it, */
#define SLACK_NEAR_OF   16             /* that was near one, and tells as much */
#define SLACK_KEEP_NS   500000LL       /* beside twice what was needed */
#define SLACK_USED      5              /* when more was needed than 5... */
#define SLACK_USED_OF   8              /* ...8ths of it, it grows up to where it was */
#define SLACK_WINDOW_NS 150000000000LL /* what nothing needs for so long is given back; */
#define SLACK_WINDOW_MOST_NS                                                                       \
    (256 * SLACK_WINDOW_NS)         /* so long, after eight times in which it was needed */
#define SLACK_WORTH_NS  500000LL    /* if it is worth a change: so much, */
#define SLACK_WORTH_OF  4           /* and such a part of it */
#define SLACK_RECENT_NS 200000000LL /* what is needed while a sound ends says nothing */
#define SLACK_LOST_NS                                                                              \
    500000000LL /* what was learnt so shortly before packets turn out to be lost is not true */
#define SLACK_STALL_NS 60000000LL /* a longer silence is a stall: nothing is kept for those */

struct slack {
    int64_t amount;  /* ns */
    int64_t ceiling; /* ns: before some was given back last; a dropout undoes that */
    int64_t window;  /* ns without need until something is given back */
    int64_t passed;  /* ns of the present one */
    int64_t worst,
        before; /* ns: the most that was needed in this window, and in the one before it */
    int64_t former,
        recent;      /* likewise: of the two latest spans of SLACK_RECENT_NS, not in `worst` yet, */
    int64_t spanned; /* and ns of the present one */
    bool near; /* a dropout was near; if none has come of it, and nothing was lost, it counts, */
    int64_t spared; /* after so many ns */
    int64_t step;   /* ns by which the latest dropout made it grow, */
    int64_t since;  /* and ns since then */
    struct slack_grown {
        int64_t amount, ceiling, window, worst, before, step; /* before it last grew by lateness, */
        int64_t since;                                        /* and ns since then */
    } grown;
};

void slack_init(struct slack *s, int64_t first);

/* At a fill, so much was needed beyond what arrivals lag behind as a rule, or less; dt ns after the last one. */
void slack_note(struct slack *s, int64_t used, int64_t dt);

/* Too little was in store: silence for so many ns. */
void slack_dropout(struct slack *s, int64_t silence);

/* What has just been missing was lost: what was taken for lateness is unlearnt. */
void slack_lost(struct slack *s);

/* There is sound again after a silence of the guest's own. */
void slack_paused(struct slack *s);

#endif
