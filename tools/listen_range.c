#include "listen_range.h"

#define WINDOW_S 3    /* s to either side of where it is expected */
#define FIRST_S  30   /* s: a recording begins within so much of a signal without end */
#define EARLY_NS 50e6 /* the log's clock and the recording's line agree to so much */

struct search {
    const struct finder *f;
    uint64_t recorded;
    look_fn *look;
    void *context;
};

/* Clips the range to the segment and looks there. */
static int look_between(const struct search *s, size_t segment, double from, double to,
                        struct run *run)
{
    const struct finder *f = s->f;
    const struct segment *seg = &f->request->segments[segment];
    double frames = (double)seg->frames;
    struct range r = {.segment = segment, .newest_first = f->timed};

    if ((seg->format.rate != f->request->recording->rate && !f->any_rate) ||
        seg->signal == SIGNAL_SILENCE)
        return 0;
    if (seg->frames == FRAMES_UNKNOWN && !f->last && !f->timed)
        frames = FIRST_S * (double)seg->format.rate;
    from = from < 0 ? 0 : from;
    to = to > frames ? frames : to;
    if (to <= from)
        return 0;
    r.from = (uint64_t)from;
    r.to = (uint64_t)to;
    return s->look(s->context, s->recorded, &r, run);
}

/* Both clocks are known: what was sent in the last seconds, the newest first. */
static int search_by_time(const struct search *s, struct run *run)
{
    const struct track_request *q = s->f->request;
    double now = timeline_at(q->line, (double)s->recorded) + EARLY_NS;

    for (size_t i = q->n_segments; i-- > 0;) {
        const struct segment *seg = &q->segments[i];
        double frame_ns = segment_time(seg, 1) - segment_time(seg, 0);
        double to = (now - (double)seg->t0) / frame_ns;
        int found = look_between(s, i, to - (WINDOW_S * 1e9 + EARLY_NS) / frame_ns, to, run);
        if (found)
            return found;
    }
    return 0;
}

/* From where the last run would have gone on: forward, then the next segments, then back. */
static int search_by_place(const struct search *s, struct run *run)
{
    const struct track_request *q = s->f->request;
    const struct run *last = s->f->last;
    size_t here = last ? last->segment : 0;
    double window = WINDOW_S * (double)q->segments[here].format.rate;
    double expected = last ? run_sent_at(last, (double)s->recorded - (double)last->recorded) : 0;
    double ahead = last ? window : (double)FRAMES_UNKNOWN;

    int found = look_between(s, here, expected, expected + ahead, run);
    for (size_t i = here + 1; !found && i < q->n_segments; i++)
        found = look_between(s, i, 0, ahead, run);
    if (!found && last)
        found = look_between(s, here, expected - window, expected, run);
    return found;
}

int ranges_search(const struct finder *f, uint64_t recorded, look_fn *look, void *context,
                  struct run *run)
{
    const struct search s = {f, recorded, look, context};
    return f->timed ? search_by_time(&s, run) : search_by_place(&s, run);
}
