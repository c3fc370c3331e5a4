/* The player steering by the servo between two clocks (world.h). */
#include "test.h"

#include "world.h"

#include <math.h>

static void clocks_apart_sound_as_one(void **state)
{
    (void)state;
    static const struct {
        uint32_t period;
        double ppm;
    } cases[] = {{480, 0},   {480, 100},   {480, -500}, {480, 1000},
                 {240, 500}, {1024, -100}, {1024, 500}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world w;
        world_open(&w, false, cases[i].period, cases[i].ppm, -30);
        world_run(&w, 150);
        world_forget(&w);
        world_run(&w, 30);
        const double must = (1 + cases[i].ppm * 1e-6) / (1 - 30e-6);
        if (world_dropouts(&w) > 0 || w.high - w.low > 0.5 || w.worst > 1e-4 || w.silent > 0 ||
            fabs(player_ratio(w.player) - must) > 5e-6)
            fail_msg(
                "N %u, %+.0f ppm: %llu dropouts, latency %.3f to %.3f ms, level off by %g, ratio "
                "off by %.2f ppm, silent for %llu",
                cases[i].period, cases[i].ppm, (unsigned long long)world_dropouts(&w), w.low,
                w.high, w.worst, (player_ratio(w.player) - must) * 1e6,
                (unsigned long long)w.silent);
        world_close(&w);
    }
}

/* A request that comes late asks for two periods at once. Nobody should hear that as pitch. */
static void a_late_request_does_not_bend_the_pitch(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, false, 240, 0, 0);
    world_run(&w, 30);
    world_forget(&w);
    for (int i = 0; i < 40; i++) {
        w.period = 480;
        w.next_fill += 5.0 * NS_PER_MS; /* it should have come a period ago */
        w.delay -= 5 * NS_PER_MS;
        world_fill(&w);
        w.period = 240;
        w.next_fill -= 5.0 * NS_PER_MS;
        w.delay += 5 * NS_PER_MS;
        for (int n = 0; n < 15; n++) {
            world_run(&w, 0.1);
            if (fabs(player_ratio(w.player) - 1) > 400e-6)
                fail_msg("%.0f ppm", (player_ratio(w.player) - 1) * 1e6);
        }
    }
    assert_int_equal(world_dropouts(&w), 0);
    assert_true(w.high - w.low < 0.5);
    world_close(&w);
}

/* No frame is far from the one before it, and the latency comes back. */
static void a_stall_is_left_behind(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, false, 480, 200, 0);
    world_run(&w, 60);
    world_forget(&w);
    world_run(&w, 1);
    const double before = w.high;
    w.stalled_until = w.guest_tick + 250.0 * NS_PER_MS;
    world_run(&w, 1.25);
    w.heard_before = false;
    world_forget(&w);
    world_run(&w, 1);
    assert_int_equal(count_read(&w.stream.counters.underruns), 1);
    assert_true(fabs(w.high - before) < 3);
    assert_true(w.worst < 1e-4);
    assert_true(fabs(player_ratio(w.player) - 1.0002) < 60e-6); /* it has kept the rate */
    world_close(&w);
}

static void a_pause_keeps_rate_and_latency(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, false, 480, 300, 0);
    world_run(&w, 60);
    world_forget(&w);
    world_run(&w, 1);
    const double before = (w.low + w.high) / 2;
    w.mute = true;
    world_run(&w, 3);
    assert_true(w.silent > 2 * WORLD_RATE);
    w.mute = false;
    world_run(&w, 0.2);
    w.heard_before = false;
    world_forget(&w);
    world_run(&w, 5);
    assert_int_equal(world_dropouts(&w), 0);
    assert_true(w.high - before < 2.5 && before - w.low < 2.5);
    assert_true(fabs(player_ratio(w.player) - 1.0003) < 60e-6);
    world_close(&w);
}

static void an_output_that_stood_still_catches_up(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, false, 480, 0, 0);
    world_run(&w, 30);
    world_forget(&w);
    world_run(&w, 1);
    const double before = w.high;
    w.next_fill += 100.0 * NS_PER_MS;
    world_run(&w, 0.5);
    w.heard_before = false;
    world_forget(&w);
    world_run(&w, 1);
    assert_int_equal(count_read(&w.stream.counters.skips), 1);
    assert_true(fabs(w.high - before) < 1);
    assert_true(w.worst < 1e-4 && w.silent == 0);
    world_close(&w);
}

