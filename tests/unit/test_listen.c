/* scream-listen's judgement: recordings that are made wrong on purpose. */
#include "../../tools/listen_latency.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "recorded.h"
#include "test.h"

#define RATE           48000
#define NEAR(a, b, by) assert_true(fabs((a) - (b)) <= (by))

static int set_up(void **state)
{
    *state = calloc(1, sizeof(struct recorded));
    recorded_init(*state);
    return 0;
}

static int tear_down(void **state)
{
    recorded_finish(*state);
    free(*state);
    return 0;
}

static void play(struct recorded *b, uint64_t first, uint32_t frames)
{
    signal_render(b->segment.signal, &b->segment.format, first, frames, recorded_more(b, frames));
}

static void pause_for(struct recorded *b, uint32_t frames)
{
    recorded_more(b, frames);
}

static void a_whole_recording_matches(void **state)
{
    struct recorded *b = *state;
    pause_for(b, 1234);
    play(b, 700, 50000);
    pause_for(b, 100);
    const struct verdict *v = recorded_judged(b);
    assert_int_equal(b->runs.count, 1);
    assert_int_equal(b->runs.at[0].recorded, 1234);
    assert_int_equal(b->runs.at[0].sent, 700);
    assert_int_equal(v->matched, 50000);
    assert_int_equal(v->dropouts, 0);
    assert_int_equal(v->first_sound, 1234);
    assert_int_equal(v->end_of_sound, 51234);
    NEAR(v->level[0], -10.79, 0.1); /* uniform to half of full scale */
}

static void each_kind_of_hole_is_told(void **state)
{
    struct recorded *b = *state;
    play(b, 0, 10000);
    pause_for(b, 480); /* gap, nothing lost */
    play(b, 10000, 10000);
    play(b, 20500, 9500);  /* skip of 500 */
    play(b, 29000, 11000); /* 1000 again */
    pause_for(b, 240);     /* gap in place */
    play(b, 40240, 5000);
    const struct verdict *v = recorded_judged(b);
    static const struct {
        enum hole_kind kind;
        uint64_t frames;
        int64_t sent;
    } want[] = {
        {HOLE_GAP, 480, 0}, {HOLE_SKIP, 0, 500}, {HOLE_REPEAT, 0, -1000}, {HOLE_GAP, 240, 240}};
    assert_int_equal(v->n_holes, 4);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(v->holes[i].kind, want[i].kind);
        assert_int_equal(v->holes[i].frames, want[i].frames);
        assert_int_equal(v->holes[i].sent, want[i].sent);
    }
    assert_int_equal(v->dropouts, 4);
    assert_int_equal(v->dropout_frames, 720);
    assert_int_equal(v->lost, 740);
    assert_int_equal(v->repeated, 1000);
    assert_int_equal(v->silences, 2);
}

static void a_fade_is_in_place(void **state)
{
    struct recorded *b = *state;
    play(b, 0, 10000);
    uint8_t *p = b->recording.data + 5000 * 4;
    for (int i = 0; i < 240 * 2; i++) {
        int16_t x;
        memcpy(&x, p + 2 * i, 2);
        x = (int16_t)(x / 2);
        memcpy(p + 2 * i, &x, 2);
    }
    const struct verdict *v = recorded_judged(b);
    assert_int_equal(v->n_holes, 1);
    assert_int_equal(v->holes[0].kind, HOLE_FADE);
    assert_in_range(v->holes[0].frames, 235, 240);
    assert_int_equal(v->lost, v->holes[0].frames);
}

static void one_bad_sample_is_a_hole(void **state)
{
    struct recorded *b = *state;
    play(b, 0, 10000);
    b->recording.data[5000 * 4 + 1] ^= 0x10;
    const struct verdict *v = recorded_judged(b);
    assert_int_equal(v->n_holes, 1);
    assert_int_equal(v->holes[0].recorded, 5000);
    assert_int_equal(v->holes[0].frames, 1);
}

