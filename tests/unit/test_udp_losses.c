/* What is refused, what the socket had no room for, and where the channels are after that. */
#include "test.h"

#include "../../receivers/udp_losses.h"
#include "clock.h"
#include "heard.h"
#include "namespace.h"

#include <sys/eventfd.h>
#include <unistd.h>

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
    assert_int_equal(count_read(&h.counters.bad_size), 0); /* it is left to the kernel */
    assert_int_equal(count_read(&h.counters.bad_format), 0);
    for (int looks = 0; looks < 2; looks++)
        h.r->driver->tend(h.r, clock_now());
    assert_int_equal(count_read(&h.counters.refused), bad_sizes + bad_formats);
    assert_int_equal(count_read(&h.counters.kernel_drops), 0);
    assert_int_equal(count_read(&h.counters.packets), 1);
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
    for (int n; (n = h.r->driver->read(h.r, now, p, HEARD_MOST)) != 0; got += (unsigned)n)
        assert_in_range(n, 1, HEARD_MOST);
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

/* The stream of frames that numbers its bytes, cut into datagrams some of which are lost. */
static void losses_cost_whole_frames(void **state)
{
    (void)state;
    static const struct source_id anna = {1, 2}, bert = {1, 3};
    static uint8_t bytes[SCREAM_PAYLOAD];
    for (int channels = 1; channels <= 8; channels++) {
        for (int width = 16; width <= 32; width += 8) {
            const struct pcm_format f = {
                .rate = 48000, .width = (uint8_t)width, .channels = (uint8_t)channels};
            const uint32_t frame = pcm_frame_bytes(&f);
            struct udp_losses l = {0};
            uint64_t sent = 0, got = 0;
            for (uint32_t i = 0; i < 100; i++) {
                const uint32_t lost = i * i % 7 == 1 ? i % 23 : 0;
                sent += (uint64_t)lost * SCREAM_PAYLOAD;
                udp_losses_add(&l, lost / 2);
                udp_losses_add(&l, lost - lost / 2);
                struct packet p = {
                    .source = anna, .format = f, .data = bytes, .bytes = SCREAM_PAYLOAD};
                if (i == 0)
                    sent = 0; /* what was lost before the first one is no part of it */
                udp_losses_align(&l, &p);
                assert_int_equal((sent + (uint64_t)(p.data - bytes)) % frame, got % frame);
                assert_int_equal(p.data - bytes + p.bytes, SCREAM_PAYLOAD);
                assert_true(p.bytes > SCREAM_PAYLOAD - frame);
                if (lost == 0)
                    assert_ptr_equal(p.data, bytes);
                sent += SCREAM_PAYLOAD;
                got += p.bytes;
            }
            /* Another's packet is left alone. */
            udp_losses_add(&l, 1);
            struct packet p = {.source = bert, .format = f, .data = bytes, .bytes = SCREAM_PAYLOAD};
            udp_losses_align(&l, &p);
            assert_int_equal(p.bytes, SCREAM_PAYLOAD);
        }
    }
}

/* The same, with the kernel's own count: seven channels of 32 bits, each sample naming its channel. */
static void a_full_socket_keeps_the_channels(void **state)
{
    (void)state;
    need_namespace();
    struct heard h;
    hear(&h, &unicast);
    const int fd = talker("lo"), now = eventfd(1, EFD_CLOEXEC);
    uint8_t bytes[SCREAM_DATAGRAM] = {0x01, 32, 7, 0x3f, 0x01};
    uint64_t sent = 0, got = 0;
    unsigned packets = 0, wrong = 0;
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 3001 + round; i++) {
            for (int k = 0; k < SCREAM_PAYLOAD; k++, sent++)
                bytes[PCM_WIRE_BYTES + k] = (uint8_t)(sent % 28);
            say_bytes(fd, "127.0.0.1", bytes, sizeof bytes);
        }
        for (int n; (n = h.r->driver->read(h.r, now, h.packets, HEARD_MOST)) != 0;)
            for (int i = 0; i < n; i++, packets++) {
                wrong += h.packets[i].data[0] != got % 28;
                got += h.packets[i].bytes;
            }
    }
    assert_true(packets < 15000 && packets > 100);
    assert_int_equal(wrong, 0);
    close(now);
    close(fd);
    unhear(&h);
}

/* What the filter refuses is no loss of the guest's, whose channels stay where they are. */
static void what_is_refused_moves_no_channel(void **state)
{
    (void)state;
    need_namespace();
    struct heard h;
    hear(&h, &unicast);
    const int fd = talker("lo");
    uint8_t bytes[SCREAM_DATAGRAM] = {0x01, 32, 7, 0x3f, 0x01};
    for (int i = 0; i < 20; i++) {
        say_bytes(fd, "127.0.0.1", bytes, 3);
        say_bytes(fd, "127.0.0.1", bytes, sizeof bytes);
    }
    for (int n = 0; n < 20; n++) {
        assert_int_equal(next_packets(&h, 1), 1);
        assert_int_equal(h.packets[0].bytes, SCREAM_PAYLOAD);
    }
    close(fd);
    unhear(&h);
}

int main(int argc, char **argv)
{
    (void)argc;
    enter_namespace(argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_what_is_no_packet),
        cmocka_unit_test(counts_the_kernels_drops),
        cmocka_unit_test(losses_cost_whole_frames),
        cmocka_unit_test(a_full_socket_keeps_the_channels),
        cmocka_unit_test(what_is_refused_moves_no_channel),
    };
    return cmocka_run_group_tests_name("udp_losses", tests, NULL, NULL);
}
