/*
 * The player against a guest and an output whose clocks are simulated: no thread, no waiting, the same
 * every time.
 */
#include "test.h"

#include "clock.h"
#include "player.h"
#include "stream.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct pcm_format stereo = {.rate = 48000, .width = 16, .channels = 2, .mask = 3};
static const struct source_id nobody;

#define TICK_NS     (10 * NS_PER_MS)
#define MOST_FRAMES (48000 * 20)

struct world {
    struct stream stream;
    struct player *player;
    struct pcm_format format;
    int64_t now;
    /* guest */
    int64_t guest_zero; /* when its frame 0 came to be */
    int64_t next_tick;
    uint64_t sent; /* bytes */
    bool mute;     /* it sends nothing, and its clock of frames stands still */
    int64_t stalled_until;
    /* output */
    uint32_t period;
    int64_t next_fill;
    int64_t delay;
    int16_t *heard; /* interleaved, as filled since the start */
    uint64_t heard_frames;
};

/* Never 0, so that silence is told from sound; 16 bit, another one in each channel. */
static int16_t sample_at(uint64_t frame, unsigned channel)
{
    uint64_t x = frame * 8 + channel + 1;
    x = (x ^ x >> 31) * 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 29) * 0xbf58476d1ce4e5b9u;
    return (int16_t)((int16_t)(x >> 48) | 1);
}

static void world_open(struct world *w, const struct pcm_format *f, uint32_t period, int64_t target)
{
    *w = (struct world){.format = *f, .period = period, .now = NS_PER_S};
    w->guest_zero = w->now + 1234567;
    w->next_tick = w->now;
    w->next_fill = w->now;
    w->delay = 7 * NS_PER_MS;
    w->heard = calloc((size_t)MOST_FRAMES * f->channels, sizeof *w->heard);
    assert_int_equal(stream_init(&w->stream, 0), 0);
    stream_begin(&w->stream, f, nobody);
    stream_commit(&w->stream);
    assert_int_equal(stream_edge(&w->stream), STREAM_FORMAT);
    stream_pass(&w->stream);
    const struct player_config config = {
        .stream = &w->stream, .source = *f, .target = target, .bound = 200 * NS_PER_MS};
    assert_int_equal(player_open(&w->player, &config), 0);
    struct player_sink sink = {.type = SAMPLE_S16, .rate = f->rate, .quantum = period};
    chmap_from_mask(&sink.map, f->mask, f->channels);
    assert_int_equal(player_set_sink(w->player, &sink), 0);
}

static void world_close(struct world *w)
{
    player_close(w->player);
    stream_finish(&w->stream);
    free(w->heard);
}

static void guest_tick(struct world *w)
{
    w->next_tick += TICK_NS;
    if (w->mute) {
        w->guest_zero += TICK_NS;
        return;
    }
    if (w->now < w->stalled_until)
        return;
    const int64_t frames = (w->now - w->guest_zero) / 1000 * w->format.rate / 1000000;
    const uint32_t frame_bytes = pcm_frame_bytes(&w->format);
    bool any = false;
    for (; (int64_t)(w->sent + SCREAM_PAYLOAD) <= frames * frame_bytes; w->sent += SCREAM_PAYLOAD) {
        int16_t packet[SCREAM_PAYLOAD / 2];
        for (uint32_t i = 0; i < SCREAM_PAYLOAD / 2; i++) {
            const uint64_t n = w->sent / 2 + i;
            packet[i] = sample_at(n / w->format.channels, (unsigned)(n % w->format.channels));
        }
        stream_write(&w->stream, (uint8_t *)packet, SCREAM_PAYLOAD, w->now);
        any = true;
    }
    if (any)
        stream_commit(&w->stream);
}

static void output_fill(struct world *w)
{
    int16_t *dst = w->heard + w->heard_frames * w->format.channels;
    assert_true(w->heard_frames + w->period <= MOST_FRAMES);
    player_fill(w->player, dst, w->period, w->now, w->delay);
    w->heard_frames += w->period;
    w->next_fill += pcm_frames_ns(w->period, w->format.rate);
}

