#include "udp_socket.h"

#include "../src/clock.h"
#include "../src/log.h"
#include "udp_interface.h"
#include "udp_watch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/sock_diag.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECEIVE_BUFFER (1 << 20) /* bytes: 85 ms of 192 kHz/32/8, as the kernel counts */
#define LOOK           NS_PER_S  /* where the kernel tells nothing of it */

static int set_int(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) < 0 ? -errno : 0;
}

/* Each of these only makes things better; a kernel that lacks one is served without. */
/* The size of the buffer that was granted. */
static uint32_t set_comforts(int fd)
{
    int granted = 0;
    socklen_t size = sizeof granted;
    set_int(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER);
    set_int(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
    set_int(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
    if (getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &granted, &size) < 0)
        return 0;
    log_debug("udp: socket buffer of %d KiB (net.core.rmem_max bounds it)", granted / 1024);
    return (uint32_t)granted;
}

static int bind_to(int fd, struct in_addr address, uint16_t port, char *why, size_t size)
{
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_addr = address, .sin_port = htons(port)};
    if (bind(fd, (const struct sockaddr *)&to, sizeof to) == 0)
        return 0;
    const int err = errno;
    char text[INET_ADDRSTRLEN];
    inet_ntop(AF_INET, &address, text, sizeof text);
    if (err == EADDRINUSE)
        snprintf(why, size,
                 "port %u is in use by another program; stop that one, choose another port by -p "
                 "here and in the guest, or with -u name an interface by -i",
                 port);
    else if (err == EACCES)
        snprintf(why, size, "port %u is for root only; choose one above 1023 by -p", port);
    else
        snprintf(why, size, "cannot listen at %s:%u: %s", text, port, strerror(err));
    return -err;
}

static const char *group_of(const struct receiver_config *config)
{
    return config->group ? config->group : SCREAM_DEFAULT_GROUP;
}

/*
 * Bound to the group itself: what goes to another group, to our addresses or to everybody on the
 * same port does not arrive, and several programs may listen to one group.
 */
