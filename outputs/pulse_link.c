#include "pulse_link.h"

#include <errno.h>
#include <pulse/error.h>
#include <pulse/introspect.h>
#include <pulse/operation.h>
#include <pulse/proplist.h>
#include <pulse/rtclock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int pulse_link_error(const struct pulse_link *l)
{
    switch (pa_context_errno(l->context)) {
    case PA_ERR_CONNECTIONREFUSED:
        return -ECONNREFUSED;
    case PA_ERR_NOENTITY:
        return -ENOENT;
    case PA_ERR_ACCESS:
    case PA_ERR_AUTHKEY:
        return -EACCES;
    case PA_ERR_INVALID:
    case PA_ERR_NOTSUPPORTED:
        return -EINVAL;
    case PA_ERR_TIMEOUT:
        return -ETIMEDOUT;
    default:
        return -ECONNRESET;
    }
}

void pulse_link_explain(char *why, size_t size, const char *sink, int err)
{
    if (err == -ENOENT && sink)
        snprintf(why, size, "PulseAudio has no sink '%s'; `pactl list short sinks` lists them",
                 sink);
    else if (err == -ENOENT)
        snprintf(why, size, "PulseAudio has no sink; `pactl list short sinks` lists them");
    else if (err == -ECONNREFUSED)
        snprintf(why, size, "no PulseAudio server answers; is it running (`pactl info`)?");
    else if (err == -ETIMEDOUT)
        snprintf(why, size, "PulseAudio does not answer in time (`pactl info`)");
    else
        snprintf(why, size, "PulseAudio: %s (`pactl info`)", strerror(-err));
}

static void on_state(pa_context *c, void *data)
{
    struct pulse_link *l = data;
    const pa_context_state_t state = pa_context_get_state(c);
    if (l->lost && (state == PA_CONTEXT_FAILED || state == PA_CONTEXT_TERMINATED))
        l->lost(l->data, -ECONNRESET);
    pa_threaded_mainloop_signal(l->loop, 0);
}

static void on_deadline(pa_mainloop_api *api, pa_time_event *e, const struct timeval *tv,
                        void *data)
{
    (void)api, (void)e, (void)tv;
    struct pulse_link *l = data;
    l->late = true;
    pa_threaded_mainloop_signal(l->loop, 0);
}

static void no_deadline(struct pulse_link *l)
{
    if (l->deadline)
        pa_threaded_mainloop_get_api(l->loop)->time_free(l->deadline);
    l->deadline = NULL;
    l->late = false;
}

int pulse_link_deadline(struct pulse_link *l, pa_usec_t timeout)
{
    no_deadline(l);
    l->deadline = pa_context_rttime_new(l->context, pa_rtclock_now() + timeout, on_deadline, l);
    return l->deadline ? 0 : -ENOMEM;
}

int pulse_link_wait(struct pulse_link *l)
{
    if (l->late)
        return -ETIMEDOUT;
    if (!PA_CONTEXT_IS_GOOD(pa_context_get_state(l->context)))
        return pulse_link_error(l);
    pa_threaded_mainloop_wait(l->loop);
    return 0;
}

void pulse_link_done(pa_stream *s, int success, void *data)
{
    (void)s, (void)success;
    struct pulse_link *l = data;
    pa_threaded_mainloop_signal(l->loop, 0);
}

int pulse_link_finish(struct pulse_link *l, pa_operation *op)
{
    if (!op)
        return pulse_link_error(l);
    int err = 0;
    while (err == 0 && pa_operation_get_state(op) == PA_OPERATION_RUNNING)
        err = pulse_link_wait(l);
    if (pa_operation_get_state(op) == PA_OPERATION_RUNNING)
        pa_operation_cancel(op);
    pa_operation_unref(op);
    return err;
}

int pulse_link_forget(struct pulse_link *l, pa_operation *op)
{
    if (!op)
        return pulse_link_error(l);
    pa_operation_unref(op);
    return 0;
}

