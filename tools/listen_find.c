#include "listen_find.h"

#include "../src/clock.h"

#include <errno.h>
#include <stdlib.h>

#define WINDOW_S   3    /* s to either side of where it is expected */
#define FIRST_S    30   /* s: a recording begins within so much of a signal without end */
#define EARLY_NS   50e6 /* the log's clock and the recording's line agree to so much */
#define CHUNK      (1 << 21)
#define LOUD_LEAST 8 /* samples of a probe that must stand out from silence */

/* Places to look at, of one segment: sent frames [from, to). */
struct range {
    size_t segment;
    uint64_t from, to;
    bool newest_first;
};

struct probe {
    int64_t heard[FIND_PROBE];
    bool loud;
};

static void take_probe(const struct track_request *q, uint64_t recorded, unsigned channel,
                       struct probe *p)
{
    unsigned loud = 0;

    for (unsigned i = 0; i < FIND_PROBE; i++) {
        p->heard[i] = recording_sample(q->recording, recorded + i, channel);
        loud += llabs(p->heard[i]) > 4 * q->tolerance;
    }
    p->loud = loud >= LOUD_LEAST;
}

static bool fits(const struct probe *p, const int32_t *want, int64_t tolerance)
{
    for (unsigned i = 0; i < FIND_PROBE; i++)
        if (llabs(p->heard[i] - want[i]) > tolerance)
            return false;
    return true;
}

/* 1 with *sent, 0, or -ENOMEM. */
static int scan(struct finder *f, const struct probe *p, const struct range *r, unsigned channel,
                uint64_t *sent)
{
    const struct segment *s = &f->request->segments[r->segment];

    for (uint64_t done = 0; done < r->to - r->from; done += CHUNK) {
        uint64_t left = r->to - r->from - done;
        size_t count = left < CHUNK ? (size_t)left : CHUNK;
        uint64_t from = r->newest_first ? r->to - done - count : r->from + done;
        const int32_t *want = expect_samples(&f->expect, s, channel, from, count + FIND_PROBE);
        if (!want)
            return -ENOMEM;
        for (size_t i = 0; i < count; i++) {
            size_t at = r->newest_first ? count - 1 - i : i;
            if (fits(p, want + at, f->request->tolerance)) {
                *sent = from + at;
                return 1;
            }
        }
    }
    return 0;
}

static int fits_at(struct finder *f, const struct run *run, const struct probe *p, unsigned channel)
{
    const struct segment *s = &f->request->segments[run->segment];
    const int32_t *want = expect_samples(&f->expect, s, channel, run->sent, FIND_PROBE);
    return want ? fits(p, want, f->request->tolerance) : -ENOMEM;
}

/* Which sent channel a recorded one holds at the place found: the one it should, if that fits. */
static int identify(struct finder *f, struct run *run, unsigned recorded_channel)
{
    const struct track_request *q = f->request;
    unsigned channels = q->segments[run->segment].format.channels;
    int should = q->map[recorded_channel];
    struct probe p;

    if (should == HOLDS_ANYTHING)
        return HOLDS_ANYTHING;
    take_probe(q, run->recorded, recorded_channel, &p);
    if (should >= 0 && should < (int)channels && fits_at(f, run, &p, (unsigned)should) > 0)
        return should;
    for (unsigned i = 0; p.loud && i < channels; i++)
        if (fits_at(f, run, &p, i) > 0)
            return (int)i;
    static const int32_t nothing[FIND_PROBE];
    return fits(&p, nothing, q->tolerance) ? HOLDS_SILENCE : HOLDS_ANYTHING;
}

static int look(struct finder *f, uint64_t recorded, const struct range *r, bool thorough,
                struct run *run)
{
    const struct track_request *q = f->request;
    unsigned channels = q->segments[r->segment].format.channels;
    struct probe p;

    for (unsigned i = 0; i < q->recording->channels; i++) {
        take_probe(q, recorded, i, &p);
        if (!p.loud || q->map[i] == HOLDS_ANYTHING)
            continue;
        for (unsigned c = 0; c < channels; c++) {
            if (!thorough && (int)c != q->map[i])
                continue;
            *run = (struct run){.segment = r->segment, .recorded = recorded, .frames = FIND_PROBE};
            int found = scan(f, &p, r, c, &run->sent);
            for (unsigned k = 0; found > 0 && k < q->recording->channels; k++)
                run->holds[k] = (int8_t)identify(f, run, k);
            if (found)
                return found;
        }
        if (!thorough)
            return 0;
    }
    return 0;
}

/* Clips the range to the segment and looks there. */
static int look_between(struct finder *f, uint64_t recorded, size_t segment, double from, double to,
                        bool thorough, struct run *run)
{
    const struct track_request *q = f->request;
    const struct segment *s = &q->segments[segment];
    double frames = (double)s->frames;
    struct range r = {.segment = segment, .newest_first = f->timed};

    if (s->format.rate != q->recording->rate || s->signal == SIGNAL_SILENCE)
        return 0;
    if (s->frames == FRAMES_UNKNOWN && !f->last && !f->timed)
        frames = FIRST_S * (double)s->format.rate;
    from = from < 0 ? 0 : from;
    to = to > frames ? frames : to;
    if (to <= from)
        return 0;
    r.from = (uint64_t)from;
    r.to = (uint64_t)to;
    return look(f, recorded, &r, thorough, run);
}

/* Both clocks are known: what was sent in the last seconds, the newest first. */
static int find_by_time(struct finder *f, uint64_t recorded, bool thorough, struct run *run)
{
    const struct track_request *q = f->request;
    double now = timeline_at(q->line, (double)recorded) + EARLY_NS;

    for (size_t i = q->n_segments; i-- > 0;) {
        const struct segment *s = &q->segments[i];
        double frame_ns = segment_time(s, 1) - segment_time(s, 0);
        double to = (now - (double)s->t0) / frame_ns;
        int found = look_between(f, recorded, i, to - (WINDOW_S * 1e9 + EARLY_NS) / frame_ns, to,
                                 thorough, run);
        if (found)
            return found;
    }
    return 0;
}

/* From where the last run would have gone on: forward, then the next segments, then back. */
static int find_by_place(struct finder *f, uint64_t recorded, bool thorough, struct run *run)
{
    const struct track_request *q = f->request;
    const struct run *last = f->last;
    double window = WINDOW_S * (double)q->recording->rate;
    double expected = last ? (double)last->sent + (double)recorded - (double)last->recorded : 0;
    double ahead = last ? window : (double)FRAMES_UNKNOWN;

    int found = look_between(f, recorded, last ? last->segment : 0, expected, expected + ahead,
                             thorough, run);
    for (size_t i = last ? last->segment + 1 : 1; !found && i < q->n_segments; i++)
        found = look_between(f, recorded, i, 0, ahead, thorough, run);
    if (!found && last)
        found =
            look_between(f, recorded, last->segment, expected - window, expected, thorough, run);
    return found;
}

int find_run(struct finder *f, uint64_t recorded, bool thorough, struct run *run)
{
    return f->timed ? find_by_time(f, recorded, thorough, run)
                    : find_by_place(f, recorded, thorough, run);
}
