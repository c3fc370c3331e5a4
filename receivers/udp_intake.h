/*
 * From what the socket gives to packets: the datagram to the parser, and the kernel's notes beside it (when
 * it came, what was dropped before it, whom it was sent to) to what they mean. Makes no system call.
 */
#ifndef SCREAM_UDP_INTAKE_H
#define SCREAM_UDP_INTAKE_H

#include "../src/counters.h"
#include "udp_drops.h"
#include "udp_losses.h"
#include "udp_parse.h"

#include <stdalign.h>
#include <sys/socket.h>
#include <time.h>

#define UDP_NOTES                                                                                  \
    (CMSG_SPACE(sizeof(uint32_t)) + CMSG_SPACE(sizeof(struct timespec)) +                          \
     CMSG_SPACE(sizeof(struct in_pktinfo)))

/* Room for one datagram, and what the kernel says beside it. */
struct udp_slot {
    struct sockaddr_in from;
    struct iovec vector;
    alignas(struct cmsghdr) char notes[UDP_NOTES];
    struct udp_datagram raw;
};

/* The receiver thread's. */
struct udp_intake {
    struct receiver_counters *counters; /* the caller's */
    struct udp_drops drops;
    struct udp_losses losses;
    int64_t last; /* arrival of the latest packet: they never go back */
};

/* Both clocks at one moment, ns. */
struct udp_now {
    int64_t monotonic, real;
};

/* buffer: as udp_drops_init() takes it. */
void udp_intake_init(struct udp_intake *in, struct receiver_counters *counters, uint32_t buffer);

/* The message that a datagram is received into: points into the slot, whole. */
void udp_slot_offer(struct udp_slot *s, struct msghdr *m);

/*
 * A datagram that had n bytes is in *s, and m->msg_controllen bytes of notes. True when it is a packet, which is
 * then in *p, its data in *s; else it is counted.
 */
bool udp_intake_take(struct udp_intake *in, const struct udp_slot *s, struct msghdr *m, size_t n,
                     const struct udp_now *now, struct packet *p);

#endif
