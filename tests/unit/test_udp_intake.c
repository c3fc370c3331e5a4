/* What a packet that has come is handed on with: its sender and the time of its arrival; and when. */
#include "test.h"

#include "clock.h"
#include "heard.h"
#include "namespace.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

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

/* Of many that have come before the thread woke up, none costs a system call of its own. */
static void what_waits_is_handed_on_at_once(void **state)
{
    (void)state;
    need_namespace();
    struct heard h;
    hear(&h, &unicast);
    const int fd = talker("lo"), sent = 50;
    for (int i = 0; i < sent; i++)
        say(fd, "127.0.0.1", 1);
    int reads = 0;
    for (int seen = 0; seen < sent; reads++)
        seen += next_packets(&h, HEARD_MOST);
    assert_in_range(reads, 1, 3); /* the kernel may still be delivering during the first */
    assert_int_equal(count_read(&h.counters.packets), sent);
    close(fd);
    unhear(&h);
}

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

/* However late the thread wakes up, the arrival is the kernel's. */
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

static void wakes_up(void **state)
{
    (void)state;
    need_namespace();
    struct heard h;
    hear(&h, &unicast);
    const int wake = eventfd(1, EFD_CLOEXEC);
    assert_int_equal(h.r->driver->read(h.r, wake, h.packets, HEARD_MOST), 0);
    uint64_t value;
    assert_int_equal(read(wake, &value, sizeof value), sizeof value); /* was left unread */
    close(wake);
    unhear(&h);
}

int main(int argc, char **argv)
{
    (void)argc;
    enter_namespace(argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(senders_keep_their_source),
        cmocka_unit_test(what_waits_is_handed_on_at_once),
        cmocka_unit_test(arrival_is_not_the_wake_up),
        cmocka_unit_test(wakes_up),
    };
    return cmocka_run_group_tests_name("udp_intake", tests, NULL, NULL);
}
