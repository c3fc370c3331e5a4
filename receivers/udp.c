/* The guest's driver over UDP: multicast, or unicast when its registry says so. */
#include "../src/clock.h"
#include "udp_check.h"
#include "udp_drops.h"
#include "udp_losses.h"
#include "udp_parse.h"
#include "udp_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

extern const struct receiver_driver udp_driver;

#define BATCH  64                /* packets a system call: 12 ms of 192 kHz/32/8 */
#define OLDEST (200 * NS_PER_MS) /* an age beyond it is a step of the wall clock */
#define CONTROLS                                                                                   \
    (CMSG_SPACE(sizeof(uint32_t)) + CMSG_SPACE(sizeof(struct timespec)) +                          \
     CMSG_SPACE(sizeof(struct in_pktinfo)))

/* What the kernel says beside a datagram. */
struct control {
    alignas(struct cmsghdr) char bytes[CONTROLS];
};

/* One slot of a batch. */
struct slot {
    struct sockaddr_in from;
    struct iovec vector;
    struct control control;
    struct udp_datagram raw;
};

struct udp {
    struct receiver base;

    /* immutable, or the control thread's */
    struct udp_socket socket;
    struct udp_refusals refusals;
    uint64_t lost_before; /* kernel_drops when it was opened */

    /* receiver thread's */
    struct udp_drops drops;
    int64_t last; /* arrival of the latest packet: they never go back */
    struct udp_losses losses;
    uint32_t source; /* address of the latest packet */
    unsigned next_source;

    /* written by the receiver thread, read by the control thread */
    counter sources[UDP_SOURCES]; /* addresses that packets came from, 0: none yet */

    struct mmsghdr messages[BATCH];
    struct slot slots[BATCH];
};

/* What was found in a struct control. */
struct notes {
    int64_t stamp;  /* ns, CLOCK_REALTIME, 0: none */
    uint32_t drops; /* since the socket's beginning, modulo 2^32 */
    bool has_drops;
    bool is_broadcast; /* not sent to one of our addresses */
};

/* Both clocks at one moment. */
struct now {
    int64_t monotonic, real;
};

static int udp_open(struct receiver **out, const struct receiver_config *config,
                    struct receiver_counters *counters, char *why, size_t size)
{
    struct udp *u = calloc(1, sizeof *u);
    if (!u) {
        snprintf(why, size, "out of memory");
        return -ENOMEM;
    }
    struct udp_filter filter;
    udp_filter_build(&filter, &config->allow, NULL);
    const int ret = udp_socket_open(&u->socket, config, &filter, u->base.waiting, why,
                                    size < sizeof u->base.waiting ? size : sizeof u->base.waiting);
    if (ret < 0) {
        free(u);
        return ret;
    }
    u->base.watch_fd = u->socket.watch_fd;
    u->base.tend_at = udp_socket_tend_at(&u->socket);
    for (int i = 0; i < BATCH; i++) {
        struct slot *s = &u->slots[i];
        s->vector = (struct iovec){.iov_base = &s->raw, .iov_len = sizeof s->raw};
        u->messages[i].msg_hdr = (struct msghdr){.msg_name = &s->from,
                                                 .msg_iov = &s->vector,
                                                 .msg_iovlen = 1,
                                                 .msg_control = s->control.bytes};
    }
    udp_drops_init(&u->drops, u->socket.buffer);
    u->lost_before = count_read(&counters->kernel_drops);
    u->base.counters = counters;
    u->base.driver = &udp_driver;
    *out = &u->base;
    return 0;
}

static struct notes read_notes(struct msghdr *m)
{
    struct notes n = {0};
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_TIMESTAMPNS) {
            struct timespec ts;
            memcpy(&ts, CMSG_DATA(c), sizeof ts);
            n.stamp = (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
        } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
            memcpy(&n.drops, CMSG_DATA(c), sizeof n.drops);
            n.has_drops = true;
        } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            n.is_broadcast = info.ipi_addr.s_addr != info.ipi_spec_dst.s_addr;
        }
    }
    return n;
}