static void world_run(struct world *w, int64_t duration)
{
    for (const int64_t end = w->now + duration;;) {
        const int64_t next = w->next_tick < w->next_fill ? w->next_tick : w->next_fill;
        if (next >= end)
            break;
        w->now = next;
        if (next == w->next_tick)
            guest_tick(w);
        else
            output_fill(w);
    }
}

static uint64_t first_sound(const struct world *w, uint64_t from)
{
    while (from < w->heard_frames && w->heard[from * w->format.channels] == 0)
        from++;
    return from;
}

/* The guest's frame heard at output frame `at`, looked for among the latest ones; or -1. */
static int64_t frame_heard(const struct world *w, uint64_t at)
{
    const uint8_t n = w->format.channels;
    for (int64_t f = 0; f < MOST_FRAMES; f++)
        if (sample_at((uint64_t)f, 0) == w->heard[at * n] &&
            sample_at((uint64_t)f + 1, n - 1u) == w->heard[(at + 1) * n + n - 1])
            return f;
    return -1;
}

/* How many frames from `at` on are the guest's from `frame` on, in every channel. */
static uint64_t matching(const struct world *w, uint64_t at, uint64_t frame)
{
    uint64_t n = 0;
    for (; at + n < w->heard_frames; n++)
        for (unsigned c = 0; c < w->format.channels; c++)
            if (w->heard[(at + n) * w->format.channels + c] != sample_at(frame + n, c))
                return n;
    return n;
}

/* ns from the moment the guest's frame came to be to the moment it is heard. */
static int64_t latency_of(const struct world *w, uint64_t at, int64_t frame)
{
    const int64_t heard = NS_PER_S + pcm_frames_ns(at, w->format.rate) + w->delay;
    return heard - (w->guest_zero + pcm_frames_ns((uint64_t)frame, w->format.rate));
}

static void plays_what_was_sent(void **state)
{
    (void)state;
    static const uint32_t periods[] = {64, 240, 480, 1024, 2048};
    for (size_t i = 0; i < sizeof periods / sizeof periods[0]; i++) {
        struct world w;
        world_open(&w, &stereo, periods[i], 0);
        world_run(&w, 5 * NS_PER_S);
        const uint64_t start = first_sound(&w, 0);
        assert_true(start < w.heard_frames);
        assert_int_equal(matching(&w, start, 0),
                         w.heard_frames - start); /* from the first frame on */
        assert_int_equal(count_read(&w.stream.counters.underruns), 0);
        assert_int_equal(count_read(&w.stream.counters.skips), 0);
        assert_int_equal(count_read(&w.stream.counters.overrun_bytes), 0);
        world_close(&w);
    }
}

/* Whatever the phase between the guest's ticks and the output's periods. */
static void every_start_has_the_same_latency(void **state)
{
    (void)state;
    int64_t least = INT64_MAX, most = 0;
    for (int phase = 0; phase < 60; phase++) {
        struct world w;
        world_open(&w, &stereo, 1024, 0);
        w.next_fill += phase * 360 * NS_PER_US; /* over one period */
        w.guest_zero += phase * 170 * NS_PER_US;
        const int64_t shift = w.next_fill - w.now;
        world_run(&w, NS_PER_S);
        const int64_t latency = latency_of(&w, first_sound(&w, 0), 0) + shift;
        least = latency < least ? latency : least;
        most = latency > most ? latency : most;
        world_close(&w);
    }
    assert_true(most - least < 2500 * NS_PER_US); /* the guest's own grain is 2 ms */
}

static void the_target_asked_for_is_held(void **state)
{
    (void)state;
    for (int64_t ms = 40; ms <= 160; ms += 40) {
        struct world w;
        world_open(&w, &stereo, 480, ms * NS_PER_MS);
        world_run(&w, 2 * NS_PER_S);
        const int64_t latency = latency_of(&w, first_sound(&w, 0), 0);
        assert_in_range(latency, ms * NS_PER_MS, (ms + 3) * NS_PER_MS);
        /* and the gauge says so too */
        assert_true(llabs((int64_t)count_read(&w.stream.counters.latency_us) - ms * 1000) < 3000);
        world_close(&w);
    }
}

