/* scream-listen's judgement of resampled recordings: pace, channels, latency, and that it is one. */
#include "test.h"

#include "resampled.h"

#include <string.h>

static void whole(struct resampled *s, double mean, double sd)
{
    const struct verdict *v = recorded_judged(&s->heard);
    check_holes(v, NULL, 0);
    assert_int_equal(s->heard.runs.count, 1);
    assert_true(v->resampled && v->pacing.known);
    check_truth(s, 0.005);
    NEAR(v->matched, s->heard.recording.frames, 200);
    NEAR(v->pacing.mean, mean, 0.1);
    NEAR(v->pacing.sd, sd, 0.1);
    assert_true(v->pacing.fidelity < -75);
}

static void ratios_are_told(void **state)
{
    static const double ppms[] = {0, 50, 1000, -1500};
    for (size_t i = 0; i < sizeof ppms / sizeof *ppms; i++) {
        struct resampled *s = *state;
        if (i) {
            resampled_tear_down(state);
            resampled_set_up(state);
            s = *state;
        }
        s->position = 700.37;
        s->ppm = ppms[i];
        resampled_play(s, 5 * RATE, ppms[i]);
        whole(s, ppms[i], 0);
    }
}

static void a_servo_is_no_hole(void **state)
{
    struct resampled *s = *state;
    s->position = 123456.5;
    resampled_play(s, RATE, 0);
    resampled_play(s, 5 * RATE, 1500); /* as fast as it may: 300 ppm/s */
    resampled_play(s, 10 * RATE, -1500);
    resampled_play(s, 5 * RATE, 0);
    resampled_play(s, RATE, 0);
    whole(s, 0, 840.9);
    NEAR(s->heard.verdict.pacing.least, -1350, 1);
    NEAR(s->heard.verdict.pacing.most, 1350, 1);
}

static void silence_around_is_no_sound(void **state)
{
    struct resampled *s = *state;
    s->heard.segment.frames = 100000;
    s->ppm = 200;
    resampled_silence(s, 1234);
    resampled_play(s, 100100, 200); /* beyond its end */
    memset(s->heard.recording.data + (1234 + 100050) * 4, 0, 50 * 4);
    resampled_silence(s, 5000);
    const struct verdict *v = recorded_judged(&s->heard);
    check_holes(v, NULL, 0);
    assert_int_equal(s->heard.runs.count, 1);
    NEAR(s->heard.runs.at[0].recorded, 1234, 30);
    NEAR(s->heard.runs.at[0].sent, 0, 30);
    NEAR(v->matched, 100000, 100);
    check_truth(s, 0.01);
}

static void foreign_sound_does_not_match(void **state)
{
    struct resampled *s = *state;
    uint32_t seed = 1;
    int16_t *p = resampled_silence(s, RATE);
    for (int i = 0; i < RATE * CHANNELS; i++) {
        seed = seed * 1664525 + 1013904223;
        p[i] = (int16_t)(seed >> 17);
    }
    assert_int_equal(recorded_judged(&s->heard)->matched, 0);
}

static void swap_channels(struct resampled *s, uint64_t from)
{
    int16_t *x = (int16_t *)(void *)s->heard.recording.data;
    for (uint64_t i = from; i < s->heard.recording.frames; i++) {
        int16_t left = x[2 * i];
        x[2 * i] = x[2 * i + 1];
        x[2 * i + 1] = left;
    }
}

static void swapped_channels_are_named(void **state)
{
    struct resampled *s = *state;
    resampled_play(s, 50000, 70);
    swap_channels(s, 0);
    const struct verdict *v = recorded_judged(&s->heard);
    NEAR(v->matched, 50000, 200);
    assert_true(v->misplaced[0] && v->misplaced[1]);
    assert_int_equal(v->held[0], 1);
    assert_int_equal(v->held[1], 0);
}

