/* How the servo steers while the player plays, and when there is too little to be steered for. */
#include "player_internal.h"

#include <math.h>

#define BEYOND_LOWPASS_S 1.0
#define TARGET_GROWS     0.3e-3  /* s a second */
#define TARGET_SHRINKS   0.05e-3 /* s a second */
#define TARGET_HASTES    1e-3    /* s a second, for FRESH_S: the line was drawn too late, or */
#define TARGET_LEFT_S    2e-3    /* an output has changed its mind by more than that */
#define TARGET_NEARS_S   2.0     /* the last of it is gone slowly, */
#define TARGET_OFF_S     0.25e-3 /* it goes when it is so far off, */
#define TARGET_THERE_S   0.01e-3 /* and until it is so near */
#define SETTLE_MEAN_S    0.5
#define LACKS_MOST_S     2e-3 /* more is no drift */
#define LACKS_FOR_S                                                                                \
    1.5 /* longer than a wrong word about an output's time is believed by libpulse */
#define ERROR_MOST_S 0.25e-3 /* a ratio of 300 ppm, which a second of slew brings */

static bool far_too_deep(const struct player *p, double wanted)
{
    return p->target - wanted > TARGET_LEFT_S * p->config.source.rate;
}

/*
 * A depth that is off by more than the loop was made for (an output that has changed its mind about its
 * delay) would have it swing from one end of its slew to the other. Then the target goes to where the
 * depth is, and comes back slowly; sooner where it is far too deep, as after a move to another sink.
 */
static void give_way(struct player *p, double wanted)
{
    const double off = p->learnt->servo.low[1];
    const double gives = off - fmax(fmin(off, ERROR_MOST_S), -ERROR_MOST_S);
    p->target += gives * p->config.source.rate;
    servo_shift(&p->learnt->servo, gives);
    if (gives > 0 && far_too_deep(p, wanted))
        p->fresh = FRESH_S;
}

/*
 * The target that is steered for moves slowly, or each late request would be heard as pitch: up a little
 * sooner than down, for too little is worse than too much. Only what has begun too late, because a guest's
 * first packets were, or has come to be far too deep comes down faster. A start that is a fraction of a
 * request's lateness off stays there. How fast it moves, in s a second.
 */
static double follow_target(struct player *p, double wanted, double dt)
{
    const double rate = p->config.source.rate, off = wanted - p->target;
    p->moving = fabs(off) > (p->moving ? TARGET_THERE_S : TARGET_OFF_S) * rate;
    if (!p->moving)
        return 0;
    const bool asked = p->config.target != 0; /* then only the output's delay can have changed */
    const double shrinks = p->fresh > 0 || (asked && far_too_deep(p, wanted)) ? TARGET_HASTES
                           : asked                                            ? TARGET_GROWS
                                                                              : TARGET_SHRINKS;
    const double most = TARGET_GROWS * dt * rate, least = -shrinks * dt * rate;
    const double step = fmax(fmin(off * dt / TARGET_NEARS_S, most), least);
    p->target += step;
    return step / rate / dt;
}

/* Frames of depth, what the output has queued included, by its clock, which is finer than its requests. */
static double steered_depth(const struct player *p, const struct player_moment *m)
{
    const double queued = p->sink.queued ? ((double)m->delay - p->beyond) / NS_PER_S : 0;
    return player_depth(p, m->now) + queued * p->config.source.rate;
}

static void low_pass_beyond(struct player *p, const struct player_moment *m, double dt)
{
    const double lies = (double)player_beyond(m);
    if (p->beyond == 0)
        p->beyond = lies;
    if (m->held >= 0) /* else it ran dry, and says nothing about what is behind */
        p->beyond += (lies - p->beyond) * fmin(dt / BEYOND_LOWPASS_S, 1);
}

/* Where the sound has begun: a mean of the latest of it, for requests are late by this or that. */
static void settle_target(struct player *p, double depth, double dt)
{
    const double so_far = SETTLE_S - p->settling + dt;
    p->target += (depth - p->target) * dt / fmin(so_far, SETTLE_MEAN_S);
}

/* Packets were lost, and it is less for it. */
static bool lost_some(struct player *p, double depth)
{
    const bool lost = p->lost;
    p->lost = false;
    return lost && depth < p->target - ERROR_MOST_S * p->config.source.rate;
}

bool player_steer(struct player *p, uint32_t frames, const struct player_moment *m)
{
    const double dt = (double)frames / p->sink.rate;
    if (!p->resampler || frames == 0)
        return true;
    low_pass_beyond(p, m, dt);
    const double depth = steered_depth(p, m);
    const double wanted = (double)player_target_depth(p, (int64_t)p->beyond);
    double moves = 0;
    if (lost_some(p, depth))
        return false;
    p->sinking = fmax(wanted, p->sinking - TARGET_SHRINKS * dt * p->config.source.rate);
    if (p->settling > 0)
        settle_target(p, depth, dt);
    else
        moves = follow_target(p, wanted, dt);
    p->settling -= fmin(p->settling, dt);
    p->misled &= p->settling > 0;
    p->fresh -= fmin(p->fresh, dt);
    const double error = p->settling > 0 ? 0 : (depth - p->target) / p->config.source.rate;
    p->lacking = error < -LACKS_MOST_S ? p->lacking + dt : 0;
    if (p->lacking > 0) /* not steered for; it may be one request that came early */
        return p->lacking < LACKS_FOR_S;
    const double source = (double)NS_PER_S / p->config.source.rate / p->line.period;
    servo_step(&p->learnt->servo, source - moves, error, dt);
    give_way(p, wanted);
    return true;
}
