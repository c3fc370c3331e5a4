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

#include <stdint.h>

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
 * begun anew. `waiting`: what nothing can come without, or "". 0, or -EAGAIN: something has failed that
 * may succeed soon, and no news will come of it.
 */
int udp_members_sync(struct udp_members *m, const struct udp_news *news, char *waiting,
                     size_t size);

/*
 * Has a report sent, so that the switches on the way, which without a querier among them forget a
 * member after some minutes, go on knowing of this one.
 *
 * While this source plays: the memberships are narrowed to it and widened again, which IGMPv3
 * reports, and which loses next to nothing of it. IGMPv2, which the kernel speaks where it hears an old
 * querier ask, says nothing then; who asks does not forget.
 */
void udp_members_refresh(struct udp_members *m, struct in_addr source);

/*
 * While nothing comes: leaves and joins again, which any version reports. The kernel defers its
 * messages by a few milliseconds and sends the outcome. What arrives between, for a millisecond at
 * the worst, is lost. 0 or -EAGAIN, as above.
 */
int udp_members_renew(struct udp_members *m);

#endif
