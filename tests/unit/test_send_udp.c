#include "../../tools/send_sink.h"
#include "../../tools/signal.h"
#include "test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define GROUP "239.255.77.77"

/* A receiver on loopback at a port of the kernel's choice; `group` or NULL for unicast. */
static int receiver(const char *group, uint16_t *port)
{
    const struct timeval patience = {.tv_sec = 5};
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = inet_addr(group ? group : "127.0.0.1")};
    socklen_t size = sizeof at;
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    *port = ntohs(at.sin_port);
    if (group) {
        const struct ip_mreqn join = {.imr_multiaddr.s_addr = inet_addr(group),
                                      .imr_address.s_addr = inet_addr("127.0.0.1")};
        assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &join, sizeof join), 0);
    }
    return fd;
}

/* Sends a unit by those options and expects it whole; *from is who sent it. */
static void exchange(const struct send_options *o, int fd, struct sockaddr_in *from)
{
    const struct pcm_format f = {.rate = 176400, .width = 24, .channels = 6, .mask = 0x60f};
    static const uint8_t header[5] = {0x84, 24, 6, 0x0f, 0x06};
    struct send_sink *sink;
    uint8_t unit[1152], got[2048];
    uint32_t unit_bytes;
    socklen_t size = sizeof *from;
    signal_render(SIGNAL_NOISE, &f, 5, sizeof unit / 18, unit);
    assert_int_equal(send_udp_open(&sink, o), 0);
    assert_int_equal(sink->ops->begin(sink, &f, &unit_bytes), 0);
    assert_int_equal(unit_bytes, sizeof unit);
    assert_int_equal(sink->ops->write(sink, unit), 0);
    assert_int_equal(recvfrom(fd, got, sizeof got, 0, (struct sockaddr *)from, &size), 1157);
    assert_memory_equal(got, header, sizeof header);
    assert_memory_equal(got + 5, unit, sizeof unit);
    sink->ops->end(sink);
    assert_int_equal(recv(fd, got, sizeof got, MSG_DONTWAIT), -1); /* no end marker */
    sink->ops->close(sink);
}

static void unicast_arrives_from_the_address_asked_for(void **state)
{
    uint16_t port;
    struct sockaddr_in from;
    const int fd = receiver(NULL, &port);
    struct send_options o = {.port = port, .ttl = 1, .to.s_addr = inet_addr("127.0.0.1")};
    (void)state;
    exchange(&o, fd, &from);
    assert_string_equal(inet_ntoa(from.sin_addr), "127.0.0.1");
    o.interface = "127.0.0.9";
    exchange(&o, fd, &from);
    assert_string_equal(inet_ntoa(from.sin_addr), "127.0.0.9");
    /* A port that the kernel has just shown to be free on that address. */
    o.source_port = ntohs(from.sin_port);
    exchange(&o, fd, &from);
    assert_int_equal(ntohs(from.sin_port), o.source_port);
    close(fd);
}

static void multicast_leaves_by_the_interface(void **state)
{
    static const char *const names[] = {"lo", "127.0.0.1", "127.0.0.5"};
    uint16_t port;
    struct sockaddr_in from;
    const int fd = receiver(GROUP, &port);
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        const struct send_options o = {
            .port = port, .ttl = 1, .interface = names[i], .to.s_addr = inet_addr(GROUP)};
        exchange(&o, fd, &from);
        assert_string_equal(inet_ntoa(from.sin_addr), i == 2 ? "127.0.0.5" : "127.0.0.1");
    }
    close(fd);
}

static void interfaces_that_are_not_there_are_errors(void **state)
{
    struct send_sink *sink = NULL;
    struct send_options o = {
        .port = 4010, .ttl = 1, .interface = "nosuch0", .to.s_addr = inet_addr(GROUP)};
    (void)state;
    assert_int_equal(send_udp_open(&sink, &o), -ENODEV);
    o.interface = "192.0.2.1"; /* TEST-NET: nobody has it */
    assert_int_equal(send_udp_open(&sink, &o), -EADDRNOTAVAIL);
    o.to.s_addr = inet_addr("127.0.0.1");
    assert_int_equal(send_udp_open(&sink, &o), -EADDRNOTAVAIL);
    assert_null(sink);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unicast_arrives_from_the_address_asked_for),
        cmocka_unit_test(multicast_leaves_by_the_interface),
        cmocka_unit_test(interfaces_that_are_not_there_are_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
