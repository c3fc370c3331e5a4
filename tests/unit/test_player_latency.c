/* When it is heard, and what is dropped for that. */
#include "test.h"

#include "clock.h"
#include "played.h"

#include <stdlib.h>

static const struct pcm_format stereo = {.rate = 48000, .width = 16, .channels = 2, .mask = 3};

/* Whatever the phase between the guest's ticks and the output's periods. */
static void every_start_has_the_same_latency(void **state)
{
    (void)state;
    int64_t least = INT64_MAX, most = 0;
    for (int phase = 0; phase < 60; phase++) {
        struct played p;
        played_open(&p, &stereo, 1024, 0);
        p.next_fill += phase * 360 * NS_PER_US; /* over one period */
        p.guest_zero += phase * 170 * NS_PER_US;
        const int64_t shift = p.next_fill - p.now;
        played_run(&p, NS_PER_S);
        const int64_t latency = played_latency(&p, played_first_sound(&p, 0), 0) + shift;
        least = latency < least ? latency : least;
        most = latency > most ? latency : most;
        played_close(&p);
    }
    assert_true(most - least < 2500 * NS_PER_US); /* the guest's own grain is 2 ms */
}

static void the_target_asked_for_is_held(void **state)
{
    (void)state;
    for (int64_t ms = 40; ms <= 160; ms += 40) {
        struct played p;
        played_open(&p, &stereo, 480, ms * NS_PER_MS);
        played_run(&p, 2 * NS_PER_S);
        const int64_t latency = played_latency(&p, played_first_sound(&p, 0), 0);
        assert_in_range(latency, ms * NS_PER_MS, (ms + 3) * NS_PER_MS);
        /* and the gauge says so too */
        assert_true(llabs((int64_t)count_read(&p.stream.counters.latency_us) - ms * 1000) < 3000);
        played_close(&p);
    }
}

/* A guest that begins anew while what it has sent before still plays: each beginning has its own time. */
static void a_beginning_behind_another_has_its_latency(void **state)
{
    (void)state;
    for (int gap = 20; gap <= 90; gap += 10) { /* longer than a tail */
        struct played p;
        played_open(&p, &stereo, 480, 100 * NS_PER_MS);
        played_run(&p, NS_PER_S);
        p.mute = true;
        played_run(&p, gap * NS_PER_MS);
        const uint64_t start = played_first_sound(&p, 0), frames = p.sent / 4;
        stream_begin(&p.stream, &stereo, (struct source_id){0});
        p.mute = false;
        played_run(&p, NS_PER_S);
        assert_int_equal(played_matching(&p, start, 0), frames);
        uint64_t again = start + frames;
        while (p.heard[again * 2] != played_sample(frames, 0) && again < p.heard_frames)
            again++;
        assert_true(played_matching(&p, again, frames) == p.heard_frames - again);
        assert_in_range(played_latency(&p, again, (int64_t)frames), 100 * NS_PER_MS,
                        103 * NS_PER_MS);
        assert_int_equal(count_read(&p.stream.counters.underruns), 0);
        played_close(&p);
    }
}

/* The guest's frame heard at output frame `at`, looked for among the latest ones; or -1. */
static int64_t frame_heard(const struct played *p, uint64_t at)
{
    const uint8_t n = p->format.channels;
    for (int64_t f = 0; f < PLAYED_MOST_FRAMES; f++)
        if (played_sample((uint64_t)f, 0) == p->heard[at * n] &&
            played_sample((uint64_t)f + 1, n - 1u) == p->heard[(at + 1) * n + n - 1])
            return f;
    return -1;
}

static void an_output_that_opens_late_begins_at_the_target(void **state)
{
    (void)state;
    struct played p;
    played_open(&p, &stereo, 480, 0);
    p.next_fill += 3 * NS_PER_S / 10;
    const int64_t shift = 3 * NS_PER_S / 10;
    played_run(&p, 2 * NS_PER_S);
    assert_in_range(played_first_sound(&p, 0), 1, 8); /* faded in, for it begins amid the sound */
    assert_true(abs(p.heard[2 * 8]) < 32768 * 8 / 240);
    const int64_t frame = frame_heard(&p, 240);
    assert_in_range(played_latency(&p, 240, frame) + shift, 40 * NS_PER_MS, 60 * NS_PER_MS);
    assert_int_equal(played_matching(&p, 240, (uint64_t)frame), p.heard_frames - 240);
    played_close(&p);
}

/* Stalls longer than the ring is deep: underruns, then back to the latency, the stalled sound dropped. */
static void a_stall_is_left_behind(void **state)
{
    (void)state;
    struct played p;
    played_open(&p, &stereo, 480, 0);
    played_run(&p, 2 * NS_PER_S);
    const int64_t before = played_latency(&p, played_first_sound(&p, 0), 0);
    for (int stall = 1; stall <= 12; stall++) {
        p.stalled_until = p.now + 250 * NS_PER_MS;
        played_run(&p, 1250 * NS_PER_MS);
        assert_int_equal(count_read(&p.stream.counters.underruns), stall);
    }
    const uint64_t at = p.heard_frames - 24000;
    const int64_t frame = frame_heard(&p, at);
    assert_true(frame > 0);
    const int64_t after = played_latency(&p, at, frame);
    assert_true(llabs(after - before) < 3 * NS_PER_MS);
    assert_true(played_matching(&p, at, (uint64_t)frame) == p.heard_frames - at);
    played_close(&p);
}

