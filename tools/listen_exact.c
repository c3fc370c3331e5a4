/* The exact matcher: sample by sample. */
#include "listen_find.h"
#include "listen_matcher.h"

#include <errno.h>
#include <stdlib.h>

#define BLOCK 4096

static int exact_open(void **context, const struct track_request *request)
{
    struct exact *e = *context = calloc(1, sizeof *e);

    if (!e)
        return -ENOMEM;
    e->request = request;
    return 0;
}

static void exact_close(void *context)
{
    struct exact *e = context;

    if (e)
        expect_finish(&e->expect);
    free(e);
}

static int exact_find(void *context, const struct finder *f, uint64_t recorded, bool thorough,
                      struct run *run)
{
    return find_run(context, f, recorded, thorough, run);
}

/* How many of the `count` frames from (recorded, sent) on match in a row, or in a row from the end.
 */
static size_t matching(struct exact *e, const struct run *run, uint64_t recorded, uint64_t sent,
                       size_t count, bool from_end)
{
    const struct track_request *q = e->request;
    const struct segment *s = &q->segments[run->segment];
    size_t good = count;

    for (unsigned i = 0; i < q->recording->channels; i++) {
        int holds = run->holds[i];
        if (holds == HOLDS_ANYTHING)
            continue;
        const int32_t *want =
            holds >= 0 ? expect_samples(&e->expect, s, (unsigned)holds, sent, count) : NULL;
        for (size_t j = 0; j < good; j++) {
            size_t at = from_end ? count - 1 - j : j;
            int64_t heard = recording_sample(q->recording, recorded + at, i);
            if (llabs(heard - (want ? want[at] : 0)) > q->tolerance)
                good = j;
        }
    }
    return good;
}

static void extend_back(struct exact *e, struct run *run, uint64_t limit)
{
    for (;;) {
        uint64_t room = run->recorded - limit;
        if (room > run->sent)
            room = run->sent;
        size_t block = room < BLOCK ? (size_t)room : BLOCK;
        size_t good = matching(e, run, run->recorded - block, run->sent - block, block, true);
        run->recorded -= good;
        run->sent -= good;
        run->frames += good;
        if (good < block || block == 0)
            return;
    }
}

static void extend_forward(struct exact *e, struct run *run)
{
    for (;;) {
        uint64_t recorded = run->recorded + run->frames, sent = run->sent + run->frames;
        uint64_t room = e->request->recording->frames - recorded;
        uint64_t left = e->request->segments[run->segment].frames;
        left = left > sent ? left - sent : 0;
        if (room > left)
            room = left;
        size_t block = room < BLOCK ? (size_t)room : BLOCK;
        size_t good = matching(e, run, recorded, sent, block, false);
        run->frames += good;
        if (good < block || block == 0)
            return;
    }
}

static int exact_extend(void *context, struct run *run, uint64_t limit)
{
    extend_back(context, run, limit);
    extend_forward(context, run);
    return 0;
}

const struct matcher matcher_exact = {
    .probe = FIND_PROBE,
    .stride_max = 2048,
    .stride_by = 8,
    .open = exact_open,
    .close = exact_close,
    .find = exact_find,
    .extend = exact_extend,
};
