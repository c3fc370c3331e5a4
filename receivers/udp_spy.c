#include "udp_spy.h"

#include "udp_parse.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <netinet/ip.h>
#include <netpacket/packet.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST 256 /* packets at a time: there may be ever more */

/* So that a guest's downloads do not wake us. */
static void only_udp(int fd)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, offsetof(struct iphdr, protocol)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, sizeof(struct udp_sighting)),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    const struct sock_fprog program = {.len = 4, .filter = code};
    setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

static uint64_t received(const char *name)
{
    struct ifaddrs *all;
    uint64_t n = 0;
    if (getifaddrs(&all) < 0)
        return 0;
    for (const struct ifaddrs *a = all; a; a = a->ifa_next) {
        struct rtnl_link_stats stats; /* 32 bits each */
        if (!a->ifa_addr || a->ifa_addr->sa_family != AF_PACKET || !a->ifa_data ||
            (name[0] && strcmp(a->ifa_name, name) != 0))
            continue;
        memcpy(&stats, a->ifa_data, sizeof stats);
        n += stats.rx_packets;
    }
    freeifaddrs(all);
    return n;
}

void udp_spy_open(struct udp_spy *s, int index)
{
    s->expected = s->elsewhere = 0;
    s->before = received(s->name);
    s->fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); /* 0: nothing yet */
    if (s->fd < 0)
        return;
    only_udp(s->fd);
    const struct sockaddr_ll on = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_ifindex = index};
    if (bind(s->fd, (const struct sockaddr *)&on, sizeof on) < 0)
        udp_spy_close(s);
}

void udp_spy_close(struct udp_spy *s)
{
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
}

static void look(struct udp_spy *s, const struct udp_sighting *raw, size_t n, bool to_us)
{
    struct sockaddr_in to;
    if (!udp_parse_sighting(raw, n, &to))
        return;
    const bool there = s->group.s_addr == htonl(INADDR_ANY)
                           ? to_us && !IN_MULTICAST(ntohl(to.sin_addr.s_addr))
                           : to.sin_addr.s_addr == s->group.s_addr;
    if (there && to.sin_port == htons(s->port)) {
        s->expected++;
        return;
    }
    s->elsewhere++;
    s->target = to;
}

void udp_spy_take(struct udp_spy *s)
{
    struct udp_sighting raw;
    for (int i = 0; s->fd >= 0 && i < MOST; i++) {
        struct sockaddr_ll from;
        socklen_t size = sizeof from;
        const ssize_t n = recvfrom(s->fd, &raw, sizeof raw, 0, (struct sockaddr *)&from, &size);
        if (n < 0)
            return;
        if (from.sll_pkttype != PACKET_OUTGOING)
            look(s, &raw, (size_t)n, from.sll_pkttype == PACKET_HOST);
    }
}

uint64_t udp_spy_received(const struct udp_spy *s)
{
    const uint64_t now = received(s->name);
    return now > s->before ? now - s->before : 0;
}
