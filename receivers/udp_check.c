#include "udp_check.h"

#include "../src/clock.h"
#include "../src/findings.h"
#include "udp_interface.h"
#include "udp_seen.h"
#include "udp_socket.h"
#include "udp_spy.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define TRAFFIC 100 /* packets of any kind in some seconds: more than a guest's idle chatter */
#define MOST                                                                                       \
    256 /* datagrams that are taken between two looks at the clock: there may be ever more */

/* What is watched, and what came. */
struct watched {
    struct udp_socket socket;
    struct udp_socket other; /* unicast where multicast is expected, or the other way round */
    bool has_other;
    struct udp_spy spy;
    const struct allow *allow;
    struct udp_seen seen, other_seen;
    struct udp_seen strangers; /* who may not be heard */
    double seconds;
};

static void text_of(struct in_addr address, uint16_t port, char *buf, size_t size)
{
    char text[INET_ADDRSTRLEN];
    inet_ntop(AF_INET, &address, text, sizeof text);
    snprintf(buf, size, "%s:%u", text, port);
}

static void list_interfaces(struct findings *f)
{
    struct udp_interface list[UDP_INTERFACES];
    char names[200] = "";
    size_t n = 0;
    const int there = udp_interface_list(list, UDP_INTERFACES);
    for (int i = 0; i < there && i < UDP_INTERFACES && n < sizeof names; i++)
        n += (size_t)snprintf(names + n, sizeof names - n, "%s%s", i ? ", " : "", list[i].name);
    if (there > 0)
        findings_add(f, FINDING_OK, "interface", NULL, "every one that is up: %s", names);
    else
        findings_add(f, FINDING_WAITING, "interface", "is the network up? `ip link` shows them",
                     "none is up");
}

static void check_address(const struct udp_interface *on, struct findings *f)
{
    char text[INET_ADDRSTRLEN];
    inet_ntop(AF_INET, &on->address, text, sizeof text);
    if (on->address.s_addr != htonl(INADDR_ANY))
        findings_add(f, FINDING_OK, "address", NULL, "%s", text);
    else
        findings_add(f, FINDING_WAITING, "address",
                     "libvirt gives one to its bridge when its network starts: `virsh net-start "
                     "default`; otherwise `ip address add`",
                     "%s has no IPv4 address (yet)", on->name);
}

/* What is there by that name or address. Its index; 0: any; below 0: there is nothing to watch. */
static int check_interface(const char *interface, char name[IF_NAMESIZE], struct findings *f)
{
    struct udp_interface on;
    char why[256], remedy[160];
    name[0] = '\0';
    if (!interface) {
        list_interfaces(f);
        return 0;
    }
    if (udp_interface_find(&on, interface, why, sizeof why) < 0) {
        findings_add_clause(f, FINDING_WAITING, "interface", why);
        return -1;
    }
    memcpy(name, on.name, sizeof on.name);
    if (!(on.flags & IFF_UP)) {
        snprintf(remedy, sizeof remedy, "`ip link set %s up`, or `virsh net-start default`",
                 on.name);
        findings_add(f, FINDING_WAITING, "interface", remedy, "%s is down", on.name);
    } else if (!(on.flags & IFF_RUNNING)) {
        findings_add(f, FINDING_WAITING, "interface",
                     "start the guest; `bridge link` shows what a bridge connects",
                     "%s is up, but nothing is connected to it", on.name);
    } else {
        findings_add(f, FINDING_OK, "interface", NULL, "%s is up", on.name);
    }
    check_address(&on, f);
    return on.flags & IFF_UP ? on.index : -1;
}

/* Can there be a socket as the run would have it? True: it is open, and `other` if it can be. */
static bool check_socket(struct watched *w, const struct receiver_config *config,
                         struct findings *f)
{
    const char *subject = config->unicast ? "port" : "group";
    char waiting[256], why[256], where[128];
    if (udp_socket_open(&w->socket, config, NULL, waiting, why, sizeof why) < 0) {
        findings_add_clause(f, FINDING_WRONG, subject, why);
        return false;
    }
    udp_socket_describe(&w->socket, where, sizeof where);
    if (w->socket.bound && (config->unicast || w->socket.members.count > 0))
        findings_add(f, FINDING_OK, subject, NULL, "%s%s", config->unicast ? "" : "joined ", where);
    else
        findings_add_clause(f, FINDING_WAITING, subject, waiting);
    struct receiver_config opposite = *config;
    opposite.unicast = !config->unicast;
    w->has_other = udp_socket_open(&w->other, &opposite, NULL, waiting, why, sizeof why) == 0;
    return true;
}