/* A guest that begins anew while what it has sent before still plays: each beginning has its own time. */
static void a_beginning_behind_another_has_its_latency(void **state)
{
    (void)state;
    for (int gap = 20; gap <= 90; gap += 10) { /* longer than a tail */
        struct world w;
        world_open(&w, &stereo, 480, 100 * NS_PER_MS);
        world_run(&w, NS_PER_S);
        w.mute = true;
        world_run(&w, gap * NS_PER_MS);
        const uint64_t start = first_sound(&w, 0), frames = w.sent / 4;
        stream_begin(&w.stream, &stereo, nobody);
        w.mute = false;
        world_run(&w, NS_PER_S);
        assert_int_equal(matching(&w, start, 0), frames);
        uint64_t again = start + frames;
        while (w.heard[again * 2] != sample_at(frames, 0) && again < w.heard_frames)
            again++;
        assert_true(matching(&w, again, frames) == w.heard_frames - again);
        assert_in_range(latency_of(&w, again, (int64_t)frames), 100 * NS_PER_MS, 103 * NS_PER_MS);
        assert_int_equal(count_read(&w.stream.counters.underruns), 0);
        world_close(&w);
    }
}

static double step_at(const struct world *w, uint64_t at)
{
    return fabs((double)w->heard[at * 2] - w->heard[at * 2 - 2]);
}

/* A sound ends: all of it is heard, then it fades, and the next one begins whole at the same latency. */
static void a_pause_loses_nothing(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, &stereo, 480, 0);
    world_run(&w, NS_PER_S);
    const int64_t latency = latency_of(&w, first_sound(&w, 0), 0);
    w.mute = true;
    world_run(&w, NS_PER_S);
    const uint64_t frames = w.sent / 4, start = first_sound(&w, 0);
    assert_int_equal(matching(&w, start, 0), frames);
    uint64_t quiet = start + frames;
    while (w.heard[quiet * 2] != 0 && quiet < w.heard_frames)
        quiet++;
    assert_in_range(quiet - start - frames, 200, 240); /* the tail, 5 ms */

    w.mute = false;
    world_run(&w, NS_PER_S);
    const uint64_t again = first_sound(&w, quiet);
    assert_true(matching(&w, again, frames) == w.heard_frames - again); /* no fade into it */
    assert_true(llabs(latency_of(&w, again, (int64_t)frames) - latency) < 3 * NS_PER_MS);
    assert_int_equal(count_read(&w.stream.counters.pauses), 1);
    assert_int_equal(count_read(&w.stream.counters.underruns), 0);
    world_close(&w);
}

static void the_tail_has_no_step(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, &stereo, 480, 0);
    world_run(&w, NS_PER_S);
    w.mute = true;
    world_run(&w, NS_PER_S);
    const uint64_t end = first_sound(&w, 0) + w.sent / 4;
    for (uint64_t at = end; at < end + 260; at++)
        assert_true(step_at(&w, at) <= 32768.0 / 240 + 2);
    world_close(&w);
}

/* Stalls longer than the ring is deep: underruns, then back to the latency, the stalled sound dropped. */
static void a_stall_is_left_behind(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, &stereo, 480, 0);
    world_run(&w, 2 * NS_PER_S);
    const int64_t before = latency_of(&w, first_sound(&w, 0), 0);
    for (int stall = 1; stall <= 12; stall++) {
        w.stalled_until = w.now + 250 * NS_PER_MS;
        world_run(&w, 1250 * NS_PER_MS);
        assert_int_equal(count_read(&w.stream.counters.underruns), stall);
    }
    const uint64_t at = w.heard_frames - 24000;
    const int64_t frame = frame_heard(&w, at);
    assert_true(frame > 0);
    const int64_t after = latency_of(&w, at, frame);
    assert_true(llabs(after - before) < 3 * NS_PER_MS);
    assert_true(matching(&w, at, (uint64_t)frame) == w.heard_frames - at);
    world_close(&w);
}

