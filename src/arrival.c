#include "arrival.h"

#include "clock.h"

#include <math.h>
#include <stdlib.h>

/*
 * A loop of 0.005 Hz in the end, wider at first (SERVO: found by simulation); its weight per point
 * stays below 0.6.
 */
#define NARROW_HZ     0.005
#define WIDE_HZ_S     0.175 /* bandwidth times age, s */
#define MOST_WEIGHT   0.6
#define RENEWED_S     2.0 /* a clock that has changed its rate is followed as by a loop of this age */
#define SAME_SIGN     8
#define LEAST_SIGN_NS 120e3

void arrival_init(struct arrival *a, uint32_t rate)
{
    *a = (struct arrival){.rate = rate, .period = (double)NS_PER_S / rate};
}

/* ns by which an arrival lies above the line. */
static double above(const struct arrival *a, int64_t t, uint64_t frames)
{
    return (double)(t - a->time) - a->subtime - (double)(int64_t)(frames - a->frame) * a->period;
}

static void move_line(struct arrival *a, double ns)
{
    a->subtime += ns;
    const double whole = floor(a->subtime);
    a->time += (int64_t)whole;
    a->subtime -= whole;
}

/* The line goes through this arrival; the period stays. */
static void anchor(struct arrival *a, int64_t t, uint64_t frames)
{
    a->time = t;
    a->subtime = 0;
    a->frame = frames;
    a->outliers = 0;
    a->same_sign = 0;
}

static void open_window(struct arrival *a, int64_t t, uint64_t frames)
{
    a->window_start = t;
    a->low_time = t;
    a->low_frames = frames;
}

/* Many points in a row on one side: the guest's clock has changed its rate. */
static void watch_side(struct arrival *a, double e)
{
    const double most = fmax(LEAST_SIGN_NS, 3 * a->spread);
    const int side = e > most ? 1 : e < -most ? -1 : 0;
    if (side == 0 || side * a->same_sign < 0)
        a->same_sign = 0;
    a->same_sign += side;
    if (abs(a->same_sign) >= SAME_SIGN) {
        a->age = fmin(a->age, RENEWED_S);
        a->same_sign = 0;
    }
}

/* The window's earliest arrival corrects the line. */
static void take_point(struct arrival *a)
{
    const double frames = (double)(int64_t)(a->low_frames - a->frame);
    const double dt = frames * a->period / NS_PER_S;
    const double e = above(a, a->low_time, a->low_frames);
    if (frames <= 0)
        return;
    if (fabs(e) >
        ARRIVAL_STEP_NS) { /* packets were lost: the phase has changed, the rate has not */
        if (++a->outliers >= 3)
            anchor(a, a->low_time, a->low_frames);
        return;
    }
    a->outliers = 0;
    a->age += dt;
    watch_side(a, e);
    a->spread += 0.05 * (fabs(e) - a->spread);
    const double hz = fmax(NARROW_HZ, WIDE_HZ_S / a->age);
    const double w = fmin(2 * M_PI * hz * dt, MOST_WEIGHT);
    const double nominal = (double)NS_PER_S / a->rate, most = nominal * ARRIVAL_MOST_PPM * 1e-6;
    move_line(a, frames * a->period + M_SQRT2 * w * e);
    a->frame = a->low_frames;
    a->period += w * w * e / frames;
    a->period = fmin(fmax(a->period, nominal - most), nominal + most);
}

/* The line moves to where the sound resumed; a burst that catches up moves it back. */
static void suspect_pause(struct arrival *a, int64_t t, double e)
{
    if (!a->pause_settled) {
        a->shift = 0;
        a->begun = t;
        a->epoch++;
    }
    a->shift += (int64_t)e; /* on top of one that is not settled yet */
    a->pause_settled = t + ARRIVAL_STALL_NS;
    move_line(a, (double)(int64_t)e);
}

static void settle_pause(struct arrival *a, int64_t t, double e)
{
    if (e + (double)a->shift < ARRIVAL_SHIFT_NS) { /* it was a stall: the old line holds */
        a->epoch--;
        a->begun = a->last - ARRIVAL_STALL_NS;
        move_line(a, -(double)a->shift);
        a->pause_settled = 0;
    } else if (t > a->pause_settled) {
        a->pause_settled = 0;
        a->first_window = true; /* how early this guest can be is to be seen anew */
    }
}

/* Just before a burst, unless it ended a stall: no buffer should grow to outlast those. */
static void peak_lag(struct arrival *a, int64_t t, int64_t since)
{
    if (since < ARRIVAL_BURST_NS || since > ARRIVAL_PAUSE_NS)
        return;
    const int64_t behind = (int64_t)above(a, t, a->frames);
    a->lag -= a->lag * since / ARRIVAL_LAG_DECAY_NS;
    if (behind > a->lag)
        a->lag = behind;
}

void arrival_add(struct arrival *a, int64_t t, uint64_t frames)
{
    if (!a->anchored) {
        a->anchored = a->first_window = true;
        anchor(a, t, frames);
        open_window(a, t, frames);
        a->begun = t;
    }
    const int64_t since = t - a->last;
    const double e = above(a, t, frames);
    if (since > ARRIVAL_PAUSE_NS && e > ARRIVAL_SHIFT_NS && a->frames > 0)
        suspect_pause(a, t, e);
    else if (a->pause_settled)
        settle_pause(a, t, e);
    else if (a->frames > 0)
        peak_lag(a, t, since);
    if (a->pause_settled)
        open_window(a, t, frames);
    if (a->first_window || a->pause_settled) {
        const double lower = above(a, t, frames);
        if (lower < 0) {
            move_line(a, lower);
            a->shift += (int64_t)lower;
        }
    }
    if (above(a, t, frames) < above(a, a->low_time, a->low_frames)) {
        a->low_time = t;
        a->low_frames = frames;
    }
    if (t - a->window_start > ARRIVAL_WINDOW_NS) {
        if (!a->first_window)
            take_point(a);
        a->first_window = false;
        open_window(a, t, frames);
    }
    if (frames - a->frames > a->grain)
        a->grain = frames - a->frames;
    a->last = t;
    a->frames = frames;
}

struct arrival_line arrival_line(const struct arrival *a)
{
    return (struct arrival_line){
        .time = a->time,
        .frame = a->frame,
        .period = a->period,
        .lag = a->lag,
        .last = a->last,
        .begun = a->begun,
        .grain = (int64_t)((double)a->grain * a->period),
        .epoch = a->epoch,
    };
}

double arrival_line_at(const struct arrival_line *line, int64_t t)
{
    return (double)line->frame + (double)(t - line->time) / line->period;
}
