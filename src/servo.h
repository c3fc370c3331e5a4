/*
 * The servo: two clocks in, one ratio out.
 *
 * A guest's clock and an output's differ by 10 to 200 ppm. The guest's is measured on its arrivals
 * (arrival.h), what is left is steered by how deep the stream is: a slow loop of second order, so
 * slow that nobody hears it. Pure: no clock, no allocation, no atomics; the output's real-time thread's.
 *
 * The design is Adriaensen's ("Using a DLL to filter time", LAC 2005; zita-ajbridge) with a bandwidth
 * that falls as the loop ages. Fed with arrivals instead of a ring's fill, for that beats against the
 * guest's tick. No deadband: simulated, the loop only hunts between its edges (3 ppm sd, else 1).
 */
#ifndef SCREAM_SERVO_H
#define SCREAM_SERVO_H

#define SERVO_CLAMP     1500e-6 /* the ratio stays so near to 1, */
#define SERVO_SLEW      300e-6  /* changes by no more than this a second, */
#define SERVO_INTEGRAL  1500e-6 /* and this much of it may be the integrator's */
#define SERVO_WIDE_HZ   0.1     /* bandwidth at first, */
#define SERVO_WIDE_S    12      /* for so long, */
#define SERVO_NARROW_HZ 0.01    /* and in the end */

struct servo {
    double age;      /* s that it has run */
    double low[2];   /* s: the error behind one and two low-passes */
    double integral; /* of the error, as a ratio */
    double ratio;    /* the latest: input frames per output frame, at equal nominal rates */
};

void servo_init(struct servo *s);

/*
 * dt s have passed. error: s by which the stream is deeper than it should be; source: the guest's rate
 * as measured, over its nominal one. The new ratio.
 */
double servo_step(struct servo *s, double source, double error, double dt);

/* The depth has been set anew (a start, a skip): no error is left; the rate stays known. */
void servo_settle(struct servo *s);

/* What the depth should be has moved by so many s: so much less is the error that has been seen. */
void servo_shift(struct servo *s, double by);

/* Perhaps another output's clock: what is known is where it begins, and it learns fast again. */
void servo_renew(struct servo *s);

#endif
