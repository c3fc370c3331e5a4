/* The player steering by the servo between two clocks (../sim/world.h). */
#include "test.h"

#include "../sim/world.h"

#include "clock.h"

#include <math.h>
#include <stdlib.h>

static void begin(struct world *w, const char *words)
{
    struct scenario s;
    char why[128];
    scenario_init(&s);
    s.width = 32; /* so fine that a level can be told to 1e-4 */
    s.callback = 0;
    s.keeps = 1; /* what it keeps has tests of its own */
    if (!scenario_take(&s, words, why, sizeof why))
        fail_msg("%s", why);
    world_open(w, &s, NULL);
}

/* What is heard from now on for so long, ms on average. */
static double listen(struct world *w, double seconds)
{
    world_forget(w);
    world_run(w, seconds);
    return w->ear.heard.sum / w->ear.heard.looks;
}

/* One sound without a fault, its latency within so many ms of the given one. */
static void assert_whole(const struct world *w, double latency, double within)
{
    const struct heard *h = &w->ear.heard;
    if (h->low < latency - within || h->high > latency + within || h->off > 1e-4 || h->partly > 0 ||
        h->silent > 0 || h->clicks > 0 || h->jumps > 0 || w->too_late > 0)
        fail_msg("latency %.3f to %.3f ms, not %.3f; level off by %g, partly for %llu, silent for "
                 "%llu, %u clicks, %u jumps, %llu too late",
                 h->low, h->high, latency, h->off, (unsigned long long)h->partly,
                 (unsigned long long)h->silent, h->clicks, h->jumps,
                 (unsigned long long)w->too_late);
}

static void assert_ratio(const struct world *w, double within)
{
    const double must = (1 + w->guest.ppm * 1e-6) / (1 + w->scenario.output * 1e-6);
    if (!(fabs(player_ratio(w->player) - must) < within))
        fail_msg("ratio off by %.2f ppm", (player_ratio(w->player) - must) * 1e6);
}

static void sounds_as_one(const char *words)
{
    struct world w;
    begin(&w, words);
    world_run(&w, 150);
    const double latency = listen(&w, 30);
    assert_whole(&w, latency, 0.25);
    assert_ratio(&w, 5e-6);
    assert_int_equal(world_counted(&w), 0);
    world_close(&w);
}

static void clocks_apart_sound_as_one(void **state)
{
    (void)state;
    sounds_as_one("n=480 out=-30");
    sounds_as_one("n=480 ppm=-500 out=-30");
    sounds_as_one("n=480 ppm=1000 out=-30");
    sounds_as_one("n=240 ppm=500 out=-30");
    sounds_as_one("n=1024 ppm=-100 out=-30");
    sounds_as_one("n=110 rate=11025 ppm=100 out=-30"); /* no whole frames a tick */
}

/* A request that comes late asks for two periods at once. Nobody should hear that as pitch. */
static void a_late_request_does_not_bend_the_pitch(void **state)
{
    (void)state;
    struct world w;
    begin(&w, "n=240");
    world_run(&w, 30);
    const double before = listen(&w, 1);
    world_forget(&w);
    for (int i = 0; i < 40; i++) {
        w.called += 5.0 * NS_PER_MS; /* it should have come a period ago */
        w.delay -= 5 * NS_PER_MS;
        w.late = 5.0 * NS_PER_MS;
        world_request(&w, 480);
        w.late = 0;
        w.delay += 5 * NS_PER_MS;
        for (int n = 0; n < 15; n++) {
            world_run(&w, 0.1);
            if (fabs(player_ratio(w.player) - 1) > 400e-6)
                fail_msg("%.0f ppm", (player_ratio(w.player) - 1) * 1e6);
        }
    }
    assert_int_equal(world_counted(&w), 0);
    assert_whole(&w, before, 0.4);
    world_close(&w);
}

/* No frame is far from the one before it, and the latency comes back. */
static void a_stall_is_left_behind(const char *words)
{
    struct world w;
    begin(&w, words);
    world_run(&w, 60);
    const double before = listen(&w, 1);
    guest_stall(&w.guest, w.now + 250.0 * NS_PER_MS);
    world_run(&w, 1.25);
    assert_int_equal(w.ear.heard.gaps, 1);
    listen(&w, 1);
    assert_whole(&w, before, 3);
    assert_int_equal(count_read(&w.stream.counters.underruns), 1);
    assert_ratio(&w, 60e-6); /* it has kept the rate */
    world_close(&w);
}

