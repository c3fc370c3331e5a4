/* The receiver thread, fed by a receiver that reads a script. */
#include "test.h"

#include "clock.h"
#include "ingest.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

static const struct pcm_format stereo = {.rate = 48000, .width = 16, .channels = 2, .mask = 3};
static const struct pcm_format quad = {.rate = 44100, .width = 24, .channels = 4, .mask = 0x33};
static const struct source_id anna = {0x7f000001, 1000}, bert = {0x7f000001, 1001};

static void one_sender_until_it_falls_silent(void **state)
{
    (void)state;
    struct source_lock lock = {0};
    struct packet p = {.source = anna, .arrival = 5 * NS_PER_S};
    assert_int_equal(source_lock_judge(&lock, &p), SOURCE_TAKES_OVER);
    for (int i = 0; i < 100; i++) {
        p.arrival += 20 * NS_PER_MS;
        p.source = anna;
        assert_int_equal(source_lock_judge(&lock, &p), SOURCE_PLAYS);
        p.source = bert;
        assert_int_equal(source_lock_judge(&lock, &p), SOURCE_IGNORED);
        p.source.address++; /* the same port elsewhere is another sender */
        assert_int_equal(source_lock_judge(&lock, &p), SOURCE_IGNORED);
    }
    p.source = bert;
    p.arrival += INGEST_SILENCE_NS - 1;
    assert_int_equal(source_lock_judge(&lock, &p), SOURCE_IGNORED);
    p.arrival += 1;
    assert_int_equal(source_lock_judge(&lock, &p), SOURCE_TAKES_OVER);
    p.source = anna;
    assert_int_equal(source_lock_judge(&lock, &p), SOURCE_IGNORED);
    p.arrival += 5 * NS_PER_S; /* a sender keeps its place through its own pauses */
    p.source = bert;
    assert_int_equal(source_lock_judge(&lock, &p), SOURCE_PLAYS);
}

/* ---- with the thread ---- */

struct script {
    struct receiver base;
    const struct packet *packets;
    int count, next;
    int then; /* what read() returns at the end: -errno, or 0 to wait for the wake-up */
};

static int script_read(struct receiver *r, int wake_fd, struct packet *packets, int max)
{
    struct script *s = (struct script *)r;
    if (s->next == s->count) {
        struct pollfd p = {.fd = wake_fd, .events = POLLIN};
        return s->then < 0 ? s->then : (ppoll(&p, 1, NULL, NULL), 0);
    }
    int n = 0;
    while (n < max && n < 3 && s->next < s->count)
        packets[n++] = s->packets[s->next++];
    return n;
}

/* favour() as it was last called; a receiver of several senders. */
static struct source_id favoured;
static int favours, favour_error;

static int script_favour(struct receiver *r, const struct source_id *source)
{
    (void)r;
    favours++;
    favoured = source ? *source : (struct source_id){0, 0};
    return favour_error;
}

static const struct receiver_driver script_driver = {
    .name = "script", .read = script_read, .favour = script_favour};

struct fixture {
    struct script script;
    struct receiver_counters counters;
    struct stream stream;
    struct notifier notifier;
    struct ingest *ingest;
};

static void start(struct fixture *f, const struct packet *packets, int count, int then)
{
    memset(f, 0, sizeof *f);
    f->script = (struct script){.base = {.driver = &script_driver, .counters = &f->counters},
                                .packets = packets,
                                .count = count,
                                .then = then};
    assert_int_equal(stream_init(&f->stream, 0), 0);
    assert_int_equal(notifier_init(&f->notifier), 0);
    assert_int_equal(
        ingest_start(&f->ingest, &f->script.base, &f->stream, &f->notifier, true, true), 0);
}

static unsigned await_events(struct fixture *f)
{
    struct pollfd p = {.fd = f->notifier.fd, .events = POLLIN};
    assert_int_equal(poll(&p, 1, 10000), 1);
    return notifier_take(&f->notifier);
}

static void finish(struct fixture *f)
{
    ingest_stop(f->ingest);
    notifier_finish(&f->notifier);
    stream_finish(&f->stream);
}

