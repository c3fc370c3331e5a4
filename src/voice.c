#include "voice_internal.h"

#include "clock.h"
#include "log.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define LEAVE_POLL_NS (5 * NS_PER_MS) /* how often to look whether the old format has been read */
#define LEAVE_MOST_NS NS_PER_S        /* an output that does not pull is left all the same */
#define SETTLED_NS    (5 * NS_PER_S)  /* an output that lived so long has worked */
#define EMPTY_POLL_NS (20 * NS_PER_MS)
#define STARTING_NS   (250 * NS_PER_MS)
#define RETRY_MOST_NS                                                                              \
    (400 * NS_PER_MS) /* with what opening takes, sound within a second of a server's return */

int voice_init(struct voice *v, const struct options *options, struct notifier *notifier)
{
    *v = (struct voice){.options = options, .notifier = notifier};
    v->retry.due = BACKOFF_NEVER;
    v->retry.most = RETRY_MOST_NS;
    v->searching = clock_now();
    v->clock = clock_now;
    v->table = output_table;
    v->named = output_find(options->output_name);
    v->exact = v->named && v->named->flags & OUTPUT_EXACT;
    if (v->exact && v->named->probe(&options->output) == -ENOTTY) {
        log_error(
            "-o %s: standard output is a terminal; redirect or pipe it, or record with -o wav",
            v->named->name);
        return -ENOTTY;
    }
    if (v->named)
        voice_tell_unused(v, v->named);
    lookout_init(&v->lookout);
    return stream_init(&v->stream, 0);
}

void voice_finish(struct voice *v)
{
    telling_finish(&v->telling);
    voice_close_output(v);
    voice_abandon_pending(v);
    lookout_clear(&v->lookout);
    stream_finish(&v->stream);
}

int voice_wake_fd(const struct voice *v)
{
    return v->state == VOICE_PAUSED ? v->stream.wake_fd : -1;
}

size_t voice_watch_fds(const struct voice *v, struct pollfd *fds)
{
    return lookout_fds(&v->lookout, fds);
}

bool voice_for_ever(const struct voice *v, int error)
{
    if (!v->exact) /* a device's plugin may say the same of its server, which comes back */
        return false;
    return error == -EPIPE || error == -ENOTTY || error == -ENOTSUP;
}

static void note_format(struct voice *v)
{
    v->format = v->stream.playing;
    v->formats = v->stream.playing_formats;
}

bool voice_take_newest(struct voice *v)
{
    const bool found = stream_pass_to_newest(&v->stream);
    if (found)
        note_format(v);
    return found;
}

bool voice_take_format(struct voice *v)
{
    if (!v->exact)
        return voice_take_newest(v);
    if (stream_edge(&v->stream) != STREAM_FORMAT)
        return false;
    stream_pass(&v->stream);
    note_format(v);
    return true;
}

/*
 * The beginning that was announced has found no room in the ring, and nobody reads: it is made.
 * Then false, or true when what has been announced is what was played (it went and came back).
 */
static bool make_room(struct voice *v)
{
    struct stream *s = &v->stream;
    stream_drop(s);
    while (stream_edge(s) == STREAM_BREAK) {
        stream_pass(s);
        stream_drop(s);
    }
    v->formats = s->playing_formats;
    return atomic_load_explicit(&s->formats, memory_order_relaxed) == v->formats;
}

static int lose_output(struct voice *v, int64_t now, int failure)
{
    const char *why = strerror(-failure);
    if (now - v->opened_at >= SETTLED_NS)
        backoff_reset(&v->retry);
    voice_close_output(v);
    v->state = VOICE_CLOSED;
    now = v->searching = v->clock();
    const bool settled = v->retry.step == 0;
    if (voice_for_ever(v, failure))
        telling_say(&v->telling, now, LOG_LEVEL_ERROR, "%s: the output has ended (%s)",
                    v->driver->name, why);
    else if (backoff_failed(&v->retry, now, why) && failure != -ESTALE)
        telling_say(&v->telling, now, LOG_LEVEL_WARNING,
                    "%s: the output has failed (%s); opening it again", v->driver->name, why);
    if (settled)
        v->retry.due = 0; /* at once, the first time */
    return voice_for_ever(v, failure) ? failure : 0;
}

void voice_leave_format(struct voice *v, int64_t now)
{
    voice_close_output(v);
    v->searching = now;
    v->state = voice_take_format(v) || make_room(v) ? VOICE_CLOSED : VOICE_EMPTY;
    backoff_reset(&v->retry);
}

static bool ready_to_leave(struct voice *v, int64_t now)
{
    if (v->heard_at == 0 && player_finished(v->player)) {
        const int64_t delay = (int64_t)count_read(&v->stream.counters.delay_us) * NS_PER_US;
        v->heard_at = v->exact ? now : now + delay;
    }
    return (v->heard_at != 0 && now >= v->heard_at) || now >= v->leave_by;
}

void voice_format(struct voice *v, int64_t now)
{
    /* It may have been taken already, before this event was. */
    const bool news = atomic_load_explicit(&v->stream.formats, memory_order_relaxed) != v->formats;
    if (v->state == VOICE_PLAYING && news) {
        v->state = VOICE_LEAVING;
        v->leave_by = v->exact ? INT64_MAX : now + LEAVE_MOST_NS;
        v->heard_at = 0;
    }
}

/*
 * What may have come is looked at soon, and if it is not ready soon again. Not at once: a server that is busy
 * with its start would be late for the first sound, and the player would learn from that for long.
 */
static void hear_news(struct voice *v, int64_t now)
{
    if (v->state == VOICE_PLAYING || v->state == VOICE_LEAVING)
        return;
    log_debug("there are news of a sound server");
    v->retry.due = now + STARTING_NS;
    v->retry.step = 0;
}

/* An output that has failed, or does so at a pause: 0, or -errno when there will be no other. */
static int see_to_output(struct voice *v, int64_t now)
{
    int failure = v->output ? atomic_load(&v->output->failure) : 0;
    if (failure == 0)
        failure = voice_turn_pause(v, now);
    return failure < 0 ? lose_output(v, now, failure) : 0;
}

/* When there is something to do. */
static int64_t due(const struct voice *v, int64_t now)
{
    switch (v->state) {
    case VOICE_LEAVING:
        return now + LEAVE_POLL_NS;
    case VOICE_PLAYING:
        return voice_pause_due(v, now);
    case VOICE_PAUSED:
        return v->retry.due;
    case VOICE_CLOSED:
        return voice_open_due(v);
    default: /* a format may have been announced that had no room in the ring */
        return v->stream.playing.rate != 0 ? now + EMPTY_POLL_NS : INT64_MAX;
    }
}

int voice_turn(struct voice *v, int64_t now, int64_t *next)
{
    if (lookout_news(&v->lookout, now))
        hear_news(v, now);
    int err = see_to_output(v, now);
    if (v->state == VOICE_LEAVING && ready_to_leave(v, now))
        voice_leave_format(v, now);
    if (v->state == VOICE_EMPTY &&
        (voice_take_format(v) || (v->stream.playing.rate != 0 && make_room(v)))) {
        v->state = VOICE_CLOSED;
        v->searching = now;
        backoff_reset(&v->retry);
    }
    if (err == 0 && v->state == VOICE_CLOSED && now >= voice_open_due(v))
        err = voice_try_open(v, now);

    const int64_t tell = telling_turn(&v->telling, now);
    *next = clock_earliest(due(v, now), clock_earliest(tell, lookout_due(&v->lookout)));
    return err;
}
