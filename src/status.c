#include "status.h"

#include "clock.h"
#include "log.h"

#include <stdio.h>

#define FIRST_LOOK_NS (300 * NS_PER_MS) /* from an output's opening: does it play? */
#define LOOK_NS       NS_PER_S
#define FIGURES_NS    (5 * NS_PER_S)
#define SUSPECT_NS    (250 * NS_PER_MS) /* in which whoever has been let run has moved */

void status_init(struct status *s, int64_t (*clock)(void))
{
    *s = (struct status){.clock = clock, .look_at = SERVICE_NEVER};
    service_init(&s->service, clock());
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
    if (s->moving)
        snprintf(figures, sizeof figures, ", %.0f ms, %+.0f ppm",
                 (double)count_read(&c->latency_us) / 1e3,
                 (double)(int64_t)count_read(&c->drift_ppb) / 1e3);
    snprintf(buf, size, "%s %s from %s%s, on %s", s->moving ? "playing" : "silent,", format, source,
             figures, output);
}

static void paused_text(const struct voice *v, char *buf, size_t size)
{
    char format[64], source[32], output[128];
    pcm_format_text(&v->format, format, sizeof format);
    voice_source_text(v, source, sizeof source);
    v->driver->describe(v->output, output, sizeof output);
    snprintf(buf, size, "idle: no sound, %s from %s, on %s", format, source, output);
}

void status_text(const struct status *s, const struct status_view *view, char *buf, size_t size)
{
    char what[128];
    const struct voice *v = view->voice;
    if (view->waiting[0]) {
        snprintf(buf, size, "waiting: %s", view->waiting);
    } else if (plays(v)) {
        playing_text(s, v, buf, size);
    } else if (v->state == VOICE_PAUSED) {
        paused_text(v, buf, size);
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

/* A look whether sound comes out; true if the line has to be told (again). */
static bool look(struct status *s, const struct voice *v, bool playing, int64_t now)
{
    const uint64_t frames = count_read(&v->stream.counters.frames);
    const bool moving = playing && s->playing && frames != s->frames;
    const bool news = !playing || !s->playing || moving != s->moving || now >= s->tell_at;
    s->look_at = !playing ? SERVICE_NEVER : now + (s->playing ? LOOK_NS : FIRST_LOOK_NS);
    s->playing = playing;
    s->moving = moving;
    s->frames = frames;
    return news;
}

static void tell(struct status *s, const struct status_view *view, int64_t now)
{
    char text[512];
    const bool playing = plays(view->voice) && !view->waiting[0];
    if ((playing && s->playing && now < s->look_at) || !look(s, view->voice, playing, now))
        return;
    s->tell_at = now + FIGURES_NS;
    status_text(s, view, text, sizeof text);
    service_status(&s->service, text);
}

/* What all threads were kept from (the process was stopped, the machine slept) is nobody's standing still. */
static void feed(struct status *s, const struct status_view *view, int64_t now)
{
    const bool answered = !view->ingest || ingest_answered(view->ingest);
    const uint64_t passes = count_read(&view->voice->stream.counters.passes);
    const bool moves = watchdog_look(&s->watchdog, answered, passes);
    if (!moves && !s->suspect && SUSPECT_NS < s->service.every) {
        s->suspect = true;
        service_feed(&s->service, now, false);
        s->service.feed_at = now + SUSPECT_NS;
        return;
    }
    s->suspect = !moves;
    if (!moves && !s->stuck)
        log_error("the %s thread stands still: systemd's watchdog is not fed",
                  answered ? "output's" : "receiver");
    s->stuck = !moves;
    service_feed(&s->service, now, moves);
    if (view->ingest && answered)
        ingest_ask(view->ingest);
}

void status_turn(struct status *s, const struct status_view *view, int64_t *next)
{
    if (!s->service.told)
        return;
    const int64_t now = s->clock();
    service_ready(&s->service);
    tell(s, view, now);
    if (now >= s->service.feed_at)
        feed(s, view, now);
    const int64_t again = service_turn(&s->service, now);
    *next = clock_earliest(*next, clock_earliest(again, s->look_at));
    *next = clock_earliest(*next, s->service.feed_at);
}
