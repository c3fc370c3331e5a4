/* The network side of --check: who has sent what, whom it names, and that it ends. */
#include "test.h"

#include "../../receivers/udp_seen.h"
#include "clock.h"
#include "findings.h"
#include "heard.h"
#include "namespace.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* There is always one more datagram. Not static: glibc makes recvfrom() an inline function, which clang lets see none. */
extern bool endless;
bool endless;

ssize_t recvfrom(int fd, void *to, size_t n, int flags, __SOCKADDR_ARG from, socklen_t *size)
{
    if (!endless)
        return syscall(SYS_recvfrom, fd, to, n, flags, from.__sockaddr__, size);
    memset(to, 0, n);
    memset(from.__sockaddr__, 0, *size);
    return SCREAM_DATAGRAM;
}

static void senders_are_told_apart(void **state)
{
    (void)state;
    struct udp_seen s = {.count = 0};
    struct udp_datagram raw = {{0x01, 16, 2, 3, 0}};
    const struct source_id one = {1, 1}, two = {1, 2};
    udp_seen_add(&s, one, &raw, SCREAM_DATAGRAM);
    udp_seen_add(&s, two, &raw, 5);
    raw.outside[0] = 0x81;
    udp_seen_add(&s, one, &raw, SCREAM_DATAGRAM);
    raw.outside[1] = 17;
    udp_seen_add(&s, one, &raw, SCREAM_DATAGRAM);
    assert_int_equal(s.count, 2);
    assert_int_equal(s.packets, 2);
    assert_int_equal(s.list[0].packets, 2);
    assert_int_equal(s.list[0].foreign, 1);
    assert_int_equal(s.list[0].format.rate, 44100);
    assert_int_equal(s.list[1].packets, 0);
    assert_int_equal(s.list[1].foreign, 1);
    assert_int_equal(s.list[1].length, 5);
    raw.outside[1] = 16;
    for (uint16_t port = 10; port < 30; port++)
        udp_seen_add(&s, (struct source_id){2, port}, &raw, SCREAM_DATAGRAM);
    assert_int_equal(s.count, UDP_SEEN);
    assert_int_equal(s.packets, 22);
}

#define WATCH (200 * NS_PER_MS)

static const struct receiver_config only_others = {
    .unicast = true, .port = PORT, .allow = {1, {{.network = 0x0a000000, .mask = 0xff000000}}}};

static atomic_bool speaking;

static void *speak_beside_noise(void *arg)
{
    const int noise = talker_at("127.0.0.2"), guest = talker_at("127.0.0.3");
    (void)arg;
    while (atomic_load(&speaking)) {
        say_bytes(noise, "127.0.0.1", (const uint8_t *)"hello", 5);
        say(guest, "127.0.0.1", 1);
        usleep(5000);
    }
    close(guest);
    close(noise);
    return NULL;
}

/* Who is to be allowed is a guest, whoever else was there before it. */
static void check_names_the_guest(void **state)
{
    (void)state;
    need_namespace();
    struct findings f = {.count = 0};
    pthread_t thread;
    const char *told = NULL;
    atomic_store(&speaking, true);
    assert_int_equal(pthread_create(&thread, NULL, speak_beside_noise, NULL), 0);
    receiver_find("udp")->check(&only_others, WATCH, &f);
    atomic_store(&speaking, false);
    pthread_join(thread, NULL);
    for (int i = 0; i < f.count; i++)
        if (f.list[i].verdict == FINDING_WRONG && strcmp(f.list[i].subject, "allow") == 0)
            told = f.list[i].remedy;
    assert_non_null(told);
    assert_non_null(strstr(told, "--allow 127.0.0.3"));
}

static void check_ends_whatever_comes(void **state)
{
    (void)state;
    need_namespace();
    struct findings f = {.count = 0};
    const int64_t begin = clock_now();
    pthread_t thread;
    atomic_store(&speaking, true);
    assert_int_equal(pthread_create(&thread, NULL, speak_beside_noise, NULL), 0);
    endless = true;
    alarm(20);
    receiver_find("udp")->check(&only_others, WATCH, &f);
    alarm(0);
    endless = false;
    atomic_store(&speaking, false);
    pthread_join(thread, NULL);
    assert_true(clock_now() - begin < 10 * NS_PER_S);
}

int main(int argc, char **argv)
{
    (void)argc;
    enter_namespace(argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(senders_are_told_apart),
        cmocka_unit_test(check_names_the_guest),
        cmocka_unit_test(check_ends_whatever_comes),
    };
    return cmocka_run_group_tests_name("udp_check", tests, NULL, NULL);
}
