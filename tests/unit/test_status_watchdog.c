/* systemd's watchdog: that it lives, and when that is not told. */
#include "test.h"

#include "captured.h"
#include "scene.h"
#include "systemd_fake.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Told at the next looks, that it lives: how many of so many. */
static int fed(struct scene *s, int looks)
{
    int n = 0;
    for (int i = 0; i < looks; i++) {
        scene_turn(s, SYSTEMD_FAKE_WATCHDOG / 3);
        for (const char *text = systemd_told(); *text; text = systemd_told())
            n += strcmp(text, "WATCHDOG=1") == 0;
        for (int ms = 0; ms < 5000 && s->view.ingest && s->receiver.block_fd < 0 &&
                         !ingest_answered(s->view.ingest);
             ms++)
            usleep(1000);
    }
    return n;
}

static void the_watchdog_is_fed_through_silence(void **state)
{
    (void)state;
    struct scene s;
    need_libsystemd();
    systemd_fake_begin(true);
    scene_begin(&s);
    scene_listen(&s);
    s.voice.state = VOICE_PLAYING; /* and its server asks for nothing */
    const int64_t next = scene_turn(&s, 0);
    assert_true(next <= told.now + SYSTEMD_FAKE_WATCHDOG / 3);
    assert_int_equal(fed(&s, 6), 6);
    s.view.waiting = "virbr0 is down";
    assert_int_equal(fed(&s, 3), 3);
    assert_false(s.status.stuck);
    scene_end(&s);
    systemd_fake_end();
}

/* Nobody reads the socket, for a while: the control thread goes on, and what is true by then is told. */
static void a_full_socket_holds_up_nothing(void **state)
{
    (void)state;
    struct scene s;
    need_libsystemd();
    systemd_fake_begin(true);
    scene_begin(&s);
    systemd_fake_fill();
    alarm(20); /* it would block for ever */
    int64_t next = scene_turn(&s, 0);
    assert_true(next > told.now && next - told.now <= NS_PER_S);
    for (int i = 0; i < 10; i++)
        scene_turn(&s, NS_PER_S);
    s.view.waiting = "virbr0 is down";
    next = scene_turn(&s, 0);
    assert_true(next - told.now <= NS_PER_S);
    service_stopping(&s.status.service);
    alarm(0);
    systemd_fake_drain();
    next = scene_turn(&s, NS_PER_S);
    assert_true(next - told.now > NS_PER_S);
    assert_string_equal(systemd_told(), "READY=1");
    assert_string_equal(systemd_told(), "WATCHDOG=1");
    assert_string_equal(systemd_told(), "STATUS=waiting: virbr0 is down");
    assert_string_equal(systemd_told(), "");
    systemd_fake_fill();
    scene_turn(&s, SYSTEMD_FAKE_WATCHDOG / 3); /* it lives */
    systemd_fake_drain();
    scene_turn(&s, NS_PER_S);
    assert_string_equal(systemd_told(), "WATCHDOG=1");
    assert_string_equal(systemd_told(), "");
    scene_end(&s);
    systemd_fake_end();
}

/* It is no longer true by the time that there is room. */
static void who_stands_still_by_then_is_not_fed(void **state)
{
    (void)state;
    struct scene s;
    need_libsystemd();
    systemd_fake_begin(true);
    scene_begin(&s);
    scene_turn(&s, 0);
    systemd_told(), systemd_told();
    systemd_fake_fill();
    count_add(&s.voice.stream.counters.passes, 1);
    scene_turn(&s, SYSTEMD_FAKE_WATCHDOG / 3);
    scene_turn(&s, SYSTEMD_FAKE_WATCHDOG / 3);
    scene_turn(&s, NS_PER_S / 2);
    assert_true(s.status.stuck);
    systemd_fake_drain();
    scene_turn(&s, NS_PER_S);
    assert_string_equal(systemd_told(), "");
    scene_end(&s);
    systemd_fake_end();
}

/* Another process's watchdog, which it inherited. */
static void another_ones_watchdog(void **state)
{
    (void)state;
    struct scene s;
    need_libsystemd();
    systemd_fake_begin(true);
    setenv("WATCHDOG_PID", "1", 1);
    scene_begin(&s);
    assert_int_equal(scene_turn(&s, 0), INT64_MAX);
    assert_int_equal(fed(&s, 3), 0);
    scene_end(&s);
    systemd_fake_end();
}

