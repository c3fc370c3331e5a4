#include "test.h"

#include "clock.h"
#include "stream.h"

#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct pcm_format stereo = {.rate = 48000, .width = 16, .channels = 2, .mask = 3};
static const struct pcm_format seven = {.rate = 48000, .width = 24, .channels = 7, .mask = 0};
static const struct source_id nobody;

/* Byte n of a stream is a function of n, so that any loss or repetition shows. */
static uint8_t byte_at(uint64_t n)
{
    return (uint8_t)((n * 2654435761u) >> 13);
}

static void write_bytes(struct stream *s, uint64_t from, uint32_t bytes)
{
    uint8_t *data = malloc(bytes);
    for (uint32_t i = 0; i < bytes; i++)
        data[i] = byte_at(from + i);
    const uint64_t frames = (from + bytes) / pcm_frame_bytes(&s->format);
    stream_write(s, data, bytes, NS_PER_S + pcm_frames_ns(frames, s->format.rate)); /* on time */
    free(data);
}

static void expect_bytes(struct stream *s, uint64_t from, uint32_t bytes)
{
    uint8_t *data = malloc(bytes);
    stream_read(s, data, bytes);
    uint32_t good = 0;
    while (good < bytes && data[good] == byte_at(from + good))
        good++;
    assert_int_equal(good, bytes);
    free(data);
}

static void begin(struct stream *s, uint32_t first, const struct pcm_format *f)
{
    assert_int_equal(stream_init(s, first), 0);
    assert_true(stream_begin(s, f, nobody));
    stream_commit(s);
    assert_int_equal(stream_edge(s), STREAM_FORMAT);
    stream_pass(s);
    assert_true(pcm_format_equal(&s->playing, f));
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    struct stream s;
    begin(&s, UINT32_MAX - 2, &stereo);
    uint64_t in = 0, out = 0;
    for (uint32_t n = 1; n < 20000; n += 977) {
        write_bytes(&s, in, n);
        assert_int_equal(stream_ready(&s), in - out); /* not before the commit */
        stream_commit(&s);
        in += n;
        assert_int_equal(stream_ready(&s), in - out);
        const uint32_t take = (uint32_t)(in - out) / 2;
        expect_bytes(&s, out, take);
        out += take;
    }
    expect_bytes(&s, out, (uint32_t)(in - out));
    assert_int_equal(stream_edge(&s), STREAM_OPEN);
    stream_finish(&s);
}

static void formats_travel_in_order(void **state)
{
    (void)state;
    struct stream s;
    begin(&s, 0, &stereo);
    write_bytes(&s, 0, 1152);
    assert_true(stream_begin(&s, &seven, nobody));
    write_bytes(&s, 5000, 1152);
    assert_false(stream_begin(&s, &seven, nobody)); /* the same one anew */
    write_bytes(&s, 9000, 1152);
    stream_commit(&s);

    assert_int_equal(stream_ready(&s), 1152);
    assert_int_equal(stream_edge(&s), STREAM_FORMAT);
    expect_bytes(&s, 0, 1152);
    stream_pass(&s);
    assert_true(pcm_format_equal(&s.playing, &seven));
    assert_int_equal(stream_frame(&s), 0);
    assert_int_equal(stream_ready(&s), 1152);
    assert_int_equal(stream_edge(&s), STREAM_BREAK);
    expect_bytes(&s, 5000, 1152 / 21 * 21);
    assert_int_equal(stream_frame(&s), 1152 / 21);
    stream_pass(&s); /* with what is left of a frame */
    assert_int_equal(stream_frame(&s), 0);
    expect_bytes(&s, 9000, 1152);
    stream_finish(&s);
}

static void the_newest_format_is_found(void **state)
{
    (void)state;
    struct stream s;
    begin(&s, 0, &stereo);
    assert_false(stream_pass_to_newest(&s));
    write_bytes(&s, 0, 5000);
    stream_begin(&s, &seven, nobody);
    write_bytes(&s, 0, 5000);
    stream_begin(&s, &stereo, nobody);
    write_bytes(&s, 777, 2304);
    stream_commit(&s);
    assert_true(stream_pass_to_newest(&s));
    assert_true(pcm_format_equal(&s.playing, &stereo));
    assert_int_equal(s.playing_formats, 3);
    expect_bytes(&s, 777, 2304);
    stream_finish(&s);
}

/* A full ring drops what comes, says how much, and goes on at a whole frame once there is room. */
static uint64_t passed(const struct stream *s)
{
    return count_read(&s->counters.passed_bytes);
}

