#include "listen_find.h"

#include <errno.h>
#include <stdlib.h>

#define CHUNK      (1 << 21)
#define LOUD_LEAST 8 /* samples of a probe that must stand out from silence */

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
static int scan(struct exact *e, const struct probe *p, const struct range *r, unsigned channel,
                uint64_t *sent)
{
    const struct segment *s = &e->request->segments[r->segment];

    for (uint64_t done = 0; done < r->to - r->from; done += CHUNK) {
        uint64_t left = r->to - r->from - done;
        size_t count = left < CHUNK ? (size_t)left : CHUNK;
        uint64_t from = r->newest_first ? r->to - done - count : r->from + done;
        const int32_t *want = expect_samples(&e->expect, s, channel, from, count + FIND_PROBE);
        if (!want)
            return -ENOMEM;
        for (size_t i = 0; i < count; i++) {
            size_t at = r->newest_first ? count - 1 - i : i;
            if (fits(p, want + at, e->request->tolerance)) {
                *sent = from + at;
                return 1;
            }
        }
    }
    return 0;
}

static int fits_at(struct exact *e, const struct run *run, const struct probe *p, unsigned channel)
{
    const struct segment *s = &e->request->segments[run->segment];
    const int32_t *want = expect_samples(&e->expect, s, channel, run->sent, FIND_PROBE);
    return want ? fits(p, want, e->request->tolerance) : -ENOMEM;
}

/* Which sent channel a recorded one holds at the place found: the one it should, if that fits. */
static int identify(struct exact *e, struct run *run, unsigned recorded_channel)
{
    const struct track_request *q = e->request;
    unsigned channels = q->segments[run->segment].format.channels;
    int should = q->map[recorded_channel];
    struct probe p;

    if (should == HOLDS_ANYTHING)
        return HOLDS_ANYTHING;
    take_probe(q, run->recorded, recorded_channel, &p);
    if (should >= 0 && should < (int)channels && fits_at(e, run, &p, (unsigned)should) > 0)
        return should;
    for (unsigned i = 0; p.loud && i < channels; i++)
        if (fits_at(e, run, &p, i) > 0)
            return (int)i;
    static const int32_t nothing[FIND_PROBE];
    return fits(&p, nothing, q->tolerance) ? HOLDS_SILENCE : HOLDS_ANYTHING;
}

static int look(void *context, uint64_t recorded, const struct range *r, bool thorough,
                struct run *run)
{
    struct exact *e = context;
    const struct track_request *q = e->request;
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
            int found = scan(e, &p, r, c, &run->sent);
            for (unsigned k = 0; found > 0 && k < q->recording->channels; k++)
                run->holds[k] = (int8_t)identify(e, run, k);
            if (found)
                return found;
        }
        if (!thorough)
            return 0;
    }
    return 0;
}

static int look_quickly(void *context, uint64_t recorded, const struct range *r, struct run *run)
{
    return look(context, recorded, r, false, run);
}

static int look_thoroughly(void *context, uint64_t recorded, const struct range *r, struct run *run)
{
    return look(context, recorded, r, true, run);
}

int find_run(struct exact *e, const struct finder *f, uint64_t recorded, bool thorough,
             struct run *run)
{
    return ranges_search(f, recorded, thorough ? look_thoroughly : look_quickly, e, run);
}
