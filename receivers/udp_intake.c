#include "udp_intake.h"

#include "../src/clock.h"

#include <string.h>

#define OLDEST (200 * NS_PER_MS) /* an age beyond it is a step of the wall clock */

/* What was found in a slot's notes. */
struct notes {
    int64_t stamp;  /* ns, CLOCK_REALTIME, 0: none */
    uint32_t drops; /* since the socket's beginning, modulo 2^32 */
    bool has_drops;
    bool is_broadcast; /* not sent to one of our addresses */
};

void udp_intake_init(struct udp_intake *in, struct receiver_counters *counters, uint32_t buffer)
{
    *in = (struct udp_intake){.counters = counters};
    udp_drops_init(&in->drops, buffer);
}

void udp_slot_offer(struct udp_slot *s, struct msghdr *m)
{
    s->vector = (struct iovec){.iov_base = &s->raw, .iov_len = sizeof s->raw};
    *m = (struct msghdr){.msg_name = &s->from,
                         .msg_namelen = sizeof s->from,
                         .msg_iov = &s->vector,
                         .msg_iovlen = 1,
                         .msg_control = s->notes,
                         .msg_controllen = sizeof s->notes};
}

/* Of that kind, and not cut short. */
static bool is_note(const struct cmsghdr *c, int level, int type, size_t size)
{
    return c->cmsg_level == level && c->cmsg_type == type && c->cmsg_len >= CMSG_LEN(size);
}

static struct notes read_notes(struct msghdr *m)
{
    struct notes n = {0};
    struct timespec ts;
    struct in_pktinfo info;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        if (is_note(c, SOL_SOCKET, SO_TIMESTAMPNS, sizeof ts)) {
            memcpy(&ts, CMSG_DATA(c), sizeof ts);
            n.stamp = (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
        } else if (is_note(c, SOL_SOCKET, SO_RXQ_OVFL, sizeof n.drops)) {
            memcpy(&n.drops, CMSG_DATA(c), sizeof n.drops);
            n.has_drops = true;
        } else if (is_note(c, IPPROTO_IP, IP_PKTINFO, sizeof info)) {
            memcpy(&info, CMSG_DATA(c), sizeof info);
            n.is_broadcast = info.ipi_addr.s_addr != info.ipi_spec_dst.s_addr;
        }
    }
    return n;
}

/* The kernel's own time of arrival, which does not know how late this thread was woken. */
static int64_t arrival_of(struct udp_intake *in, const struct notes *n, const struct udp_now *now)
{
    const int64_t age = now->real - n->stamp;
    const int64_t t = age >= 0 && age <= OLDEST ? now->monotonic - age : now->monotonic;
    if (t > in->last)
        in->last = t;
    return in->last;
}

static void take_drops(struct udp_intake *in, const struct notes *n)
{
    if (n->has_drops) {
        const uint32_t lost = udp_drops_lost(&in->drops, n->drops);
        count_add(&in->counters->kernel_drops, lost);
        udp_losses_add(&in->losses, lost);
    }
    udp_drops_pass(&in->drops);
}

bool udp_intake_take(struct udp_intake *in, const struct udp_slot *s, struct msghdr *m, size_t n,
                     const struct udp_now *now, struct packet *p)
{
    struct receiver_counters *c = in->counters;
    const struct notes notes = read_notes(m);
    take_drops(in, &notes);
    switch (udp_parse(&s->raw, n, p)) {
    case UDP_BAD_SIZE:
        count_add(&c->bad_size, 1);
        return false;
    case UDP_BAD_FORMAT:
        count_add(&c->bad_format, 1);
        return false;
    case UDP_OK:
        break;
    }
    if (notes.is_broadcast) {
        count_add(&c->broadcasts, 1);
        return false;
    }
    p->source = (struct source_id){.address = ntohl(s->from.sin_addr.s_addr),
                                   .port = ntohs(s->from.sin_port)};
    p->arrival = arrival_of(in, &notes, now);
    p->starts = false;
    udp_losses_align(&in->losses, p);
    return true;
}
