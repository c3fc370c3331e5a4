/* scream-listen's judgement of resampled recordings: made by the receiver's own resampler, and made
 * wrong on purpose. */
#include "../../src/resample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "recorded.h"
#include "test.h"

#define RATE      48000
#define PERIOD    480
#define LEAD      256 /* frames before a position that are pushed, too: no edge is heard */
#define CHANNELS  2
#define EDGE_MOST 24 /* frames that a hole may be off: 0.5 ms */

/* within `by` */
#define NEAR(a, b, by)                                                                             \
    do {                                                                                           \
        double near_a = (double)(a), near_b = (double)(b);                                         \
        if (!(fabs(near_a - near_b) <= (by)))                                                      \
            print_message("%s = %.9g, not %.9g\n", #a, near_a, near_b);                            \
        assert_true(fabs(near_a - near_b) <= (by));                                                \
    } while (0)

/* Where each frame of the recording comes from, too. */
struct bench {
    struct recorded heard;
    double *truth;   /* the sent position of each recorded frame */
    double position; /* of the next one */
    double ppm;      /* of it */
};

static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    recorded_init(&b->heard);
    b->heard.request.mode = TRACK_RESAMPLED;
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    recorded_finish(&b->heard);
    free(b->truth);
    free(b);
    return 0;
}

/* ---- making ---- */

static int16_t *more(struct bench *b, uint32_t frames)
{
    int16_t *at = (int16_t *)(void *)recorded_more(&b->heard, frames);
    const uint64_t all = b->heard.recording.frames;
    b->truth = realloc(b->truth, all * sizeof *b->truth);
    for (uint64_t i = all - frames; i < all; i++)
        b->truth[i] = NAN;
    return at;
}

static void pause_for(struct bench *b, uint32_t frames)
{
    more(b, frames);
}

static void push_sent(const struct bench *b, struct resampler *r, int64_t *next, uint32_t frames)
{
    float in[RESAMPLE_ROOM * CHANNELS];

    while (frames) {
        uint32_t n = frames < RESAMPLE_ROOM ? frames : RESAMPLE_ROOM;
        for (uint32_t i = 0; i < n * CHANNELS; i++) {
            int64_t at = *next + i / CHANNELS;
            int32_t v = at < 0 ? 0
                               : signal_sample(b->heard.segment.signal, &b->heard.segment.format,
                                               (uint64_t)at, i % CHANNELS);
            in[i] = (float)(v >> 16) / 32768;
        }
        resampler_push(r, in, n);
        *next += n;
        frames -= n;
    }
}

/* `frames` from `from` on, whose pace goes evenly from one deviation to the other. */
static void render(const struct bench *b, double from, double *end, double ppm, double ppm_end,
                   uint32_t frames, float *out, double *truth)
{
    double nominal = (double)b->heard.segment.format.rate / RATE, step = nominal * (1 + ppm * 1e-6);
    int64_t first = (int64_t)floor(from) - LEAD, next = first;
    struct resampler *r;

    assert_int_equal(resampler_open(&r, CHANNELS, nominal), 0);
    push_sent(b, r, &next, LEAD + 1);
    resampler_pull(r, out, 1, step); /* the first pull sets the pace */
    resampler_shift(r, from - (double)first - resampler_position(r));
    for (uint32_t done = 0; done < frames;) {
        uint32_t n = frames - done < PERIOD ? frames - done : PERIOD;
        double aim = nominal * (1 + (ppm + (ppm_end - ppm) * (double)(done + n) / frames) * 1e-6);
        double x = resampler_position(r) + (double)first, slope = (aim - step) / n;
        push_sent(b, r, &next, resampler_lacks(r, n, aim));
        resampler_pull(r, out + (size_t)done * CHANNELS, n, aim);
        for (uint32_t i = 0; i < n; i++) {
            if (truth)
                truth[done + i] = x;
            step += slope;
            x += step;
        }
        step = aim;
        done += n;
    }
    *end = resampler_position(r) + (double)first;
    resampler_close(r);
}

static int16_t rounded(double x)
{
    return (int16_t)lrint(fmax(-32768, fmin(32767, x * 32768)));
}

/* Goes on from where it is, with the pace changing evenly to that. */
static void play(struct bench *b, uint32_t frames, double ppm)
{
    float *out = calloc((size_t)frames * CHANNELS, sizeof *out);
    int16_t *to = more(b, frames);
    double *truth = b->truth + b->heard.recording.frames - frames;

    render(b, b->position, &b->position, b->ppm, ppm, frames, out, truth);
    for (uint32_t i = 0; i < frames * CHANNELS; i++)
        to[i] = rounded(out[i]);
    b->ppm = ppm;
    free(out);
}

