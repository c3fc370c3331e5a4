/*
 * How any thread wakes the control thread: a set of event bits and a descriptor for poll().
 *
 * Raising costs one system call the first time and none while the control thread has not yet
 * looked, so that it may be done by the receiver thread at a rare event, but not from the player.
 */
#ifndef SCREAM_NOTIFY_H
#define SCREAM_NOTIFY_H

#include <stdatomic.h>

enum notify_event {
    NOTIFY_FORMAT = 1 << 0,   /* a stream's first format has begun, or another one */
    NOTIFY_OUTPUT = 1 << 1,   /* an output has failed: its `failure` says why */
    NOTIFY_RECEIVER = 1 << 2, /* a receiver has failed, or a crowd has come to it */
};

struct notifier {
    int fd; /* readable while events are pending; poll() it, do not read it */
    atomic_uint events;
};

/* 0 or -errno. */
int notifier_init(struct notifier *n);
void notifier_finish(struct notifier *n);

/* Any thread; never blocks. */
void notifier_raise(struct notifier *n, unsigned events);

/* Control thread: the events since the last call, which are then forgotten. */
unsigned notifier_take(struct notifier *n);

#endif
