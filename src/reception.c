#include "reception.h"

#include "clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define REOPEN_NS     (50 * NS_PER_MS) /* the least time from one opening to the next */
#define HINT_FIRST_NS (5 * NS_PER_S)
#define HINT_MOST_NS  (600 * NS_PER_S)

void reception_init(struct reception *r, const struct options *options, struct stream *s,
                    struct notifier *n)
{
    *r = (struct reception){.options = options,
                            .driver = receiver_find(options->receiver_name),
                            .stream = s,
                            .notifier = n};
    char unused[64];
    if (options_unused_by_receiver(options, r->driver, unused, sizeof unused))
        log_warning("the receiver %s has no use for %s", r->driver->name, unused);
}

static void close_receiver(struct reception *r)
{
    ingest_stop(r->ingest);
    r->driver->close(r->receiver);
    r->ingest = NULL;
    r->receiver = NULL;
}

void reception_finish(struct reception *r)
{
    telling_finish(&r->telling);
    if (r->receiver)
        close_receiver(r);
}

/* Says what it waits for, once, or that it listens now. */
static void tell_state(struct reception *r, int64_t now, bool opened)
{
    char what[128];
    const char *waiting = r->receiver->waiting;
    const bool same = strcmp(waiting, r->waiting) == 0 && !r->otherwise;
    if (same && (waiting[0] || !opened))
        return;
    snprintf(r->waiting, sizeof r->waiting, "%s", waiting);
    r->otherwise = false;
    r->hint_step = HINT_FIRST_NS;
    r->silent_hint = now + r->hint_step;
    r->driver->describe(r->receiver, what, sizeof what);
    if (waiting[0])
        telling_say(&r->telling, now, LOG_LEVEL_WARNING, "waiting: %s", waiting);
    else
        telling_say(&r->telling, now, LOG_LEVEL_INFO, "listening to %s", what);
}

static void tell_otherwise(struct reception *r, int64_t now, enum log_level level, const char *what,
                           const char *then)
{
    telling_say(&r->telling, now, level, "%s%s", what, then);
    r->otherwise |= log_tells(level);
}

static void open_receiver(struct reception *r, int64_t now)
{
    char why[256] = "out of memory";
    int err = r->driver->open(&r->receiver, &r->options->receiver, &r->counters, why, sizeof why);
    if (err == 0) {
        err = ingest_start(&r->ingest, r->receiver, r->stream, r->notifier, !r->options->no_sandbox,
                           r->opened_at == 0);
        if (err < 0)
            close_receiver(r);
    }
    if (err < 0) {
        if (backoff_failed(&r->retry, now, why))
            tell_otherwise(r, now, LOG_LEVEL_WARNING, "waiting: ", why);
        return;
    }
    backoff_reset(&r->retry);
    r->crowd_at = CROWD_NEVER;
    r->opened_at = now;
    tell_state(r, now, true);
}

static void lose_receiver(struct reception *r, int64_t now, int failure)
{
    char what[128], then[128];
    r->driver->describe(r->receiver, what, sizeof what);
    snprintf(then, sizeof then, " has failed (%s); opening it again", strerror(-failure));
    if (failure == -ESTALE)
        tell_otherwise(r, now, LOG_LEVEL_DEBUG, what, ": opening it anew");
    else
        tell_otherwise(r, now, LOG_LEVEL_WARNING, what, then);
    close_receiver(r);
    backoff_reset(&r->retry);
    r->retry.due = r->opened_at + REOPEN_NS;
}

/* Whatever has happened to it. */
static void see_to_receiver(struct reception *r, int64_t now)
{
    int failure = ingest_failure(r->ingest);
    if (failure == 0 && r->driver->tend)
        failure = r->driver->tend(r->receiver, now);
    if (failure < 0) {
        lose_receiver(r, now, failure);
        return;
    }
    r->crowd_at = ingest_tend(r->ingest, now);
    tell_state(r, now, false);
}

/* Nothing has come yet: say where it was expected, with growing gaps, at most every 10 minutes. True: said. */
static bool hint_at_silence(struct reception *r, int64_t now)
{
    char what[128];
    if (!r->receiver || r->receiver->waiting[0] || now < r->silent_hint)
        return false;
    if (count_read(&r->counters.packets) > 0) {
        r->silent_hint = BACKOFF_NEVER;
        return false;
    }
    r->driver->describe(r->receiver, what, sizeof what);
    log_warning("no packets yet on %s: %s `scream --check` with the same options looks closer",
                what, r->driver->hint);
    r->hint_step = r->hint_step * 4 < HINT_MOST_NS ? r->hint_step * 4 : HINT_MOST_NS;
    r->silent_hint = now + r->hint_step;
    return true;
}

/* When it has to be looked at again. */
static int64_t due(const struct reception *r)
{
    if (!r->receiver)
        return r->retry.due;
    const int64_t tend = r->driver->tend ? r->receiver->tend_at : RECEIVER_UNTENDED;
    const int64_t all = clock_earliest(tend, r->crowd_at);
    return r->receiver->waiting[0] ? all : clock_earliest(all, r->silent_hint);
}

bool reception_turn(struct reception *r, int64_t now, int64_t *next)
{
    if (r->receiver)
        see_to_receiver(r, now);
    if (!r->receiver && now >= r->retry.due)
        open_receiver(r, now);
    const bool hinted = hint_at_silence(r, now);
    *next = clock_earliest(due(r), telling_turn(&r->telling, now));
    return hinted;
}

int reception_watch_fd(const struct reception *r)
{
    return r->receiver && r->driver->tend ? r->receiver->watch_fd : -1;
}

const char *reception_waiting(const struct reception *r)
{
    return r->receiver ? r->receiver->waiting : r->retry.why;
}