static void a_stall_of_the_guest(void **state)
{
    (void)state;
    a_stall_is_left_behind("n=480 ppm=200");
}

static void a_stall_empties_the_queue_once(void **state)
{
    (void)state;
    a_stall_is_left_behind("queue n=240 ppm=200");
}

/* It stood still for longer than the ring is: what is missing for it was not late. */
static void an_overrun_teaches_no_lateness(void **state)
{
    (void)state;
    static const char *const cases[] = {"n=480 rate=192000", "n=480 rate=192000 slack=0.7",
                                        "ivshmem n=480 rate=192000"};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world w;
        begin(&w, cases[i]);
        world_run(&w, 60);
        const int64_t slack = w.learnt.slack.amount;
        for (int times = 1; times <= 3; times++) {
            const uint64_t before = count_read(&w.stream.counters.overrun_bytes);
            world_freeze(&w, w.now + 3.5 * NS_PER_S);
            world_run(&w, 20);
            assert_true(count_read(&w.stream.counters.overrun_bytes) > before);
            assert_true(w.learnt.slack.amount == slack);
        }
        world_close(&w);
    }
}

static void a_pause_keeps_rate_and_latency(void **state)
{
    (void)state;
    struct world w;
    begin(&w, "n=480 ppm=300");
    world_run(&w, 60);
    const double before = listen(&w, 1);
    guest_pause(&w.guest, w.now + 3.0 * NS_PER_S);
    listen(&w, 3);
    assert_true(w.ear.heard.silent > 2 * 48000);
    world_run(&w, 0.2);
    listen(&w, 5);
    assert_whole(&w, before, 2.5);
    assert_int_equal(world_counted(&w), 0);
    assert_ratio(&w, 60e-6);
    world_close(&w);
}

/* A packet is lost: a hole in time for it, soon, and the same latency and rate as before. */
static void what_was_lost_is_made_up_for(void **state)
{
    (void)state;
    static const char *const cases[] = {"n=480 rate=48000 ppm=300", "n=960 rate=192000 ppm=-100",
                                        "queue n=240 ppm=100", "ivshmem n=480 ppm=50"};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world w;
        begin(&w, cases[i]);
        world_run(&w, 90);
        const double before = listen(&w, 1), ratio = player_ratio(w.player);
        w.guest.sent += w.guest.grain;
        world_run(&w, w.guest.grain < w.scenario.rate / 400 ? 0.5 : 0.3); /* of less than 2.5 ms */
        for (int seconds = 0; seconds < 10; seconds++) {
            listen(&w, 1);
            assert_whole(&w, before, 0.3);
            if (fabs(player_ratio(w.player) - ratio) > 8e-6)
                fail_msg("%s: ratio moved by %.2f ppm", cases[i],
                         (player_ratio(w.player) - ratio) * 1e6);
        }
        assert_int_equal(count_read(&w.stream.counters.losses), 1);
        assert_int_equal(world_counted(&w), 1);
        world_close(&w);
    }
}

/* However much was lost, and however late the rest is: what comes is heard soon. */
static void a_long_loss_is_soon_over(void **state)
{
    (void)state;
    static const char *const cases[] = {"queue n=240", "queue n=240 wake=6 width=16",
                                        "queue n=240 wake=6", "n=1024 wake=6",
                                        "ivshmem n=1024 wake=3"};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (unsigned packets = 1; packets < 24; packets += 3) {
            struct world w;
            begin(&w, cases[i]);
            world_run(&w, 20);
            world_forget(&w);
            w.guest.sent += packets * w.guest.grain;
            world_run(&w, 3);
            const double lost = 1e3 * packets * w.guest.grain / w.scenario.rate;
            const double silent = 1e3 * (double)w.ear.heard.silent / w.scenario.rate;
            if (silent > lost + 160)
                fail_msg("%s: %.0f ms lost, silent for %.0f", cases[i], lost, silent);
            world_close(&w);
        }
}

