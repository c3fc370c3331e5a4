#include "heard.h"

#include "clock.h"
#include "rt.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "test.h"

const struct receiver_config on_lo = {.interface = "lo", .port = PORT};
const struct receiver_config unicast = {.unicast = true, .port = PORT};

void hear(struct heard *h, const struct receiver_config *config)
{
    char why[256] = "";
    memset(h, 0, sizeof *h);
    const int ret = receiver_find("udp")->open(&h->r, config, &h->counters, why, sizeof why);
    if (ret < 0)
        fail_msg("open: %s (%d)", why, ret);
    h->deadline = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    const struct itimerspec in = {.it_value.tv_sec = 5};
    timerfd_settime(h->deadline, 0, &in, NULL);
}

void unhear(struct heard *h)
{
    h->r->driver->close(h->r);
    close(h->deadline);
}

int next_packets(struct heard *h, int max)
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

int next_mark(struct heard *h)
{
    assert_int_equal(next_packets(h, 1), 1);
    return h->packets[0].data[0];
}

/* Without the address a multicast's source would be 0.0.0.0. */
int talker(const char *interface)
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

int talker_at(const char *address)
{
    const int fd = talker("lo");
    const struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = inet_addr(address)};
    assert_int_equal(bind(fd, (const struct sockaddr *)&from, sizeof from), 0);
    return fd;
}

void say_bytes(int fd, const char *to, const uint8_t *bytes, size_t n)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    inet_pton(AF_INET, to, &a.sin_addr);
    const ssize_t sent = sendto(fd, bytes, n, 0, (struct sockaddr *)&a, sizeof a);
    assert_int_equal(sent, (ssize_t)n);
}

void say(int fd, const char *to, uint8_t mark)
{
    uint8_t bytes[SCREAM_DATAGRAM] = {0x01, 16, 2, 3, 0, mark};
    say_bytes(fd, to, bytes, sizeof bytes);
}
