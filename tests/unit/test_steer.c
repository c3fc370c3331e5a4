/*
 * The player steering by the servo, against a guest and an output with clocks of their own, all
 * simulated. The guest's left channel is a sine and its right one the cosine, so that each frame heard
 * tells the position it comes from, to a thousandth of a frame, and any click.
 */
#include "test.h"

#include "clock.h"
#include "player.h"
#include "stream.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RATE        48000
#define CYCLE       4800.0 /* frames: longer than any latency */
#define TICK_NS     (10 * NS_PER_MS)
#define LEVEL       0.5
#define MOST_PERIOD 2048

static const struct pcm_format format = {.rate = RATE, .width = 32, .channels = 2, .mask = 3};

struct world {
    struct stream stream;
    struct player *player;
    double guest_ppm, output_ppm;
    uint32_t period;
    int64_t delay;
    double guest_tick, next_fill; /* ns */
    uint64_t counted, sent;       /* frames */
    bool mute;
    double stalled_until;
    double zero; /* ns: when the guest's frame 0 came to be, by its clock as it runs */

    /* what was heard */
    bool heard_before;
    double phase;     /* of the latest frame, unwrapped, in frames */
    double low, high; /* ms: latency since the latest world_forget() */
    double worst;     /* furthest from LEVEL */
    uint64_t silent;  /* frames */
};

static void world_forget(struct world *w)
{
    w->low = INFINITY;
    w->high = -INFINITY;
    w->worst = 0;
    w->silent = 0;
}

static void world_open(struct world *w, uint32_t period, double guest_ppm, double output_ppm)
{
    *w = (struct world){.period = period, .guest_ppm = guest_ppm, .output_ppm = output_ppm};
    w->guest_tick = w->next_fill = (double)NS_PER_S;
    w->zero = w->guest_tick;
    w->delay = 5 * NS_PER_MS;
    assert_int_equal(stream_init(&w->stream, 0), 0);
    stream_begin(&w->stream, &format, (struct source_id){0});
    stream_commit(&w->stream);
    assert_int_equal(stream_edge(&w->stream), STREAM_FORMAT);
    stream_pass(&w->stream);
    const struct player_config config = {
        .stream = &w->stream, .source = format, .bound = 200 * NS_PER_MS, .steer = true};
    assert_int_equal(player_open(&w->player, &config), 0);
    struct player_sink sink = {.type = SAMPLE_F32, .rate = RATE, .quantum = period};
    chmap_from_mask(&sink.map, 3, 2);
    assert_int_equal(player_set_sink(w->player, &sink), 0);
    world_forget(w);
}

static void world_close(struct world *w)
{
    player_close(w->player);
    stream_finish(&w->stream);
}

static void put_packet(struct world *w, int64_t now)
{
    enum { FRAMES = SCREAM_PAYLOAD / 8 };
    int32_t packet[2 * FRAMES];
    for (int i = 0; i < FRAMES; i++) {
        const double angle = 2 * M_PI * fmod((double)(w->sent + (uint64_t)i), CYCLE) / CYCLE;
        packet[2 * i] = (int32_t)(LEVEL * 2147483647.0 * sin(angle));
        packet[2 * i + 1] = (int32_t)(LEVEL * 2147483647.0 * cos(angle));
    }
    stream_write(&w->stream, (uint8_t *)packet, SCREAM_PAYLOAD, now);
    w->sent += FRAMES;
}

static void guest_tick(struct world *w)
{
    const double tick = TICK_NS / (1 + w->guest_ppm * 1e-6);
    w->guest_tick += tick;
    if (w->mute) {
        w->zero += tick;
        return;
    }
    w->counted += RATE / 100;
    if (w->guest_tick < w->stalled_until)
        return;
    const uint64_t before = w->sent;
    while (w->sent + SCREAM_PAYLOAD / 8 <= w->counted)
        put_packet(w, (int64_t)w->guest_tick);
    if (w->sent > before)
        stream_commit(&w->stream);
}

/* The frame that is heard at that time: what came of which, and how late. */
static void hear(struct world *w, float left, float right, double heard_at)
{
    const double level = hypot(left, right);
    if (level < LEVEL / 1000) {
        w->silent++;
        return;
    }
    w->worst = fmax(w->worst, fabs(level - LEVEL));
    double at = atan2(left, right) / (2 * M_PI) * CYCLE;
    const double frame_ns = NS_PER_S / (RATE * (1 + w->guest_ppm * 1e-6));
    if (!w->heard_before) /* near the sound that is due, half a second being more than any latency */
        w->phase = fmax(0, (heard_at - w->zero) / frame_ns - RATE / 20);
    w->heard_before = true;
    at += CYCLE * round((w->phase - at) / CYCLE);
    w->phase = at + 1;
    const double late = (heard_at - w->zero - at * frame_ns) / NS_PER_MS;
    w->low = fmin(w->low, late);
    w->high = fmax(w->high, late);
}

