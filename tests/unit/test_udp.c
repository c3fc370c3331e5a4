/*
 * The UDP receiver against real sockets, in a network namespace of its own, which the program makes
 * for itself (unshare): nothing of this reaches a network.
 */
#include "test.h"

#include "../../receivers/udp_parse.h"
#include "clock.h"
#include "receiver.h"
#include "rt.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define PORT     4010
#define OTHER    "239.255.77.78"
#define MAX      64
#define IN_SPACE "SCREAM_TEST_IN_NAMESPACE"

/* A receiver, and a deadline as its wake-up fd. */
struct heard {
    struct receiver *r;
    struct receiver_counters counters;
    int deadline;
    struct packet packets[MAX];
};

static void hear(struct heard *h, const struct receiver_config *config)
{
    char why[256] = "";
    memset(h, 0, sizeof *h);
    const int ret = receiver_find("udp")->open(&h->r, config, &h->counters, why, sizeof why);
    if (ret < 0)
        fail_msg("open: %s (%d)", why, ret);
    h->deadline = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    const struct itimerspec in = {.it_value.tv_sec = 5};
    timerfd_settime(h->deadline, 0, &in, NULL);
}

static void unhear(struct heard *h)
{
    h->r->driver->close(h->r);
    close(h->deadline);
}

/* Reads until there is a packet; how many there are. */
static int next_packets(struct heard *h, int max)
{
    for (;;) {
        rt_enter();
        const int n = h->r->driver->read(h->r, h->deadline, h->packets, max);
        rt_leave();
        uint64_t fired;
        if (n != 0)
            return n;
        struct itimerspec left;
        timerfd_gettime(h->deadline, &left);
        if (left.it_value.tv_sec == 0 && left.it_value.tv_nsec == 0) {
            assert_int_equal(read(h->deadline, &fired, sizeof fired), sizeof fired);
            fail_msg("nothing came");
        }
    }
}

/* The next packet's first payload byte, by which tests mark them. */
static int next_mark(struct heard *h)
{
    assert_int_equal(next_packets(h, 1), 1);
    return h->packets[0].data[0];
}

/* Speaks from there; without the address a multicast's source would be 0.0.0.0. */
static int talker(const char *interface)
{
    const char *address = strcmp(interface, "lo") == 0 ? "127.0.0.1" : "10.77.0.1";
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const struct ip_mreqn m = {.imr_address.s_addr = inet_addr(address),
                               .imr_ifindex = (int)if_nametoindex(interface)};
    const int one = 1;
    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &m, sizeof m), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &one, sizeof one), 0);
    return fd;
}

static void say_bytes(int fd, const char *to, const uint8_t *bytes, size_t n)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    inet_pton(AF_INET, to, &a.sin_addr);
    const ssize_t sent = sendto(fd, bytes, n, 0, (struct sockaddr *)&a, sizeof a);
    assert_int_equal(sent, (ssize_t)n);
}

/* One good datagram whose first sample byte is mark. */
static void say(int fd, const char *to, uint8_t mark)
{
    uint8_t bytes[SCREAM_DATAGRAM] = {0x01, 16, 2, 3, 0, mark};
    say_bytes(fd, to, bytes, sizeof bytes);
}

static const struct receiver_config on_lo = {.interface = "lo", .port = PORT};
static const struct receiver_config unicast = {.unicast = true, .port = PORT};

static void need_namespace(void)
{
    if (!getenv(IN_SPACE)) {
        print_message("skipped: no network namespace can be made here\n");
        skip();
    }
}

