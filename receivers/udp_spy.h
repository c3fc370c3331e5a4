/*
 * What reaches an interface before any firewall has seen it, for --check: by a packet socket, which only root
 * (CAP_NET_RAW) gets, and by the interface's own counter, which anybody may read.
 */
#ifndef SCREAM_UDP_SPY_H
#define SCREAM_UDP_SPY_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

struct udp_spy {
    int fd; /* readable: udp_spy_take() has something to see; -1: not allowed */
    struct in_addr
        group; /* where packets are expected; INADDR_ANY: at an address of the host's own */
    uint16_t port;
    char name[IF_NAMESIZE]; /* of the interface, "": all */
    uint64_t before;        /* packets that the interface had received */

    unsigned expected;         /* the guest's packets for that group or host and port */
    unsigned elsewhere;        /* the guest's packets for another one: */
    struct sockaddr_in target; /* the latest of those */
};

/* The caller sets group, port and name; index: the interface's, 0: all. */
void udp_spy_open(struct udp_spy *s, int index);
void udp_spy_close(struct udp_spy *s);

/* Takes what there is, or as much of it as is soon done, without waiting. */
void udp_spy_take(struct udp_spy *s);

/* Packets of any kind that the interface has received since the opening; 0 when that is not known. */
uint64_t udp_spy_received(const struct udp_spy *s);

#endif
