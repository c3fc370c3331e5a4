/* scream-listen's judgement of resampled recordings: each thing that is wrong with one. */
#include "test.h"

#include "resampled.h"

static void gaps_are_found(void **state)
{
    struct resampled *s = *state;
    s->ppm = 80;
    resampled_play(s, 20000, 80);
    resampled_silence(s, 480); /* nothing lost */
    resampled_play(s, 20000, 80);
    resampled_silence(s, 960); /* lost */
    s->position += 960;
    resampled_play(s, 20000, 80);
    resampled_silence(s, 60); /* more than 1 ms in place */
    s->position += 60;
    resampled_play(s, 20000, 80);
    static const struct hole_expected want[] = {
        {HOLE_GAP, 20000, 480, -480}, {HOLE_GAP, 40480, 960, 0}, {HOLE_GAP, 61440, 60, 0}};
    check_holes(recorded_judged(&s->heard), want, 3);
    check_truth(s, 0.05);
    assert_int_equal(s->heard.verdict.silences, 3);
}

static void a_millisecond_is_found(void **state)
{
    struct resampled *s = *state;
    resampled_play(s, 50000, 300);
    resampled_scale(s, 30000, 48, 0);
    static const struct hole_expected want[] = {{HOLE_FADE, 30000, 48, 0}};
    check_holes(recorded_judged(&s->heard), want, 1);
    check_truth(s, 0.05);
}

static void a_click_is_found(void **state)
{
    struct resampled *s = *state;
    resampled_play(s, 50000, 300);
    s->heard.recording.data[30001 * 4 + 1] ^= 0x20;
    static const struct hole_expected want[] = {{HOLE_FADE, 30000, 1, 0}};
    check_holes(recorded_judged(&s->heard), want, 1);
}

static void fades_are_found(void **state)
{
    struct resampled *s = *state;
    resampled_play(s, 90000, -100);
    resampled_scale(s, 30000, 240, 0.5);
    resampled_scale(s, 50000, 4800, 0.9);
    resampled_scale(s, 70000, 4800, 0.97); /* slight */
    static const struct hole_expected want[] = {
        {HOLE_FADE, 30000, 240, 0}, {HOLE_FADE, 50000, 4800, 0}, {HOLE_FADE, 70000, 4800, 0}};
    check_holes(recorded_judged(&s->heard), want, 3);
    check_truth(s, 0.05);
}

static void crossfades_are_found(void **state)
{
    struct resampled *s = *state;
    s->ppm = -30;
    resampled_play(s, 30000, -30);
    resampled_step(s, 720, 240); /* 15 ms dropped */
    resampled_play(s, 30000, -30);
    resampled_step(s, -480, 240); /* 10 ms again */
    resampled_play(s, 30000, -30);
    resampled_step(s, 5.5, 240);
    resampled_play(s, 30000, -30);
    static const struct hole_expected want[] = {
        {HOLE_SKIP, 30000, 240, 720}, {HOLE_REPEAT, 60240, 240, -480}, {HOLE_SKIP, 90480, 240, 5}};
    const struct verdict *v = recorded_judged(&s->heard);
    check_holes(v, want, 3);
    check_truth(s, 0.05);
    NEAR(v->lost, 720 + 5, 2);
    NEAR(v->repeated, 480, 2);
}

static void one_frame_left_out_is_found(void **state)
{
    struct resampled *s = *state;
    resampled_play(s, 30000, 0);
    s->position += 1;
    resampled_play(s, 30000, 0);
    s->position -= 3;
    resampled_play(s, 30000, 0);
    static const struct hole_expected want[] = {{HOLE_SKIP, 30000, 0, 1},
                                                {HOLE_REPEAT, 60000, 0, -3}};
    check_holes(recorded_judged(&s->heard), want, 2);
    check_truth(s, 0.05);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(gaps_are_found),  TEST(a_millisecond_is_found), TEST(a_click_is_found),
        TEST(fades_are_found), TEST(crossfades_are_found),   TEST(one_frame_left_out_is_found),
    };
    return cmocka_run_group_tests_name("listen_holes", tests, NULL, NULL);
}
