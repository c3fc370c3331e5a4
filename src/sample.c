#include "sample.h"

#include <math.h>
#include <string.h>

#define SCALE16 32768.0f
#define SCALE24 8388608.0f
#define SCALE32 2147483648.0f
#define TOP32   2147483520.0f /* the greatest float below 2^31 */

static int32_t load24(const uint8_t *p)
{
    return (int32_t)((uint32_t)p[0] << 8 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 24) >> 8;
}

static void store24(uint8_t *p, int32_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
    p[2] = (uint8_t)(v >> 16);
}

static float clip(float v, float low, float high)
{
    return v < low ? low : v > high ? high : v;
}

static void decode16(float *dst, const uint8_t *src, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int16_t v;
        memcpy(&v, src + 2 * i, sizeof v);
        dst[i] = (float)v / SCALE16;
    }
}

static void decode32(float *dst, const uint8_t *src, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int32_t v;
        memcpy(&v, src + 4 * i, sizeof v);
        dst[i] = (float)v / SCALE32;
    }
}

void sample_decode(float *dst, const uint8_t *src, enum sample_type type, size_t n)
{
    switch (type) {
    case SAMPLE_S16:
        decode16(dst, src, n);
        break;
    case SAMPLE_S24_3:
        for (size_t i = 0; i < n; i++)
            dst[i] = (float)load24(src + 3 * i) / SCALE24;
        break;
    case SAMPLE_S32:
        decode32(dst, src, n);
        break;
    case SAMPLE_F32:
        memcpy(dst, src, n * sizeof *dst);
        break;
    }
}

static void encode16(uint8_t *dst, const float *src, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const int16_t v = (int16_t)lrintf(clip(src[i] * SCALE16, -SCALE16, SCALE16 - 1));
        memcpy(dst + 2 * i, &v, sizeof v);
    }
}

static void encode32(uint8_t *dst, const float *src, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const int32_t v = (int32_t)lrintf(clip(src[i] * SCALE32, -SCALE32, TOP32));
        memcpy(dst + 4 * i, &v, sizeof v);
    }
}

void sample_encode(uint8_t *dst, const float *src, enum sample_type type, size_t n)
{
    switch (type) {
    case SAMPLE_S16:
        encode16(dst, src, n);
        break;
    case SAMPLE_S24_3:
        for (size_t i = 0; i < n; i++)
            store24(dst + 3 * i, (int32_t)lrintf(clip(src[i] * SCALE24, -SCALE24, SCALE24 - 1)));
        break;
    case SAMPLE_S32:
        encode32(dst, src, n);
        break;
    case SAMPLE_F32:
        memcpy(dst, src, n * sizeof *src);
        break;
    }
}

/* Marsaglia's xorshift32. */
static uint32_t noise(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

void sample_dither(float *x, uint32_t *state, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const uint32_t r = noise(state);
        const int32_t sum = (int32_t)(r & 0xffff) - (int32_t)(r >> 16);
        if (x[i] != 0)
            x[i] += (float)sum / 65536.0f / SCALE16;
    }
}

void sample_mix(float *dst, const float *src, const struct chmix *mix, size_t frames)
{
    for (size_t f = 0; f < frames; f++, dst += mix->out, src += mix->in)
        for (uint8_t out = 0; out < mix->out; out++) {
            float sum = 0;
            for (uint8_t in = 0; in < mix->in; in++)
                sum += mix->gain[out][in] * src[in];
            dst[out] = sum;
        }
}
