/*
 * The socket's filter: what cannot be a guest's is dropped by the kernel, before it takes room in the
 * buffer or wakes anybody. Classic BPF, so that it needs no privilege.
 *
 * The kernel counts what it drops together with what it has no room for: udp_drops.h parts them.
 */
#ifndef SCREAM_UDP_FILTER_H
#define SCREAM_UDP_FILTER_H

#include "../src/allow.h"
#include "../src/packet.h"

#include <linux/filter.h>

#define UDP_FILTER_CODE (40 + 4 * ALLOW_MOST)

struct udp_filter {
    unsigned short count;
    struct sock_filter code[UDP_FILTER_CODE];
};

/* Pure. Passes what udp_parse() takes, from those senders, or `only` from this one (NULL), whole. */
void udp_filter_build(struct udp_filter *f, const struct allow *allow,
                      const struct source_id *only);

/* Any thread; in the place of the filter before. 0 or -errno. */
int udp_filter_attach(int fd, const struct udp_filter *f);

#endif
