/*
 * The low-pass that both sides of a comparison pass: as a filter of what was heard, and as an
 * interpolation of what was sent, at its rate, between its frames. It lets through what every
 * resampler on the way lets through. Pure but for memory.
 */
#ifndef SCREAM_LISTEN_KERNEL_H
#define SCREAM_LISTEN_KERNEL_H

#define KERNEL_PHASES   256
#define KERNEL_TAPS_MAX 384

struct kernel {
    unsigned half, taps; /* 2 * half taps, a multiple of 4 */
    double stretch;      /* see below */
    float *values;       /* KERNEL_PHASES + 1 rows of taps */
    float *slopes;       /* the same, of what is to be added per frame moved on */
    float *exact, *more; /* the values without stretch, and what is to be added per stretch */
};

/*
 * For sound at a rate that is 1 / scale times that of the lower of both sides; 1/8 <= scale <= 1.
 * 0 or -ENOMEM; free by kernel_finish() either way.
 */
int kernel_init(struct kernel *k, double scale);
void kernel_finish(struct kernel *k);

/*
 * Makes it so much longer, some thousandths at most: sound that is played faster passes the other
 * side's filter at a lower pitch than it has on this side. Differences too small to matter are left.
 */
void kernel_stretch(struct kernel *k, double stretch);

/*
 * The weights of frames [floor(x) - half + 1, floor(x) + half] for the signal at x, where
 * `fraction` is x - floor(x); `rows` is values or slopes.
 */
void kernel_weights(const struct kernel *k, const float *rows, double fraction, float *weights);

/* The sum of products; n is a multiple of 4. */
float kernel_sum(const float *weights, const float *samples, unsigned n);

#endif
