/*
 * The socket's filter beside the parser: with any senders allowed, any one favoured, any datagram from
 * anybody, the kernel passes what the parser takes, whole, and nothing else.
 */
#include "../../receivers/udp_filter.h"
#include "../../receivers/udp_parse.h"
#include "bpf.h"

static void some_allow(struct allow *a, struct input *in)
{
    a->count = input_8(in) % (ALLOW_MOST + 1);
    for (int i = 0; i < a->count; i++) {
        char text[64];
        uint8_t b[4];
        input_take(in, b, sizeof b);
        snprintf(text, sizeof text, "%u.%u.%u.%u/%u", b[0], b[1], b[2], b[3], input_8(in) % 33);
        MUST(allow_parse(text, &a->list[i]));
    }
}

/* Often somebody at the edge of what is allowed. */
static uint32_t some_sender(const struct allow *a, struct input *in)
{
    const uint8_t how = input_8(in);
    if (!(how & 1) || a->count == 0)
        return input_32(in);
    const struct allow_range *r = &a->list[(how >> 1) % a->count];
    const uint32_t within = how & 0x20 ? ~r->mask : how & 0x40 ? input_32(in) & ~r->mask : 0;
    return (r->network | within) + (how & 0x80 ? 1 : 0);
}

static size_t some_length(struct input *in)
{
    const uint8_t how = input_8(in);
    if (how < 160)
        return SCREAM_DATAGRAM;
    return how < 200 ? SCREAM_DATAGRAM - 20u + how % 40 : input_16(in) % 1473u;
}

static void compare(const struct udp_filter *f, const struct allow *a, const struct source_id *only,
                    struct input *in)
{
    static uint8_t payload[1473];
    struct udp_datagram raw = {{0}};
    struct packet parsed;
    const size_t n = some_length(in);
    const uint32_t from = only && input_8(in) & 1 ? only->address : some_sender(a, in);
    const uint16_t port = only && input_8(in) & 1 ? only->port : input_16(in);
    input_take(in, payload, PCM_WIRE_BYTES);
    memcpy(&raw, payload, sizeof raw);
    const struct bpf_packet p = {.ip = {.saddr = htonl(from)},
                                 .udp = {.source = htons(port)},
                                 .payload = payload,
                                 .bytes = n};
    const bool mine = !only || source_equal(*only, (struct source_id){from, port});
    const bool good = udp_parse(&raw, n, &parsed) == UDP_OK && mine && allow_admits(a, from);
    const uint32_t passes = bpf_run(f->code, f->count, &p);
    MUST(good ? passes >= sizeof p.udp + n : passes == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input in = {bytes, size};
    const uint8_t how = input_8(&in);
    struct allow allow = {.count = 0};
    struct source_id only = {.port = 0};
    struct udp_filter f;
    if (how & 1)
        some_allow(&allow, &in);
    if (how & 2) {
        only.address = some_sender(&allow, &in);
        only.port = input_16(&in);
    }
    udp_filter_build(&f, &allow, how & 2 ? &only : NULL);
    MUST(f.count > 0 && f.count <= UDP_FILTER_CODE);
    while (in.left > 0)
        compare(&f, &allow, how & 2 ? &only : NULL, &in);
    return 0;
}
