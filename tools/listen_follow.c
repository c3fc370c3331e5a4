/* The resampled matcher: the band-limited signal at a position that drifts. */
#include "listen_correlate.h"
#include "listen_fit.h"
#include "listen_matcher.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define PROBE    EAR_MOST
#define BLOCK    64   /* recorded frames followed at once */
#define LATER    64   /* recorded frames between attempts at a place that was found, */
#define LATEST   8    /* so many of them: what is heard first may be a fade */
#define LOUD     1e-8 /* power of a sample, against full scale's */
#define PACE_ADJ 0.25 /* of a step's surprise is taken for a change of pace */

struct follower {
    struct ear ear;
    struct correlator *correlator;
    struct fitter fitter;
    bool thorough; /* the search in progress */
};

static int resampled_open(void **context, const struct track_request *q)
{
    struct follower *w = *context = calloc(1, sizeof *w);
    double step = (double)q->tolerance / 2147483648.0;

    if (!w)
        return -ENOMEM;
    w->fitter.ear = &w->ear;
    w->fitter.faint = step * step;
    int err = ear_open(&w->ear, q);
    return err ? err : correlator_open(&w->correlator);
}

static void resampled_close(void *context)
{
    struct follower *w = context;

    if (!w)
        return;
    ear_close(&w->ear);
    correlator_close(w->correlator);
    free(w);
}

/* ---- finding ---- */

static double heard_power(struct follower *w, uint64_t recorded, unsigned channel)
{
    const float *x = ear_heard(&w->ear, channel, recorded, PROBE);
    double sum = 0;

    for (unsigned i = 0; i < PROBE; i++)
        sum += (double)x[i] * x[i];
    return sum / PROBE;
}

static bool alone_fits(struct follower *w, const struct pace *p, unsigned channel, int holds)
{
    int8_t all[TRACK_CHANNELS];

    for (unsigned i = 0; i < TRACK_CHANNELS; i++)
        all[i] = HOLDS_ANYTHING;
    all[channel] = (int8_t)holds;
    w->fitter.holds = all;
    fit_compare(&w->fitter, p, PROBE);
    return fit_faithful(&w->fitter, PROBE);
}

/* Which sent channel a recorded one holds at the place found: the one it should, if that fits. */
static int identify(struct follower *w, const struct pace *p, unsigned channel)
{
    int should = w->ear.request->map[channel], sent = w->ear.segment->format.channels;

    if (should == HOLDS_ANYTHING)
        return HOLDS_ANYTHING;
    if (should >= 0 && should < sent && alone_fits(w, p, channel, should))
        return should;
    bool loud = heard_power(w, p->recorded, channel) > LOUD;
    for (int i = 0; loud && i < sent; i++)
        if (alone_fits(w, p, channel, i))
            return i;
    return alone_fits(w, p, channel, HOLDS_SILENCE) ? HOLDS_SILENCE : HOLDS_ANYTHING;
}

/* The run that begins at about p, or a little later, by what that channel of it holds. */
static bool settle(struct follower *w, struct pace p, unsigned channel, int holds, struct run *run)
{
    const struct track_request *q = w->ear.request;
    int8_t all[TRACK_CHANNELS];

    for (unsigned i = 0; i < TRACK_CHANNELS; i++)
        all[i] = HOLDS_ANYTHING;
    all[channel] = (int8_t)holds;
    for (int i = 0; i < LATEST && p.recorded + PROBE <= q->recording->frames; i++) {
        struct pace at = p;
        w->fitter.holds = all;
        p.recorded += LATER;
        p.position += LATER * p.rate;
        if (heard_power(w, at.recorded, channel) < LOUD || !fit_settle(&w->fitter, &at, PROBE) ||
            at.position < 0)
            continue;
        *run = (struct run){.segment = (size_t)(w->ear.segment - q->segments),
                            .recorded = at.recorded,
                            .sent = (uint64_t)llround(at.position),
                            .frames = PROBE,
                            .position = at.position,
                            .rate = at.rate};
        for (unsigned k = 0; k < q->recording->channels; k++)
            run->holds[k] = (int8_t)identify(w, &at, k);
        return true;
    }
    return false;
}

