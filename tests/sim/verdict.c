#include "verdict.h"

#include <math.h>
#include <stdlib.h>

#define BEFORE_S 1.0 /* the latency before something happens, from so much of it */

struct span {
    double from, to; /* s */
    bool change;     /* the latency before it says nothing about the one after */
};

/* All that happens within the trace, one by one. */
static struct span *list_spans(const struct scenario *s, size_t *count)
{
    size_t room = 0;
    for (size_t i = 0; i < s->happenings; i++)
        room += s->happens[i].every > 0 ? (size_t)(s->seconds / s->happens[i].every) + 1 : 1;
    struct span *spans = calloc(room + 1, sizeof *spans);
    if (!spans)
        abort();
    *count = 0;
    for (size_t i = 0; i < s->happenings; i++) {
        const struct happening *h = &s->happens[i];
        for (double at = h->at; at < s->seconds; at += h->every) {
            if (h->kind != HAPPENS_STEP)
                spans[(*count)++] =
                    (struct span){at, at + happening_seconds(h), h->kind == HAPPENS_FORMAT};
            if (h->every <= 0)
                break;
        }
    }
    return spans;
}

static bool within(const struct span *spans, size_t count, double at, double after)
{
    for (size_t i = 0; i < count; i++)
        if (at >= spans[i].from && at <= spans[i].to + after)
            return true;
    return false;
}

static int by_value(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static double part_of(const float *sorted, size_t n, double part)
{
    return n ? (double)sorted[(size_t)(part * (double)(n - 1) + 0.5)] : NAN;
}

static bool has_sound(const struct point *p)
{
    return p->low <= p->high;
}

/* The figures of the points that nothing excuses. */
static void judge_calm(struct verdict *v, const struct scenario *s, const struct trace *t,
                       const struct span *spans, size_t count)
{
    float *latency = malloc((t->count + 1) * sizeof *latency);
    double n = 0, sum = 0, squares = 0;
    size_t heard = 0;
    if (!latency)
        abort();
    v->low = INFINITY;
    v->high = -INFINITY;
    for (size_t i = trace_find(t, s->settle); i < t->count; i++) {
        const struct point *p = &t->points[i];
        const bool excuse = within(spans, count, p->at, VERDICT_RECOVERY_S);
        *(excuse ? &v->excused : &v->dropouts) += (unsigned)p->gaps + p->jumps;
        v->partly += excuse ? 0 : p->partly / s->rate;
        if (within(spans, count, p->at, s->resettle))
            continue;
        n++;
        sum += p->ratio;
        squares += (double)p->ratio * p->ratio;
        if (!has_sound(p))
            continue;
        latency[heard++] = p->mean;
        v->low = fmin(v->low, p->low);
        v->high = fmax(v->high, p->high);
    }
    qsort(latency, heard, sizeof *latency, by_value);
    v->p5 = part_of(latency, heard, 0.05);
    v->median = part_of(latency, heard, 0.5);
    v->p95 = part_of(latency, heard, 0.95);
    v->ratio = sum / n;
    v->ratio_sd = sqrt(fmax(0, squares / n - v->ratio * v->ratio));
    free(latency);
}

/* The mean latency of the points between the two, ms; NaN: none. */
static double mean_of(const struct trace *t, double from, double to)
{
    double n = 0, sum = 0;
    for (size_t i = trace_find(t, from); i < t->count && t->points[i].at < to; i++)
        if (has_sound(&t->points[i])) {
            sum += t->points[i].mean;
            n++;
        }
    return sum / n;
}

static void judge_span(struct verdict *v, const struct trace *t, const struct span *span)
{
    const double end = t->count ? t->points[t->count - 1].at : 0, until = span->to + 3;
    const double before = mean_of(t, span->from - BEFORE_S, span->from);
    const double after = mean_of(t, span->to + VERDICT_RECOVERY_S, until);
    double back = span->to;
    if (until > end)
        return;
    v->happened++;
    const double should = span->change ? after : before;
    for (size_t i = trace_find(t, span->to); i < t->count && t->points[i].at < until; i++) {
        const struct point *p = &t->points[i];
        const bool off =
            p->low < should - VERDICT_RECOVERY_MS || p->high > should + VERDICT_RECOVERY_MS;
        if (p->silent || p->partly || (has_sound(p) && off))
            back = p->at;
    }
    if (!(until - back > 0.1))
        back = INFINITY;
    v->recovery = fmax(v->recovery, back - span->to);
    if (!span->change && !(fabs(after - before) <= v->moved))
        v->moved = fabs(after - before);
}

void verdict_of(struct verdict *v, const struct scenario *s, const struct trace *t)
{
    size_t count;
    unsigned seams = 0;
    struct span *spans = list_spans(s, &count);
    *v = (struct verdict){0};
    judge_calm(v, s, t, spans, count);
    for (size_t i = 0; i < t->count; i++)
        seams += t->points[i].seams, v->clicks += t->points[i].clicks;
    v->clicks += seams > t->lost ? seams - (unsigned)t->lost : 0;
    for (size_t i = 0; i < count; i++)
        judge_span(v, t, &spans[i]);
    free(spans);
    double guest = s->guest;
    for (size_t i = 0; i < s->happenings; i++)
        if (s->happens[i].kind == HAPPENS_STEP)
            guest = NAN;
    v->ratio_off = v->ratio - ((1 + guest * 1e-6) / (1 + s->output * 1e-6) - 1) * 1e6;
    v->latency_less = v->median - s->period / s->rate * 1e3 - s->delay;
}

void verdict_print(const struct verdict *v, FILE *f)
{
    fprintf(f, "latency      %.3f ms median, %.3f of that beside period and output\n", v->median,
            v->latency_less);
    fprintf(f,
            "             %.3f ms p5, %.3f p95, %.3f between; %.3f to %.3f in all, %.3f between\n",
            v->p5, v->p95, v->p95 - v->p5, v->low, v->high, v->high - v->low);
    fprintf(f, "ratio        %+.2f ppm, sd %.3f ppm", v->ratio, v->ratio_sd);
    if (!isnan(v->ratio_off))
        fprintf(f, ", %+.3f from what the clocks make it", v->ratio_off);
    fprintf(f, "\ndropouts     %u, %.1f ms of fades; %u clicks in all\n", v->dropouts,
            v->partly * 1e3, v->clicks);
    if (v->happened)
        fprintf(f,
                "happened     %u times: back after %.3f s at most, latency moved by %.3f ms, "
                "%u dropouts meanwhile\n",
                v->happened, v->recovery, v->moved, v->excused);
}