static void parses_only_packets(void **state)
{
    (void)state;
    uint8_t bytes[SCREAM_DATAGRAM + 1] = {0x81, 24, 6, 0x3f, 0x06};
    struct packet p = {.bytes = 7};
    for (size_t n = 0; n <= sizeof bytes; n++)
        assert_int_equal(udp_parse(bytes, n, &p), n == SCREAM_DATAGRAM ? UDP_OK : UDP_BAD_SIZE);
    assert_int_equal(p.bytes, SCREAM_PAYLOAD);
    assert_ptr_equal(p.data, bytes + 5);
    assert_int_equal(p.format.rate, 44100);
    assert_int_equal(p.format.mask, 0x63f);
    int good = 0;
    for (unsigned v = 0; v < 1u << 24; v += 7) { /* 7 is prime to it: no byte is left out */
        bytes[0] = (uint8_t)v;
        bytes[1] = (uint8_t)(v >> 8);
        bytes[2] = (uint8_t)(v >> 16);
        if (udp_parse(bytes, SCREAM_DATAGRAM, &p) == UDP_OK)
            good += p.format.channels >= 1 && p.format.channels <= 8;
    }
    assert_in_range(good, 1, 6 * 3 * 8);
}

static void hears_multicast(void **state)
{
    (void)state;
    need_namespace();
    struct heard h;
    hear(&h, &on_lo);
    char text[96];
    h.r->driver->describe(h.r, text, sizeof text);
    assert_string_equal(text, "239.255.77.77:4010 on lo");
    const int fd = talker("lo");
    say(fd, SCREAM_DEFAULT_GROUP, 9);
    assert_int_equal(next_mark(&h), 9);
    assert_int_equal(h.packets[0].bytes, SCREAM_PAYLOAD);
    assert_int_equal(h.packets[0].format.rate, 48000);
    assert_int_equal(h.packets[0].source.address, INADDR_LOOPBACK);
    assert_false(h.packets[0].starts);
    assert_int_equal(count_read(&h.counters.packets), 1);
    close(fd);
    unhear(&h);
}

/* What goes to another group, to us alone or to everybody on the same port is not the group's. */
static void hears_no_other_group(void **state)
{
    (void)state;
    need_namespace();
    struct heard h, other;
    const struct receiver_config elsewhere = {.interface = "lo", .group = OTHER, .port = PORT};
    hear(&h, &on_lo);
    hear(&other, &elsewhere); /* so that the host is a member of it */
    const int fd = talker("lo");
    say(fd, OTHER, 1);
    say(fd, "127.0.0.1", 2);
    say(fd, "127.255.255.255", 3);
    say(fd, SCREAM_DEFAULT_GROUP, 4);
    assert_int_equal(next_mark(&h), 4);
    assert_int_equal(next_mark(&other), 1);
    close(fd);
    unhear(&other);
    unhear(&h);
}

static void several_may_hear_a_group(void **state)
{
    (void)state;
    need_namespace();
    struct heard a, b;
    hear(&a, &on_lo);
    hear(&b, &on_lo);
    const int fd = talker("lo");
    say(fd, SCREAM_DEFAULT_GROUP, 5);
    assert_int_equal(next_mark(&a), 5);
    assert_int_equal(next_mark(&b), 5);
    close(fd);
    unhear(&b);
    unhear(&a);
}

/* Two ends of a cable in one namespace: near, and far without an address. */
static bool lay_cable(void)
{
    static const char *const commands =
        "exec 2>/dev/null; ip link add near type veth peer name far && "
        "ip address add 10.77.0.1/24 dev near && ip link set near up && ip link set far up && "
        "for i in all far; do echo 0 >/proc/sys/net/ipv4/conf/$i/rp_filter; done && "
        "echo 1 >/proc/sys/net/ipv4/conf/far/accept_local";
    return system(commands) == 0;
}