/* The same at one pace, and at once `by` frames ahead of it, crossfaded. */
static void step_by(struct bench *b, double by, uint32_t fade)
{
    float *a = calloc((size_t)fade * CHANNELS, sizeof *a), *c = calloc((size_t)fade * CHANNELS, 4);
    int16_t *to = more(b, fade);
    double end;

    render(b, b->position, &end, b->ppm, b->ppm, fade, a, NULL);
    render(b, b->position + by, &b->position, b->ppm, b->ppm, fade, c, NULL);
    for (uint32_t i = 0; i < fade * CHANNELS; i++) {
        double share = (i / CHANNELS + 0.5) / fade;
        to[i] = rounded(a[i] * (1 - share) + c[i] * share);
    }
    free(a);
    free(c);
}

static void scale(struct bench *b, uint64_t from, uint32_t frames, double by)
{
    int16_t *x = (int16_t *)(void *)b->heard.recording.data + from * CHANNELS;
    for (uint32_t i = 0; i < frames * CHANNELS; i++)
        x[i] = rounded(x[i] * by / 32768);
}

/* ---- judging ---- */

/* Every frame of every run comes from where it did come from. */
static void check_truth(const struct bench *b, double within)
{
    for (size_t i = 0; i < b->heard.runs.count; i++) {
        const struct run *run = &b->heard.runs.at[i];
        for (uint64_t k = 0; k < run->frames; k += 7) {
            double truth = b->truth[run->recorded + k];
            if (!isnan(truth))
                NEAR(run_sent_at(run, (double)k), truth, within);
        }
    }
}

struct expected {
    enum hole_kind kind;
    uint64_t recorded, frames;
    int64_t moved; /* sent frames more than its time */
};

static void check_holes(const struct verdict *v, const struct expected *want, size_t count)
{
    for (size_t i = 0; i < v->n_holes && v->n_holes != count; i++)
        print_message("%s at %llu, %llu frames, %lld sent\n", hole_name(v->holes[i].kind),
                      (unsigned long long)v->holes[i].recorded,
                      (unsigned long long)v->holes[i].frames, (long long)v->holes[i].sent);
    assert_int_equal(v->n_holes, count);
    for (size_t i = 0; i < count; i++) {
        const struct hole *h = &v->holes[i];
        assert_string_equal(hole_name(h->kind), hole_name(want[i].kind));
        NEAR(h->recorded, want[i].recorded, EDGE_MOST);
        NEAR(h->recorded + h->frames, want[i].recorded + want[i].frames, EDGE_MOST);
        NEAR(h->sent - (int64_t)h->frames, want[i].moved, 1.5);
    }
}

static void whole(struct bench *b, double mean, double sd)
{
    const struct verdict *v = recorded_judged(&b->heard);
    check_holes(v, NULL, 0);
    assert_int_equal(b->heard.runs.count, 1);
    assert_true(v->resampled && v->pacing.known);
    check_truth(b, 0.005);
    NEAR(v->matched, b->heard.recording.frames, 200);
    NEAR(v->pacing.mean, mean, 0.1);
    NEAR(v->pacing.sd, sd, 0.1);
    assert_true(v->pacing.fidelity < -75);
}

static void ratios_are_told(void **state)
{
    static const double ppms[] = {0, 50, 1000, -1500};
    for (size_t i = 0; i < sizeof ppms / sizeof *ppms; i++) {
        struct bench *b = *state;
        if (i) {
            tear_down(state);
            set_up(state);
            b = *state;
        }
        b->position = 700.37;
        b->ppm = ppms[i];
        play(b, 5 * RATE, ppms[i]);
        whole(b, ppms[i], 0);
    }
}

static void a_servo_is_no_hole(void **state)
{
    struct bench *b = *state;
    b->position = 123456.5;
    play(b, RATE, 0);
    play(b, 5 * RATE, 1500); /* as fast as it may: 300 ppm/s */
    play(b, 10 * RATE, -1500);
    play(b, 5 * RATE, 0);
    play(b, RATE, 0);
    whole(b, 0, 840.9);
    NEAR(b->heard.verdict.pacing.least, -1350, 1);
    NEAR(b->heard.verdict.pacing.most, 1350, 1);
}

