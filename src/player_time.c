/* The player's sense of time: what latency to hold, when a sound begins, when there is too much of it. */
#include "player_internal.h"

#include <math.h>
#include <stdlib.h>

#define CEASED_NS (10 * NS_PER_MS) /* arrivals so much later than expected are none */

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
    while (b > 0) {
        const uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/*
 * Frames that arrivals are expected to fall behind the line, before a burst: what a guest counts from one
 * wake-up to the next, and what it keeps for the next packet at most. Not what has been measured in the
 * first moments, which is luck: every start is to have the same latency.
 */
static int64_t expected_lag(const struct player *p)
{
    const uint64_t tick = p->config.source.rate / TICKS_PER_S, grain = p->line.grain;
    if (grain >= 2 * tick) /* a chunk of shared memory */
        return (int64_t)grain + player_frames(p, CHUNK_LAG_NS);
    return (int64_t)(tick + grain - (grain > 0 ? common_divisor(tick, grain) : 0));
}

void player_settle(struct player *p)
{
    if (p->resampler)
        resampler_reset(p->resampler);
    servo_settle(&p->learnt->servo);
    p->settling = SETTLE_S;
    p->lacking = 0;
    p->sinking = 0;
    p->lag = p->line.lag; /* if it was late, that has been judged */
    player_note_line(p);
    p->lost = p->misled = false;
}

void player_note_line(struct player *p)
{
    if (p->line.losses > p->losses) { /* fewer: it is another beginning's */
        p->lost = true;
        p->misled = p->settling > 0;
        slack_lost(&p->learnt->slack);
    }
    p->losses = p->line.losses;
}

void player_learn_first(struct player_learnt *l, bool queued)
{
    servo_init(&l->servo);
    slack_init(&l->slack, queued ? QUEUE_SLACK_NS : SLACK_NS);
    l->anything = true;
}

void player_learn(struct player *p)
{
    struct player_learnt *l = p->learnt;
    if (!l->anything)
        player_learn_first(l, p->sink.queued);
    servo_renew(&l->servo);
}

/* Frames that must be there at a fill, or be in the resampler already, beside what arrivals lag behind. */
static int64_t taken_at_once(const struct player *p)
{
    return p->quantum + p->reserve + (p->resampler ? RESAMPLE_HALF : 0);
}

/* With less in store each burst of the guest, or request of the output, would be a dropout. */
static int64_t floor_depth(const struct player *p)
{
    return taken_at_once(p) + expected_lag(p) + player_frames(p, MARGIN_NS);
}

/* As much as the bound allows, but no less than that. */
static int64_t most_depth(const struct player *p, int64_t delay)
{
    const int64_t bound = player_frames(p, p->config.bound - delay), floor = floor_depth(p);
    return bound > floor ? bound : floor;
}

int64_t player_target_depth(const struct player *p, int64_t delay)
{
    const int64_t least = taken_at_once(p) + player_frames(p, MARGIN_NS);
    const int64_t most = most_depth(p, delay);
    int64_t depth = taken_at_once(p) + expected_lag(p) + player_frames(p, p->learnt->slack.amount);
    if (p->config.target)
        depth = player_frames(p, p->config.target - delay);
    depth = depth > most ? most : depth;
    depth = depth > p->room ? p->room : depth;
    return depth > least ? depth : least;
}

double player_depth(const struct player *p, int64_t now)
{
    const double ahead = p->playing && p->resampler ? resampler_ahead(p->resampler) : 0;
    return arrival_line_at(&p->line, now) - (double)stream_frame(p->config.stream) + ahead;
}

static int64_t depth_at(const struct player *p, const struct player_moment *m)
{
    return (int64_t)floor(player_depth(p, m->now));
}

void player_note_store(struct player *p, uint64_t ready, uint32_t frames,
                       const struct player_moment *m)
{
    const double beside = player_depth(p, m->now) - (double)expected_lag(p);
    const double ahead = p->resampler ? resampler_ahead(p->resampler) : 0;
    const double more = p->sink.queued ? 0 : (double)frames - p->quantum;
    double lies = (double)ready + ahead - more; /* the less there is, the more was needed */
    if (p->sink.queued && lies > (double)taken_at_once(p))
        lies = (double)taken_at_once(p); /* it came late itself */
    double used = beside - lies;
    if (p->line.lag > p->lag) /* they were late just now, which a fill may have been spared */
        used = fmax(used, (double)player_frames(p, p->line.lag) - (double)expected_lag(p));
    p->lag = p->line.lag;
    p->used = (int64_t)(used * NS_PER_S / p->config.source.rate);
    slack_note(&p->learnt->slack, p->used, pcm_frames_ns(frames, p->sink.rate));
}

void player_note_reserve(struct player *p, uint32_t least, const struct player_moment *m)
{
    const int64_t reserve = player_frames(p, m->held) + least - p->quantum;
    if (least > 0 && llabs(reserve - p->reserve) > player_frames(p, RESERVE_NS / 4))
        p->reserve = (uint32_t)(reserve > 0 ? reserve : 0);
}

static void drop(struct player *p, uint64_t frames)
{
    stream_read(p->config.stream, NULL, frames * p->frame_bytes);
    count_add(&p->config.stream->counters.skipped_frames, frames);
}

void player_pass_over(struct player *p, uint64_t frames)
{
    /* of what was there before, player_wait_before() may have dropped some */
    const uint64_t ready = stream_ready(p->config.stream) / p->frame_bytes;
    if (p->fade.left > 0) /* else it is a sound's beginning, which is heard whole */
        drop(p, frames < ready ? frames : ready);
}

/* All that is ready is all there will be: heard whole, unless it is older than any latency. */
static uint64_t begin_ended(struct player *p, uint64_t ready, int64_t age)
{
    if (age <= most_depth(p, 0))
        return 0;
    drop(p, ready);
    return PLAYER_NOT_YET;
}

/* The sound that waits has to do without so many of its frames. */
static void begin_within(struct player *p, uint64_t frames)
{
    if (frames == 0)
        return;
    drop(p, frames);
    player_fade_in(p);
}

uint64_t player_wait_before(struct player *p, uint64_t ready, const struct player_moment *m)
{
    struct stream *s = p->config.stream;
    if (ready == 0)
        return PLAYER_NOT_YET;
    const bool ends = stream_edge(s) != STREAM_OPEN;
    if (!stream_line(s,
                     &p->line)) /* another beginning has it now, or it comes with the next look */
        return ends ? begin_ended(p, ready, (int64_t)ready) : PLAYER_NOT_YET;
    player_note_line(p); /* what a loss has taught is unlearnt before the target is asked for */
    if (!ends &&
        m->now - p->line.begun < pcm_frames_ns(p->line.grain, p->config.source.rate) + MARGIN_NS)
        return PLAYER_NOT_YET; /* the first may have been seen late: the next one tells */
    const int64_t held = player_frames(p, m->held);
    const int64_t depth = depth_at(p, m) + held;
    const int64_t target = player_target_depth(p, player_beyond(m));
    const int64_t late = depth - target;
    if (late <= 0)
        return (uint64_t)-late;

    /* It has waited for the output. Has it ended meanwhile? */
    const int64_t silent = player_frames(p, m->now - p->line.last);
    if (ends || silent > expected_lag(p) + player_frames(p, CEASED_NS))
        return begin_ended(p, ready, depth - held - (int64_t)ready);
    if (p->resumes) { /* from its first frame on, unless that is older than any latency */
        const int64_t old = depth - most_depth(p, player_beyond(m));
        begin_within(p, (uint64_t)(old <= 0 ? 0 : old < (int64_t)ready ? old : (int64_t)ready));
        return 0;
    }
    /* It goes on: it begins where it belongs, with as much in store as a burst needs. */
    const int64_t spare = (int64_t)ready + held - target + expected_lag(p);
    if (spare < 0)
        return PLAYER_NOT_YET;    /* frames were lost: the line does not know yet */
    if (late >= (int64_t)ready) { /* more is lost behind it, or the output itself holds too much */
        begin_within(p, ready);
        return PLAYER_NOT_YET;
    }
    begin_within(p, (uint64_t)(late < spare ? late : spare));
    return 0;
}

/* It has been so for long enough: it may have been one request that came late. */
static bool lasts(struct player *p, bool exceeds, int64_t now)
{
    if (!exceeds) {
        p->exceeds_at = 0;
        return false;
    }
    if (p->exceeds_at == 0)
        p->exceeds_at = now;
    if (now - p->exceeds_at < (p->resumes ? RESUMED_FOR_NS : EXCEEDS_FOR_NS))
        return false;
    p->resumes = false;
    return true;
}

/* Much more than the target is given back if it is there in truth; what is beyond the limit, however little. */
uint64_t player_excess(struct player *p, uint64_t ready, uint32_t least,
                       const struct player_moment *m)
{
    if (p->fade.left > 0)
        return 0;
    const int64_t held = player_frames(p, m->held);
    const int64_t wanted = player_target_depth(p, player_beyond(m)),
                  most = most_depth(p, player_beyond(m));
    const int64_t sinking = (int64_t)p->sinking < most ? (int64_t)p->sinking : most;
    const int64_t target = wanted > sinking || p->misled ? wanted : sinking;
    const int64_t depth = depth_at(p, m) + held, spare = (int64_t)ready + held - target;
    const int64_t all = (int64_t)ready - least, shortest = p->fade_frames + p->flush;
    int64_t excess = depth - target;
    const bool stored = p->misled ? excess > shortest && spare + expected_lag(p) > shortest
                                  : excess > player_frames(p, EXCESS_NS) &&
                                        spare > player_frames(p, EXCESS_FILL_NS);
    const int64_t margin = player_frames(p, MARGIN_NS);
    const bool unbound = excess > margin && depth > most + margin;
    if (!lasts(p, stored || unbound, m->now) || all < shortest)
        return 0;
    excess = excess > shortest ? excess : shortest;
    return (uint64_t)(excess < all ? excess : all);
}

void player_note_latency(struct player *p, const struct player_moment *m)
{
    struct stream_counters *c = &p->config.stream->counters;
    if (p->line.serial == 0)
        return; /* a sound that had ended before there was a line of it */
    const int64_t depth = depth_at(p, m);
    const int64_t held = pcm_frames_ns((uint64_t)(depth > 0 ? depth : 0), p->config.source.rate);
    const int64_t behind = m->delay > 0 ? m->delay : 0;
    gauge_set(&c->latency_us, (uint64_t)((held + behind) / NS_PER_US));
    const int64_t least = pcm_frames_ns((uint64_t)floor_depth(p), p->config.source.rate);
    gauge_set(&c->least_us, (uint64_t)((least + player_beyond(m)) / NS_PER_US));
    gauge_set(&c->delay_us, (uint64_t)(behind / NS_PER_US));
    gauge_set(&c->drift_ppb, (uint64_t)(int64_t)((player_ratio(p) - 1) * 1e9));
}
