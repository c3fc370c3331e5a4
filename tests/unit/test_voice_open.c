/* What an opening takes, what is opened anew, and what is waited for. */
#include "test.h"

#include "voiced.h"

#include <errno.h>
#include <math.h>
#include <unistd.h>

static void an_output_that_fails_at_once_is_not_hammered(void **state)
{
    (void)state;
    struct voiced v;
    voiced_open(&v);
    told.fails_at_once = true;
    voiced_begin(&v, &fast);
    voiced_run(&v, 10000, true, true);
    assert_in_range(told.opened, 2, 30);
    told.fails_at_once = false;
    voiced_run(&v, 2000, true, true);
    assert_heard(&v, 40000);
    voiced_close(&v);
}

static void a_restarted_server_gets_the_sound_back(void **state)
{
    (void)state;
    struct voiced v;
    voiced_open(&v);
    told.device_answers = true;
    voiced_begin(&v, &fast);
    voiced_run(&v, 6000, true, true);
    assert_string_equal(told.name, "server");
    told.server_answers = false;
    output_fail(v.voice.output, -ECONNRESET);
    voiced_run(&v, 2000, true, true);
    told.server_answers = true;
    v.heard = 0;
    voiced_run(&v, 2000, true, true);
    assert_string_equal(told.name, "server");
    assert_heard(&v, 40000);
    /* but one that stays away is given up, if there is a device */
    told.server_answers = false;
    output_fail(v.voice.output, -ECONNRESET);
    voiced_run(&v, 8000, true, true);
    assert_string_equal(told.name, "device");
    voiced_close(&v);
}

/* What has been learnt of the clocks is not learnt again: from its first sound on the rate is as before. */
static void a_restarted_server_keeps_the_rate(void **state)
{
    (void)state;
    struct voiced v;
    voiced_open(&v);
    v.slower = 300e-6;
    voiced_begin(&v, &fast);
    voiced_run(&v, 120000, true, true);
    const double before = player_ratio(told.player);
    told.server_answers = false;
    output_fail(v.voice.output, -ECONNRESET);
    voiced_run(&v, 2010, true, true); /* the guest's packets come in threes of 10 ms */
    assert_null(told.player);
    told.server_answers = true;
    voiced_run(&v, 990, true, true);
    assert_int_equal(told.opened, 2);
    const double after = player_ratio(told.player);
    if (fabs(before - 1.0003) > 20e-6 || fabs(after - before) > 20e-6)
        fail_msg("ratio %.1f ppm, then %.1f", (before - 1) * 1e6, (after - 1) * 1e6);
    voiced_close(&v);
}

/* An attempt that takes long leaves as much time between itself and the next as one that does not. */
static void tries_are_apart_however_long_they_take(void **state)
{
    (void)state;
    for (int ms = 0; ms <= 900; ms += 900) {
        struct voiced v;
        voiced_open(&v);
        told.server_answers = false;
        told.takes = ms * NS_PER_MS;
        v.voice.named = &told_server;
        voiced_begin(&v, &fast);
        while (told.tried < 20)
            voiced_run(&v, 10, true, true);
        const int64_t idle = told.last - told.first - 19 * told.takes;
        assert_in_range(idle, 17 * 400 * NS_PER_MS, 19 * 420 * NS_PER_MS);
        voiced_close(&v);
    }
}

static void nor_does_a_close_count(void **state)
{
    (void)state;
    struct voiced v;
    voiced_open(&v);
    told.fails_at_once = true;
    told.closing = 500 * NS_PER_MS;
    voiced_begin(&v, &fast);
    while (told.opened < 20)
        voiced_run(&v, 10, true, true);
    assert_true(told.last - told.first - 19 * told.closing >= 15 * 300 * NS_PER_MS);
    voiced_close(&v);
}

