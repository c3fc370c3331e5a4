/* While there is no sound: what ends a pause, and what is done in one. */
#include "test.h"

#include "voiced.h"

#include <errno.h>
#include <poll.h>

static void a_pause(struct voiced *v)
{
    const int before = told.paused;
    voiced_run(v, 2500, false, true);
    assert_int_equal(told.paused, before + 1);
    assert_null(told.player);
    v->heard = 0;
}

/* Nobody reads the player, and nobody turns: the packet itself wakes the control thread. */
static void a_pause_ends_with_the_next_packet(void **state)
{
    (void)state;
    struct voiced v;
    int64_t next;
    voiced_open(&v);
    voiced_begin(&v, &fast);
    voiced_run(&v, 1000, true, true);
    for (int i = 0; i < 3; i++) {
        struct pollfd fd = {.events = POLLIN};
        a_pause(&v);
        assert_int_equal(voice_turn(&v.voice, v.now, &next), 0);
        assert_int_equal(next, INT64_MAX);
        fd.fd = voice_wake_fd(&v.voice);
        assert_int_equal(poll(&fd, 1, 0), 0);
        voiced_run(&v, 60, true, true); /* less than that is not a sound */
        assert_non_null(told.player);
        assert_int_equal(voice_wake_fd(&v.voice), -1);
        voiced_run(&v, 500, false, true);
        assert_heard(&v, 9 * 288);
    }
    assert_int_equal(told.opened, 1);
    assert_int_equal(count_read(&v.voice.stream.counters.underruns), 0);
    voiced_close(&v);
}

/* Old sound and new format come at once; or the format alone. */
static void another_format_ends_a_pause(void **state)
{
    (void)state;
    for (int sound = 0; sound < 2; sound++) {
        struct voiced v;
        voiced_open(&v);
        voiced_begin(&v, &fast);
        voiced_run(&v, 1000, true, true);
        a_pause(&v);
        if (sound)
            voiced_run(&v, 60, true, false);
        voiced_begin(&v, &slow);
        voiced_run(&v, 2000, true, true);
        assert_heard(&v, 44100);
        assert_int_equal(told.opened, 2);
        assert_true(pcm_format_equal(&told.format, &slow));
        voiced_close(&v);
    }
}

static void a_server_is_lost_in_a_pause(void **state)
{
    (void)state;
    struct voiced v;
    voiced_open(&v);
    voiced_begin(&v, &fast);
    voiced_run(&v, 6000, true, true);
    a_pause(&v);
    output_fail(v.voice.output, -ECONNRESET);
    voiced_run(&v, 100, false, true);
    assert_int_equal(told.opened, 2);
    a_pause(&v);
    told.resting = NULL; /* and one that cannot resume is opened anew */
    voiced_run(&v, 2000, true, true);
    assert_int_equal(told.opened, 3);
    assert_heard(&v, 40000);
    voiced_close(&v);
}

/* ---- a device is second best ---- */

static void take_device(struct voiced *v, char *folder, char *path, size_t size)
{
    voiced_open(v);
    told.server_answers = false;
    told.device_answers = true;
    told_place_make(folder, path, size);
    voiced_begin(v, &fast);
    voiced_run(v, 3500, true, true);
    assert_int_equal(told.opened, 0);
    voiced_run(v, 1000, true, true);
    assert_string_equal(told.name, "device");
    v->heard = 0;
}

static void a_device_is_left_in_a_pause(void **state)
{
    (void)state;
    for (int in_pause = 0; in_pause < 2; in_pause++) {
        char folder[64], path[96];
        struct voiced v;
        take_device(&v, folder, path, sizeof path);
        if (in_pause)
            a_pause(&v);
        told.server_answers = true;
        told_place_appear(folder, path);
        if (!in_pause) {
            voiced_run(&v, 5000, true, true);
            assert_string_equal(told.name, "device");
            assert_heard(&v, 4 * 48000);
        }
        voiced_run(&v, in_pause ? 500 : 2500, false, true);
        assert_string_equal(told.name, "server");
        assert_int_equal(told.opened, 2);
        voiced_run(&v, 1000, true, true);
        assert_heard(&v, 40000);
        voiced_close(&v);
        told_place_remove(folder);
    }
}

/* It is there before it answers. */
static void a_server_that_starts_in_a_pause_is_awaited(void **state)
{
    (void)state;
    char folder[64], path[96];
    struct voiced v;
    int64_t next;
    take_device(&v, folder, path, sizeof path);
    a_pause(&v);
    told_place_appear(folder, path);
    voiced_run(&v, 1000, false, true);
    assert_string_equal(told.name, "device");
    told.server_answers = true;
    voiced_run(&v, 500, false, true);
    assert_string_equal(told.name, "server");
    voiced_close(&v);
    told_place_remove(folder);

    take_device(&v, folder, path, sizeof path); /* but not for ever */
    a_pause(&v);
    told_place_appear(folder, path);
    voiced_run(&v, 8000, false, true);
    assert_int_equal(voice_turn(&v.voice, v.now, &next), 0);
    assert_int_equal(next, INT64_MAX);
    voiced_close(&v);
    told_place_remove(folder);
}

/* It answers and cannot be had: the device is had again at once, and is left alone then. */
static void a_device_is_not_left_for_nothing(void **state)
{
    (void)state;
    char folder[64], path[96];
    struct voiced v;
    take_device(&v, folder, path, sizeof path);
    told.server_answers = told.server_refuses = true;
    voiced_run(&v, 20000, false, true);
    assert_string_equal(told.name, "device");
    assert_int_equal(told.opened, 2);
    v.heard = 0;
    voiced_run(&v, 1000, true, true);
    assert_heard(&v, 40000);
    voiced_close(&v);
    told_place_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pause_ends_with_the_next_packet),
        cmocka_unit_test(another_format_ends_a_pause),
        cmocka_unit_test(a_server_is_lost_in_a_pause),
        cmocka_unit_test(a_device_is_left_in_a_pause),
        cmocka_unit_test(a_server_that_starts_in_a_pause_is_awaited),
        cmocka_unit_test(a_device_is_not_left_for_nothing),
    };
    return cmocka_run_group_tests_name("voice_pause", tests, NULL, NULL);
}
