#include "listen_judge.h"

#include "listen_latency.h"
#include "listen_pacing.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define THRESHOLD 0.003 /* -50 dBFS */
#define BLOCK_S   0.01
#define SETTLE_NS 150e6 /* of a new format, before its sound is expected */
#define PLACED_S  0.1   /* a shorter run is a glitch, which the hole beside it counts */
#define SAME      0.3   /* frames that a position may be off without being another, and */
#define DOUBT     2e-4  /* so many more for each of the hole: its pace is not known */

#define CROSSFADE_S 0.008 /* and more than one takes */

const char *hole_name(enum hole_kind kind)
{
    static const char *const names[] = {
        [HOLE_GAP] = "gap",       [HOLE_FADE] = "fade",       [HOLE_SKIP] = "skip",
        [HOLE_REPEAT] = "repeat", [HOLE_FOREIGN] = "foreign", [HOLE_CHANGE] = "change"};
    return names[kind];
}

/* Edges of a resampled run are blurred, and a step may be hidden by a crossfade. */
static enum hole_kind blurred_kind(const struct track_request *q, const struct hole *h,
                                   double moved)
{
    if (fabs(moved) < SAME + DOUBT * (double)h->frames)
        return HOLE_FADE;
    if (moved > 0)
        return HOLE_SKIP;
    return (double)h->frames < CROSSFADE_S * q->recording->rate ? HOLE_REPEAT : HOLE_FOREIGN;
}

/* How many sent frames more than its time were passed over. */
static double moved_over(const struct run *a, const struct run *b)
{
    return run_sent_at(b, 0) - run_sent_at(a, (double)b->recorded - (double)a->recorded);
}

static struct hole hole_between(const struct track_request *q, const struct run *a,
                                const struct run *b)
{
    struct hole h = {.recorded = a->recorded + a->frames};
    h.frames = b->recorded - h.recorded;
    for (uint64_t i = 0; i < h.frames; i++)
        h.silent += track_silent(q, h.recorded + i);
    if (a->segment != b->segment) {
        h.kind = HOLE_CHANGE;
        return h;
    }
    h.sent = llround(run_sent_at(b, 0) - run_sent_at(a, (double)a->frames));
    if (h.silent > (uint64_t)(q->recording->rate / 1000))
        h.kind = HOLE_GAP;
    else if (a->path)
        h.kind = blurred_kind(q, &h, moved_over(a, b));
    else if (h.sent == (int64_t)h.frames)
        h.kind = HOLE_FADE;
    else if (h.sent < 0)
        h.kind = HOLE_REPEAT;
    else if (h.sent > (int64_t)h.frames)
        h.kind = HOLE_SKIP;
    else
        h.kind = HOLE_FOREIGN;
    return h;
}

static void count_hole(struct verdict *v, const struct hole *h)
{
    if (h->kind == HOLE_CHANGE)
        return;
    v->dropouts++;
    v->dropout_frames += h->frames;
    v->gaps += h->kind == HOLE_GAP;
    v->gap_frames += h->silent;
    /* frames of a blurred edge are not lost */
    int64_t sent = h->sent;
    if (v->resampled && (h->kind == HOLE_SKIP || h->kind == HOLE_REPEAT))
        sent -= (int64_t)h->frames;
    v->lost += sent > 0 ? (uint64_t)sent : 0;
    v->repeated += sent < 0 ? (uint64_t)-sent : 0;
}

static void check_channels(struct verdict *v, const struct track_request *q, const struct run *run)
{
    if ((double)run->frames < PLACED_S * q->recording->rate)
        return;
    for (unsigned i = 0; i < q->recording->channels; i++) {
        /* a source with fewer channels has nothing for the rest of the map */
        int should = q->map[i];
        if (should >= (int)q->segments[run->segment].format.channels)
            should = HOLDS_SILENCE;
        if (should == HOLDS_ANYTHING || run->holds[i] == should)
            continue;
        v->misplaced[i] = 1;
        v->held[i] = run->holds[i];
    }
}