/* The output stood still for 100 ms while the guest went on: the excess goes, by a crossfade. */
static void an_output_that_stood_still_catches_up(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, &stereo, 480, 0);
    world_run(&w, 2 * NS_PER_S);
    const uint64_t start = first_sound(&w, 0);
    const uint64_t stopped = w.heard_frames;
    w.next_fill += 100 * NS_PER_MS;
    world_run(&w, NS_PER_S);
    assert_int_equal(count_read(&w.stream.counters.skips), 1);
    assert_int_equal(count_read(&w.stream.counters.underruns), 0);
    const uint64_t skipped = count_read(&w.stream.counters.skipped_frames);
    assert_in_range(skipped, 4700, 4900);
    const uint64_t frame = stopped - start, sure = 2880;      /* it may be but one late request */
    assert_int_equal(matching(&w, stopped, frame), sure + 1); /* then the crossfade begins, */
    assert_int_equal(matching(&w, stopped + sure + 240, frame + sure + skipped + 240),
                     w.heard_frames - stopped - sure - 240); /* and ends after 5 ms */
    world_close(&w);
}

/* A queue that holds more than the whole way may: what waits is dropped, and not a frame more. */
/* The largest of formats, unaltered: a crossfade has more frames than are taken at a time. */
static void the_longest_crossfade(void **state)
{
    (void)state;
    static const struct pcm_format largest = {
        .rate = 192000, .width = 32, .channels = 8, .mask = 0x63f};
    struct world w;
    world_open(&w, &largest, 1920, 0);
    world_run(&w, NS_PER_S);
    w.next_fill += 100 * NS_PER_MS;
    world_run(&w, NS_PER_S);
    assert_int_equal(count_read(&w.stream.counters.skips), 1);
    assert_true(count_read(&w.stream.counters.skipped_frames) > 192 * 90);
    world_close(&w);
}

static void a_queue_too_full_is_waited_for(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, &stereo, 480, 0);
    struct player_sink sink = {.type = SAMPLE_S16, .rate = 48000, .quantum = 240, .queued = true};
    chmap_from_mask(&sink.map, stereo.mask, stereo.channels);
    assert_int_equal(player_set_sink(w.player, &sink), 0);
    w.next_fill += 3600 * NS_PER_S;
    int64_t held = NS_PER_S;
    for (int turn = 0; turn < 300; turn++, held -= 5 * NS_PER_MS) {
        int16_t out[480 * 2];
        const int64_t end = w.now + 5 * NS_PER_MS;
        world_run(&w, 5 * NS_PER_MS);
        w.now = end;
        const struct player_moment m = {.now = w.now, .delay = held, .held = held};
        const uint32_t least = held < 10 * NS_PER_MS ? 240 : 0;
        const uint32_t done = player_pour(w.player, out, least, 480, &m);
        assert_true(done == 0 || held < 50 * NS_PER_MS);
        assert_in_range(ring_filled(&w.stream.ring), 0, 100);
        held += pcm_frames_ns(done, 48000);
    }
    assert_true(count_read(&w.stream.counters.frames) > 0);
    world_close(&w);
}

static void an_output_that_opens_late_begins_at_the_target(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, &stereo, 480, 0);
    w.next_fill += 3 * NS_PER_S / 10;
    const int64_t shift = 3 * NS_PER_S / 10;
    world_run(&w, 2 * NS_PER_S);
    assert_in_range(first_sound(&w, 0), 1, 8); /* faded in, for it begins amid the sound */
    assert_true(abs(w.heard[2 * 8]) < 32768 * 8 / 240);
    const int64_t frame = frame_heard(&w, 240);
    assert_in_range(latency_of(&w, 240, frame) + shift, 40 * NS_PER_MS, 60 * NS_PER_MS);
    assert_int_equal(matching(&w, 240, (uint64_t)frame), w.heard_frames - 240);
    world_close(&w);
}

/* A tail begins at the level that a fade-in has reached. */
static void what_ends_amid_its_fade_in_makes_no_step(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, &stereo, 64, 0);
    w.next_fill += 3 * NS_PER_S / 10;
    world_run(&w, 302 * NS_PER_MS);
    assert_in_range(w.heard_frames, 64, 240);
    const uint64_t end = w.heard_frames;
    player_end(w.player);
    world_run(&w, 20 * NS_PER_MS);
    for (uint64_t at = end; at < w.heard_frames; at++)
        assert_true(step_at(&w, at) <= 32768.0 / 240 + 2);
    assert_int_equal(w.heard[2 * w.heard_frames - 1], 0);
    world_close(&w);
}

