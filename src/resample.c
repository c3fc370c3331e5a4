#include "resample.h"

#include "memory.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define PHASES       512  /* twice as many give 6 dB at 15 kHz, for 131 KiB that are locked */
#define KAISER_BETA  13.0 /* 131 dB measured at 1 kHz, 124 at 15; 20 kHz of 48 kHz within 0.02 dB */
#define EDGE         0.93 /* of half the lower rate */
#define HELD         (RESAMPLE_TAPS + RESAMPLE_ROOM)
#define MAX_CHANNELS 8

#if defined __x86_64__ && defined __GNUC__
#define HAVE_AVX2_PATH
#endif

typedef void pull_fn(struct resampler *r, float *out, uint32_t frames, double slope);

struct resampler {
    /* immutable */
    uint32_t channels;
    pull_fn *pull;

    /* the real-time thread's */
    double first;    /* position of the earliest frame held, less the silence before the input */
    double at;       /* of the next output frame, from there; its taps are [at, at + TAPS) */
    double step;     /* the latest; 0: none yet */
    uint32_t filled; /* frames held */
    float held[MAX_CHANNELS][HELD]; /* planar */
    float phase[PHASES + 1][RESAMPLE_TAPS];
};

/* Modified Bessel function of the first kind, order 0: its power series (Abramowitz & Stegun 9.6.12). */
static double bessel_i0(double x)
{
    double sum = 1, term = 1;
    for (int k = 1; term > 1e-17 * sum; k++) {
        term *= x / 2 / k * (x / 2 / k);
        sum += term;
    }
    return sum;
}

/*
 * sin(pi x) / (pi x), by the sine's power series between two of its zeros (Abramowitz & Stegun 4.3.65): libm's
 * sine would keep more memory resident, by its code and tables, than the phases that it is needed for.
 */
static double sinc(double x)
{
    const int zero = (int)(x < 0 ? x - 0.5 : x + 0.5);
    const double angle = M_PI * (x - zero);
    double sum = angle, term = angle;
    for (int k = 2; k < 24; k += 2) {
        term *= -angle * angle / (k * (k + 1));
        sum += term;
    }
    return x == 0 ? 1 : (zero % 2 == 0 ? sum : -sum) / (M_PI * x);
}

static double windowed_sinc(double x, double cutoff)
{
    const double edge = x / RESAMPLE_HALF;
    if (edge <= -1 || edge >= 1)
        return 0;
    const double window = bessel_i0(KAISER_BETA * sqrt(1 - edge * edge)); /* times a constant */
    return cutoff * sinc(cutoff * x) * window;
}

/* Each phase sums to 1, so that no ripple of the ratio's frequency lies on a constant. */
static void build_phases(struct resampler *r, double cutoff)
{
    for (int p = 0; p <= PHASES; p++) {
        double taps[RESAMPLE_TAPS], sum = 0;
        for (int k = 0; k < RESAMPLE_TAPS; k++) {
            taps[k] = windowed_sinc(k - (RESAMPLE_HALF - 1) - (double)p / PHASES, cutoff);
            sum += taps[k];
        }
        for (int k = 0; k < RESAMPLE_TAPS; k++)
            r->phase[p][k] = (float)(taps[k] / sum);
    }
}

/*
 * Sanitizers leave the loops alone: under them a sum takes twenty times as long, and what it reads lies within
 * one struct, where they see no index astray. Tests look at the indices instead, once a frame.
 */
#define UNSANITIZED                                                                                \
    __attribute__((no_sanitize("address"), no_sanitize("undefined"), no_sanitize("thread")))
#ifdef RT_CHECK
#define INSIDE(holds) ((holds) ? (void)0 : abort())
#else
#define INSIDE(holds) ((void)0)
#endif

/* The one body of all paths: the compiler makes of it what the path's instructions allow. */
static inline UNSANITIZED __attribute__((always_inline)) void
pull_body(struct resampler *r, float *out, uint32_t frames, double slope)
{
    double at = r->at, step = r->step;
    for (uint32_t i = 0; i < frames; i++) {
        INSIDE(at >= 0 && at < HELD);
        const uint32_t whole = (uint32_t)at;
        const double phase = (at - whole) * PHASES;
        const uint32_t p = (uint32_t)phase;
        INSIDE(whole + RESAMPLE_TAPS <= r->filled && p < PHASES);
        const float between = (float)(phase - p);
        const float *a = r->phase[p], *b = r->phase[p + 1];
        float taps[RESAMPLE_TAPS];
        for (int k = 0; k < RESAMPLE_TAPS; k++)
            taps[k] = a[k] + between * (b[k] - a[k]);
        for (uint32_t c = 0; c < r->channels; c++) {
            const float *x = &r->held[c][whole];
            float sum = 0;
            for (int k = 0; k < RESAMPLE_TAPS; k++)
                sum += taps[k] * x[k];
            *out++ = sum;
        }
        step += slope;
        at += step;
    }
    r->at = at;
    r->step = step;
}