static int open_multicast(struct udp_socket *s, char *waiting, char *why, size_t size)
{
    const struct receiver_config *config = &s->config;
    struct in_addr group;
    if (inet_pton(AF_INET, group_of(config), &group) != 1 || !IN_MULTICAST(ntohl(group.s_addr))) {
        snprintf(why, size,
                 "'%s' is not a multicast address; -g takes 224.0.0.0 to 239.255.255.255",
                 group_of(config));
        return -EINVAL;
    }
    int ret = set_int(s->fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (ret == 0) /* else memberships of other programs let packets of other interfaces in */
        ret = set_int(s->fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);
    if (ret < 0) {
        snprintf(why, size, "the kernel refuses a multicast socket: %s", strerror(-ret));
        return ret;
    }
    ret = bind_to(s->fd, group, config->port, why, size);
    if (ret < 0)
        return ret;
    const struct udp_news none = {.any = false};
    s->bound = true;
    s->members = (struct udp_members){.fd = s->fd, .group = group, .interface = config->interface};
    s->again = udp_members_sync(&s->members, &none, waiting, size) < 0;
    return 0;
}

/* The address that -i names for -u: 0, or `waiting` for it. */
static int find_address(struct udp_socket *s, struct udp_interface *on, char *waiting, size_t size)
{
    const int ret = udp_interface_find(on, s->config.interface, waiting, size);
    s->again = udp_interface_unlisted(ret);
    if (ret < 0 || on->address.s_addr != htonl(INADDR_ANY))
        return ret;
    snprintf(waiting, size, "%s has no IPv4 address (yet), which -u needs", on->name);
    return -EADDRNOTAVAIL;
}

/*
 * Without SO_REUSEADDR: of two programs that share a unicast port the older one would lose all
 * packets without a word. Bound to one address no multicast or broadcast arrives. Bound to all of
 * them, IP_MULTICAST_ALL = 0 keeps multicast out, and IP_PKTINFO shows what is a broadcast.
 */
static int open_unicast(struct udp_socket *s, char *waiting, char *why, size_t size)
{
    struct udp_interface on = {.address = {.s_addr = htonl(INADDR_ANY)}};
    s->mixed = !s->config.interface;
    if (!s->mixed && find_address(s, &on, waiting, size) < 0)
        return 0; /* bound when it is there, by another socket */
    int ret = 0;
    if (s->mixed) {
        ret = set_int(s->fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);
        if (ret == 0)
            ret = set_int(s->fd, IPPROTO_IP, IP_PKTINFO, 1);
        if (ret < 0) {
            snprintf(why, size, "the kernel refuses a unicast socket: %s", strerror(-ret));
            return ret;
        }
    }
    ret = bind_to(s->fd, on.address, s->config.port, why, size);
    s->bound = ret == 0;
    s->address = on.address;
    snprintf(s->on, sizeof s->on, "%s", on.name);
    return ret;
}

/* Where nobody is excluded it is a comfort, too. */
static int set_filter(struct udp_socket *s, const struct udp_filter *filter, char *why, size_t size)
{
    const int ret = udp_filter_attach(s->fd, filter);
    if (ret == 0)
        return 0;
    snprintf(why, size, "the kernel refuses a socket filter (%s), which --allow needs",
             strerror(-ret));
    return s->config.allow.count > 0 ? ret : 0;
}

static int bind_socket(struct udp_socket *s, char *waiting, char *why, size_t size)
{
    return s->config.unicast ? open_unicast(s, waiting, why, size)
                             : open_multicast(s, waiting, why, size);
}

int udp_socket_open(struct udp_socket *s, const struct receiver_config *config,
                    const struct udp_filter *filter, char *waiting, char *why, size_t size)
{
    *s = (struct udp_socket){.config = *config,
                             .watch_fd = -1,
                             .fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (s->fd < 0) {
        const int err = errno;
        snprintf(why, size, "cannot open a socket: %s", strerror(err));
        return -err;
    }
    /* Before the bind, from which on packets arrive. */
    s->buffer = set_comforts(s->fd);
    if (!config->unicast || config->interface) /* before the first look: no news may be missed */
        s->watch_fd = udp_watch_open();
    if (s->watch_fd < -1) {
        log_debug("udp: no news of interfaces: %s", strerror(-s->watch_fd));
        s->watch_fd = -1;
    }
    waiting[0] = '\0';
    int ret = filter ? set_filter(s, filter, why, size) : 0;
    if (ret == 0)
        ret = bind_socket(s, waiting, why, size);
    const int64_t now = clock_now();
    udp_renewal_init(&s->renewal, 0, now);
    s->look_at = now + LOOK;
    if (ret < 0)
        udp_socket_close(s);
    return ret;
}

void udp_socket_close(struct udp_socket *s)
{
    if (s->watch_fd >= 0)
        close(s->watch_fd);
    close(s->fd);
}

/* -ESTALE: a socket has to be bound to an address that this one is not bound to. */
static int look_at_address(struct udp_socket *s, char *waiting, size_t size)
{
    struct udp_interface on;
    if (find_address(s, &on, waiting, size) < 0)
        return 0;
    waiting[0] = '\0';
    return s->bound && on.address.s_addr == s->address.s_addr ? 0 : -ESTALE;
}

static bool is_multicast(const struct udp_socket *s)
{
    return !s->config.unicast;
}

static bool is_watching(const struct udp_socket *s)
{
    return is_multicast(s) || s->config.interface;
}

/* The kernel does not tell when. */
static bool looks(const struct udp_socket *s)
{
    return s->watch_fd < 0 || s->again;
}

static void renew(struct udp_socket *s, const struct udp_heard *heard, int64_t now)
{
    switch (udp_renewal_look(&s->renewal, heard->packets, now)) {
    case UDP_RENEW_PLAYING:
        udp_members_refresh(&s->members, heard->source);
        break;
    case UDP_RENEW_SILENT:
        s->again |= udp_members_renew(&s->members) < 0;
        break;
    case UDP_RENEW_NOT:
        break;
    }
}

int udp_socket_tend(struct udp_socket *s, const struct udp_heard *heard, int64_t now, char *waiting,
                    size_t size)
{
    struct udp_news news = {.any = false};
    if (!is_watching(s))
        return 0;
    if (s->watch_fd >= 0)
        udp_watch_take(s->watch_fd, &news);
    if (looks(s) && now >= s->look_at) {
        news.any = true;
        s->look_at = now + LOOK;
    }
    if (news.any && !is_multicast(s))
        return look_at_address(s, waiting, size);
    if (news.any)
        s->again = udp_members_sync(&s->members, &news, waiting, size) < 0;
    if (is_multicast(s) && now >= s->renewal.next)
        renew(s, heard, now);
    return 0;
}

int64_t udp_socket_tend_at(const struct udp_socket *s)
{
    int64_t at = RECEIVER_UNTENDED;
    if (is_watching(s) && looks(s))
        at = s->look_at;
    if (is_multicast(s) && s->members.count > 0 && s->renewal.next < at)
        at = s->renewal.next;
    return at;
}

uint32_t udp_socket_drops(const struct udp_socket *s)
{
    uint32_t info[SK_MEMINFO_VARS] = {0};
    socklen_t size = sizeof info;
    return getsockopt(s->fd, SOL_SOCKET, SO_MEMINFO, info, &size) < 0 ? 0 : info[SK_MEMINFO_DROPS];
}

static void describe_members(const struct udp_members *m, char *buf, size_t size)
{
    if (m->interface)
        snprintf(buf, size, " on %s", m->count > 0 ? m->joined[0].name : m->interface);
    else if (m->count < m->there)
        snprintf(buf, size, " on %d of %d interfaces", m->count, m->there);
    else
        snprintf(buf, size, " on all %d interfaces", m->there);
}

static void describe_place(const struct udp_socket *s, char *buf, size_t size)
{
    char text[INET_ADDRSTRLEN], where[64];
    inet_ntop(AF_INET, &s->address, text, sizeof text);
    if (is_multicast(s)) {
        describe_members(&s->members, where, sizeof where);
        snprintf(buf, size, "%s:%u%s", group_of(&s->config), s->config.port, where);
    } else if (s->mixed)
        snprintf(buf, size, "unicast to port %u", s->config.port);
    else if (s->bound)
        snprintf(buf, size, "unicast to %s:%u on %s", text, s->config.port, s->on);
    else
        snprintf(buf, size, "unicast to port %u on %s", s->config.port, s->config.interface);
}

void udp_socket_describe(const struct udp_socket *s, char *buf, size_t size)
{
    char place[96], senders[48];
    describe_place(s, place, sizeof place);
    allow_text(&s->config.allow, senders, sizeof senders);
    if (s->config.allow.count > 0)
        snprintf(buf, size, "%s, of %s only", place, senders);
    else
        snprintf(buf, size, "%s", place);
}
