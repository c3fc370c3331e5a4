/* The ends of sounds, and what comes after them. */
#include "test.h"

#include "clock.h"
#include "played.h"

#include <math.h>
#include <stdlib.h>

static const struct pcm_format stereo = {.rate = 48000, .width = 16, .channels = 2, .mask = 3};

/* A sound ends: all of it is heard, then it fades, and the next one begins whole at the same latency. */
static void a_pause_loses_nothing(void **state)
{
    (void)state;
    struct played p;
    played_open(&p, &stereo, 480, 0);
    played_run(&p, NS_PER_S);
    const int64_t latency = played_latency(&p, played_first_sound(&p, 0), 0);
    p.mute = true;
    played_run(&p, NS_PER_S);
    const uint64_t frames = p.sent / 4, start = played_first_sound(&p, 0);
    assert_int_equal(played_matching(&p, start, 0), frames);
    uint64_t quiet = start + frames;
    while (p.heard[quiet * 2] != 0 && quiet < p.heard_frames)
        quiet++;
    assert_in_range(quiet - start - frames, 200, 240); /* the tail, 5 ms */

    p.mute = false;
    played_run(&p, NS_PER_S);
    const uint64_t again = played_first_sound(&p, quiet);
    assert_true(played_matching(&p, again, frames) == p.heard_frames - again); /* no fade into it */
    assert_true(llabs(played_latency(&p, again, (int64_t)frames) - latency) < 3 * NS_PER_MS);
    assert_int_equal(count_read(&p.stream.counters.pauses), 1);
    assert_int_equal(count_read(&p.stream.counters.underruns), 0);
    played_close(&p);
}

static double step_at(const struct played *p, uint64_t at)
{
    return fabs((double)p->heard[at * 2] - p->heard[at * 2 - 2]);
}

static void the_tail_has_no_step(void **state)
{
    (void)state;
    struct played p;
    played_open(&p, &stereo, 480, 0);
    played_run(&p, NS_PER_S);
    p.mute = true;
    played_run(&p, NS_PER_S);
    const uint64_t end = played_first_sound(&p, 0) + p.sent / 4;
    for (uint64_t at = end; at < end + 260; at++)
        assert_true(step_at(&p, at) <= 32768.0 / 240 + 2);
    played_close(&p);
}

/* A tail begins at the level that a fade-in has reached. */
static void what_ends_amid_its_fade_in_makes_no_step(void **state)
{
    (void)state;
    struct played p;
    played_open(&p, &stereo, 64, 0);
    p.next_fill += 3 * NS_PER_S / 10;
    played_run(&p, 302 * NS_PER_MS);
    assert_in_range(p.heard_frames, 64, 240);
    const uint64_t end = p.heard_frames;
    player_end(p.player);
    played_run(&p, 20 * NS_PER_MS);
    for (uint64_t at = end; at < p.heard_frames; at++)
        assert_true(step_at(&p, at) <= 32768.0 / 240 + 2);
    assert_int_equal(p.heard[2 * p.heard_frames - 1], 0);
    played_close(&p);
}

/* A sound that was over before the output opened is heard all the same, unless it is old. */
static void a_short_sound_is_heard_whole(void **state)
{
    (void)state;
    for (int late = 0; late < 2; late++) {
        struct played p;
        played_open(&p, &stereo, 480, 0);
        const int64_t shift = late ? NS_PER_S : 150 * NS_PER_MS;
        p.next_fill += shift;
        played_run(&p, 60 * NS_PER_MS);
        p.mute = true;
        played_run(&p, 2 * NS_PER_S);
        const uint64_t frames = p.sent / 4;
        assert_true(frames > 2000);
        if (late)
            assert_int_equal(played_first_sound(&p, 0), p.heard_frames);
        else
            assert_int_equal(played_matching(&p, played_first_sound(&p, 0), 0), frames);
        played_close(&p);
    }
}

/* An output that was paused takes its time: the sound that ends the pause waits, then catches up. */
static void a_late_resumption_loses_no_beginning(void **state)
{
    (void)state;
    struct played p;
    played_open(&p, &stereo, 480, 0);
    assert_int_equal(player_resting(p.player), PLAYER_BUSY);
    played_run(&p, NS_PER_S);
    assert_int_equal(player_resting(p.player), PLAYER_BUSY);
    const uint64_t usual = count_read(&p.stream.counters.latency_us);
    p.mute = true;
    played_run(&p, NS_PER_S);
    const int64_t rests = player_resting(p.player);
    assert_in_range(p.now - rests, 900 * NS_PER_MS, NS_PER_S);
    const uint64_t frames = p.sent / 4, end = p.heard_frames;
    player_resume(p.player);
    assert_int_equal(player_resting(p.player), PLAYER_BUSY);
    p.mute = false;
    p.next_fill += 110 * NS_PER_MS;
    played_run(&p, 2 * NS_PER_S);
    const uint64_t again = played_first_sound(&p, end);
    assert_true(again - end < 480);
    assert_in_range(played_matching(&p, again, frames), 30000,
                    48000); /* no skip in a short sound */
    assert_int_equal(count_read(&p.stream.counters.skips), 1);
    assert_true(count_read(&p.stream.counters.latency_us) < usual + 15000);
    assert_int_equal(count_read(&p.stream.counters.underruns), 0);
    played_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pause_loses_nothing),
        cmocka_unit_test(the_tail_has_no_step),
        cmocka_unit_test(what_ends_amid_its_fade_in_makes_no_step),
        cmocka_unit_test(a_short_sound_is_heard_whole),
        cmocka_unit_test(a_late_resumption_loses_no_beginning),
    };
    return cmocka_run_group_tests_name("player_pause", tests, NULL, NULL);
}
