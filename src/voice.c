#include "voice.h"

#include "log.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define LEAVE_POLL_NS  (5 * NS_PER_MS) /* how often to look whether the old format has been read */
#define LEAVE_MOST_NS  NS_PER_S        /* an output that does not pull is left all the same */
#define SETTLED_NS     (5 * NS_PER_S)  /* an output that lived so long has worked */
#define SERVER_WAIT_NS (4 * NS_PER_S)
#define EMPTY_POLL_NS  (20 * NS_PER_MS)
#define OPENINGS       4                 /* at once, */
#define OPENING_NS     (300 * NS_PER_MS) /* and one in so long for ever */
#define PAUSE_NS       (2 * NS_PER_S)    /* without sound */
#define RETRY_MOST_NS                                                                              \
    (400 * NS_PER_MS) /* with what opening takes, sound within a second of a server's return */

int voice_init(struct voice *v, const struct options *options, struct notifier *notifier)
{
    *v = (struct voice){.options = options, .notifier = notifier};
    v->retry.due = BACKOFF_NEVER;
    v->retry.most = RETRY_MOST_NS;
    v->searching = clock_now();
    v->table = output_table;
    v->named = output_find(options->output_name);
    v->exact = v->named && v->named->flags & OUTPUT_EXACT;
    if (v->exact && v->named->probe(&options->output) == -ENOTTY) {
        log_error(
            "-o %s: standard output is a terminal; redirect or pipe it, or record with -o wav",
            v->named->name);
        return -ENOTTY;
    }
    return stream_init(&v->stream, 0);
}

static void close_output(struct voice *v)
{
    if (v->output) {
        v->driver->stop(v->output);
        v->driver->close(v->output);
    }
    player_close(v->player);
    v->output = NULL;
    v->player = NULL;
}

void voice_finish(struct voice *v)
{
    close_output(v);
    stream_finish(&v->stream);
}

/* Nothing that comes back by itself: its reader has gone, standard output is no place for sound. */
static bool for_ever(const struct voice *v, int error)
{
    if (!v->exact) /* a device's plugin may say the same of its server, which comes back */
        return false;
    return error == -EPIPE || error == -ENOTTY || error == -ENOTSUP;
}

/* Tries one driver: 0, or -errno with the reason in `why`. */
static int open_with(struct voice *v, const struct output_driver *driver, char *why, size_t size)
{
    if (v->driver != driver)
        v->learnt = (struct player_learnt){0};
    const struct player_config config = {
        .learnt = &v->learnt,
        .stream = &v->stream,
        .source = v->format,
        .target = v->options->target,
        .bound = v->options->bound,
        .steer = !(driver->flags & OUTPUT_EXACT) && !v->options->exact,
    };
    struct output_config output = v->options->output;
    output.notifier = v->notifier;
    output.type = config.steer ? SAMPLE_F32 : sample_type_of(v->format.width);
    snprintf(why, size, "out of memory");
    int err = player_open(&v->player, &config);
    if (err < 0)
        return err;
    v->driver = driver;
    err = driver->open(&v->output, &output, &v->format, v->player, why, size);
    if (err < 0)
        goto close_player;
    v->output->driver = driver;
    err = driver->start(v->output);
    if (err < 0) {
        snprintf(why, size, "%s: cannot start playing", driver->name);
        close_output(v);
    }
    return err;

close_player:
    player_close(v->player);
    v->player = NULL;
    v->output = NULL;
    return err;
}

/* A server that restarts is waited for: the card that it wants back is left alone until then. */
static bool may_choose(const struct voice *v, const struct output_driver *d, int64_t now)
{
    if (!(d->flags & OUTPUT_AUTOMATIC))
        return false;
    return !(d->flags & OUTPUT_DEVICE) || d == v->driver || now - v->searching > SERVER_WAIT_NS;
}

/* The one that was asked for, or the first that answers and opens. */
static int open_output(struct voice *v, int64_t now, char *why, size_t size)
{
    if (v->named)
        return open_with(v, v->named, why, size);
    int err = -ENOENT;
    snprintf(why, size, "no audio server or device answers");
    for (const struct output_driver *const *d = v->table; *d; d++) {
        if (!may_choose(v, *d, now) || (*d)->probe(&v->options->output) < 0)
            continue;
        err = open_with(v, *d, why, size);
        if (err == 0)
            break;
    }
    return err;
}

/* Takes the format at the front of the stream, or the newest; false: none has got there yet. */
static bool take_format(struct voice *v)
{
    struct stream *s = &v->stream;
    if (!v->exact) {
        if (!stream_pass_to_newest(s))
            return false;
    } else {
        if (stream_edge(s) != STREAM_FORMAT)
            return false;
        stream_pass(s);
    }
    v->format = s->playing;
    v->formats = s->playing_formats;
    return true;
}

/*
 * The beginning that was announced has found no room in the ring, and nobody reads: it is made.
 * Then false, or true when what has been announced is what was played (it went and came back).
 */
