#include "udp_socket.h"

#include "../src/log.h"
#include "udp_interface.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECEIVE_BUFFER (1 << 20) /* bytes: 85 ms of 192 kHz/32/8, as the kernel counts */
#define MAX_INTERFACES 64

static int set_int(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) < 0 ? -errno : 0;
}

/* Each of these only makes things better; a kernel that lacks one is served without. */
static void set_comforts(int fd)
{
    int granted = 0;
    socklen_t size = sizeof granted;
    set_int(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER);
    set_int(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
    set_int(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
    if (getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &granted, &size) == 0)
        log_debug("udp: socket buffer of %d KiB (net.core.rmem_max bounds it)", granted / 1024);
}

static int bind_to(int fd, struct in_addr address, uint16_t port, char *why, size_t size)
{
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_addr = address, .sin_port = htons(port)};
    if (bind(fd, (const struct sockaddr *)&to, sizeof to) == 0)
        return 0;
    const int err = errno;
    char text[INET_ADDRSTRLEN];
    inet_ntop(AF_INET, &address, text, sizeof text);
    if (err == EADDRINUSE)
        snprintf(why, size,
                 "port %u is in use by another program; stop that one, choose another port by -p "
                 "here and in the guest, or with -u name an interface by -i",
                 port);
    else if (err == EACCES)
        snprintf(why, size, "port %u is for root only; choose one above 1023 by -p", port);
    else
        snprintf(why, size, "cannot listen at %s:%u: %s", text, port, strerror(err));
    return -err;
}

/* By index, so that an interface without an address of ours serves as well. */
static int join(int fd, struct in_addr group, const struct udp_interface *on)
{
    const struct ip_mreqn m = {.imr_multiaddr = group, .imr_ifindex = on->index};
    return setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof m) < 0 ? -errno : 0;
}

static int join_one(struct udp_socket *s, struct in_addr group, const char *interface, char *why,
                    size_t size)
{
    struct udp_interface on;
    int ret = udp_interface_find(&on, interface, why, size);
    if (ret < 0)
        return ret;
    ret = join(s->fd, group, &on);
    if (ret < 0) {
        snprintf(why, size, "cannot join the group on %s: %s; can it carry multicast?", on.name,
                 strerror(-ret));
        return ret;
    }
    const size_t used = strlen(s->text);
    snprintf(s->text + used, sizeof s->text - used, " on %s", on.name);
    return 0;
}

/*
 * The guest may sit on any bridge. The kernel allows 20 memberships a socket by default
 * (net.ipv4.igmp_max_memberships): those with an address come first, and some are better than none.
 */
static int join_all(struct udp_socket *s, struct in_addr group, char *why, size_t size)
{
    struct udp_interface list[MAX_INTERFACES];
    const int n = udp_interface_list(list, MAX_INTERFACES);
    int joined = 0, last = n < 0 ? n : -ENODEV;
    for (int i = 0; i < n && i < MAX_INTERFACES; i++) {
        const int ret = join(s->fd, group, &list[i]);
        joined += ret == 0;
        if (ret == 0)
            continue;
        last = ret;
        log_debug("udp: no membership on %s: %s", list[i].name, strerror(-ret));
        if (ret == -ENOBUFS)
            break;
    }
    if (joined == 0) {
        snprintf(why, size, "the group can be joined on no interface: %s; is the network up?",
                 strerror(-last));
        return last;
    }
    const size_t used = strlen(s->text);
    snprintf(s->text + used, sizeof s->text - used,
             joined < n ? " on %d of %d interfaces" : " on all %d interfaces", joined, n);
    return 0;
}

/*
 * Bound to the group itself: what goes to another group, to our addresses or to everybody on the
 * same port does not arrive, and several programs may listen to one group.
 */
static int open_multicast(struct udp_socket *s, const struct receiver_config *config, char *why,
                          size_t size)
{
    const char *text = config->group ? config->group : SCREAM_DEFAULT_GROUP;
    struct in_addr group;
    if (inet_pton(AF_INET, text, &group) != 1 || !IN_MULTICAST(ntohl(group.s_addr))) {
        snprintf(why, size,
                 "'%s' is not a multicast address; -g takes 224.0.0.0 to 239.255.255.255", text);
        return -EINVAL;
    }
    int ret = set_int(s->fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (ret == 0) /* else memberships of other programs let packets of other interfaces in */
        ret = set_int(s->fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);
    if (ret < 0) {
        snprintf(why, size, "the kernel refuses a multicast socket: %s", strerror(-ret));
        return ret;
    }
    ret = bind_to(s->fd, group, config->port, why, size);
    if (ret < 0)
        return ret;
    snprintf(s->text, sizeof s->text, "%s:%u", text, config->port);
    return config->interface ? join_one(s, group, config->interface, why, size)
                             : join_all(s, group, why, size);
}

/*
 * Without SO_REUSEADDR: of two programs that share a unicast port the older one would lose all
 * packets without a word. Bound to one address no multicast or broadcast arrives. Bound to all of
 * them, IP_MULTICAST_ALL = 0 keeps multicast out, and IP_PKTINFO shows what is a broadcast.
 */
static int open_unicast(struct udp_socket *s, const struct receiver_config *config, char *why,
                        size_t size)
{
    struct udp_interface on = {.address = {.s_addr = htonl(INADDR_ANY)}};
    int ret = config->interface ? udp_interface_find(&on, config->interface, why, size) : 0;
    if (ret < 0)
        return ret;
    s->mixed = !config->interface;
    if (config->interface && on.address.s_addr == htonl(INADDR_ANY)) {
        snprintf(why, size, "%s has no IPv4 address (yet), which -u needs", on.name);
        return -EADDRNOTAVAIL;
    }
    if (s->mixed) {
        ret = set_int(s->fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);
        if (ret == 0)
            ret = set_int(s->fd, IPPROTO_IP, IP_PKTINFO, 1);
        if (ret < 0) {
            snprintf(why, size, "the kernel refuses a unicast socket: %s", strerror(-ret));
            return ret;
        }
    }
    ret = bind_to(s->fd, on.address, config->port, why, size);
    if (ret < 0)
        return ret;
    char text[INET_ADDRSTRLEN];
    inet_ntop(AF_INET, &on.address, text, sizeof text);
    if (s->mixed)
        snprintf(s->text, sizeof s->text, "unicast to port %u", config->port);
    else
        snprintf(s->text, sizeof s->text, "unicast to %s:%u on %s", text, config->port, on.name);
    return 0;
}

int udp_socket_open(struct udp_socket *s, const struct receiver_config *config, char *why,
                    size_t size)
{
    *s = (struct udp_socket){.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (s->fd < 0) {
        const int err = errno;
        snprintf(why, size, "cannot open a socket: %s", strerror(err));
        return -err;
    }
    /* Before the bind, from which on packets arrive. */
    set_comforts(s->fd);
    const int ret =
        config->unicast ? open_unicast(s, config, why, size) : open_multicast(s, config, why, size);
    if (ret < 0)
        close(s->fd);
    return ret;
}
