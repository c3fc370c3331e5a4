#include "udp_filter.h"

#include <errno.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stddef.h>
#include <sys/socket.h>

/* What a filter of a UDP socket sees begins at the UDP header; the IP header is found from here. */
#define IP_SOURCE (SKF_NET_OFF + (int)offsetof(struct iphdr, saddr))

#define HEADER sizeof(struct udphdr)
#define LENGTH (HEADER + SCREAM_DATAGRAM)
#define WHOLE  UINT32_MAX

static void add(struct udp_filter *f, struct sock_filter step)
{
    f->code[f->count++] = step;
}

/* That byte of the format is one of those that the parser takes. */
static void add_field(struct udp_filter *f, uint8_t at)
{
    uint8_t good[UINT8_MAX + 1], count = 0;
    for (unsigned v = 0; v <= UINT8_MAX; v++) {
        struct pcm_format format;
        uint8_t wire[PCM_WIRE_BYTES] = {0x01, 16, 2};
        wire[at] = (uint8_t)v;
        if (pcm_format_parse(wire, &format) == PCM_OK)
            good[count++] = (uint8_t)v;
    }
    add(f, (struct sock_filter)BPF_STMT(BPF_LD | BPF_B | BPF_ABS, HEADER + at));
    for (uint8_t i = 0; i < count; i++) {
        const uint8_t behind = (uint8_t)(count - i);
        add(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, good[i], behind, 0));
    }
    add(f, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0));
}

/* Each range ends by itself: a jump's reach is 255 steps. */
static void add_range(struct udp_filter *f, const struct allow_range *r)
{
    add(f, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)IP_SOURCE));
    add(f, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, r->mask));
    add(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, r->network, 0, 1));
    add(f, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, WHOLE));
}

static void add_only(struct udp_filter *f, const struct source_id *only)
{
    const uint32_t port_at = offsetof(struct udphdr, source);
    add(f, (struct sock_filter)BPF_STMT(BPF_LD | BPF_H | BPF_ABS, port_at));
    add(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, only->port, 1, 0));
    add(f, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0));
    add(f, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)IP_SOURCE));
    add(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, only->address, 1, 0));
    add(f, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0));
}

void udp_filter_build(struct udp_filter *f, const struct allow *allow, const struct source_id *only)
{
    f->count = 0;
    add(f, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0));
    add(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, LENGTH, 1, 0));
    add(f, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0));
    for (uint8_t at = 0; at < 3; at++) /* the mask may be anything */
        add_field(f, at);
    if (only)
        add_only(f, only);
    for (int i = 0; i < allow->count; i++)
        add_range(f, &allow->list[i]);
    add(f, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, allow->count == 0 ? WHOLE : 0));
}

int udp_filter_attach(int fd, const struct udp_filter *f)
{
    const struct sock_fprog program = {.len = f->count, .filter = (struct sock_filter *)f->code};
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0 ? -errno : 0;
}
