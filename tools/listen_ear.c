#include "listen_ear.h"

#include "listen_expect.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define WINDOW     8192 /* frames of a stretch, */
#define BEHIND     1024 /* so many of them before what is asked for: searches go back, too */
#define FULL_SCALE 2147483648.0f

int ear_open(struct ear *e, const struct track_request *request)
{
    *e = (struct ear){.request = request};
    e->raw = calloc(WINDOW + KERNEL_TAPS_MAX, sizeof *e->raw);
    if (!e->raw)
        return -ENOMEM;
    for (unsigned i = 0; i < request->recording->channels; i++)
        if (!(e->heard[i].samples = calloc(WINDOW, sizeof(float))))
            return -ENOMEM;
    for (unsigned i = 0; i < PCM_MAX_CHANNELS; i++)
        if (!(e->sent[i].samples = calloc(WINDOW, sizeof(float))))
            return -ENOMEM;
    return 0;
}

void ear_close(struct ear *e)
{
    for (unsigned i = 0; i < TRACK_CHANNELS; i++)
        free(e->heard[i].samples);
    for (unsigned i = 0; i < PCM_MAX_CHANNELS; i++)
        free(e->sent[i].samples);
    for (size_t i = 0; i < sizeof e->tunings / sizeof *e->tunings; i++) {
        kernel_finish(&e->tunings[i].heard);
        kernel_finish(&e->tunings[i].sent);
    }
    free(e->raw);
    *e = (struct ear){0};
}

static int build(struct tuning *t, uint32_t sent, uint32_t recorded)
{
    double lower = sent < recorded ? sent : recorded;
    int err = kernel_init(&t->heard, lower / recorded);

    if (!err)
        err = kernel_init(&t->sent, lower / sent);
    if (err) {
        kernel_finish(&t->heard);
        kernel_finish(&t->sent);
        return err;
    }
    t->rate = sent;
    return 1;
}

/* 1 with e->tuning, 0 if there are more rates than it has room for, or -ENOMEM. */
static int choose_tuning(struct ear *e, uint32_t rate)
{
    for (size_t i = 0; i < sizeof e->tunings / sizeof *e->tunings; i++) {
        struct tuning *t = &e->tunings[i];
        int built = t->rate ? 1 : build(t, rate, e->request->recording->rate);
        if (built < 0)
            return built;
        if (t->rate != rate)
            continue;
        if (t != e->tuning)
            for (unsigned k = 0; k < TRACK_CHANNELS; k++)
                e->heard[k].count = 0;
        e->tuning = t;
        return 1;
    }
    return 0;
}

int ear_tune(struct ear *e, const struct segment *s)
{
    double nominal = (double)s->format.rate / e->request->recording->rate;

    if (s == e->segment)
        return 1;
    if (!(nominal <= EAR_SCALE_MAX && nominal >= 1 / EAR_SCALE_MAX))
        return 0;
    int found = choose_tuning(e, s->format.rate);
    if (found <= 0)
        return found;
    e->segment = s;
    e->nominal = nominal;
    for (unsigned i = 0; i < PCM_MAX_CHANNELS; i++)
        e->sent[i].count = 0;
    return 1;
}

/* Moves the stretch so that it holds [first, first + count); false if it already does. */
static bool move_to(struct stretch *s, int64_t first, unsigned count)
{
    if (s->count && first >= s->first && first + count <= s->first + s->count)
        return false;
    s->first = first - BEHIND;
    s->count = WINDOW;
    return true;
}

static void fill_heard(struct ear *e, struct stretch *s, unsigned channel)
{
    const struct kernel *k = &e->tuning->heard;
    const struct recording *r = e->request->recording;
    int64_t from = s->first - (int64_t)k->half + 1;

    for (unsigned i = 0; i < s->count + k->taps; i++) {
        int64_t at = from + i;
        bool there = at >= 0 && at < (int64_t)r->frames;
        e->raw[i] = there ? (float)recording_sample(r, (uint64_t)at, channel) / FULL_SCALE : 0;
    }
    for (unsigned i = 0; i < s->count; i++)
        s->samples[i] = kernel_sum(k->values, e->raw + i, k->taps);
}

const float *ear_heard(struct ear *e, unsigned channel, uint64_t first, unsigned count)
{
    struct stretch *s = &e->heard[channel];

    if (move_to(s, (int64_t)first, count))
        fill_heard(e, s, channel);
    return s->samples + ((int64_t)first - s->first);
}

static const float *sent_samples(struct ear *e, unsigned channel, int64_t first, unsigned count)
{
    struct stretch *s = &e->sent[channel];

    if (move_to(s, first, count)) {
        for (unsigned i = 0; i < s->count; i++) {
            int64_t at = s->first + i;
            bool there = at >= 0 && at < (int64_t)e->segment->frames;
            s->samples[i] =
                there ? (float)expect_sample(e->segment, channel, (uint64_t)at) / FULL_SCALE : 0;
        }
    }
    return s->samples + (first - s->first);
}

void ear_sent(struct ear *e, unsigned mask, double from, double rate, unsigned count, bool slopes,
              struct ear_sent *out)
{
    struct kernel *k = &e->tuning->sent;
    int64_t first = (int64_t)floor(from) - k->half + 1;
    unsigned span = (unsigned)(ceil(rate * count) + 1) + k->taps;
    const float *samples[PCM_MAX_CHANNELS] = {0};
    float weights[KERNEL_TAPS_MAX];

    kernel_stretch(k, rate / e->nominal - 1);
    for (unsigned c = 0; c < PCM_MAX_CHANNELS; c++)
        if (mask & 1u << c)
            samples[c] = sent_samples(e, c, first, span);
    for (unsigned i = 0; i < count; i++) {
        double x = from + rate * i, whole = floor(x);
        int64_t skip = (int64_t)whole - k->half + 1 - first;
        kernel_weights(k, k->values, x - whole, weights);
        for (unsigned c = 0; c < PCM_MAX_CHANNELS; c++)
            if (samples[c])
                out->values[c][i] = kernel_sum(weights, samples[c] + skip, k->taps);
        if (!slopes || i % EAR_SLOPE_EVERY)
            continue;
        kernel_weights(k, k->slopes, x - whole, weights);
        for (unsigned c = 0; c < PCM_MAX_CHANNELS; c++)
            if (samples[c])
                out->slopes[c][i / EAR_SLOPE_EVERY] =
                    kernel_sum(weights, samples[c] + skip, k->taps);
    }
}