static void one_step_off_is_tolerated_two_are_not(void **state)
{
    struct recorded *b = *state;
    play(b, 0, 10000);
    uint8_t *p = b->recording.data + 5000 * 4;
    int16_t x;
    memcpy(&x, p, 2);
    x = (int16_t)(x + 1);
    memcpy(p, &x, 2);
    assert_int_equal(recorded_judged(b)->n_holes, 0);
    judge_finish(&b->verdict);
    runs_finish(&b->runs);
    x = (int16_t)(x + 1);
    memcpy(p, &x, 2);
    assert_int_equal(recorded_judged(b)->n_holes, 1);
}

static void swapped_channels_are_named(void **state)
{
    struct recorded *b = *state;
    play(b, 0, 20000);
    for (uint64_t i = 0; i < b->recording.bytes; i += 4) {
        uint8_t swap[4];
        memcpy(swap, b->recording.data + i, 4);
        memcpy(b->recording.data + i, swap + 2, 2);
        memcpy(b->recording.data + i + 2, swap, 2);
    }
    const struct verdict *v = recorded_judged(b);
    assert_int_equal(v->matched, 20000);
    assert_true(v->misplaced[0] && v->misplaced[1]);
    assert_int_equal(v->held[0], 1);
    assert_int_equal(v->held[1], 0);
}

static void a_silent_channel_is_named(void **state)
{
    struct recorded *b = *state;
    play(b, 0, 20000);
    for (uint64_t i = 0; i < b->recording.bytes; i += 4)
        memset(b->recording.data + i + 2, 0, 2);
    const struct verdict *v = recorded_judged(b);
    assert_true(!v->misplaced[0] && v->misplaced[1]);
    assert_int_equal(v->held[1], HOLDS_SILENCE);
}

static void a_map_is_honoured(void **state)
{
    struct recorded *b = *state;
    b->recording.channels = 4;
    b->segment.format.channels = 4;
    b->request.map[0] = 3;
    b->request.map[1] = HOLDS_ANYTHING;
    b->request.map[2] = HOLDS_SILENCE;
    b->request.map[3] = 0;
    play(b, 0, 20000);
    for (uint64_t i = 0; i < b->recording.bytes; i += 8) {
        uint8_t *p = b->recording.data + i, swap[2];
        memcpy(swap, p, 2);
        memcpy(p, p + 6, 2);
        memset(p + 2, (int)(i * 7), 2);
        memset(p + 4, 0, 2);
        memcpy(p + 6, swap, 2);
    }
    const struct verdict *v = recorded_judged(b);
    assert_int_equal(v->matched, 20000);
    for (int i = 0; i < 4; i++)
        assert_false(v->misplaced[i]);
}

static void foreign_sound_does_not_match(void **state)
{
    struct recorded *b = *state;
    uint32_t seed = 1;
    uint8_t *p = recorded_more(b, RATE);
    for (uint64_t i = 0; i < b->recording.bytes; i++) {
        seed = seed * 1664525 + 1013904223;
        p[i] = (uint8_t)(seed >> 24);
    }
    assert_int_equal(recorded_judged(b)->matched, 0);
}

static void segments_are_told_apart(void **state)
{
    struct recorded *b = *state;
    struct segment s[3] = {b->segment, b->segment, b->segment};
    s[0].frames = 20000;
    s[1].format.rate = 44100;
    s[2].format.width = 24;
    b->request.segments = s;
    b->request.n_segments = 3;
    play(b, 0, 20000);
    uint8_t *p = recorded_more(b, 10000); /* resampled: whatever */
    memset(p, 0x21, 40000);
    play(b, 0, 20000);
    const struct verdict *v = recorded_judged(b);
    assert_int_equal(b->runs.count, 2);
    assert_int_equal(b->runs.at[1].segment, 2);
    assert_int_equal(b->runs.at[1].sent, 0);
    assert_int_equal(v->holes[0].kind, HOLE_CHANGE);
    assert_int_equal(v->dropouts, 0);
    assert_false(v->segments[1].matchable);
    assert_int_equal(v->segments[2].matched, 20000);
}