static void output_fill(struct world *w)
{
    static float buf[2 * MOST_PERIOD];
    const double frame_ns = NS_PER_S / (RATE * (1 + w->output_ppm * 1e-6));
    player_fill(w->player, buf, w->period, (int64_t)w->next_fill, w->delay);
    for (uint32_t i = 0; i < w->period; i++)
        hear(w, buf[2 * i], buf[2 * i + 1], w->next_fill + (double)w->delay + i * frame_ns);
    w->next_fill += w->period * frame_ns;
}

static void world_run(struct world *w, double seconds)
{
    const double end = fmin(w->guest_tick, w->next_fill) + seconds * NS_PER_S;
    while (fmin(w->guest_tick, w->next_fill) < end) {
        if (w->guest_tick <= w->next_fill)
            guest_tick(w);
        else
            output_fill(w);
    }
}

static uint64_t dropouts(const struct world *w)
{
    return count_read(&w->stream.counters.underruns) + count_read(&w->stream.counters.skips);
}

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
        world_open(&w, cases[i].period, cases[i].ppm, -30);
        world_run(&w, 150);
        world_forget(&w);
        world_run(&w, 30);
        const double must = (1 + cases[i].ppm * 1e-6) / (1 - 30e-6);
        if (dropouts(&w) > 0 || w.high - w.low > 0.5 || w.worst > 1e-4 || w.silent > 0 ||
            fabs(player_ratio(w.player) - must) > 5e-6)
            fail_msg(
                "N %u, %+.0f ppm: %llu dropouts, latency %.3f to %.3f ms, level off by %g, ratio "
                "off by %.2f ppm, silent for %llu",
                cases[i].period, cases[i].ppm, (unsigned long long)dropouts(&w), w.low, w.high,
                w.worst, (player_ratio(w.player) - must) * 1e6, (unsigned long long)w.silent);
        world_close(&w);
    }
}

/* A request that comes late asks for two periods at once. Nobody should hear that as pitch. */
static void a_late_request_does_not_bend_the_pitch(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, 240, 0, 0);
    world_run(&w, 30);
    world_forget(&w);
    for (int i = 0; i < 40; i++) {
        w.period = 480;
        w.next_fill += 5.0 * NS_PER_MS; /* it should have come a period ago */
        w.delay -= 5 * NS_PER_MS;
        output_fill(&w);
        w.period = 240;
        w.next_fill -= 5.0 * NS_PER_MS;
        w.delay += 5 * NS_PER_MS;
        for (int n = 0; n < 15; n++) {
            world_run(&w, 0.1);
            if (fabs(player_ratio(w.player) - 1) > 400e-6)
                fail_msg("%.0f ppm", (player_ratio(w.player) - 1) * 1e6);
        }
    }
    assert_int_equal(dropouts(&w), 0);
    assert_true(w.high - w.low < 0.5);
    world_close(&w);
}

/* No frame is far from the one before it, and the latency comes back. */
static void a_stall_is_left_behind(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, 480, 200, 0);
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
    world_open(&w, 480, 300, 0);
    world_run(&w, 60);
    world_forget(&w);
    world_run(&w, 1);
    const double before = (w.low + w.high) / 2;
    w.mute = true;
    world_run(&w, 3);
    assert_true(w.silent > 2 * RATE);
    w.mute = false;
    world_run(&w, 0.2);
    w.heard_before = false;
    world_forget(&w);
    world_run(&w, 5);
    assert_int_equal(dropouts(&w), 0);
    assert_true(w.high - before < 2.5 && before - w.low < 2.5);
    assert_true(fabs(player_ratio(w.player) - 1.0003) < 60e-6);
    world_close(&w);
}

static void an_output_that_stood_still_catches_up(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, 480, 0, 0);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clocks_apart_sound_as_one),
        cmocka_unit_test(a_late_request_does_not_bend_the_pitch),
        cmocka_unit_test(a_stall_is_left_behind),
        cmocka_unit_test(a_pause_keeps_rate_and_latency),
        cmocka_unit_test(an_output_that_stood_still_catches_up),
    };
    return cmocka_run_group_tests_name("steer", tests, NULL, NULL);
}
