#include "pipewire_link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC diagnostic ignored "-Wpedantic" /* its methods are macros in GNU C */

/* The configuration that makes the graph's thread in this process a real-time one. */
#if PW_CHECK_VERSION(1, 3, 81)
#define CONFIG "client.conf" /* warns about the other */
#else
#define CONFIG "client-rt.conf"
#endif

#define SYSTEM_FOLDER "/run/pipewire" /* where one for the whole machine would be */

static void on_done(void *data, uint32_t id, int seq)
{
    struct pipewire_link *l = data;
    if (id == PW_ID_CORE && seq == l->pending) {
        l->done = true;
        pw_thread_loop_signal(l->loop, false);
    }
}

static void on_error(void *data, uint32_t id, int seq, int res, const char *message)
{
    (void)seq, (void)message;
    struct pipewire_link *l = data;
    if (id != PW_ID_CORE || res != -EPIPE)
        return; /* an object's own: its owner is told, too */
    l->error = -ECONNRESET;
    if (l->lost)
        l->lost(l->data, l->error);
    pw_thread_loop_signal(l->loop, false);
}

static bool no_server(int err)
{
    return err == -ENOENT || err == -ECONNREFUSED || err == -EHOSTDOWN;
}

void pipewire_link_explain(char *why, size_t size, const char *sink, int err)
{
    if (err == -ENODEV && sink)
        snprintf(why, size, "PipeWire has no sink '%s'; `pw-cli ls Node` lists them", sink);
    else if (err == -ENODEV)
        snprintf(why, size, "no sink in PipeWire's graph; `wpctl status` shows what there is");
    else if (err == -ETIMEDOUT)
        snprintf(why, size, "PipeWire does not answer in time (`pw-cli info 0`)");
    else if (no_server(err))
        snprintf(why, size, "no PipeWire server answers; is it running (`pw-cli info 0`)?");
    else
        snprintf(why, size, "PipeWire: %s (`pw-cli info 0`)", strerror(-err));
}

static const struct pw_core_events core_events = {
    PW_VERSION_CORE_EVENTS,
    .done = on_done,
    .error = on_error,
};

int pipewire_link_sync(struct pipewire_link *l, int64_t timeout)
{
    struct timespec end;
    pw_thread_loop_get_time(l->loop, &end, timeout);
    l->done = false;
    l->pending = pw_core_sync(l->core, PW_ID_CORE, 0);
    if (l->pending < 0)
        return l->pending;
    while (!l->done && l->error == 0)
        if (pw_thread_loop_timed_wait_full(l->loop, &end) < 0)
            return -ETIMEDOUT;
    return l->error;
}

/* As libpipewire finds it (pipewire(1), "Environment variables"), which does not tell. */
static const char *remote_of(struct pw_context *context)
{
    const char *remote = getenv("PIPEWIRE_REMOTE");
    if (!remote || !remote[0])
        remote = pw_properties_get(pw_context_get_properties(context), PW_KEY_REMOTE_NAME);
    return remote ? remote : PW_DEFAULT_REMOTE;
}

static void name_in(struct lookout *l, const char *folder, const char *remote)
{
    char path[LOOKOUT_PATH];
    const int n = snprintf(path, sizeof path, "%s/%s", folder, remote);
    lookout_name(l, n < (int)sizeof path ? path : NULL);
}

static void name_server(struct pipewire_link *l)
{
    static const char *const folders[] = {"PIPEWIRE_RUNTIME_DIR", "XDG_RUNTIME_DIR", "HOME",
                                          "USERPROFILE"};
    const char *remote = remote_of(l->context), *folder = NULL;
    for (size_t i = 0; i < sizeof folders / sizeof folders[0] && !folder; i++)
        folder = getenv(folders[i]);
    if (remote[0] == '/' || remote[0] == '[') { /* a list of them: none to look at */
        lookout_name(l->lookout, remote);
        return;
    }
    if (folder)
        name_in(l->lookout, folder, remote);
    name_in(l->lookout, SYSTEM_FOLDER, remote);
}

static int connect_core(struct pipewire_link *l)
{
    pw_thread_loop_lock(l->loop);
    errno = 0;
    l->core = pw_context_connect(l->context, NULL, 0);
    const int err = l->core ? 0 : errno ? -errno : -ECONNREFUSED;
    if (l->core)
        pw_core_add_listener(l->core, &l->listener, &core_events, l);
    pw_thread_loop_unlock(l->loop);
    if (no_server(err))
        name_server(l);
    return err;
}

int pipewire_link_open(struct pipewire_link *l)
{
    pw_init(NULL, NULL);
    int err = -ENOMEM;
    l->loop = pw_thread_loop_new("scream-pipewire", NULL);
    if (!l->loop)
        goto deinit;
    l->context = pw_context_new(pw_thread_loop_get_loop(l->loop),
                                pw_properties_new(PW_KEY_CONFIG_NAME, CONFIG, NULL), 0);
    if (!l->context)
        goto free_loop;
    err = pw_thread_loop_start(l->loop);
    if (err < 0)
        goto free_context;
    err = connect_core(l);
    if (err < 0)
        goto stop_loop;
    return 0;

stop_loop:
    pw_thread_loop_stop(l->loop);
free_context:
    pw_context_destroy(l->context);
free_loop:
    pw_thread_loop_destroy(l->loop);
deinit:
    pw_deinit();
    return err;
}

void pipewire_link_close(struct pipewire_link *l)
{
    pw_thread_loop_stop(l->loop);
    spa_hook_remove(&l->listener);
    pw_core_disconnect(l->core);
    pw_context_destroy(l->context);
    pw_thread_loop_destroy(l->loop);
    pw_deinit();
}
