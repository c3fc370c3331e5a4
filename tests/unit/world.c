#include "world.h"

#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RATE        WORLD_RATE
#define CYCLE       4800.0 /* frames: longer than any latency */
#define TICK_NS     (10 * NS_PER_MS)
#define LEVEL       0.5
#define MOST_PERIOD 2048
#define MOST_QUEUE  9600

static const struct pcm_format format = {.rate = RATE, .width = 32, .channels = 2, .mask = 3};

void world_forget(struct world *w)
{
    w->low = INFINITY;
    w->high = -INFINITY;
    w->worst = 0;
    w->silent = 0;
    w->late = 0;
}

void world_open(struct world *w, bool queued, uint32_t period, double guest_ppm, double output_ppm)
{
    *w = (struct world){.period = period, .guest_ppm = guest_ppm, .output_ppm = output_ppm};
    w->guest_tick = w->next_fill = (double)NS_PER_S;
    w->zero = w->guest_tick;
    w->delay = 5 * NS_PER_MS;
    w->queue_end = queued ? w->next_fill + 10 * NS_PER_MS : 0;
    assert_int_equal(stream_init(&w->stream, 0), 0);
    stream_begin(&w->stream, &format, (struct source_id){0});
    stream_commit(&w->stream);
    assert_int_equal(stream_edge(&w->stream), STREAM_FORMAT);
    stream_pass(&w->stream);
    const struct player_config config = {
        .stream = &w->stream, .source = format, .bound = 200 * NS_PER_MS, .steer = true};
    assert_int_equal(player_open(&w->player, &config), 0);
    struct player_sink sink = {
        .type = SAMPLE_F32, .rate = RATE, .quantum = period, .queued = queued};
    chmap_from_mask(&sink.map, 3, 2);
    assert_int_equal(player_set_sink(w->player, &sink), 0);
    world_forget(w);
}

void world_close(struct world *w)
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

void world_fill(struct world *w)
{
    static float buf[2 * MOST_PERIOD];
    const double frame_ns = NS_PER_S / (RATE * (1 + w->output_ppm * 1e-6));
    player_fill(w->player, buf, w->period, (int64_t)w->next_fill, w->delay);
    for (uint32_t i = 0; i < w->period; i++)
        hear(w, buf[2 * i], buf[2 * i + 1], w->next_fill + (double)w->delay + i * frame_ns);
    w->next_fill += w->period * frame_ns;
}

/* A request: the queue is topped up with what there is, by half a period more than one at least. */
static void answer(struct world *w)
{
    static float buf[2 * MOST_QUEUE];
    const double now = w->next_fill, frame_ns = NS_PER_S / (RATE * (1 + w->output_ppm * 1e-6));
    w->next_fill += w->period * frame_ns;
    if (now < w->late_until)
        return;
    const double held = w->queue_end - now, lacks = 1.5 * w->period - held / frame_ns;
    const struct player_moment m = {
        .now = (int64_t)now, .delay = (int64_t)held + w->delay, .held = (int64_t)held};
    const uint32_t n =
        player_pour(w->player, buf, lacks > 0 ? (uint32_t)lacks + 1 : 0, MOST_QUEUE, &m);
    for (uint32_t i = 0; i < n; i++, w->queue_end += frame_ns)
        if (w->queue_end >= now)
            hear(w, buf[2 * i], buf[2 * i + 1], w->queue_end + (double)w->delay);
        else
            w->late++;
}

void world_run(struct world *w, double seconds)
{
    const double end = fmin(w->guest_tick, w->next_fill) + seconds * NS_PER_S;
    while (fmin(w->guest_tick, w->next_fill) < end) {
        if (w->guest_tick <= w->next_fill)
            guest_tick(w);
        else
            w->queue_end > 0 ? answer(w) : world_fill(w);
    }
}

uint64_t world_dropouts(const struct world *w)
{
    return count_read(&w->stream.counters.underruns) + count_read(&w->stream.counters.skips);
}
