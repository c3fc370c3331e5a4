/* What systemd is told, by its socket: ready, and the status. */
#include "test.h"

#include "scene.h"
#include "systemd_fake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void nothing_without_systemd(void **state)
{
    (void)state;
    struct scene s;
    scene_begin(&s);
    assert_int_equal(scene_turn(&s, 0), INT64_MAX);
    service_stopping(&s.status.service);
    scene_end(&s);
}

static void ready_once_and_the_end(void **state)
{
    (void)state;
    struct scene s;
    need_libsystemd();
    systemd_fake_begin(false);
    scene_begin(&s);
    assert_string_equal(systemd_told(), "");
    assert_int_equal(scene_turn(&s, 0), INT64_MAX); /* no watchdog, nothing plays: no waking up */
    assert_string_equal(systemd_told(), "READY=1");
    assert_string_equal(systemd_told(), "STATUS=listening to unicast on lo");
    scene_turn(&s, NS_PER_S);
    assert_string_equal(systemd_told(), "");
    service_stopping(&s.status.service);
    assert_non_null(strstr(systemd_told(), "STOPPING=1"));
    scene_end(&s);
    systemd_fake_end();
}

static void ready_while_it_waits(void **state)
{
    (void)state;
    struct scene s;
    need_libsystemd();
    systemd_fake_begin(false);
    scene_begin(&s);
    s.view.receiver = NULL;
    s.view.waiting = "there is no interface virbr0 (yet)";
    scene_turn(&s, 0);
    assert_string_equal(systemd_told(), "READY=1");
    assert_string_equal(systemd_told(), "STATUS=waiting: there is no interface virbr0 (yet)");
    s.view.receiver = &s.receiver.base;
    s.view.waiting = "";
    scene_turn(&s, NS_PER_S);
    assert_string_equal(systemd_told(), "STATUS=listening to unicast on lo");
    assert_string_equal(systemd_told(), "");
    scene_end(&s);
    systemd_fake_end();
}

static void play_some(struct scene *s, uint64_t latency_us, int64_t drift_ppb)
{
    struct stream_counters *c = &s->voice.stream.counters;
    count_add(&c->frames, 480);
    gauge_set(&c->latency_us, latency_us);
    gauge_set(&c->drift_ppb, (uint64_t)drift_ppb);
}

static void the_status_is_kept_true(void **state)
{
    (void)state;
    struct scene s;
    need_libsystemd();
    systemd_fake_begin(false);
    scene_begin(&s);
    scene_turn(&s, 0);
    systemd_told(), systemd_told();
    s.voice.state = VOICE_CLOSED;
    snprintf(s.voice.retry.why, sizeof s.voice.retry.why, "no server answers");
    scene_turn(&s, 0);
    assert_string_equal(systemd_told(), "STATUS=no sound yet: no server answers");
    s.voice.state = VOICE_PLAYING;
    int64_t next = scene_turn(&s, 0);
    assert_string_equal(systemd_told(),
                        "STATUS=silent, 48 kHz 16 bit stereo from 192.168.122.50, on a box");
    assert_true(next - told.now <= NS_PER_S); /* it is seen soon that it plays */
    play_some(&s, 24300, 31200);
    next = scene_turn(&s, next - told.now);
    assert_string_equal(systemd_told(),
                        "STATUS=playing 48 kHz 16 bit stereo from 192.168.122.50, 24 ms, "
                        "+31 ppm, on a box");
    for (int i = 0; i < 4; i++) {
        play_some(&s, 25300, -31200);
        scene_turn(&s, 10 * NS_PER_MS);
        next = scene_turn(&s, next - told.now);
        assert_string_equal(systemd_told(), ""); /* figures change all the time */
    }
    play_some(&s, 25300, -31200);
    next = scene_turn(&s, next - told.now);
    assert_non_null(strstr(systemd_told(), ", 25 ms, -31 ppm"));
    scene_turn(&s, next - told.now);
    assert_string_equal(systemd_told(),
                        "STATUS=silent, 48 kHz 16 bit stereo from 192.168.122.50, on a box");
    s.view.waiting = "virbr0 is down";
    assert_int_equal(scene_turn(&s, 0), INT64_MAX);
    assert_string_equal(systemd_told(), "STATUS=waiting: virbr0 is down");
    scene_end(&s);
    systemd_fake_end();
}

/* A line's end in a name would be the end of the field. */
static void a_name_is_no_message(void **state)
{
    (void)state;
    struct scene s;
    need_libsystemd();
    systemd_fake_begin(false);
    scene_begin(&s);
    s.view.waiting = "no file a\nMAINPID=1";
    scene_turn(&s, 0);
    assert_string_equal(systemd_told(), "READY=1");
    assert_string_equal(systemd_told(), "STATUS=waiting: no file a?MAINPID=1");
    scene_end(&s);
    systemd_fake_end();
}

/* A socket that has gone, or was never one: nothing is tried again for it. */
static void who_is_not_there_is_not_waited_for(void **state)
{
    (void)state;
    static const char *const names[] = {
        "/nonexistent/notify", "@scream-test-nobody", "", "@", "x", "vsock:2:1"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct scene s;
        setenv("NOTIFY_SOCKET", names[i], 1);
        scene_begin(&s);
        assert_int_equal(scene_turn(&s, 0), INT64_MAX);
        scene_end(&s);
        systemd_fake_end();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_without_systemd),
        cmocka_unit_test(ready_once_and_the_end),
        cmocka_unit_test(ready_while_it_waits),
        cmocka_unit_test(the_status_is_kept_true),
        cmocka_unit_test(a_name_is_no_message),
        cmocka_unit_test(who_is_not_there_is_not_waited_for),
    };
    return cmocka_run_group_tests_name("status", tests, scene_alone, NULL);
}
