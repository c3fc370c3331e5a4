/*
 * PulseAudio, and PipeWire's stand-in for it: one connection and one stream per output, by the
 * asynchronous API. Whenever the server asks, the main loop's own thread takes what has come from the
 * player straight into the memory that it shares with the server. The server's queue is long, and as
 * full as the player's target latency makes it.
 */
#include "../src/clock.h"
#include "../src/log.h"
#include "drivers.h"
#include "pulse_internal.h"
#include "pulse_spec.h"

#include <errno.h>
#include <pulse/error.h>
#include <pulse/stream.h>
#include <pulse/timeval.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROBE_US (900 * PA_USEC_PER_MSEC)
#define OPEN_US  (900 * PA_USEC_PER_MSEC)  /* for each of two answers */
#define START_US (1500 * PA_USEC_PER_MSEC) /* a suspended device has to be woken */

#define LONG_NS (80 * NS_PER_MS)

static struct pulse *pulse_of(const struct output *o)
{
    return (struct pulse *)o; /* its first member */
}

/* ---- the control thread ---- */

static int pulse_probe(const struct output_config *config)
{
    struct pulse_link link = {.lookout = config->lookout};
    const int err = pulse_link_open(&link, PA_CONTEXT_NOAUTOSPAWN, PROBE_US);
    if (err == 0)
        pulse_link_close(&link);
    return err;
}

static int new_stream(struct pulse *p, const struct output_config *config, const struct chmap *map)
{
    pa_channel_map channels;
    pulse_channel_map(&channels, map);
    pa_proplist *about = pulse_stream_properties(config->stream_name);
    if (!about)
        return -ENOMEM;
    p->stream = pa_stream_new_with_proplist(p->link.context, config->stream_name, &p->spec,
                                            &channels, about);
    pa_proplist_free(about);
    if (!p->stream)
        return pulse_link_error(&p->link);
    pulse_events_attach(p);
    return 0;
}

static int connect_stream(struct pulse *p, const struct output_config *config)
{
    pa_buffer_attr attr;
    pulse_buffer_attr(&attr, &p->spec, config->target_latency);
    const pa_stream_flags_t flags = PA_STREAM_START_CORKED | PULSE_BUFFERING |
                                    PA_STREAM_INTERPOLATE_TIMING | PA_STREAM_NOT_MONOTONIC;
    if (pa_stream_connect_playback(p->stream, config->sink, &attr, flags, NULL, NULL) < 0)
        return pulse_link_error(&p->link);
    while (pa_stream_get_state(p->stream) == PA_STREAM_CREATING) {
        const int err = pulse_link_wait(&p->link);
        if (err < 0)
            return err;
    }
    return pa_stream_get_state(p->stream) == PA_STREAM_READY ? 0 : pulse_link_error(&p->link);
}

static void free_stream(struct pulse *p)
{
    if (!p->stream)
        return;
    pulse_events_detach(p);
    pa_stream_disconnect(p->stream);
    pulse_memory_close(&p->queue.memory);
    pa_stream_unref(p->stream);
    p->stream = NULL;
}

static int open_stream(struct pulse *p, const struct output_config *config,
                       const struct pcm_format *source)
{
    struct player_sink sink = {.type = config->type, .rate = source->rate, .queued = true};
    chmap_from_mask(&sink.map, source->mask, source->channels);
    pulse_link_hurry(&p->link);
    int err = pulse_link_deadline(&p->link, OPEN_US);
    if (err == 0)
        err = new_stream(p, config, &sink.map);
    if (err == 0)
        err = connect_stream(p, config);
    if (err < 0)
        return err;
    const pa_buffer_attr *granted = pa_stream_get_buffer_attr(p->stream);
    log_debug("pulse: sink '%s', buffer %.1f ms, requests of %.1f ms",
              pa_stream_get_device_name(p->stream),
              (double)pa_bytes_to_usec(granted->tlength, &p->spec) / PA_USEC_PER_MSEC,
              (double)pa_bytes_to_usec(granted->minreq, &p->spec) / PA_USEC_PER_MSEC);
    if (p->link.pipewire)
        log_info("pulse: this server is PipeWire; -o pipewire plays with less latency");
    sink.quantum = pulse_quantum(granted, &p->spec);
    p->queue = (struct pulse_queue){
        .stream = p->stream,
        .player = p->player,
        .spec = &p->spec,
        .type = config->type,
        .by_cycles = p->link.pipewire,
    };
    if (config->target_latency >= LONG_NS) /* else what is in the queue is soon heard */
        err = pulse_memory_open(&p->queue.memory, granted->tlength);
    return err < 0 ? err : player_set_sink(p->player, &sink);
}

