/* The server's queue of one stream, filled ahead of time. All under the loop's lock, as on its thread. */
#ifndef SCREAM_PULSE_QUEUE_H
#define SCREAM_PULSE_QUEUE_H

#include <pulse/stream.h>
#include <stdbool.h>

struct player;

struct pulse_queue {
    pa_stream *stream;
    struct player *player;
    const pa_sample_spec *spec;
};

/*
 * Whatever the player has, and at least what the queue must hold until the next request; silence: only
 * that, of silence. The stream's state tells of failure.
 */
void pulse_queue_fill(const struct pulse_queue *q, bool silence);

#endif
