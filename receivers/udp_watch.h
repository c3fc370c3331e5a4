/*
 * The kernel's news of interfaces and addresses (rtnetlink). Control thread.
 *
 * Only that there are news, and which interfaces have ceased to be, is taken from them: what there
 * is now is asked for anew (udp_interface.h), so that lost news cost nothing but a fresh look.
 */
#ifndef SCREAM_UDP_WATCH_H
#define SCREAM_UDP_WATCH_H

#include <stdbool.h>

#define UDP_WATCH_GONE 16

struct udp_news {
    bool any;
    bool lost; /* some of them: everything may be another one by now */
    int gone_count;
    int gone[UDP_WATCH_GONE]; /* indices of interfaces that were deleted; another may have one */
};

/* The socket, readable when there are news, or -errno. */
int udp_watch_open(void);

/* Takes all that there are, without waiting. */
void udp_watch_take(int fd, struct udp_news *news);

/* An interface of that index was deleted, or may have been. */
bool udp_news_gone(const struct udp_news *news, int index);

#endif
