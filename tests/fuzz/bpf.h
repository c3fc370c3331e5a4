/* Classic BPF as the kernel runs it on a UDP socket: those instructions that our filters are made of. */
#ifndef SCREAM_FUZZ_BPF_H
#define SCREAM_FUZZ_BPF_H

#include "input.h"

#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>

/* A datagram on its way in: what a socket's filter can see. */
struct bpf_packet {
    struct iphdr ip;
    struct udphdr udp;
    const uint8_t *payload;
    size_t bytes; /* of it */
};

/* Big endian, `width` bytes; false: beyond the end, whereupon the kernel drops it. */
static inline bool bpf_load(const struct bpf_packet *p, uint32_t k, uint32_t width, uint32_t *to)
{
    const int32_t at = (int32_t)k;
    const size_t head = sizeof p->udp;
    *to = 0;
    for (uint32_t i = 0; i < width; i++) {
        const size_t from = at < 0 ? (size_t)(at - SKF_NET_OFF) + i : (size_t)at + i;
        const uint8_t *part = at < 0 ? (const uint8_t *)&p->ip : (const uint8_t *)&p->udp;
        if (from >= (at < 0 ? sizeof p->ip : head + p->bytes))
            return false;
        *to = *to << 8 | (at < 0 || from < head ? part[from] : p->payload[from - head]);
    }
    return true;
}

/* Bytes of it that pass; 0: it is dropped. */
static inline uint32_t bpf_run(const struct sock_filter *code, unsigned count,
                               const struct bpf_packet *p)
{
    uint32_t a = 0;
    for (unsigned pc = 0;; pc++) {
        MUST(pc < count); /* the kernel takes no program of which this is not known */
        const struct sock_filter *c = &code[pc];
        bool there = true;
        switch (c->code) {
        case BPF_LD | BPF_W | BPF_LEN:
            a = (uint32_t)(sizeof p->udp + p->bytes);
            break;
        case BPF_LD | BPF_B | BPF_ABS:
            there = bpf_load(p, c->k, 1, &a);
            break;
        case BPF_LD | BPF_H | BPF_ABS:
            there = bpf_load(p, c->k, 2, &a);
            break;
        case BPF_LD | BPF_W | BPF_ABS:
            there = bpf_load(p, c->k, 4, &a);
            break;
        case BPF_ALU | BPF_AND | BPF_K:
            a &= c->k;
            break;
        case BPF_JMP | BPF_JEQ | BPF_K:
            pc += a == c->k ? c->jt : c->jf;
            break;
        case BPF_RET | BPF_K:
            return c->k;
        default:
            MUST(false); /* an instruction that is not known here */
        }
        if (!there)
            return 0;
    }
}

#endif
