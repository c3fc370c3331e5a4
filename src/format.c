#include "format.h"

#include "clock.h"

#include <stdio.h>

static const char *const fault_text[PCM_FAULTS] = {
    [PCM_OK] = "fine",
    [PCM_BAD_RATE] = "a sample rate that no guest has",
    [PCM_BAD_WIDTH] = "a sample width other than 16, 24 or 32 bits",
    [PCM_BAD_CHANNELS] = "a channel count outside 1 to 8",
};

const char *pcm_fault_text(enum pcm_fault fault)
{
    return fault_text[fault];
}

enum pcm_fault pcm_format_parse(const uint8_t wire[PCM_WIRE_BYTES], struct pcm_format *out)
{
    const uint32_t base = wire[0] & 0x80 ? 44100 : 48000;
    const uint8_t multiplier = wire[0] & 0x7f;
    if (multiplier != 1 && multiplier != 2 && multiplier != 4)
        return PCM_BAD_RATE;
    if (wire[1] != 16 && wire[1] != 24 && wire[1] != 32)
        return PCM_BAD_WIDTH;
    if (wire[2] < 1 || wire[2] > PCM_MAX_CHANNELS)
        return PCM_BAD_CHANNELS;
    *out = (struct pcm_format){
        .rate = base * multiplier,
        .width = wire[1],
        .channels = wire[2],
        .mask = (uint16_t)(wire[3] | wire[4] << 8),
    };
    return PCM_OK;
}

void pcm_format_wire(const struct pcm_format *f, uint8_t wire[PCM_WIRE_BYTES])
{
    const bool base44 = f->rate % 44100 == 0;
    wire[0] = (uint8_t)(f->rate / (base44 ? 44100 : 48000) | (base44 ? 0x80 : 0));
    wire[1] = f->width;
    wire[2] = f->channels;
    wire[3] = (uint8_t)(f->mask & 0xff);
    wire[4] = (uint8_t)(f->mask >> 8);
}

bool pcm_format_equal(const struct pcm_format *a, const struct pcm_format *b)
{
    return a->rate == b->rate && a->mask == b->mask && a->width == b->width &&
           a->channels == b->channels;
}

uint32_t pcm_frame_bytes(const struct pcm_format *f)
{
    return (uint32_t)f->width / 8 * f->channels;
}

uint64_t pcm_bytes_of(const struct pcm_format *f, int64_t duration_ns)
{
    /* Seconds apart from the rest, so that no duration overflows. */
    const uint64_t s = (uint64_t)duration_ns / NS_PER_S, ns = (uint64_t)duration_ns % NS_PER_S;
    return (s * f->rate + ns * f->rate / NS_PER_S) * pcm_frame_bytes(f);
}

int64_t pcm_frames_ns(uint64_t frames, uint32_t rate)
{
    return (int64_t)(frames / rate * NS_PER_S + frames % rate * NS_PER_S / rate);
}

void pcm_format_text(const struct pcm_format *f, char *buf, size_t size)
{
    static const char *const layout[PCM_MAX_CHANNELS + 1] = {
        [1] = "mono", [2] = "stereo", [4] = "quad", [6] = "5.1", [8] = "7.1"};
    char count[16];
    snprintf(count, sizeof count, "%u channels", f->channels);
    snprintf(buf, size, "%g kHz %u bit %s", f->rate / 1000.0, f->width,
             layout[f->channels] ? layout[f->channels] : count);
}

uint32_t sample_bytes(enum sample_type t)
{
    switch (t) {
    case SAMPLE_S16:
        return 2;
    case SAMPLE_S24_3:
        return 3;
    case SAMPLE_S32:
    case SAMPLE_F32:
        break;
    }
    return 4;
}

enum sample_type sample_type_of(uint8_t width)
{
    return width == 16 ? SAMPLE_S16 : width == 24 ? SAMPLE_S24_3 : SAMPLE_S32;
}
