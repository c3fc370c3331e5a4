/* What systemd is told, by its socket: ready, status, alive; and when it is not told that all is well. */
#include "test.h"

#include "captured.h"
#include "clock.h"
#include "log.h"
#include "output.h"
#include "status.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define WATCHDOG_NS (30 * NS_PER_S)

/* ---- systemd's end ---- */

static int listener = -1;

static void begin_systemd(bool watchdog)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char name[64];
    /* abstract: "@" stands for the zero */
    const int n = snprintf(name, sizeof name, "@scream-test-%d", (int)getpid());
    memcpy(address.sun_path + 1, name + 1, (size_t)n - 1);
    listener = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)n)),
                     0);
    setenv("NOTIFY_SOCKET", name, 1);
    if (watchdog) {
        char value[32];
        snprintf(value, sizeof value, "%lld", WATCHDOG_NS / NS_PER_US);
        setenv("WATCHDOG_USEC", value, 1);
        snprintf(value, sizeof value, "%d", (int)getpid());
        setenv("WATCHDOG_PID", value, 1);
    }
}

static void end_systemd(void)
{
    if (listener >= 0)
        close(listener);
    listener = -1;
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}

/* Nothing more gets into the queue: what is in it is nobody's. */
static void stop_reading(void)
{
    struct sockaddr_un address;
    socklen_t size = sizeof address;
    getsockname(listener, (struct sockaddr *)&address, &size);
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    while (sendto(fd, "x", 1, 0, (struct sockaddr *)&address, size) == 1)
        ;
    assert_int_equal(errno, EAGAIN);
    close(fd);
}

