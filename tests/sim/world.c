#include "world.h"

#include "../../src/player_internal.h"

#include "../../src/clock.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BEGIN_NS    (1000 * NS_PER_S)
#define OPEN_NS     (30 * NS_PER_MS)    /* until an output plays */
#define MOST_FRAMES 32768               /* that an output takes at once */
#define QUEUE_MORE  (5 * NS_PER_MS / 2) /* than a period the queue holds at least, after a request */

static void expect_call(struct world *w)
{
    const struct scenario *s = &w->scenario;
    w->called = w->due + dice_part(&w->dice) * s->callback * NS_PER_MS;
    if (s->spikes > 0)
        w->called += dice_spike(&w->dice, 60 * s->rate / s->period / s->spikes);
}

/* What a receiver knows that has run for long. */
static void learn_before(struct world *w)
{
    struct player_learnt *const l = &w->learnt;
    if (l->anything)
        return;
    player_learn_first(l, w->scenario.queued);
    if (w->scenario.slack > 0)
        l->slack.amount = (int64_t)(w->scenario.slack * NS_PER_MS);
    if (w->scenario.keeps > 0)
        l->slack.window = SLACK_WINDOW_MOST_NS;
}

static void open_player(struct world *w)
{
    const struct scenario *s = &w->scenario;
    const struct player_config config = {.stream = &w->stream,
                                         .source = w->stream.playing,
                                         .target = (int64_t)(s->target * NS_PER_MS),
                                         .bound = (int64_t)(s->bound * NS_PER_MS),
                                         .steer = s->exact == 0,
                                         .learnt = &w->learnt};
    struct player_sink sink = {.type = SAMPLE_F32,
                               .rate = w->stream.playing.rate,
                               .quantum = (uint32_t)s->period,
                               .queued = s->queued};
    chmap_from_mask(&sink.map, w->stream.playing.mask, w->stream.playing.channels);
    learn_before(w);
    if (player_open(&w->player, &config) < 0 || player_set_sink(w->player, &sink) < 0)
        abort();
    w->frame_ns = NS_PER_S / (sink.rate * (1 + s->output * 1e-6));
    w->due = w->now + dice_part(&w->dice) * s->period * w->frame_ns;
    w->queue_end = w->due + s->period * w->frame_ns + QUEUE_MORE;
    w->reopens = 0;
    expect_call(w);
    ear_turn_away(&w->ear);
}

void world_open(struct world *w, const struct scenario *s, struct trace *trace)
{
    *w = (struct world){.scenario = *s, .trace = trace, .begun = BEGIN_NS, .now = BEGIN_NS};
    w->delay = (int64_t)(s->delay * NS_PER_MS);
    w->dice.state = ~(uint64_t)s->seed;
    w->room = malloc(2 * MOST_FRAMES * sizeof *w->room);
    if (!w->room || stream_init(&w->stream, 0) < 0)
        abort();
    guest_init(&w->guest, &w->scenario, &w->stream, w->now);
    ear_init(&w->ear);
    for (size_t i = 0; i < s->happenings; i++)
        w->next[i] = w->begun + s->happens[i].at * NS_PER_S;
    w->called = INFINITY;
    w->reopens = w->now + OPEN_NS;
}

void world_close(struct world *w)
{
    player_close(w->player);
    guest_finish(&w->guest);
    stream_finish(&w->stream);
    free(w->room);
}

void world_forget(struct world *w)
{
    ear_forget(&w->ear);
    w->too_late = 0;
}

/* ---- the output ---- */

static void hear(struct world *w, const float *x, uint32_t frames, double at)
{
    const bool present = pcm_format_equal(&w->stream.playing, &w->guest.format);
    ear_hear(&w->ear, present ? &w->guest : NULL, x, frames, at, w->frame_ns);
}

static void fill(struct world *w, uint32_t frames)
{
    player_fill(w->player, w->room, frames, (int64_t)w->called, w->delay);
    hear(w, w->room, frames, w->due + w->late + (double)w->delay);
}

