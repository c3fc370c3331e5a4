/* The PulseAudio output's inside: pulse.c (open to close), pulse_events.c (what the server says meanwhile). */
#ifndef SCREAM_PULSE_INTERNAL_H
#define SCREAM_PULSE_INTERNAL_H

#include "../src/output.h"
#include "pulse_link.h"
#include "pulse_queue.h"

#include <pulse/stream.h>

#define PULSE_SILENT_REQUESTS 5 /* before the player is read: by then the sink's timing is steady */
#define PULSE_SILENT_RESUMED  4 /* likewise, when it has been before */

struct pulse {
    struct output output;

    /* immutable once open */
    struct pulse_link link;
    struct player *player;
    const char *home; /* the sink asked for; NULL: the default one */
    pa_sample_spec spec;

    /* under the loop's lock */
    pa_stream *stream;
    struct pulse_queue queue;
    unsigned silent; /* requests to be met with silence yet */
    bool dry;        /* since the latest request */
    int64_t asked;   /* time of the latest request; 0: none yet */
    bool playing;    /* between start() and stop(), or the failure of the stream */
};

/* All locked, as on the loop's own thread. */

/* The stream's events are looked at from here on, or no more. */
void pulse_events_attach(struct pulse *p);
void pulse_events_detach(struct pulse *p);

/* From here on requests are answered, so many of them with silence; or none any more. */
void pulse_requests_begin(struct pulse *p, unsigned silent);
void pulse_requests_end(struct pulse *p);

/* data: struct pulse. Its connection or its stream has gone, with -errno: told while it plays. */
void pulse_fail(void *data, int error);

#endif
