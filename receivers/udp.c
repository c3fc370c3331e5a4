/* The guest's driver over UDP: multicast, or unicast when its registry says so. */
#include "../src/clock.h"
#include "udp_check.h"
#include "udp_intake.h"
#include "udp_pace.h"
#include "udp_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

extern const struct receiver_driver udp_driver;

#define BATCH 64 /* packets a system call: 12 ms of 192 kHz/32/8 */

struct udp {
    struct receiver base;

    /* immutable, or the control thread's */
    struct udp_socket socket;
    struct udp_refusals refusals;
    uint64_t lost_before; /* kernel_drops when it was opened */

    /* receiver thread's */
    struct udp_intake intake;
    struct udp_pace pace;
    struct mmsghdr messages[BATCH];
    struct udp_slot slots[BATCH];
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
    for (int i = 0; i < BATCH; i++)
        udp_slot_offer(&u->slots[i], &u->messages[i].msg_hdr);
    udp_intake_init(&u->intake, counters, u->socket.buffer);
    u->lost_before = count_read(&counters->kernel_drops);
    u->base.input_fd = u->socket.fd;
    u->base.counters = counters;
    u->base.driver = &udp_driver;
    *out = &u->base;
    return 0;
}

static struct udp_now both_clocks(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (struct udp_now){.monotonic = clock_now(),
                            .real = (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec};
}

static int receive(struct udp *u, struct packet *packets, int max)
{
    const unsigned batch = max < BATCH ? (unsigned)max : BATCH;
    for (unsigned i = 0; i < batch; i++) {
        u->messages[i].msg_hdr.msg_namelen = sizeof u->slots[i].from;
        u->messages[i].msg_hdr.msg_controllen = sizeof u->slots[i].notes;
    }
    const int got = recvmmsg(u->socket.fd, u->messages, batch, MSG_DONTWAIT, NULL);
    if (got < 0) /* a refusal is an answer to somebody else's mistake, not an end */
        return errno == EAGAIN || errno == EINTR || errno == ECONNREFUSED ? 0 : -errno;
    const struct udp_now now = both_clocks();
    udp_pace_read(&u->pace, got, (int)batch, now.monotonic);
    int n = 0;
    for (int i = 0; i < got; i++)
        n += udp_intake_take(&u->intake, &u->slots[i], &u->messages[i].msg_hdr,
                             u->messages[i].msg_len, &now, &packets[n]);
    if (got < (int)batch)
        udp_drops_drained(&u->intake.drops);
    count_add(&u->base.counters->packets, (uint64_t)n);
    return n;
}

static int udp_read(struct receiver *r, int wake_fd, struct packet *packets, int max)
{
    struct udp *u = (struct udp *)r;
    struct pollfd fds[] = {{.fd = wake_fd, .events = POLLIN},
                           {.fd = u->socket.fd, .events = POLLIN}};
    const int64_t now = clock_now(), rest = udp_pace_rest(&u->pace, now) - now;
    const struct timespec timeout = {.tv_sec = rest / NS_PER_S, .tv_nsec = rest % NS_PER_S};
    const int ready = ppoll(fds, rest > 0 ? 1 : 2, rest > 0 ? &timeout : NULL, NULL);
    if (ready < 0)
        return errno == EINTR ? 0 : -errno;
    if (fds[1].revents & POLLNVAL)
        return -EBADF;
    return ready == 0 || fds[1].revents ? receive(u, packets, max) : 0;
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
    const struct udp_heard heard = {
        .packets = count_read(&r->counters->packets),
        .source.s_addr = htonl(source_of(count_read(&r->plays)).address),
    };
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
    .uses = "upig",
    .hint = "does the guest play, does it send there, does a firewall let it in?",
    .open = udp_open,
    .read = udp_read,
    .tend = udp_tend,
    .favour = udp_favour,
    .close = udp_close,
    .describe = udp_describe,
    .check = udp_check,
};
