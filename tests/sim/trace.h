/* What has been heard over time, a few ms a point. */
#ifndef SCREAM_TRACE_H
#define SCREAM_TRACE_H

#include "ear.h"

#define TRACE_POINT_NS 4e6 /* it covers at least so much */

struct point {
    double at;       /* s since the beginning */
    float low, high; /* ms: latency; low above high: none was heard */
    float mean;      /* ms */
    float ratio;     /* ppm off 1 */
    uint32_t silent; /* frames */
    uint16_t partly; /* frames */
    uint8_t clicks, seams, jumps, gaps;
};

struct trace {
    struct point *points;
    size_t count, room;
    uint64_t lost; /* packets, in all */
};

void trace_add(struct trace *t, double at, const struct heard *h, double ratio);
void trace_finish(struct trace *t);

/* The first point not before that. */
size_t trace_find(const struct trace *t, double at);

/* ms a minute, by least squares over the sound from then on. */
double trace_slope(const struct trace *t, double from);

#endif