UNSANITIZED static void pull_plain(struct resampler *r, float *out, uint32_t frames, double slope)
{
    pull_body(r, out, frames, slope);
}

#ifdef HAVE_AVX2_PATH
UNSANITIZED __attribute__((target("avx2,fma"))) static void
pull_avx2(struct resampler *r, float *out, uint32_t frames, double slope)
{
    pull_body(r, out, frames, slope);
}
#endif

static pull_fn *best_pull(void)
{
#ifdef HAVE_AVX2_PATH
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return pull_avx2;
#endif
    return pull_plain; /* NEON is part of every arm64: the plain body uses it */
}

int resampler_open(struct resampler **out, uint32_t channels, double nominal)
{
    if (channels < 1 || channels > MAX_CHANNELS || !(nominal > 0.05 && nominal < 20))
        return -EINVAL;
    struct resampler *r = memory_take(sizeof *r);
    if (!r)
        return -ENOMEM;
    r->channels = channels;
    r->pull = best_pull();
    build_phases(r, EDGE / (nominal > 1 ? nominal : 1));
    resampler_reset(r);
    *out = r;
    return 0;
}

void resampler_close(struct resampler *r)
{
    memory_give(r, sizeof *r);
}

void resampler_reset(struct resampler *r)
{
    /* silence, so that the tap in the middle is the first frame's */
    r->filled = RESAMPLE_HALF - 1;
    r->first = -(RESAMPLE_HALF - 1);
    r->at = 0;
    r->step = 0;
    for (uint32_t c = 0; c < r->channels; c++)
        memset(r->held[c], 0, r->filled * sizeof r->held[c][0]);
}

/*
 * Input frames held beyond what the next output frame needs. One sum for both who ask, and never
 * inlined: -ffast-math would add it up in another order for each, and what is lacking and what is there
 * would disagree by a rounding, so that a caller waits for ever.
 */
__attribute__((noinline)) static double spare(const struct resampler *r)
{
    return (double)r->filled - RESAMPLE_TAPS - r->at;
}

static double larger_of(const struct resampler *r, double step)
{
    return step > r->step ? step : r->step;
}

uint32_t resampler_lacks(const struct resampler *r, uint32_t frames, double step)
{
    const double lacks = frames > 0 ? larger_of(r, step) * (frames - 1) - spare(r) : 0;
    return lacks > 0 ? (uint32_t)ceil(lacks) : 0;
}

uint32_t resampler_has(const struct resampler *r, double step)
{
    const double room = spare(r);
    return room < 0 ? 0 : (uint32_t)(room / larger_of(r, step)) + 1;
}

/* What lies before the taps of the next output frame is not needed any more. */
static void drop_passed(struct resampler *r)
{
    const uint32_t passed = r->at < r->filled ? (uint32_t)r->at : r->filled;
    for (uint32_t c = 0; c < r->channels; c++)
        memmove(r->held[c], r->held[c] + passed, (r->filled - passed) * sizeof r->held[c][0]);
    r->filled -= passed;
    r->at -= passed;
    r->first += passed;
}

void resampler_push(struct resampler *r, const float *in, uint32_t frames)
{
    if (r->filled + frames > HELD)
        drop_passed(r);
    for (uint32_t c = 0; c < r->channels; c++)
        for (uint32_t f = 0; f < frames; f++)
            r->held[c][r->filled + f] = in[f * r->channels + c];
    r->filled += frames;
}

void resampler_pull(struct resampler *r, float *out, uint32_t frames, double step)
{
    if (frames == 0)
        return;
    const double slope = r->step > 0 ? (step - r->step) / frames : 0;
    if (r->step == 0)
        r->step = step;
#ifdef RT_CHECK
    memset(out, 0, frames * r->channels * sizeof *out); /* all of it is there */
#endif
    r->pull(r, out, frames, slope);
    r->step = step; /* without what rounding has left */
}

double resampler_position(const struct resampler *r)
{
    return r->first + r->at + (RESAMPLE_HALF - 1);
}

double resampler_ahead(const struct resampler *r)
{
    return r->filled - (RESAMPLE_HALF - 1) - r->at;
}

void resampler_shift(struct resampler *r, double frames)
{
    r->at += frames;
    if (r->at < 0)
        r->at = 0;
}
