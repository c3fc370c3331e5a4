#include "udp_members.h"

#include "../src/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* By index, so that an interface without an address of ours serves as well. */
static int change(const struct udp_members *m, int index, int option)
{
    const struct ip_mreqn request = {.imr_multiaddr = m->group, .imr_ifindex = index};
    return setsockopt(m->fd, IPPROTO_IP, option, &request, sizeof request) < 0 ? -errno : 0;
}

static void leave(struct udp_members *m, int i)
{
    change(m, m->joined[i].index, IP_DROP_MEMBERSHIP);
    memmove(&m->joined[i], &m->joined[i + 1], (size_t)(--m->count - i) * sizeof m->joined[i]);
}

static int join(struct udp_members *m, const struct udp_interface *on)
{
    if (m->count == UDP_INTERFACES)
        return -ENOBUFS;
    const int ret = change(m, on->index, IP_ADD_MEMBERSHIP);
    if (ret == 0)
        m->joined[m->count++] = *on;
    return ret;
}

static const struct udp_interface *find(const struct udp_interface *list, int n, int index)
{
    for (int i = 0; i < n; i++)
        if (list[i].index == index)
            return &list[i];
    return NULL;
}

static bool has_address(const struct udp_interface *on)
{
    return on->address.s_addr != htonl(INADDR_ANY);
}

/* Whoever heard of the membership before would not know it. */
static bool is_another(const struct udp_interface *before, const struct udp_interface *now)
{
    return before->address.s_addr != now->address.s_addr ||
           (now->flags & ~before->flags & (IFF_UP | IFF_RUNNING)) != 0;
}

/* What is left then is what need not be joined anew. */
static void leave_all_but(struct udp_members *m, const struct udp_interface *list, int n,
                          const struct udp_news *news)
{
    for (int i = m->count - 1; i >= 0; i--) {
        const struct udp_interface *now = find(list, n, m->joined[i].index);
        if (!now || udp_news_gone(news, now->index) || is_another(&m->joined[i], now))
            leave(m, i);
        else
            m->joined[i].flags = now->flags;
    }
}

/*
 * The kernel allows 20 memberships a socket by default (net.ipv4.igmp_max_memberships): one without
 * an address makes way for one that has one. True if there was one.
 */
static bool make_way(struct udp_members *m)
{
    for (int i = m->count - 1; i >= 0; i--) {
        if (has_address(&m->joined[i]))
            continue;
        leave(m, i);
        return true;
    }
    return false;
}

/*
 * The guest may sit on any bridge. Those with an address are first in the list. 0, the reason why there is
 * none, or -ENOMEM: the kernel had no memory for one of them just now.
 */
static int join_listed(struct udp_members *m, const struct udp_interface *list, int n)
{
    int last = m->count > 0 ? 0 : -ENODEV;
    for (int i = 0; i < n; i++) {
        if (find(m->joined, m->count, list[i].index))
            continue;
        int ret = join(m, &list[i]);
        if (ret == -ENOBUFS && has_address(&list[i]) && make_way(m))
            ret = join(m, &list[i]);
        if (last != -ENOMEM)
            last = ret;
        if (ret == -ENOBUFS)
            break;
        log_debug("udp: membership on %s: %s", list[i].name, ret < 0 ? strerror(-ret) : "new");
    }
    return m->count > 0 && last != -ENOMEM ? 0 : last;
}

static int sync_all(struct udp_members *m, const struct udp_news *news, char *waiting, size_t size)
{
    struct udp_interface list[UDP_INTERFACES];
    const int found = udp_interface_list(list, UDP_INTERFACES);
    const int n = found < UDP_INTERFACES ? found : UDP_INTERFACES;
    int ret = found;
    if (n >= 0) {
        leave_all_but(m, list, n, news);
        ret = join_listed(m, list, n);
        m->there = found;
    }
    if (ret < 0 && m->count == 0)
        snprintf(waiting, size,
                 "no interface (yet) on which the group can be joined: %s; is the network up?",
                 strerror(-ret));
    return found < 0 || ret == -ENOMEM ? -EAGAIN : 0;
}

static int sync_one(struct udp_members *m, const struct udp_news *news, char *waiting, size_t size)
{
    struct udp_interface on;
    const int found = udp_interface_find(&on, m->interface, waiting, size);
    leave_all_but(m, &on, found == 0, news);
    m->there = found == 0;
    if (found < 0)
        return udp_interface_unlisted(found) ? -EAGAIN : 0;
    const int ret = m->count == 0 ? join(m, &on) : 0;
    if (ret < 0)
        snprintf(waiting, size, "cannot join the group on %s: %s; can it carry multicast?", on.name,
                 strerror(-ret));
    else if (!(on.flags & IFF_UP))
        snprintf(waiting, size, "%s is down; `ip link set %s up` starts it", on.name, on.name);
    else if (!has_address(&on))
        snprintf(waiting, size,
                 "%s has no IPv4 address (yet); without one most hosts drop what comes there",
                 on.name);
    return ret == -ENOMEM ? -EAGAIN : 0;
}

int udp_members_sync(struct udp_members *m, const struct udp_news *news, char *waiting, size_t size)
{
    waiting[0] = '\0';
    return m->interface ? sync_one(m, news, waiting, size) : sync_all(m, news, waiting, size);
}

static int set_filter(const struct udp_members *m, int index, uint32_t mode,
                      const struct sockaddr_storage *sources, uint32_t count)
{
    struct sockaddr_in group = {.sin_family = AF_INET, .sin_addr = m->group};
    return setsourcefilter(m->fd, (uint32_t)index, (struct sockaddr *)&group, sizeof group, mode,
                           count, sources);
}

void udp_members_refresh(struct udp_members *m, struct in_addr source)
{
    const struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr = source};
    struct sockaddr_storage only = {0};
    memcpy(&only, &from, sizeof from);
    for (int i = 0; i < m->count; i++) {
        const int index = m->joined[i].index;
        if (set_filter(m, index, MCAST_INCLUDE, &only, 1) == 0)
            set_filter(m, index, MCAST_EXCLUDE, NULL, 0);
    }
}

int udp_members_renew(struct udp_members *m)
{
    int err = 0;
    for (int i = m->count - 1; i >= 0; i--) {
        change(m, m->joined[i].index, IP_DROP_MEMBERSHIP);
        const int ret = change(m, m->joined[i].index, IP_ADD_MEMBERSHIP);
        if (ret < 0) /* it is about to be told of, but for memory */
            leave(m, i);
        if (ret == -ENOMEM)
            err = -EAGAIN;
    }
    return err;
}
