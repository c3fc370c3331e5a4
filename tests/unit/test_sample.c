#include "test.h"

#include "sample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void every_16_bit_value_survives(void **state)
{
    (void)state;
    static int16_t in[65536], out[65536];
    static float x[65536];
    for (int i = 0; i < 65536; i++)
        in[i] = (int16_t)(i - 32768);
    sample_decode(x, (const uint8_t *)in, SAMPLE_S16, 65536);
    assert_true(x[0] == -1.0f && x[32768] == 0.0f);
    sample_encode((uint8_t *)out, x, SAMPLE_S16, 65536);
    assert_memory_equal(in, out, sizeof in);
}

static void every_24_bit_value_survives(void **state)
{
    (void)state;
    enum { N = 1 << 16 };
    static uint8_t in[3 * N], out[3 * N];
    static float x[N];
    for (int block = 0; block < (1 << 24) / N; block++) {
        for (int i = 0; i < N; i++) {
            const int v = block * N + i;
            in[3 * i] = (uint8_t)v;
            in[3 * i + 1] = (uint8_t)(v >> 8);
            in[3 * i + 2] = (uint8_t)(v >> 16);
        }
        sample_decode(x, in, SAMPLE_S24_3, N);
        sample_encode(out, x, SAMPLE_S24_3, N);
        assert_memory_equal(in, out, sizeof in);
    }
}

static void wide_samples_keep_24_bits(void **state)
{
    (void)state;
    for (int i = 0; i < 100000; i++) {
        const int32_t in = (int32_t)((uint32_t)random() << 1 ^ (uint32_t)random());
        int32_t out;
        float x;
        sample_decode(&x, (const uint8_t *)&in, SAMPLE_S32, 1);
        sample_encode((uint8_t *)&out, &x, SAMPLE_S32, 1);
        assert_true(llabs((long long)in - out) <= 128);
    }
}

static void floats_pass(void **state)
{
    (void)state;
    const float in[] = {0, 1, -1, 0.5f, 3, -1e-9f};
    float out[7] = {0}, back[7] = {0};
    sample_encode((uint8_t *)out, in, SAMPLE_F32, 6);
    assert_memory_equal(out, in, sizeof in);
    assert_true(out[6] == 0);
    sample_decode(back, (const uint8_t *)in, SAMPLE_F32, 6);
    assert_memory_equal(back, in, sizeof in);
}

static void dither_is_small_and_spares_silence(void **state)
{
    (void)state;
    enum { N = 100000 };
    static float x[N];
    uint32_t noise = 1;
    double sum = 0, power = 0;
    for (int i = 0; i < N; i++)
        x[i] = i % 2 ? 0.25f : 0;
    sample_dither(x, &noise, N);
    for (int i = 0; i < N; i++) {
        const double steps = ((double)x[i] - (i % 2 ? 0.25 : 0)) * 32768;
        assert_true(i % 2 ? fabs(steps) <= 1 : steps == 0);
        sum += steps;
        power += steps * steps;
    }
    assert_true(fabs(sum / (N / 2)) < 0.01);               /* no offset */
    assert_true(fabs(power / (N / 2) - 1.0 / 6.0) < 0.01); /* triangular, of +-1 step */
}

static void too_loud_is_clipped(void **state)
{
    (void)state;
    const float x[] = {2, -2, 1, -1, INFINITY, -INFINITY};
    int16_t s16[6];
    int32_t s32[6];
    sample_encode((uint8_t *)s16, x, SAMPLE_S16, 6);
    sample_encode((uint8_t *)s32, x, SAMPLE_S32, 6);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(s16[i], i % 2 ? -32768 : 32767);
        assert_true(i % 2 ? s32[i] == INT32_MIN : s32[i] > 2147483000);
    }
}

static void mixing_is_the_matrix(void **state)
{
    (void)state;
    const struct chmix mix = {.in = 3, .out = 2, .gain = {{1, 0, 0.5f}, {0, 1, 0.5f}}};
    const float in[] = {0.1f, 0.2f, 0.4f, -0.5f, 0, 1};
    const float expected[] = {0.1f + 0.2f, 0.2f + 0.2f, -0.5f + 0.5f, 0.5f};
    float out[4];
    sample_mix(out, in, &mix, 2);
    for (int i = 0; i < 4; i++)
        assert_true(fabsf(out[i] - expected[i]) < 1e-6f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_16_bit_value_survives),
        cmocka_unit_test(every_24_bit_value_survives),
        cmocka_unit_test(wide_samples_keep_24_bits),
        cmocka_unit_test(too_loud_is_clipped),
        cmocka_unit_test(mixing_is_the_matrix),
        cmocka_unit_test(floats_pass),
        cmocka_unit_test(dither_is_small_and_spares_silence),
    };
    return cmocka_run_group_tests_name("sample", tests, NULL, NULL);
}