static pa_context *new_context(struct pulse_link *l)
{
    pa_proplist *about = pa_proplist_new();
    if (!about)
        return NULL;
    pa_proplist_sets(about, PA_PROP_APPLICATION_NAME, "Scream");
    pa_proplist_sets(about, PA_PROP_APPLICATION_ID, "scream");
    pa_proplist_sets(about, PA_PROP_APPLICATION_VERSION, SCREAM_VERSION);
    pa_proplist_sets(about, PA_PROP_APPLICATION_ICON_NAME, "computer");
    pa_context *c =
        pa_context_new_with_proplist(pa_threaded_mainloop_get_api(l->loop), NULL, about);
    pa_proplist_free(about);
    return c;
}

static void on_server(pa_context *c, const pa_server_info *info, void *data)
{
    (void)c;
    struct pulse_link *l = data;
    l->pipewire = info && info->server_name && strstr(info->server_name, "PipeWire");
    pa_threaded_mainloop_signal(l->loop, 0);
}

/* The user's own server, unless something else is asked for; libpulse does not tell. */
static void name_usual(struct lookout *l)
{
    char path[LOOKOUT_PATH];
    const char *own = getenv("PULSE_RUNTIME_PATH"), *session = getenv("XDG_RUNTIME_DIR");
    int n = (int)sizeof path;
    if (own)
        n = snprintf(path, sizeof path, "%s/native", own);
    else if (session)
        n = snprintf(path, sizeof path, "%s/pulse/native", session);
    lookout_name(l, n < (int)sizeof path ? path : NULL);
}

/* The one that libpulse has tried last, "unix:/some/where" or "/some/where", and what came before it. */
static void name_servers(struct pulse_link *l)
{
    static const char local[] = "unix:";
    const char *asked = getenv("PULSE_SERVER"), *server = pa_context_get_server(l->context);
    if (server && strncmp(server, local, sizeof local - 1) == 0)
        server += sizeof local - 1;
    lookout_name(l->lookout, asked && strchr(asked, ' ') ? NULL : server); /* one of several */
    if (!asked)
        name_usual(l->lookout);
}

static int connect_context(struct pulse_link *l, pa_context_flags_t flags, pa_usec_t timeout)
{
    int err = pulse_link_deadline(l, timeout);
    if (err == 0 && pa_context_connect(l->context, NULL, flags, NULL) < 0)
        err = pulse_link_error(l);
    while (err == 0 && pa_context_get_state(l->context) != PA_CONTEXT_READY)
        err = pulse_link_wait(l);
    if (err == -ECONNREFUSED)
        name_servers(l);
    return err < 0 ? err
                   : pulse_link_finish(l, pa_context_get_server_info(l->context, on_server, l));
}

int pulse_link_open(struct pulse_link *l, pa_context_flags_t flags, pa_usec_t timeout)
{
    void (*const lost)(void *, int) = l->lost;
    l->lost = NULL; /* while it connects, the caller is told by the return value */
    l->loop = pa_threaded_mainloop_new();
    if (!l->loop)
        return -ENOMEM;
    int err = -ENOMEM;
    l->context = new_context(l);
    if (!l->context)
        goto free_loop;
    pa_context_set_state_callback(l->context, on_state, l);
    pa_threaded_mainloop_set_name(l->loop, "scream-pulse"); /* later, it would name the caller */
    if (pa_threaded_mainloop_start(l->loop) < 0)
        goto free_context;
    pa_threaded_mainloop_lock(l->loop);
    err = connect_context(l, flags, timeout);
    l->lost = lost;
    pa_threaded_mainloop_unlock(l->loop);
    if (err < 0)
        pulse_link_close(l);
    return err;

free_context:
    pa_context_unref(l->context);
free_loop:
    pa_threaded_mainloop_free(l->loop);
    return err;
}

static void begin_loop(pa_mainloop_api *api, void *data)
{
    (void)api;
    struct pulse_link *l = data;
    schedule_begin(&l->schedule, "pulse", false);
}

void pulse_link_hurry(struct pulse_link *l)
{
    pa_mainloop_api_once(pa_threaded_mainloop_get_api(l->loop), begin_loop, l);
}

void pulse_link_close(struct pulse_link *l)
{
    pa_threaded_mainloop_lock(l->loop);
    no_deadline(l);
    pa_context_set_state_callback(l->context, NULL, NULL);
    pa_context_disconnect(l->context);
    pa_threaded_mainloop_unlock(l->loop);
    pa_threaded_mainloop_stop(l->loop);
    pa_context_unref(l->context);
    pa_threaded_mainloop_free(l->loop);
    schedule_end(&l->schedule);
}
