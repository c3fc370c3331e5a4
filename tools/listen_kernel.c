#include "listen_kernel.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define HALF        24   /* of the lower rate's frames */
#define CUT_OFF     0.7  /* of half the lower rate; passes 0.58, stops 0.82 */
#define KAISER_BETA 8.9  /* 90 dB: 16 bit */
#define STRETCH     1e-4 /* to differentiate by */
#define TOO_LITTLE  3e-6 /* of a stretch: -100 dB */

/* Sums of floats do not vectorise by themselves, so four lanes by hand. */
typedef float lanes __attribute__((vector_size(16), aligned(4), may_alias));

static double bessel_i0(double x)
{
    double sum = 1, term = 1;
    for (int k = 1; term > 1e-17 * sum; k++) {
        term *= x / 2 / k * (x / 2 / k);
        sum += term;
    }
    return sum;
}

/* t: in frames of the lower rate */
static double impulse(double t)
{
    double edge = t / HALF, angle = M_PI * CUT_OFF * t;

    if (edge <= -1 || edge >= 1)
        return 0;
    return (fabs(angle) < 1e-9 ? 1 : sin(angle) / angle) *
           bessel_i0(KAISER_BETA * sqrt(1 - edge * edge));
}

/* One phase, at that distance of its frames; sums to 1. */
static void build_row(const struct kernel *k, unsigned phase, double scale, double *row)
{
    double sum = 0;

    for (unsigned i = 0; i < k->taps; i++) {
        double t = (double)i - (k->half - 1) - (double)phase / KERNEL_PHASES;
        row[i] = impulse(t * scale);
        sum += row[i];
    }
    for (unsigned i = 0; i < k->taps; i++)
        row[i] /= sum;
}

static void build(struct kernel *k, double scale)
{
    double row[KERNEL_TAPS_MAX], longer[KERNEL_TAPS_MAX];
    const double norm = CUT_OFF * scale / bessel_i0(KAISER_BETA), step = 1e-4;

    for (unsigned phase = 0; phase <= KERNEL_PHASES; phase++) {
        size_t at = (size_t)phase * k->taps;
        build_row(k, phase, scale, row);
        build_row(k, phase, scale / (1 + STRETCH), longer);
        for (unsigned i = 0; i < k->taps; i++) {
            double t = (double)i - (k->half - 1) - (double)phase / KERNEL_PHASES;
            double rise = impulse((t - step) * scale) - impulse((t + step) * scale);
            k->values[at + i] = k->exact[at + i] = (float)row[i];
            k->more[at + i] = (float)((longer[i] - row[i]) / STRETCH);
            k->slopes[at + i] = (float)(norm * rise / (2 * step));
        }
    }
}

int kernel_init(struct kernel *k, double scale)
{
    k->half = ((unsigned)ceil(HALF / scale) + 1) & ~1u;
    if (k->half > KERNEL_TAPS_MAX / 2)
        k->half = KERNEL_TAPS_MAX / 2;
    k->taps = 2 * k->half;
    size_t rows = (size_t)(KERNEL_PHASES + 1) * k->taps;
    k->values = calloc(4 * rows, sizeof *k->values);
    if (!k->values)
        return -ENOMEM;
    k->slopes = k->values + rows;
    k->exact = k->slopes + rows;
    k->more = k->exact + rows;
    build(k, scale);
    return 0;
}

void kernel_stretch(struct kernel *k, double stretch)
{
    size_t rows = (size_t)(KERNEL_PHASES + 1) * k->taps;
    float by = (float)stretch;

    if (fabs(stretch - k->stretch) < TOO_LITTLE)
        return;
    for (size_t i = 0; i < rows; i++)
        k->values[i] = k->exact[i] + by * k->more[i];
    k->stretch = stretch;
}

void kernel_finish(struct kernel *k)
{
    free(k->values);
    *k = (struct kernel){0};
}

void kernel_weights(const struct kernel *k, const float *rows, double fraction, float *weights)
{
    double phase = fraction * KERNEL_PHASES;
    unsigned row = (unsigned)phase;
    float between = (float)(phase - row);
    const lanes mix = {between, between, between, between};
    const float *a = rows + (size_t)row * k->taps, *b = a + k->taps;

    for (unsigned i = 0; i < k->taps; i += 4) {
        lanes x = *(const lanes *)(a + i), y = *(const lanes *)(b + i);
        *(lanes *)(weights + i) = x + mix * (y - x);
    }
}

float kernel_sum(const float *weights, const float *samples, unsigned n)
{
    lanes sum = {0}, other = {0};

    for (unsigned i = 0; i + 4 < n; i += 8) {
        sum += *(const lanes *)(weights + i) * *(const lanes *)(samples + i);
        other += *(const lanes *)(weights + i + 4) * *(const lanes *)(samples + i + 4);
    }
    if (n & 4)
        sum += *(const lanes *)(weights + n - 4) * *(const lanes *)(samples + n - 4);
    sum += other;
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}
