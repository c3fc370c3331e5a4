/* What PipeWire is asked for, and what its figures mean. Pure functions, any thread. */
#ifndef SCREAM_PIPEWIRE_SPEC_H
#define SCREAM_PIPEWIRE_SPEC_H

#include "../src/chmap.h"
#include "../src/format.h"
#include "../src/output.h"

#include <pipewire/keys.h>
#include <pipewire/stream.h>
#include <spa/param/audio/raw.h>

/* The source's rate, channels and speakers in that type: the stream's adapter converts. */
void pipewire_audio_info(struct spa_audio_info_raw *out, const struct pcm_format *source,
                         enum sample_type type);

/*
 * The quantum to ask for, for a whole way of target_latency (ns): about half of it, in frames of
 * PIPEWIRE_QUANTUM_RATE whatever the stream's rate. A power of two, as the graph would make it one
 * by rounding down.
 */
#define PIPEWIRE_QUANTUM_RATE 48000
uint32_t pipewire_quantum(int64_t target_latency);

/* How mixers show and remember the stream, and what it asks of the graph. The caller's to free; NULL: out of memory. */
struct pw_properties *pipewire_stream_properties(const struct output_config *config, uint32_t rate);

/* A moment of the graph: frames written now are heard `delay` later; both ns, CLOCK_MONOTONIC. */
struct pipewire_moment {
    int64_t now, delay;
};

/*
 * From what the stream reports inside its process callback; rate: the stream's own; clock: the time
 * it is really.
 */
struct pipewire_moment pipewire_moment(const struct pw_time *t, uint32_t rate, int64_t clock);

#endif