static void take(int fd, const struct allow *allow, struct udp_seen *seen,
                 struct udp_seen *strangers)
{
    struct udp_datagram raw;
    for (int i = 0; i < MOST; i++) {
        struct sockaddr_in from;
        socklen_t size = sizeof from;
        const ssize_t n =
            recvfrom(fd, &raw, sizeof raw, MSG_TRUNC, (struct sockaddr *)&from, &size);
        if (n < 0)
            return;
        const struct source_id source = {.address = ntohl(from.sin_addr.s_addr),
                                         .port = ntohs(from.sin_port)};
        udp_seen_add(allow_admits(allow, source.address) ? seen : strangers, source, &raw,
                     (size_t)n);
    }
}

static void watch_all(struct watched *w, int64_t watch)
{
    const int64_t begin = clock_now(), end = begin + watch;
    for (int64_t now = begin; now < end; now = clock_now()) {
        struct pollfd fds[] = {{.fd = w->socket.fd, .events = POLLIN},
                               {.fd = w->has_other ? w->other.fd : -1, .events = POLLIN},
                               {.fd = w->spy.fd, .events = POLLIN}};
        if (poll(fds, 3, (int)((end - now) / NS_PER_MS) + 1) <= 0)
            continue;
        take(w->socket.fd, w->allow, &w->seen, &w->strangers);
        if (w->has_other)
            take(w->other.fd, w->allow, &w->other_seen, &w->strangers);
        udp_spy_take(&w->spy);
    }
    w->seconds = (double)(clock_now() - begin) / NS_PER_S;
}

static void tell_sender(const struct udp_sender *s, double seconds, bool first, struct findings *f)
{
    char from[32], format[64];
    text_of((struct in_addr){htonl(s->source.address)}, s->source.port, from, sizeof from);
    if (s->packets > 0) {
        const double usual = (double)s->format.rate * pcm_frame_bytes(&s->format) / SCREAM_PAYLOAD;
        pcm_format_text(&s->format, format, sizeof format);
        findings_add(f, first ? FINDING_OK : FINDING_NOTE, "packets",
                     first ? NULL : "only one sender plays, until it has been silent for a second",
                     "from %s: %s, %.0f a second (%.0f when it plays all the time)", from, format,
                     s->packets / seconds, usual);
    }
    if (s->foreign > 0)
        findings_add(f, FINDING_NOTE, "packets",
                     "these are dropped; if that is your guest, is its driver Scream's?",
                     "from %s: %u that are not Scream's, the last of %zu bytes", from, s->foreign,
                     s->length);
}

/* Of those listed the first that has sent a packet, or else anything. */
static const struct udp_sender *first_sender(const struct udp_seen *seen)
{
    for (int i = 0; i < seen->count; i++)
        if (seen->list[i].packets > 0)
            return &seen->list[i];
    return seen->list;
}

/* What the run would neither hear nor count one by one. */
static void tell_allow(const struct watched *w, struct findings *f)
{
    const struct udp_sender *s = first_sender(&w->strangers);
    char senders[48], from[INET_ADDRSTRLEN], remedy[160];
    if (w->allow->count == 0)
        return;
    allow_text(w->allow, senders, sizeof senders);
    findings_add(f, FINDING_OK, "allow", NULL, "%s; the kernel drops what others send", senders);
    if (w->strangers.count == 0)
        return;
    const struct in_addr address = {htonl(s->source.address)};
    inet_ntop(AF_INET, &address, from, sizeof from);
    snprintf(remedy, sizeof remedy, "if that is your guest, add --allow %s", from);
    findings_add(f, w->seen.packets > 0 || w->strangers.packets == 0 ? FINDING_NOTE : FINDING_WRONG,
                 "allow", remedy, "%u packets come from %s%s, which --allow does not name",
                 w->strangers.packets, from, w->strangers.count > 1 ? " and others" : "");
}

