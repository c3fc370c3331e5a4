#include "scatter.h"

#include <math.h>
#include <string.h>

/* Sorts them. */
static double median(float *x, unsigned n)
{
    for (unsigned i = 1; i < n; i++) {
        const float one = x[i];
        unsigned at = i;
        for (; at > 0 && x[at - 1] > one; at--)
            x[at] = x[at - 1];
        x[at] = one;
    }
    return ((double)x[(n - 1) / 2] + (double)x[n / 2]) / 2;
}

static void judge(struct scatter *s)
{
    float x[SCATTER_POINTS];
    const unsigned n = s->added < SCATTER_POINTS ? s->added : SCATTER_POINTS;
    memcpy(x, s->slopes, sizeof x);
    s->slope = median(x, n);
    for (unsigned i = 0; i < n; i++)
        x[i] = (float)fabs((double)x[i] - s->slope);
    s->spread = median(x, n);
}

void scatter_break(struct scatter *s)
{
    s->follows = false;
}

void scatter_add(struct scatter *s, int64_t t, uint64_t frame, double period)
{
    const double passed = (double)(int64_t)(frame - s->frame) * period;
    if (s->follows && passed < SCATTER_APART_NS)
        return;
    if (s->follows) {
        s->slopes[s->added++ % SCATTER_POINTS] = (float)((double)(t - s->time) / passed - 1);
        judge(s);
    }
    s->follows = true;
    s->time = t;
    s->frame = frame;
}
