/*
 * PipeWire: one native stream per output. The graph's own real-time thread takes frames from the
 * player, once in each cycle.
 */
#include "../src/clock.h"
#include "../src/log.h"
#include "drivers.h"
#include "pipewire_internal.h"
#include "pipewire_sink.h"
#include "pipewire_spec.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#pragma GCC diagnostic ignored "-Wpedantic" /* the loop's methods are macros in GNU C */

#define PROBE_NS       (800 * NS_PER_MS)
#define START_MS       500
#define SILENT_RESUMED 1
#define RESUMED_NS     (600 * NS_PER_MS) /* a device that slept; and another connection: < 1 s */

static struct pipewire *pipewire_of(const struct output *o)
{
    return (struct pipewire *)o; /* its first member */
}

/* ---- the control thread: probe ---- */

static int pipewire_probe(const struct output_config *config)
{
    struct pipewire_link link = {.lookout = config->lookout};
    int err = pipewire_link_open(&link);
    if (err < 0)
        return err;
    pw_thread_loop_lock(link.loop);
    err = config->no_connect ? pipewire_link_sync(&link, PROBE_NS)
                             : pipewire_find_sink(&link, config->sink, PROBE_NS);
    pw_thread_loop_unlock(link.loop);
    pipewire_link_close(&link);
    return err;
}

/* ---- the control thread: open ---- */

static int set_player(struct pipewire *p, const struct output_config *config,
                      const struct pcm_format *source)
{
    const uint64_t quantum = (uint64_t)pipewire_quantum(config->target_latency) * source->rate;
    p->sink.type = config->type;
    p->sink.rate = source->rate;
    p->sink.quantum = (uint32_t)(quantum / PIPEWIRE_QUANTUM_RATE + 1);
    chmap_from_mask(&p->sink.map, source->mask, source->channels);
    p->frame_bytes = sample_bytes(p->sink.type) * source->channels;
    return player_set_sink(p->player, &p->sink);
}

static int open_link(struct pipewire *p, const struct output_config *config,
                     const struct pcm_format *source)
{
    int err = pipewire_link_open(&p->link);
    if (err < 0)
        return err;
    pw_thread_loop_lock(p->link.loop);
    /*
     * A target that is not there would be replaced by the default sink without a word; where there is no sink
     * at all a stream ends again and again, and no other reason is ever told.
     */
    if (!config->no_connect)
        err = pipewire_find_sink(&p->link, config->sink, PIPEWIRE_OPEN_NS);
    if (err == 0)
        err = pipewire_open_stream(p, config, source);
    pw_thread_loop_unlock(p->link.loop);
    if (err < 0)
        pipewire_link_close(&p->link);
    return err;
}

static int pipewire_open(struct output **out, const struct output_config *config,
                         const struct pcm_format *source, struct player *player, char *why,
                         size_t size)
{
    int err = -ENOMEM;
    struct pipewire *p = calloc(1, sizeof *p);
    if (!p)
        goto failed;
    p->output.driver = &pipewire_driver;
    p->output.notifier = config->notifier;
    p->link.lost = pipewire_fail;
    p->link.data = p;
    p->link.lookout = config->lookout;
    p->player = player;
    p->no_connect = config->no_connect;
    err = set_player(p, config, source);
    if (err < 0)
        goto free_output;
    p->cycling_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (p->cycling_fd < 0) {
        err = -errno;
        goto free_output;
    }
    err = open_link(p, config, source);
    if (err < 0)
        goto close_fd;
    *out = &p->output;
    return 0;

close_fd:
    close(p->cycling_fd);
free_output:
    free(p);
failed:
    pipewire_link_explain(why, size, config->sink, err);
    return err;
}

/* ---- the control thread: start to close ---- */

/*
 * Silence first: how many frames a cycle takes is the graph's to choose, and known when it runs.
 * Until then nobody reads the player. A graph that does not run (no sink, or not connected) is not
 * waited for.
 */
static int pipewire_start(struct output *o)
{
    struct pipewire *p = pipewire_of(o);
    pw_thread_loop_lock(p->link.loop);
    int err = p->link.error;
    if (err == 0)
        err = pw_stream_set_active(p->stream, true);
    const enum pw_stream_state state = pw_stream_get_state(p->stream, NULL);
    if (state == PW_STREAM_STATE_ERROR || state == PW_STREAM_STATE_UNCONNECTED)
        err = -ECONNRESET; /* since it was opened, and nobody was told */
    p->playing = err == 0;
    pw_thread_loop_unlock(p->link.loop);
    if (err < 0)
        return err;
    struct pollfd cycling = {.fd = p->cycling_fd, .events = POLLIN};
    if (!p->no_connect && poll(&cycling, 1, START_MS) > 0) {
        struct player_sink sink = p->sink;
        sink.quantum = atomic_load_explicit(&p->quantum, memory_order_relaxed);
        err = player_set_sink(p->player, &sink);
    }
    if (err == 0)
        pipewire_gate_open(&p->gate);
    return err;
}

static int set_active(struct pipewire *p, bool active)
{
    pw_thread_loop_lock(p->link.loop);
    p->paused = !active;
    pipewire_have_patience(p, active ? RESUMED_NS : 0);
    const int err = pw_stream_set_active(p->stream, active);
    pw_thread_loop_unlock(p->link.loop);
    return err;
}

/* An inactive stream is no part of the graph, which rests if no other one is. */
static int pipewire_pause(struct output *o)
{
    pipewire_gate_close(&pipewire_of(o)->gate);
    return set_active(pipewire_of(o), false);
}

/* The graph is known, but what it says about the first cycle may be off by one. */
static int pipewire_resume(struct output *o)
{
    pipewire_of(o)->silent = SILENT_RESUMED;
    atomic_store(&pipewire_of(o)->cycled, -1);
    pipewire_gate_open(&pipewire_of(o)->gate);
    return set_active(pipewire_of(o), true);
}

/* Disconnecting takes the node off the graph's thread, and waits until it is. */
static void pipewire_stop(struct output *o)
{
    struct pipewire *p = pipewire_of(o);
    pw_thread_loop_lock(p->link.loop);
    p->playing = false;
    pw_stream_disconnect(p->stream);
    pw_thread_loop_unlock(p->link.loop);
}

static void pipewire_close(struct output *o)
{
    if (!o)
        return;
    struct pipewire *p = pipewire_of(o);
    pw_thread_loop_lock(p->link.loop);
    p->playing = false;
    pipewire_destroy_stream(p);
    pw_thread_loop_unlock(p->link.loop);
    pipewire_link_close(&p->link);
    close(p->cycling_fd);
    free(p);
}

static void pipewire_describe(const struct output *o, char *buf, size_t size)
{
    struct pipewire *p = pipewire_of(o);
    const unsigned quantum = atomic_load_explicit(&p->quantum, memory_order_relaxed);
    const double khz = p->sink.rate / 1000.0;
    if (quantum > 0)
        snprintf(buf, size, "PipeWire, %g kHz, quantum %u", khz, quantum);
    else
        snprintf(buf, size, "PipeWire, %g kHz, not running: no sink is connected", khz);
}

const struct output_driver pipewire_driver = {
    ABOUT_PIPEWIRE,          .probe = pipewire_probe, .open = pipewire_open,
    .start = pipewire_start, .pause = pipewire_pause, .resume = pipewire_resume,
    .stop = pipewire_stop,   .close = pipewire_close, .describe = pipewire_describe,
};
