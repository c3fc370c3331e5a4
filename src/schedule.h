/*
 * Real-time scheduling for the threads that must not be late: the receiver's, and those that fill an
 * output. Where the user may not have it (RLIMIT_RTPRIO, see limits.conf(5)), all goes on without.
 */
#ifndef SCREAM_SCHEDULE_H
#define SCREAM_SCHEDULE_H

#include <stdbool.h>

/* Above every ordinary thread is enough; audio servers and the kernel's threads stay above it. */
#define SCHEDULE_PRIORITY 5

/* The calling thread, before it begins to matter. False: it stays an ordinary one. */
bool schedule_real_time(void);

#endif
