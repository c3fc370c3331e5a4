#include "listen_track.h"

#include "listen_matcher.h"

#include <errno.h>
#include <stdlib.h>

#define STRIDE     64 /* frames between attempts while nothing matches, growing */
#define PATIENCE   4096
#define THOROUGHLY 16 /* every so many attempts any channel may hold any other */
#define DOUBTFUL   16 /* attempts without an exact match before another way is tried, */
#define DOUBT_MORE 4  /* and again after so many times as many */
#define SWITCH     2  /* beyond any matcher's answers */

int64_t track_tolerance(const struct recording *r, const struct pcm_format *sent)
{
    (void)r, (void)sent; /* no type that is recorded, and no width that is sent, is coarser */
    return (int64_t)1 << 16;
}

void runs_finish(struct run_list *runs)
{
    for (size_t i = 0; i < runs->count; i++)
        free(runs->at[i].path);
    free(runs->at);
    *runs = (struct run_list){0};
}

static int push(struct run_list *runs, const struct run *run)
{
    struct run *p = realloc(runs->at, (runs->count + 1) * sizeof *p);
    if (!p)
        return -ENOMEM;
    runs->at = p;
    p[runs->count++] = *run;
    return 0;
}

double run_sent_at(const struct run *run, double offset)
{
    const struct waypoint *p = run->path;
    double recorded = (double)run->recorded + offset;
    size_t low = 0, high = run->n_path;

    if (run->n_path < 2)
        return (double)run->sent + offset;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (p[middle].recorded <= recorded)
            low = middle;
        else
            high = middle;
    }
    if (low + 1 == run->n_path)
        low--;
    double share = (recorded - p[low].recorded) / (p[low + 1].recorded - p[low].recorded);
    return p[low].sent + share * (p[low + 1].sent - p[low].sent);
}

bool track_silent(const struct track_request *q, uint64_t frame)
{
    for (unsigned i = 0; i < q->recording->channels; i++)
        if (llabs((int64_t)recording_sample(q->recording, frame, i)) > q->tolerance)
            return false;
    return true;
}

/* A channel holds what nobody sent: a fade's or a glitch's end will do better. */
static bool partial(const struct track_request *q, const struct run *run)
{
    for (unsigned i = 0; i < q->recording->channels; i++)
        if (run->holds[i] == HOLDS_ANYTHING && q->map[i] != HOLDS_ANYTHING)
            return true;
    return false;
}

/* A matcher at work. */
struct tracker {
    const struct matcher *matcher, *other; /* other: NULL, or what may do better */
    void *context, *other_context;
    struct finder finder;
};

/* Nothing matched so far: does the other way? 1, 0, or -ENOMEM. */
static int other_fits(struct tracker *t, uint64_t at)
{
    const struct recording *r = t->finder.request->recording;
    struct run run;

    if (!t->other || at + t->other->probe > r->frames)
        return 0;
    if (!t->other_context) {
        int err = t->other->open(&t->other_context, t->finder.request);
        if (err)
            return err;
    }
    return t->other->find(t->other_context, &t->finder, at, false, &run);
}

/*
 * The first place from frame `at` on that is sent sound in all channels; one where some channel is
 * foreign counts only when no better one comes within PATIENCE frames. 1, 0, SWITCH or -ENOMEM.
 */
static int next_place(struct tracker *t, uint64_t at, struct run *run)
{
    const struct track_request *q = t->finder.request;
    uint64_t frames = q->recording->frames, stride = STRIDE;
    unsigned attempt = 0, doubt = DOUBTFUL;
    struct run second = {0};

    while (at + t->matcher->probe <= frames &&
           !(second.frames && at > second.recorded + PATIENCE)) {
        if (track_silent(q, at)) {
            at++;
            continue;
        }
        int found = t->matcher->find(t->context, &t->finder, at, attempt++ % THOROUGHLY == 0, run);
        if (found < 0 || (found && !partial(q, run)))
            return found;
        if (found && !second.frames)
            second = *run;
        if (!found && attempt == doubt) {
            doubt *= DOUBT_MORE;
            if ((found = other_fits(t, at)))
                return found < 0 ? found : SWITCH;
        }
        at += stride;
        if (attempt > THOROUGHLY && stride < t->matcher->stride_max)
            stride += stride / t->matcher->stride_by;
    }
    *run = second;
    return second.frames > 0;
}

/* 0, SWITCH or -ENOMEM. */
static int follow(struct tracker *t, struct run_list *runs)
{
    struct run run;
    uint64_t at = 0;
    int found;

    while ((found = next_place(t, at, &run)) == 1) {
        int err = t->matcher->extend(t->context, &run, at);
        if (!err)
            err = push(runs, &run);
        if (err) {
            free(run.path);
            return err;
        }
        t->finder.last = &runs->at[runs->count - 1];
        at = run.recorded + run.frames;
    }
    return found;
}

static int track_with(const struct matcher *m, const struct matcher *other,
                      const struct track_request *request, struct run_list *runs)
{
    struct tracker t = {
        .matcher = m,
        .other = other,
        .finder = {.request = request, .timed = request->line != NULL, .any_rate = m->any_rate}};

    for (size_t i = 0; i < request->n_segments; i++)
        t.finder.timed = t.finder.timed && request->segments[i].timed;
    *runs = (struct run_list){.resampled = m == &matcher_resampled};
    int err = m->open(&t.context, request);
    if (!err)
        err = follow(&t, runs);
    m->close(t.context);
    if (other)
        other->close(t.other_context);
    return err;
}

int track(const struct track_request *request, struct run_list *runs)
{
    const struct matcher *other = request->mode == TRACK_AUTO ? &matcher_resampled : NULL;

    if (request->mode != TRACK_RESAMPLED) {
        int err = track_with(&matcher_exact, other, request, runs);
        if (err != SWITCH)
            return err;
        runs_finish(runs);
    }
    return track_with(&matcher_resampled, NULL, request, runs);
}
