/* The stream itself: it is made, watched, and taken away. */
#include "../src/clock.h"
#include "../src/log.h"
#include "pipewire_internal.h"
#include "pipewire_spec.h"

#include <errno.h>
#include <spa/param/audio/format-utils.h>
#include <time.h>

#pragma GCC diagnostic ignored "-Wpedantic" /* the loop's methods are macros in GNU C */

#define RELINKED_NS (400 * NS_PER_MS) /* to another sink, when its own has gone */

/* ---- the loop's thread ---- */

void pipewire_fail(void *data, int error)
{
    struct pipewire *p = data;
    if (p->playing)
        output_fail(&p->output, error);
    p->playing = false;
}

/* WirePlumber 0.4 does not link every stream anew that was there before it was: a new one it does. */
static void on_unlinked(void *data, uint64_t expirations)
{
    (void)expirations;
    struct pipewire *p = data;
    if (!p->paused && pw_stream_get_state(p->stream, NULL) != PW_STREAM_STATE_STREAMING)
        pipewire_fail(p, -ESTALE);
}

void pipewire_have_patience(struct pipewire *p, int64_t ns)
{
    struct timespec time = {.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S};
    if (p->patience && !p->no_connect)
        pw_loop_update_timer(pw_thread_loop_get_loop(p->link.loop), p->patience, &time, NULL,
                             false);
}

static void on_state(void *data, enum pw_stream_state old, enum pw_stream_state state,
                     const char *error)
{
    struct pipewire *p = data;
    log_debug("pipewire: stream %s, was %s%s%s", pw_stream_state_as_string(state),
              pw_stream_state_as_string(old), error ? ": " : "", error ? error : "");
    if (state != PW_STREAM_STATE_STREAMING && atomic_load(&p->cycled) > 0)
        atomic_store_explicit(&p->cycled, 0, memory_order_relaxed);
    if (state == PW_STREAM_STATE_STREAMING)
        pipewire_have_patience(p, 0);
    else if (old == PW_STREAM_STATE_STREAMING && !p->paused)
        pipewire_have_patience(p, RELINKED_NS);
    if (state == PW_STREAM_STATE_ERROR || state == PW_STREAM_STATE_UNCONNECTED)
        pipewire_fail(p, -ECONNRESET);
}

static const struct pw_stream_events stream_events = {
    PW_VERSION_STREAM_EVENTS,
    .state_changed = on_state,
    .process = pipewire_cycle,
};

/* ---- the control thread ---- */

static int connect_stream(struct pipewire *p, const struct output_config *config,
                          const struct pcm_format *source)
{
    uint8_t memory[1024];
    struct spa_pod_builder builder;
    spa_pod_builder_init(&builder, memory, sizeof memory);
    struct spa_audio_info_raw info;
    pipewire_audio_info(&info, source, config->type);
    const struct spa_pod *params[] = {
        spa_format_audio_raw_build(&builder, SPA_PARAM_EnumFormat, &info)};
    enum pw_stream_flags flags =
        PW_STREAM_FLAG_INACTIVE | PW_STREAM_FLAG_MAP_BUFFERS | PW_STREAM_FLAG_RT_PROCESS;
    if (!config->no_connect)
        flags |= PW_STREAM_FLAG_AUTOCONNECT;
    return pw_stream_connect(p->stream, PW_DIRECTION_OUTPUT, PW_ID_ANY, flags, params, 1);
}

void pipewire_destroy_stream(struct pipewire *p)
{
    if (p->patience)
        pw_loop_destroy_source(pw_thread_loop_get_loop(p->link.loop), p->patience);
    p->patience = NULL;
    pw_stream_destroy(p->stream);
}

int pipewire_open_stream(struct pipewire *p, const struct output_config *config,
                         const struct pcm_format *source)
{
    struct pw_properties *about = pipewire_stream_properties(config, source->rate);
    p->stream = about ? pw_stream_new(p->link.core, config->stream_name, about) : NULL;
    if (!p->stream)
        return -ENOMEM;
    pw_stream_add_listener(p->stream, &p->listener, &stream_events, p);
    p->patience = pw_loop_add_timer(pw_thread_loop_get_loop(p->link.loop), on_unlinked, p);
    int err = connect_stream(p, config, source);
    if (err == 0)
        err = pipewire_link_sync(&p->link, PIPEWIRE_OPEN_NS);
    if (err == 0 && pw_stream_get_state(p->stream, NULL) == PW_STREAM_STATE_ERROR)
        err = -EIO;
    if (err < 0)
        pipewire_destroy_stream(p);
    return err;
}
