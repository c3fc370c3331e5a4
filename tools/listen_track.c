#include "listen_track.h"

#include "listen_find.h"

#include <errno.h>
#include <stdlib.h>

#define STRIDE     64 /* frames between attempts while nothing matches, */
#define PATIENCE   4096
#define STRIDE_MAX 2048 /* growing to this */
#define THOROUGHLY 16   /* every so many attempts any channel may hold any other */
#define BLOCK      4096

int64_t track_tolerance(const struct recording *r, const struct pcm_format *sent)
{
    (void)r, (void)sent; /* no type that is recorded, and no width that is sent, is coarser */
    return (int64_t)1 << 16;
}

void runs_finish(struct run_list *runs)
{
    free(runs->at);
    runs->at = NULL;
    runs->count = 0;
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

/* How many of the `count` frames from (recorded, sent) on match in a row, or in a row from the end.
 */
static size_t matching(struct finder *f, const struct run *run, uint64_t recorded, uint64_t sent,
                       size_t count, bool from_end)
{
    const struct track_request *q = f->request;
    const struct segment *s = &q->segments[run->segment];
    size_t good = count;

    for (unsigned i = 0; i < q->recording->channels; i++) {
        int holds = run->holds[i];
        if (holds == HOLDS_ANYTHING)
            continue;
        const int32_t *want =
            holds >= 0 ? expect_samples(&f->expect, s, (unsigned)holds, sent, count) : NULL;
        for (size_t j = 0; j < good; j++) {
            size_t at = from_end ? count - 1 - j : j;
            int64_t heard = recording_sample(q->recording, recorded + at, i);
            if (llabs(heard - (want ? want[at] : 0)) > q->tolerance)
                good = j;
        }
    }
    return good;
}

static void extend_back(struct finder *f, struct run *run, uint64_t limit)
{
    for (;;) {
        uint64_t room = run->recorded - limit;
        if (room > run->sent)
            room = run->sent;
        size_t block = room < BLOCK ? (size_t)room : BLOCK;
        size_t good = matching(f, run, run->recorded - block, run->sent - block, block, true);
        run->recorded -= good;
        run->sent -= good;
        run->frames += good;
        if (good < block || block == 0)
            return;
    }
}

static void extend_forward(struct finder *f, struct run *run)
{
    for (;;) {
        uint64_t recorded = run->recorded + run->frames, sent = run->sent + run->frames;
        uint64_t room = f->request->recording->frames - recorded;
        uint64_t left = f->request->segments[run->segment].frames;
        left = left > sent ? left - sent : 0;
        if (room > left)
            room = left;
        size_t block = room < BLOCK ? (size_t)room : BLOCK;
        size_t good = matching(f, run, recorded, sent, block, false);
        run->frames += good;
        if (good < block || block == 0)
            return;
    }
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

/*
 * The first place from frame `at` on that is sent sound in all channels; one where some channel is
 * foreign counts only when no better one comes within PATIENCE frames. 1, 0, or -ENOMEM.
 */
static int next_place(struct finder *f, uint64_t at, struct run *run)
{
    uint64_t frames = f->request->recording->frames, stride = STRIDE;
    unsigned attempt = 0;
    struct run second = {0};

    while (at + FIND_PROBE <= frames && !(second.frames && at > second.recorded + PATIENCE)) {
        if (track_silent(f->request, at)) {
            at++;
            continue;
        }
        int found = find_run(f, at, attempt++ % THOROUGHLY == 0, run);
        if (found < 0 || (found && !partial(f->request, run)))
            return found;
        if (found && !second.frames)
            second = *run;
        at += stride;
        if (attempt > THOROUGHLY && stride < STRIDE_MAX)
            stride += stride / 8;
    }
    *run = second;
    return second.frames > 0;
}

int track(const struct track_request *request, struct run_list *runs)
{
    struct finder f = {.request = request, .timed = request->line != NULL};
    struct run run;
    uint64_t at = 0;
    int found;

    for (size_t i = 0; i < request->n_segments; i++)
        f.timed = f.timed && request->segments[i].timed;
    *runs = (struct run_list){0};
    while ((found = next_place(&f, at, &run)) > 0) {
        extend_back(&f, &run, at);
        extend_forward(&f, &run);
        found = push(runs, &run);
        if (found < 0)
            break;
        f.last = &runs->at[runs->count - 1];
        at = run.recorded + run.frames;
    }
    expect_finish(&f.expect);
    return found;
}
