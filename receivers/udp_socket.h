/* A socket on which only what the user asked for arrives, whatever interfaces do. */
#ifndef SCREAM_UDP_SOCKET_H
#define SCREAM_UDP_SOCKET_H

#include "../src/receiver.h"
#include "udp_filter.h"
#include "udp_members.h"
#include "udp_renewal.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

struct udp_socket {
    /* immutable */
    int fd;
    uint32_t buffer; /* bytes of its buffer, as the kernel counts; 0: unknown */
    bool mixed;      /* broadcasts arrive too: only IP_PKTINFO tells them apart */
    struct receiver_config config;

    /* control thread's */
    int watch_fd;           /* -1: nothing is watched */
    struct in_addr address; /* unicast: bound to that; INADDR_ANY: to all */
    char on[IF_NAMESIZE];   /* unicast: its interface */
    bool bound;
    struct udp_members members;
    struct udp_renewal renewal;
    bool again;      /* what no news will come of has failed, and may succeed soon */
    int64_t look_at; /* then, or without a watch: time of the next look at the interfaces */
};

/*
 * Control thread. filter: what may arrive from the first datagram on, NULL: everything. 0, or -errno
 * with nothing left open and `why`, as receiver_driver.open says; `waiting` as struct receiver says.
 */
int udp_socket_open(struct udp_socket *s, const struct receiver_config *config,
                    const struct udp_filter *filter, char *waiting, char *why, size_t size);
void udp_socket_close(struct udp_socket *s);

/* What has come so far. */
struct udp_heard {
    uint64_t packets;
    struct in_addr source; /* that plays; INADDR_ANY: none does yet */
};

/* Control thread, as receiver_driver.tend says. */
int udp_socket_tend(struct udp_socket *s, const struct udp_heard *heard, int64_t now, char *waiting,
                    size_t size);
int64_t udp_socket_tend_at(const struct udp_socket *s);

/* Control thread: what the kernel has dropped so far, modulo 2^32; 0 when it does not say. */
uint32_t udp_socket_drops(const struct udp_socket *s);

void udp_socket_describe(const struct udp_socket *s, char *buf, size_t size);

#endif
