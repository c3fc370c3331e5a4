/* While there is no sound: the output rests, and what is better than a device is looked for. */
#include "voice_internal.h"

#include "log.h"

#include <unistd.h>

#define PAUSE_NS      (2 * NS_PER_S)  /* without sound */
#define LEFT_AGAIN_NS (60 * NS_PER_S) /* for a server that answers and then cannot be opened */

/* When to look whether there is sound: a rest that has begun since is old enough no sooner. */
int64_t voice_pause_due(const struct voice *v, int64_t now)
{
    const int64_t rests = player_resting(v->player);
    if (!v->driver->pause)
        return INT64_MAX;
    return (rests == PLAYER_BUSY || rests > now ? now : rests) + PAUSE_NS;
}

static int resume_output(struct voice *v, int64_t now)
{
    player_resume(v->player);
    const int err = v->driver->resume(v->output);
    if (err < 0)
        return err;
    v->state = VOICE_PLAYING;
    v->retry.due = BACKOFF_NEVER;
    log_debug("%s: sound: the output plays again after %.1f ms", v->driver->name,
              (double)(v->clock() - now) / NS_PER_MS);
    voice_format(v, now); /* another one may wait behind it */
    return 0;
}

/* What came at the last moment is heard all the same. */
static int pause_output(struct voice *v, int64_t now)
{
    const int err = v->driver->pause(v->output);
    if (err < 0)
        return err;
    if (player_resting(v->player) == PLAYER_BUSY)
        return resume_output(v, now);
    v->state = VOICE_PAUSED;
    log_debug("%s: no sound: the output is paused", v->driver->name);
    return 0;
}

/* This thread is the stream's consumer while it is paused. */
static bool woken(struct voice *v)
{
    uint64_t count;
    if (read(v->stream.wake_fd, &count, sizeof count) < 0)
        count = 0; /* it has not been written: look all the same */
    return !stream_sleep(&v->stream);
}

/* Nothing is heard of the device, so it is left without a click. It may be had again at once. */
static void leave_device(struct voice *v, int64_t now)
{
    log_info("%s: a sound server answers, which is better", v->driver->name);
    voice_close_output(v);
    v->state = VOICE_CLOSED;
    v->left_at = now;
    backoff_reset(&v->retry);
}

static bool may_leave(const struct voice *v, int64_t now)
{
    if (v->named || !(v->driver->flags & OUTPUT_DEVICE))
        return false;
    return v->left_at == 0 || now - v->left_at > LEFT_AGAIN_NS || lookout_recent(&v->lookout, now);
}

/* True: there is one, and the device has been left. False: retry.due says when to look again. */
static bool look_for_server(struct voice *v, int64_t now)
{
    v->retry.due = BACKOFF_NEVER;
    if (!may_leave(v, now))
        return false;
    if (voice_server_answers(v)) {
        leave_device(v, now);
        return true;
    }
    if (lookout_recent(&v->lookout, now))
        backoff_failed(&v->retry, v->clock(), "");
    return false;
}

int voice_turn_pause(struct voice *v, int64_t now)
{
    int err = 0;
    if (v->state == VOICE_PLAYING && now >= voice_pause_due(v, now)) {
        if (look_for_server(v, now))
            return 0;
        err = pause_output(v, now);
    }
    if (err == 0 && v->state == VOICE_PAUSED && woken(v)) {
        if (stream_ready(&v->stream) == 0 && stream_edge(&v->stream) == STREAM_FORMAT)
            voice_leave_format(v, now);
        else
            err = resume_output(v, now);
    }
    if (err == 0 && v->state == VOICE_PAUSED && now >= v->retry.due)
        look_for_server(v, now);
    return err;
}