static bool make_room(struct voice *v)
{
    struct stream *s = &v->stream;
    stream_read(s, NULL, stream_ready(s));
    while (stream_edge(s) == STREAM_BREAK) {
        stream_pass(s);
        stream_read(s, NULL, stream_ready(s));
    }
    v->formats = s->playing_formats;
    return atomic_load_explicit(&s->formats, memory_order_relaxed) == v->formats;
}

/*
 * Some openings may follow each other at once; a guest that changes its format all the time gets few, but
 * where every byte counts.
 */
static int64_t open_due(const struct voice *v)
{
    if (v->exact)
        return v->retry.due;
    const int64_t spent = v->opened_until - OPENINGS * OPENING_NS;
    return v->retry.due > spent ? v->retry.due : spent;
}

static void spend_opening(struct voice *v, int64_t now)
{
    v->opened_until = (v->opened_until > now ? v->opened_until : now) + OPENING_NS;
}

static int try_open(struct voice *v, int64_t now)
{
    char why[256], what[256];
    if (!v->exact)
        take_format(v); /* while it was closed another one may have begun */
    spend_opening(v, now);
    const int err = open_output(v, now, why, sizeof why);
    if (err == 0) {
        v->state = VOICE_PLAYING;
        v->opened_at = now;
        v->retry.due = BACKOFF_NEVER;
        voice_describe(v, what, sizeof what);
        log_info("playing %s", what);
        voice_format(v, now); /* yet another one may wait behind it already */
        return 0;
    }
    if (for_ever(v, err)) {
        log_error("%s", why);
        return err;
    }
    if (backoff_failed(&v->retry, now, why))
        log_warning("no sound yet: %s; trying again until it works", why);
    return 0;
}

/* ---- pauses ---- */

/* When to look whether there is sound: a rest that has begun since is old enough no sooner. */
static int64_t pause_due(const struct voice *v, int64_t now)
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
              (double)(clock_now() - now) / NS_PER_MS);
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

int voice_wake_fd(const struct voice *v)
{
    return v->state == VOICE_PAUSED ? v->stream.wake_fd : -1;
}

/* This thread is the stream's consumer while it is paused. */
static bool woken(struct voice *v)
{
    uint64_t count;
    if (read(v->stream.wake_fd, &count, sizeof count) < 0)
        count = 0; /* it has not been written: look all the same */
    return !stream_sleep(&v->stream);
}

static int lose_output(struct voice *v, int64_t now, int failure)
{
    const char *why = strerror(-failure);
    close_output(v);
    v->state = VOICE_CLOSED;
    v->searching = now;
    if (now - v->opened_at >= SETTLED_NS)
        backoff_reset(&v->retry);
    const bool settled = v->retry.step == 0;
    if (for_ever(v, failure))
        log_error("%s: the output has ended (%s)", v->driver->name, why);
    else if (backoff_failed(&v->retry, now, why) && failure != -ESTALE)
        log_warning("%s: the output has failed (%s); opening it again", v->driver->name, why);
    if (settled)
        v->retry.due = 0; /* at once, the first time */
    return for_ever(v, failure) ? failure : 0;
}

static void leave_format(struct voice *v, int64_t now)
{
    close_output(v);
    v->searching = now;
    v->state = take_format(v) || make_room(v) ? VOICE_CLOSED : VOICE_EMPTY;
    backoff_reset(&v->retry);
}

/* Pauses when there has been no sound for long enough, and plays again when there is. */
static int turn_pause(struct voice *v, int64_t now)
{
    int err = 0;
    if (v->state == VOICE_PLAYING && now >= pause_due(v, now))
        err = pause_output(v, now);
    if (err == 0 && v->state == VOICE_PAUSED && woken(v)) {
        if (stream_ready(&v->stream) == 0 && stream_edge(&v->stream) == STREAM_FORMAT)
            leave_format(v, now);
        else
            err = resume_output(v, now);
    }
    return err < 0 ? lose_output(v, now, err) : 0;
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

int voice_turn(struct voice *v, int64_t now, int64_t *next)
{
    int err = 0;
    const int failure = v->output ? atomic_load(&v->output->failure) : 0;
    if (failure < 0)
        err = lose_output(v, now, failure);
    if (err == 0)
        err = turn_pause(v, now);
    if (v->state == VOICE_LEAVING && ready_to_leave(v, now))
        leave_format(v, now);
    if (v->state == VOICE_EMPTY &&
        (take_format(v) || (v->stream.playing.rate != 0 && make_room(v)))) {
        v->state = VOICE_CLOSED;
        v->searching = now;
        backoff_reset(&v->retry);
    }
    if (err == 0 && v->state == VOICE_CLOSED && now >= open_due(v))
        err = try_open(v, now);

    *next = INT64_MAX;
    if (v->state == VOICE_LEAVING)
        *next = now + LEAVE_POLL_NS;
    else if (v->state == VOICE_PLAYING)
        *next = pause_due(v, now);
    else if (v->state == VOICE_CLOSED)
        *next = open_due(v);
    else if (v->state == VOICE_EMPTY && v->stream.playing.rate != 0)
        *next = now + EMPTY_POLL_NS; /* a format has been announced that had no room in the ring */
    return err;
}
