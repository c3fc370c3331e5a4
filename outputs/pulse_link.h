/*
 * A connection to a PulseAudio server: a threaded main loop and a context on it, with a deadline for
 * whoever waits for an answer. All by the control thread, under the loop's lock where it says so.
 */
#ifndef SCREAM_PULSE_LINK_H
#define SCREAM_PULSE_LINK_H

#include "../src/lookout.h"
#include "../src/schedule.h"

#include <pulse/context.h>
#include <pulse/stream.h>
#include <pulse/thread-mainloop.h>

#include <stdbool.h>

struct pulse_link {
    pa_threaded_mainloop *loop;
    pa_context *context;
    pa_time_event *deadline;             /* under the lock */
    bool pipewire;                       /* what answers is PipeWire in PulseAudio's place */
    bool late;                           /* under the lock: the deadline has passed */
    void (*lost)(void *data, int error); /* loop's thread: the server has gone, once connected */
    void *data;
    struct lookout *lookout;  /* where it is told when there is no server; NULL: it is not */
    struct schedule schedule; /* loop's thread, until the loop has been stopped */
};

/* 0 and connected, unlocked; or -errno and nothing is left. lost, data and lookout are set by the caller. */
int pulse_link_open(struct pulse_link *l, pa_context_flags_t flags, pa_usec_t timeout);

/* Unlocked. Streams and operations are the caller's to be released before. */
void pulse_link_close(struct pulse_link *l);

/* Locked, once: the loop's thread will fill a stream, and must not be late to answer a request. */
void pulse_link_hurry(struct pulse_link *l);

/* Locked: from now on pulse_link_wait() gives up after so many microseconds. 0 or -ENOMEM. */
int pulse_link_deadline(struct pulse_link *l, pa_usec_t timeout);

/* Locked: waits for the loop's thread to signal. 0, -ETIMEDOUT, or -errno when the server has gone. */
int pulse_link_wait(struct pulse_link *l);

/* Locked: waits for it to end, and releases it. NULL is an error of the context. 0 or -errno. */
int pulse_link_finish(struct pulse_link *l, pa_operation *op);

/* Locked: does not wait for it, and releases it. NULL is an error of the context. 0 or -errno. */
int pulse_link_forget(struct pulse_link *l, pa_operation *op);

/* A callback that ends a pulse_link_finish(): for streams; data is the link. */
void pulse_link_done(pa_stream *s, int success, void *data);

/* Locked: the context's latest error, as -errno. */
int pulse_link_error(const struct pulse_link *l);

/* In one clause: why `sink` (NULL: the default) of the server cannot be had, and the remedy. */
void pulse_link_explain(char *why, size_t size, const char *sink, int err);

#endif