/* ---- a queue that is filled ahead of time ---- */

static void a_queue_sounds_as_one(void **state)
{
    (void)state;
    for (double ppm = -500; ppm <= 1000; ppm += 500) {
        struct world w;
        world_open(&w, true, 240, ppm, -30);
        world_run(&w, 150);
        world_forget(&w);
        world_run(&w, 30);
        const double must = (1 + ppm * 1e-6) / (1 - 30e-6);
        if (world_dropouts(&w) > 0 || w.high - w.low > 0.5 || w.worst > 1e-4 || w.silent > 0 ||
            w.late > 0 || fabs(player_ratio(w.player) - must) > 5e-6)
            fail_msg("%+.0f ppm: %llu dropouts, latency %.3f to %.3f ms, level off by %g, ratio "
                     "off by %.2f ppm, silent for %llu, late %llu",
                     ppm, (unsigned long long)world_dropouts(&w), w.low, w.high, w.worst,
                     (player_ratio(w.player) - must) * 1e6, (unsigned long long)w.silent,
                     (unsigned long long)w.late);
        world_close(&w);
    }
}

/* Whichever is late, guest or requests, the same store serves. */
static void one_store_serves_both(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, true, 240, 0, 0);
    world_run(&w, 20);
    world_forget(&w);
    for (int i = 0; i < 20; i++) {
        w.stalled_until = w.guest_tick + 15.0 * NS_PER_MS;
        world_run(&w, 0.37);
        w.late_until = w.next_fill + 15.0 * NS_PER_MS;
        world_run(&w, 0.37);
    }
    assert_int_equal(world_dropouts(&w), 0);
    assert_int_equal(w.silent + w.late, 0);
    assert_true(w.high - w.low < 0.5 && w.worst < 1e-4);
    world_close(&w);
}

/* Nobody answered for longer than the queue lasts: what comes after is where it belongs. */
static void time_goes_on_without_it(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, true, 240, 0, 0);
    world_run(&w, 20);
    world_forget(&w);
    world_run(&w, 1);
    const double before = w.high;
    w.late_until = w.next_fill + 80.0 * NS_PER_MS;
    world_run(&w, 0.1);
    assert_in_range(w.late, WORLD_RATE / 50, WORLD_RATE / 12);
    w.heard_before = false;
    world_forget(&w);
    world_run(&w, 1);
    assert_true(fabs(w.high - before) < 0.5 && fabs(w.low - before) < 0.5);
    assert_int_equal(world_dropouts(&w) + w.silent + w.late, 0);
    player_ran_dry(w.player); /* as its output says: from now on there is more in store */
    assert_int_equal(world_dropouts(&w), 1);
    world_run(&w, 30);
    assert_true(w.high > before + 4 && w.high < before + 6 && w.worst < 1e-4);
    world_close(&w);
}

static void a_stall_empties_the_queue_once(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, true, 240, 200, 0);
    world_run(&w, 60);
    world_forget(&w);
    world_run(&w, 1);
    const double before = w.high;
    w.stalled_until = w.guest_tick + 250.0 * NS_PER_MS;
    world_run(&w, 1.25);
    w.heard_before = false;
    world_forget(&w);
    world_run(&w, 1);
    assert_int_equal(count_read(&w.stream.counters.underruns), 1);
    assert_true(fabs(w.high - before) < 3 && w.worst < 1e-4 && w.silent == 0);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clocks_apart_sound_as_one),
        cmocka_unit_test(a_late_request_does_not_bend_the_pitch),
        cmocka_unit_test(a_stall_is_left_behind),
        cmocka_unit_test(a_pause_keeps_rate_and_latency),
        cmocka_unit_test(an_output_that_stood_still_catches_up),
        cmocka_unit_test(a_queue_sounds_as_one),
        cmocka_unit_test(one_store_serves_both),
        cmocka_unit_test(time_goes_on_without_it),
        cmocka_unit_test(a_stall_empties_the_queue_once),
    };
    return cmocka_run_group_tests_name("steer", tests, NULL, NULL);
}