static void hears_only_its_interface(void **state)
{
    (void)state;
    need_namespace();
    if (!lay_cable()) {
        print_message("skipped: no veth pair can be made here\n");
        skip();
    }
    struct heard lo, far, all, address;
    hear(&lo, &on_lo);
    hear(&far, &(struct receiver_config){.interface = "far", .port = PORT});
    hear(&all, &(struct receiver_config){.port = PORT});
    hear(&address, &(struct receiver_config){.interface = "10.77.0.1", .port = PORT});
    const int on_cable = talker("near"), inside = talker("lo");
    say(on_cable, SCREAM_DEFAULT_GROUP, 1);
    /* Far hears it; near does too, by the sender's own loop. */
    assert_int_equal(next_mark(&far), 1);
    assert_int_equal(next_mark(&address), 1);
    say(inside, SCREAM_DEFAULT_GROUP, 2);
    assert_int_equal(next_mark(&lo), 2);
    for (int mark = 0; mark != 2;)
        mark = next_mark(&all);
    assert_true(count_read(&all.counters.packets) >= 2);
    say(on_cable, SCREAM_DEFAULT_GROUP, 3);
    assert_int_equal(next_mark(&far), 3);
    char text[96];
    address.r->driver->describe(address.r, text, sizeof text);
    assert_string_equal(text, "239.255.77.77:4010 on near");
    close(inside);
    close(on_cable);
    unhear(&address);
    unhear(&all);
    unhear(&far);
    unhear(&lo);
    assert_int_equal(system("ip link del near"), 0);
}

static void unicast_hears_nothing_else(void **state)
{
    (void)state;
    need_namespace();
    struct heard h;
    hear(&h, &unicast);
    /* Another program of the host is a member of the group, so that it reaches this host. */
    const int member = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const struct ip_mreqn m = {.imr_multiaddr.s_addr = inet_addr(SCREAM_DEFAULT_GROUP),
                               .imr_ifindex = (int)if_nametoindex("lo")};
    assert_int_equal(setsockopt(member, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof m), 0);
    const int fd = talker("lo");
    say(fd, SCREAM_DEFAULT_GROUP, 1);
    say(fd, "127.255.255.255", 2);
    say(fd, "127.0.0.1", 3);
    assert_int_equal(next_mark(&h), 3);
    say(fd, "127.0.0.2", 4); /* any address of ours */
    assert_int_equal(next_mark(&h), 4);
    assert_int_equal(count_read(&h.counters.other_source), 1);
    assert_int_equal(count_read(&h.counters.packets), 2);
    close(member);
    close(fd);
    unhear(&h);
}

static void unicast_takes_an_address(void **state)
{
    (void)state;
    need_namespace();
    struct heard by_name, other;
    hear(&by_name, &(struct receiver_config){.unicast = true, .interface = "lo", .port = PORT});
    /* The multicast one does not collide with an address. */
    hear(&other, &on_lo);
    const int fd = talker("lo");
    say(fd, "127.255.255.255", 1);
    say(fd, SCREAM_DEFAULT_GROUP, 2);
    say(fd, "127.0.0.1", 3);
    assert_int_equal(next_mark(&by_name), 3);
    assert_int_equal(next_mark(&other), 2);
    char text[96];
    by_name.r->driver->describe(by_name.r, text, sizeof text);
    assert_string_equal(text, "unicast to 127.0.0.1:4010 on lo");
    close(fd);
    unhear(&other);
    unhear(&by_name);
}

static void counts_what_is_no_packet(void **state)
{
    (void)state;
    need_namespace();
    struct heard h;
    hear(&h, &unicast);
    const int fd = talker("lo");
    static const size_t sizes[] = {0, 1, 5, 6, 1156, 1158, 1500, 9000};
    static const uint8_t formats[][3] = {{0x00, 16, 2}, {0x03, 16, 2},     {0x01, 8, 2},
                                         {0x01, 20, 2}, {0x01, 16, 0},     {0x01, 16, 9},
                                         {0x88, 16, 2}, {0xff, 0xff, 0xff}};
    const size_t bad_sizes = sizeof sizes / sizeof sizes[0];
    const size_t bad_formats = sizeof formats / sizeof formats[0];
    for (size_t i = 0; i < bad_sizes; i++) {
        uint8_t bytes[9000] = {0x01, 16, 2, 3};
        say_bytes(fd, "127.0.0.1", bytes, sizes[i]);
    }
    for (size_t i = 0; i < bad_formats; i++) {
        uint8_t bytes[SCREAM_DATAGRAM] = {formats[i][0], formats[i][1], formats[i][2]};
        say_bytes(fd, "127.0.0.1", bytes, sizeof bytes);
    }
    say(fd, "127.0.0.1", 1);
    assert_int_equal(next_mark(&h), 1);
    assert_int_equal(count_read(&h.counters.bad_size), bad_sizes);
    assert_int_equal(count_read(&h.counters.bad_format), bad_formats);
    assert_int_equal(count_read(&h.counters.packets), 1);
    close(fd);
    unhear(&h);
}

