#include "udp_spy.h"

#include "../src/packet.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <netpacket/packet.h>
#include <stdalign.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEADERS 128 /* bytes of a packet that are looked at */

/* So that a guest's downloads do not wake us. */
static void only_udp(int fd)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, offsetof(struct iphdr, protocol)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, HEADERS),
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

static void look(struct udp_spy *s, const uint8_t *bytes, size_t n, bool to_us)
{
    struct iphdr ip;
    struct udphdr udp;
    if (n < sizeof ip)
        return;
    memcpy(&ip, bytes, sizeof ip);
    const size_t from = (size_t)ip.ihl * 4;
    if (ip.protocol != IPPROTO_UDP || n < from + sizeof udp || (ntohs(ip.frag_off) & IP_OFFMASK))
        return;
    memcpy(&udp, bytes + from, sizeof udp);
    if (ntohs(udp.len) != sizeof udp + SCREAM_DATAGRAM)
        return;
    const bool there = s->group.s_addr == htonl(INADDR_ANY)
                           ? to_us && !IN_MULTICAST(ntohl(ip.daddr))
                           : ip.daddr == s->group.s_addr;
    if (there && udp.dest == htons(s->port)) {
        s->expected++;
        return;
    }
    s->elsewhere++;
    s->target.sin_addr.s_addr = ip.daddr;
    s->target.sin_port = udp.dest;
}

void udp_spy_take(struct udp_spy *s)
{
    alignas(uint32_t) uint8_t bytes[HEADERS];
    while (s->fd >= 0) {
        struct sockaddr_ll from;
        socklen_t size = sizeof from;
        const ssize_t n = recvfrom(s->fd, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &size);
        if (n < 0)
            return;
        if (from.sll_pkttype != PACKET_OUTGOING)
            look(s, bytes, (size_t)n, from.sll_pkttype == PACKET_HOST);
    }
}

uint64_t udp_spy_received(const struct udp_spy *s)
{
    const uint64_t now = received(s->name);
    return now > s->before ? now - s->before : 0;
}
