/*
 * The control loop: opens the receiver and the outputs, watches them, opens them again, reports, and
 * ends on SIGINT or SIGTERM. One poll(); it touches no audio, and no audio waits for it.
 */
#ifndef SCREAM_SESSION_H
#define SCREAM_SESSION_H

#include "options.h"

/* Runs until a signal ends it: 0; or -errno when there is nothing left to be tried, which has been said. */
int session_run(const struct options *options);

#endif
