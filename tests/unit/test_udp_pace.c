/* When a socket is read, and how much, be it more than any guest sends. */
#include "test.h"

#include "../../receivers/udp_pace.h"
#include "clock.h"
#include "heard.h"
#include "namespace.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define WIDEST 5333 /* datagrams a second of the largest format */
#define BUFFER 1024 /* more of them than a socket holds */

static int64_t rest(const struct udp_pace *p, int64_t now)
{
    const int64_t until = udp_pace_rest(p, now);
    return until > now ? until - now : 0;
}

/* Each packet by itself, a naughty guest's; and what others send beside it. */
static void a_guest_is_not_kept_waiting(void **state)
{
    (void)state;
    struct udp_pace p = {0};
    int64_t now = NS_PER_S;
    for (int i = 0; i < 10 * WIDEST; i++, now += NS_PER_S / WIDEST) {
        assert_in_range(rest(&p, now), 0, UDP_PACE_NAP_NS);
        udp_pace_read(&p, i % 100 == 0 ? 3 : 1, 64, now);
    }
    for (int i = 0; i < 100; i++, now += 100 * NS_PER_MS) { /* held up again and again */
        assert_int_equal(rest(&p, now), 0);
        udp_pace_read(&p, BUFFER, BUFFER, now);
    }
}

/* How often it is read when bursts come every 10 ms, a packet every 20 us, in the second of two seconds. */
static int reads_of(const int *bursts, size_t kinds, int64_t *most)
{
    enum { COUNT = 200, BETWEEN = 20 * NS_PER_US };
    struct udp_pace p = {0};
    int64_t now = NS_PER_S;
    int reads = 0;
    *most = 0;
    for (int burst = 0; burst < COUNT; burst++) {
        const int64_t begins = NS_PER_S + burst * 10 * NS_PER_MS;
        const int all = bursts[(size_t)burst % kinds];
        for (int taken = 0; taken < all || rest(&p, now) > 0;) {
            const int64_t waits = rest(&p, now);
            const int64_t comes = begins + taken * BETWEEN; /* the first that is not read yet */
            now = waits == 0 && comes > now ? comes : now + waits;
            int got = now < comes ? 0 : (int)((now - comes) / BETWEEN) + 1;
            got = got < all - taken ? got : all - taken;
            *most = got > 0 && now - comes > *most ? now - comes : *most;
            udp_pace_read(&p, got, 64, now);
            taken += got;
            reads += burst >= COUNT / 2;
        }
    }
    return reads;
}

static void large_bursts_are_read_in_few_parts(void **state)
{
    (void)state;
    int64_t most;
    assert_in_range(reads_of((const int[]){53, 54}, 2, &most), 600, 800);
    assert_in_range(most, 1, UDP_PACE_NAP_NS);
    /* small ones at once, and so a small one that follows a large one */
    assert_int_equal(reads_of((const int[]){2, 2, 1}, 3, &most), 167);
    assert_int_equal(most, 0);
    /* the rest of one that is less than the one before is looked for in vain, once */
    assert_int_equal(reads_of((const int[]){20, 20, 1}, 3, &most), 33 * (20 + 3 + 2) + 3);
    assert_in_range(most, 1, UDP_PACE_NAP_NS);
}

/* Each read takes as long as it does on a slow machine, and there is always more. */
static void a_flood_is_waited_for(void **state)
{
    (void)state;
    struct udp_pace p = {0};
    int64_t now = NS_PER_S, busy = 0, most = 0;
    uint64_t all = 0;
    while (now < 11 * NS_PER_S) {
        const int64_t wait = rest(&p, now);
        busy = wait > 0 ? 0 : busy + 64 * 10 * NS_PER_US;
        most = busy > most ? busy : most;
        now += wait > 0 ? wait : 64 * 10 * NS_PER_US;
        udp_pace_read(&p, wait > 0 ? 0 : 64, 64, now);
        all += wait > 0 ? 0 : 64;
    }
    assert_true(most < 100 * NS_PER_MS); /* half of what RealtimeKit allows */
    assert_in_range(all, 10000 * UDP_PACE_A_MS - 64 * UDP_PACE_A_MS,
                    10000 * UDP_PACE_A_MS + UDP_PACE_AT_ONCE + 64);
}

static atomic_bool flooding;

static void *flood(void *arg)
{
    const int fd = talker("lo");
    (void)arg;
    while (atomic_load(&flooding)) {
        uint8_t bytes[SCREAM_DATAGRAM] = {0x01, 16, 2, 3, 0};
        struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT)};
        inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
        if (sendto(fd, bytes, sizeof bytes, 0, (struct sockaddr *)&to, sizeof to) < 0)
            break;
    }
    close(fd);
    return NULL;
}

/* And be it the one that plays. A wake-up is heard all the same. */
static void whoever_floods_is_read_at_a_bounded_rate(void **state)
{
    (void)state;
    need_namespace();
    struct heard h;
    pthread_t thread;
    hear(&h, &unicast);
    const struct itimerspec in = {.it_value.tv_nsec = 500 * NS_PER_MS};
    timerfd_settime(h.deadline, 0, &in, NULL);
    atomic_store(&flooding, true);
    assert_int_equal(pthread_create(&thread, NULL, flood, NULL), 0);
    const int64_t begin = clock_now();
    uint64_t fired = 0, all = 0;
    while (fired == 0) {
        const int n = h.r->driver->read(h.r, h.deadline, h.packets, HEARD_MOST);
        assert_true(n >= 0);
        all += (uint64_t)n;
        if (read(h.deadline, &fired, sizeof fired) < 0)
            fired = 0;
    }
    const int64_t took = clock_now() - begin;
    atomic_store(&flooding, false);
    pthread_join(thread, NULL);
    print_message("%u datagrams in %d ms, %u dropped\n", (unsigned)all, (int)(took / NS_PER_MS),
                  (unsigned)count_read(&h.counters.kernel_drops));
    assert_true(all <=
                UDP_PACE_AT_ONCE + HEARD_MOST + (uint64_t)(took / NS_PER_MS + 1) * UDP_PACE_A_MS);
    unhear(&h);
}

int main(int argc, char **argv)
{
    (void)argc;
    enter_namespace(argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_guest_is_not_kept_waiting),
        cmocka_unit_test(large_bursts_are_read_in_few_parts),
        cmocka_unit_test(a_flood_is_waited_for),
        cmocka_unit_test(whoever_floods_is_read_at_a_bounded_rate),
    };
    return cmocka_run_group_tests_name("udp_pace", tests, NULL, NULL);
}