static void silence_around_is_no_sound(void **state)
{
    struct bench *b = *state;
    b->heard.segment.frames = 100000;
    b->ppm = 200;
    pause_for(b, 1234);
    play(b, 100100, 200); /* beyond its end */
    memset(b->heard.recording.data + (1234 + 100050) * 4, 0, 50 * 4);
    pause_for(b, 5000);
    const struct verdict *v = recorded_judged(&b->heard);
    check_holes(v, NULL, 0);
    assert_int_equal(b->heard.runs.count, 1);
    NEAR(b->heard.runs.at[0].recorded, 1234, 30);
    NEAR(b->heard.runs.at[0].sent, 0, 30);
    NEAR(v->matched, 100000, 100);
    check_truth(b, 0.01);
}

static void gaps_are_found(void **state)
{
    struct bench *b = *state;
    b->ppm = 80;
    play(b, 20000, 80);
    pause_for(b, 480); /* nothing lost */
    play(b, 20000, 80);
    pause_for(b, 960); /* lost */
    b->position += 960;
    play(b, 20000, 80);
    pause_for(b, 60); /* more than 1 ms in place */
    b->position += 60;
    play(b, 20000, 80);
    static const struct expected want[] = {
        {HOLE_GAP, 20000, 480, -480}, {HOLE_GAP, 40480, 960, 0}, {HOLE_GAP, 61440, 60, 0}};
    check_holes(recorded_judged(&b->heard), want, 3);
    check_truth(b, 0.05);
    assert_int_equal(b->heard.verdict.silences, 3);
}

static void a_millisecond_is_found(void **state)
{
    struct bench *b = *state;
    play(b, 50000, 300);
    scale(b, 30000, 48, 0);
    static const struct expected want[] = {{HOLE_FADE, 30000, 48, 0}};
    check_holes(recorded_judged(&b->heard), want, 1);
    check_truth(b, 0.05);
}

static void a_click_is_found(void **state)
{
    struct bench *b = *state;
    play(b, 50000, 300);
    b->heard.recording.data[30001 * 4 + 1] ^= 0x20;
    static const struct expected want[] = {{HOLE_FADE, 30000, 1, 0}};
    check_holes(recorded_judged(&b->heard), want, 1);
}

static void fades_are_found(void **state)
{
    struct bench *b = *state;
    play(b, 90000, -100);
    scale(b, 30000, 240, 0.5);
    scale(b, 50000, 4800, 0.9);
    scale(b, 70000, 4800, 0.97); /* slight */
    static const struct expected want[] = {
        {HOLE_FADE, 30000, 240, 0}, {HOLE_FADE, 50000, 4800, 0}, {HOLE_FADE, 70000, 4800, 0}};
    check_holes(recorded_judged(&b->heard), want, 3);
    check_truth(b, 0.05);
}

static void crossfades_are_found(void **state)
{
    struct bench *b = *state;
    b->ppm = -30;
    play(b, 30000, -30);
    step_by(b, 720, 240); /* 15 ms dropped */
    play(b, 30000, -30);
    step_by(b, -480, 240); /* 10 ms again */
    play(b, 30000, -30);
    step_by(b, 5.5, 240);
    play(b, 30000, -30);
    static const struct expected want[] = {
        {HOLE_SKIP, 30000, 240, 720}, {HOLE_REPEAT, 60240, 240, -480}, {HOLE_SKIP, 90480, 240, 5}};
    const struct verdict *v = recorded_judged(&b->heard);
    check_holes(v, want, 3);
    check_truth(b, 0.05);
    NEAR(v->lost, 720 + 5, 2);
    NEAR(v->repeated, 480, 2);
}

static void one_frame_left_out_is_found(void **state)
{
    struct bench *b = *state;
    play(b, 30000, 0);
    b->position += 1;
    play(b, 30000, 0);
    b->position -= 3;
    play(b, 30000, 0);
    static const struct expected want[] = {{HOLE_SKIP, 30000, 0, 1}, {HOLE_REPEAT, 60000, 0, -3}};
    check_holes(recorded_judged(&b->heard), want, 2);
    check_truth(b, 0.05);
}

static void foreign_sound_does_not_match(void **state)
{
    struct bench *b = *state;
    uint32_t seed = 1;
    int16_t *p = more(b, RATE);
    for (int i = 0; i < RATE * CHANNELS; i++) {
        seed = seed * 1664525 + 1013904223;
        p[i] = (int16_t)(seed >> 17);
    }
    assert_int_equal(recorded_judged(&b->heard)->matched, 0);
}

static void swap_channels(struct bench *b, uint64_t from)
{
    int16_t *x = (int16_t *)(void *)b->heard.recording.data;
    for (uint64_t i = from; i < b->heard.recording.frames; i++) {
        int16_t left = x[2 * i];
        x[2 * i] = x[2 * i + 1];
        x[2 * i + 1] = left;
    }
}