/* What was told next; "" when nothing was. It has been sent when the call that tells returns. */
static const char *told(void)
{
    static char text[1024];
    const ssize_t n = recv(listener, text, sizeof text - 1, MSG_DONTWAIT);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

static void need_libsystemd(void)
{
#ifndef HAVE_SYSTEMD
    skip();
#endif
}

/* ---- a session in little ---- */

static void lo_describe(const struct receiver *r, char *buf, size_t size)
{
    (void)r;
    snprintf(buf, size, "unicast on lo");
}

struct lo {
    struct receiver base;
    int block_fd; /* what its thread waits for alone, or -1: for wake_fd, as it should */
};

static int lo_read(struct receiver *r, int wake_fd, struct packet *packets, int max)
{
    (void)packets, (void)max;
    const struct lo *lo = (const struct lo *)r;
    struct pollfd p = {.fd = lo->block_fd < 0 ? wake_fd : lo->block_fd, .events = POLLIN};
    ppoll(&p, 1, NULL, NULL);
    return 0;
}

static const struct receiver_driver lo_driver = {
    .name = "lo", .read = lo_read, .describe = lo_describe};

static void box_describe(const struct output *o, char *buf, size_t size)
{
    (void)o;
    snprintf(buf, size, "a box");
}

static const struct output_driver box_driver = {.name = "box", .describe = box_describe};

struct scene {
    struct lo receiver;
    struct receiver_counters counters;
    struct notifier notifier;
    struct output box;
    struct voice voice;
    struct status_view view;
    struct status status;
};

static int64_t told_now;

static int64_t told_clock(void)
{
    return told_now;
}

static void scene_begin(struct scene *s)
{
    memset(s, 0, sizeof *s);
    told_now = NS_PER_S;
    s->receiver.base.driver = &lo_driver;
    s->receiver.base.counters = &s->counters;
    s->receiver.block_fd = -1;
    s->voice.driver = &box_driver;
    s->voice.output = &s->box;
    s->voice.format = (struct pcm_format){.rate = 48000, .width = 16, .channels = 2, .mask = 3};
    s->view.receiver = &s->receiver.base;
    s->view.waiting = "";
    s->view.voice = &s->voice;
    assert_int_equal(stream_init(&s->voice.stream, 0), 0);
    assert_int_equal(notifier_init(&s->notifier), 0);
    stream_begin(&s->voice.stream, &s->voice.format,
                 (struct source_id){.address = 0xc0a87a32, .port = 1});
    status_init(&s->status, told_clock);
}

static void scene_end(struct scene *s)
{
    ingest_stop(s->view.ingest);
    notifier_finish(&s->notifier);
    stream_finish(&s->voice.stream);
}

static void listen_in_thread(struct scene *s)
{
    assert_int_equal(ingest_start(&s->view.ingest, &s->receiver.base, &s->voice.stream,
                                  &s->notifier, true, true),
                     0);
}

/* A turn, so long after the last one; when the next one has to be. */
static int64_t turn_after(struct scene *s, int64_t passed)
{
    int64_t next = INT64_MAX;
    told_now += passed;
    status_turn(&s->status, &s->view, &next);
    return next;
}

static void play_some(struct scene *s, uint64_t latency_us, int64_t drift_ppb)
{
    struct stream_counters *c = &s->voice.stream.counters;
    count_add(&c->frames, 480);
    gauge_set(&c->latency_us, latency_us);
    gauge_set(&c->drift_ppb, (uint64_t)drift_ppb);
}

/* Told at the next looks, that it lives: how many of so many. */
static int fed(struct scene *s, int looks)
{
    int n = 0;
    for (int i = 0; i < looks; i++) {
        turn_after(s, WATCHDOG_NS / 3);
        for (const char *text = told(); *text; text = told())
            n += strcmp(text, "WATCHDOG=1") == 0;
        for (int ms = 0; ms < 5000 && s->view.ingest && s->receiver.block_fd < 0 &&
                         !ingest_answered(s->view.ingest);
             ms++)
            usleep(1000);
    }
    return n;
}

/* ---- the tests ---- */

static void nothing_without_systemd(void **state)
{
    (void)state;
    struct scene s;
    scene_begin(&s);
    assert_int_equal(turn_after(&s, 0), INT64_MAX);
    service_stopping(&s.status.service);
    scene_end(&s);
}

static void ready_once_and_the_end(void **state)
{
    (void)state;
    struct scene s;
    need_libsystemd();
    begin_systemd(false);
    scene_begin(&s);
    assert_string_equal(told(), "");
    assert_int_equal(turn_after(&s, 0), INT64_MAX); /* no watchdog, nothing plays: no waking up */
    assert_string_equal(told(), "READY=1");
    assert_string_equal(told(), "STATUS=listening to unicast on lo");
    turn_after(&s, NS_PER_S);
    assert_string_equal(told(), "");
    service_stopping(&s.status.service);
    assert_non_null(strstr(told(), "STOPPING=1"));
    scene_end(&s);
    end_systemd();
}

static void ready_while_it_waits(void **state)
{
    (void)state;
    struct scene s;
    need_libsystemd();
    begin_systemd(false);
    scene_begin(&s);
    s.view.receiver = NULL;
    s.view.waiting = "there is no interface virbr0 (yet)";
    turn_after(&s, 0);
    assert_string_equal(told(), "READY=1");
    assert_string_equal(told(), "STATUS=waiting: there is no interface virbr0 (yet)");
    s.view.receiver = &s.receiver.base;
    s.view.waiting = "";
    turn_after(&s, NS_PER_S);
    assert_string_equal(told(), "STATUS=listening to unicast on lo");
    assert_string_equal(told(), "");
    scene_end(&s);
    end_systemd();
}

static void the_status_is_kept_true(void **state)
{
    (void)state;
    struct scene s;
    need_libsystemd();
    begin_systemd(false);
    scene_begin(&s);
    turn_after(&s, 0);
    told(), told();
    s.voice.state = VOICE_CLOSED;
    snprintf(s.voice.retry.why, sizeof s.voice.retry.why, "no server answers");
    turn_after(&s, 0);
    assert_string_equal(told(), "STATUS=no sound yet: no server answers");
    s.voice.state = VOICE_PLAYING;
    int64_t next = turn_after(&s, 0);
    assert_string_equal(told(),
                        "STATUS=silent, 48 kHz 16 bit stereo from 192.168.122.50, on a box");
    assert_true(next - told_now <= NS_PER_S); /* it is seen soon that it plays */
    play_some(&s, 24300, 31200);
    next = turn_after(&s, next - told_now);
    assert_string_equal(told(), "STATUS=playing 48 kHz 16 bit stereo from 192.168.122.50, 24 ms, "
                                "+31 ppm, on a box");
    for (int i = 0; i < 4; i++) {
        play_some(&s, 25300, -31200);
        turn_after(&s, 10 * NS_PER_MS);
        next = turn_after(&s, next - told_now);
        assert_string_equal(told(), ""); /* figures change all the time */
    }
    play_some(&s, 25300, -31200);
    next = turn_after(&s, next - told_now);
    assert_non_null(strstr(told(), ", 25 ms, -31 ppm"));
    turn_after(&s, next - told_now);
    assert_string_equal(told(),
                        "STATUS=silent, 48 kHz 16 bit stereo from 192.168.122.50, on a box");
    s.view.waiting = "virbr0 is down";
    assert_int_equal(turn_after(&s, 0), INT64_MAX);
    assert_string_equal(told(), "STATUS=waiting: virbr0 is down");
    scene_end(&s);
    end_systemd();
}

/* A line's end in a name would be the end of the field. */
static void a_name_is_no_message(void **state)
{
    (void)state;
    struct scene s;
    need_libsystemd();
    begin_systemd(false);
    scene_begin(&s);
    s.view.waiting = "no file a\nMAINPID=1";
    turn_after(&s, 0);
    assert_string_equal(told(), "READY=1");
    assert_string_equal(told(), "STATUS=waiting: no file a?MAINPID=1");
    scene_end(&s);
    end_systemd();
}

static void the_watchdog_is_fed_through_silence(void **state)
{
    (void)state;
    struct scene s;
    need_libsystemd();
    begin_systemd(true);
    scene_begin(&s);
    listen_in_thread(&s);
    s.voice.state = VOICE_PLAYING; /* and its server asks for nothing */
    const int64_t next = turn_after(&s, 0);
    assert_true(next <= told_now + WATCHDOG_NS / 3);
    assert_int_equal(fed(&s, 6), 6);
    s.view.waiting = "virbr0 is down";
    assert_int_equal(fed(&s, 3), 3);
    assert_false(s.status.stuck);
    scene_end(&s);
    end_systemd();
}

static void drain(void)
{
    while (strcmp(told(), "x") == 0)
        ;
}

/* Nobody reads the socket, for a while: the control thread goes on, and what is true by then is told. */
static void a_full_socket_holds_up_nothing(void **state)
{
    (void)state;
    struct scene s;
    need_libsystemd();
    begin_systemd(true);
    scene_begin(&s);
    stop_reading();
    alarm(20); /* it would block for ever */
    int64_t next = turn_after(&s, 0);
    assert_true(next > told_now && next - told_now <= NS_PER_S);
    for (int i = 0; i < 10; i++)
        turn_after(&s, NS_PER_S);
    s.view.waiting = "virbr0 is down";
    next = turn_after(&s, 0);
    assert_true(next - told_now <= NS_PER_S);
    service_stopping(&s.status.service);
    alarm(0);
    drain();
    next = turn_after(&s, NS_PER_S);
    assert_true(next - told_now > NS_PER_S);
    assert_string_equal(told(), "READY=1");
    assert_string_equal(told(), "WATCHDOG=1");
    assert_string_equal(told(), "STATUS=waiting: virbr0 is down");
    assert_string_equal(told(), "");
    stop_reading();
    turn_after(&s, WATCHDOG_NS / 3); /* it lives */
    drain();
    turn_after(&s, NS_PER_S);
    assert_string_equal(told(), "WATCHDOG=1");
    assert_string_equal(told(), "");
    scene_end(&s);
    end_systemd();
}

/* It is no longer true by the time that there is room. */
static void who_stands_still_by_then_is_not_fed(void **state)
{
    (void)state;
    struct scene s;
    need_libsystemd();
    begin_systemd(true);
    scene_begin(&s);
    turn_after(&s, 0);
    told(), told();
    stop_reading();
    count_add(&s.voice.stream.counters.passes, 1);
    turn_after(&s, WATCHDOG_NS / 3);
    turn_after(&s, WATCHDOG_NS / 3);
    turn_after(&s, NS_PER_S / 2);
    assert_true(s.status.stuck);
    drain();
    turn_after(&s, NS_PER_S);
    assert_string_equal(told(), "");
    scene_end(&s);
    end_systemd();
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
        assert_int_equal(turn_after(&s, 0), INT64_MAX);
        scene_end(&s);
        end_systemd();
    }
}

