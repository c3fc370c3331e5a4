#include "../../tools/signal.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct pcm_format stereo = {.rate = 48000, .width = 16, .channels = 2, .mask = 3};

#define assert_near(a, b, by) assert_true(fabs((a) - (b)) <= (by))

static void names_lead_back(void **state)
{
    (void)state;
    for (int kind = 0; kind < SIGNAL_KINDS; kind++)
        assert_int_equal(signal_find(signal_name((enum signal_kind)kind)), kind);
    assert_int_equal(signal_find("sin"), -1);
    assert_int_equal(signal_find(""), -1);
}

/* Every width and channel count, rendered in two pieces: the top bytes of the 32-bit samples. */
static void render_is_the_samples_top_bits(void **state)
{
    (void)state;
    const uint64_t first = 44100 * 3 - 7;
    for (int kind = 0; kind < SIGNAL_KINDS; kind++)
        for (uint8_t width = 16; width <= 32; width = (uint8_t)(width + 8))
            for (uint8_t channels = 1; channels <= 8; channels++) {
                const struct pcm_format f = {.rate = 44100, .width = width, .channels = channels};
                const uint32_t fb = pcm_frame_bytes(&f);
                uint8_t out[16 * PCM_MAX_FRAME_BYTES];
                signal_render((enum signal_kind)kind, &f, first, 5, out);
                signal_render((enum signal_kind)kind, &f, first + 5, 11, out + 5 * fb);
                const uint8_t *p = out;
                for (uint32_t i = 0; i < 16 * (uint32_t)channels; i++) {
                    const int32_t want = signal_sample((enum signal_kind)kind, &f,
                                                       first + i / channels, i % channels);
                    uint32_t got = 0;
                    for (int b = 0; b < width / 8; b++)
                        got |= (uint32_t)*p++ << 8 * b;
                    assert_int_equal(got, (uint32_t)(want >> (32 - width)) &
                                              (uint32_t)(0xffffffffu >> (32 - width)));
                }
            }
}

static double peak(enum signal_kind kind, const struct pcm_format *f, uint64_t frames)
{
    double most = 0;
    for (uint64_t i = 0; i < frames; i++)
        for (unsigned channel = 0; channel < f->channels; channel++)
            most = fmax(most, fabs((double)signal_sample(kind, f, i, channel)));
    return most / 2147483648.0;
}

static void levels_are_as_promised(void **state)
{
    (void)state;
    const struct pcm_format surround = {.rate = 44100, .width = 16, .channels = 6};
    const struct pcm_format mono = {.rate = 44100, .width = 16, .channels = 1};
    assert_true(peak(SIGNAL_SILENCE, &surround, 1000) <= 0);
    assert_near(peak(SIGNAL_SINE, &surround, 44100), 0.251189, 1e-3);
    assert_near(peak(SIGNAL_SWEEP, &mono, 441000), 0.251189, 1e-3);
    assert_near(peak(SIGNAL_NOISE, &surround, 44100), 0.5, 1e-3);
    const double stereo_peak = peak(SIGNAL_CHIME, &stereo, 10 * 48000);
    assert_true(stereo_peak > 0.15 && stereo_peak < 0.9);
    assert_true(peak(SIGNAL_CHIME, &mono, 10 * 44100) < 0.9);
}

