#include "player.h"

#include "player_internal.h"
#include "rt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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
    *out = p;
    return 0;
}

void player_close(struct player *p)
{
    free(p);
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
    p->quantum = p->peak[0] = p->peak[1] = sink->quantum;
    chmix_build(&p->mix, &source, &sink->map);
    p->plain = p->mix.identity && sink->type == p->source_type;
    return 0;
}

bool player_finished(const struct player *p)
{
    return atomic_load_explicit((atomic_bool *)&p->finished, memory_order_acquire);
}

/* ---- audio into the buffer ---- */

static void ramp(float *x, uint8_t channels, uint32_t frames, float from, float step)
{
    for (uint32_t f = 0; f < frames; f++)
        for (uint8_t c = 0; c < channels; c++)
            x[f * channels + c] *= from + step * (float)f;
}

/* The sound that was left fades out under the one that begins. */
static void crossfade(struct player *p, float *x, uint32_t frames)
{
    const uint8_t channels = p->config.source.channels;
    const uint32_t n = frames < p->fade_left ? frames : p->fade_left;
    const uint32_t done = p->fade_frames - p->fade_left;
    const float step = 1.0f / (float)p->fade_frames;
    ramp(x, channels, n, (float)done * step, step);
    if (p->fade_from_old)
        for (uint32_t i = 0; i < n * channels; i++)
            x[i] += p->old[done * channels + i];
    p->fade_left -= n;
}

/* Source-layout floats become the output's samples. */
static void emit(struct player *p, uint8_t *dst, const float *x, uint32_t frames)
{
    float mixed[BLOCK * PCM_MAX_CHANNELS];
    if (!p->mix.identity) {
        sample_mix(mixed, x, &p->mix, frames);
        x = mixed;
    }
    sample_encode(dst, x, p->sink.type, (size_t)frames * p->sink.map.channels);
}

static void play_block(struct player *p, uint8_t *dst, uint32_t frames)
{
    struct stream *s = p->config.stream;
    const uint32_t bytes = frames * p->frame_bytes;
    const uint8_t *last;
    uint8_t raw[BLOCK * PCM_MAX_FRAME_BYTES];
    if (p->plain && p->fade_left == 0) {
        stream_read(s, dst, bytes);
        last = dst + bytes - p->frame_bytes;
    } else {
        float x[BLOCK * PCM_MAX_CHANNELS];
        stream_read(s, raw, bytes);
        last = raw + bytes - p->frame_bytes;
        sample_decode(x, raw, p->source_type, (size_t)frames * p->config.source.channels);
        if (p->fade_left > 0)
            crossfade(p, x, frames);
        emit(p, dst, x, frames);
    }
    memcpy(p->last, last, p->frame_bytes);
}

static uint8_t *play(struct player *p, uint8_t *dst, uint32_t frames)
{
    for (uint32_t n; frames > 0; frames -= n, dst += (size_t)n * p->sink_frame_bytes) {
        n = frames < BLOCK ? frames : BLOCK;
        play_block(p, dst, n);
    }
    return dst;
}

/* The last frame dies away: no click, and no sound held back for the purpose. */
static uint8_t *play_tail(struct player *p, uint8_t *dst, uint32_t frames)
{
    const uint8_t channels = p->config.source.channels;
    float last[PCM_MAX_CHANNELS], x[BLOCK * PCM_MAX_CHANNELS];
    sample_decode(last, p->last, p->source_type, channels);
    while (frames > 0 && p->tail_left > 0) {
        uint32_t n = frames < BLOCK ? frames : BLOCK;
        n = n < p->tail_left ? n : p->tail_left;
        for (uint32_t i = 0; i < n * channels; i++)
            x[i] = last[i % channels];
        const float step = 1.0f / (float)p->fade_frames;
        ramp(x, channels, n, (float)p->tail_left * step, -step);
        emit(p, dst, x, n);
        p->tail_left -= n;
        frames -= n;
        dst += (size_t)n * p->sink_frame_bytes;
    }
    return dst;
}

static uint8_t *play_nothing(struct player *p, uint8_t *dst, uint32_t frames)
{
    uint8_t *const end = dst + (size_t)frames * p->sink_frame_bytes;
    dst = play_tail(p, dst, frames);
    memset(dst, 0, (size_t)(end - dst));
    return end;
}

/* ---- edges of sound ---- */

/* Frames ready, edges that mean nothing to a listener passed. */
static uint64_t frames_ready(struct player *p)
{
    struct stream *s = p->config.stream;
    for (int edges = 0; edges < 4; edges++) {
        const uint64_t frames = stream_ready(s) / p->frame_bytes;
        if (frames > 0)
            return frames;
        const enum stream_edge edge = stream_edge(s);
        if (edge == STREAM_FORMAT)
            atomic_store_explicit(&p->finished, true, memory_order_release);
        if (edge != STREAM_BREAK)
            break;
        stream_pass(s);
    }
    return 0;
}

/* What the output asks for at a time, so far as it is not long ago. */
static void note_quantum(struct player *p, uint32_t frames)
{
    p->spanned += frames;
    if (frames > p->peak[0])
        p->peak[0] = frames;
    if (pcm_frames_ns(p->spanned, p->sink.rate) > QUANTUM_SPAN_NS) {
        p->peak[1] = p->peak[0];
        p->peak[0] = frames;
        p->spanned = 0;
    }
    p->quantum = p->peak[0] > p->peak[1] ? p->peak[0] : p->peak[1];
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
    p->tail_left = p->fade_frames;
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
}

/* The last of the sound being left is kept for the crossfade, then all up to the target is dropped.
 */
static void skip(struct player *p, uint64_t frames)
{
    struct stream *s = p->config.stream;
    uint8_t raw[FADE_MAX * PCM_MAX_FRAME_BYTES];
    const uint8_t channels = p->config.source.channels;
    stream_read(s, raw, (uint64_t)p->fade_frames * p->frame_bytes);
    sample_decode(p->old, raw, p->source_type, (size_t)p->fade_frames * channels);
    ramp(p->old, channels, p->fade_frames, 1, -1.0f / (float)p->fade_frames);
    stream_read(s, NULL, (frames - p->fade_frames) * p->frame_bytes);
    p->fade_left = p->fade_frames;
    p->fade_from_old = true;
    count_add(&s->counters.skips, 1);
    count_add(&s->counters.skipped_frames, frames);
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
            skip(p, excess);
    } else {
        if (ready > 0)
            judge_silence(p, now);
        const uint64_t wait = player_wait_before(p, ready, frames, now, delay);
        const uint32_t silent = wait < frames ? (uint32_t)wait : frames;
        at = play_nothing(p, at, silent);
        frames -= silent;
        now += pcm_frames_ns(silent, p->sink.rate);
        if (frames > 0)
            go_playing(p);
    }
    if (p->playing)
        player_note_latency(p, now, delay);
    while (frames > 0 && p->playing) {
        ready = frames_ready(p);
        const uint32_t n = ready < frames ? (uint32_t)ready : frames;
        at = play(p, at, n);
        frames -= n;
        count_add(&p->config.stream->counters.frames, n);
        if (n == 0)
            go_idle(p, now);
    }
    play_nothing(p, at, frames);
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
