/*
 * When does a frame arrive? A guest sends in bursts and late, never early: the earliest arrivals
 * lie on the line that its sample clock draws, all others above it. This keeps that line, and how
 * far behind it the guest falls just before each burst (../shared SERVO's "lag", what a buffer must
 * hold).
 *
 * Pure: no clock, no allocation, no atomics. The receiver thread's; published by stream.h.
 */
#ifndef SCREAM_ARRIVAL_H
#define SCREAM_ARRIVAL_H

#include "scatter.h"

/* The line: `frame` frames had arrived at `time`, and one more arrives every `period`. */
struct arrival_line {
    int64_t time;    /* ns, CLOCK_MONOTONIC */
    uint64_t frame;  /* since the stream's beginning */
    double period;   /* ns a frame, as measured: the guest's clock by ours */
    int64_t lag;     /* ns: the furthest that arrivals fell behind the line, decaying slowly */
    int64_t last;    /* time of the latest arrival, */
    int64_t begun;   /* and of the first one, or the first after a pause */
    uint64_t grain;  /* frames: the most that has arrived at one moment, as one packet */
    uint32_t epoch;  /* grows by one at each pause: what came before says nothing about when */
    uint32_t losses; /* grows by one when packets were lost: so much less has arrived than before */
    uint32_t serial; /* the beginning (stream.h) that it belongs to; 0: no line yet */
};

#define ARRIVAL_WINDOW_NS     320000000LL /* an earliest arrival is taken from each window */
#define ARRIVAL_BURST_NS      500000LL    /* arrivals closer than this belong to one burst */
#define ARRIVAL_PAUSE_NS      60000000LL  /* no arrival for so long may be a pause... */
#define ARRIVAL_SHIFT_NS      40000000LL  /* ...if what follows lies so far above the line */
#define ARRIVAL_STALL_NS      100000000LL /* ...and no burst catches up with the line within this time */
#define ARRIVAL_LAG_DECAY_NS  60000000000LL /* the lag's peak falls to 1/e in a minute */
#define ARRIVAL_LOSS_NS       100000000LL /* whole packets above the line for so long: they were lost */
#define ARRIVAL_LARGE_NS      2500000LL /* but smaller packets than this are outlasted by lateness: */
#define ARRIVAL_SMALL_LOSS_NS 320000000LL /* it takes so long to tell */
#define ARRIVAL_MUCH_NS       15000000LL  /* so much is lost even if it is no number of packets */
#define ARRIVAL_STEP_NS       2500000LL   /* a point so far off is no drift */
#define ARRIVAL_MOST_PPM      3000        /* no guest's clock is further off */

struct arrival {
    uint32_t rate;
    bool anchored;
    int64_t last;    /* time of the latest arrival, */
    int64_t begun;   /* and of the first one after silence */
    uint64_t frames; /* arrived so far */
    int64_t lag;     /* ns, peak */
    uint64_t grain;  /* frames */
    uint32_t epoch;
    uint32_t losses;
    int64_t missed;   /* time since when nothing has arrived near the line, 0: it has, */
    double missed_by; /* and ns by which the earliest since then lies above */

    /* the window: its earliest arrival */
    int64_t window_start; /* time */
    int64_t low_time;
    uint64_t low_frames;

    /* the line, a delay-locked loop of second order over the windows' points */
    int64_t time;   /* of `frame`, */
    double subtime; /* and this much of a ns */
    uint64_t frame;
    double period;          /* ns */
    double age;             /* s since its bandwidth was last wide */
    double bias;            /* ns by which points lie above the line, a running mean */
    int points;             /* since the phase began anew */
    int outliers;           /* in a row */
    bool first_window;      /* the line is only the earliest arrival so far */
    struct scatter scatter; /* of the points */

    /* what may be a pause, until it is settled */
    int64_t shift;         /* ns that the line was moved by */
    int64_t pause_settled; /* time when it is; 0: no question open */
};

/* A beginning. What is zeroed knows nothing; else the guest's clock is taken to be the one before, at another rate. */
void arrival_init(struct arrival *a, uint32_t rate);

/* Frames [.., frames) since the beginning are here at time t, which never goes back. */
void arrival_add(struct arrival *a, int64_t t, uint64_t frames);

/* The line as of the latest arrival; serial is the caller's to fill in. Call after at least one arrival_add(). */
struct arrival_line arrival_line(const struct arrival *a);

/* Frames that the line says have arrived by t, negative before the beginning. */
double arrival_line_at(const struct arrival_line *line, int64_t t);

#endif
