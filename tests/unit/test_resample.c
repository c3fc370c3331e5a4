/*
 * The resampler against what it should give, which for a sine is known at any position, and against
 * libsamplerate's best converter, which is right by other means.
 */
#include "test.h"

#include "resample.h"
#include "rt.h"

#include <errno.h>
#include <math.h>
#include <samplerate.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 240

/* Frames [first, first + n) of sines, one octave fifth apart in each channel. */
static void sines(float *out, uint32_t channels, double cycles, uint64_t first, uint32_t n)
{
    for (uint32_t f = 0; f < n; f++)
        for (uint32_t c = 0; c < channels; c++)
            out[f * channels + c] =
                (float)(0.5 * sin(2 * M_PI * cycles / (1 + c) * (double)(first + f)));
}

struct error {
    double ideal, out, product; /* sums of squares, and of one times the other */
};

static double gain(const struct error *e)
{
    return e->product / e->ideal;
}

/* What is not the ideal signal, at whatever gain. */
static double snr(const struct error *e)
{
    const double signal = e->product * e->product / e->ideal;
    return 10 * log10(signal / (e->out - signal));
}

static void compare(struct error *e, double ideal, double out)
{
    e->ideal += ideal * ideal;
    e->out += out * out;
    e->product += ideal * out;
}

/*
 * Runs so many output frames with a ratio that wanders +-ppm around `nominal`, and compares each frame with
 * the sine at the position that the resampler says it has.
 */
static struct error run_sine(double nominal, double cycles, double ppm, uint32_t channels,
                             int blocks)
{
    struct resampler *r;
    struct error e = {0};
    float in[RESAMPLE_ROOM * 8], out[BLOCK * 8];
    uint64_t pushed = 0;
    assert_int_equal(resampler_open(&r, channels, nominal), 0);
    double step = nominal;
    for (int b = 0; b < blocks; b++) {
        const double from = resampler_position(r), before = step;
        step = nominal * (1 + ppm * 1e-6 * sin(b * 0.7));
        for (uint32_t n; (n = resampler_lacks(r, BLOCK, step)) > 0; pushed += n) {
            n = n < RESAMPLE_ROOM / 2 ? n : RESAMPLE_ROOM / 2;
            sines(in, channels, cycles, pushed, n);
            resampler_push(r, in, n);
        }
        rt_enter();
        resampler_pull(r, out, BLOCK, step);
        rt_leave();
        const double first = b == 0 ? step : before;
        double at = from, now = first;
        for (uint32_t f = 0; f < BLOCK; f++) {
            if (at > 2 * RESAMPLE_TAPS) /* past the beginning */
                for (uint32_t c = 0; c < channels; c++)
                    compare(&e, 0.5 * sin(2 * M_PI * cycles / (1 + c) * at), out[f * channels + c]);
            now += (step - first) / BLOCK;
            at += now;
        }
        assert_true(fabs(resampler_position(r) - at) < 1e-6);
    }
    resampler_close(r);
    return e;
}

static void assert_snr(double nominal, double hz, double rate, double ppm, double least)
{
    const struct error e = run_sine(nominal, hz / rate, ppm, 2, 200);
    if (snr(&e) < least)
        fail_msg("%.0f Hz at %.0f Hz, step %.4f, +-%.0f ppm: %.1f dB, not %.0f", hz, rate, nominal,
                 ppm, snr(&e), least);
    assert_true(fabs(20 * log10(gain(&e))) < 0.05);
}

static void a_wandering_ratio_stays_clean(void **state)
{
    (void)state;
    assert_snr(1, 1000, 48000, 50, 120);
    assert_snr(1, 15000, 48000, 50, 120);
    assert_snr(1, 1000, 48000, 1000, 120);
    assert_snr(1, 15000, 44100, 1000, 120);
}

static void any_ratio(void **state)
{
    (void)state;
    assert_snr(44100.0 / 48000, 1000, 44100, 50, 120);
    assert_snr(48000.0 / 44100, 1000, 48000, 50, 120);
    assert_snr(2, 1000, 96000, 50, 120);
    assert_snr(4, 1000, 192000, 50, 120);
    assert_snr(0.25, 1000, 48000, 50, 120);
}

static void every_channel_count(void **state)
{
    (void)state;
    for (uint32_t channels = 1; channels <= 8; channels++) {
        const struct error e = run_sine(1.0001, 997.0 / 48000, 100, channels, 40);
        assert_true(snr(&e) > 120);
    }
}

