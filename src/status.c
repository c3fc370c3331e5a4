#include "status.h"

#include "clock.h"
#include "log.h"

#include <stdio.h>

#define FIRST_FIGURES_NS (500 * NS_PER_MS) /* of a sound that has just begun */
#define FIGURES_NS       (5 * NS_PER_S)

void status_init(struct status *s, int64_t now)
{
    *s = (struct status){.due = SERVICE_NEVER};
    service_init(&s->service, now);
}

static bool plays(const struct voice *v)
{
    return v->state == VOICE_PLAYING || v->state == VOICE_LEAVING;
}

static void playing_text(const struct status *s, const struct voice *v, char *buf, size_t size)
{
    const struct stream_counters *c = &v->stream.counters;
    char format[64], source[32], output[128], figures[64] = "";
    pcm_format_text(&v->format, format, sizeof format);
    voice_source_text(v, source, sizeof source);
    v->driver->describe(v->output, output, sizeof output);
    const bool moving = count_read(&c->frames) != s->frames;
    if (moving)
        snprintf(figures, sizeof figures, ", %.0f ms, %+.0f ppm",
                 (double)count_read(&c->latency_us) / 1e3,
                 (double)(int64_t)count_read(&c->drift_ppb) / 1e3);
    snprintf(buf, size, "%s %s from %s%s, on %s", s->playing && !moving ? "silent," : "playing",
             format, source, figures, output);
}

void status_text(const struct status *s, const struct status_view *view, char *buf, size_t size)
{
    char what[128];
    const struct voice *v = view->voice;
    if (view->waiting[0]) {
        snprintf(buf, size, "waiting: %s", view->waiting);
    } else if (plays(v)) {
        playing_text(s, v, buf, size);
    } else if (v->state == VOICE_CLOSED) {
        snprintf(buf, size, "no sound yet: %s",
                 v->retry.why[0] ? v->retry.why : "opening an output");
    } else if (view->receiver) {
        view->receiver->driver->describe(view->receiver, what, sizeof what);
        snprintf(buf, size, "listening to %s", what);
    } else {
        snprintf(buf, size, "waiting");
    }
}

static void tell(struct status *s, const struct status_view *view, int64_t now)
{
    char text[512];
    const bool playing = plays(view->voice) && !view->waiting[0];
    if (playing && s->playing && now < s->due)
        return;
    if (!playing)
        s->due = SERVICE_NEVER;
    else
        s->due = now + (s->playing ? FIGURES_NS : FIRST_FIGURES_NS);
    if (!s->playing) /* what was played before is no sign of this sound's moving */
        s->frames = count_read(&view->voice->stream.counters.frames);
    status_text(s, view, text, sizeof text);
    service_status(&s->service, text);
    s->playing = playing;
    s->frames = count_read(&view->voice->stream.counters.frames);
}

static void feed(struct status *s, const struct status_view *view, int64_t now)
{
    const bool answered = !view->ingest || ingest_answered(view->ingest);
    const uint64_t passes = count_read(&view->voice->stream.counters.passes);
    const bool moves = watchdog_look(&s->watchdog, answered, passes);
    if (!moves && !s->stuck)
        log_error("the %s thread stands still: systemd's watchdog is not fed",
                  answered ? "output's" : "receiver");
    s->stuck = !moves;
    service_feed(&s->service, now, moves);
    if (view->ingest && answered)
        ingest_ask(view->ingest);
}

void status_turn(struct status *s, const struct status_view *view, int64_t now, int64_t *next)
{
    if (!s->service.told)
        return;
    service_ready(&s->service);
    tell(s, view, now);
    if (now >= s->service.feed_at)
        feed(s, view, now);
    if (s->due < *next)
        *next = s->due;
    if (s->service.feed_at < *next)
        *next = s->service.feed_at;
}
