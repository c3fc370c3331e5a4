/* A socket on which only what the user asked for arrives. Control thread. */
#ifndef SCREAM_UDP_SOCKET_H
#define SCREAM_UDP_SOCKET_H

#include "../src/receiver.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

struct udp_socket {
    int fd;
    bool mixed;    /* broadcasts arrive too: only IP_PKTINFO tells them apart */
    char text[96]; /* what it listens to, for describe() */
};

/* 0, or -errno with nothing left open and `why`, as receiver_driver.open says. */
int udp_socket_open(struct udp_socket *s, const struct receiver_config *config, char *why,
                    size_t size);

#endif
