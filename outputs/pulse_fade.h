/*
 * An end that does not wait for a long queue: what the server has been given is remembered, so that the
 * part of it that is not heard yet can be given again, dying away. All under the loop's lock.
 */
#ifndef SCREAM_PULSE_FADE_H
#define SCREAM_PULSE_FADE_H

#include "../src/sample.h"

#include <pulse/stream.h>
#include <stddef.h>
#include <stdint.h>

/* The latest `size` bytes, at their index modulo that. */
struct pulse_memory {
    uint8_t *data;
    size_t size;
    uint64_t written;
};

/* 0 or -ENOMEM. Closing what was never opened is fine. */
int pulse_memory_open(struct pulse_memory *m, size_t size);
void pulse_memory_close(struct pulse_memory *m);

/* The loop's thread. */
void pulse_memory_add(struct pulse_memory *m, const uint8_t *data, size_t bytes);

/* The last `back` bytes of the stream's queue become a fade and silence. 0 or -errno. */
int pulse_fade(const struct pulse_memory *m, pa_stream *s, enum sample_type type, size_t back);

#endif
