#include "listen_correlate.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define LENGTH 4096                       /* of the transform; a power of 2 */
#define USEFUL (LENGTH - CORRELATE_PROBE) /* places that one tells about */
#define GRID   (2 * USEFUL + CORRELATE_PROBE)
#define LIKELY 0.6  /* correlation; chance gives 0.45 among millions of places */
#define SURE   0.75 /* half a frame off the grid white noise gives 0.8 */
#define EARLY  64   /* frames before the range: a filter rings before its sound */
#define FAINT  1e-10

struct point {
    float re, im;
};

struct correlator {
    struct point turn[LENGTH / 2]; /* exp(-2 pi i k / LENGTH) */
    struct point probe[LENGTH], work[LENGTH];
    float grid[GRID];        /* what was sent, at recorded frames' distance */
    double energy[GRID + 1]; /* of the first n of them */
    struct ear_sent sent;
};

int correlator_open(struct correlator **out)
{
    struct correlator *c = *out = calloc(1, sizeof *c);

    if (!c)
        return -ENOMEM;
    for (int k = 0; k < LENGTH / 2; k++)
        c->turn[k] =
            (struct point){(float)cos(2 * M_PI * k / LENGTH), (float)-sin(2 * M_PI * k / LENGTH)};
    return 0;
}

void correlator_close(struct correlator *c)
{
    free(c);
}

/* Leaves the spectrum in bit-reversed order. */
static void transform(const struct correlator *c, struct point *x)
{
    for (unsigned half = LENGTH / 2, stride = 1; half; half /= 2, stride *= 2)
        for (unsigned base = 0; base < LENGTH; base += 2 * half)
            for (unsigned k = 0; k < half; k++) {
                struct point *a = x + base + k, *b = a + half, w = c->turn[k * stride];
                struct point d = {a->re - b->re, a->im - b->im};
                *a = (struct point){a->re + b->re, a->im + b->im};
                *b = (struct point){d.re * w.re - d.im * w.im, d.re * w.im + d.im * w.re};
            }
}

/* Takes a spectrum in that order; LENGTH times too large. */
static void transform_back(const struct correlator *c, struct point *x)
{
    for (unsigned half = 1, stride = LENGTH / 2; half < LENGTH; half *= 2, stride /= 2)
        for (unsigned base = 0; base < LENGTH; base += 2 * half)
            for (unsigned k = 0; k < half; k++) {
                struct point *a = x + base + k, *b = a + half, w = c->turn[k * stride];
                struct point d = {b->re * w.re + b->im * w.im, b->im * w.re - b->re * w.im};
                *b = (struct point){a->re - d.re, a->im - d.im};
                *a = (struct point){a->re + d.re, a->im + d.im};
            }
}

static void fill_grid(struct correlator *c, struct ear *e, unsigned channel, double from)
{
    for (unsigned i = 0; i < GRID; i += EAR_MOST) {
        unsigned count = GRID - i < EAR_MOST ? GRID - i : EAR_MOST;
        ear_sent(e, 1u << channel, from + e->nominal * i, e->nominal, count, false, &c->sent);
        for (unsigned k = 0; k < count; k++)
            c->grid[i + k] = c->sent.values[channel][k];
    }
    for (unsigned i = 0; i < GRID; i++)
        c->energy[i + 1] = c->energy[i] + (double)c->grid[i] * c->grid[i];
}

/* Both halves of the grid at once: one as the real part, one as the imaginary. */
static void convolve(struct correlator *c)
{
    for (unsigned i = 0; i < LENGTH; i++)
        c->work[i] = (struct point){c->grid[i], c->grid[USEFUL + i]};
    transform(c, c->work);
    for (unsigned i = 0; i < LENGTH; i++) {
        struct point x = c->work[i], p = c->probe[i];
        c->work[i] = (struct point){x.re * p.re + x.im * p.im, x.im * p.re - x.re * p.im};
    }
    transform_back(c, c->work);
}

static double sum_at(const struct correlator *c, unsigned place)
{
    return place < USEFUL ? c->work[place].re : c->work[place - USEFUL].im;
}

static double peak_offset(const struct correlator *c, unsigned place)
{
    if (place == 0 || place + 1 >= 2 * USEFUL)
        return 0;
    double a = sum_at(c, place - 1), b = sum_at(c, place), d = sum_at(c, place + 1);
    double bend = a - 2 * b + d;
    return bend < 0 ? fmax(-0.5, fmin(0.5, (a - d) / (2 * bend))) : 0;
}

/* The best place of the grid, if better than `best`. */
static bool best_place(const struct correlator *c, double energy, double *best, double *place)
{
    bool found = false;

    for (unsigned i = 0; i < 2 * USEFUL; i++) {
        double power = c->energy[i + CORRELATE_PROBE] - c->energy[i], sum = sum_at(c, i) / LENGTH;
        if (power < FAINT * CORRELATE_PROBE || sum <= 0 ||
            sum * sum <= *best * *best * power * energy)
            continue;
        *best = sum / sqrt(power * energy);
        *place = i + peak_offset(c, i);
        found = true;
    }
    return found;
}

bool correlate(struct correlator *c, struct ear *e, const float *probe, unsigned channel,
               const struct range *r, double *position)
{
    double energy = 0, best = LIKELY, place = 0;
    double first = (double)r->from - EARLY, step = 2 * USEFUL * e->nominal;
    double last = first + floor(((double)r->to - first) / step) * step;
    bool found = false;

    for (unsigned i = 0; i < LENGTH; i++) {
        float x = i < CORRELATE_PROBE ? probe[i] : 0;
        c->probe[i] = (struct point){x, 0};
        energy += (double)x * x;
    }
    transform(c, c->probe);
    for (double done = 0; done <= last - first && best < SURE; done += step) {
        double from = r->newest_first ? last - done : first + done;
        fill_grid(c, e, channel, from);
        convolve(c);
        if (best_place(c, energy, &best, &place)) {
            *position = from + place * e->nominal;
            found = true;
        }
    }
    return found;
}
