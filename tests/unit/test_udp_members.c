/* Which interfaces and addresses a receiver hears on, as they come, go and come back. */
#include "test.h"

#include "clock.h"
#include "heard.h"
#include "namespace.h"

#include <dlfcn.h>
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- the kernel's answers ---- */

static int no_list, no_join; /* so many of the next fail for want of memory */

static bool refused(int *left)
{
    if (*left == 0)
        return false;
    --*left;
    errno = ENOMEM;
    return true;
}

int setsockopt(int fd, int level, int option, const void *value, socklen_t size)
{
    if (level == IPPROTO_IP && option == IP_ADD_MEMBERSHIP && refused(&no_join))
        return -1;
    return (int)syscall(SYS_setsockopt, fd, level, option, value, size);
}

int getifaddrs(struct ifaddrs **list)
{
    int (*real)(struct ifaddrs **);
    *(void **)&real = dlsym(RTLD_NEXT, "getifaddrs");
    return refused(&no_list) ? -1 : real(list);
}

/* ---- what comes late, goes and comes back ---- */

/* Awaits news, and sees to them: what tend() says at last. */
static int tend_until(struct heard *h, const char *waiting)
{
    for (int tries = 0; tries < 50; tries++) {
        struct pollfd fd = {.fd = h->r->watch_fd, .events = POLLIN};
        const int ret = h->r->driver->tend(h->r, clock_now());
        if (ret < 0 || (waiting[0] ? strstr(h->r->waiting, waiting) != NULL : !h->r->waiting[0]))
            return ret;
        assert_int_equal(poll(&fd, 1, 5000), 1);
    }
    fail_msg("'%s' is not what was waited for: %s", h->r->waiting, waiting);
    return 0;
}

static void follows_its_interface(void **state)
{
    (void)state;
    need_namespace();
    if (!lay_cable())
        skip();
    run("ip link del near");
    struct heard h;
    hear(&h, &(struct receiver_config){.interface = "far", .port = PORT});
    assert_non_null(strstr(h.r->waiting, "far"));
    assert_true(h.r->tend_at == RECEIVER_UNTENDED);
    for (int i = 0; i < 3; i++) {
        assert_true(lay_cable());
        assert_int_equal(tend_until(&h, "no IPv4 address"), 0);
        run("ip address add 10.77.0.2/24 dev far");
        assert_int_equal(tend_until(&h, ""), 0);
        const int fd = talker("near");
        say(fd, SCREAM_DEFAULT_GROUP, (uint8_t)(i + 1));
        assert_int_equal(next_mark(&h), i + 1);
        run("ip link set far down");
        assert_int_equal(tend_until(&h, "is down"), 0);
        run("ip link set far up");
        assert_true(await_carrier());
        /* its own address was kept */
        assert_int_equal(tend_until(&h, ""), 0);
        say(fd, SCREAM_DEFAULT_GROUP, 9);
        assert_int_equal(next_mark(&h), 9);
        close(fd);
        run("ip link del near");
        assert_int_equal(tend_until(&h, "there is no interface"), 0);
    }
    unhear(&h);
}

/* What the kernel had no memory for makes no news when it has it again. */
static void what_passes_by_itself_is_tried_again(void **state)
{
    (void)state;
    need_namespace();
    static const struct receiver_config all = {.port = PORT};
    const struct receiver_config *configs[] = {&all, &on_lo};
    for (int i = 0; i < 2; i++) {
        struct heard h;
        no_list = 1;
        hear(&h, configs[i]);
        no_join = 1; /* and at the next look the list is there */
        for (int looks = 0; looks < 2; looks++) {
            assert_string_not_equal(h.r->waiting, "");
            assert_true(h.r->tend_at <= clock_now() + (looks + 1) * NS_PER_S);
            assert_int_equal(h.r->driver->tend(h.r, h.r->tend_at), 0);
        }
        assert_string_equal(h.r->waiting, "");
        const int fd = talker("lo");
        say(fd, SCREAM_DEFAULT_GROUP, 5);
        assert_int_equal(next_mark(&h), 5);
        close(fd);
        unhear(&h);
    }
}

