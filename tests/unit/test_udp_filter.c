/* What the kernel drops for us: real sockets on the loopback interface, ports of the kernel's choice. */
#include "test.h"

#include "../../receivers/udp_drops.h"
#include "../../receivers/udp_filter.h"
#include "../../receivers/udp_parse.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LARGEST 2000

struct pair {
    int to, from;
    struct sockaddr_in at;
};

static int socket_at(const char *address, struct sockaddr_in *at)
{
    socklen_t size = sizeof *at;
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    *at = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = inet_addr(address)};
    assert_int_equal(bind(fd, (struct sockaddr *)at, sizeof *at), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)at, &size), 0);
    return fd;
}

static void pair_open(struct pair *p, const char *sender, const struct udp_filter *f)
{
    struct sockaddr_in unused;
    const int one = 1;
    p->to = socket_at("127.0.0.1", &p->at);
    p->from = socket_at(sender, &unused);
    assert_int_equal(setsockopt(p->to, SOL_SOCKET, SO_RXQ_OVFL, &one, sizeof one), 0);
    assert_int_equal(udp_filter_attach(p->to, f), 0);
}

static void pair_close(const struct pair *p)
{
    close(p->to);
    close(p->from);
}

static void send_to(const struct pair *p, const uint8_t *bytes, size_t n)
{
    const ssize_t sent =
        sendto(p->from, bytes, n, 0, (const struct sockaddr *)&p->at, sizeof p->at);
    assert_int_equal(sent, (ssize_t)n);
}

/* What has come of n bytes that were sent: n, or -1 when nothing has. */
static ssize_t passes(const struct pair *p, size_t n)
{
    uint8_t bytes[LARGEST], got[LARGEST];
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)(i * 7 + n);
    if (n >= PCM_WIRE_BYTES)
        memcpy(bytes, (uint8_t[]){0x01, 16, 2, 0xff, 0xff}, PCM_WIRE_BYTES);
    send_to(p, bytes, n);
    const ssize_t length = recv(p->to, got, sizeof got, 0); /* loopback delivers at once */
    if (length > 0)
        assert_memory_equal(got, bytes, (size_t)length);
    else
        assert_int_equal(errno, EAGAIN);
    return length;
}

static struct allow allowing(const char *const *texts, int count)
{
    struct allow a = {.count = count};
    for (int i = 0; i < count; i++)
        assert_true(allow_parse(texts[i], &a.list[i]));
    return a;
}

static void only_the_length_that_a_guest_sends(void **state)
{
    (void)state;
    const struct allow everybody = {.count = 0};
    struct udp_filter f;
    struct pair p;
    udp_filter_build(&f, &everybody, NULL);
    pair_open(&p, "127.0.0.1", &f);
    for (size_t n = 0; n <= LARGEST; n += n < 10 || (n >= 1150 && n < 1165) ? 1 : 5)
        assert_int_equal(passes(&p, n), n == SCREAM_DATAGRAM ? (ssize_t)n : -1);
    pair_close(&p);
}

/* What the parser takes, and nothing else. */
static void only_formats_that_there_are(void **state)
{
    (void)state;
    const struct allow everybody = {.count = 0};
    struct udp_filter f;
    struct pair p;
    int good = 0;
    udp_filter_build(&f, &everybody, NULL);
    pair_open(&p, "127.0.0.1", &f);
    for (unsigned v = 0; v < 3 * 256; v++) {
        struct udp_datagram raw = {{0x84, 24, 8, (uint8_t)v, 3}};
        struct packet parsed;
        raw.outside[v / 256] = (uint8_t)v;
        const bool is = udp_parse(&raw, SCREAM_DATAGRAM, &parsed) == UDP_OK;
        send_to(&p, raw.outside, SCREAM_DATAGRAM);
        assert_int_equal(recv(p.to, &raw, sizeof raw, 0), is ? SCREAM_DATAGRAM : -1);
        good += is;
    }
    assert_int_equal(good, 6 + 3 + 8);
    pair_close(&p);
}

static void only_senders_that_are_allowed(void **state)
{
    (void)state;
    static const char *const texts[] = {"10.0.0.1", "127.0.1.0/24", "127.0.2.7", "127.128.0.0/9"};
    static const char *const senders[] = {"127.0.0.1", "127.0.0.2",   "127.0.1.1",
                                          "127.0.1.0", "127.0.2.0",   "127.0.2.7",
                                          "127.0.2.8", "127.127.9.9", "127.200.3.4"};
    int passed = 0;
    for (int n = 1; n <= 4; n++) {
        const struct allow a = allowing(texts, n);
        struct udp_filter f;
        udp_filter_build(&f, &a, NULL);
        for (size_t i = 0; i < sizeof senders / sizeof senders[0]; i++) {
            struct pair p;
            pair_open(&p, senders[i], &f);
            const bool may = allow_admits(&a, ntohl(inet_addr(senders[i])));
            assert_int_equal(passes(&p, SCREAM_DATAGRAM), may ? SCREAM_DATAGRAM : -1);
            assert_int_equal(passes(&p, SCREAM_DATAGRAM + 1), -1);
            passed += may;
            pair_close(&p);
        }
    }
    assert_int_equal(passed, 0 + 2 + 3 + 4);
}

