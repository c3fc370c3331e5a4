/*
 * A connection to a PipeWire server: a thread loop, a context and a core on it. Used by the control
 * thread; locked means by pw_thread_loop_lock().
 */
#ifndef SCREAM_PIPEWIRE_LINK_H
#define SCREAM_PIPEWIRE_LINK_H

#include "../src/lookout.h"

#include <pipewire/pipewire.h>

#include <stdbool.h>
#include <stdint.h>

struct pipewire_link {
    struct pw_thread_loop *loop;
    struct pw_context *context;
    struct pw_core *core;
    struct spa_hook listener;
    int pending;                         /* locked: the round trip that is awaited */
    bool done;                           /* locked: it has come back */
    int error;                           /* locked: 0, or why there is no server any more */
    void (*lost)(void *data, int error); /* loop's thread: the server has gone */
    void *data;
    struct lookout *lookout; /* where it is told when there is no server; NULL: it is not */
};

/* 0 and connected, unlocked; or -errno and nothing is left. lost, data and lookout are set by the caller. */
int pipewire_link_open(struct pipewire_link *l);

/* Unlocked. Streams and proxies are the caller's to be destroyed before. */
void pipewire_link_close(struct pipewire_link *l);

/* Locked: all that was asked for so far has been answered. 0 or -errno, -ETIMEDOUT after timeout ns. */
int pipewire_link_sync(struct pipewire_link *l, int64_t timeout);

/* In one clause: why `sink` (NULL: the default) of the server cannot be had, and the remedy. */
void pipewire_link_explain(char *why, size_t size, const char *sink, int err);

#endif