static void senders_keep_their_source(void **state)
{
    (void)state;
    need_namespace();
    struct heard h;
    hear(&h, &unicast);
    int fds[3];
    struct sockaddr_in from[3];
    for (int i = 0; i < 3; i++) {
        char address[16];
        snprintf(address, sizeof address, "127.0.0.%d", i + 1);
        fds[i] = talker("lo");
        from[i] =
            (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = inet_addr(address)};
        socklen_t size = sizeof from[i];
        assert_int_equal(bind(fds[i], (struct sockaddr *)&from[i], size), 0);
        assert_int_equal(getsockname(fds[i], (struct sockaddr *)&from[i], &size), 0);
    }
    for (int i = 0; i < 30; i++)
        say(fds[i % 3], "127.0.0.1", (uint8_t)(i % 3));
    for (int seen = 0; seen < 30;) {
        const int n = next_packets(&h, 7);
        assert_in_range(n, 1, 7);
        for (int i = 0; i < n; i++, seen++) {
            const struct packet *p = &h.packets[i];
            const int who = p->data[0];
            assert_int_equal(who, seen % 3);
            assert_int_equal(p->source.address, ntohl(from[who].sin_addr.s_addr));
            assert_int_equal(p->source.port, ntohs(from[who].sin_port));
            if (i > 0)
                assert_true(p->arrival >= p[-1].arrival);
        }
    }
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    unhear(&h);
}

/* However late the thread wakes up, the arrival is the kernel's. */
/* The kernel begins to stamp a little after it was asked to; until then packets bear the time of reading. */
static void await_stamps(struct heard *h, int fd)
{
    for (int tries = 0; tries < 400; tries++) {
        say(fd, "127.0.0.1", 9);
        usleep(5000); /* is the lateness itself */
        const int64_t reading = clock_now();
        assert_int_equal(next_mark(h), 9);
        if (h->packets[0].arrival < reading)
            return;
    }
    fail_msg("the kernel does not stamp");
}

static void arrival_is_not_the_wake_up(void **state)
{
    (void)state;
    need_namespace();
    struct heard h;
    hear(&h, &unicast);
    const int fd = talker("lo");
    await_stamps(&h, fd);
    const int64_t before = clock_now();
    say(fd, "127.0.0.1", 1);
    const int64_t after = clock_now();
    usleep(50000); /* is the lateness itself */
    assert_int_equal(next_mark(&h), 1);
    assert_true(h.packets[0].arrival >= before - NS_PER_MS);
    assert_true(h.packets[0].arrival <= after + 20 * NS_PER_MS);
    /* Beyond 200 ms it could as well be a step of the clock. */
    say(fd, "127.0.0.1", 2);
    usleep(250000);
    const int64_t reading = clock_now();
    assert_int_equal(next_mark(&h), 2);
    assert_true(h.packets[0].arrival >= reading);
    close(fd);
    unhear(&h);
}

static void counts_the_kernels_drops(void **state)
{
    (void)state;
    need_namespace();
    struct heard h;
    hear(&h, &unicast);
    const int fd = talker("lo");
    const unsigned sent = 5000; /* three times what a buffer of 2 MiB holds */
    for (unsigned i = 0; i < sent; i++)
        say(fd, "127.0.0.1", 1);
    struct packet *p = h.packets;
    unsigned got = 0;
    /* A flag fd is readable from the start: read() then returns 0 once the socket is empty. */
    const int now = eventfd(1, EFD_CLOEXEC);
    for (int n; (n = h.r->driver->read(h.r, now, p, MAX)) != 0; got += (unsigned)n)
        assert_in_range(n, 1, MAX);
    close(now);
    assert_true(got < sent);
    say(fd, "127.0.0.1", 2); /* the kernel tells with the next one */
    assert_int_equal(next_mark(&h), 2);
    assert_int_equal(count_read(&h.counters.kernel_drops), sent - got);
    say(fd, "127.0.0.1", 3);
    assert_int_equal(next_mark(&h), 3);
    assert_int_equal(count_read(&h.counters.kernel_drops), sent - got); /* once */
    close(fd);
    unhear(&h);
}

