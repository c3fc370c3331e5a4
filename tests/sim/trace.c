#include "trace.h"

#include <stdlib.h>

static uint8_t small(uint32_t n)
{
    return (uint8_t)(n < UINT8_MAX ? n : UINT8_MAX);
}

void trace_add(struct trace *t, double at, const struct heard *h, double ratio)
{
    if (t->count == t->room) {
        t->room = t->room ? 2 * t->room : 4096;
        t->points = realloc(t->points, t->room * sizeof *t->points);
        if (!t->points)
            abort();
    }
    t->points[t->count++] = (struct point){
        .at = at,
        .low = (float)h->low,
        .high = (float)h->high,
        .mean = h->looks ? (float)(h->sum / h->looks) : 0,
        .ratio = (float)((ratio - 1) * 1e6),
        .silent = (uint32_t)h->silent,
        .partly = (uint16_t)(h->partly < UINT16_MAX ? h->partly : UINT16_MAX),
        .clicks = small(h->clicks),
        .seams = small(h->seams),
        .jumps = small(h->jumps),
        .gaps = small(h->gaps),
    };
}

void trace_finish(struct trace *t)
{
    free(t->points);
}

size_t trace_find(const struct trace *t, double at)
{
    size_t low = 0, high = t->count;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (t->points[middle].at < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

double trace_slope(const struct trace *t, double from)
{
    double n = 0, at = 0, latency = 0, product = 0, square = 0;
    for (size_t i = trace_find(t, from); i < t->count; i++) {
        const struct point *p = &t->points[i];
        if (p->low > p->high)
            continue;
        const double x = p->at - from, y = (double)p->mean;
        n++;
        at += x;
        latency += y;
        product += x * y;
        square += x * x;
    }
    return 60 * (n * product - at * latency) / (n * square - at * at);
}
