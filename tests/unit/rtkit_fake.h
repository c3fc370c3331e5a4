/*
 * A private bus with a RealtimeKit on it that does as it is told: what src/rtkit.c meets as the system's.
 * One at a time; without libsystemd or dbus-daemon there is none.
 */
#ifndef SCREAM_RTKIT_FAKE_H
#define SCREAM_RTKIT_FAKE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum rtkit_mood {
    RTKIT_GRANTS,
    RTKIT_REFUSES, /* with AccessDenied, once asked for a thread */
    RTKIT_HANGS,   /* answers nothing */
    RTKIT_ABSENT,  /* there is the bus, and not the service */
};

#define RTKIT_FAKE_MOST_PRIORITY 3
#define RTKIT_FAKE_MOST_US       200000

/* What it was asked, valid once rtkit_fake_end() has returned. */
struct rtkit_asked {
    int calls; /* of any method */
    int times; /* for a thread */
    pid_t process, thread;
    uint32_t priority;
    uint64_t limit_us;  /* RLIMIT_RTTIME at that time */
    bool reset_on_fork; /* of the thread then */
};

/* Makes it the system bus of this process; false: not to be had here. */
bool rtkit_fake_begin(enum rtkit_mood mood);
void rtkit_fake_end(struct rtkit_asked *asked);

#endif