static void wakes_up(void **state)
{
    (void)state;
    need_namespace();
    struct heard h;
    hear(&h, &unicast);
    const int wake = eventfd(1, EFD_CLOEXEC);
    assert_int_equal(h.r->driver->read(h.r, wake, h.packets, MAX), 0);
    uint64_t value;
    assert_int_equal(read(wake, &value, sizeof value), sizeof value); /* was left unread */
    close(wake);
    unhear(&h);
}

/* config cannot be opened: errno, and what the explanation has to name. */
static void refuses(const struct receiver_config *config, int err, const char *name)
{
    struct receiver_counters counters = {0};
    struct receiver *r = NULL;
    char why[256] = "";
    assert_int_equal(receiver_find("udp")->open(&r, config, &counters, why, sizeof why), -err);
    if (!strstr(why, name))
        fail_msg("'%s' does not name %s", why, name);
}

static void explains_what_is_wrong(void **state)
{
    (void)state;
    need_namespace();
    refuses(&(struct receiver_config){.group = "10.1.2.3", .port = PORT}, EINVAL, "10.1.2.3");
    refuses(&(struct receiver_config){.group = "239.1", .port = PORT}, EINVAL, "-g");
    refuses(&(struct receiver_config){.interface = "virbr7", .port = PORT}, ENODEV, "virbr7");
    refuses(&(struct receiver_config){.interface = "", .port = PORT}, ENODEV, "ip link");
    refuses(&(struct receiver_config){.interface = "a-name-that-is-much-too-long", .port = PORT},
            ENODEV, "a-name-that-is-much-too-long");
    refuses(&(struct receiver_config){.interface = "10.9.9.9", .port = PORT}, EADDRNOTAVAIL,
            "10.9.9.9");
    struct heard h;
    hear(&h, &unicast);
    refuses(&unicast, EADDRINUSE, "port 4010");
    unhear(&h);
    if (!lay_cable())
        return;
    refuses(&(struct receiver_config){.interface = "far", .unicast = true, .port = PORT},
            EADDRNOTAVAIL, "far");
    assert_int_equal(system("ip link del near"), 0);
}

static void raise_loopback(void)
{
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq r = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING | IFF_LOOPBACK};
    if (ioctl(fd, SIOCSIFFLAGS, &r) < 0)
        perror("lo");
    close(fd);
}

/* Runs this program anew in a namespace of its own, if there can be one. */
static void enter_namespace(char **argv)
{
    if (getenv(IN_SPACE)) {
        raise_loopback();
        return;
    }
    setenv(IN_SPACE, "1", 1);
    if (system("unshare -Urn true 2>/dev/null") == 0)
        execlp("unshare", "unshare", "-Urn", argv[0], (char *)NULL);
    if (system("unshare -n true 2>/dev/null") == 0)
        execlp("unshare", "unshare", "-n", argv[0], (char *)NULL);
    unsetenv(IN_SPACE);
}

int main(int argc, char **argv)
{
    (void)argc;
    enter_namespace(argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_only_packets),       cmocka_unit_test(hears_multicast),
        cmocka_unit_test(hears_no_other_group),      cmocka_unit_test(several_may_hear_a_group),
        cmocka_unit_test(hears_only_its_interface),  cmocka_unit_test(unicast_hears_nothing_else),
        cmocka_unit_test(unicast_takes_an_address),  cmocka_unit_test(counts_what_is_no_packet),
        cmocka_unit_test(senders_keep_their_source), cmocka_unit_test(arrival_is_not_the_wake_up),
        cmocka_unit_test(counts_the_kernels_drops),  cmocka_unit_test(wakes_up),
        cmocka_unit_test(explains_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