/* What nobody reads any more because of what came behind it. */
static void what_is_passed_is_counted(void **state)
{
    (void)state;
    struct stream s;
    begin(&s, 0, &stereo);
    write_bytes(&s, 0, 5000);
    stream_begin(&s, &seven, nobody);
    write_bytes(&s, 0, 2100);
    stream_begin(&s, &stereo, nobody);
    write_bytes(&s, 0, 1154); /* and half a frame */
    stream_begin(&s, &seven, nobody);
    write_bytes(&s, 0, 210);
    stream_commit(&s);
    assert_int_equal(passed(&s), 0);
    assert_int_equal(stream_ready(&s), 5000);
    expect_bytes(&s, 0, 1000);
    stream_pass(&s);
    assert_int_equal(passed(&s), 4000);
    assert_int_equal(stream_ready(&s), 2100);
    expect_bytes(&s, 0, 2100);
    stream_pass(&s);
    assert_int_equal(stream_ready(&s), 1154);
    expect_bytes(&s, 0, 1152);
    stream_pass(&s);
    assert_int_equal(passed(&s), 4000);
    stream_begin(&s, &stereo, nobody);
    stream_begin(&s, &seven, nobody);
    stream_commit(&s);
    assert_true(stream_pass_to_newest(&s));
    assert_int_equal(passed(&s), 4210);
    write_bytes(&s, 0, 1050);
    stream_commit(&s);
    stream_drop(&s);
    assert_int_equal(passed(&s), 5260);
    assert_int_equal(stream_ready(&s), 0);
    stream_finish(&s);
}

static void a_full_ring_drops_and_counts(void **state)
{
    (void)state;
    struct stream s;
    begin(&s, 0, &seven);
    uint64_t in = 0;
    for (int i = 0; i < STREAM_SLOTS + 5; i++, in += 1152) {
        write_bytes(&s, in, 1152);
        stream_commit(&s);
    }
    assert_int_equal(count_read(&s.counters.overrun_bytes), 5 * 1152);
    assert_int_equal(stream_ready(&s), (uint64_t)STREAM_SLOTS * 1152);
    assert_int_equal(stream_edge(&s), STREAM_OPEN);
    stream_read(&s, NULL, 10 * 1152);
    write_bytes(&s, in, 1152);
    stream_commit(&s);
    assert_int_equal(stream_edge(&s), STREAM_BREAK);
    stream_pass(&s);
    const uint64_t frame = stream_frame(&s);
    assert_true(frame * 21 >= in && frame * 21 < in + 21); /* the next whole one */
    expect_bytes(&s, frame * 21, (uint32_t)stream_ready(&s));
    stream_finish(&s);
}

static void a_beginning_waits_for_room(void **state)
{
    (void)state;
    struct stream s;
    begin(&s, 0, &stereo);
    for (int i = 0; i < STREAM_SLOTS; i++)
        write_bytes(&s, 0, 1152);
    stream_begin(&s, &seven, nobody); /* no room for it, nor for the next audio */
    write_bytes(&s, 0, 1152);
    stream_commit(&s);
    assert_int_equal(stream_ready(&s), (uint64_t)STREAM_SLOTS * 1152);
    stream_read(&s, NULL, 10 * 1152);
    write_bytes(&s, 1152, 1152);
    stream_commit(&s);
    assert_true(stream_pass_to_newest(&s));
    assert_true(pcm_format_equal(&s.playing, &seven));
    stream_ready(&s);
    assert_int_equal(stream_edge(&s), STREAM_BREAK); /* its first packet is missing */
    stream_pass(&s);
    assert_int_equal(stream_frame(&s), 1152 / 21 + 1);
    stream_finish(&s);
}

static void the_line_belongs_to_its_beginning(void **state)
{
    (void)state;
    struct stream s;
    struct arrival_line line;
    begin(&s, 0, &stereo);
    assert_false(stream_line(&s, &line));
    write_bytes(&s, 0, 1152);
    stream_commit(&s);
    assert_true(stream_line(&s, &line));
    assert_int_equal(line.frame, 288);
    assert_in_range(line.time, NS_PER_S + 6 * NS_PER_MS - 1, NS_PER_S + 6 * NS_PER_MS);
    assert_true(line.period > 20833 && line.period < 20834);
    stream_begin(&s, &seven, nobody);
    write_bytes(&s, 0, 1152);
    stream_commit(&s);
    assert_false(stream_line(&s, &line)); /* the new one's; the old one still plays */
    stream_pass(&s);
    assert_true(stream_line(&s, &line));
    stream_finish(&s);
}

static bool readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, 0) == 1;
}

