#include "udp_interface.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <netpacket/packet.h>
#include <stdio.h>
#include <string.h>

static int family_of(const struct ifaddrs *a)
{
    return a->ifa_addr ? a->ifa_addr->sa_family : AF_UNSPEC;
}

static struct in_addr ipv4_of(const struct ifaddrs *a)
{
    struct sockaddr_in in;
    memcpy(&in, a->ifa_addr, sizeof in);
    return in.sin_addr;
}

/* The first IPv4 address of that interface, or INADDR_ANY. */
static struct in_addr first_ipv4(const struct ifaddrs *all, const char *name)
{
    for (const struct ifaddrs *a = all; a; a = a->ifa_next)
        if (family_of(a) == AF_INET && strcmp(a->ifa_name, name) == 0)
            return ipv4_of(a);
    return (struct in_addr){.s_addr = htonl(INADDR_ANY)};
}

/* The kernel lists each interface once as AF_PACKET, whether it has addresses or not. */
static void fill(struct udp_interface *out, const struct ifaddrs *link, struct in_addr address)
{
    struct sockaddr_ll ll;
    memcpy(&ll, link->ifa_addr, sizeof ll);
    snprintf(out->name, sizeof out->name, "%s", link->ifa_name);
    out->index = ll.sll_ifindex;
    out->flags = link->ifa_flags;
    out->address = address;
}

static const struct ifaddrs *find_link(const struct ifaddrs *all, const char *name)
{
    for (const struct ifaddrs *a = all; a; a = a->ifa_next)
        if (family_of(a) == AF_PACKET && strcmp(a->ifa_name, name) == 0)
            return a;
    return NULL;
}

static const struct ifaddrs *find_address(const struct ifaddrs *all, struct in_addr address)
{
    for (const struct ifaddrs *a = all; a; a = a->ifa_next)
        if (family_of(a) == AF_INET && ipv4_of(a).s_addr == address.s_addr)
            return a;
    return NULL;
}

static int find_by_address(struct udp_interface *out, const struct ifaddrs *all,
                           struct in_addr address)
{
    const struct ifaddrs *a = find_address(all, address);
    if (!a)
        return -EADDRNOTAVAIL;
    /* An alias' label is "eth0:1"; its link is eth0. */
    char name[IF_NAMESIZE];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(a->ifa_name, ":"), a->ifa_name);
    const struct ifaddrs *link = find_link(all, name);
    if (!link)
        return -EADDRNOTAVAIL;
    fill(out, link, address);
    return 0;
}

bool udp_interface_unlisted(int err)
{
    return err < 0 && err != -ENODEV && err != -EADDRNOTAVAIL;
}

int udp_interface_find(struct udp_interface *out, const char *text, char *why, size_t size)
{
    struct ifaddrs *all;
    if (getifaddrs(&all) < 0) {
        const int err = errno;
        snprintf(why, size, "the network interfaces cannot be listed: %s", strerror(err));
        return -err;
    }
    int ret = 0;
    struct in_addr address;
    if (inet_pton(AF_INET, text, &address) == 1) {
        ret = find_by_address(out, all, address);
        if (ret < 0)
            snprintf(why, size,
                     "no interface has the address %s (yet); `ip address` shows those that exist",
                     text);
    } else {
        const struct ifaddrs *link = find_link(all, text);
        if (link)
            fill(out, link, first_ipv4(all, text));
        else
            ret = -ENODEV;
        if (ret < 0)
            snprintf(why, size,
                     "there is no interface '%s' (yet); `ip link` shows those that exist", text);
    }
    freeifaddrs(all);
    return ret;
}

static bool is_usable(const struct ifaddrs *a)
{
    return family_of(a) == AF_PACKET && (a->ifa_flags & IFF_UP) &&
           (a->ifa_flags & (IFF_MULTICAST | IFF_LOOPBACK));
}

/* Appends those that have an address, or those that have none. */
static int collect(struct udp_interface *list, int have, int max, const struct ifaddrs *all,
                   bool addressed)
{
    for (const struct ifaddrs *a = all; a; a = a->ifa_next) {
        if (!is_usable(a))
            continue;
        const struct in_addr address = first_ipv4(all, a->ifa_name);
        if ((address.s_addr != htonl(INADDR_ANY)) != addressed)
            continue;
        if (have < max)
            fill(&list[have], a, address);
        have++;
    }
    return have;
}

int udp_interface_list(struct udp_interface *list, int max)
{
    struct ifaddrs *all;
    if (getifaddrs(&all) < 0)
        return -errno;
    int n = collect(list, 0, max, all, true);
    n = collect(list, n, max, all, false);
    freeifaddrs(all);
    return n;
}
