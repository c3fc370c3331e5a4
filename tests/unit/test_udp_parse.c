/* What is taken for a packet, and what --check takes for one on its way. */
#include "test.h"

#include "../../receivers/udp_parse.h"

#include <arpa/inet.h>
#include <string.h>

static void parses_only_packets(void **state)
{
    (void)state;
    struct udp_datagram raw = {{0x81, 24, 6, 0x3f, 0x06}};
    uint8_t *bytes = raw.outside;
    struct packet p = {.bytes = 7};
    for (size_t n = 0; n <= sizeof raw + 1; n++)
        assert_int_equal(udp_parse(&raw, n, &p), n == SCREAM_DATAGRAM ? UDP_OK : UDP_BAD_SIZE);
    assert_int_equal(p.bytes, SCREAM_PAYLOAD);
    assert_ptr_equal(p.data, bytes + 5);
    assert_int_equal(p.format.rate, 44100);
    assert_int_equal(p.format.mask, 0x63f);
    int good = 0;
    for (unsigned v = 0; v < 1u << 24; v += 7) { /* 7 is prime to it: no byte is left out */
        bytes[0] = (uint8_t)v;
        bytes[1] = (uint8_t)(v >> 8);
        bytes[2] = (uint8_t)(v >> 16);
        if (udp_parse(&raw, SCREAM_DATAGRAM, &p) == UDP_OK)
            good += p.format.channels >= 1 && p.format.channels <= 8;
    }
    assert_in_range(good, 1, 6 * 3 * 8);
}

/* Headers of any length, and pieces of them. */
static void sees_only_whole_headers(void **state)
{
    (void)state;
    struct sockaddr_in to;
    for (unsigned words = 0; words < 16; words++) {
        struct udp_sighting raw = {{(uint8_t)(0x40 | words)}};
        const size_t head = words * 4u;
        if (head >= 20)
            memcpy(raw.outside + 16, (uint8_t[]){239, 255, 77, 77}, 4);
        memcpy(raw.outside + head + 2, (uint8_t[]){0x0f, 0xaa, 0x04, 0x8d}, 4); /* port, length */
        raw.outside[9] = IPPROTO_UDP;
        for (size_t n = 0; n <= sizeof raw + 9; n++) {
            const bool whole = head >= 20 && n >= head + 8;
            assert_int_equal(udp_parse_sighting(&raw, n, &to), whole);
            if (!whole)
                continue;
            assert_int_equal(ntohl(to.sin_addr.s_addr), 0xefff4d4d);
            assert_int_equal(ntohs(to.sin_port), 0x0faa);
        }
        raw.outside[6] = 0x20; /* the first of several */
        assert_int_equal(udp_parse_sighting(&raw, sizeof raw, &to), head >= 20);
        raw.outside[7] = 1; /* a later fragment */
        assert_false(udp_parse_sighting(&raw, sizeof raw, &to));
        raw.outside[6] = raw.outside[7] = 0;
        raw.outside[9] = IPPROTO_TCP;
        assert_false(udp_parse_sighting(&raw, sizeof raw, &to));
        raw.outside[9] = IPPROTO_UDP;
        if (head >= 20)
            raw.outside[head + 5]++; /* another length */
        assert_false(udp_parse_sighting(&raw, sizeof raw, &to));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_only_packets),
        cmocka_unit_test(sees_only_whole_headers),
    };
    return cmocka_run_group_tests_name("udp_parse", tests, NULL, NULL);
}
