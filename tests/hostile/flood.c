/*
 * Many packets a second from senders that do not exist: raw sockets, which want root or a namespace of
 * one's own.
 *
 *   flood [-n PACKETS_A_SECOND] [-d SECONDS] [-k KIND] TO PORT INTERFACE_ADDRESS
 *
 * TO: a group or a host. Senders are all of the interface's /24 but the first 16 and random others, from
 * random ports. KIND: noise (random lengths and bytes), formats (valid, another format in every packet),
 * fixed (valid, one format, one sender), mixed (noise and formats, the default).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH   64
#define HEADERS (sizeof(struct iphdr) + sizeof(struct udphdr))
#define PAYLOAD 1157
#define MOST    1472

struct packet {
    struct iphdr ip;
    struct udphdr udp;
    uint8_t payload[MOST];
} __attribute__((packed));

struct flood {
    int fd;
    bool noise, formats, fixed;
    struct sockaddr_in to;
    uint32_t near; /* host order: the interface's network */
    uint64_t seed;
    struct packet packets[BATCH];
    struct iovec vectors[BATCH];
    struct mmsghdr messages[BATCH];
};

static uint32_t dice(struct flood *f)
{
    f->seed = f->seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(f->seed >> 33);
}

static size_t fill_payload(struct flood *f, uint8_t *p, bool noise)
{
    static const uint8_t rates[] = {0x01, 0x02, 0x04, 0x81, 0x82, 0x84}, widths[] = {16, 24, 32};
    p[0] = rates[dice(f) % 6];
    p[1] = widths[dice(f) % 3];
    p[2] = (uint8_t)(1 + dice(f) % 8);
    p[3] = (uint8_t)dice(f);
    p[4] = (uint8_t)dice(f);
    if (f->fixed)
        memcpy(p, (uint8_t[]){0x01, 16, 2, 3, 0}, 5);
    if (!noise)
        return PAYLOAD;
    for (int i = 0; i < 5; i++)
        p[i] = (uint8_t)dice(f);
    return dice(f) % 4 == 0 ? PAYLOAD : dice(f) % (MOST + 1);
}

static void fill(struct flood *f, int i)
{
    struct packet *p = &f->packets[i];
    const bool noise = f->noise && (!f->formats || dice(f) % 2);
    const size_t n = fill_payload(f, p->payload, noise);
    const bool far = !f->fixed && dice(f) % 8 == 0;
    const uint32_t host = f->fixed ? 99 : 16 + dice(f) % 239;
    p->ip = (struct iphdr){.version = 4,
                           .ihl = 5,
                           .ttl = 4,
                           .protocol = IPPROTO_UDP,
                           .tot_len = htons((uint16_t)(HEADERS + n)),
                           .saddr = htonl(far ? dice(f) : f->near | host),
                           .daddr = f->to.sin_addr.s_addr};
    p->udp = (struct udphdr){.source = htons((uint16_t)(f->fixed ? 4010 : 1024 + dice(f) % 60000)),
                             .dest = f->to.sin_port,
                             .len = htons((uint16_t)(sizeof p->udp + n))};
    f->vectors[i] = (struct iovec){p, HEADERS + n};
    f->messages[i].msg_hdr = (struct msghdr){.msg_name = &f->to,
                                             .msg_namelen = sizeof f->to,
                                             .msg_iov = &f->vectors[i],
                                             .msg_iovlen = 1};
}

static double now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* What is behind after a pause is not caught up with. */
static uint64_t run(struct flood *f, double rate, double seconds)
{
    const double begin = now();
    double due = begin;
    uint64_t sent = 0;
    for (double t = begin; t < begin + seconds; t = now()) {
        if (due > t) {
            const struct timespec pause = {.tv_nsec = (long)((due - t) * 1e9)};
            nanosleep(&pause, NULL);
            continue;
        }
        for (int i = 0; i < BATCH; i++)
            fill(f, i);
        const int n = sendmmsg(f->fd, f->messages, BATCH, 0);
        if (n < 0 && errno != ENOBUFS && errno != EAGAIN && errno != EINVAL) {
            perror("flood: sendmmsg");
            exit(1);
        }
        sent += n > 0 ? (uint64_t)n : 0;
        due = (due < t - 0.01 ? t : due) + BATCH / rate;
    }
    return sent;
}

static void set_kind(struct flood *f, const char *kind)
{
    f->fixed = strcmp(kind, "fixed") == 0;
    f->noise = strcmp(kind, "noise") == 0 || strcmp(kind, "mixed") == 0;
    f->formats = strcmp(kind, "formats") == 0 || strcmp(kind, "mixed") == 0;
    if (!f->fixed && !f->noise && !f->formats)
        exit(2);
}

int main(int argc, char *argv[])
{
    static struct flood f = {.seed = 1};
    double rate = 100000, seconds = 10;
    set_kind(&f, "mixed");
    for (int c; (c = getopt(argc, argv, "n:d:k:")) != -1;)
        if (c == 'n')
            rate = atof(optarg);
        else if (c == 'd')
            seconds = atof(optarg);
        else if (c == 'k')
            set_kind(&f, optarg);
        else
            return 2;
    if (argc - optind != 3)
        return 2;
    struct in_addr on;
    f.to = (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)atoi(argv[optind + 1]))};
    if (inet_pton(AF_INET, argv[optind], &f.to.sin_addr) != 1 ||
        inet_pton(AF_INET, argv[optind + 2], &on) != 1)
        return 2;
    f.near = ntohl(on.s_addr) & 0xffffff00u;
    f.fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
    if (f.fd < 0 || setsockopt(f.fd, IPPROTO_IP, IP_MULTICAST_IF, &on, sizeof on) < 0) {
        perror("flood");
        return 1;
    }
    printf("%llu packets\n", (unsigned long long)run(&f, rate, seconds));
    return 0;
}
