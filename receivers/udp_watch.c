#include "udp_watch.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#define MESSAGES 32768 /* bytes: the kernel's messages are no longer than that */

int udp_watch_open(void)
{
    const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (fd < 0)
        return -errno;
    const struct sockaddr_nl groups = {.nl_family = AF_NETLINK,
                                       .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR};
    if (bind(fd, (const struct sockaddr *)&groups, sizeof groups) < 0) {
        const int err = errno;
        close(fd);
        return -err;
    }
    return fd;
}

static void note_gone(struct udp_news *news, int index)
{
    if (news->gone_count < UDP_WATCH_GONE)
        news->gone[news->gone_count++] = index;
    else
        news->lost = true;
}

static void read_messages(const struct nlmsghdr *m, size_t size, struct udp_news *news)
{
    news->any = true;
    for (unsigned left = (unsigned)size; NLMSG_OK(m, left); m = NLMSG_NEXT(m, left)) {
        const struct ifinfomsg *link = NLMSG_DATA(m);
        /* a bridge's port that leaves it is told of as a deletion in the bridge's family */
        if (m->nlmsg_type == RTM_DELLINK && link->ifi_family == AF_UNSPEC)
            note_gone(news, link->ifi_index);
    }
}

void udp_watch_take(int fd, struct udp_news *news)
{
    alignas(struct nlmsghdr) uint8_t bytes[MESSAGES];
    *news = (struct udp_news){.any = false};
    for (;;) {
        struct sockaddr_nl from;
        socklen_t size = sizeof from;
        const ssize_t n =
            recvfrom(fd, bytes, sizeof bytes, MSG_TRUNC, (struct sockaddr *)&from, &size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != ENOBUFS)
            return;
        if (n < 0 || (size_t)n > sizeof bytes)
            news->any = news->lost = true;
        else if (from.nl_pid == 0) /* the kernel */
            read_messages((const struct nlmsghdr *)(const void *)bytes, (size_t)n, news);
    }
}

bool udp_news_gone(const struct udp_news *news, int index)
{
    for (int i = 0; i < news->gone_count; i++)
        if (news->gone[i] == index)
            return true;
    return news->lost;
}
