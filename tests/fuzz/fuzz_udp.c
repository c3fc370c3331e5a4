/*
 * Datagrams from several senders, with what the kernel says of drops between them, up to what a player
 * would read. The first byte says whether the rest is one datagram, a sighting, or a script of many.
 */
#include "../../receivers/udp_drops.h"
#include "../../receivers/udp_losses.h"
#include "../../receivers/udp_parse.h"
#include "../../src/ingest.h"
#include "input.h"

static void check_format(const struct pcm_format *f)
{
    MUST(f->rate % 44100 == 0 || f->rate % 48000 == 0);
    MUST(f->rate >= 44100 && f->rate <= 192000);
    MUST(f->width == 16 || f->width == 24 || f->width == 32);
    MUST(f->channels >= 1 && f->channels <= PCM_MAX_CHANNELS);
}

static void one_datagram(struct input *in)
{
    struct udp_datagram raw;
    struct packet p = {.bytes = 0};
    const size_t n = in->left;
    input_take(in, &raw, sizeof raw);
    if (udp_parse(&raw, n, &p) == UDP_OK) {
        MUST(n == SCREAM_DATAGRAM);
        check_format(&p.format);
    }
}

static void one_sighting(struct input *in)
{
    struct udp_sighting raw;
    struct sockaddr_in to;
    const size_t n = in->left;
    input_take(in, &raw, sizeof raw);
    if (udp_parse_sighting(&raw, n, &to))
        MUST(to.sin_family == AF_INET && n >= 28);
}

struct talk {
    struct stream stream;
    struct source_lock lock;
    struct udp_losses losses;
    struct udp_drops drops;
    int64_t now;
};

static void hear(struct talk *t, struct input *in)
{
    struct udp_datagram raw = {{0}};
    struct packet p = {.starts = false};
    const uint8_t how = input_8(in);
    input_take(in, raw.outside, PCM_WIRE_BYTES);
    t->now += (int64_t)input_16(in) << (how >> 4);
    udp_losses_add(&t->losses,
                   udp_drops_lost(&t->drops, t->drops.count + (how & 8 ? input_32(in) : 0)));
    udp_drops_pass(&t->drops);
    if (udp_parse(&raw, SCREAM_DATAGRAM, &p) != UDP_OK)
        return;
    check_format(&p.format);
    p.source = (struct source_id){1, how & 3};
    p.arrival = t->now;
    udp_losses_align(&t->losses, &p);
    MUST(p.bytes > 0 && p.bytes <= SCREAM_PAYLOAD);
    MUST(p.data >= raw.outside + PCM_WIRE_BYTES);
    MUST(p.data + p.bytes <= raw.outside + SCREAM_DATAGRAM);
    const enum source_verdict verdict = source_lock_judge(&t->lock, &p);
    if (verdict == SOURCE_IGNORED)
        return;
    if (verdict == SOURCE_TAKES_OVER || !pcm_format_equal(&t->stream.format, &p.format))
        stream_begin(&t->stream, &p.format, p.source);
    stream_write(&t->stream, p.data, p.bytes, p.arrival);
}

static void read_some(struct talk *t, struct input *in)
{
    struct stream *s = &t->stream;
    struct arrival_line line;
    stream_commit(s);
    const uint64_t ready = stream_ready(s), most = input_16(in);
    stream_read(s, NULL, ready < most ? ready : most);
    if (stream_edge(s) != STREAM_OPEN)
        stream_pass(s);
    if (stream_line(s, &line))
        MUST(line.period > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input in = {bytes, size};
    const uint8_t kind = input_8(&in);
    if (kind == 'd')
        return one_datagram(&in), 0;
    if (kind == 's')
        return one_sighting(&in), 0;
    static struct talk t;
    t = (struct talk){.now = 1};
    MUST(stream_init(&t.stream, 0) == 0);
    udp_drops_init(&t.drops, 4 * UDP_DROPS_TRUESIZE);
    while (in.left > 0) {
        const unsigned many = input_8(&in);
        for (unsigned i = 0; i <= many % 8 && in.left > 0; i++)
            hear(&t, &in);
        if (many & 0x80)
            udp_drops_drained(&t.drops);
        read_some(&t, &in);
    }
    stream_finish(&t.stream);
    return 0;
}