static void a_sleeper_is_woken_once(void **state)
{
    (void)state;
    struct stream s;
    begin(&s, 0, &stereo);
    write_bytes(&s, 0, 1152);
    stream_commit(&s);
    assert_false(readable(s.wake_fd)); /* nobody slept */
    assert_false(stream_sleep(&s));    /* there is something, */
    assert_false(stream_sleep(&s));    /* though it has been looked at before */
    stream_read(&s, NULL, 1152);
    assert_true(stream_sleep(&s));
    write_bytes(&s, 0, 1152);
    assert_false(readable(s.wake_fd));
    stream_commit(&s);
    assert_true(readable(s.wake_fd));
    stream_finish(&s);
}

/* ---- two threads ---- */

#define BURSTS 20000

static void *produce(void *arg)
{
    struct stream *s = arg;
    uint64_t in = 0;
    for (int i = 0; i < BURSTS; i++) {
        if (i % 1000 == 999) {
            stream_begin(s, i % 2000 == 999 ? &seven : &stereo, nobody);
            in = 0;
        }
        const uint32_t n = 1 + (uint32_t)(i * 37) % 4000;
        write_bytes(s, in, n);
        in += n;
        stream_commit(s);
        if (i % 64 == 0)
            sched_yield();
    }
    stream_begin(s, &stereo, (struct source_id){1, 1}); /* the end */
    write_bytes(s, 0, 4);
    stream_commit(s);
    return NULL;
}

/* Every byte read is the one that stands at its position, whatever was dropped; sleeping loses no wake-up. */
static void two_threads(void **state)
{
    (void)state;
    struct stream s;
    pthread_t producer;
    begin(&s, UINT32_MAX - 1000, &stereo);
    assert_int_equal(pthread_create(&producer, NULL, produce, &s), 0);
    uint64_t got = 0;
    while (stream_source(&s).port == 0 || stream_ready(&s) > 0 || stream_edge(&s) != STREAM_OPEN) {
        const uint64_t ready = stream_ready(&s);
        if (ready > 0) {
            expect_bytes(&s, s.position, (uint32_t)(ready < 3001 ? ready : 3001));
            got += ready < 3001 ? ready : 3001;
        } else if (stream_edge(&s) != STREAM_OPEN) {
            stream_pass(&s);
        } else if (stream_source(&s).port == 0 && stream_sleep(&s)) {
            struct pollfd p = {.fd = s.wake_fd, .events = POLLIN};
            uint64_t count;
            assert_int_equal(poll(&p, 1, 10000), 1);
            assert_int_equal(read(s.wake_fd, &count, sizeof count), 8);
        }
        struct arrival_line line;
        if (stream_line(&s, &line)) { /* one moment's time and frame, never of two */
            assert_true(fabs((double)(line.time - NS_PER_S) - (double)line.frame * line.period) <
                        3);
            assert_int_equal(line.serial, s.playing_serial);
        }
    }
    pthread_join(producer, NULL);
    assert_true(got > 1000000);
    stream_finish(&s);
}

static void *trickle(void *arg)
{
    struct stream *s = arg;
    for (uint64_t in = 0; in < 4 * (uint64_t)BURSTS; in += 4) {
        write_bytes(s, in, 4);
        stream_commit(s);
        if (in % 64 == 0)
            sched_yield();
    }
    return NULL;
}

/* A record that comes while the consumer looks for an edge is no edge. */
static void nothing_is_lost_while_it_looks(void **state)
{
    (void)state;
    for (int round = 0; round < 10; round++) {
        struct stream s;
        pthread_t producer;
        begin(&s, 0, &stereo);
        assert_int_equal(pthread_create(&producer, NULL, trickle, &s), 0);
        uint64_t got = 0;
        while (got + count_read(&s.counters.overrun_bytes) < 4 * (uint64_t)BURSTS) {
            if (stream_ready(&s) > 0) {
                expect_bytes(&s, s.position, 4);
                got += 4;
            } else if (stream_edge(&s) == STREAM_BREAK) {
                assert_true(count_read(&s.counters.overrun_bytes) > 0);
                stream_pass(&s);
            }
        }
        pthread_join(producer, NULL);
        stream_finish(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(formats_travel_in_order),
        cmocka_unit_test(the_newest_format_is_found),
        cmocka_unit_test(what_is_passed_is_counted),
        cmocka_unit_test(a_full_ring_drops_and_counts),
        cmocka_unit_test(a_beginning_waits_for_room),
        cmocka_unit_test(the_line_belongs_to_its_beginning),
        cmocka_unit_test(a_sleeper_is_woken_once),
        cmocka_unit_test(two_threads),
        cmocka_unit_test(nothing_is_lost_while_it_looks),
    };
    return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
