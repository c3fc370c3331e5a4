/* Memberships are renewed: when, that switches hear of it, and what it costs who plays. */
#include "test.h"

#include "../../receivers/udp_renewal.h"
#include "../../receivers/udp_socket.h"
#include "clock.h"
#include "heard.h"
#include "namespace.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/if_ether.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

static void renews_soon_then_seldom(void **state)
{
    (void)state;
    struct udp_renewal r;
    int64_t now = 5 * NS_PER_S;
    int renewals = 0, looks = 0;
    udp_renewal_init(&r, 0, now);
    for (uint64_t packets = 0; now < 605 * NS_PER_S; now = r.next, looks++)
        renewals += udp_renewal_look(&r, packets += 50, now) == UDP_RENEW_PLAYING;
    assert_int_equal(renewals, 13); /* every 45 s, in 600 */
    assert_in_range(looks, 1000, 1201);
    /* The sound ceases: within a second of that. */
    const int64_t last = r.heard;
    while (udp_renewal_look(&r, r.packets, now) != UDP_RENEW_SILENT)
        now = r.next;
    assert_in_range(now - last, NS_PER_S / 2, NS_PER_S);
    renewals = looks = 0;
    const int64_t begin = now;
    for (; now < begin + 600 * NS_PER_S; now = r.next, looks++)
        renewals += udp_renewal_look(&r, r.packets, now) == UDP_RENEW_SILENT;
    print_message("%d renewals and %d looks in 10 minutes of silence\n", renewals, looks);
    assert_in_range(renewals, 14, 20);
    assert_in_range(looks, 100, 150);
}

/* An IGMPv3 report that somebody excludes nobody from the group, on this AF_PACKET socket. */
static bool await_report(int fd)
{
    const uint32_t group = inet_addr(SCREAM_DEFAULT_GROUP);
    uint8_t b[2048];
    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, 1200) != 1) /* it repeats itself within a second */
            return false;
        const ssize_t n = recv(fd, b, sizeof b, 0);
        const int header = (b[0] & 15) * 4;
        /* type 0x22, records from byte 8 on: type 4 is CHANGE_TO_EXCLUDE_MODE */
        if (n >= header + 16 && b[9] == IPPROTO_IGMP && b[header] == 0x22 && b[header + 8] == 4 &&
            memcmp(&b[header + 12], &group, sizeof group) == 0)
            return true;
    }
}

#define TALK 10000

/* Who says so many packets, each with its number, and whether all are said. */
struct talk {
    int fd;
    atomic_bool ended;
    pthread_t thread;
};

static void *talk(void *arg)
{
    struct talk *t = arg;
    for (uint32_t i = 0; i < TALK; i++) {
        uint8_t bytes[SCREAM_DATAGRAM] = {0x01, 16, 2, 3, 0};
        memcpy(bytes + PCM_WIRE_BYTES, &i, sizeof i);
        say_bytes(t->fd, SCREAM_DEFAULT_GROUP, bytes, sizeof bytes);
        if (i % 8 == 7)
            usleep(800); /* is the rate */
    }
    atomic_store(&t->ended, true);
    return NULL;
}

static void begin_talk(struct talk *t)
{
    t->fd = talker("near");
    atomic_init(&t->ended, false);
    assert_int_equal(pthread_create(&t->thread, NULL, talk, t), 0);
}

static void end_talk(struct talk *t)
{
    pthread_join(t->thread, NULL);
    close(t->fd);
}

static void join_far(struct udp_socket *s)
{
    char waiting[256], why[256];
    const struct receiver_config config = {.interface = "far", .port = PORT};
    assert_true(lay_cable());
    assert_int_equal(udp_socket_open(s, &config, NULL, waiting, why, sizeof why), 0);
    assert_int_equal(s->members.count, 1);
}

static void refreshing_is_reported(void **state)
{
    (void)state;
    need_namespace();
    struct udp_socket s;
    join_far(&s);
    const int wire = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_IP));
    const struct sockaddr_ll near = {.sll_family = AF_PACKET,
                                     .sll_protocol = htons(ETH_P_IP),
                                     .sll_ifindex = (int)if_nametoindex("near")};
    assert_true(wire >= 0);
    assert_int_equal(bind(wire, (const struct sockaddr *)&near, sizeof near), 0);
    while (await_report(wire)) /* those of the beginning, until there are no more */
        ;
    const struct in_addr guest = {.s_addr = inet_addr("10.77.0.1")};
    udp_members_refresh(&s.members, guest);
    assert_true(await_report(wire));
    while (await_report(wire))
        ;
    udp_members_renew(&s.members);
    assert_true(await_report(wire));
    close(wire);
    udp_socket_close(&s);
    run("ip link del near");
}

/* What was done again and again, without a pause, while packets came, and how many of them were lost meanwhile. */
struct cost {
    unsigned times, lost;
};

enum { REFRESH, RENEW };

