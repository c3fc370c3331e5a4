/*
 * Datagrams from several senders, through the socket's filter, with the kernel's notes beside them, up to
 * what a player would read. The first byte says whether the rest is one datagram, a sighting, or a script of
 * many.
 */
#include "../../receivers/udp_filter.h"
#include "../../receivers/udp_intake.h"
#include "../../src/clock.h"
#include "../../src/ingest.h"
#include "again.h"
#include "bpf.h"

#define NET 0x0a000000u

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
    struct receiver_counters counters;
    struct udp_intake intake;
    struct udp_filter filter;
    struct allow allow;
    struct source_lock lock;
    struct crowd_count others;
    int64_t now;
    int64_t arrival; /* of the latest packet */
    int64_t heard;   /* of the latest one of the sender that plays */
    uint32_t dropped;
};

/* As the kernel does it: what has no room is cut short, or left out. */
static void put_note(struct msghdr *m, size_t room, int level, int type, const void *data,
                     size_t size)
{
    size_t length = CMSG_LEN(size), space = CMSG_SPACE(size);
    const size_t left = room - m->msg_controllen;
    if (left < sizeof(struct cmsghdr))
        return;
    if (length > left)
        length = left;
    const struct cmsghdr c = {.cmsg_level = level, .cmsg_type = type, .cmsg_len = length};
    uint8_t *to = (uint8_t *)m->msg_control + m->msg_controllen;
    memcpy(to, &c, sizeof c);
    memcpy(to + sizeof c, data, length - sizeof c);
    m->msg_controllen += space < left ? space : left;
}

/* Whether this one was sent to everybody. */
static bool put_notes(struct talk *t, struct msghdr *m, size_t room, struct input *in)
{
    const uint8_t what = input_8(in);
    const int64_t stamp = t->now - (int64_t)(int32_t)input_32(in);
    const struct timespec ts = {.tv_sec = stamp / NS_PER_S, .tv_nsec = stamp % NS_PER_S};
    const struct in_pktinfo info = {.ipi_addr.s_addr = htonl(what & 8 ? UINT32_MAX : NET),
                                    .ipi_spec_dst.s_addr = htonl(NET)};
    const bool told = what & 4 && room >= UDP_NOTES;
    m->msg_controllen = 0;
    if (what & 1)
        put_note(m, room, SOL_SOCKET, SO_TIMESTAMPNS, &ts, sizeof ts);
    if (what & 2)
        put_note(m, room, SOL_SOCKET, SO_RXQ_OVFL, &t->dropped, sizeof t->dropped);
    if (what & 4)
        put_note(m, room, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
    if (what & 0x10)
        put_note(m, room, SOL_SOCKET, what, &info, sizeof info); /* something else */
    return told && what & 8;
}

/* The kernel's own filter has let it pass. */
static bool passes(struct talk *t, const struct udp_slot *s, size_t n)
{
    const struct bpf_packet p = {.ip.saddr = s->from.sin_addr.s_addr,
                                 .udp.source = s->from.sin_port,
                                 .payload = s->raw.outside,
                                 .bytes = n};
    const bool passed = bpf_run(t->filter.code, t->filter.count, &p) > 0;
    t->dropped += !passed;
    return passed;
}

/* Who plays goes on playing, whoever else speaks, until it has been silent for a second. */
static enum source_verdict judge(struct talk *t, const struct packet *p)
{
    const struct source_id before = t->lock.id;
    const bool held = t->lock.held && p->arrival - t->heard < NS_PER_S;
    const enum source_verdict verdict = source_lock_judge(&t->lock, p);
    MUST(!held || source_equal(before, t->lock.id));
    if (verdict != SOURCE_IGNORED)
        t->heard = p->arrival;
    else if (crowd_counts(&t->others, p->arrival))
        udp_filter_build(&t->filter, &t->allow, &t->lock.id);
    return verdict;
}

static void hand_on(struct talk *t, const struct udp_slot *s, const struct packet *p)
{
    check_format(&p->format);
    MUST(allow_admits(&t->allow, p->source.address));
    MUST(p->arrival >= t->arrival && p->arrival <= t->now);
    MUST(p->bytes > 0 && p->bytes <= SCREAM_PAYLOAD);
    MUST(p->data >= s->raw.outside + PCM_WIRE_BYTES);
    MUST(p->data + p->bytes <= s->raw.outside + SCREAM_DATAGRAM);
    t->arrival = p->arrival;
    const enum source_verdict verdict = judge(t, p);
    if (verdict == SOURCE_IGNORED)
        return;
    if (verdict == SOURCE_TAKES_OVER || !pcm_format_equal(&t->stream.format, &p->format))
        stream_begin(&t->stream, &p->format, p->source);
    stream_write(&t->stream, p->data, p->bytes, p->arrival);
}

static void hear(struct talk *t, struct input *in)
{
    static struct udp_slot s;
    const struct receiver_counters before = t->counters;
    const struct receiver_counters *c = &t->counters;
    struct packet p = {.starts = false};
    struct msghdr m;
    const uint8_t how = input_8(in), who = input_8(in);
    const size_t n = how & 1 ? input_16(in) % sizeof s.raw : SCREAM_DATAGRAM;
    udp_slot_offer(&s, &m);
    input_take(in, s.raw.outside, PCM_WIRE_BYTES);
    s.from = (struct sockaddr_in){.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(NET | (who & 3)),
                                  .sin_port = htons(4010 + (who >> 2 & 1))};
    t->now += (int64_t)input_16(in) << (how >> 4);
    t->dropped += how & 2 ? input_32(in) : 0;
    if (!passes(t, &s, n) && !(how & 4)) /* where the kernel has no filters it comes all the same */
        return;
    const size_t room = who & 0xe0 ? UDP_NOTES : input_8(in) % (UDP_NOTES + 1);
    m.msg_control = malloc(room + 1);
    MUST(m.msg_control);
    const bool to_all = put_notes(t, &m, room, in);
    const struct udp_now now = {.monotonic = t->now, .real = t->now};
    const bool good = udp_intake_take(&t->intake, &s, &m, n, &now, &p);
    free(m.msg_control);
    MUST(good + (c->bad_size - before.bad_size) + (c->bad_format - before.bad_format) +
             (c->broadcasts - before.broadcasts) ==
         1);
    MUST(!good || !to_all);
    if (good && allow_admits(&t->allow, p.source.address))
        hand_on(t, &s, &p);
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

static void begin(struct talk *t, struct input *in)
{
    static struct again again;
    const uint8_t who = input_8(in);
    memset(t, 0, sizeof *t);
    t->now = NS_PER_S;
    t->allow.count = who & 3;
    for (int i = 0; i < t->allow.count; i++)
        t->allow.list[i] = (struct allow_range){NET | (who >> (2 + 2 * i) & 3), UINT32_MAX};
    again_stream(&again, &t->stream);
    udp_filter_build(&t->filter, &t->allow, NULL);
    udp_intake_init(&t->intake, &t->counters, 4 * UDP_DROPS_TRUESIZE);
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
    begin(&t, &in);
    while (in.left > 0) {
        const unsigned many = input_8(&in);
        for (unsigned i = 0; i <= many % 8 && in.left > 0; i++)
            hear(&t, &in);
        if (many & 0x80)
            udp_drops_drained(&t.intake.drops);
        if (many & 0x40)
            udp_filter_build(&t.filter, &t.allow, NULL);
        read_some(&t, &in);
    }
    return 0;
}
