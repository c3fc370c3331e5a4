#include "listen_clock.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define WINDOW_NS    1e9
#define FIT_WINDOWS  10
#define OUTLIER_NS   2e6
#define FEW_ARRIVALS 8
#define JUMP_NS      5e6 /* less is drift, */
#define JUMP_WINDOWS 3   /* and what does not stay so long is lateness */

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

/* Whether all of the windows [from, to) came later than x, clearly. */
static bool all_later(const struct point *p, size_t from, size_t to, double x)
{
    for (size_t i = from; i < to; i++)
        if (p[i].x < x + JUMP_NS)
            return false;
    return true;
}

static double least(const struct point *p, size_t from, size_t to)
{
    double x = p[from].x;
    for (size_t i = from + 1; i < to; i++)
        x = fmin(x, p[i].x);
    return x;
}

/* The first frame after the latest arrival, between two windows, that was on the former line yet. */
static double jump_frame(const struct recording *r, const struct point *before,
                         const struct point *after)
{
    const double nominal = 1e9 / r->rate, middle = (before->x + after->x) / 2;
    double frame = before->frame;
    for (size_t i = 0; i < r->n_arrivals && frames_at(r, i) < after->frame; i++) {
        const double x = (double)(r->arrivals[i].t - r->arrivals[0].t) - frames_at(r, i) * nominal;
        if (frames_at(r, i) > frame && (x < middle) == (before->x < middle))
            frame = frames_at(r, i);
    }
    return frame;
}

/* Finds where the line is broken, and makes the points one line again. */
static void mend_jumps(struct timeline *line, const struct recording *r, struct point *p,
                       size_t count)
{
    for (size_t i = JUMP_WINDOWS; i + JUMP_WINDOWS <= count && line->jumps < CLOCK_JUMPS; i++) {
        const bool up = all_later(p, i, i + JUMP_WINDOWS, p[i - 1].x);
        const bool down = all_later(p, i - JUMP_WINDOWS, i, p[i].x);
        if (!up && !down)
            continue;
        const double by = least(p, i, i + JUMP_WINDOWS) - least(p, i - JUMP_WINDOWS, i);
        line->jump[line->jumps++] = (struct clock_jump){jump_frame(r, &p[i - 1], &p[i]), by};
        for (size_t k = i; k < count; k++)
            p[k].x -= by;
    }
}

double timeline_at(const struct timeline *line, double frame)
{
    double at = line->start + frame * line->frame;
    for (unsigned i = 0; i < line->jumps && frame >= line->jump[i].frame; i++)
        at += line->jump[i].by;
    return at;
}

double timeline_frame(const struct timeline *line, double at)
{
    double frame = (at - line->start) / line->frame;
    for (unsigned i = 0; i < line->jumps && frame >= line->jump[i].frame; i++)
        frame = fmax(frame - line->jump[i].by / line->frame, line->jump[i].frame);
    return frame;
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
    const size_t count = envelope(r, points);
    line->jumps = 0;
    mend_jumps(line, r, points, count);
    fit_points(points, count, &a, &b);
    free(points);

    line->start = (double)r->arrivals[0].t + a;
    line->frame = nominal + b;
    line->late = 0;
    for (size_t i = 0; i < r->n_arrivals; i++)
        line->late =
            fmax(line->late, (double)r->arrivals[i].t - timeline_at(line, frames_at(r, i)));
    return true;
}