static void latency_is_what_the_clocks_say(void **state)
{
    struct recorded *b = *state;
    recorded_timed(b, 5000000000 + 60000000);
    pause_for(b, 4800); /* frame 0 is heard 100 ms after the recording's start: 40 ms late */
    play(b, 0, 20000);
    const struct verdict *v = recorded_judged(b);
    assert_true(v->latency.known);
    NEAR(v->latency.median, 40, 0.001);
    NEAR(v->latency.slope, 0, 0.001);
    NEAR(v->run_latency[0].p95, 40, 0.001);
    assert_int_equal(b->runs.at[0].sent, 0);
}

static void a_drift_is_a_slope(void **state)
{
    struct recorded *b = *state;
    recorded_timed(b, 5000000000);
    b->segment.ppm = 500; /* 30 ms a minute */
    play(b, 0, 100000);
    NEAR(recorded_judged(b)->latency.slope, 30, 0.1);
}

static void arrivals_lie_on_their_earliest_line(void **state)
{
    struct recorded *b = *state;
    struct timeline line;
    uint32_t seed = 7;

    b->recording.arrivals = calloc(3000, sizeof *b->recording.arrivals);
    b->recording.n_arrivals = 3000;
    for (int i = 0; i < 3000; i++) { /* 30 s, +100 ppm, up to 15 ms late, one second all late */
        seed = seed * 1664525 + 1013904223;
        double late = (seed >> 24) % 16 * 1e6 + (i / 100 == 12 ? 5e6 : 0);
        b->recording.arrivals[i] =
            (struct arrival){(int64_t)(1e12 + (i + 1) * 480 * (1e9 / RATE) * (1 + 100e-6) + late),
                             (uint64_t)(i + 1) * 480 * 4};
    }
    assert_true(timeline_fit(&line, &b->recording));
    NEAR(line.start, 1e12, 0.3e6);
    NEAR(line.frame * RATE / 1e9, 1 + 100e-6, 10e-6);
    assert_true(line.late > 14e6);
}

/* A server that misses a cycle goes on 20 ms later, for good; what was late for a second comes back. */
static void a_clock_that_jumps_is_followed(void **state)
{
    struct recorded *b = *state;
    struct timeline line;

    b->recording.arrivals = calloc(3000, sizeof *b->recording.arrivals);
    b->recording.n_arrivals = 3000;
    for (int i = 0; i < 3000; i++) {
        const double late = (i * 7 % 16) * 1e6 + (i / 100 == 20 ? 30e6 : 0);
        const double jumped = (i >= 800 ? 20e6 : 0) + (i >= 1250 ? 40e6 : 0);
        b->recording.arrivals[i] =
            (struct arrival){(int64_t)(1e12 + (i + 1) * 480 * (1e9 / RATE) + late + jumped),
                             (uint64_t)(i + 1) * 480 * 4};
    }
    assert_true(timeline_fit(&line, &b->recording));
    assert_int_equal(line.jumps, 2);
    NEAR(timeline_at(&line, 100 * 480), 1e12 + 1e9, 0.5e6);
    NEAR(timeline_at(&line, 799 * 480), 1e12 + 7.99e9, 0.5e6);
    NEAR(timeline_at(&line, 820 * 480), 1e12 + 8.20e9 + 20e6, 0.5e6);
    NEAR(timeline_at(&line, 2900 * 480), 1e12 + 29e9 + 60e6, 0.5e6);
    for (double frame = -480; frame < 3000 * 480; frame += 4801)
        NEAR(timeline_frame(&line, timeline_at(&line, frame)), frame, 0.01);
}

static void a_file_has_no_timeline(void **state)
{
    struct recorded *b = *state;
    struct timeline line;
    play(b, 0, 100);
    assert_false(timeline_fit(&line, &b->recording));
}

