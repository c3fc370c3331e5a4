#include "listen_pacing.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define LEAST_S 0.1 /* of a run that is too short for a second */

struct sums {
    double count, sum, squares;
};

static void take(struct pacing *p, struct sums *s, double ppm)
{
    p->least = s->count > 0 ? fmin(p->least, ppm) : ppm;
    p->most = s->count > 0 ? fmax(p->most, ppm) : ppm;
    s->count++;
    s->sum += ppm;
    s->squares += ppm * ppm;
}

/* Second by second between the first and the last waypoint; a shorter run in one. */
static void take_run(struct pacing *p, struct sums *s, const struct track_request *q,
                     const struct run *run)
{
    double rate = q->recording->rate;
    double nominal = q->segments[run->segment].format.rate / rate;
    double at = run->path[0].recorded - (double)run->recorded;
    double end = run->path[run->n_path - 1].recorded - (double)run->recorded;
    double step = end - at < rate ? end - at : rate;

    if (end - at < LEAST_S * rate)
        return;
    for (; at + step <= end; at += step) {
        double sent = run_sent_at(run, at + step) - run_sent_at(run, at);
        take(p, s, (sent / step / nominal - 1) * 1e6);
    }
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* dB */
static double median_error(double *errors, const struct run_list *runs)
{
    size_t count = 0;

    for (size_t i = 0; i < runs->count; i++)
        for (size_t k = 0; k < runs->at[i].n_path; k++)
            if (runs->at[i].path[k].error > 0)
                errors[count++] = runs->at[i].path[k].error;
    if (count == 0)
        return 0;
    qsort(errors, count, sizeof *errors, ascending);
    return 10 * log10(errors[count / 2]);
}

int pacing_measure(struct pacing *p, const struct track_request *request,
                   const struct run_list *runs)
{
    struct sums s = {0};
    size_t room = 1;

    *p = (struct pacing){0};
    if (!runs->resampled)
        return 0;
    for (size_t i = 0; i < runs->count; i++) {
        room += runs->at[i].n_path;
        take_run(p, &s, request, &runs->at[i]);
    }
    double *errors = calloc(room, sizeof *errors);
    if (!errors)
        return -ENOMEM;
    p->fidelity = median_error(errors, runs);
    free(errors);
    p->known = s.count > 0;
    if (p->known) {
        p->mean = s.sum / s.count;
        p->sd = sqrt(fmax(0, s.squares / s.count - p->mean * p->mean));
    }
    return 0;
}
