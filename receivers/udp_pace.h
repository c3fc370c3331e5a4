/*
 * When a socket is read next, and how much. Pure.
 *
 * A guest's driver wakes every 10 ms and sends all that is full at once: two packets at 48 kHz/16/2, 53 at
 * 192 kHz/32/8. Of a burst like the latter the first packet wakes us, and then we sleep for a moment at a time
 * until as many are there as came the last time; if each woke us, that were 5,000 times a second.
 *
 * A real-time thread that never waits keeps a processor from everybody else, and where RealtimeKit has limited its
 * time (RLIMIT_RTTIME) the kernel ends the process. So whoever sends more than any guest can, and be it the one
 * that plays, is read at a bounded rate; the kernel drops the rest.
 */
#ifndef SCREAM_UDP_PACE_H
#define SCREAM_UDP_PACE_H

#include "../src/clock.h"

#include <stdbool.h>
#include <stdint.h>

/* Datagrams: more than a socket's buffer holds, so that what has waited there is always taken at once, */
#define UDP_PACE_AT_ONCE 4096
/* and from then on so many a millisecond: six times what a guest of the largest format sends. */
#define UDP_PACE_A_MS 32

/* After this long without any another burst begins; */
#define UDP_PACE_GAP_NS (2 * NS_PER_MS)
/* the rest of one is slept for so long at a time, which its first packet outlasts, */
#define UDP_PACE_NAP_NS 250000LL
/* but not for so few packets: they may as well wake us, all at once as often as not. */
#define UDP_PACE_FEW 4

/* All times: ns, CLOCK_MONOTONIC. Zeroed: nothing has been read. */
struct udp_pace {
    int64_t until;   /* what has been read is spent until then */
    int64_t last;    /* the latest time at which there was something */
    int burst;       /* datagrams in this burst, */
    int before;      /* and in the one before it */
    bool unfinished; /* there is more than was asked for */
};

/* So many have been read at that time, of as many as there was room for. */
void udp_pace_read(struct udp_pace *p, int datagrams, int room, int64_t now);

/* Until when nothing is read, whatever comes; not after `now`: as soon as there is something. */
int64_t udp_pace_rest(const struct udp_pace *p, int64_t now);

#endif