static void judge_runs(struct verdict *v, const struct track_request *q,
                       const struct run_list *runs)
{
    for (size_t i = 0; i < runs->count; i++) {
        const struct run *run = &runs->at[i];
        v->matched += run->frames;
        v->segments[run->segment].matched += run->frames;
        check_channels(v, q, run);
        if (i == 0)
            continue;
        const struct hole h = hole_between(q, run - 1, run);
        if (h.kind == HOLE_FADE && h.frames == 0)
            continue; /* nothing is missing or out of place: the tracking began anew */
        v->holes[v->n_holes++] = h;
        count_hole(v, &h);
    }
}

/* From the first frame with sound to the last, whatever sound that is. */
static void find_sound(struct verdict *v, const struct track_request *q)
{
    uint64_t end = q->recording->frames, quiet = 0, least = q->recording->rate / 1000;

    v->first_sound = 0;
    while (v->first_sound < end && track_silent(q, v->first_sound))
        v->first_sound++;
    while (end > v->first_sound && track_silent(q, end - 1))
        end--;
    v->end_of_sound = end;
    for (uint64_t i = v->first_sound; i < end; i++) {
        if (track_silent(q, i)) {
            quiet++;
            continue;
        }
        if (quiet >= least) {
            v->silences++;
            v->silent_frames += quiet;
        }
        quiet = 0;
    }
}

static double power(const struct recording *r, uint64_t from, uint64_t to, unsigned channel)
{
    double sum = 0;
    for (uint64_t i = from; i < to; i++) {
        double x = recording_sample(r, i, channel) / 2147483648.0;
        sum += x * x;
    }
    return to > from ? sum / (double)(to - from) : 0;
}

static void measure_levels(struct verdict *v, const struct recording *r)
{
    for (unsigned i = 0; i < r->channels; i++)
        v->level[i] = 10 * log10(fmax(power(r, v->first_sound, v->end_of_sound, i), 1e-20));
}

/* Seconds of sound within [from, to) ns, in blocks. */
static double sound_between(const struct recording *r, const struct timeline *line, double from,
                            double to)
{
    uint64_t block = (uint64_t)(BLOCK_S * r->rate);
    double first = fmax(0, ceil(timeline_frame(line, from))), sound = 0;
    double last = fmin((double)r->frames, floor(timeline_frame(line, to)));

    for (double at = first; at + (double)block <= last; at += (double)block) {
        double loudest = 0;
        for (unsigned i = 0; i < r->channels; i++)
            loudest = fmax(loudest, power(r, (uint64_t)at, (uint64_t)at + block, i));
        if (loudest > THRESHOLD * THRESHOLD)
            sound += BLOCK_S;
    }
    return sound;
}

static void judge_segments(struct verdict *v, const struct track_request *q)
{
    for (size_t i = 0; i < q->n_segments; i++) {
        const struct segment *s = &q->segments[i];
        struct segment_heard *h = &v->segments[i];
        h->matchable = v->resampled || s->format.rate == q->recording->rate;
        h->length = s->frames == FRAMES_UNKNOWN ? 0 : (double)s->frames / s->format.rate;
        if (!q->line || !s->timed)
            continue;
        double end = i + 1 < q->n_segments && q->segments[i + 1].timed
                         ? (double)q->segments[i + 1].t0
                         : segment_time(s, (double)s->frames);
        h->sound = sound_between(q->recording, q->line, (double)s->t0 + SETTLE_NS, end);
    }
}

int judge(struct verdict *v, const struct track_request *request, const struct run_list *runs)
{
    *v = (struct verdict){0};
    v->holes = calloc(runs->count + 1, sizeof *v->holes);
    v->segments = calloc(request->n_segments + 1, sizeof *v->segments);
    v->run_latency = calloc(runs->count + 1, sizeof *v->run_latency);
    if (!v->holes || !v->segments || !v->run_latency)
        return -ENOMEM;
    v->resampled = runs->resampled;
    judge_runs(v, request, runs);
    find_sound(v, request);
    measure_levels(v, request->recording);
    judge_segments(v, request);
    int err = pacing_measure(&v->pacing, request, runs);
    return err ? err : latency_measure(v, request, runs);
}

void judge_finish(struct verdict *v)
{
    free(v->holes);
    free(v->segments);
    free(v->run_latency);
    *v = (struct verdict){0};
}
