/* The ends of sounds, and what comes after them. */
#include "test.h"

#include "clock.h"
#include "played.h"
#include "scene.h"

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

#define LEVEL 16000

/* Constant sound, 10 ms at a time, for so long; the player is filled as often. */
static void flood(struct scene *s, struct player *p, int16_t *out, int times)
{
    int16_t pcm[576];
    for (size_t i = 0; i < 576; i++)
        pcm[i] = LEVEL;
    for (int i = 0; i < times; i++) {
        for (int n = 0; n < 2 - (i % 3 == 0); n++) /* 5 packets of 288 frames in 30 ms */
            stream_write(&s->voice.stream, (const uint8_t *)pcm, sizeof pcm, told.now);
        stream_commit(&s->voice.stream);
        player_fill(p, out, 480, told.now, 5 * NS_PER_MS);
        told.now += 10 * NS_PER_MS;
    }
}

static void what_ends_fades(void **state)
{
    (void)state;
    struct scene s;
    int16_t out[2 * 480];
    struct player *p;
    scene_begin(&s);
    stream_commit(&s.voice.stream);
    assert_int_equal(stream_edge(&s.voice.stream), STREAM_FORMAT);
    stream_pass(&s.voice.stream);
    const struct player_config config = {.stream = &s.voice.stream,
                                         .source = s.voice.format,
                                         .target = 60 * NS_PER_MS,
                                         .bound = NS_PER_S};
    struct player_sink sink = {.type = SAMPLE_S16, .rate = 48000, .quantum = 480};
    chmap_from_mask(&sink.map, 3, 2);
    assert_int_equal(player_open(&p, &config), 0);
    assert_int_equal(player_set_sink(p, &sink), 0);
    flood(&s, p, out, 100);
    assert_int_equal(out[959], LEVEL);
    player_end(p);
    flood(&s, p, out, 1);
    int16_t last = LEVEL;
    for (size_t i = 0; i < 960; i += 2) {
        assert_true(out[i] <= last && last - out[i] < LEVEL / 50);
        last = out[i];
    }
    assert_int_equal(last, 0);
    flood(&s, p, out, 30); /* although there is more */
    for (size_t i = 0; i < 960; i++)
        assert_int_equal(out[i], 0);
    player_close(p);
    scene_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pause_loses_nothing),
        cmocka_unit_test(the_tail_has_no_step),
        cmocka_unit_test(what_ends_amid_its_fade_in_makes_no_step),
        cmocka_unit_test(a_short_sound_is_heard_whole),
        cmocka_unit_test(a_late_resumption_loses_no_beginning),
        cmocka_unit_test(what_ends_fades),
    };
    return cmocka_run_group_tests_name("player_pause", tests, scene_alone, NULL);
}