/* In one recorded channel, for one sent one. */
static bool look_for(struct follower *w, uint64_t recorded, const struct range *r, unsigned channel,
                     unsigned sent, struct run *run)
{
    struct pace p = {recorded, 0, w->ear.nominal};
    const float *probe = ear_heard(&w->ear, channel, recorded, PROBE);

    return correlate(w->correlator, &w->ear, probe, sent, r, &p.position) &&
           settle(w, p, channel, (int)sent, run);
}

static int look(void *context, uint64_t recorded, const struct range *r, struct run *run)
{
    struct follower *w = context;
    const struct track_request *q = w->ear.request;
    int tuned = ear_tune(&w->ear, &q->segments[r->segment]);
    int sent = w->ear.segment ? w->ear.segment->format.channels : 0;

    for (unsigned i = 0; tuned == 1 && i < q->recording->channels; i++) {
        int should = q->map[i];
        if (should == HOLDS_ANYTHING || heard_power(w, recorded, i) < LOUD)
            continue;
        if (should >= 0 && should < sent && look_for(w, recorded, r, i, (unsigned)should, run))
            return 1;
        if (!w->thorough)
            break;
        for (int c = 0; c < sent; c++)
            if (c != should && look_for(w, recorded, r, i, (unsigned)c, run))
                return 1;
    }
    return tuned < 0 ? tuned : 0;
}

/* Where the last run would be by now: a fade, a click, a step of a frame. 1, 0 or -ENOMEM. */
static int look_in_place(struct follower *w, const struct run *last, uint64_t recorded,
                         struct run *run)
{
    const struct track_request *q = w->ear.request;
    const struct waypoint *p = last->path;
    size_t n = last->n_path;

    int tuned = ear_tune(&w->ear, &q->segments[last->segment]);
    if (tuned <= 0 || n < 2)
        return tuned < 0 ? tuned : 0;
    struct pace at = {.recorded = recorded,
                      .position = run_sent_at(last, (double)recorded - (double)last->recorded),
                      .rate = (p[n - 1].sent - p[n - 2].sent) /
                              (p[n - 1].recorded - p[n - 2].recorded)};
    for (unsigned i = 0; i < q->recording->channels; i++)
        if (last->holds[i] >= 0 && settle(w, at, i, last->holds[i], run))
            return 1;
    return 0;
}

static int resampled_find(void *context, const struct finder *f, uint64_t recorded, bool thorough,
                          struct run *run)
{
    struct follower *w = context;
    int found = f->last ? look_in_place(w, f->last, recorded, run) : 0;

    if (found)
        return found;
    w->thorough = thorough;
    return ranges_search(f, recorded, look, w, run);
}

/* ---- following ---- */

/* A path that is being made. */
struct path {
    struct waypoint *at;
    size_t count, room;
};

static int add(struct path *path, const struct pace *p, double offset, double error)
{
    if (path->count == path->room) {
        size_t room = path->room * 2 + 64;
        struct waypoint *at = realloc(path->at, room * sizeof *at);
        if (!at)
            return -ENOMEM;
        path->at = at;
        path->room = room;
    }
    path->at[path->count++] =
        (struct waypoint){(double)p->recorded + offset, p->position + offset * p->rate, error};
    return 0;
}

static void turn_round(struct path *path)
{
    for (size_t i = 0, k = path->count; i + 1 < k; i++) {
        struct waypoint w = path->at[i];
        path->at[i] = path->at[--k];
        path->at[k] = w;
    }
}

/* Where the run ends within what was compared; a block that is bad all over is none of it. */
static unsigned edge_of(const struct fitter *f, unsigned count, bool from_end)
{
    unsigned good = fit_good_frames(f, count, from_end);
    return good < BLOCK ? good : 0;
}