static void logs_are_read(void **state)
{
    static const char text[] =
        "segment t0=1000 rate=48000 width=16 channels=2 mask=0x0003 signal=noise frame0=0 ppm=0\n"
        "loss t=5 first=7 frames=288\nunknown line\n"
        "end t=2000 frames=4711\n"
        "segment t0=9000 rate=44100 width=24 channels=6 mask=0x003f signal=walk frame0=0 ppm=12.5 "
        "speed=2\n";
    struct segment_list list = {0};
    FILE *f = fmemopen((void *)(uintptr_t)text, sizeof text - 1, "r");
    (void)state;
    assert_int_equal(segments_read_log(&list, f), 0);
    fclose(f);
    assert_int_equal(list.count, 2);
    assert_int_equal(list.at[0].t0, 1000);
    assert_int_equal(list.at[0].frames, 4711);
    assert_int_equal(list.at[1].format.channels, 6);
    assert_int_equal(list.at[1].format.mask, 0x3f);
    assert_int_equal(list.at[1].signal, SIGNAL_WALK);
    assert_int_equal(list.at[1].frames, FRAMES_UNKNOWN);
    NEAR(segment_time(&list.at[1], 88200), 9000 + 1e9 / (1 + 12.5e-6), 1);
    segments_finish(&list);
}

static void formats_are_checked(void **state)
{
    struct pcm_format f;
    (void)state;
    assert_true(segment_format_parse("96000/24/8/0x63f", &f));
    assert_int_equal(f.rate, 96000);
    assert_int_equal(f.mask, 0x63f);
    assert_true(segment_format_parse("44100/32/1", &f));
    static const char *const bad[] = {"",           "48000",      "48000/16",    "48000/16/9",
                                      "48000/20/2", "47000/16/2", "48000/16/2/", "48000/16/2/x",
                                      "48000/16/2 "};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(segment_format_parse(bad[i], &f));
}

static void a_cut_wav_is_read(void **state)
{
    struct recorded *b = *state;
    char path[] = "/tmp/test_listen_XXXXXX";
    play(b, 0, 1000);
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(recording_save(&b->recording, path), 0);
    struct recording r = {0};
    assert_int_equal(ftruncate(fd, 44 + 999 * 4 + 1), 0);
    assert_int_equal(recording_read(&r, fd), 0);
    close(fd);
    unlink(path);
    assert_true(recording_take_header(&r));
    recording_count(&r);
    assert_int_equal(r.type, SAMPLE_S16);
    assert_int_equal(r.rate, RATE);
    assert_int_equal(r.channels, 2);
    assert_int_equal(r.frames, 999);
    assert_memory_equal(r.data + r.skip, b->recording.data, 999 * 4);
    recording_finish(&r);
}

static void samples_fill_the_scale(void **state)
{
    struct recorded *b = *state;
    uint8_t bytes[4] = {0x12, 0x34, 0x56, 0x80};
    b->recording.channels = 1;
    memcpy(recorded_more(b, 2), bytes, 4);
    assert_int_equal(recording_sample(&b->recording, 0, 0), 0x34120000);
    b->recording.type = SAMPLE_S24_3;
    assert_int_equal(recording_sample(&b->recording, 0, 0), 0x56341200);
    b->recording.type = SAMPLE_S32;
    assert_int_equal(recording_sample(&b->recording, 0, 0), (int32_t)0x80563412);
    float f = -0.25f, over = 1.5f;
    b->recording.type = SAMPLE_F32;
    memcpy(b->recording.data, &f, 4);
    assert_int_equal(recording_sample(&b->recording, 0, 0), -(1 << 29));
    memcpy(b->recording.data, &over, 4);
    assert_int_equal(recording_sample(&b->recording, 0, 0), INT32_MAX);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_whole_recording_matches),
        TEST(each_kind_of_hole_is_told),
        TEST(a_fade_is_in_place),
        TEST(one_bad_sample_is_a_hole),
        TEST(one_step_off_is_tolerated_two_are_not),
        TEST(swapped_channels_are_named),
        TEST(a_silent_channel_is_named),
        TEST(a_map_is_honoured),
        TEST(foreign_sound_does_not_match),
        TEST(segments_are_told_apart),
        TEST(latency_is_what_the_clocks_say),
        TEST(a_drift_is_a_slope),
        TEST(arrivals_lie_on_their_earliest_line),
        TEST(a_clock_that_jumps_is_followed),
        TEST(a_file_has_no_timeline),
        TEST(logs_are_read),
        TEST(formats_are_checked),
        TEST(a_cut_wav_is_read),
        TEST(samples_fill_the_scale),
    };
    return cmocka_run_group_tests_name("listen", tests, NULL, NULL);
}