static struct cost cost_of(struct udp_socket *s, int how)
{
    const struct in_addr guest = {.s_addr = inet_addr("10.77.0.1")};
    struct cost c = {.lost = TALK};
    struct talk t;
    begin_talk(&t);
    for (bool last = false; !last; c.times++) {
        uint8_t bytes[SCREAM_DATAGRAM];
        last = atomic_load(&t.ended);
        if (how == RENEW)
            udp_members_renew(&s->members);
        else
            udp_members_refresh(&s->members, guest);
        while (recv(s->fd, bytes, sizeof bytes, 0) == SCREAM_DATAGRAM)
            c.lost--;
    }
    end_talk(&t);
    print_message("%s %u times: %u lost\n", how == RENEW ? "renewed" : "refreshed", c.times,
                  c.lost);
    return c;
}

/*
 * The kernel swaps a socket's list of sources and then its mode, two stores: what arrives between them, on
 * another processor, is lost. Of 10,000 packets that is one to 33; leaving and joining anew loses half, and a refresh
 * that names another sender than the one that plays a fifth.
 */
static bool costs_next_to_nothing(const struct cost *c, const struct cost *renewal)
{
    return c->lost <= 10 + renewal->lost / 20;
}

static void refreshing_loses_next_to_nothing(void **state)
{
    (void)state;
    need_namespace();
    struct udp_socket s;
    join_far(&s);
    const struct cost refresh = cost_of(&s, REFRESH), renewal = cost_of(&s, RENEW);
    udp_socket_close(&s);
    run("ip link del near");
    assert_true(refresh.times > 100);
    assert_true(costs_next_to_nothing(&refresh, &renewal));
}

#define STRANGERS 12 /* more than anybody keeps a list of */

static void meet_strangers(int *strangers, struct in_addr guest)
{
    run("for i in $(seq 10 21); do ip address add 10.77.0.$i/24 dev near; done");
    for (uint32_t i = 0; i < STRANGERS; i++) {
        const struct sockaddr_in at = {.sin_family = AF_INET,
                                       .sin_addr.s_addr = htonl(ntohl(guest.s_addr) + 9 + i)};
        strangers[i] = talker("near");
        assert_int_equal(bind(strangers[i], (const struct sockaddr *)&at, sizeof at), 0);
    }
}

/* What the receiver's own tending costs the guest that plays, all of them sending. */
static struct cost cost_among_strangers(struct heard *h, struct in_addr guest)
{
    const struct source_id plays = {.address = ntohl(guest.s_addr), .port = PORT};
    const int now = eventfd(1, EFD_CLOEXEC); /* readable: read() does not wait */
    struct cost c = {.lost = TALK};
    int strangers[STRANGERS];
    struct talk t;
    meet_strangers(strangers, guest);
    gauge_set(&h->r->plays, source_number(plays));
    begin_talk(&t);
    for (bool last = false; !last; c.times++) {
        last = atomic_load(&t.ended);
        for (int i = 0; i < STRANGERS && c.times % 256 == 0; i++) /* which is no flood */
            say(strangers[i], SCREAM_DEFAULT_GROUP, 0);
        count_add(&h->counters.packets, 1); /* else it takes the guest to be silent */
        h->r->driver->tend(h->r, clock_now() + (c.times + 1) * UDP_RENEWAL_MOST);
        for (int n; (n = h->r->driver->read(h->r, now, h->packets, HEARD_MOST)) > 0;)
            for (int i = 0; i < n; i++)
                c.lost -= h->packets[i].source.address == plays.address;
    }
    end_talk(&t);
    print_message("among strangers %u times: %u lost\n", c.times, c.lost);
    for (int i = 0; i < STRANGERS; i++)
        close(strangers[i]);
    close(now);
    return c;
}

/* Whoever else sends, and however many: the memberships are narrowed to the one that plays. */
static void refreshing_keeps_who_plays(void **state)
{
    (void)state;
    need_namespace();
    struct udp_socket s;
    struct heard h;
    join_far(&s);
    const struct cost renewal = cost_of(&s, RENEW);
    udp_socket_close(&s);
    hear(&h, &(struct receiver_config){.interface = "far", .port = PORT});
    struct cost c = cost_among_strangers(&h, (struct in_addr){inet_addr("10.77.0.1")});
    const uint64_t full = count_read(&h.counters.kernel_drops); /* the socket was, of all of that */
    unhear(&h);
    run("ip link del near");
    c.lost -= full < c.lost ? (unsigned)full : c.lost;
    assert_true(c.times > 100);
    assert_true(costs_next_to_nothing(&c, &renewal));
}

int main(int argc, char **argv)
{
    (void)argc;
    enter_namespace(argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(renews_soon_then_seldom),
        cmocka_unit_test(refreshing_is_reported),
        cmocka_unit_test(refreshing_loses_next_to_nothing),
        cmocka_unit_test(refreshing_keeps_who_plays),
    };
    return cmocka_run_group_tests_name("udp_renewal", tests, NULL, NULL);
}
