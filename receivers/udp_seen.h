/* Who has sent what, for --check: a tally of datagrams by their senders. Pure. */
#ifndef SCREAM_UDP_SEEN_H
#define SCREAM_UDP_SEEN_H

#include "udp_parse.h"

#define UDP_SEEN 8

struct udp_sender {
    struct source_id source;
    struct pcm_format format; /* of the latest packet */
    unsigned packets;
    unsigned foreign; /* datagrams that are no packets, */
    size_t length;    /* bytes of the latest of them */
};

struct udp_seen {
    unsigned packets; /* of all senders, listed or not */
    int count;
    struct udp_sender list[UDP_SEEN]; /* those that come later are not listed */
};

/* A datagram that had n bytes. */
void udp_seen_add(struct udp_seen *s, struct source_id source, const struct udp_datagram *raw,
                  size_t n);

#endif
