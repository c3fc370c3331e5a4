/* What the server says while a stream is open: that it wants frames, that it is another sink now. */
#include "../src/clock.h"
#include "../src/log.h"
#include "pulse_internal.h"

#include <errno.h>
#include <pulse/introspect.h>
#include <pulse/operation.h>
#include <string.h>

#define STOOD_STILL_NS                                                                             \
    (400 * NS_PER_MS) /* without a request: libpulse's idea of time is off for seconds */

void pulse_fail(void *data, int error)
{
    struct pulse *p = data;
    if (p->playing)
        output_fail(&p->output, error);
    p->playing = false;
}

/* A server that hung, or a sink that slept, is begun with anew. */
static bool stood_still(struct pulse *p)
{
    const int64_t now = clock_now(), before = p->asked;
    p->asked = now;
    return before != 0 && now - before > STOOD_STILL_NS;
}

static void on_request(pa_stream *s, size_t bytes, void *data)
{
    (void)s;
    struct pulse *p = data;
    if (stood_still(p))
        pulse_fail(p, -ETIMEDOUT);
    if (p->dry && p->playing && p->silent == 0)
        player_ran_dry(p->player);
    p->dry = false;
    pulse_queue_asked(&p->queue, bytes);
    pulse_queue_fill(&p->queue, p->silent > 0);
    p->silent -= p->silent > 0;
}

/* It counts with the next request: a stream that is being moved runs dry, too, before it is told why. */
static void on_underflow(pa_stream *s, void *data)
{
    (void)s;
    struct pulse *p = data;
    p->dry = true;
}

static void on_stream_state(pa_stream *s, void *data)
{
    struct pulse *p = data;
    if (!PA_STREAM_IS_GOOD(pa_stream_get_state(s)))
        pulse_fail(p, -ECONNRESET);
    pa_threaded_mainloop_signal(p->link.loop, 0);
}

/* Another sink, with times of its own: as after a start. */
static void begin_silently(struct pulse *p)
{
    p->silent = PULSE_SILENT_REQUESTS;
    p->asked = 0;
    p->dry = false;
    player_break(p->player, clock_now());
}

/*
 * libpulse takes seconds to tell the time of another sink truly. A stream that was moved to where a new
 * one would go is made anew; elsewhere it was the user, and it stays there.
 */
static void on_server(pa_context *c, const pa_server_info *info, void *data)
{
    (void)c;
    struct pulse *p = data;
    if (!p->stream) /* it has been closed since this was asked */
        return;
    const char *home = p->home ? p->home : info ? info->default_sink_name : NULL;
    const char *here = pa_stream_get_device_name(p->stream);
    if (home && here && strcmp(home, here) == 0)
        pulse_fail(p, -ESTALE);
}

static void on_moved(pa_stream *s, void *data)
{
    struct pulse *p = data;
    p->queue.timing = 0;
    log_debug("pulse: moved to sink '%s'", pa_stream_get_device_name(s));
    begin_silently(p);
    pa_operation *op = pa_context_get_server_info(p->link.context, on_server, p);
    if (op)
        pa_operation_unref(op);
}

static void on_suspended(pa_stream *s, void *data)
{
    struct pulse *p = data;
    p->queue.timing = 0;
    if (pa_stream_is_suspended(s) == 0)
        begin_silently(data);
    log_debug("pulse: sink '%s' %s", pa_stream_get_device_name(s),
              pa_stream_is_suspended(s) == 1 ? "suspended" : "resumed");
}

void pulse_requests_begin(struct pulse *p, unsigned silent)
{
    p->silent = silent;
    p->queue.timing = 0;
    p->asked = 0; /* none comes while it is paused */
    pulse_queue_begin(&p->queue, pa_stream_writable_size(p->stream));
    pulse_queue_fill(&p->queue, true);
    pa_stream_set_write_callback(p->stream, on_request, p);
}

void pulse_requests_end(struct pulse *p)
{
    pa_stream_set_write_callback(p->stream, NULL, NULL);
}

void pulse_events_attach(struct pulse *p)
{
    pa_stream_set_state_callback(p->stream, on_stream_state, p);
    pa_stream_set_moved_callback(p->stream, on_moved, p);
    pa_stream_set_suspended_callback(p->stream, on_suspended, p);
    pa_stream_set_underflow_callback(p->stream, on_underflow, p);
}

void pulse_events_detach(struct pulse *p)
{
    pa_stream_set_state_callback(p->stream, NULL, NULL);
    pa_stream_set_moved_callback(p->stream, NULL, NULL);
    pa_stream_set_suspended_callback(p->stream, NULL, NULL);
    pa_stream_set_underflow_callback(p->stream, NULL, NULL);
    pulse_requests_end(p);
}
