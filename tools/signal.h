/*
 * Test signals: functions of the frame index alone, so that a recording can be checked sample by
 * sample by whoever knows the signal's name. Pure, any thread.
 */
#ifndef SCREAM_SIGNAL_H
#define SCREAM_SIGNAL_H

#include "../src/format.h"

#include <stdint.h>

enum signal_kind {
    SIGNAL_SILENCE,
    SIGNAL_SINE, /* 440 Hz times (channel + 1), -12 dBFS */
    /* White, -6 dBFS peak, another one in each channel: a hash of frame and channel. Four
     * consecutive 16-bit samples do not come twice in practice: any piece tells where it belongs. */
    SIGNAL_NOISE,
    SIGNAL_SWEEP, /* 20 Hz to 20 kHz in 10 s, logarithmic, again and again, -12 dBFS */
    SIGNAL_WALK,  /* noise in channel (frame / rate) % channels, silence in the others */
    SIGNAL_CHIME, /* something pleasant: the demo's music */
    SIGNAL_KINDS
};

/* The kind of that name ("sine", ...), or -1. */
int signal_find(const char *name);
const char *signal_name(enum signal_kind kind);

/* Full scale is the whole int32_t; a narrower sample is its top bits (arithmetic shift right). */
int32_t signal_sample(enum signal_kind kind, const struct pcm_format *f, uint64_t frame,
                      unsigned channel);

/* Frames [first, first + frames) as a guest's bytes: interleaved, little-endian, f->width bits. */
void signal_render(enum signal_kind kind, const struct pcm_format *f, uint64_t first,
                   uint32_t frames, uint8_t *out);

#endif