static int pulse_open(struct output **out, const struct output_config *config,
                      const struct pcm_format *source, struct player *player, char *why,
                      size_t size)
{
    struct pulse *p = calloc(1, sizeof *p);
    if (!p)
        return -ENOMEM;
    p->output.driver = &pulse_driver;
    p->output.notifier = config->notifier;
    p->link.lost = pulse_fail;
    p->link.data = p;
    p->link.lookout = config->lookout;
    p->player = player;
    p->home = config->sink;
    pulse_sample_spec(&p->spec, source, config->type);
    /* Whether a missing server is spawned is for client.conf to say, as for every client. */
    int err = pulse_link_open(&p->link, PA_CONTEXT_NOFLAGS, OPEN_US);
    if (err < 0)
        goto free_output;
    pa_threaded_mainloop_lock(p->link.loop);
    err = open_stream(p, config, source);
    if (err < 0)
        free_stream(p);
    pa_threaded_mainloop_unlock(p->link.loop);
    if (err < 0)
        goto close_link;
    *out = &p->output;
    return 0;

close_link:
    pulse_link_close(&p->link);
free_output:
    pulse_link_explain(why, size, config->sink, err);
    free(p);
    return err;
}

/*
 * Silence first, for some requests: a sink that wakes up may shift its time by some milliseconds, and
 * the first delay that the player is told decides about the latency of all that follows.
 */
static int start_locked(struct pulse *p)
{
    struct pulse_link *l = &p->link;
    int err = pulse_link_deadline(l, START_US);
    if (err < 0)
        return err;
    pulse_requests_begin(p, PULSE_SILENT_REQUESTS);
    err = pulse_link_finish(l, pa_stream_cork(p->stream, 0, pulse_link_done, l));
    p->playing = err == 0 && pa_stream_get_state(p->stream) == PA_STREAM_READY;
    return p->playing ? 0 : err < 0 ? err : -ECONNRESET;
}

static int pulse_start(struct output *o)
{
    struct pulse *p = pulse_of(o);
    pa_threaded_mainloop_lock(p->link.loop);
    const int err = start_locked(p);
    pa_threaded_mainloop_unlock(p->link.loop);
    return err;
}

/* A corked stream lets its sink be suspended, and keeps its name and volume in the mixer. */
static int cork(struct pulse *p, int corked)
{
    pa_threaded_mainloop_lock(p->link.loop);
    if (corked)
        pulse_requests_end(p);
    else
        pulse_requests_begin(p, PULSE_SILENT_RESUMED);
    const int err = pulse_link_forget(&p->link, pa_stream_cork(p->stream, corked, NULL, NULL));
    pa_threaded_mainloop_unlock(p->link.loop);
    return err;
}

static int pulse_pause(struct output *o)
{
    return cork(pulse_of(o), 1);
}

static int pulse_resume(struct output *o)
{
    return cork(pulse_of(o), 0);
}

static int64_t pulse_fade_out(struct output *o)
{
    struct pulse *p = pulse_of(o);
    pa_threaded_mainloop_lock(p->link.loop);
    const int64_t heard = pulse_queue_fade(&p->queue);
    if (heard >= 0)
        pulse_requests_end(p);
    pa_threaded_mainloop_unlock(p->link.loop);
    return heard;
}

static void pulse_stop(struct output *o)
{
    struct pulse *p = pulse_of(o);
    pa_threaded_mainloop_lock(p->link.loop);
    p->playing = false;
    pulse_requests_end(p);
    pa_threaded_mainloop_unlock(p->link.loop);
}

static void pulse_close(struct output *o)
{
    if (!o)
        return;
    struct pulse *p = pulse_of(o);
    pa_threaded_mainloop_lock(p->link.loop);
    free_stream(p);
    pa_threaded_mainloop_unlock(p->link.loop);
    pulse_link_close(&p->link);
    free(p);
}

static void pulse_describe(const struct output *o, char *buf, size_t size)
{
    const struct pulse *p = pulse_of(o);
    pa_threaded_mainloop_lock(p->link.loop);
    const char *sink = pa_stream_get_device_name(p->stream);
    const pa_buffer_attr *attr = pa_stream_get_buffer_attr(p->stream);
    const uint64_t us = attr ? pa_bytes_to_usec(attr->minreq, &p->spec) : 0;
    snprintf(buf, size, "PulseAudio sink '%s', %g kHz, period %g ms", sink ? sink : "?",
             p->spec.rate / 1000.0, (double)us / PA_USEC_PER_MSEC);
    pa_threaded_mainloop_unlock(p->link.loop);
}

const struct output_driver pulse_driver = {
    ABOUT_PULSE,          .probe = pulse_probe,       .open = pulse_open,     .start = pulse_start,
    .pause = pulse_pause, .resume = pulse_resume,     .fade = pulse_fade_out, .stop = pulse_stop,
    .close = pulse_close, .describe = pulse_describe,
};
