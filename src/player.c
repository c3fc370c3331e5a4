#include "player.h"

#include "player_internal.h"
#include "rt.h"

double player_ratio(const struct player *p)
{
    return p->resampler ? p->learnt->servo.ratio : 1;
}

bool player_finished(const struct player *p)
{
    return atomic_load_explicit((atomic_bool *)&p->finished, memory_order_acquire);
}

int64_t player_resting(const struct player *p)
{
    return atomic_load_explicit((_Atomic int64_t *)&p->resting, memory_order_relaxed);
}

void player_resume(struct player *p)
{
    p->resumes = true;
    atomic_store_explicit(&p->resting, PLAYER_BUSY, memory_order_relaxed);
}

void player_end(struct player *p)
{
    atomic_store_explicit(&p->ending, true, memory_order_relaxed);
}

void player_pass(const struct player *p)
{
    count_add(&p->config.stream->counters.passes, 1);
}

/* ---- edges of sound ---- */

/* All of a beginning has been played, and there is another one, of the same format. */
static bool at_break(const struct player *p)
{
    struct stream *s = p->config.stream;
    return stream_ready(s) < p->frame_bytes && stream_edge(s) == STREAM_BREAK;
}

uint64_t player_frames_ready(struct player *p)
{
    struct stream *s = p->config.stream;
    for (int edges = 0; edges < 4; edges++) {
        if (stream_ready(s) >= p->frame_bytes)
            break;
        const enum stream_edge edge = stream_edge(s);
        if (edge == STREAM_FORMAT)
            atomic_store_explicit(&p->finished, true, memory_order_release);
        if (edge != STREAM_BREAK || p->playing)
            break;
        const uint32_t serial = s->playing_serial;
        stream_pass(s);
        p->overrun |= serial == s->playing_serial;
    }
    return s->ready / p->frame_bytes; /* also what came while it looked for an edge */
}

/*
 * What the output asks for at a time: the least of a span, for a late request is twice as large and
 * means nothing, while a graph that has changed its quantum asks for no less any more.
 */
static void note_quantum(struct player *p, uint32_t frames)
{
    p->spanned += frames;
    if (p->least == 0 || frames < p->least)
        p->least = frames;
    if (pcm_frames_ns(p->spanned, p->sink.rate) < QUANTUM_SPAN_NS)
        return;
    p->quantum = p->least > p->sink.quantum ? p->least : p->sink.quantum;
    p->least = 0;
    p->spanned = 0;
}

static void go_idle(struct player *p, int64_t now)
{
    p->dry_at = now;
    p->playing = false;
    p->resumes = false;
    p->tail_left = p->fade_frames + p->flush;
    p->tail = p->fade;
    p->fade.left = 0;
    p->dry_epoch = p->line.epoch;
    p->dry_serial = p->line.serial;
}

/*
 * What was missing because the ring had no room for it was not late, nor what a guest has not made yet whose
 * clock is slower than the output's and is not followed: what is kept had been enough for its lateness.
 */
static void note_underrun(struct player *p, int64_t silence)
{
    const bool drifted = !p->resampler && p->used <= p->learnt->slack.amount;
    count_add(&p->config.stream->counters.underruns, 1);
    if (p->overrun || drifted)
        slack_paused(&p->learnt->slack);
    else
        slack_dropout(&p->learnt->slack, silence);
}

/* There is sound again: was the silence the guest's own, or ours? */
static void judge_silence(struct player *p, int64_t now)
{
    if (p->dry_serial == 0 || !stream_line(p->config.stream, &p->line))
        return;
    p->fresh = 0;
    if (!p->resumes && p->dry_serial == p->line.serial && p->dry_epoch == p->line.epoch) {
        note_underrun(p, now - p->dry_at);
        player_fade_in(p);
    } else {
        count_add(&p->config.stream->counters.pauses, 1);
        slack_paused(&p->learnt->slack);
        p->fresh = FRESH_S;
    }
    p->dry_serial = 0;
}

static void go_playing(struct player *p)
{
    p->playing = true;
    p->overrun = false;
    p->tail_left = 0;
    p->exceeds_at = 0;
    player_settle(p);
}

/*
 * What silence before a sound may be given together with its beginning: into a queue no more than has to be
 * decided now, for each packet that comes until then tells more exactly where the sound belongs.
 */
static uint64_t last_silence(const struct player *p, uint32_t least, uint32_t most)
{
    const uint64_t soon = (uint64_t)player_frames(p, BEGINS_NS) + least;
    return p->sink.queued && soon < most ? soon : most;
}

/*
 * The last sound's tail, silence until the next one, no more than `least` unless that begins: then it plays.
 * How many frames.
 */
static uint32_t give_silence(struct player *p, uint8_t *dst, uint64_t ready, uint32_t least,
                             uint32_t most, const struct player_moment *m)
{
    if (ready > 0)
        judge_silence(p, m->now);
    const uint64_t wait = player_wait_before(p, ready, m);
    const bool begins = wait < last_silence(p, least, most);
    const uint32_t room = begins ? most : least;
    uint32_t silent = begins ? (uint32_t)wait : least;
    if (silent < p->tail_left) /* what ended dies away first */
        silent = p->tail_left < room ? p->tail_left : room;
    player_play_nothing(p, dst, silent);
    if (begins && silent < most) {
        player_pass_over(p, silent - wait);
        go_playing(p);
    }
    return silent;
}

