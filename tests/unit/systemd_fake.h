/* systemd's end of the socket by which it is told of a service: of this process. One at a time. */
#ifndef SCREAM_SYSTEMD_FAKE_H
#define SCREAM_SYSTEMD_FAKE_H

#include "clock.h"

#include <stdbool.h>

#define SYSTEMD_FAKE_WATCHDOG (30 * NS_PER_S)

/* It is in the environment, with a watchdog of that time, or without one; and no longer. */
void systemd_fake_begin(bool watchdog);
void systemd_fake_end(void);

/* Nothing more gets into the queue: what is in it is nobody's. */
void systemd_fake_fill(void);

/* That has been read. */
void systemd_fake_drain(void);

/* What was told next; "" when nothing was. It has been sent when the call that tells returns. */
const char *systemd_told(void);

/* Skips the test in a build without it. */
void need_libsystemd(void);

#endif
