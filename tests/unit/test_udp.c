/* The UDP receiver against real sockets, in a namespace of its own: what it hears, where, and what it says of both. */
#include "test.h"

#include "heard.h"
#include "namespace.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define OTHER "239.255.77.78"

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
    assert_int_equal(count_read(&h.counters.broadcasts), 1);
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

static void waits_for(const char *interface, const char *name)
{
    struct heard h;
    for (int unicast_too = 0; unicast_too < 2; unicast_too++) {
        hear(&h, &(struct receiver_config){
                     .interface = interface, .unicast = unicast_too != 0, .port = PORT});
        if (!strstr(h.r->waiting, name))
            fail_msg("'%s' does not name %s", h.r->waiting, name);
        unhear(&h);
    }
}

static void explains_what_is_wrong(void **state)
{
    (void)state;
    need_namespace();
    refuses(&(struct receiver_config){.group = "10.1.2.3", .port = PORT}, EINVAL, "10.1.2.3");
    refuses(&(struct receiver_config){.group = "239.1", .port = PORT}, EINVAL, "-g");
    waits_for("virbr7", "virbr7");
    waits_for("", "ip link");
    waits_for("a-name-that-is-much-too-long", "a-name-that-is-much-too-long");
    waits_for("10.9.9.9", "10.9.9.9");
    struct heard h;
    hear(&h, &unicast);
    refuses(&unicast, EADDRINUSE, "port 4010");
    unhear(&h);
}

int main(int argc, char **argv)
{
    (void)argc;
    enter_namespace(argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hears_multicast),
        cmocka_unit_test(hears_no_other_group),
        cmocka_unit_test(several_may_hear_a_group),
        cmocka_unit_test(hears_only_its_interface),
        cmocka_unit_test(unicast_hears_nothing_else),
        cmocka_unit_test(unicast_takes_an_address),
        cmocka_unit_test(explains_what_is_wrong),
    };
    return cmocka_run_group_tests_name("udp", tests, NULL, NULL);
}
