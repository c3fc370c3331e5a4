#include "send_log.h"
#include "send_sink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define PCM_BYTES 1152

struct udp {
    struct send_sink sink;
    int fd;
    struct sockaddr_in to;
    uint8_t header[PCM_WIRE_BYTES];
};

/*
 * The kernel takes the source address from any interface when ours has but a host address, as lo
 * has, so it is named along with the index. No address: the kernel's choice.
 */
static void find_address(int fd, const char *name, struct in_addr *address)
{
    struct ifreq request = {0};
    struct sockaddr_in found;
    strncpy(request.ifr_name, name, sizeof request.ifr_name - 1);
    if (ioctl(fd, SIOCGIFADDR, &request) < 0)
        return;
    memcpy(&found, &request.ifr_addr, sizeof found);
    *address = found.sin_addr;
}

static int choose_interface(int fd, const struct send_options *o, struct in_addr *source)
{
    struct ip_mreqn request = {0};
    if (inet_pton(AF_INET, o->interface, source) == 1) {
        request.imr_address = *source;
    } else {
        request.imr_ifindex = (int)if_nametoindex(o->interface);
        if (request.imr_ifindex == 0) {
            send_complain("--interface: there is no '%s'; `ip link` lists what there is",
                          o->interface);
            return -ENODEV;
        }
        find_address(fd, o->interface, &request.imr_address);
    }
    if (IN_MULTICAST(ntohl(o->to.s_addr)) &&
        setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &request, sizeof request) < 0) {
        const int err = errno;
        send_complain("--interface: no interface has '%s' (%s); `ip address` lists them",
                      o->interface, strerror(err));
        return -err;
    }
    return 0;
}

static int bind_source(int fd, const struct send_options *o, struct in_addr source)
{
    struct sockaddr_in from = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)o->source_port), .sin_addr = source};
    char text[INET_ADDRSTRLEN];
    const int on = 1;
    /* An old driver's port is also the group's; a receiver on this host may have it already. */
    if (o->source_port != 0 && IN_MULTICAST(ntohl(o->to.s_addr)))
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&from, sizeof from) == 0)
        return 0;
    const int err = errno;
    inet_ntop(AF_INET, &source, text, sizeof text);
    send_complain("cannot send from %s port %u: %s; choose another --interface or --source-port",
                  text, (unsigned)o->source_port, strerror(err));
    return -err;
}

static int set_up(struct udp *u, const struct send_options *o)
{
    struct in_addr source = {.s_addr = htonl(INADDR_ANY)};
    const int ttl = (int)o->ttl, on = 1;
    u->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (u->fd < 0) {
        const int err = errno;
        send_complain("no socket: %s", strerror(err));
        return -err;
    }
    setsockopt(u->fd, IPPROTO_IP, IP_MULTICAST_TTL, &ttl, sizeof ttl);
    setsockopt(u->fd, IPPROTO_IP, IP_MULTICAST_LOOP, &on, sizeof on);
    const int err = o->interface ? choose_interface(u->fd, o, &source) : 0;
    return err < 0 ? err : bind_source(u->fd, o, source);
}

static int udp_begin(struct send_sink *sink, const struct pcm_format *f, uint32_t *unit_bytes)
{
    struct udp *u = (struct udp *)sink;
    pcm_format_wire(f, u->header);
    *unit_bytes = PCM_BYTES;
    return 0;
}

static int udp_write(struct send_sink *sink, const uint8_t *unit)
{
    struct udp *u = (struct udp *)sink;
    uint8_t datagram[PCM_WIRE_BYTES + PCM_BYTES];
    memcpy(datagram, u->header, PCM_WIRE_BYTES);
    memcpy(datagram + PCM_WIRE_BYTES, unit, PCM_BYTES);
    for (;;) {
        if (sendto(u->fd, datagram, sizeof datagram, 0, (struct sockaddr *)&u->to, sizeof u->to) >=
            0)
            return 0;
        if (errno != EINTR)
            return -errno;
    }
}

/* Packets cease, that is all. */
static void udp_end(struct send_sink *sink)
{
    (void)sink;
}

static void udp_close(struct send_sink *sink)
{
    struct udp *u = (struct udp *)sink;
    if (u->fd >= 0)
        close(u->fd);
    free(u);
}

static const struct send_sink_ops udp_ops = {
    .begin = udp_begin,
    .write = udp_write,
    .end = udp_end,
    .close = udp_close,
};

int send_udp_open(struct send_sink **out, const struct send_options *o)
{
    char text[INET_ADDRSTRLEN];
    struct udp *u = calloc(1, sizeof *u);
    if (!u)
        return -ENOMEM;
    u->sink.ops = &udp_ops;
    u->to = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons((uint16_t)o->port), .sin_addr = o->to};
    inet_ntop(AF_INET, &o->to, text, sizeof text);
    snprintf(u->sink.where, sizeof u->sink.where, "%s:%u%s%.40s", text, (unsigned)o->port,
             o->interface ? " by " : "", o->interface ? o->interface : "");
    const int err = set_up(u, o);
    if (err < 0) {
        udp_close(&u->sink);
        return err;
    }
    *out = &u->sink;
    return 0;
}