/* It has kept too little for that: not twice as much as for one that is late, nor for long what it held then. */
static void a_loss_is_no_lateness(void **state)
{
    (void)state;
    static const char *const cases[] = {"n=480 ppm=100 slack=0.7",
                                        "ivshmem queue n=480 rate=192000 ppm=30 out=-30 slack=0.7",
                                        "queue n=2048 rate=44100 slack=0.7"};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world w;
        begin(&w, cases[i]);
        world_run(&w, 90);
        const double before = listen(&w, 1);
        const int64_t slack = w.learnt.slack.amount;
        for (int times = 0; times < 20; times++) {
            w.guest.sent += w.guest.grain;
            world_run(&w, 2 + times * 0.0137);
            const double after = listen(&w, 1);
            if (fabs(after - before) > 3)
                fail_msg("%s: %.2f ms, now %.2f", cases[i], before, after);
        }
        assert_int_equal(w.learnt.slack.amount, slack);
        if (!w.scenario.queued) /* else it may have run dry, and begins anew by that */
            assert_int_equal(count_read(&w.stream.counters.losses), 20);
        world_close(&w);
    }
}

/* How far the arrivals have fallen behind is told for a minute, and means one burst. */
static void one_late_burst_is_learnt_once(void **state)
{
    (void)state;
    static const char *const cases[] = {"n=480 slack=20", "queue n=240 slack=20"};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int late = 15; late < 35; late += 2) {
            struct world w;
            begin(&w, cases[i]);
            world_run(&w, 30);
            const int64_t slack = w.learnt.slack.amount;
            guest_stall(&w.guest, w.now + late * NS_PER_MS);
            world_run(&w, 120);
            const int64_t more = w.learnt.slack.amount - slack;
            if (more > SLACK_STEP_NS)
                fail_msg("%s: %d ms late: %lld us more", cases[i], late, (long long)more / 1000);
            world_close(&w);
        }
}

/* A device says that it is slower now (Bluetooth), by little or much: a second later the limit holds again. */
static void the_limit_holds_when_an_output_gets_slower(void **state)
{
    (void)state;
    static const char *const cases[] = {"n=480 t=150 l=200", "n=1024 t=95 l=100",
                                        "queue n=240 t=90 l=100", "ivshmem n=480 t=100 l=110"};
    static const int slower[] = {8, 15, 30, 50};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (size_t k = 0; k < sizeof slower / sizeof slower[0]; k++) {
            struct world w;
            begin(&w, cases[i]);
            world_run(&w, 60);
            w.delay += slower[k] * NS_PER_MS;
            world_run(&w, 1);
            listen(&w, 5);
            if (w.ear.heard.high > w.scenario.bound + 1)
                fail_msg("%s, %d ms slower: %.1f ms", cases[i], slower[k], w.ear.heard.high);
            world_close(&w);
        }
}

/* It is 12 ms slower from now on, too few to be dropped: what is held comes down within seconds, not minutes. */
static void an_output_that_changes_its_mind(void **state)
{
    (void)state;
    struct world w;
    begin(&w, "n=480 t=90");
    world_run(&w, 60);
    const double before = listen(&w, 1);
    w.delay += 12 * NS_PER_MS;
    world_run(&w, 25);
    listen(&w, 5);
    assert_whole(&w, before, 2.5);
    assert_int_equal(world_counted(&w), 0);
    world_close(&w);
}

/* As low as it can be, not as asked: all of the sound is heard. */
static void a_limit_below_what_is_possible_drops_nothing(void **state)
{
    (void)state;
    static const char *const cases[] = {"n=480 l=30 delay=60", "queue n=240 t=8 l=8",
                                        "ivshmem n=480 l=30 delay=60"};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world w;
        begin(&w, cases[i]);
        world_run(&w, 30);
        assert_int_equal(count_read(&w.stream.counters.skips), 0);
        world_close(&w);
    }
}

/* Nothing is interrupted, and how much latency that takes is told. */
static void a_limit_below_what_bursts_need_makes_no_dropouts(void **state)
{
    (void)state;
    static const char *const cases[] = {"n=480 l=15", "ivshmem n=480 l=15", "n=2048 l=40",
                                        "ivshmem queue n=480 l=30", "queue n=240 l=10"};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world w;
        begin(&w, cases[i]);
        world_run(&w, 10);
        const double latency = listen(&w, 30);
        const double least = (double)count_read(&w.stream.counters.least_us) / 1e3;
        assert_whole(&w, latency, 0.3);
        assert_int_equal(world_counted(&w), 0);
        assert_true(least > w.scenario.bound && fabs(latency - least) < 1);
        world_close(&w);
    }
}

