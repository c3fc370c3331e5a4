/* Who is heard: whom --allow names and, after a crowd, the one that plays. */
#include "test.h"

#include "clock.h"
#include "heard.h"
#include "namespace.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static void (*at_bind)(void); /* what happens as soon as a socket is bound */

int bind(int fd, __CONST_SOCKADDR_ARG to, socklen_t size)
{
    const int ret = (int)syscall(SYS_bind, fd, to.__sockaddr__, size);
    if (ret == 0 && at_bind)
        at_bind();
    return ret;
}

static void hears_only_whom_it_may(void **state)
{
    (void)state;
    need_namespace();
    static const char *const ways[] = {"127.0.0.1", SCREAM_DEFAULT_GROUP};
    const int guest = talker_at("127.0.9.50"), stranger = talker_at("127.0.0.3");
    for (int i = 0; i < 2; i++) {
        struct receiver_config config = i == 0 ? unicast : on_lo;
        struct heard h;
        char text[96];
        config.allow.count = 2;
        assert_true(allow_parse("10.0.0.0/8", &config.allow.list[0]));
        assert_true(allow_parse("127.0.9.0/24", &config.allow.list[1]));
        hear(&h, &config);
        for (int n = 0; n < 1000; n++)
            say(stranger, ways[i], 1);
        say(guest, ways[i], 2);
        assert_int_equal(next_mark(&h), 2);
        assert_int_equal(h.packets[0].source.address, 0x7f000932);
        for (int looks = 0; looks < 2; looks++)
            h.r->driver->tend(h.r, clock_now());
        assert_int_equal(count_read(&h.counters.packets), 1);
        assert_int_equal(count_read(&h.counters.refused), 1000);
        assert_int_equal(count_read(&h.counters.kernel_drops), 0);
        h.r->driver->describe(h.r, text, sizeof text);
        assert_non_null(strstr(text, ", of 10.0.0.0/8 and 1 more only"));
        unhear(&h);
    }
    close(stranger);
    close(guest);
}

static int early; /* says at once */

static void speak_early(void)
{
    say(early, "127.0.0.1", 1);
}

/* Nothing is let in before it is known who may be heard, not even for a moment. */
static void hears_nobody_else_before(void **state)
{
    (void)state;
    need_namespace();
    struct receiver_config config = unicast;
    struct heard h;
    const int guest = talker_at("127.0.9.50");
    early = talker_at("127.0.0.3");
    config.allow.count = 1;
    assert_true(allow_parse("127.0.9.0/24", &config.allow.list[0]));
    at_bind = speak_early;
    hear(&h, &config);
    at_bind = NULL;
    say(guest, "127.0.0.1", 2);
    assert_int_equal(next_mark(&h), 2);
    for (int looks = 0; looks < 2; looks++)
        h.r->driver->tend(h.r, clock_now());
    assert_int_equal(count_read(&h.counters.refused), 1); /* it was too early */
    unhear(&h);
    close(early);
    close(guest);
}

/* A crowd that comes and goes opens the door to nobody whom --allow does not name. */
static void hears_only_whom_it_may_after_a_crowd(void **state)
{
    (void)state;
    need_namespace();
    struct receiver_config config = unicast;
    struct heard h;
    const int guest = talker_at("127.0.9.50"), second = talker_at("127.0.9.51"),
              stranger = talker_at("127.0.0.3");
    config.allow.count = 1;
    assert_true(allow_parse("127.0.9.0/24", &config.allow.list[0]));
    hear(&h, &config);
    say(guest, "127.0.0.1", 1);
    assert_int_equal(next_mark(&h), 1);
    const struct source_id source = h.packets[0].source;
    for (uint8_t i = 0; i < 3; i++) {
        assert_int_equal(h.r->driver->favour(h.r, &source), 0);
        say(stranger, "127.0.0.1", 2);
        say(second, "127.0.0.1", 3);
        say(guest, "127.0.0.1", 4);
        assert_int_equal(next_mark(&h), 4);
        assert_int_equal(h.r->driver->favour(h.r, NULL), 0);
        say(stranger, "127.0.0.1", 5);
        say(second, "127.0.0.1", 6);
        assert_int_equal(next_mark(&h), 6);
    }
    struct source_id other = source;
    other.address = 0x7f000003; /* that one plays? it may not */
    struct sockaddr_in at;
    socklen_t size = sizeof at;
    assert_int_equal(getsockname(stranger, (struct sockaddr *)&at, &size), 0);
    other.port = ntohs(at.sin_port);
    assert_int_equal(h.r->driver->favour(h.r, &other), 0);
    say(stranger, "127.0.0.1", 7);
    assert_int_equal(h.r->driver->favour(h.r, NULL), 0);
    say(second, "127.0.0.1", 8);
    assert_int_equal(next_mark(&h), 8);
    unhear(&h);
    close(stranger);
    close(second);
    close(guest);
}

/* For a while one of them only; then all again. */
static void hears_whom_it_favours(void **state)
{
    (void)state;
    need_namespace();
    struct heard h;
    hear(&h, &on_lo);
    const int guest = talker_at("127.0.0.1"), port = talker_at("127.0.0.1"),
              host = talker_at("127.0.0.2");
    const int same = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    say(guest, SCREAM_DEFAULT_GROUP, 1);
    assert_int_equal(next_mark(&h), 1);
    const struct source_id source = h.packets[0].source;
    const struct sockaddr_in at = {.sin_family = AF_INET,
                                   .sin_port = htons(source.port),
                                   .sin_addr.s_addr = inet_addr("127.0.0.4")};
    assert_int_equal(bind(same, (const struct sockaddr *)&at, sizeof at), 0);
    h.r->driver->favour(h.r, &source);
    say(port, SCREAM_DEFAULT_GROUP, 2); /* the same host's other port */
    say(host, SCREAM_DEFAULT_GROUP, 3);
    say(same, SCREAM_DEFAULT_GROUP, 9); /* the same port of another host */
    say(guest, SCREAM_DEFAULT_GROUP, 4);
    assert_int_equal(next_mark(&h), 4);
    h.r->driver->favour(h.r, NULL);
    say(port, SCREAM_DEFAULT_GROUP, 5);
    assert_int_equal(next_mark(&h), 5);
    say(host, SCREAM_DEFAULT_GROUP, 6);
    assert_int_equal(next_mark(&h), 6);
    close(same);
    close(host);
    close(port);
    close(guest);
    unhear(&h);
}

int main(int argc, char **argv)
{
    (void)argc;
    enter_namespace(argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hears_only_whom_it_may),
        cmocka_unit_test(hears_nobody_else_before),
        cmocka_unit_test(hears_only_whom_it_may_after_a_crowd),
        cmocka_unit_test(hears_whom_it_favours),
    };
    return cmocka_run_group_tests_name("udp_allow", tests, NULL, NULL);
}
