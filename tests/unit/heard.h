/*
 * A UDP receiver under test, of which the test plays all threads, and those who speak to it: in the namespace
 * of namespace.h. What goes wrong fails the test.
 */
#ifndef SCREAM_HEARD_H
#define SCREAM_HEARD_H

#include "receiver.h"

#include <stddef.h>
#include <stdint.h>

#define PORT       4010
#define HEARD_MOST 64

/* A receiver, and a deadline as its wake-up fd. */
struct heard {
    struct receiver *r;
    struct receiver_counters counters;
    int deadline; /* a timer, 5 s from the opening on */
    struct packet packets[HEARD_MOST];
};

/* The default group on the loopback interface, and whatever is sent to this host alone. */
extern const struct receiver_config on_lo, unicast;

void hear(struct heard *h, const struct receiver_config *config);
void unhear(struct heard *h);

/* Reads at most max <= HEARD_MOST packets, until there is one or the deadline fails the test; how many there are. */
int next_packets(struct heard *h, int max);

/* The next packet's first payload byte, by which tests mark them. */
int next_mark(struct heard *h);

/* A socket that speaks from this interface, lo or near; the caller's to close. */
int talker(const char *interface);

/* From that address of this host, on lo. */
int talker_at(const char *address);

/* One datagram to that address. */
void say_bytes(int fd, const char *to, const uint8_t *bytes, size_t n);

/* One good datagram whose first sample byte is mark. */
void say(int fd, const char *to, uint8_t mark);

#endif