static void packets_become_a_stream(void **state)
{
    (void)state;
    static const uint8_t a[8] = "annaanna", b[8] = "bertbert", c[16] = "quad";
    const struct packet packets[] = {
        {anna, stereo, NS_PER_S, a, 8, false},
        {bert, quad, NS_PER_S + 1, b, 8, false}, /* ignored, its format too */
        {anna, stereo, NS_PER_S + 2, a, 8, false},
        {anna, quad, NS_PER_S + 3, c, 12, false},
        {anna, quad, NS_PER_S + 4, c, 12, true},
    };
    struct fixture f;
    start(&f, packets, 5, -ENETDOWN);
    unsigned events = 0;
    while (!(events & NOTIFY_RECEIVER))
        events |= await_events(&f);
    assert_true(events & NOTIFY_FORMAT);
    assert_int_equal(ingest_failure(f.ingest), -ENETDOWN);
    assert_int_equal(count_read(&f.counters.other_source), 1);

    uint8_t got[16];
    struct stream *s = &f.stream;
    assert_int_equal(stream_edge(s), STREAM_FORMAT);
    stream_pass(s);
    assert_true(pcm_format_equal(&s->playing, &stereo));
    assert_int_equal(stream_ready(s), 16);
    stream_read(s, got, 16);
    assert_memory_equal(got, "annaannaannaanna", 16);
    assert_int_equal(stream_edge(s), STREAM_FORMAT);
    stream_pass(s);
    assert_int_equal(stream_ready(s), 12);
    assert_int_equal(stream_edge(s), STREAM_BREAK); /* a stream that starts anew */
    finish(&f);
}

#define TURNS     150 /* of the guest, every 20 ms */
#define STRANGERS 40  /* between two of them, each another one, with packets as good */

static void a_flood_takes_nobodys_place(void **state)
{
    (void)state;
    static const uint8_t a[8] = "annaanna", x[8] = "stranger";
    static struct packet packets[TURNS * (1 + STRANGERS)];
    struct fixture f;
    const uint64_t told = (uint64_t)anna.address << 16 | anna.port;
    int n = 0;
    for (int64_t t = NS_PER_S, turn = 0; turn < TURNS; turn++, t += 20 * NS_PER_MS) {
        packets[n++] = (struct packet){anna, stereo, t, a, 8, false};
        for (uint32_t i = 0; i < STRANGERS; i++, n++)
            packets[n] =
                (struct packet){{(uint32_t)n * 2654435761u, (uint16_t)n}, quad, t + i, x, 8, false};
    }
    start(&f, packets, n, -ENETDOWN);
    for (unsigned events = 0; !(events & NOTIFY_RECEIVER && ingest_failure(f.ingest) < 0);)
        events |= await_events(&f);
    assert_int_equal(count_read(&f.counters.other_source), TURNS * STRANGERS);
    assert_int_equal(count_read(&f.script.base.plays), told);
    assert_int_equal(stream_edge(&f.stream), STREAM_FORMAT);
    stream_pass(&f.stream);
    assert_int_equal(stream_ready(&f.stream), TURNS * sizeof a);
    assert_int_equal(stream_edge(&f.stream), STREAM_OPEN);
    finish(&f);
}

/* So many others that it is the kernel's turn to drop them; until the one that plays falls silent. */
static void a_crowd_is_kept_out(void **state)
{
    (void)state;
    static const uint8_t a[8] = "annaanna";
    static struct packet packets[2 * CROWD_PACKETS];
    struct fixture f;
    for (int i = 0; i < 2 * CROWD_PACKETS; i++)
        packets[i] = (struct packet){i == 0 ? anna : bert, stereo, NS_PER_S + i, a, 8, false};
    start(&f, packets, 2 * CROWD_PACKETS, 0);
    unsigned events = 0;
    while (!(events & NOTIFY_RECEIVER))
        events |= await_events(&f);
    assert_int_equal(ingest_failure(f.ingest), 0);
    const int64_t due = ingest_tend(f.ingest, NS_PER_S);
    assert_int_equal(favours, 1);
    assert_true(source_equal(favoured, anna));
    assert_int_equal(due, NS_PER_S + CROWD_LOOK_NS);
    int64_t now = due + CROWD_SILENCE_NS;
    favour_error = -ENOMEM; /* it cannot be let in yet */
    assert_int_equal(ingest_tend(f.ingest, now), now + CROWD_LOOK_NS);
    assert_int_equal(favours, 2);
    favour_error = 0;
    now += CROWD_LOOK_NS + CROWD_SILENCE_NS;
    assert_int_equal(ingest_tend(f.ingest, now), CROWD_NEVER);
    assert_int_equal(favours, 3);
    assert_int_equal(favoured.address, 0);
    finish(&f);
}

static void it_stops_while_it_waits(void **state)
{
    (void)state;
    struct fixture f;
    start(&f, NULL, 0, 0);
    finish(&f); /* returns */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_sender_until_it_falls_silent),
        cmocka_unit_test(packets_become_a_stream),
        cmocka_unit_test(a_flood_takes_nobodys_place),
        cmocka_unit_test(a_crowd_is_kept_out),
        cmocka_unit_test(it_stops_while_it_waits),
    };
    return cmocka_run_group_tests_name("ingest", tests, NULL, NULL);
}
