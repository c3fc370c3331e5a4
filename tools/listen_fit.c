#include "listen_fit.h"

#include <math.h>

#define FAITHFUL 1e-4 /* power of the difference against the sound's: -40 dB */
#define FAINT_PART                                                                                 \
    0.01 /* of the loudest channel's power: fainter ones may differ as if they had it */
#define EDGE      0.07 /* a difference that ends a run, against the sound: beyond the kernel's ringing */
#define EDGE_FINE 0.02 /* where nothing differs by that */
#define STEP_MOST 0.1  /* frames: a servo cannot jump that far within a block */
#define STEP_FINE 1e-3 /* frames: a difference of -58 dB */
#define STEP_DOUBT                                                                                 \
    0.01 /* frames: how far a step is believed when the sound is as faint as rounding */
#define TURNS      8
#define DRIFT_MOST 0.004

static void compare_channel(struct fitter *f, const struct pace *p, unsigned channel,
                            unsigned count)
{
    int holds = f->holds[channel];
    const float *heard = ear_heard(f->ear, channel, p->recorded, count);
    const float *sent = holds >= 0 ? f->sent.values[holds] : NULL;
    double power = 0, error = 0;

    for (unsigned i = 0; i < count; i++) {
        float want = sent ? sent[i] : 0, d = heard[i] - want;
        f->differs[channel][i] = d;
        power += (double)want * want;
        error += (double)d * d;
    }
    f->power[channel] = power;
    f->error[channel] = error;
    f->loudest = fmax(f->loudest, power);
    if (!sent)
        return;
    for (unsigned i = 0; i < count; i += EAR_SLOPE_EVERY) {
        double slope = f->sent.slopes[holds][i / EAR_SLOPE_EVERY], d = f->differs[channel][i];
        double u = i - count / 2.0;
        f->s0 += slope * slope;
        f->s1 += slope * slope * u;
        f->s2 += slope * slope * u * u;
        f->g0 += slope * d;
        f->g1 += slope * d * u;
        f->some_error += d * d;
        f->some_power += (double)sent[i] * sent[i];
    }
}

void fit_compare(struct fitter *f, const struct pace *p, unsigned count)
{
    unsigned channels = f->ear->request->recording->channels, mask = 0;

    for (unsigned i = 0; i < channels; i++)
        if (f->holds[i] >= 0)
            mask |= 1u << f->holds[i];
    ear_sent(f->ear, mask, p->position, p->rate, count, true, &f->sent);
    f->loudest = f->s0 = f->s1 = f->s2 = f->g0 = f->g1 = f->some_power = f->some_error = 0;
    for (unsigned i = 0; i < channels; i++) {
        f->power[i] = f->error[i] = 0;
        if (f->holds[i] != HOLDS_ANYTHING)
            compare_channel(f, p, i, count);
    }
}

static double reference(const struct fitter *f, unsigned channel)
{
    return fmax(f->power[channel], FAINT_PART * f->loudest);
}

bool fit_faithful(const struct fitter *f, unsigned count)
{
    for (unsigned i = 0; i < f->ear->request->recording->channels; i++)
        if (f->error[i] > FAITHFUL * reference(f, i) + f->faint * count)
            return false;
    return true;
}

/* How many frames in a row differ less than by `edge`. */
static unsigned frames_within(const struct fitter *f, double edge, unsigned count, bool from_end)
{
    unsigned good = count;

    for (unsigned c = 0; c < f->ear->request->recording->channels; c++) {
        if (f->holds[c] == HOLDS_ANYTHING)
            continue;
        double most = edge * edge * reference(f, c) / count + 4 * f->faint;
        for (unsigned i = 0; i < good; i++) {
            float d = f->differs[c][from_end ? count - 1 - i : i];
            if ((double)d * d > most)
                good = i;
        }
    }
    return good;
}

unsigned fit_good_frames(const struct fitter *f, unsigned count, bool from_end)
{
    unsigned good = frames_within(f, EDGE, count, from_end);
    return good < count ? good : frames_within(f, EDGE_FINE, count, from_end);
}

bool fit_settle(struct fitter *f, struct pace *p, unsigned count)
{
    struct pace best = *p;

    for (int turn = 0; turn < TURNS; turn++) {
        fit_compare(f, &best, count);
        double s0 = f->s0 + 1e-12, s2 = f->s2 + 1e-12, whole = s0 * s2 - f->s1 * f->s1;
        double move = (f->g0 * s2 - f->g1 * f->s1) / whole;
        double bend = (f->g1 * s0 - f->g0 * f->s1) / whole;
        best.rate += bend;
        best.position += move - bend * count / 2;
        if (!(fabs(best.rate / f->ear->nominal - 1) < DRIFT_MOST) ||
            !(fabs(best.position - p->position) < 2 + DRIFT_MOST * count * best.rate))
            return false;
        if (fabs(move) < 1e-4 && fabs(bend) * count < 1e-4)
            break;
    }
    fit_compare(f, &best, count);
    *p = best;
    return fit_faithful(f, count);
}

bool fit_step(struct fitter *f, struct pace *p, unsigned count, double *error)
{
    double doubt = f->faint * count / (STEP_DOUBT * STEP_DOUBT), step = 0;
    struct pace moved = *p;

    for (int turn = 0; turn < TURNS; turn++) {
        fit_compare(f, &moved, count);
        step = f->g0 / (f->s0 + doubt);
        moved.position += step;
        if (!(fabs(moved.position - p->position) < STEP_MOST))
            return false;
        if (fabs(step) < STEP_FINE)
            break;
    }
    if (!fit_faithful(f, count))
        return false;
    double left = f->some_error - 2 * step * f->g0 + step * step * f->s0;
    *error = f->some_power > 100 * f->faint * count ? fmax(left, 0) / f->some_power : 0;
    *p = moved;
    return true;
}
