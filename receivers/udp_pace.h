/*
 * How much is read of a socket. A real-time thread that never waits keeps a processor from everybody else, and
 * where RealtimeKit has limited its time (RLIMIT_RTTIME) the kernel ends the process. So whoever sends more
 * than any guest can, and be it the one that plays, is read at a bounded rate; the kernel drops the rest. Pure.
 */
#ifndef SCREAM_UDP_PACE_H
#define SCREAM_UDP_PACE_H

#include "../src/clock.h"

#include <stdint.h>

/* Datagrams: more than a socket's buffer holds, so that what has waited there is always taken at once, */
#define UDP_PACE_AT_ONCE 4096
/* and from then on so many a millisecond: six times what a guest of the largest format sends. */
#define UDP_PACE_A_MS 32

struct udp_pace {
    int64_t until; /* ns, CLOCK_MONOTONIC: what has been read is spent until then */
};

/* So many have been read at that time. */
void udp_pace_read(struct udp_pace *p, int datagrams, int64_t now);

/* ms to wait before the next are read; 0: none. */
int udp_pace_wait(const struct udp_pace *p, int64_t now);

#endif