static void as_many_as_may_be_named(void **state)
{
    (void)state;
    struct allow a = {.count = ALLOW_MOST};
    struct udp_filter f;
    struct pair p;
    for (int i = 0; i < ALLOW_MOST; i++)
        a.list[i] = (struct allow_range){.network = 0x0a000000u + (uint32_t)i, .mask = UINT32_MAX};
    udp_filter_build(&f, &a, NULL);
    assert_in_range(f.count, 1, UDP_FILTER_CODE);
    pair_open(&p, "127.0.0.1", &f);
    assert_int_equal(passes(&p, SCREAM_DATAGRAM), -1);
    a.list[ALLOW_MOST - 1].network = INADDR_LOOPBACK;
    udp_filter_build(&f, &a, NULL);
    assert_int_equal(udp_filter_attach(p.to, &f), 0); /* in the place of the first one */
    assert_int_equal(passes(&p, SCREAM_DATAGRAM), SCREAM_DATAGRAM);
    pair_close(&p);
}

/* What udp_drops.h is about: one count for both. */
static void the_kernel_counts_what_it_refuses(void **state)
{
    (void)state;
    const struct allow everybody = {.count = 0};
    struct udp_filter f;
    struct pair p;
    uint8_t bytes[LARGEST], notes[CMSG_SPACE(sizeof(uint32_t))];
    uint32_t count = 0;
    struct iovec vector = {.iov_base = bytes, .iov_len = sizeof bytes};
    struct msghdr m = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = notes, .msg_controllen = sizeof notes};
    memset(bytes, 0, sizeof bytes);
    memcpy(bytes, (uint8_t[]){0x01, 16, 2}, 3);
    udp_filter_build(&f, &everybody, NULL);
    pair_open(&p, "127.0.0.1", &f);
    for (int i = 0; i < 3; i++)
        send_to(&p, bytes, 1);
    send_to(&p, bytes, SCREAM_DATAGRAM);
    assert_int_equal(recvmsg(p.to, &m, 0), SCREAM_DATAGRAM);
    const struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    assert_non_null(c);
    assert_int_equal(c->cmsg_type, SO_RXQ_OVFL);
    memcpy(&count, CMSG_DATA(c), sizeof count);
    assert_int_equal(count, 3);
    pair_close(&p);
}

static void a_buffer_that_was_not_full_has_lost_nothing(void **state)
{
    (void)state;
    struct udp_drops d;
    udp_drops_init(&d, 10 * UDP_DROPS_TRUESIZE);
    for (int i = 0; i < 9; i++) {
        assert_int_equal(udp_drops_lost(&d, 5), 0); /* the filter's */
        udp_drops_pass(&d);
    }
    assert_int_equal(udp_drops_lost(&d, 7), 0);
    udp_drops_pass(&d);
    assert_int_equal(udp_drops_lost(&d, 10), 3); /* behind ten in a row */
    udp_drops_pass(&d);
    assert_int_equal(udp_drops_lost(&d, 10), 0);
    udp_drops_drained(&d);
    assert_int_equal(udp_drops_lost(&d, 12), 2); /* the first one after a full buffer */
    udp_drops_pass(&d);
    assert_int_equal(udp_drops_lost(&d, 13), 0);
    d.count = UINT32_MAX - 1;
    for (int i = 0; i < 10; i++)
        udp_drops_pass(&d);
    assert_int_equal(udp_drops_lost(&d, 3), 5); /* it wraps */
}

static void the_rest_was_refused(void **state)
{
    (void)state;
    struct udp_refusals r = {0};
    assert_int_equal(udp_refusals_look(&r, 100, 0), 0); /* the reader has not judged them yet */
    assert_int_equal(udp_refusals_look(&r, 100, 40), 60);
    assert_int_equal(udp_refusals_look(&r, 100, 40), 0);
    assert_int_equal(udp_refusals_look(&r, 150, 40), 0);
    assert_int_equal(udp_refusals_look(&r, 150, 90), 0);
    r.count = UINT32_MAX;
    assert_int_equal(udp_refusals_look(&r, 9, 90), 0);
    assert_int_equal(udp_refusals_look(&r, 9, 90), 10);
}

static void its_words(void **state)
{
    (void)state;
    static const char *const texts[] = {"192.168.122.50", "10.1.2.3/8", "0.0.0.0/0"};
    char text[64];
    struct allow a = {.count = 0};
    allow_text(&a, text, sizeof text);
    assert_string_equal(text, "everybody");
    a = allowing(texts, 1);
    allow_text(&a, text, sizeof text);
    assert_string_equal(text, "192.168.122.50");
    a = allowing(texts + 1, 2);
    allow_text(&a, text, sizeof text);
    assert_string_equal(text, "10.0.0.0/8 and 1 more");
    a = allowing(texts + 2, 1);
    allow_text(&a, text, sizeof text);
    assert_string_equal(text, "0.0.0.0/0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_length_that_a_guest_sends),
        cmocka_unit_test(only_formats_that_there_are),
        cmocka_unit_test(only_senders_that_are_allowed),
        cmocka_unit_test(as_many_as_may_be_named),
        cmocka_unit_test(the_kernel_counts_what_it_refuses),
        cmocka_unit_test(a_buffer_that_was_not_full_has_lost_nothing),
        cmocka_unit_test(the_rest_was_refused),
        cmocka_unit_test(its_words),
    };
    return cmocka_run_group_tests_name("udp_filter", tests, NULL, NULL);
}