static void not_while_the_receiver_stands_still(void **state)
{
    (void)state;
    struct scene s;
    need_libsystemd();
    systemd_fake_begin(true);
    scene_begin(&s);
    s.receiver.block_fd = eventfd(0, EFD_CLOEXEC);
    scene_listen(&s);
    assert_int_equal(fed(&s, 1), 1); /* nothing had been asked of it */
    assert_int_equal(fed(&s, 3), 0);
    assert_true(s.status.stuck);
    eventfd_write(s.receiver.block_fd, 1);
    for (int ms = 0; ms < 5000 && !ingest_answered(s.view.ingest); ms++)
        usleep(1000);
    assert_int_equal(fed(&s, 1), 1); /* it moves again */
    scene_end(&s);
    close(s.receiver.block_fd);
    systemd_fake_end();
}

static void not_while_the_player_stands_still(void **state)
{
    (void)state;
    struct scene s;
    need_libsystemd();
    systemd_fake_begin(true);
    scene_begin(&s);
    counter *passes = &s.voice.stream.counters.passes;
    count_add(passes, 1); /* inside */
    assert_int_equal(fed(&s, 1), 1);
    count_add(passes, 2); /* inside again: it moves */
    assert_int_equal(fed(&s, 1), 1);
    assert_int_equal(fed(&s, 2), 0);
    count_add(passes, 1); /* outside, for however long */
    assert_int_equal(fed(&s, 3), 3);
    scene_end(&s);
    systemd_fake_end();
}

/*
 * A process that was stopped in the midst of a pass, or whose control thread comes first after it was: what
 * has not moved since the last look is looked at again a little later.
 */
static void who_has_had_no_time_is_not_accused(void **state)
{
    (void)state;
    static char text[1024];
    struct scene s;
    need_libsystemd();
    systemd_fake_begin(true);
    scene_begin(&s);
    counter *passes = &s.voice.stream.counters.passes;
    scene_turn(&s, 0);
    systemd_told(), systemd_told();
    count_add(passes, 1);
    assert_int_equal(fed(&s, 1), 1);
    const struct capture c = capture();
    int64_t next = scene_turn(&s, SYSTEMD_FAKE_WATCHDOG / 3); /* as it was when it was stopped */
    assert_string_equal(systemd_told(), "");
    assert_true(next - told.now <= NS_PER_S / 2 && next - told.now >= NS_PER_S / 10);
    count_add(passes, 2); /* it goes on */
    next = scene_turn(&s, next - told.now);
    assert_string_equal(systemd_told(), "WATCHDOG=1");
    assert_int_equal(next - told.now, SYSTEMD_FAKE_WATCHDOG / 3);
    scene_turn(&s, next - told.now);
    next = scene_turn(&s, NS_PER_S / 2); /* and now it does not */
    captured(&c, text, sizeof text);
    assert_string_equal(systemd_told(), "");
    assert_true(s.status.stuck);
    assert_int_equal(count_of(text, "stands still"), 1);
    scene_end(&s);
    systemd_fake_end();
}

static void a_player_is_inside_only_while_it_plays(void **state)
{
    (void)state;
    struct scene s;
    int16_t out[2 * 480];
    struct player *p;
    scene_begin(&s);
    const struct player_config config = {
        .stream = &s.voice.stream, .source = s.voice.format, .bound = NS_PER_S};
    struct player_sink sink = {.type = SAMPLE_S16, .rate = 48000, .quantum = 480};
    chmap_from_mask(&sink.map, 3, 2);
    assert_int_equal(player_open(&p, &config), 0);
    assert_int_equal(player_set_sink(p, &sink), 0);
    const uint64_t before = count_read(&s.voice.stream.counters.passes);
    player_fill(p, out, 480, told.now, 0);
    player_take(p, out, sizeof out);
    assert_int_equal(count_read(&s.voice.stream.counters.passes) - before, 4);
    player_close(p);
    scene_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_watchdog_is_fed_through_silence),
        cmocka_unit_test(a_full_socket_holds_up_nothing),
        cmocka_unit_test(who_stands_still_by_then_is_not_fed),
        cmocka_unit_test(another_ones_watchdog),
        cmocka_unit_test(not_while_the_receiver_stands_still),
        cmocka_unit_test(not_while_the_player_stands_still),
        cmocka_unit_test(who_has_had_no_time_is_not_accused),
        cmocka_unit_test(a_player_is_inside_only_while_it_plays),
    };
    return cmocka_run_group_tests_name("status_watchdog", tests, scene_alone, NULL);
}
