#include "played.h"

#include "clock.h"
#include "test.h"

#include <stdlib.h>

#define TICK_NS (10 * NS_PER_MS)

int16_t played_sample(uint64_t frame, unsigned channel)
{
    uint64_t x = frame * 8 + channel + 1;
    x = (x ^ x >> 31) * 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 29) * 0xbf58476d1ce4e5b9u;
    return (int16_t)((int16_t)(x >> 48) | 1);
}

void played_open(struct played *p, const struct pcm_format *f, uint32_t period, int64_t target)
{
    *p = (struct played){.format = *f, .period = period, .now = NS_PER_S};
    p->guest_zero = p->now + 1234567;
    p->next_tick = p->now;
    p->next_fill = p->now;
    p->delay = 7 * NS_PER_MS;
    p->heard = calloc((size_t)PLAYED_MOST_FRAMES * f->channels, sizeof *p->heard);
    assert_int_equal(stream_init(&p->stream, 0), 0);
    stream_begin(&p->stream, f, (struct source_id){0});
    stream_commit(&p->stream);
    assert_int_equal(stream_edge(&p->stream), STREAM_FORMAT);
    stream_pass(&p->stream);
    const struct player_config config = {
        .stream = &p->stream, .source = *f, .target = target, .bound = 200 * NS_PER_MS};
    assert_int_equal(player_open(&p->player, &config), 0);
    struct player_sink sink = {.type = SAMPLE_S16, .rate = f->rate, .quantum = period};
    chmap_from_mask(&sink.map, f->mask, f->channels);
    assert_int_equal(player_set_sink(p->player, &sink), 0);
}

void played_close(struct played *p)
{
    player_close(p->player);
    stream_finish(&p->stream);
    free(p->heard);
}

static void guest_tick(struct played *p)
{
    p->next_tick += TICK_NS;
    if (p->mute) {
        p->guest_zero += TICK_NS;
        return;
    }
    if (p->now < p->stalled_until)
        return;
    const int64_t frames = (p->now - p->guest_zero) / 1000 * p->format.rate / 1000000;
    const uint32_t frame_bytes = pcm_frame_bytes(&p->format);
    bool any = false;
    for (; (int64_t)(p->sent + SCREAM_PAYLOAD) <= frames * frame_bytes; p->sent += SCREAM_PAYLOAD) {
        int16_t packet[SCREAM_PAYLOAD / 2];
        for (uint32_t i = 0; i < SCREAM_PAYLOAD / 2; i++) {
            const uint64_t n = p->sent / 2 + i;
            packet[i] = played_sample(n / p->format.channels, (unsigned)(n % p->format.channels));
        }
        stream_write(&p->stream, (uint8_t *)packet, SCREAM_PAYLOAD, p->now);
        any = true;
    }
    if (any)
        stream_commit(&p->stream);
}

static void output_fill(struct played *p)
{
    int16_t *dst = p->heard + p->heard_frames * p->format.channels;
    assert_true(p->heard_frames + p->period <= PLAYED_MOST_FRAMES);
    player_fill(p->player, dst, p->period, p->now, p->delay);
    p->heard_frames += p->period;
    p->next_fill += pcm_frames_ns(p->period, p->format.rate);
}

void played_run(struct played *p, int64_t duration)
{
    for (const int64_t end = p->now + duration;;) {
        const int64_t next = p->next_tick < p->next_fill ? p->next_tick : p->next_fill;
        if (next >= end)
            break;
        p->now = next;
        if (next == p->next_tick)
            guest_tick(p);
        else
            output_fill(p);
    }
}

uint64_t played_first_sound(const struct played *p, uint64_t from)
{
    while (from < p->heard_frames && p->heard[from * p->format.channels] == 0)
        from++;
    return from;
}

uint64_t played_matching(const struct played *p, uint64_t at, uint64_t frame)
{
    uint64_t n = 0;
    for (; at + n < p->heard_frames; n++)
        for (unsigned c = 0; c < p->format.channels; c++)
            if (p->heard[(at + n) * p->format.channels + c] != played_sample(frame + n, c))
                return n;
    return n;
}

int64_t played_latency(const struct played *p, uint64_t at, int64_t frame)
{
    const int64_t heard = NS_PER_S + pcm_frames_ns(at, p->format.rate) + p->delay;
    return heard - (p->guest_zero + pcm_frames_ns((uint64_t)frame, p->format.rate));
}
