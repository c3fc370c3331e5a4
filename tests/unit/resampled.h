/* Recordings that the receiver's own resampler has made, and made wrong on purpose, and what is to be found of it. */
#ifndef SCREAM_RESAMPLED_H
#define SCREAM_RESAMPLED_H

#include "recorded.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#define RATE     48000
#define CHANNELS 2

/* within `by` */
#define NEAR(a, b, by)                                                                             \
    do {                                                                                           \
        double near_a = (double)(a), near_b = (double)(b);                                         \
        if (!(fabs(near_a - near_b) <= (by)))                                                      \
            print_message("%s = %.9g, not %.9g\n", #a, near_a, near_b);                            \
        assert_true(fabs(near_a - near_b) <= (by));                                                \
    } while (0)

/* Where each frame of the recording comes from, too. */
struct resampled {
    struct recorded heard; /* 16 bit */
    double *truth;         /* the sent position of each recorded frame, NaN: it is from nowhere */
    double position;       /* of the next one */
    double ppm;            /* of it */
};

/* A case that has one as its state: of no frames, from frame 0 on at 0 ppm. */
#define TEST(f) cmocka_unit_test_setup_teardown(f, resampled_set_up, resampled_tear_down)
int resampled_set_up(void **state);
int resampled_tear_down(void **state);

/* ---- making ---- */

/* So many more frames of silence; where they are. */
int16_t *resampled_silence(struct resampled *s, uint32_t frames);

/* Goes on from where it is, with the pace changing evenly to that. */
void resampled_play(struct resampled *s, uint32_t frames, double ppm);

/* The same at one pace, and at once `by` frames ahead of it, crossfaded. */
void resampled_step(struct resampled *s, double by, uint32_t fade);

/* Makes those frames louder by that, or softer. */
void resampled_scale(struct resampled *s, uint64_t from, uint32_t frames, double by);

/* ---- judging ---- */

struct hole_expected {
    enum hole_kind kind;
    uint64_t recorded, frames;
    int64_t moved; /* sent frames more than its time */
};

/* Those holes there are and no others, each within half a millisecond of where it should be. */
void check_holes(const struct verdict *v, const struct hole_expected *want, size_t count);

/* Every frame of every run comes from where it did come from. */
void check_truth(const struct resampled *s, double within);

#endif