static void an_image_does_not_pass(void **state)
{
    (void)state;
    /* 40 kHz at 96 kHz has no place at 48 kHz */
    struct resampler *r;
    float in[RESAMPLE_ROOM], out[BLOCK];
    uint64_t pushed = 0;
    double power = 0;
    assert_int_equal(resampler_open(&r, 1, 2), 0);
    for (int b = 0; b < 50; b++) {
        for (uint32_t n; (n = resampler_lacks(r, BLOCK, 2)) > 0; pushed += n) {
            sines(in, 1, 40000.0 / 96000, pushed, n);
            resampler_push(r, in, n);
        }
        resampler_pull(r, out, BLOCK, 2);
        for (int i = 0; i < BLOCK && b > 0; i++)
            power += (double)out[i] * out[i] / (49 * BLOCK);
    }
    assert_true(10 * log10(power / 0.125) < -90);
    resampler_close(r);
}

/* At ratio 1 a whole position gives the input itself, as far as the filter is flat; the delay is exact. */
static void the_delay_is_exact(void **state)
{
    (void)state;
    struct resampler *r;
    float in[256] = {0}, out[128];
    in[100] = 1;
    assert_int_equal(resampler_open(&r, 1, 1), 0);
    resampler_push(r, in, 256);
    resampler_pull(r, out, 128, 1);
    for (int i = 0; i < 128; i++) /* symmetric about frame 100 */
        if (200 - i < 128 && 200 - i >= 0)
            assert_true(fabsf(out[i] - out[200 - i]) < 1e-6f);
    assert_true(out[100] > 0.9f && out[99] < 0.1f);
    assert_true(resampler_position(r) == 128);
    resampler_shift(r, -0.5);
    assert_true(resampler_position(r) == 127.5);
    resampler_reset(r);
    assert_true(resampler_position(r) == 0);
    resampler_close(r);
}

/* Noise below 18 kHz comes out as libsamplerate's best converter has it. */
static void agrees_with_the_oracle(void **state)
{
    (void)state;
    enum { IN = 48000, OUT = 44000 };
    const double step = 48000.0 / 44100;
    float *in = calloc(IN, sizeof *in), *out = calloc(OUT, sizeof *out);
    float *oracle = calloc(OUT, sizeof *oracle);
    for (int partial = 0; partial < 60; partial++) {
        const double hz = 100 + 300.0 * partial, phase = (double)random();
        for (int i = 0; i < IN; i++)
            in[i] += (float)(0.01 * sin(2 * M_PI * hz * i / 48000 + phase));
    }
    SRC_DATA data = {.data_in = in,
                     .data_out = oracle,
                     .input_frames = IN,
                     .output_frames = OUT,
                     .src_ratio = 1 / step};
    assert_int_equal(src_simple(&data, SRC_SINC_BEST_QUALITY, 1), 0);

    struct resampler *r;
    int pushed = 0, pulled = 0;
    assert_int_equal(resampler_open(&r, 1, step), 0);
    while (pulled + BLOCK < 43500) {
        const uint32_t n = resampler_lacks(r, BLOCK, step);
        resampler_push(r, in + pushed, n);
        pushed += (int)n;
        resampler_pull(r, out + pulled, BLOCK, step);
        pulled += BLOCK;
    }
    struct error e = {0};
    for (int i = 500; i < pulled - 500; i++)
        compare(&e, oracle[i], out[i]);
    if (snr(&e) < 90)
        fail_msg("%.1f dB between the two", snr(&e));
    resampler_close(r);
    free(in);
    free(out);
    free(oracle);
}

static void refuses_what_cannot_be(void **state)
{
    (void)state;
    struct resampler *r;
    assert_int_equal(resampler_open(&r, 0, 1), -EINVAL);
    assert_int_equal(resampler_open(&r, 9, 1), -EINVAL);
    assert_int_equal(resampler_open(&r, 2, 0), -EINVAL);
    assert_int_equal(resampler_open(&r, 2, (double)NAN), -EINVAL);
}

/* What it lacks and what it has agree, however near a position is to a whole frame. */
static void lacks_nothing_and_has_some(void **state)
{
    (void)state;
    const float in[RESAMPLE_ROOM] = {0};
    for (uint32_t whole = 1; whole < 900; whole++) {
        struct resampler *r;
        float out;
        assert_int_equal(resampler_open(&r, 1, 1), 0);
        resampler_push(r, in, whole + RESAMPLE_HALF + 1);
        resampler_shift(r, nextafter(whole, 1000));
        assert_true((resampler_lacks(r, 1, 1) == 0) == (resampler_has(r, 1) > 0));
        resampler_push(r, in, resampler_lacks(r, 1, 1));
        assert_true(resampler_has(r, 1) > 0);
        resampler_pull(r, &out, 1, 1);
        resampler_close(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wandering_ratio_stays_clean),
        cmocka_unit_test(any_ratio),
        cmocka_unit_test(every_channel_count),
        cmocka_unit_test(lacks_nothing_and_has_some),
        cmocka_unit_test(an_image_does_not_pass),
        cmocka_unit_test(the_delay_is_exact),
        cmocka_unit_test(agrees_with_the_oracle),
        cmocka_unit_test(refuses_what_cannot_be),
    };
    return cmocka_run_group_tests_name("resample", tests, NULL, NULL);
}