static void tell_packets(const struct watched *w, struct findings *f)
{
    bool first = true;
    for (int i = 0; i < w->seen.count; i++) {
        tell_sender(&w->seen.list[i], w->seconds, first, f);
        first = first && w->seen.list[i].packets == 0;
    }
    if (w->seen.packets == 0)
        findings_add(f, FINDING_WAITING, "packets",
                     "does the guest play, is Scream its default sound device, is its network card "
                     "on this bridge (`virsh domiflist GUEST`)?",
                     "none in %.0f s", w->seconds);
}

/* The guest's packets come, but not as these options expect them. True: that was it. */
static bool tell_elsewhere(const struct watched *w, const struct receiver_config *config,
                           struct findings *f)
{
    char where[32] = "", remedy[160];
    if (w->other_seen.packets > 0 && config->unicast) {
        findings_add(f, FINDING_WRONG, "sent to", "leave out -u",
                     "the guest sends to the multicast group, not to this host");
    } else if (w->other_seen.packets > 0) {
        findings_add(f, FINDING_WRONG, "sent to",
                     "add -u, or delete UnicastIPv4 from the guest's registry",
                     "the guest sends to this host's own address, not to the group");
    } else if (w->spy.elsewhere > 0) {
        const struct in_addr to = w->spy.target.sin_addr;
        const uint16_t port = ntohs(w->spy.target.sin_port);
        text_of(to, port, where, sizeof where);
        if (IN_MULTICAST(ntohl(to.s_addr)))
            snprintf(remedy, sizeof remedy, "add -g %s -p %u, or change the guest's registry",
                     inet_ntoa(to), port);
        else
            snprintf(remedy, sizeof remedy,
                     "if that is this host: -u -p %u; otherwise change the guest's registry", port);
        findings_add(f, FINDING_WRONG, "sent to", remedy, "the guest sends to %s", where);
    } else {
        return false;
    }
    return true;
}

static void tell_firewall(const struct watched *w, struct findings *f)
{
    const char *on = w->spy.name[0] ? w->spy.name : "the interfaces";
    const unsigned port = w->spy.port;
    char remedy[320];
    const uint64_t all = udp_spy_received(&w->spy);
    snprintf(remedy, sizeof remedy,
             "let UDP port %u in: `sudo firewall-cmd --zone=libvirt --add-port=%u/udp`, `sudo ufw "
             "allow in on %s to any port %u proto udp` or packaging/firewall.md; a guest whose "
             "address is not of this network is dropped by rp_filter",
             port, port, w->spy.name[0] ? w->spy.name : "virbr0", port);
    if (w->seen.packets + w->strangers.packets > 0)
        findings_add(f, FINDING_OK, "firewall", NULL, "lets them in");
    else if (w->spy.expected > 0)
        findings_add(f, FINDING_WRONG, "firewall", remedy,
                     "%u packets came to %s and were dropped before they got here", w->spy.expected,
                     on);
    else if (w->spy.fd >= 0)
        findings_add(f, FINDING_OK, "firewall", NULL,
                     "has dropped nothing: none of the guest's packets came to %s", on);
    else if (all >= TRAFFIC)
        findings_add(f, FINDING_NOTE, "firewall", remedy,
                     "%llu packets of any kind came to %s; only root can see whether a firewall "
                     "dropped the guest's",
                     (unsigned long long)all, on);
    else
        findings_add(f, FINDING_NOTE, "firewall", NULL,
                     "only %llu packets of any kind came to %s: hardly the reason",
                     (unsigned long long)all, on);
}

void udp_check(const struct receiver_config *config, int64_t watch, struct findings *f)
{
    struct watched w = {.allow = &config->allow, .spy = {.fd = -1, .port = config->port}};
    const int index = check_interface(config->interface, w.spy.name, f);
    if (index < 0 || !check_socket(&w, config, f))
        return;
    if (w.socket.bound && (config->unicast || w.socket.members.count > 0)) {
        if (!config->unicast)
            w.spy.group = w.socket.members.group;
        udp_spy_open(&w.spy, index);
        watch_all(&w, watch);
        tell_packets(&w, f);
        tell_allow(&w, f);
        if (w.seen.packets + w.strangers.packets > 0 || w.spy.expected > 0 ||
            !tell_elsewhere(&w, config, f))
            tell_firewall(&w, f);
        udp_spy_close(&w.spy);
    }
    if (w.has_other)
        udp_socket_close(&w.other);
    udp_socket_close(&w.socket);
}