static void an_output_that_stood_still_catches_up(void **state)
{
    (void)state;
    struct world w;
    begin(&w, "n=480");
    world_run(&w, 30);
    const double before = listen(&w, 1);
    world_freeze(&w, w.now + 100.0 * NS_PER_MS);
    world_run(&w, 0.5);
    listen(&w, 1);
    assert_whole(&w, before, 1);
    assert_int_equal(count_read(&w.stream.counters.skips), 1);
    world_close(&w);
}

/* ---- a queue that is filled ahead of time ---- */

static void a_queue_sounds_as_one(void **state)
{
    (void)state;
    sounds_as_one("queue n=240 ppm=-500 out=-30");
    sounds_as_one("queue n=240 out=-30");
    sounds_as_one("queue n=240 ppm=1000 out=-30");
}

/* Whichever is late, guest or requests, the same store serves. */
static void one_store_serves_both(void **state)
{
    (void)state;
    struct world w;
    begin(&w, "queue n=240");
    world_run(&w, 20);
    const double before = listen(&w, 1);
    world_forget(&w);
    for (int i = 0; i < 20; i++) {
        guest_stall(&w.guest, w.now + 10.0 * NS_PER_MS);
        world_run(&w, 0.37);
        world_freeze(&w, w.now + 10.0 * NS_PER_MS);
        world_run(&w, 0.37);
    }
    assert_int_equal(world_counted(&w), 0);
    assert_whole(&w, before, 0.25);
    world_close(&w);
}

/* Nobody answered for longer than the queue lasts: what comes after is where it belongs. */
static void time_goes_on_without_it(void **state)
{
    (void)state;
    struct world w;
    begin(&w, "queue n=240");
    world_run(&w, 20);
    const double before = listen(&w, 1);
    world_freeze(&w, w.now + 80.0 * NS_PER_MS);
    listen(&w, 0.1);
    assert_in_range(w.too_late, 48000 / 50, 48000 / 12);
    listen(&w, 1);
    assert_whole(&w, before, 0.5);
    assert_int_equal(world_counted(&w), 0);
    player_ran_dry(w.player); /* as its output says: from now on there is more in store */
    assert_int_equal(world_counted(&w), 1);
    world_run(&w, 30);
    const double after = listen(&w, 1);
    assert_true(after > before + 3.5 && after < before + 6);
    assert_whole(&w, after, 0.25);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clocks_apart_sound_as_one),
        cmocka_unit_test(a_late_request_does_not_bend_the_pitch),
        cmocka_unit_test(a_stall_of_the_guest),
        cmocka_unit_test(an_overrun_teaches_no_lateness),
        cmocka_unit_test(a_pause_keeps_rate_and_latency),
        cmocka_unit_test(what_was_lost_is_made_up_for),
        cmocka_unit_test(a_long_loss_is_soon_over),
        cmocka_unit_test(a_loss_is_no_lateness),
        cmocka_unit_test(one_late_burst_is_learnt_once),
        cmocka_unit_test(the_limit_holds_when_an_output_gets_slower),
        cmocka_unit_test(an_output_that_changes_its_mind),
        cmocka_unit_test(a_limit_below_what_is_possible_drops_nothing),
        cmocka_unit_test(a_limit_below_what_bursts_need_makes_no_dropouts),
        cmocka_unit_test(an_output_that_stood_still_catches_up),
        cmocka_unit_test(a_queue_sounds_as_one),
        cmocka_unit_test(one_store_serves_both),
        cmocka_unit_test(time_goes_on_without_it),
        cmocka_unit_test(a_stall_empties_the_queue_once),
    };
    /* some that are short, where all take too long: valgrind says so */
    const struct CMUnitTest some[] = {tests[1], tests[5], tests[9]};
    if (getenv("TEST_SHARE"))
        return cmocka_run_group_tests_name("steer, in part", some, NULL, NULL);
    return cmocka_run_group_tests_name("steer", tests, NULL, NULL);
}