/* More interfaces than the kernel allows memberships: those with an address have them. */
static void joins_what_comes(void **state)
{
    (void)state;
    need_namespace();
    if (!lay_cable())
        skip();
    run("ip link del near");
    struct heard h;
    hear(&h, &(struct receiver_config){.port = PORT});
    assert_string_equal(h.r->waiting, "");
    run("for i in $(seq 24); do ip link add d$i type bridge && ip link set d$i up; done");
    assert_int_equal(tend_until(&h, ""), 0);
    assert_true(lay_cable());
    run("ip address add 10.77.0.2/24 dev far");
    assert_int_equal(h.r->driver->tend(h.r, clock_now()), 0);
    char text[96];
    h.r->driver->describe(h.r, text, sizeof text);
    print_message("%s\n", text);
    const int fd = talker("near");
    say(fd, SCREAM_DEFAULT_GROUP, 3);
    assert_int_equal(next_mark(&h), 3);
    close(fd);
    run("ip link del near; for i in $(seq 24); do ip link del d$i; done");
    assert_int_equal(h.r->driver->tend(h.r, clock_now()), 0);
    unhear(&h);
}

/* More news than the socket holds, the interface's end and its return with the same index among them. */
static void lost_news_cost_nothing(void **state)
{
    (void)state;
    need_namespace();
    if (!lay_cable())
        skip();
    run("ip link del near; ip link add far index 77 type bridge && ip link set far up && "
        "ip address add 10.77.0.1/24 dev far");
    struct heard h;
    hear(&h, &(struct receiver_config){.interface = "far", .port = PORT});
    assert_string_equal(h.r->waiting, "");
    const int size = 1;
    assert_int_equal(setsockopt(h.r->watch_fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size), 0);
    run("for i in 1 2 3 4 5 6 7 8; do ip link set lo mtu 6000$i; done; ip link del far; "
        "ip link add far index 77 type bridge && ip link set far up && "
        "ip address add 10.77.0.1/24 dev far");
    assert_int_equal(h.r->driver->tend(h.r, clock_now()), 0);
    assert_int_equal(system("ip maddress show dev far | grep -q " SCREAM_DEFAULT_GROUP), 0);
    run("ip link del far");
    unhear(&h);
}

static void unicast_follows_its_address(void **state)
{
    (void)state;
    need_namespace();
    if (!lay_cable())
        skip();
    struct heard h;
    const struct receiver_config config = {.interface = "far", .unicast = true, .port = PORT};
    hear(&h, &config);
    assert_non_null(strstr(h.r->waiting, "which -u needs"));
    run("ip address add 10.77.0.2/24 dev far");
    assert_int_equal(tend_until(&h, ""), -ESTALE);
    unhear(&h);
    hear(&h, &config);
    assert_string_equal(h.r->waiting, "");
    run("ip address del 10.77.0.2/24 dev far");
    assert_int_equal(tend_until(&h, "which -u needs"), 0);
    run("ip address add 10.77.0.2/24 dev far"); /* it has been bound to that all the time */
    assert_int_equal(tend_until(&h, ""), 0);
    run("ip address del 10.77.0.2/24 dev far; ip address add 10.77.0.3/24 dev far");
    assert_int_equal(tend_until(&h, "nothing but its end"), -ESTALE);
    unhear(&h);
    run("ip link del near");
}

int main(int argc, char **argv)
{
    (void)argc;
    enter_namespace(argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_its_interface),
        cmocka_unit_test(what_passes_by_itself_is_tried_again),
        cmocka_unit_test(joins_what_comes),
        cmocka_unit_test(lost_news_cost_nothing),
        cmocka_unit_test(unicast_follows_its_address),
    };
    return cmocka_run_group_tests_name("udp_members", tests, NULL, NULL);
}
