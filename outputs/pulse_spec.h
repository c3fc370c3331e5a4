/* What PulseAudio is asked for and told: formats, speakers, buffer sizes, names. Pure functions, any thread. */
#ifndef SCREAM_PULSE_SPEC_H
#define SCREAM_PULSE_SPEC_H

#include "../src/chmap.h"
#include "../src/format.h"

#include <pulse/channelmap.h>
#include <pulse/def.h>
#include <pulse/proplist.h>
#include <pulse/sample.h>

/* The source's rate and channels in that type: the server resamples if its sink differs. */
void pulse_sample_spec(pa_sample_spec *out, const struct pcm_format *source, enum sample_type type);

void pulse_channel_map(pa_channel_map *out, const struct chmap *map);

/*
 * Sizes for a whole way of target_latency (ns): requests of a sixth of it at most, a queue that always
 * has room for it and more. Meant for PULSE_BUFFERING, which makes the sink's own buffer no larger than
 * minreq and lets it ask for that much at a time. Of all the server's modes this one has the smallest
 * and steadiest requests, and the most in the queue, ready for when our thread is late, for the
 * same delay.
 */
#define PULSE_BUFFERING PA_STREAM_EARLY_REQUESTS
void pulse_buffer_attr(pa_buffer_attr *out, const pa_sample_spec *spec, int64_t target_latency);

/* Frames of the largest request to be expected as a rule, from what was granted. */
uint32_t pulse_quantum(const pa_buffer_attr *granted, const pa_sample_spec *spec);

/* How mixers show and remember a stream of that name. The caller's to free; NULL: out of memory. */
pa_proplist *pulse_stream_properties(const char *name);

#endif