static void a_silent_channel_is_named(void **state)
{
    struct resampled *s = *state;
    resampled_play(s, 50000, 70);
    int16_t *x = (int16_t *)(void *)s->heard.recording.data;
    for (uint64_t i = 0; i < s->heard.recording.frames; i++)
        x[2 * i + 1] = 0;
    const struct verdict *v = recorded_judged(&s->heard);
    NEAR(v->matched, 50000, 200);
    assert_true(!v->misplaced[0] && v->misplaced[1]);
    assert_int_equal(v->held[1], HOLDS_SILENCE);
}

static void another_rate_is_followed(void **state)
{
    struct resampled *s = *state;
    s->heard.segment.format.rate = 44100;
    s->position = 1000.25;
    s->ppm = 150;
    resampled_play(s, 5 * RATE, 150);
    whole(s, 150, 0);
    assert_true(s->heard.verdict.segments[0].matchable);
}

static void a_halved_rate_is_followed(void **state)
{
    struct resampled *s = *state;
    s->heard.segment.format.rate = 96000;
    s->position = 1000.25;
    s->ppm = -150;
    resampled_play(s, 5 * RATE, -150);
    whole(s, -150, 0);
}

static void latency_is_what_the_clocks_say(void **state)
{
    struct resampled *s = *state;
    recorded_timed(&s->heard, 5000000000 + 60000000);
    s->heard.segment.ppm = 100;
    resampled_silence(s,
                      4800); /* frame 0 is heard 100 ms after the recording's start: 40 ms late */
    s->ppm = 100;
    resampled_play(s, 10 * RATE, 100);
    const struct verdict *v = recorded_judged(&s->heard);
    assert_true(v->latency.known);
    NEAR(v->latency.median, 40, 0.001);
    NEAR(v->latency.slope, 0, 0.01);
    NEAR(v->latency.p95 - v->latency.p5, 0, 0.001);
}

static void a_wrong_pace_is_a_slope(void **state)
{
    struct resampled *s = *state;
    recorded_timed(&s->heard, 5000000000);
    s->ppm = 500;
    resampled_play(s, 10 * RATE, 500);
    NEAR(recorded_judged(&s->heard)->latency.slope, -30, 0.1);
    NEAR(s->heard.verdict.latency.median, -2.5, 0.01);
}

static void the_way_is_chosen_by_what_fits(void **state)
{
    struct resampled *s = *state;
    s->heard.request.mode = TRACK_AUTO;
    s->position = 0.4;
    resampled_play(s, 20000, 50);
    assert_true(recorded_judged(&s->heard)->resampled);
    NEAR(s->heard.verdict.matched, 20000, 100);
    runs_finish(&s->heard.runs);
    judge_finish(&s->heard.verdict);
    signal_render(SIGNAL_NOISE, &s->heard.segment.format, 0, 20000, s->heard.recording.data);
    assert_false(recorded_judged(&s->heard)->resampled);
    assert_int_equal(s->heard.verdict.matched, 20000);
}

static void begun_exactly_it_may_go_on_resampled(void **state)
{
    struct resampled *s = *state;
    s->heard.request.mode = TRACK_AUTO;
    resampled_play(s, RATE, 0);
    resampled_play(s, RATE, 200);
    resampled_play(s, RATE, 200);
    const struct verdict *v = recorded_judged(&s->heard);
    assert_true(v->resampled);
    check_holes(v, NULL, 0);
    NEAR(v->matched, 3 * RATE, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ratios_are_told),
        TEST(a_servo_is_no_hole),
        TEST(silence_around_is_no_sound),
        TEST(foreign_sound_does_not_match),
        TEST(swapped_channels_are_named),
        TEST(a_silent_channel_is_named),
        TEST(another_rate_is_followed),
        TEST(a_halved_rate_is_followed),
        TEST(latency_is_what_the_clocks_say),
        TEST(a_wrong_pace_is_a_slope),
        TEST(the_way_is_chosen_by_what_fits),
        TEST(begun_exactly_it_may_go_on_resampled),
    };
    return cmocka_run_group_tests_name("listen_resampled", tests, NULL, NULL);
}
