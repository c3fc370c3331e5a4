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

#include <stdbool.h>
#include <stdint.h>

/* The line: `frame` frames had arrived at `time`, and one more arrives every `period`. */
struct arrival_line {
    int64_t time;    /* ns, CLOCK_MONOTONIC */
    uint64_t frame;  /* since the stream's beginning */
    double period;   /* ns a frame, as measured: the guest's clock by ours */
    int64_t lag;     /* ns: the furthest that arrivals fell behind the line, decaying slowly */
    int64_t last;    /* time of the latest arrival, */
    int64_t begun;   /* and of the first one, or the first after a pause */
    int64_t grain;   /* ns: the most that has arrived at one moment, as one packet */
    uint32_t epoch;  /* grows by one at each pause: what came before says nothing about when */
    uint32_t serial; /* the beginning (stream.h) that it belongs to; 0: no line yet */
};

#define ARRIVAL_WINDOW_NS    320000000LL /* an earliest arrival is taken from each window */
#define ARRIVAL_BURST_NS     500000LL    /* arrivals closer than this belong to one burst */
#define ARRIVAL_PAUSE_NS     60000000LL  /* no arrival for so long may be a pause... */
#define ARRIVAL_SHIFT_NS     40000000LL  /* ...if what follows lies so far above the line */
#define ARRIVAL_STALL_NS     100000000LL /* ...and no burst catches up with the line within this time */
#define ARRIVAL_LAG_DECAY_NS 60000000000LL /* the lag's peak falls to 1/e in a minute */
#define ARRIVAL_STEP_NS      2500000LL     /* a point so far off is no drift: packets were lost */
#define ARRIVAL_MOST_PPM     3000          /* no guest's clock is further off */

struct arrival {
    uint32_t rate;
    bool anchored;
    int64_t last;    /* time of the latest arrival, */
    int64_t begun;   /* and of the first one after silence */
    uint64_t frames; /* arrived so far */
    int64_t lag;     /* ns, peak */
    uint64_t grain;  /* frames */
    uint32_t epoch;

    /* the window: its earliest arrival */
    int64_t window_start; /* time */
    int64_t low_time;
    uint64_t low_frames;

    /* the line, a delay-locked loop of second order over the windows' points */
    int64_t time;   /* of `frame`, */
    double subtime; /* and this much of a ns */
    uint64_t frame;
    double period; /* ns */
    double age;    /* s since its bandwidth was last wide */
    double spread; /* ns: how far off points are on average, a running mean */
    int outliers;  /* in a row */
    int same_sign; /* points in a row that lie on one side, further off than they should; signed */
    bool first_window; /* the line is only the earliest arrival so far */

    /* what may be a pause, until it is settled */
    int64_t shift;         /* ns that the line was moved by */
    int64_t pause_settled; /* time when it is; 0: no question open */
};

void arrival_init(struct arrival *a, uint32_t rate);

/* Frames [.., frames) since the beginning are here at time t, which never goes back. */
void arrival_add(struct arrival *a, int64_t t, uint64_t frames);

/* The line as of the latest arrival; serial is the caller's to fill in. Call after at least one arrival_add(). */
struct arrival_line arrival_line(const struct arrival *a);

/* Frames that the line says have arrived by t, negative before the beginning. */
double arrival_line_at(const struct arrival_line *line, int64_t t);

#endif
