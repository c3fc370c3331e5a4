/*
 * Real-time scheduling for the threads that must not be late: the receiver's, the feeder's, and the
 * loop of a library that fills an output. (PipeWire sees to its own.)
 *
 * The first of these that is granted:
 *     SCHED_RR, by RLIMIT_RTPRIO (see limits.conf(5)) or CAP_SYS_NICE
 *     SCHED_RR, by RealtimeKit
 *     a nice value of -11, by RLIMIT_NICE or CAP_SYS_NICE
 * Where none is, all goes on without.
 *
 * RealtimeKit is asked over D-Bus, which takes its time: a thread of its own does that, while the
 * one that it asks for goes about its work.
 */
#ifndef SCREAM_SCHEDULE_H
#define SCREAM_SCHEDULE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * One for all threads: above every ordinary thread is enough. It is what PulseAudio's own threads have;
 * PipeWire's (83 to 88, or 20 by RealtimeKit), JACK's and the kernel's interrupts (50) come first.
 * None of ours runs for more than a fraction of its period.
 */
#define SCHEDULE_PRIORITY 5
#define SCHEDULE_NICE     (-11)

/* For a user whose threads get none of these. */
#define SCHEDULE_REMEDY                                                                            \
    "install rtkit, or write \"@audio - rtprio 20\" to /etc/security/limits.d/audio.conf, join "   \
    "that "                                                                                        \
    "group and log in again"

/*
 * The calling thread, any: a real-time one, if its user's limits or capabilities allow. 0 and the priority
 * it has; or -errno, and it is an ordinary one that RealtimeKit would take.
 */
int schedule_by_limit(int *priority);

struct schedule {
    const char *who; /* for the log, a string that lasts; NULL: nothing is said */
    bool tell; /* say it at the normal level when nothing is granted; else to --verbose only */
    pid_t thread;
    int wake_fd;
    bool asking; /* the helper has been started, and is to be joined */
    pthread_t helper;
};

/*
 * The thread that matters, before it does: makes it a real-time one, now or a little later; its stack is
 * kept in memory. Which way it went is logged, with the remedy when there was none.
 */
void schedule_begin(struct schedule *s, const char *who, bool tell);

/*
 * Control thread, when that thread has been joined; takes no time. Fine on a zeroed one whose thread
 * never began.
 */
void schedule_end(struct schedule *s);

#endif
