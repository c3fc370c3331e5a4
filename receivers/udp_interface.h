/* What `-i` names, and what there is without it. Control thread; asks the kernel by netlink. */
#ifndef SCREAM_UDP_INTERFACE_H
#define SCREAM_UDP_INTERFACE_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

struct udp_interface {
    char name[IF_NAMESIZE];
    int index;
    unsigned flags;         /* IFF_... */
    struct in_addr address; /* INADDR_ANY: it has no IPv4 address */
};

/*
 * The interface of that name or with that IPv4 address, which is then its address here; a name's is
 * the interface's first. 0; -ENODEV or -EADDRNOTAVAIL when there is none (yet), or another
 * -errno, with `why`.
 */
int udp_interface_find(struct udp_interface *out, const char *text, char *why, size_t size);

/* Of what udp_interface_find() has returned: the kernel would not tell; it may the next time. */
bool udp_interface_unlisted(int err);

/*
 * Those that are up and can carry multicast, loopback too; those with an IPv4 address come first.
 * Returns how many there are; at most `max` of them are in list. Or -errno.
 */
int udp_interface_list(struct udp_interface *list, int max);

#endif