static void swapped_channels_are_named(void **state)
{
    struct bench *b = *state;
    play(b, 50000, 70);
    swap_channels(b, 0);
    const struct verdict *v = recorded_judged(&b->heard);
    NEAR(v->matched, 50000, 200);
    assert_true(v->misplaced[0] && v->misplaced[1]);
    assert_int_equal(v->held[0], 1);
    assert_int_equal(v->held[1], 0);
}

static void a_silent_channel_is_named(void **state)
{
    struct bench *b = *state;
    play(b, 50000, 70);
    int16_t *x = (int16_t *)(void *)b->heard.recording.data;
    for (uint64_t i = 0; i < b->heard.recording.frames; i++)
        x[2 * i + 1] = 0;
    const struct verdict *v = recorded_judged(&b->heard);
    NEAR(v->matched, 50000, 200);
    assert_true(!v->misplaced[0] && v->misplaced[1]);
    assert_int_equal(v->held[1], HOLDS_SILENCE);
}

static void another_rate_is_followed(void **state)
{
    struct bench *b = *state;
    b->heard.segment.format.rate = 44100;
    b->position = 1000.25;
    b->ppm = 150;
    play(b, 5 * RATE, 150);
    whole(b, 150, 0);
    assert_true(b->heard.verdict.segments[0].matchable);
}

static void a_halved_rate_is_followed(void **state)
{
    struct bench *b = *state;
    b->heard.segment.format.rate = 96000;
    b->position = 1000.25;
    b->ppm = -150;
    play(b, 5 * RATE, -150);
    whole(b, -150, 0);
}

static void latency_is_what_the_clocks_say(void **state)
{
    struct bench *b = *state;
    recorded_timed(&b->heard, 5000000000 + 60000000);
    b->heard.segment.ppm = 100;
    pause_for(b, 4800); /* frame 0 is heard 100 ms after the recording's start: 40 ms late */
    b->ppm = 100;
    play(b, 10 * RATE, 100);
    const struct verdict *v = recorded_judged(&b->heard);
    assert_true(v->latency.known);
    NEAR(v->latency.median, 40, 0.001);
    NEAR(v->latency.slope, 0, 0.01);
    NEAR(v->latency.p95 - v->latency.p5, 0, 0.001);
}

static void a_wrong_pace_is_a_slope(void **state)
{
    struct bench *b = *state;
    recorded_timed(&b->heard, 5000000000);
    b->ppm = 500;
    play(b, 10 * RATE, 500);
    NEAR(recorded_judged(&b->heard)->latency.slope, -30, 0.1);
    NEAR(b->heard.verdict.latency.median, -2.5, 0.01);
}

static void the_way_is_chosen_by_what_fits(void **state)
{
    struct bench *b = *state;
    b->heard.request.mode = TRACK_AUTO;
    b->position = 0.4;
    play(b, 20000, 50);
    assert_true(recorded_judged(&b->heard)->resampled);
    NEAR(b->heard.verdict.matched, 20000, 100);
    runs_finish(&b->heard.runs);
    judge_finish(&b->heard.verdict);
    signal_render(SIGNAL_NOISE, &b->heard.segment.format, 0, 20000, b->heard.recording.data);
    assert_false(recorded_judged(&b->heard)->resampled);
    assert_int_equal(b->heard.verdict.matched, 20000);
}

static void begun_exactly_it_may_go_on_resampled(void **state)
{
    struct bench *b = *state;
    b->heard.request.mode = TRACK_AUTO;
    play(b, RATE, 0);
    play(b, RATE, 200);
    play(b, RATE, 200);
    const struct verdict *v = recorded_judged(&b->heard);
    assert_true(v->resampled);
    check_holes(v, NULL, 0);
    NEAR(v->matched, 3 * RATE, 100);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ratios_are_told),
        TEST(a_servo_is_no_hole),
        TEST(silence_around_is_no_sound),
        TEST(gaps_are_found),
        TEST(a_millisecond_is_found),
        TEST(a_click_is_found),
        TEST(fades_are_found),
        TEST(crossfades_are_found),
        TEST(one_frame_left_out_is_found),
        TEST(foreign_sound_does_not_match),
        TEST(swapped_channels_are_named),
        TEST(a_silent_channel_is_named),
        TEST(another_rate_is_followed),
        TEST(a_halved_rate_is_followed),
        TEST(latency_is_what_the_clocks_say),
        TEST(a_wrong_pace_is_a_slope),
        TEST(the_way_is_chosen_by_what_fits),
        TEST(begun_exactly_it_may_go_on_resampled),
    };
    return cmocka_run_group_tests_name("listen_resampled", tests, NULL, NULL);
}
