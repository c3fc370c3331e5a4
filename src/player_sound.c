/*
 * What the player does with sound: decodes, resamples, fades, remaps, converts. The output's real-time
 * thread's; when and how much of it is player.c's and player_time.c's to say.
 */
#include "player_internal.h"

#include <string.h>

static void ramp(float *x, uint8_t channels, uint32_t frames, float from, float step)
{
    for (uint32_t f = 0; f < frames; f++)
        for (uint8_t c = 0; c < channels; c++)
            x[f * channels + c] *= from + step * (float)f;
}

/* The sound that was left fades out under the one that begins. */
static void crossfade(const struct player *p, struct player_fade *fade, float *x, uint32_t frames)
{
    const uint8_t channels = p->config.source.channels;
    const uint32_t n = frames < fade->left ? frames : fade->left;
    const uint32_t done = p->fade_frames - fade->left;
    const float step = 1.0f / (float)p->fade_frames;
    ramp(x, channels, n, (float)done * step, step);
    if (fade->from_old)
        for (uint32_t i = 0; i < n * channels; i++)
            x[i] += p->old[done * channels + i];
    fade->left -= n;
}

/* Source-layout floats become the output's samples. */
static void emit(struct player *p, uint8_t *dst, float *x, uint32_t frames)
{
    float mixed[BLOCK * PCM_MAX_CHANNELS];
    if (!p->mix.identity) {
        sample_mix(mixed, x, &p->mix, frames);
        x = mixed;
    }
    if (p->resampler && p->sink.type == SAMPLE_S16)
        sample_dither(x, &p->noise, (size_t)frames * p->sink.map.channels);
    sample_encode(dst, x, p->sink.type, (size_t)frames * p->sink.map.channels);
}

/* So many frames of sound, decoded; the last one is kept for a tail. */
static void read_frames(struct player *p, float *x, uint32_t frames)
{
    uint8_t raw[FEED * PCM_MAX_FRAME_BYTES];
    stream_read(p->config.stream, raw, (uint64_t)frames * p->frame_bytes);
    memcpy(p->last, raw + (frames - 1) * p->frame_bytes, p->frame_bytes);
    sample_decode(x, raw, p->source_type, (size_t)frames * p->config.source.channels);
}

/* The last frame dies away: no click, and no sound held back for the purpose. */
static void tail_frames(struct player *p, float *x, uint32_t frames)
{
    const uint8_t channels = p->config.source.channels;
    float last[PCM_MAX_CHANNELS];
    sample_decode(last, p->last, p->source_type, channels);
    for (uint32_t f = 0; f < frames; f++, p->tail_left--) {
        const uint32_t left = p->tail_left > p->flush ? p->tail_left - p->flush : 0;
        const float gain = (float)left / (float)p->fade_frames;
        for (uint8_t c = 0; c < channels; c++)
            *x++ = last[c] * gain;
    }
}

typedef void feed_fn(struct player *p, float *x, uint32_t frames);

/* At most `frames` of output out of at most `ready` frames of input. How many there are. */
static uint32_t make_frames(struct player *p, float *x, uint32_t frames, uint64_t *ready,
                            feed_fn *feed)
{
    if (!p->resampler) {
        const uint32_t n = *ready < frames ? (uint32_t)*ready : frames;
        for (uint32_t done = 0, part; done < n; done += part) { /* a fade is longer than FEED */
            part = n - done < FEED ? n - done : FEED;
            feed(p, x + (size_t)done * p->config.source.channels, part);
        }
        *ready -= n;
        return n;
    }
    const double step = p->learnt->servo.ratio;
    for (uint32_t n; (n = resampler_lacks(p->resampler, frames, step)) > 0 && *ready > 0;) {
        float in[FEED * PCM_MAX_CHANNELS];
        n = n < FEED ? n : FEED;
        n = n < *ready ? n : (uint32_t)*ready;
        feed(p, in, n);
        resampler_push(p->resampler, in, n);
        *ready -= n;
    }
    const uint32_t has = resampler_has(p->resampler, step);
    const uint32_t n = has < frames ? has : frames;
    resampler_pull(p->resampler, x, n, step);
    return n;
}

uint32_t player_play(struct player *p, uint8_t *dst, uint32_t frames, uint64_t ready)
{
    if (p->plain && p->fade.left == 0) {
        const uint32_t n = ready < frames ? (uint32_t)ready : frames;
        stream_read(p->config.stream, dst, (uint64_t)n * p->frame_bytes);
        if (n > 0)
            memcpy(p->last, dst + (n - 1) * p->frame_bytes, p->frame_bytes);
        return n;
    }
    float x[BLOCK * PCM_MAX_CHANNELS];
    const uint32_t n = make_frames(p, x, frames, &ready, read_frames);
    crossfade(p, &p->fade, x, n);
    emit(p, dst, x, n);
    return n;
}

static uint8_t *play_tail(struct player *p, uint8_t *dst, uint32_t frames)
{
    while (frames > 0 && p->tail_left > 0) {
        float x[BLOCK * PCM_MAX_CHANNELS];
        uint64_t left = p->tail_left;
        const uint32_t n = make_frames(p, x, frames < BLOCK ? frames : BLOCK, &left, tail_frames);
        if (n == 0)
            break;
        crossfade(p, &p->tail, x, n);
        emit(p, dst, x, n);
        frames -= n;
        dst += (size_t)n * p->sink_frame_bytes;
    }
    return dst;
}

uint8_t *player_play_nothing(struct player *p, uint8_t *dst, uint32_t frames)
{
    uint8_t *const end = dst + (size_t)frames * p->sink_frame_bytes;
    dst = play_tail(p, dst, frames);
    memset(dst, 0, (size_t)(end - dst));
    return end;
}

void player_skip(struct player *p, uint64_t frames, uint64_t ready)
{
    struct stream *s = p->config.stream;
    const uint64_t frame = stream_frame(s);
    const double ahead = p->resampler ? resampler_ahead(p->resampler) : 0;
    const uint32_t n = make_frames(p, p->old, p->fade_frames, &ready, read_frames);
    ramp(p->old, p->config.source.channels, n, 1, -1.0f / (float)p->fade_frames);
    const int64_t left =
        (int64_t)frame + (int64_t)frames - (int64_t)ahead - (int64_t)stream_frame(s);
    if (n < p->fade_frames || left < 0)
        return; /* not so much after all: it goes on, faded in */
    stream_read(s, NULL, (uint64_t)left * p->frame_bytes);
    player_settle(p);
    p->fade = (struct player_fade){.left = p->fade_frames, .from_old = true};
    count_add(&s->counters.skips, 1);
    count_add(&s->counters.skipped_frames, frames);
}
