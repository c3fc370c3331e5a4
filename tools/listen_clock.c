#include "listen_clock.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define WINDOW_NS    1e9
#define FIT_WINDOWS  10
#define OUTLIER_NS   2e6
#define FEW_ARRIVALS 8

struct point {
    double frame, x; /* x: ns, arrival less what the nominal rate says, from the first arrival */
    bool dropped;
};

static double frames_at(const struct recording *r, size_t i)
{
    double bytes = (double)r->arrivals[i].bytes - (double)r->skip;
    return bytes / (sample_bytes(r->type) * r->channels);
}

/* The earliest arrival of each second. */
static size_t envelope(const struct recording *r, struct point *points)
{
    double nominal = 1e9 / r->rate;
    int64_t origin = r->arrivals[0].t;
    size_t count = 0;
    double window = -1;

    for (size_t i = 0; i < r->n_arrivals; i++) {
        double t = (double)(r->arrivals[i].t - origin), frame = frames_at(r, i);
        double x = t - frame * nominal;
        if (floor(t / WINDOW_NS) > window) {
            window = floor(t / WINDOW_NS);
            points[count++] = (struct point){frame, x, false};
        } else if (x < points[count - 1].x) {
            points[count - 1].frame = frame;
            points[count - 1].x = x;
        }
    }
    return count;
}

static void least_squares(const struct point *p, size_t count, double *a, double *b)
{
    double n = 0, sf = 0, sx = 0, sff = 0, sfx = 0;

    for (size_t i = 0; i < count; i++) {
        if (p[i].dropped)
            continue;
        n++;
        sf += p[i].frame;
        sx += p[i].x;
    }
    double mf = n > 0 ? sf / n : 0, mx = n > 0 ? sx / n : 0;
    for (size_t i = 0; i < count; i++) {
        if (p[i].dropped)
            continue;
        sff += (p[i].frame - mf) * (p[i].frame - mf);
        sfx += (p[i].frame - mf) * (p[i].x - mx);
    }
    *b = sff > 0 ? sfx / sff : 0;
    *a = mx - *b * mf;
}

/* A second in which every chunk was late says nothing about the line. */
static void fit_points(struct point *p, size_t count, double *a, double *b)
{
    *a = p[0].x;
    *b = 0;
    if (count < FIT_WINDOWS) {
        for (size_t i = 1; i < count; i++)
            *a = fmin(*a, p[i].x);
        return;
    }
    for (int pass = 0; pass < 4; pass++) {
        least_squares(p, count, a, b);
        for (size_t i = 0; i < count; i++)
            p[i].dropped = p[i].x > *a + *b * p[i].frame + OUTLIER_NS;
    }
    least_squares(p, count, a, b);
}

bool timeline_fit(struct timeline *line, const struct recording *r)
{
    if (r->n_arrivals < FEW_ARRIVALS ||
        r->arrivals[r->n_arrivals - 1].t - r->arrivals[0].t < (int64_t)1e8)
        return false;

    struct point *points = calloc(r->n_arrivals, sizeof *points);
    if (!points)
        return false;
    double a, b, nominal = 1e9 / r->rate;
    fit_points(points, envelope(r, points), &a, &b);
    free(points);

    line->start = (double)r->arrivals[0].t + a;
    line->frame = nominal + b;
    line->late = 0;
    for (size_t i = 0; i < r->n_arrivals; i++)
        line->late =
            fmax(line->late, (double)r->arrivals[i].t - timeline_at(line, frames_at(r, i)));
    return true;
}