/* Another process's watchdog, which it inherited. */
static void another_ones_watchdog(void **state)
{
    (void)state;
    struct scene s;
    need_libsystemd();
    begin_systemd(true);
    setenv("WATCHDOG_PID", "1", 1);
    scene_begin(&s);
    assert_int_equal(turn_after(&s, 0), INT64_MAX);
    assert_int_equal(fed(&s, 3), 0);
    scene_end(&s);
    end_systemd();
}

static void not_while_the_receiver_stands_still(void **state)
{
    (void)state;
    struct scene s;
    need_libsystemd();
    begin_systemd(true);
    scene_begin(&s);
    s.receiver.block_fd = eventfd(0, EFD_CLOEXEC);
    listen_in_thread(&s);
    assert_int_equal(fed(&s, 1), 1); /* nothing had been asked of it */
    assert_int_equal(fed(&s, 3), 0);
    assert_true(s.status.stuck);
    eventfd_write(s.receiver.block_fd, 1);
    for (int ms = 0; ms < 5000 && !ingest_answered(s.view.ingest); ms++)
        usleep(1000);
    assert_int_equal(fed(&s, 1), 1); /* it moves again */
    scene_end(&s);
    close(s.receiver.block_fd);
    end_systemd();
}

static void not_while_the_player_stands_still(void **state)
{
    (void)state;
    struct scene s;
    need_libsystemd();
    begin_systemd(true);
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
    end_systemd();
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
    begin_systemd(true);
    scene_begin(&s);
    counter *passes = &s.voice.stream.counters.passes;
    turn_after(&s, 0);
    told(), told();
    count_add(passes, 1);
    assert_int_equal(fed(&s, 1), 1);
    const struct capture c = capture();
    int64_t next = turn_after(&s, WATCHDOG_NS / 3); /* as it was when it was stopped */
    assert_string_equal(told(), "");
    assert_true(next - told_now <= NS_PER_S / 2 && next - told_now >= NS_PER_S / 10);
    count_add(passes, 2); /* it goes on */
    next = turn_after(&s, next - told_now);
    assert_string_equal(told(), "WATCHDOG=1");
    assert_int_equal(next - told_now, WATCHDOG_NS / 3);
    turn_after(&s, next - told_now);
    next = turn_after(&s, NS_PER_S / 2); /* and now it does not */
    captured(&c, text, sizeof text);
    assert_string_equal(told(), "");
    assert_true(s.status.stuck);
    assert_int_equal(count_of(text, "stands still"), 1);
    scene_end(&s);
    end_systemd();
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
    player_fill(p, out, 480, told_now, 0);
    player_take(p, out, sizeof out);
    assert_int_equal(count_read(&s.voice.stream.counters.passes) - before, 4);
    player_close(p);
    scene_end(&s);
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
            stream_write(&s->voice.stream, (const uint8_t *)pcm, sizeof pcm, told_now);
        stream_commit(&s->voice.stream);
        player_fill(p, out, 480, told_now, 5 * NS_PER_MS);
        told_now += 10 * NS_PER_MS;
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
        cmocka_unit_test(nothing_without_systemd),
        cmocka_unit_test(ready_once_and_the_end),
        cmocka_unit_test(ready_while_it_waits),
        cmocka_unit_test(the_status_is_kept_true),
        cmocka_unit_test(a_name_is_no_message),
        cmocka_unit_test(the_watchdog_is_fed_through_silence),
        cmocka_unit_test(a_full_socket_holds_up_nothing),
        cmocka_unit_test(who_stands_still_by_then_is_not_fed),
        cmocka_unit_test(who_is_not_there_is_not_waited_for),
        cmocka_unit_test(another_ones_watchdog),
        cmocka_unit_test(not_while_the_receiver_stands_still),
        cmocka_unit_test(not_while_the_player_stands_still),
        cmocka_unit_test(who_has_had_no_time_is_not_accused),
        cmocka_unit_test(a_player_is_inside_only_while_it_plays),
        cmocka_unit_test(what_ends_fades),
    };
    setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent", 1); /* no RealtimeKit */
    unsetenv("NOTIFY_SOCKET");
    return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}
