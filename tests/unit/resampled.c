#include "resampled.h"

#include "../../src/resample.h"
#include "test.h"

#include <stdlib.h>

#define PERIOD    480
#define LEAD      256 /* frames before a position that are pushed, too: no edge is heard */
#define EDGE_MOST 24  /* frames that a hole may be off: 0.5 ms */

int resampled_set_up(void **state)
{
    struct resampled *s = calloc(1, sizeof *s);
    recorded_init(&s->heard);
    s->heard.request.mode = TRACK_RESAMPLED;
    *state = s;
    return 0;
}

int resampled_tear_down(void **state)
{
    struct resampled *s = *state;
    recorded_finish(&s->heard);
    free(s->truth);
    free(s);
    return 0;
}

int16_t *resampled_silence(struct resampled *s, uint32_t frames)
{
    int16_t *at = (int16_t *)(void *)recorded_more(&s->heard, frames);
    const uint64_t all = s->heard.recording.frames;
    s->truth = realloc(s->truth, all * sizeof *s->truth);
    for (uint64_t i = all - frames; i < all; i++)
        s->truth[i] = NAN;
    return at;
}

static void push_sent(const struct resampled *s, struct resampler *r, int64_t *next,
                      uint32_t frames)
{
    float in[RESAMPLE_ROOM * CHANNELS];

    while (frames) {
        uint32_t n = frames < RESAMPLE_ROOM ? frames : RESAMPLE_ROOM;
        for (uint32_t i = 0; i < n * CHANNELS; i++) {
            int64_t at = *next + i / CHANNELS;
            int32_t v = at < 0 ? 0
                               : signal_sample(s->heard.segment.signal, &s->heard.segment.format,
                                               (uint64_t)at, i % CHANNELS);
            in[i] = (float)(v >> 16) / 32768;
        }
        resampler_push(r, in, n);
        *next += n;
        frames -= n;
    }
}

/* `frames` from `from` on, whose pace goes evenly from one deviation to the other. */
static void render(const struct resampled *s, double from, double *end, double ppm, double ppm_end,
                   uint32_t frames, float *out, double *truth)
{
    double nominal = (double)s->heard.segment.format.rate / RATE, step = nominal * (1 + ppm * 1e-6);
    int64_t first = (int64_t)floor(from) - LEAD, next = first;
    struct resampler *r;

    assert_int_equal(resampler_open(&r, CHANNELS, nominal), 0);
    push_sent(s, r, &next, LEAD + 1);
    resampler_pull(r, out, 1, step); /* the first pull sets the pace */
    resampler_shift(r, from - (double)first - resampler_position(r));
    for (uint32_t done = 0; done < frames;) {
        uint32_t n = frames - done < PERIOD ? frames - done : PERIOD;
        double aim = nominal * (1 + (ppm + (ppm_end - ppm) * (double)(done + n) / frames) * 1e-6);
        double x = resampler_position(r) + (double)first, slope = (aim - step) / n;
        push_sent(s, r, &next, resampler_lacks(r, n, aim));
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

void resampled_play(struct resampled *s, uint32_t frames, double ppm)
{
    float *out = calloc((size_t)frames * CHANNELS, sizeof *out);
    int16_t *to = resampled_silence(s, frames);
    double *truth = s->truth + s->heard.recording.frames - frames;

    render(s, s->position, &s->position, s->ppm, ppm, frames, out, truth);
    for (uint32_t i = 0; i < frames * CHANNELS; i++)
        to[i] = rounded(out[i]);
    s->ppm = ppm;
    free(out);
}

void resampled_step(struct resampled *s, double by, uint32_t fade)
{
    float *a = calloc((size_t)fade * CHANNELS, sizeof *a), *c = calloc((size_t)fade * CHANNELS, 4);
    int16_t *to = resampled_silence(s, fade);
    double end;

    render(s, s->position, &end, s->ppm, s->ppm, fade, a, NULL);
    render(s, s->position + by, &s->position, s->ppm, s->ppm, fade, c, NULL);
    for (uint32_t i = 0; i < fade * CHANNELS; i++) {
        double share = (i / CHANNELS + 0.5) / fade;
        to[i] = rounded(a[i] * (1 - share) + c[i] * share);
    }
    free(a);
    free(c);
}

void resampled_scale(struct resampled *s, uint64_t from, uint32_t frames, double by)
{
    int16_t *x = (int16_t *)(void *)s->heard.recording.data + from * CHANNELS;
    for (uint32_t i = 0; i < frames * CHANNELS; i++)
        x[i] = rounded(x[i] * by / 32768);
}

void check_truth(const struct resampled *s, double within)
{
    for (size_t i = 0; i < s->heard.runs.count; i++) {
        const struct run *run = &s->heard.runs.at[i];
        for (uint64_t k = 0; k < run->frames; k += 7) {
            double truth = s->truth[run->recorded + k];
            if (!isnan(truth))
                NEAR(run_sent_at(run, (double)k), truth, within);
        }
    }
}

void check_holes(const struct verdict *v, const struct hole_expected *want, size_t count)
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
