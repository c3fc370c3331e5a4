#include "player.h"

#include "player_internal.h"
#include "rt.h"

#include <errno.h>
#include <stdlib.h>

int player_open(struct player **out, const struct player_config *config)
{
    struct player *p = calloc(1, sizeof *p);
    if (!p)
        return -ENOMEM;
    p->config = *config;
    p->frame_bytes = pcm_frame_bytes(&config->source);
    p->source_type = sample_type_of(config->source.width);
    p->room = STREAM_SLOTS / 4 * 3 * SCREAM_PAYLOAD / p->frame_bytes;
    p->fade_frames = (uint32_t)(config->source.rate * FADE_NS / NS_PER_S);
    if (p->fade_frames > FADE_MAX)
        p->fade_frames = FADE_MAX;
    atomic_init(&p->finished, false);
    servo_init(&p->servo);
    p->noise = 1;
    if (config->steer) {
        const int err = resampler_open(&p->resampler, config->source.channels, 1);
        if (err < 0) {
            free(p);
            return err;
        }
        p->flush = RESAMPLE_HALF;
    }
    *out = p;
    return 0;
}

void player_close(struct player *p)
{
    if (p)
        resampler_close(p->resampler);
    free(p);
}

double player_ratio(const struct player *p)
{
    return p->resampler ? p->servo.ratio : 1;
}

int player_set_sink(struct player *p, const struct player_sink *sink)
{
    if (sink->rate != p->config.source.rate || sink->map.channels < 1 ||
        sink->map.channels > PCM_MAX_CHANNELS)
        return -EINVAL;
    struct chmap source;
    chmap_from_mask(&source, p->config.source.mask, p->config.source.channels);
    p->sink = *sink;
    p->sink_frame_bytes = sample_bytes(sink->type) * sink->map.channels;
    p->quantum = sink->quantum;
    chmix_build(&p->mix, &source, &sink->map);
    p->plain = !p->resampler && p->mix.identity && sink->type == p->source_type;
    return 0;
}

bool player_finished(const struct player *p)
{
    return atomic_load_explicit((atomic_bool *)&p->finished, memory_order_acquire);
}

/* ---- edges of sound ---- */

/* Frames ready, edges that mean nothing to a listener passed. */
static uint64_t frames_ready(struct player *p)
{
    struct stream *s = p->config.stream;
    for (int edges = 0; edges < 4; edges++) {
        if (stream_ready(s) >= p->frame_bytes)
            break;
        const enum stream_edge edge = stream_edge(s);
        if (edge == STREAM_FORMAT)
            atomic_store_explicit(&p->finished, true, memory_order_release);
        if (edge != STREAM_BREAK)
            break;
        stream_pass(s);
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

/* Without underruns for a while the target comes back. */
static void note_calm(struct player *p, uint32_t frames)
{
    p->calm += frames;
    if (pcm_frames_ns(p->calm, p->sink.rate) < CALM_NS)
        return;
    p->calm = 0;
    p->extra -= p->extra > NS_PER_MS ? NS_PER_MS : p->extra;
}

static void go_idle(struct player *p, int64_t now)
{
    p->dry_at = now;
    p->playing = false;
    p->tail_left = p->fade_frames + p->flush;
    p->fade_left = 0;
    p->dry_epoch = p->line.epoch;
    p->dry_serial = p->line.serial;
}

/* There is sound again: was the silence the guest's own, or ours? */
static void judge_silence(struct player *p, int64_t now)
{
    struct stream_counters *c = &p->config.stream->counters;
    if (p->dry_serial == 0 || !stream_line(p->config.stream, &p->line))
        return;
    if (p->dry_serial == p->line.serial && p->dry_epoch == p->line.epoch) {
        count_add(&c->underruns, 1);
        if (now - p->dry_at < STALL_NS && p->extra < EXTRA_MAX_NS)
            p->extra += EXTRA_NS;
        p->calm = 0;
        p->fade_left = p->fade_frames;
        p->fade_from_old = false;
    } else {
        count_add(&c->pauses, 1);
    }
    p->dry_serial = 0;
}

static void go_playing(struct player *p)
{
    p->playing = true;
    p->tail_left = 0;
    if (p->resampler)
        resampler_reset(p->resampler);
    servo_settle(&p->servo);
    p->target = 0;
}

void player_fill(struct player *p, void *dst, uint32_t frames, int64_t now, int64_t delay)
{
    rt_enter();
    uint8_t *at = dst;
    uint64_t ready = frames_ready(p);
    if (p->playing) {
        note_quantum(p, frames);
        note_calm(p, frames);
        const uint64_t excess = player_excess(p, ready, now, delay);
        if (excess > 0)
            player_skip(p, excess, ready);
        player_steer(p, frames, now, delay);
    } else {
        if (ready > 0)
            judge_silence(p, now);
        const uint64_t wait = player_wait_before(p, ready, frames, now, delay);
        uint32_t silent = wait < frames ? (uint32_t)wait : frames;
        if (silent < p->tail_left) /* what ended dies away first */
            silent = p->tail_left < frames ? p->tail_left : frames;
        at = player_play_nothing(p, at, silent);
        frames -= silent;
        now += pcm_frames_ns(silent, p->sink.rate);
        if (frames > 0)
            go_playing(p);
    }
    if (p->playing)
        player_note_latency(p, now, delay);
    while (frames > 0 && p->playing) {
        const uint32_t n = player_play(p, at, frames < BLOCK ? frames : BLOCK, frames_ready(p));
        at += (size_t)n * p->sink_frame_bytes;
        frames -= n;
        count_add(&p->config.stream->counters.frames, n);
        if (n == 0)
            go_idle(p, now);
    }
    player_play_nothing(p, at, frames);
    rt_leave();
}

/* ---- exact outputs ---- */

uint32_t player_take(struct player *p, void *dst, uint32_t max)
{
    rt_enter();
    const uint64_t ready = frames_ready(p);
    const uint32_t room = max / p->frame_bytes;
    const uint32_t n = ready < room ? (uint32_t)ready : room;
    stream_read(p->config.stream, dst, (uint64_t)n * p->frame_bytes);
    count_add(&p->config.stream->counters.frames, n);
    rt_leave();
    return n * p->frame_bytes;
}

bool player_sleep(struct player *p)
{
    return player_finished(p) || stream_sleep(p->config.stream);
}

int player_wake_fd(const struct player *p)
{
    return p->config.stream->wake_fd;
}