/* The same for a guest that changes its format all the time: four at once, and then one in 300 ms. */
static void slow_openings_are_few_too(void **state)
{
    (void)state;
    struct voiced v;
    voiced_open(&v);
    told.takes = 400 * NS_PER_MS;
    for (int i = 0; told.opened < 14; i++) {
        voiced_begin(&v, i % 2 ? &slow : &fast);
        voiced_run(&v, 40, true, true);
    }
    assert_true(told.last - told.first - 13 * told.takes >= 8 * 300 * NS_PER_MS);
    voiced_close(&v);
}

/* No folder, then a socket that nobody listens to yet, then another one. */
static void a_missing_server_is_not_polled(void **state)
{
    (void)state;
    char folder[64], path[96];
    struct voiced v;
    int64_t next;
    voiced_open(&v);
    told.server_answers = false;
    v.voice.named = &told_server;
    told_place_make(folder, path, sizeof path);
    voiced_begin(&v, &fast);
    voiced_run(&v, 1000, true, true);
    assert_in_range(told.tried, 2, 3); /* the place was not watched at the first */
    told.tried = 0;
    voiced_run(&v, 10000, true, true);
    assert_int_equal(told.tried, 0);
    assert_int_equal(voice_turn(&v.voice, v.now, &next), 0);
    assert_true(next - v.now > 10 * NS_PER_S);
    assert_false(voiced_polled(&v));
    told_place_appear(folder, path);
    assert_true(voiced_polled(&v));
    assert_int_equal(voice_turn(&v.voice, v.now, &next), 0);
    assert_false(voiced_polled(&v)); /* it rests, and says how long */
    assert_true(next <= v.now + PATH_WATCH_REST);
    voiced_run(&v, 3000, true, true);
    assert_in_range(told.tried, 5, 15);
    voiced_run(&v, 6000, true, true);
    told.tried = 0;
    voiced_run(&v, 6000, true, true);
    assert_int_equal(told.tried, 0);
    told.server_answers = true;
    unlink(path);
    told_place_appear(folder, path);
    assert_true(voiced_polled(&v));
    voiced_run(&v, 600, true, true);
    assert_heard(&v, 10000);
    assert_false(voiced_polled(&v));
    unlink(path); /* which is of no interest while it plays */
    assert_false(voiced_polled(&v));
    voiced_close(&v);
    told_place_remove(folder);
}

/* Where it is said that it cannot be watched, or nothing is said, the clock counts. */
static void what_cannot_be_watched_is_polled(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct voiced v;
        voiced_open(&v);
        told.server_answers = false;
        told.place = i ? "tcp:far" : NULL;
        v.voice.named = &told_server;
        voiced_begin(&v, &fast);
        voiced_run(&v, 5000, true, true);
        assert_in_range(told.tried, 10, 20);
        told.place = NULL;
        voiced_close(&v);
    }
}

/* One that is watched for and one that is not. */
static void a_silent_device_is_polled_beside_a_watched_server(void **state)
{
    (void)state;
    char folder[64], path[96];
    struct voiced v;
    voiced_open(&v);
    told.server_answers = false;
    told_place_make(folder, path, sizeof path);
    voiced_begin(&v, &fast);
    voiced_run(&v, 3900, true, true);
    assert_int_equal(told.device_asked, 0);
    voiced_run(&v, 5000, true, true);
    assert_in_range(told.device_asked, 10, 20);
    voiced_close(&v);
    told_place_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_output_that_fails_at_once_is_not_hammered),
        cmocka_unit_test(a_restarted_server_gets_the_sound_back),
        cmocka_unit_test(a_restarted_server_keeps_the_rate),
        cmocka_unit_test(tries_are_apart_however_long_they_take),
        cmocka_unit_test(nor_does_a_close_count),
        cmocka_unit_test(slow_openings_are_few_too),
        cmocka_unit_test(a_missing_server_is_not_polled),
        cmocka_unit_test(what_cannot_be_watched_is_polled),
        cmocka_unit_test(a_silent_device_is_polled_beside_a_watched_server),
    };
    return cmocka_run_group_tests_name("voice_open", tests, NULL, NULL);
}
