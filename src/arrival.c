#include "arrival.h"

#include "clock.h"

#include <math.h>

/*
 * A loop of 0.005 Hz in the end, wider at first: 0.4 Hz s over its age, for SERVO.md's 0.175 narrows as
 * fast as it swings and leaves a rate that is off for minutes. Its weight per point
 * stays below 0.6.
 */
#define NARROW_HZ         0.005
#define WIDE_HZ_S         0.4 /* bandwidth times age, s */
#define MOST_WEIGHT       0.6
#define UNKNOWN_SPREAD_NS 1e6 /* until it is known: small packets that come late are not lost */
#define MOST_SPREADS      8   /* no point is further off than that, or LEAST_SIDE_NS */
#define BENT_PPM          150 /* a loop so far off the points' median slope, */
#define BENT_SPREADS      3   /* and so many of their spreads, has taken losses for a rate */
#define RENEWED_S         2.0 /* a clock that has changed its rate is followed as by a loop of this age */
#define LEAST_SIDE_NS     200e3 /* a lean by more than that, and 2.5 times the spread, is a rate */
#define BIAS_POINTS       8     /* points that the bias is a mean of */
#define PHASE_POINTS      8     /* after a pause: points of which the phase is the mean */
#define LOSS_SHARP        12 /* a packet is told from chance when it is so many times the spread */

void arrival_init(struct arrival *a, uint32_t rate)
{
    const double same = a->rate ? a->period * a->rate : (double)NS_PER_S;
    *a = (struct arrival){.rate = rate, .period = same / rate, .age = a->rate ? RENEWED_S : 0};
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

/* ns that points are apart. */
static double spread(const struct arrival *a)
{
    return scatter_known(&a->scatter) ? a->scatter.spread * ARRIVAL_WINDOW_NS : UNKNOWN_SPREAD_NS;
}

static double packet_of(const struct arrival *a)
{
    return (double)a->grain * a->period;
}

static bool is_sharp(const struct arrival *a, double packet)
{
    return packet >= LOSS_SHARP * spread(a);
}

/* The line goes through this arrival; the period stays. */
static void anchor(struct arrival *a, int64_t t, uint64_t frames)
{
    a->time = t;
    a->subtime = 0;
    a->frame = frames;
    a->outliers = 0;
    a->bias = 0;
}

static void open_window(struct arrival *a, int64_t t, uint64_t frames)
{
    a->window_start = t;
    a->low_time = t;
    a->low_frames = frames;
}

/*
 * The points lie on one side of the line, further than they are apart: the guest's clock has changed its rate.
 * Apart from their mean, not from the line (as SERVO.md has it): a ramp would widen what it is measured by.
 */
static void watch_side(struct arrival *a, double e)
{
    a->bias += (e - a->bias) / BIAS_POINTS;
    if (fabs(a->bias) > fmax(LEAST_SIDE_NS, 2.5 * spread(a))) {
        a->age = fmin(a->age, RENEWED_S);
        a->bias = 0;
    }
}

/*
 * What was lost has been taken for a rate: then the line has the slope of a saw's long edge, and rises less
 * than a packet above it when the next one is lost. The median knows better.
 */
static bool straighten(struct arrival *a)
{
    const double nominal = (double)NS_PER_S / a->rate;
    const double off = fabs(a->scatter.slope - (a->period / nominal - 1));
    const double packet = packet_of(a);
    if (packet >= ARRIVAL_LARGE_NS || !is_sharp(a, packet) ||
        fabs(a->scatter.slope) > ARRIVAL_MOST_PPM * 1e-6 ||
        off < fmax(BENT_PPM * 1e-6, BENT_SPREADS * a->scatter.spread))
        return false;
    a->period = nominal * (1 + a->scatter.slope);
    a->age = fmin(a->age, RENEWED_S);
    anchor(a, a->low_time, a->low_frames);
    return true;
}

/* The window's earliest arrival corrects the line. */
static void take_point(struct arrival *a)
{
    const double frames = (double)(int64_t)(a->low_frames - a->frame);
    const double dt = frames * a->period / NS_PER_S;
    double e = above(a, a->low_time, a->low_frames);
    if (frames <= 0)
        return;
    scatter_add(&a->scatter, a->low_time, a->low_frames, (double)NS_PER_S / a->rate);
    if (straighten(a))
        return;
    if (fabs(e) > ARRIVAL_STEP_NS) { /* the phase has changed, the rate has not */
        if (++a->outliers >= 3)
            anchor(a, a->low_time, a->low_frames);
        return;
    }
    a->outliers = 0;
    a->age += dt;
    a->points++;
    const double bound = fmax(2 * LEAST_SIDE_NS, MOST_SPREADS * spread(a));
    e = fmax(fmin(e, bound), -bound);
    watch_side(a, e);
    const double hz = fmax(NARROW_HZ, WIDE_HZ_S / a->age);
    const double w = fmin(2 * M_PI * hz * dt, MOST_WEIGHT);
    const double nominal = (double)NS_PER_S / a->rate, most = nominal * ARRIVAL_MOST_PPM * 1e-6;
    const double phase = a->points <= PHASE_POINTS ? 1.0 / (1 + a->points) : 0;
    move_line(a, frames * a->period + fmax(M_SQRT2 * w, phase) * e);
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
    scatter_break(&a->scatter);
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
        a->points = 0;
    }
}

/*
 * Whole packets, if that can be told from chance; else all that is so much that no guest who stalls or
 * network that is late keeps it up for as long: what is right is then found as after a pause.
 */
static void take_loss(struct arrival *a, int64_t t, uint64_t frames, double packet, bool sharp)
{
    const double lost = round(a->missed_by / packet) * packet;
    const bool whole = sharp && fabs(a->missed_by - lost) <= packet / 4;
    if (!whole && a->missed_by < ARRIVAL_MUCH_NS)
        return; /* what came before the loss is among it, or it was none */
    move_line(a, whole ? lost : a->missed_by);
    a->first_window = !whole;
    scatter_break(&a->scatter);
    open_window(a, t, frames);
    a->losses++;
}

/*
 * Nothing has arrived near the line for a while, and the earliest of it lies whole packets above: so many
 * were lost. A guest that stalls comes back to the line sooner.
 */
static void watch_loss(struct arrival *a, int64_t t, uint64_t frames, double e)
{
    const double packet = packet_of(a), above_all = e - a->bias;
    const bool sharp = is_sharp(a, packet);
    if (above_all < (sharp ? packet * 3 / 4 : ARRIVAL_MUCH_NS) || a->first_window) {
        a->missed = 0;
        return;
    }
    if (a->missed == 0 || above_all < a->missed_by)
        a->missed_by = above_all;
    if (a->missed == 0)
        a->missed = t;
    const bool small = packet < ARRIVAL_LARGE_NS && a->missed_by < ARRIVAL_MUCH_NS;
    if (t - a->missed < (small ? ARRIVAL_SMALL_LOSS_NS : ARRIVAL_LOSS_NS))
        return;
    a->missed = 0;
    take_loss(a, t, frames, packet, sharp);
}

/* Just before a burst, unless it ended a stall: no buffer should grow to outlast those. */
static void peak_lag(struct arrival *a, int64_t t, int64_t since)
{
    if (since < ARRIVAL_BURST_NS || since > ARRIVAL_PAUSE_NS || a->missed)
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
    else
        watch_loss(a, t, frames, e);
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
        .grain = a->grain,
        .epoch = a->epoch,
        .losses = a->losses,
    };
}

double arrival_line_at(const struct arrival_line *line, int64_t t)
{
    return (double)line->frame + (double)(t - line->time) / line->period;
}
