#include "send_play.h"

#include "../src/clock.h"
#include "send_clock.h"

#include <errno.h>
#include <stdlib.h>

struct play {
    /* for ever */
    const struct send_parts *parts;
    const struct send_options *options;
    struct send_totals *totals;
    struct guest_pacer pacer;
    struct guest_random losses;
    int64_t duration_left; /* ns of the guest's time; INT64_MAX: no end */

    /* the stream that is open on the sink */
    bool open;
    struct pcm_format format;
    uint8_t *unit; /* unit_bytes */
    uint32_t unit_bytes;
    bool resumes; /* after a pause the same format goes on in the same stream */

    /* the segment */
    struct guest_clock clock;
    struct guest_cut cut;
    uint64_t frames_max;
    int64_t logged_stall;
};

static void close_stream(struct play *p)
{
    if (p->open)
        p->parts->sink->ops->end(p->parts->sink);
    p->open = false;
}

static int open_stream(struct play *p, const struct pcm_format *f)
{
    if (p->open && p->resumes && pcm_format_equal(&p->format, f))
        return 0;
    close_stream(p);
    const int err = p->parts->sink->ops->begin(p->parts->sink, f, &p->unit_bytes);
    if (err < 0)
        return err;
    p->open = true;
    p->format = *f;
    uint8_t *unit = realloc(p->unit, p->unit_bytes);
    if (!unit)
        return -ENOMEM;
    p->unit = unit;
    return 0;
}

static int send_unit(struct play *p, int64_t now)
{
    uint64_t first, frames;
    int err = 0;
    const bool lost =
        p->options->loss > 0 && guest_random_next(&p->losses) * 100 < p->options->loss;
    if (!lost)
        err = p->parts->sink->ops->write(p->parts->sink, p->unit);
    if (err < 0 && p->totals->units == 0)
        return err;
    if (err < 0)
        p->totals->failure = err;
    if (lost || err < 0) {
        guest_unit_frames(&p->cut, 1, &first, &frames);
        send_log_loss(p->parts->log, now, first, frames);
        p->totals->lost++;
    }
    p->totals->units++;
    p->cut.units++;
    return 0;
}

/* 1 when the source or the count of packets is at its end, 0 when not, or -errno. */
static int send_due(struct play *p, int64_t now, uint64_t frames)
{
    uint64_t first, n, due = guest_units_due(&p->cut, frames);
    const uint64_t allowed = p->options->packets - p->totals->units;
    const bool last = due >= allowed;
    if (last)
        due = allowed;
    if (due > 0) {
        guest_unit_frames(&p->cut, due, &first, &n);
        send_log_burst(p->parts->log, now, first, n);
    }
    for (; due > 0; due--) {
        const int64_t got = send_source_read(p->parts->source, p->unit, p->unit_bytes);
        if (got < 0)
            return (int)got;
        if (got < p->unit_bytes)
            return 1;
        const int err = send_unit(p, now);
        if (err < 0)
            return err;
    }
    return last ? 1 : 0;
}

static int sleep_till_next(struct play *p, int64_t now)
{
    const struct guest_wake wake = guest_next_wake(&p->pacer, now);
    if (wake.stall_from != 0 && wake.stall_from != p->logged_stall) {
        p->logged_stall = wake.stall_from;
        send_log_stall(p->parts->log, wake.stall_from, wake.at - wake.stall_from);
    }
    return send_wait_until(p->parts->wait, wake.at);
}

/* From t0 to the segment's end: 0, 1 for the end of all, or -errno. */
static int send_segment(struct play *p)
{
    for (;;) {
        const int64_t now = clock_now();
        const uint64_t there = guest_frames(&p->clock, now);
        const bool complete = there >= p->frames_max;
        const int done = send_due(p, now, complete ? p->frames_max : there);
        if (done != 0 || complete)
            return done;
        const int err = sleep_till_next(p, now);
        if (err < 0)
            return err;
    }
}

/* Whatever ends a segment, its end is logged. */
static void end_segment(struct play *p)
{
    const uint64_t bytes = p->cut.units * p->cut.unit_bytes;
    send_log_end(p->parts->log, clock_now(), bytes / p->cut.frame_bytes);
}

/* The source's stretch of so much guest time, from *t0 on; *t0 becomes the next one's start. */
static int play_segment(struct play *p, int64_t duration, int64_t *t0)
{
    const struct send_options *o = p->options;
    const struct send_source *source = p->parts->source;
    const struct pcm_format *f = &source->format;
    int err = open_stream(p, f);
    if (err < 0)
        return err;
    guest_clock_start(&p->clock, *t0, f->rate, o->ppm, o->speed);
    p->cut = (struct guest_cut){.frame_bytes = pcm_frame_bytes(f), .unit_bytes = p->unit_bytes};
    p->frames_max =
        duration == INT64_MAX ? UINT64_MAX : pcm_bytes_of(f, duration) / p->cut.frame_bytes;
    send_log_segment(p->parts->log, *t0, f, source->name, o->ppm, o->speed);
    err = send_segment(p);
    end_segment(p);
    if (err < 0)
        return err;
    if (err == 0)
        *t0 = guest_time(&p->clock, p->frames_max);
    if (p->parts->sink->ops->lingers && o->linger > 0) {
        *t0 = clock_now() + o->linger;
        const int stop = send_wait_until(p->parts->wait, *t0);
        return stop < 0 ? stop : err;
    }
    return err;
}

static int play_pause(struct play *p, int64_t duration, int64_t *t0)
{
    const int64_t length = (int64_t)((double)duration / p->options->speed);
    send_log_pause(p->parts->log, *t0, length);
    *t0 += length;
    return send_wait_until(p->parts->wait, *t0);
}

/* As much of a step as --duration leaves: 0, 1 for the end of all, or -errno. */
static int play_step(struct play *p, const struct script_step *step, int64_t *t0)
{
    const bool last = step->duration >= p->duration_left;
    const int64_t duration = last ? p->duration_left : step->duration;
    int err;
    if (step->pause) {
        err = play_pause(p, duration, t0);
    } else {
        send_source_start(p->parts->source, &step->format, step->signal);
        err = play_segment(p, duration, t0);
    }
    p->resumes = step->pause;
    if (p->duration_left != INT64_MAX)
        p->duration_left -= duration;
    return err == 0 && last ? 1 : err;
}

static int play_script(struct play *p, int64_t t0)
{
    const struct script *script = p->parts->script;
    int err = 0;
    do {
        for (size_t i = 0; err == 0 && i < script->count; i++)
            err = play_step(p, &script->steps[i], &t0);
    } while (err == 0 && p->options->repeat);
    return err;
}

int send_play(const struct send_parts *parts, struct send_totals *totals)
{
    const struct send_options *o = parts->options;
    int64_t t0 = clock_now();
    struct play p = {
        .parts = parts,
        .options = o,
        .totals = totals,
        .duration_left = o->duration,
        .losses.state = o->seed * 2,
        .pacer = {.start = t0,
                  .burst = o->burst,
                  .ppm = o->ppm,
                  .jitter = o->jitter,
                  .stall = o->stall.length,
                  .stall_every = o->stall.every,
                  .random.state = o->seed * 2 + 1},
    };
    *totals = (struct send_totals){0};
    const int err = parts->script ? play_script(&p, t0) : play_segment(&p, o->duration, &t0);
    close_stream(&p);
    free(p.unit);
    return err == -EINTR || err > 0 ? 0 : err;
}
