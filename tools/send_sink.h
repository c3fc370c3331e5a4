/*
 * Where a guest's units go: datagrams (send_udp.c) or chunks of shared memory (send_shm.c). One
 * thread. Streams follow each other on one sink: begin, write..., end.
 */
#ifndef SCREAM_SEND_SINK_H
#define SCREAM_SEND_SINK_H

#include "../src/format.h"
#include "send_options.h"

#include <stdbool.h>
#include <stdint.h>

/* A sink's own state, whose first member this is. */
struct send_sink {
    const struct send_sink_ops *ops;
    char where[80]; /* for people: "239.255.77.77:4010" */
};

struct send_sink_ops {
    bool lingers; /* the receiver sees the stream's end: give it time to read the last unit */

    /* No stream is open. 0 and how large this format's units are, at least one byte, or -errno. */
    int (*begin)(struct send_sink *sink, const struct pcm_format *f, uint32_t *unit_bytes);

    /* One unit, taken before it returns; never waits for a receiver. 0, or -errno: it is lost. */
    int (*write)(struct send_sink *sink, const uint8_t *unit);

    /* Also when none is open. */
    void (*end)(struct send_sink *sink);

    /* Ends what is open and frees the sink. */
    void (*close)(struct send_sink *sink);
};

/* 0 and *out, to be closed by its ops, or -errno after a line on stderr that names the remedy. */
int send_udp_open(struct send_sink **out, const struct send_options *options);
int send_shm_open(struct send_sink **out, const struct send_options *options);

#endif
