/* The server's queue of one stream, filled ahead of time. All under the loop's lock, as on its thread. */
#ifndef SCREAM_PULSE_QUEUE_H
#define SCREAM_PULSE_QUEUE_H

#include "pulse_fade.h"

#include <pulse/stream.h>
#include <stdbool.h>

struct player;

struct pulse_queue {
    pa_stream *stream;
    struct player *player;
    const pa_sample_spec *spec;
    bool by_cycles; /* PipeWire's stand-in: it takes from the queue, and tells the time, in steps */

    pa_buffer_attr attr; /* at the latest request */
    uint32_t period; /* frames taken from the queue at a time, as seen of late; 0: not seen yet */
    uint32_t least;  /* of the requests being seen, */
    unsigned seen;   /* so many so far */
    unsigned
        timing;  /* requests since the timing may have changed: a caller that knows sets it to 0 */
    size_t room; /* bytes that it takes now; libpulse tells, with a system call each time */
    enum sample_type type;
    struct pulse_memory memory; /* of what is in the queue */
    int64_t behind;             /* ns behind the queue of a server by cycles; 0: not known yet */
};

/* It has room for so many bytes; nothing has been written since. */
void pulse_queue_begin(struct pulse_queue *q, size_t room);

/* A request has come for so many bytes in all, and nothing has been written since. */
void pulse_queue_asked(struct pulse_queue *q, size_t room);

/*
 * Whatever the player has, and at least what the queue must hold until the next request; silence: only
 * that, of silence. The stream's state tells of failure.
 */
void pulse_queue_fill(struct pulse_queue *q, bool silence);

/*
 * Most of what is in the queue, if that is long, is taken back: what is next dies away. ns until that has
 * been heard, or -errno. Nothing may be written after it.
 */
int64_t pulse_queue_fade(struct pulse_queue *q);

#endif