/* A sound that was over before the output opened is heard all the same, unless it is old. */
static void a_short_sound_is_heard_whole(void **state)
{
    (void)state;
    for (int late = 0; late < 2; late++) {
        struct world w;
        world_open(&w, &stereo, 480, 0);
        const int64_t shift = late ? NS_PER_S : 150 * NS_PER_MS;
        w.next_fill += shift;
        world_run(&w, 60 * NS_PER_MS);
        w.mute = true;
        world_run(&w, 2 * NS_PER_S);
        const uint64_t frames = w.sent / 4;
        assert_true(frames > 2000);
        if (late)
            assert_int_equal(first_sound(&w, 0), w.heard_frames);
        else
            assert_int_equal(matching(&w, first_sound(&w, 0), 0), frames);
        world_close(&w);
    }
}

/* An output that was paused takes its time: the sound that ends the pause waits, then catches up. */
static void a_late_resumption_loses_no_beginning(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, &stereo, 480, 0);
    assert_int_equal(player_resting(w.player), PLAYER_BUSY);
    world_run(&w, NS_PER_S);
    assert_int_equal(player_resting(w.player), PLAYER_BUSY);
    const uint64_t usual = count_read(&w.stream.counters.latency_us);
    w.mute = true;
    world_run(&w, NS_PER_S);
    const int64_t rests = player_resting(w.player);
    assert_in_range(w.now - rests, 900 * NS_PER_MS, NS_PER_S);
    const uint64_t frames = w.sent / 4, end = w.heard_frames;
    player_resume(w.player);
    assert_int_equal(player_resting(w.player), PLAYER_BUSY);
    w.mute = false;
    w.next_fill += 110 * NS_PER_MS;
    world_run(&w, 2 * NS_PER_S);
    const uint64_t again = first_sound(&w, end);
    assert_true(again - end < 480);
    assert_in_range(matching(&w, again, frames), 30000, 48000); /* no skip in a short sound */
    assert_int_equal(count_read(&w.stream.counters.skips), 1);
    assert_true(count_read(&w.stream.counters.latency_us) < usual + 15000);
    assert_int_equal(count_read(&w.stream.counters.underruns), 0);
    world_close(&w);
}

/*
 * At the lowest of targets: what is too late is dropped before a sound, and again while the one before dies
 * away, no more than there is.
 */
static void no_more_is_dropped_than_there_is(void **state)
{
    (void)state;
    struct world w;
    const uint32_t frames = 116;
    const int16_t some[2 * 288] = {1};
    world_open(&w, &stereo, 1, NS_PER_MS);
    for (int i = 0; i < 8; i++, w.sent += sizeof some)
        stream_write(&w.stream, (const uint8_t *)some, sizeof some, w.now);
    for (int i = 0; i < 8; i++) {
        w.now += pcm_frames_ns(frames, stereo.rate) + (i == 0 ? 256496 : 0);
        stream_write(&w.stream, (const uint8_t *)some, frames * 4, w.now);
        stream_commit(&w.stream);
        w.sent += frames * 4;
        player_fill(w.player, w.heard, frames, w.now, NS_PER_MS);
        assert_true(w.stream.position <= w.sent && w.stream.ready <= w.sent);
    }
    assert_true(count_read(&w.stream.counters.underruns) > 0);
    assert_true(count_read(&w.stream.counters.skipped_frames) > 0);
    world_close(&w);
}

static void a_format_change_ends_it(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, &stereo, 480, 0);
    world_run(&w, NS_PER_S);
    assert_false(player_finished(w.player));
    struct pcm_format other = stereo;
    other.rate = 44100;
    stream_begin(&w.stream, &other, nobody);
    stream_commit(&w.stream);
    w.mute = true;
    world_run(&w, NS_PER_S / 2);
    assert_true(player_finished(w.player));
    const uint64_t start = first_sound(&w, 0);
    assert_int_equal(matching(&w, start, 0), w.sent / 4); /* all before it is heard */
    world_close(&w);
}

