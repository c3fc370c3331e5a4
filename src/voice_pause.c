/* While there is no sound: the output rests. */
#include "voice_internal.h"

#include "log.h"

#include <unistd.h>

#define PAUSE_NS (2 * NS_PER_S) /* without sound */

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

int voice_turn_pause(struct voice *v, int64_t now)
{
    int err = 0;
    if (v->state == VOICE_PLAYING && now >= voice_pause_due(v, now))
        err = pause_output(v, now);
    if (err == 0 && v->state == VOICE_PAUSED && woken(v)) {
        if (stream_ready(&v->stream) == 0 && stream_edge(&v->stream) == STREAM_FORMAT)
            voice_leave_format(v, now);
        else
            err = resume_output(v, now);
    }
    return err;
}
