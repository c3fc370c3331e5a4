/*
 * What PCM looks like: on the wire (struct pcm_format) and in an output's buffer (enum
 * sample_type).
 *
 * A struct pcm_format is only made by pcm_format_parse(), or by a test, so whoever holds one may
 * rely on its ranges. Pure functions, any thread.
 */
#ifndef SCREAM_FORMAT_H
#define SCREAM_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PCM_MAX_CHANNELS    8
#define PCM_MAX_FRAME_BYTES (PCM_MAX_CHANNELS * 4)
#define PCM_WIRE_BYTES      5 /* rate code, bits, channels, mask low, mask high */

/* A guest's format: interleaved little-endian integers. Invariant: every range below holds. */
struct pcm_format {
    uint32_t rate;    /* Hz: 44100 or 48000, times 1, 2 or 4 */
    uint16_t mask;    /* Windows dwChannelMask, low 16 bits, as sent: not to be trusted (chmap.h) */
    uint8_t width;    /* bits a sample: 16, 24 (packed in three bytes) or 32 */
    uint8_t channels; /* 1 to PCM_MAX_CHANNELS */
};

/* How an output's buffer holds a sample; all little-endian. */
enum sample_type {
    SAMPLE_S16,
    SAMPLE_S24_3, /* packed in three bytes */
    SAMPLE_S32,
    SAMPLE_F32, /* full scale is 1.0 */
};

/* Why five wire bytes are no format; the values index pcm_fault_text(). */
enum pcm_fault { PCM_OK, PCM_BAD_RATE, PCM_BAD_WIDTH, PCM_BAD_CHANNELS, PCM_FAULTS };

/* The five bytes that both transports carry, into *out. *out is written on PCM_OK only. */
enum pcm_fault pcm_format_parse(const uint8_t wire[PCM_WIRE_BYTES], struct pcm_format *out);

/* The inverse, for the sender and the tests. */
void pcm_format_wire(const struct pcm_format *f, uint8_t wire[PCM_WIRE_BYTES]);

const char *pcm_fault_text(enum pcm_fault fault);

bool pcm_format_equal(const struct pcm_format *a, const struct pcm_format *b);

/* Bytes of one frame, 1 to PCM_MAX_FRAME_BYTES. */
uint32_t pcm_frame_bytes(const struct pcm_format *f);

/* Bytes that duration_ns of this format takes, rounded down to whole frames. */
uint64_t pcm_bytes_of(const struct pcm_format *f, int64_t duration_ns);

/* Nanoseconds that so many frames last. */
int64_t pcm_frames_ns(uint64_t frames, uint32_t rate);

/* "48 kHz 16 bit stereo", always terminated. */
void pcm_format_text(const struct pcm_format *f, char *buf, size_t size);

uint32_t sample_bytes(enum sample_type t);

/* The sample type that holds a source of this width unaltered. */
enum sample_type sample_type_of(uint8_t width);

#endif
