/*
 * The player's sense of time: what latency to hold, when a sound begins, when there is too much of
 * it. Ratio 1: where the servo's ratio will steer the depth, this only sets it at the start and
 * bounds it.
 */
#include "player_internal.h"

#include <math.h>

#define DELAY_LOWPASS_S 1.0
#define TARGET_GROWS    0.3e-3           /* s a second */
#define TARGET_SHRINKS  0.05e-3          /* s a second */
#define CEASED_NS       (10 * NS_PER_MS) /* arrivals so much later than expected are none */

static int64_t to_frames(const struct player *p, int64_t ns)
{
    return ns / NS_PER_S * p->config.source.rate + ns % NS_PER_S * p->config.source.rate / NS_PER_S;
}

/*
 * ns that arrivals are expected to fall behind the line, before a burst. Not what has been measured in
 * the first moments, which is luck: every start is to have the same latency.
 */
static int64_t expected_lag(const struct player *p)
{
    return p->line.grain + (p->line.grain < CHUNK_NS ? TICK_NS : CHUNK_LAG_NS);
}

/* Frames that the ring must hold, on the line, when a fill begins. */
static int64_t target_depth(const struct player *p, int64_t delay)
{
    const int64_t least = p->quantum + to_frames(p, MARGIN_NS);
    const int64_t most = to_frames(p, p->config.bound - delay);
    int64_t depth = p->quantum + to_frames(p, expected_lag(p) + SLACK_NS + p->extra);
    if (p->config.target)
        depth = to_frames(p, p->config.target - delay);
    depth = depth > most ? most : depth;
    depth = depth > p->room ? p->room : depth;
    return depth > least ? depth : least;
}

/* Frames between the next one to be heard and those that the line says have arrived by now. */
static double exact_depth(const struct player *p, int64_t now)
{
    const double ahead = p->playing && p->resampler ? resampler_ahead(p->resampler) : 0;
    return arrival_line_at(&p->line, now) - (double)stream_frame(p->config.stream) + ahead;
}

static int64_t depth_at(const struct player *p, int64_t now)
{
    return (int64_t)floor(exact_depth(p, now));
}

static void drop(struct player *p, uint64_t frames)
{
    stream_read(p->config.stream, NULL, frames * p->frame_bytes);
    count_add(&p->config.stream->counters.skipped_frames, frames);
}

/* All that is ready is all there will be: heard whole, unless it is older than any latency. */
static uint64_t begin_ended(struct player *p, uint64_t ready, uint32_t frames, int64_t age)
{
    if (age <= to_frames(p, p->config.bound))
        return 0;
    drop(p, ready);
    return frames;
}

uint64_t player_wait_before(struct player *p, uint64_t ready, uint32_t frames, int64_t now,
                            int64_t delay)
{
    struct stream *s = p->config.stream;
    if (ready == 0)
        return frames;
    const bool ends = stream_edge(s) != STREAM_OPEN;
    if (!stream_line(s,
                     &p->line)) /* another beginning has it now, or it comes with the next look */
        return ends ? begin_ended(p, ready, frames, (int64_t)ready) : frames;
    const int64_t depth = depth_at(p, now);
    const int64_t target = target_depth(p, delay);
    const int64_t late = depth - target;
    if (late <= 0)
        return (uint64_t)-late;

    /* It has waited for the output. Has it ended meanwhile? */
    if (ends || now - p->line.last > expected_lag(p) + CEASED_NS)
        return begin_ended(p, ready, frames, depth - (int64_t)ready);
    /* It goes on: it begins where it belongs, with as much in store as a burst needs. */
    const int64_t spare = (int64_t)ready - target + to_frames(p, expected_lag(p));
    if (spare < 0)
        return frames; /* frames were lost: the line does not know yet */
    drop(p, (uint64_t)(late < spare ? late : spare));
    return 0;
}

uint64_t player_excess(struct player *p, uint64_t ready, int64_t now, int64_t delay)
{
    if (!stream_line(p->config.stream, &p->line) || p->fade_left > 0)
        return 0;
    const int64_t target = target_depth(p, delay);
    const int64_t excess = depth_at(p, now) - target;
    const int64_t spare = (int64_t)ready - target;
    if (excess <= to_frames(p, EXCESS_NS) || spare <= to_frames(p, EXCESS_FILL_NS))
        return 0;
    const int64_t most = (int64_t)ready - p->quantum;
    return (uint64_t)(excess < most ? excess : most);
}

/*
 * The target that is steered for moves slowly, or each late request would be heard as pitch: up a little
 * sooner than down, for too little is worse than too much.
 */
static void follow_target(struct player *p, double wanted, double dt)
{
    const double grow = TARGET_GROWS * dt * p->config.source.rate;
    const double shrink = p->config.target ? grow : TARGET_SHRINKS * dt * p->config.source.rate;
    if (p->target == 0)
        p->target = wanted;
    p->target += fmax(fmin(wanted - p->target, grow), -shrink);
}

void player_steer(struct player *p, uint32_t frames, int64_t now, int64_t delay)
{
    const double dt = (double)frames / p->sink.rate;
    if (!p->resampler || !stream_line(p->config.stream, &p->line))
        return;
    if (p->delay == 0)
        p->delay = (double)delay;
    p->delay += ((double)delay - p->delay) * fmin(dt / DELAY_LOWPASS_S, 1);
    follow_target(p, (double)target_depth(p, (int64_t)p->delay), dt);
    const double error = (exact_depth(p, now) - p->target) / p->config.source.rate;
    const double source = (double)NS_PER_S / p->config.source.rate / p->line.period;
    servo_step(&p->servo, source, error, dt);
}

void player_note_latency(struct player *p, int64_t now, int64_t delay)
{
    struct stream_counters *c = &p->config.stream->counters;
    if (p->line.serial == 0)
        return; /* a sound that had ended before there was a line of it */
    const int64_t depth = depth_at(p, now);
    const int64_t held = pcm_frames_ns((uint64_t)(depth > 0 ? depth : 0), p->config.source.rate);
    const int64_t behind = delay > 0 ? delay : 0;
    gauge_set(&c->latency_us, (uint64_t)((held + behind) / NS_PER_US));
    gauge_set(&c->delay_us, (uint64_t)(behind / NS_PER_US));
}