static void five_channels_straddle_packets(void **state)
{
    (void)state;
    const struct pcm_format five = {.rate = 48000, .width = 16, .channels = 5, .mask = 0x37};
    struct world w;
    world_open(&w, &five, 480, 0);
    world_run(&w, 2 * NS_PER_S);
    const uint64_t start = first_sound(&w, 0);
    assert_int_equal(matching(&w, start, 0), w.heard_frames - start);
    assert_int_equal(count_read(&w.stream.counters.underruns), 0);
    world_close(&w);
}

static void speakers_are_remapped(void **state)
{
    (void)state;
    const struct pcm_format wire = {.rate = 48000, .width = 16, .channels = 6, .mask = 0x3f};
    struct world w;
    world_open(&w, &wire, 480, 0);
    const struct player_sink alsa = {
        .type = SAMPLE_S16,
        .rate = 48000,
        .quantum = 480,
        .map = {6, {CHPOS_FL, CHPOS_FR, CHPOS_BL, CHPOS_BR, CHPOS_FC, CHPOS_LFE}}};
    assert_int_equal(player_set_sink(w.player, &alsa), 0);
    world_run(&w, NS_PER_S);
    static const unsigned comes_from[] = {0, 1, 4, 5, 2, 3};
    const uint64_t start = first_sound(&w, 0);
    for (uint64_t at = start; at < w.heard_frames; at++)
        for (unsigned c = 0; c < 6; c++)
            assert_int_equal(w.heard[at * 6 + c], sample_at(at - start, comes_from[c]));
    world_close(&w);
}

static void taking_gives_every_byte(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, &stereo, 480, 0);
    w.next_fill = INT64_MAX;
    world_run(&w, NS_PER_S);
    uint64_t got = 0;
    int16_t buf[1000];
    for (uint32_t n; (n = player_take(w.player, buf, 1999)) > 0; got += n) {
        assert_int_equal(n % 4, 0);
        for (uint32_t i = 0; i < n / 2; i++)
            assert_int_equal(buf[i], sample_at((got / 2 + i) / 2, (unsigned)(i % 2)));
    }
    assert_int_equal(got, w.sent);
    assert_true(player_sleep(w.player));
    world_close(&w);
}

static void a_sink_it_cannot_serve_is_refused(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, &stereo, 480, 0);
    struct player_sink sink = {
        .type = SAMPLE_S16, .rate = 44100, .quantum = 480, .map = {2, {0, 1}}};
    assert_true(player_set_sink(w.player, &sink) < 0);
    sink.rate = 48000;
    sink.map.channels = 9;
    assert_true(player_set_sink(w.player, &sink) < 0);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plays_what_was_sent),
        cmocka_unit_test(every_start_has_the_same_latency),
        cmocka_unit_test(the_target_asked_for_is_held),
        cmocka_unit_test(a_beginning_behind_another_has_its_latency),
        cmocka_unit_test(a_pause_loses_nothing),
        cmocka_unit_test(the_tail_has_no_step),
        cmocka_unit_test(a_stall_is_left_behind),
        cmocka_unit_test(an_output_that_stood_still_catches_up),
        cmocka_unit_test(the_longest_crossfade),
        cmocka_unit_test(a_queue_too_full_is_waited_for),
        cmocka_unit_test(an_output_that_opens_late_begins_at_the_target),
        cmocka_unit_test(what_ends_amid_its_fade_in_makes_no_step),
        cmocka_unit_test(a_short_sound_is_heard_whole),
        cmocka_unit_test(a_late_resumption_loses_no_beginning),
        cmocka_unit_test(no_more_is_dropped_than_there_is),
        cmocka_unit_test(a_format_change_ends_it),
        cmocka_unit_test(five_channels_straddle_packets),
        cmocka_unit_test(speakers_are_remapped),
        cmocka_unit_test(taking_gives_every_byte),
        cmocka_unit_test(a_sink_it_cannot_serve_is_refused),
    };
    return cmocka_run_group_tests_name("player", tests, NULL, NULL);
}
