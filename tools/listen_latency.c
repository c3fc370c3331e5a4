#include "listen_latency.h"

#include <errno.h>
#include <stdlib.h>

#define STEPS_A_SECOND 100

/* One moment: when it was heard, how late. */
struct moment {
    double t, late; /* ns */
};

double run_latency_at(const struct track_request *q, const struct run *run, uint64_t offset)
{
    return timeline_at(q->line, (double)(run->recorded + offset)) -
           segment_time(&q->segments[run->segment], run_sent_at(run, (double)offset));
}

static size_t sample_run(const struct track_request *q, const struct run *run, struct moment *m)
{
    uint64_t step = q->recording->rate / STEPS_A_SECOND;
    size_t count = 0;

    if (!q->segments[run->segment].timed)
        return 0;
    for (uint64_t at = 0; at < run->frames; at += step)
        m[count++] = (struct moment){timeline_at(q->line, (double)(run->recorded + at)),
                                     run_latency_at(q, run, at)};
    return count;
}

static int later(const void *a, const void *b)
{
    double x = ((const struct moment *)a)->late, y = ((const struct moment *)b)->late;
    return (x > y) - (x < y);
}

/* ms a minute */
static double slope_of(const struct moment *m, size_t count)
{
    double mt = 0, ml = 0, tt = 0, tl = 0;

    for (size_t i = 0; i < count; i++) {
        mt += (m[i].t - m[0].t) / (double)count;
        ml += m[i].late / (double)count;
    }
    for (size_t i = 0; i < count; i++) {
        double t = m[i].t - m[0].t - mt;
        tt += t * t;
        tl += t * (m[i].late - ml);
    }
    return tt > 0 ? tl / tt * 60e3 : 0;
}

/* Sorts the moments. */
static struct latency summary(struct moment *m, size_t count)
{
    struct latency l = {.known = count > 0};

    if (count == 0)
        return l;
    l.slope = slope_of(m, count);
    qsort(m, count, sizeof *m, later);
    l.median = m[count / 2].late * 1e-6;
    l.p5 = m[count / 20].late * 1e-6;
    l.p95 = m[count - 1 - count / 20].late * 1e-6;
    l.least = m[0].late * 1e-6;
    l.most = m[count - 1].late * 1e-6;
    return l;
}

int latency_measure(struct verdict *v, const struct track_request *q, const struct run_list *runs)
{
    size_t room = 0, count = 0;

    if (!q->line)
        return 0;
    for (size_t i = 0; i < runs->count; i++)
        room += (size_t)(runs->at[i].frames / (q->recording->rate / STEPS_A_SECOND)) + 1;
    struct moment *all = calloc(2 * room + 1, sizeof *all);
    if (!all)
        return -ENOMEM;
    struct moment *one = all + room;
    for (size_t i = 0; i < runs->count; i++) {
        size_t n = sample_run(q, &runs->at[i], one);
        for (size_t k = 0; k < n; k++)
            all[count++] = one[k];
        v->run_latency[i] = summary(one, n);
    }
    v->latency = summary(all, count);
    free(all);
    return 0;
}