static int by_value(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* No four 16-bit samples of one channel come twice in 20 s. */
static void noise_places_every_frame(void **state)
{
    (void)state;
    const size_t n = 20 * 48000;
    for (unsigned channel = 0; channel < 2; channel++) {
        uint64_t *keys = malloc(n * sizeof *keys), window = 0;
        assert_non_null(keys);
        for (size_t i = 0; i < n + 3; i++) {
            const int32_t sample = signal_sample(SIGNAL_NOISE, &stereo, i, channel);
            window = window << 16 | (uint16_t)(sample >> 16);
            if (i >= 3)
                keys[i - 3] = window;
        }
        qsort(keys, n, sizeof *keys, by_value);
        for (size_t i = 1; i < n; i++)
            assert_true(keys[i] != keys[i - 1]);
        free(keys);
    }
}

static void noise_is_white_and_differs_by_channel(void **state)
{
    (void)state;
    double sum = 0, square = 0, neighbour = 0, other = 0, before = 0;
    const int n = 100000;
    for (int i = 0; i < n; i++) {
        const double x = signal_sample(SIGNAL_NOISE, &stereo, (uint64_t)i, 0) / 2147483648.0;
        const double y = signal_sample(SIGNAL_NOISE, &stereo, (uint64_t)i, 1) / 2147483648.0;
        sum += x, square += x * x, neighbour += x * before, other += x * y;
        before = x;
    }
    assert_near(sum / n, 0, 0.005);
    assert_near(square / n, 0.25 / 3, 0.002); /* uniform in +-0.5 */
    assert_near(neighbour / n, 0, 0.002);
    assert_near(other / n, 0, 0.002);
}

static void walk_visits_each_speaker_in_its_second(void **state)
{
    (void)state;
    const struct pcm_format f = {.rate = 44100, .width = 16, .channels = 6};
    for (unsigned second = 0; second < 13; second++)
        for (unsigned channel = 0; channel < 6; channel++) {
            int sounding = 0;
            for (uint64_t i = 0; i < f.rate; i += 9)
                sounding += signal_sample(SIGNAL_WALK, &f, second * 44100 + i, channel) != 0;
            assert_int_equal(sounding, second % 6 == channel ? f.rate / 9 : 0);
        }
}

static void sine_is_exact_after_weeks(void **state)
{
    (void)state;
    const uint64_t weeks = 48000ull * 86400 * 30;
    for (uint64_t i = 0; i < 48000; i += 7) {
        const int32_t sample = signal_sample(SIGNAL_SINE, &stereo, i, 1);
        assert_int_equal(sample, signal_sample(SIGNAL_SINE, &stereo, weeks + i, 1));
        assert_near(sample / 2147483648.0,
                    0.251189 * sin(6.283185307179586 * 880 * (double)i / 48000), 1e-5);
    }
}

/* The largest step between neighbours tells a click from a tone. */
static double steepest(enum signal_kind kind, uint64_t first, uint64_t frames)
{
    double most = 0, before = signal_sample(kind, &stereo, first, 0);
    for (uint64_t i = 1; i <= frames; i++) {
        const double sample = signal_sample(kind, &stereo, first + i, 0);
        most = fmax(most, fabs(sample - before));
        before = sample;
    }
    return most / 2147483648.0;
}

static void sweep_goes_up_and_repeats(void **state)
{
    (void)state;
    int crossings[10] = {0};
    for (uint64_t i = 1; i < 480000; i++)
        crossings[i / 48000] += (signal_sample(SIGNAL_SWEEP, &stereo, i, 0) < 0) !=
                                (signal_sample(SIGNAL_SWEEP, &stereo, i - 1, 0) < 0);
    assert_in_range(crossings[0], 55, 60); /* 20 Hz doubles in a second */
    for (int s = 1; s < 10; s++)
        assert_near((double)crossings[s] / crossings[s - 1], 1.9953, 0.1);
    for (uint64_t i = 0; i < 480000; i += 13)
        assert_int_equal(signal_sample(SIGNAL_SWEEP, &stereo, i, 0),
                         signal_sample(SIGNAL_SWEEP, &stereo, i + 480000, 1));
    assert_int_equal(signal_sample(SIGNAL_SWEEP, &stereo, 480000, 0), 0);
}

static void chime_is_seamless_and_repeats(void **state)
{
    (void)state;
    assert_int_equal(signal_sample(SIGNAL_CHIME, &stereo, 0, 0), 0);
    assert_true(steepest(SIGNAL_CHIME, 0, 16 * 48000) < 0.1);
    int unequal = 0;
    for (uint64_t i = 0; i < 8 * 48000; i += 11) {
        const uint64_t at = 8 * 48000 + i;
        assert_int_equal(signal_sample(SIGNAL_CHIME, &stereo, at, 0),
                         signal_sample(SIGNAL_CHIME, &stereo, at + 80 * 48000, 0));
        unequal += signal_sample(SIGNAL_CHIME, &stereo, at, 0) !=
                   signal_sample(SIGNAL_CHIME, &stereo, at, 1);
    }
    assert_true(unequal > 30000); /* it has a stereo image */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_lead_back),
        cmocka_unit_test(render_is_the_samples_top_bits),
        cmocka_unit_test(levels_are_as_promised),
        cmocka_unit_test(noise_places_every_frame),
        cmocka_unit_test(noise_is_white_and_differs_by_channel),
        cmocka_unit_test(walk_visits_each_speaker_in_its_second),
        cmocka_unit_test(sine_is_exact_after_weeks),
        cmocka_unit_test(sweep_goes_up_and_repeats),
        cmocka_unit_test(chime_is_seamless_and_repeats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