/* One block back from p, as far as there is room: how many frames of it are good. */
static unsigned step_back(struct fitter *f, struct pace *p, uint64_t room, double *error)
{
    unsigned count = room < BLOCK ? (unsigned)room : BLOCK;
    struct pace at = {p->recorded - count, p->position - p->rate * count, p->rate}, before = at;

    if (count == BLOCK && fit_step(f, &at, count, error)) {
        at.rate -= PACE_ADJ * (at.position - before.position) / count;
        *p = at;
        return count;
    }
    if (count == 0)
        return 0;
    fit_compare(f, &before, count);
    return edge_of(f, count, true);
}

static int extend_back(struct follower *w, struct run *run, uint64_t limit, struct path *path)
{
    struct pace p = {run->recorded, run->position, run->rate};
    unsigned good;

    do {
        uint64_t room = p.recorded - limit;
        double sent = floor(p.position / p.rate), error = 0;
        if (sent < (double)room)
            room = sent > 0 ? (uint64_t)sent : 0;
        good = step_back(&w->fitter, &p, room, &error);
        if (good == BLOCK && add(path, &p, BLOCK / 2.0, error))
            return -ENOMEM;
        run->recorded -= good;
        run->frames += good;
    } while (good == BLOCK);
    turn_round(path);
    return 0;
}

static unsigned step_forward(struct fitter *f, struct pace *p, uint64_t room, double *error)
{
    unsigned count = room < BLOCK ? (unsigned)room : BLOCK;
    struct pace at = *p;

    if (count == BLOCK && fit_step(f, &at, count, error)) {
        p->rate += PACE_ADJ * (at.position - p->position) / count;
        p->position = at.position;
        return count;
    }
    if (count == 0)
        return 0;
    fit_compare(f, p, count);
    return edge_of(f, count, false);
}

/* From the first frame found on, so that what find() found gets waypoints, too. */
static int extend_forward(struct follower *w, struct run *run, uint64_t found, struct path *path)
{
    const struct recording *r = w->ear.request->recording;
    struct pace p = {found, run->position, run->rate};
    double frames = (double)w->ear.segment->frames;
    unsigned good;

    run->frames = found - run->recorded;
    do {
        uint64_t room = r->frames - p.recorded;
        double left = floor((frames - p.position) / p.rate), error = 0;
        if (left < (double)room)
            room = left > 0 ? (uint64_t)left : 0;
        good = step_forward(&w->fitter, &p, room, &error);
        if (good == BLOCK && add(path, &p, BLOCK / 2.0, error))
            return -ENOMEM;
        p.recorded += good;
        p.position += p.rate * good;
        run->frames += good;
    } while (good == BLOCK);
    return 0;
}

/* A run too short for two blocks goes at the pace that find() found. */
static int add_ends(const struct run *run, uint64_t found, struct path *path)
{
    struct pace p = {found, run->position, run->rate};

    path->count = 0;
    int err = add(path, &p, 0, 0);
    return err ? err : add(path, &p, PROBE, 0);
}

static int resampled_extend(void *context, struct run *run, uint64_t limit)
{
    struct follower *w = context;
    struct path path = {0};
    uint64_t found = run->recorded;

    int err = ear_tune(&w->ear, &w->ear.request->segments[run->segment]);
    w->fitter.holds = run->holds;
    if (err > 0)
        err = extend_back(w, run, limit, &path);
    if (!err)
        err = extend_forward(w, run, found, &path);
    if (!err && run->recorded + run->frames <= found)
        run->frames = found + PROBE - run->recorded;
    if (!err && path.count < 2)
        err = add_ends(run, found, &path);
    run->path = path.at;
    run->n_path = path.count;
    run->sent = (uint64_t)llround(fmax(run_sent_at(run, 0), 0));
    return err;
}

const struct matcher matcher_resampled = {
    .probe = PROBE,
    .stride_max = 48000,
    .stride_by = 2,
    .any_rate = true,
    .open = resampled_open,
    .close = resampled_close,
    .find = resampled_find,
    .extend = resampled_extend,
};