/* The queue is topped up with what there is, so that it holds some more than a period at least. */
static void answer(struct world *w, uint32_t frames)
{
    if (w->called < w->deaf_until)
        return;
    const double held = w->queue_end - w->called;
    const double lacks = fmin(frames + (QUEUE_MORE - held) / w->frame_ns, MOST_FRAMES - 1);
    const struct player_moment m = {
        .now = (int64_t)w->called, .delay = (int64_t)held + w->delay, .held = (int64_t)held};
    const uint32_t n =
        player_pour(w->player, w->room, lacks > 0 ? (uint32_t)lacks + 1 : 0, MOST_FRAMES, &m);
    const double passed = ceil((w->called - w->queue_end) / w->frame_ns);
    const uint32_t late = passed < 0 ? 0 : passed < n ? (uint32_t)passed : n;
    w->queue_end += late * w->frame_ns;
    w->too_late += late;
    hear(w, w->room + 2 * late, n - late, w->queue_end + (double)w->delay);
    w->queue_end += (n - late) * w->frame_ns;
}

static void tell(struct world *w)
{
    const double at = (w->due - w->begun) / NS_PER_S;
    const struct trace *t = w->trace;
    if (!t || (t->count > 0 && at - t->points[t->count - 1].at < TRACE_POINT_NS / NS_PER_S))
        return;
    w->trace->lost = w->guest.lost;
    trace_add(w->trace, at, &w->ear.heard, player_ratio(w->player));
    ear_forget(&w->ear);
}

void world_request(struct world *w, uint32_t frames)
{
    if (w->scenario.queued)
        answer(w, frames);
    else
        fill(w, frames);
    w->due += frames * w->frame_ns;
    expect_call(w);
    tell(w);
    if (player_finished(w->player)) {
        w->reopens = w->now + (double)w->delay + OPEN_NS;
        w->called = INFINITY;
    }
}

/* As the control thread does it when it has seen another format. */
static void reopen(struct world *w)
{
    player_close(w->player);
    stream_pass_to_newest(&w->stream);
    open_player(w);
}

/* ---- what happens ---- */

void world_freeze(struct world *w, double until)
{
    if (w->scenario.queued) {
        w->deaf_until = until;
    } else {
        w->due += until - w->now;
        expect_call(w);
    }
}

static void happen(struct world *w, const struct happening *h)
{
    const double until = w->now + happening_seconds(h) * NS_PER_S;
    if (h->kind == HAPPENS_STALL)
        guest_stall(&w->guest, until);
    else if (h->kind == HAPPENS_PAUSE)
        guest_pause(&w->guest, until);
    else if (h->kind == HAPPENS_STEP)
        guest_step(&w->guest, h->amount);
    else if (h->kind == HAPPENS_FORMAT)
        guest_change(&w->guest, w->now, (uint32_t)h->amount);
    else
        world_freeze(w, until);
}

/* Which of them is next; INFINITY: none. */
static double next_happening(const struct world *w, size_t *which)
{
    double first = INFINITY;
    for (size_t i = 0; i < w->scenario.happenings; i++)
        if (w->next[i] < first) {
            first = w->next[i];
            *which = i;
        }
    return first;
}

void world_run(struct world *w, double seconds)
{
    const double end = w->now + seconds * NS_PER_S;
    for (;;) {
        size_t which = 0;
        const double happens = next_happening(w, &which), guest = guest_next(&w->guest);
        const double output = w->reopens > 0 ? w->reopens : w->called;
        w->now = fmin(fmin(happens, guest), fmin(output, end));
        if (w->now >= end)
            return;
        if (w->now == happens) {
            const struct happening *h = &w->scenario.happens[which];
            w->next[which] = h->every > 0 ? happens + h->every * NS_PER_S : INFINITY;
            happen(w, h);
        } else if (w->now == guest)
            guest_turn(&w->guest);
        else if (w->reopens > 0)
            reopen(w);
        else
            world_request(w, (uint32_t)w->scenario.period);
    }
}

uint64_t world_counted(const struct world *w)
{
    const struct stream_counters *c = &w->stream.counters;
    return count_read(&c->underruns) + count_read(&c->skips) + count_read(&c->losses);
}
