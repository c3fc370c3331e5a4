#include "listen_expect.h"

#include <stdlib.h>

#define AT_LEAST 4096 /* frames rendered at once: neighbours are asked for next */

void expect_finish(struct expect *e)
{
    for (int i = 0; i < PCM_MAX_CHANNELS; i++) {
        free(e->windows[i].samples);
        e->windows[i] = (struct expect_window){0};
    }
}

static int reserve(struct expect_window *w, size_t count)
{
    if (count <= w->room)
        return 0;
    int32_t *p = realloc(w->samples, count * sizeof *p);
    if (!p)
        return -1;
    w->samples = p;
    w->room = count;
    return 0;
}

int32_t expect_sample(const struct segment *s, unsigned channel, uint64_t frame)
{
    unsigned drop = 32u - s->format.width;
    return (int32_t)((uint32_t)signal_sample(s->signal, &s->format, frame, channel) >> drop
                                                                                           << drop);
}

/* A half more to either side: searches move on by a little each. */
static int render(struct expect_window *w, const struct segment *s, unsigned channel,
                  uint64_t first, size_t count)
{
    size_t margin = count < AT_LEAST ? AT_LEAST : count / 2;
    uint64_t from = first > margin ? first - margin : 0;
    size_t total = (size_t)(first - from) + count + margin;

    if (reserve(w, total))
        return -1;
    for (size_t i = 0; i < total; i++)
        w->samples[i] = expect_sample(s, channel, from + i);
    w->segment = s;
    w->first = from;
    w->count = total;
    return 0;
}

const int32_t *expect_samples(struct expect *e, const struct segment *s, unsigned channel,
                              uint64_t first, size_t count)
{
    struct expect_window *w = &e->windows[channel];

    bool there = w->segment == s && first >= w->first && first + count <= w->first + w->count;
    if (!there && render(w, s, channel, first, count))
        return NULL;
    return w->samples + (first - w->first);
}