static struct now both_clocks(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (struct now){.monotonic = clock_now(),
                        .real = (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec};
}

/* The kernel's own time of arrival, which does not know how late this thread was woken. */
static int64_t arrival_of(struct udp *u, const struct notes *n, const struct now *now)
{
    const int64_t age = now->real - n->stamp;
    const int64_t t = age >= 0 && age <= OLDEST ? now->monotonic - age : now->monotonic;
    if (t > u->last)
        u->last = t;
    return u->last;
}

/* The newest takes the oldest one's place. */
static void note_source(struct udp *u, uint32_t address)
{
    if (address == u->source)
        return;
    u->source = address;
    for (int i = 0; i < UDP_SOURCES; i++)
        if (count_read(&u->sources[i]) == address)
            return;
    gauge_set(&u->sources[u->next_source++ % UDP_SOURCES], address);
}

static void take_drops(struct udp *u, const struct notes *n)
{
    if (n->has_drops) {
        const uint32_t lost = udp_drops_lost(&u->drops, n->drops);
        count_add(&u->base.counters->kernel_drops, lost);
        udp_losses_add(&u->losses, lost);
    }
    udp_drops_pass(&u->drops);
}

/* True when message i is a packet, which is then in *p. */
static bool accept_message(struct udp *u, int i, const struct now *now, struct packet *p)
{
    struct receiver_counters *c = u->base.counters;
    const struct slot *s = &u->slots[i];
    const struct notes n = read_notes(&u->messages[i].msg_hdr);
    take_drops(u, &n);
    switch (udp_parse(&s->raw, u->messages[i].msg_len, p)) {
    case UDP_BAD_SIZE:
        count_add(&c->bad_size, 1);
        return false;
    case UDP_BAD_FORMAT:
        count_add(&c->bad_format, 1);
        return false;
    case UDP_OK:
        break;
    }
    if (n.is_broadcast) {
        count_add(&c->broadcasts, 1);
        return false;
    }
    p->source = (struct source_id){.address = ntohl(s->from.sin_addr.s_addr),
                                   .port = ntohs(s->from.sin_port)};
    p->arrival = arrival_of(u, &n, now);
    p->starts = false;
    udp_losses_align(&u->losses, p);
    note_source(u, p->source.address);
    return true;
}

static int receive(struct udp *u, struct packet *packets, int max)
{
    const unsigned batch = max < BATCH ? (unsigned)max : BATCH;
    for (unsigned i = 0; i < batch; i++) {
        u->messages[i].msg_hdr.msg_namelen = sizeof u->slots[i].from;
        u->messages[i].msg_hdr.msg_controllen = sizeof u->slots[i].control.bytes;
    }
    const int got = recvmmsg(u->socket.fd, u->messages, batch, MSG_DONTWAIT, NULL);
    if (got < 0) /* a refusal is an answer to somebody else's mistake, not an end */
        return errno == EAGAIN || errno == EINTR || errno == ECONNREFUSED ? 0 : -errno;
    const struct now now = both_clocks();
    int n = 0;
    for (int i = 0; i < got; i++)
        n += accept_message(u, i, &now, &packets[n]);
    if (got < (int)batch)
        udp_drops_drained(&u->drops);
    count_add(&u->base.counters->packets, (uint64_t)n);
    return n;
}

static int udp_read(struct receiver *r, int wake_fd, struct packet *packets, int max)
{
    struct udp *u = (struct udp *)r;
    struct pollfd fds[] = {{.fd = u->socket.fd, .events = POLLIN},
                           {.fd = wake_fd, .events = POLLIN}};
    if (poll(fds, 2, -1) < 0)
        return errno == EINTR ? 0 : -errno;
    if (fds[0].revents & POLLNVAL)
        return -EBADF;
    return fds[0].revents ? receive(u, packets, max) : 0;
}

static void udp_close(struct receiver *r)
{
    struct udp *u = (struct udp *)r;
    if (!u)
        return;
    udp_socket_close(&u->socket);
    free(u);
}

static void count_refusals(struct udp *u)
{
    struct receiver_counters *c = u->base.counters;
    const uint64_t lost = count_read(&c->kernel_drops) - u->lost_before;
    count_add(&c->refused, udp_refusals_look(&u->refusals, udp_socket_drops(&u->socket), lost));
}

static int udp_tend(struct receiver *r, int64_t now)
{
    struct udp *u = (struct udp *)r;
    count_refusals(u);
    struct udp_heard heard = {.packets = count_read(&r->counters->packets)};
    for (int i = 0; i < UDP_SOURCES; i++) {
        const uint32_t address = (uint32_t)count_read(&u->sources[i]);
        if (address != 0)
            heard.sources[heard.source_count++].s_addr = htonl(address);
    }
    const int ret = udp_socket_tend(&u->socket, &heard, now, r->waiting, sizeof r->waiting);
    r->tend_at = udp_socket_tend_at(&u->socket);
    return ret;
}

static int udp_favour(struct receiver *r, const struct source_id *source)
{
    const struct udp *u = (struct udp *)r;
    struct udp_filter filter;
    udp_filter_build(&filter, &u->socket.config.allow, source);
    return udp_filter_attach(u->socket.fd, &filter);
}

static void udp_describe(const struct receiver *r, char *buf, size_t size)
{
    udp_socket_describe(&((const struct udp *)r)->socket, buf, size);
}

const struct receiver_driver udp_driver = {
    .name = "udp",
    .summary = "network packets, multicast or unicast (the default)",
    .hint = "does the guest play, does it send there, does a firewall let it in?",
    .open = udp_open,
    .read = udp_read,
    .tend = udp_tend,
    .favour = udp_favour,
    .close = udp_close,
    .describe = udp_describe,
    .check = udp_check,
};
