/*
 * On which interfaces a socket is a member of the group: those that are there, whatever comes and
 * goes. Control thread.
 *
 * The kernel keeps a membership through a link's down and up. It ends with its interface, of which
 * the socket knows nothing: it keeps the useless entry, which has to be left.
 */
#ifndef SCREAM_UDP_MEMBERS_H
#define SCREAM_UDP_MEMBERS_H

#include "udp_interface.h"
#include "udp_watch.h"

#define UDP_INTERFACES 64

struct udp_members {
    int fd; /* the socket, the caller's */
    struct in_addr group;
    const char *interface; /* the caller's; NULL: every one that is up */
    int count;             /* joined */
    int there;             /* that could be joined */
    struct udp_interface joined[UDP_INTERFACES];
};

/*
 * Leaves what is gone and joins what is there. A membership whose interface is not what it was is
 * begun anew. `waiting`: what nothing can come without, or "".
 */
void udp_members_sync(struct udp_members *m, const struct udp_news *news, char *waiting,
                      size_t size);

/*
 * Leaves and joins again, so that the hosts and switches on the way hear a report: without a
 * querier among them those forget a member after some minutes. The kernel defers its messages by a
 * few milliseconds and sends the outcome (IGMPv3: the report alone; IGMPv2: both). What arrives in
 * the microseconds between is lost.
 */
void udp_members_renew(struct udp_members *m);

#endif