/* The output stood still for 100 ms while the guest went on: the excess goes, by a crossfade. */
static void an_output_that_stood_still_catches_up(void **state)
{
    (void)state;
    struct played p;
    played_open(&p, &stereo, 480, 0);
    played_run(&p, 2 * NS_PER_S);
    const uint64_t start = played_first_sound(&p, 0);
    const uint64_t stopped = p.heard_frames;
    p.next_fill += 100 * NS_PER_MS;
    played_run(&p, NS_PER_S);
    assert_int_equal(count_read(&p.stream.counters.skips), 1);
    assert_int_equal(count_read(&p.stream.counters.underruns), 0);
    const uint64_t skipped = count_read(&p.stream.counters.skipped_frames);
    assert_in_range(skipped, 4700, 4900);
    const uint64_t frame = stopped - start, sure = 2880; /* it may be but one late request */
    assert_int_equal(played_matching(&p, stopped, frame),
                     sure + 1); /* then the crossfade begins, */
    assert_int_equal(played_matching(&p, stopped + sure + 240, frame + sure + skipped + 240),
                     p.heard_frames - stopped - sure - 240); /* and ends after 5 ms */
    played_close(&p);
}

/* The largest of formats, unaltered: a crossfade has more frames than are taken at a time. */
static void the_longest_crossfade(void **state)
{
    (void)state;
    static const struct pcm_format largest = {
        .rate = 192000, .width = 32, .channels = 8, .mask = 0x63f};
    struct played p;
    played_open(&p, &largest, 1920, 0);
    played_run(&p, NS_PER_S);
    p.next_fill += 100 * NS_PER_MS;
    played_run(&p, NS_PER_S);
    assert_int_equal(count_read(&p.stream.counters.skips), 1);
    assert_true(count_read(&p.stream.counters.skipped_frames) > 192 * 90);
    played_close(&p);
}

/* A queue that holds more than the whole way may: what waits is dropped, and not a frame more. */
static void a_queue_too_full_is_waited_for(void **state)
{
    (void)state;
    struct played p;
    played_open(&p, &stereo, 480, 0);
    struct player_sink sink = {.type = SAMPLE_S16, .rate = 48000, .quantum = 240, .queued = true};
    chmap_from_mask(&sink.map, stereo.mask, stereo.channels);
    assert_int_equal(player_set_sink(p.player, &sink), 0);
    p.next_fill += 3600 * NS_PER_S;
    int64_t held = NS_PER_S;
    for (int turn = 0; turn < 300; turn++, held -= 5 * NS_PER_MS) {
        int16_t out[480 * 2];
        const int64_t end = p.now + 5 * NS_PER_MS;
        played_run(&p, 5 * NS_PER_MS);
        p.now = end;
        const struct player_moment m = {.now = p.now, .delay = held, .held = held};
        const uint32_t least = held < 10 * NS_PER_MS ? 240 : 0;
        const uint32_t done = player_pour(p.player, out, least, 480, &m);
        assert_true(done == 0 || held < 50 * NS_PER_MS);
        assert_in_range(ring_filled(&p.stream.ring), 0, 100);
        held += pcm_frames_ns(done, 48000);
    }
    assert_true(count_read(&p.stream.counters.frames) > 0);
    played_close(&p);
}

/*
 * At the lowest of targets: what is too late is dropped before a sound, and again while the one before dies
 * away, no more than there is.
 */
static void no_more_is_dropped_than_there_is(void **state)
{
    (void)state;
    struct played p;
    const uint32_t frames = 116;
    const int16_t some[2 * 288] = {1};
    played_open(&p, &stereo, 1, NS_PER_MS);
    for (int i = 0; i < 8; i++, p.sent += sizeof some)
        stream_write(&p.stream, (const uint8_t *)some, sizeof some, p.now);
    for (int i = 0; i < 8; i++) {
        p.now += pcm_frames_ns(frames, stereo.rate) + (i == 0 ? 256496 : 0);
        stream_write(&p.stream, (const uint8_t *)some, frames * 4, p.now);
        stream_commit(&p.stream);
        p.sent += frames * 4;
        player_fill(p.player, p.heard, frames, p.now, NS_PER_MS);
        assert_true(p.stream.position <= p.sent && p.stream.ready <= p.sent);
    }
    assert_true(count_read(&p.stream.counters.underruns) > 0);
    assert_true(count_read(&p.stream.counters.skipped_frames) > 0);
    played_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_start_has_the_same_latency),
        cmocka_unit_test(the_target_asked_for_is_held),
        cmocka_unit_test(a_beginning_behind_another_has_its_latency),
        cmocka_unit_test(an_output_that_opens_late_begins_at_the_target),
        cmocka_unit_test(a_stall_is_left_behind),
        cmocka_unit_test(an_output_that_stood_still_catches_up),
        cmocka_unit_test(the_longest_crossfade),
        cmocka_unit_test(a_queue_too_full_is_waited_for),
        cmocka_unit_test(no_more_is_dropped_than_there_is),
    };
    return cmocka_run_group_tests_name("player_latency", tests, NULL, NULL);
}