/* Sound, at most so many frames; how many. */
static uint32_t play(struct player *p, uint8_t *dst, uint32_t frames)
{
    uint32_t played = 0;
    for (uint32_t n = 1; n > 0 && played < frames; played += n) {
        const uint32_t left = frames - played;
        n = player_play(p, dst, left < BLOCK ? left : BLOCK, player_frames_ready(p));
        dst += (size_t)n * p->sink_frame_bytes;
    }
    count_add(&p->config.stream->counters.frames, played);
    return played;
}

static void begin_anew(struct player *p, int64_t now)
{
    go_idle(p, now);
    p->dry_serial = 0;               /* nobody was late, */
    slack_paused(&p->learnt->slack); /* whatever the store has looked like */
    player_fade_in(p);
}

static void keep_time(struct player *p, uint64_t ready, uint32_t least, uint32_t most,
                      const struct player_moment *m)
{
    if (p->sink.queued)
        player_note_reserve(p, least, m);
    const uint32_t likely = ready < most ? ready < least ? least : (uint32_t)ready : most;
    if (!stream_line(p->config.stream, &p->line))
        return;
    player_note_line(p);
    player_note_store(p, ready, likely, m);
    const uint64_t excess = player_excess(p, ready, least, m);
    if (excess > 0)
        player_skip(p, excess, ready);
    if (player_steer(p, likely, m))
        return;
    /* The time that lost packets have left open is made up for: silence, instead of the store running out. */
    begin_anew(p, m->now);
    count_add(&p->config.stream->counters.losses, 1);
}

/* end: when the last of what has been given is heard. */
static void note_rest(struct player *p, bool rests, int64_t end)
{
    if (rests == (player_resting(p) != PLAYER_BUSY))
        return;
    const int64_t since = rests ? end : PLAYER_BUSY;
    atomic_store_explicit(&p->resting, since, memory_order_relaxed);
}

static bool is_ending(const struct player *p)
{
    return atomic_load_explicit(&p->ending, memory_order_relaxed);
}

/* Silence until a sound begins, if it does so soon, and sound; how many frames. */
static uint32_t give(struct player *p, uint8_t *dst, uint32_t least, uint32_t most,
                     const struct player_moment *moment)
{
    struct player_moment m = *moment;
    uint32_t done = 0;
    if (!p->playing) {
        done = give_silence(p, dst, is_ending(p) ? 0 : player_frames_ready(p), least, most, &m);
        m.now += pcm_frames_ns(done, p->sink.rate);
    }
    if (p->playing) {
        player_note_latency(p, &m);
        done += play(p, dst + (size_t)done * p->sink_frame_bytes, most - done);
    }
    return done;
}

/* What has been given is a beginning's end: the next one's time is looked at before more is. */
static uint32_t give_next(struct player *p, uint8_t *dst, uint32_t least, uint32_t most,
                          uint32_t given, const struct player_moment *moment)
{
    const int64_t after = pcm_frames_ns(given, p->sink.rate);
    const struct player_moment m = {.now = moment->now,
                                    .delay = moment->delay + after,
                                    .held = moment->held + after,
                                    .period = moment->period};
    go_idle(p, m.now);
    return give(p, dst + (size_t)given * p->sink_frame_bytes, least > given ? least - given : 0,
                most - given, &m);
}

uint32_t player_pour(struct player *p, void *dst, uint32_t least, uint32_t most,
                     const struct player_moment *moment)
{
    rt_enter();
    player_pass(p);
    const struct player_moment m = *moment;
    if (p->sink.queued)
        p->quantum = m.period > p->sink.quantum ? m.period : p->sink.quantum;
    const bool ending = is_ending(p);
    if (p->playing && (ending || at_break(p)))
        go_idle(p, m.now);
    const uint64_t ready = ending ? 0 : player_frames_ready(p);
    if (p->playing)
        keep_time(p, ready, least, most, &m);
    uint32_t done = give(p, dst, least, most, &m);
    if (p->playing && done < most && at_break(p))
        done += give_next(p, dst, least, most, done, &m);
    if (done < least) {
        if (p->playing)
            go_idle(p, m.now);
        player_play_nothing(p, (uint8_t *)dst + (size_t)done * p->sink_frame_bytes, least - done);
        done = least;
    }
    note_rest(p, !p->playing && ready == 0, m.now + m.delay + pcm_frames_ns(done, p->sink.rate));
    player_pass(p);
    rt_leave();
    return done;
}

void player_fill(struct player *p, void *dst, uint32_t frames, int64_t now, int64_t delay)
{
    if (p->playing)
        note_quantum(p, frames);
    player_pour(p, dst, frames, frames, &(struct player_moment){.now = now, .delay = delay});
}

void player_ran_dry(struct player *p)
{
    if (!p->playing)
        return;
    count_add(&p->config.stream->counters.underruns, 1);
    slack_dropout(&p->learnt->slack, 0);
}

void player_break(struct player *p, int64_t now)
{
    if (!p->playing)
        return;
    begin_anew(p, now);
    p->tail_left = 0; /* it has been cut off */
}
