/*
 * The PipeWire output's inside: pipewire.c (open to close), pipewire_stream.c (its stream, and how that fares),
 * pipewire_cycle.c (what the graph's thread does).
 */
#ifndef SCREAM_PIPEWIRE_INTERNAL_H
#define SCREAM_PIPEWIRE_INTERNAL_H

#include "../src/output.h"
#include "pipewire_gate.h"
#include "pipewire_link.h"

#include <stdatomic.h>

#define PIPEWIRE_OPEN_NS (900 * NS_PER_MS) /* for each of two answers */
#define PIPEWIRE_SILENT_CYCLES                                                                     \
    3 /* before the player is read: by then quantum and delay are what they are */

struct pipewire {
    struct output output;

    /* immutable once open */
    struct pipewire_link link;
    struct pw_stream *stream;
    struct spa_hook listener;
    struct player *player;
    struct player_sink sink;
    uint32_t frame_bytes;
    bool no_connect;
    int cycling_fd; /* written when the graph has run for PIPEWIRE_SILENT_CYCLES */

    /* under the loop's lock */
    bool playing;                /* between start() and stop(), or the failure of the stream */
    bool paused;                 /* between pause() and resume() */
    struct spa_source *patience; /* a timer: until then it streams, or is begun with anew */

    /* the graph's thread, or the control thread while the gate is closed */
    unsigned silent; /* cycles yet, after a pause */
    unsigned cycles; /* up to PIPEWIRE_SILENT_CYCLES */
    bool broken;     /* the sound begins anew after those silent cycles */

    _Atomic int64_t
        cycled; /* time of the latest cycle; 0: without a sink since; -1: paused since */

    struct pipewire_gate gate; /* before the player */
    atomic_uint quantum;       /* frames of the latest cycle, 0 before the first */
};

/* Locked: a stream for it, unlinked and inactive. 0, or -errno and there is none. */
int pipewire_open_stream(struct pipewire *p, const struct output_config *config,
                         const struct pcm_format *source);

/* Locked. */
void pipewire_destroy_stream(struct pipewire *p);

/* Locked, or on the loop's thread: it must stream within so many ns, or is begun with anew. 0: it need not. */
void pipewire_have_patience(struct pipewire *p, int64_t ns);

/* data: struct pipewire. Loop's thread: the output has failed, if it plays. */
void pipewire_fail(void *data, int error);

/* data: struct pipewire. The graph's own thread: one cycle of it. */
void pipewire_cycle(void *data);

#endif
