/*
 * Frames that straddle datagrams (5 and 7 channels) after datagrams were lost. Pure.
 *
 * A datagram carries no number: what the network loses is lost unseen, and the channels change
 * their places until the next format. What our own socket has had no room for the kernel counts,
 * and every datagram has the same length: so many bytes of the next one are dropped that whole
 * frames are missing.
 */
#ifndef SCREAM_UDP_LOSSES_H
#define SCREAM_UDP_LOSSES_H

#include "../src/packet.h"

struct udp_losses {
    uint64_t dropped; /* datagrams, since the latest packet */
    struct source_id source;
    struct pcm_format format; /* of the latest packet */
};

/* The kernel dropped so many datagrams before the one that is looked at. */
void udp_losses_add(struct udp_losses *l, uint32_t datagrams);

/*
 * This packet is the next one. If it goes on with what the latest one was, the dropped ones are
 * taken for its stream's; with several senders at once nobody knows whose they were.
 */
void udp_losses_align(struct udp_losses *l, struct packet *p);

#endif
