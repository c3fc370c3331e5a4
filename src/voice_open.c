/* Finding an output, and opening it for what has arrived. */
#include "voice_internal.h"

#include <errno.h>
#include <stdio.h>

#define SERVER_WAIT_NS (4 * NS_PER_S)
#define WATCHED_NS     (30 * NS_PER_S)   /* a look all the same, where there will be news */
#define OPENINGS       4                 /* at once, */
#define OPENINGS_EXACT 256               /* or where every byte counts, */
#define OPENING_NS     (300 * NS_PER_MS) /* and one in so long for ever */

void voice_close_output(struct voice *v)
{
    if (v->output) {
        v->driver->stop(v->output);
        v->driver->close(v->output);
    }
    player_close(v->player);
    v->output = NULL;
    v->player = NULL;
}

void voice_abandon_pending(struct voice *v)
{
    if (v->pending.attempt)
        v->pending.abandon(v->pending.attempt);
    v->pending.attempt = NULL;
}

/* What drivers are asked with. */
static struct output_config config_of(struct voice *v)
{
    struct output_config config = v->options->output;
    config.notifier = v->notifier;
    config.pending = &v->pending;
    config.lookout = &v->lookout;
    return config;
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
    struct output_config output = config_of(v);
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
        voice_close_output(v);
    }
    return err;

close_player:
    player_close(v->player);
    v->player = NULL;
    v->output = NULL;
    return err;
}

/* Whatever fails without saying where its end will be seen has to be tried again by the clock. */
static int note(struct voice *v, unsigned names, int err)
{
    if (err < 0 && v->lookout.names == names)
        v->lookout.blind = true;
    return err;
}

static int probe(struct voice *v, const struct output_driver *driver)
{
    const struct output_config config = config_of(v);
    const unsigned names = v->lookout.names;
    return note(v, names, driver->probe(&config));
}

static int try_driver(struct voice *v, const struct output_driver *driver, char *why, size_t size)
{
    const unsigned names = v->lookout.names;
    return note(v, names, open_with(v, driver, why, size));
}

/* A server that restarts is waited for: the card that it wants back is left alone until then. */
static int64_t device_due(const struct voice *v)
{
    return v->searching + SERVER_WAIT_NS;
}

static bool may_choose(const struct voice *v, const struct output_driver *d, int64_t now)
{
    if (!(d->flags & OUTPUT_AUTOMATIC))
        return false;
    return !(d->flags & OUTPUT_DEVICE) || d == v->driver || now >= device_due(v);
}

/* The one that was asked for, or the first that answers and opens. */
static int open_output(struct voice *v, int64_t now, char *why, size_t size)
{
    if (v->named)
        return try_driver(v, v->named, why, size);
    int err = -ENOENT;
    snprintf(why, size, "no audio server or device answers");
    for (const struct output_driver *const *d = v->table; *d; d++) {
        if (!may_choose(v, *d, now) || probe(v, *d) < 0)
            continue;
        err = try_driver(v, *d, why, size);
        if (err == 0)
            break;
    }
    return err;
}

bool voice_server_answers(struct voice *v)
{
    bool answers = false;
    lookout_begin(&v->lookout);
    for (const struct output_driver *const *d = v->table; *d && !answers; d++)
        answers =
            (*d)->flags & OUTPUT_AUTOMATIC && !((*d)->flags & OUTPUT_DEVICE) && probe(v, *d) == 0;
    lookout_end(&v->lookout, v->clock());
    return answers;
}

/* From when on there may be one more. */
static int64_t unspent(const struct voice *v)
{
    return v->opened_until - (v->exact ? OPENINGS_EXACT : OPENINGS) * OPENING_NS;
}

/* Some openings may follow each other at once; a guest that changes its format all the time gets few. */
int64_t voice_open_due(const struct voice *v)
{
    return v->retry.due > unspent(v) ? v->retry.due : unspent(v);
}

/* It is the last one for now: whoever wants every byte has got no sound, but a file for each packet. */
static bool is_last(const struct voice *v, int64_t now)
{
    return now < unspent(v) + OPENING_NS;
}

/* begun: when the opening that ends now did. What is spent is not earned back meanwhile. */
static void spend_opening(struct voice *v, int64_t begun, int64_t now)
{
    const int64_t before = v->opened_until > begun ? v->opened_until - begun : 0;
    v->opened_until = now + before + OPENING_NS;
}

/* Other servers are of no interest, unless this is a device that auto has taken for want of one. */
static void begin_playing(struct voice *v, int64_t now)
{
    char what[256];
    v->state = VOICE_PLAYING;
    v->opened_at = now;
    v->retry.due = BACKOFF_NEVER;
    voice_abandon_pending(v);
    lookout_end(&v->lookout, now);
    if (v->named || !(v->driver->flags & OUTPUT_DEVICE))
        lookout_clear(&v->lookout);
    voice_tell_unused(v, v->driver);
    voice_describe(v, what, sizeof what);
    voice_tell_cut(v, now);
    telling_say(&v->telling, now, LOG_LEVEL_INFO, "playing %s", what);
    voice_format(v, now); /* yet another one may wait behind it already */
}

/* Until there are news, or by the clock. */
static void wait_for_news(struct voice *v, int64_t now, const char *why)
{
    if (backoff_failed(&v->retry, now, why))
        telling_say(&v->telling, now, LOG_LEVEL_WARNING,
                    "no sound yet: %s; trying again until it works", why);
    if (!lookout_end(&v->lookout, now))
        return;
    v->retry.due = now + WATCHED_NS;
    if (!v->named && now < device_due(v))
        v->retry.due = device_due(v);
}

int voice_try_open(struct voice *v, int64_t now)
{
    char why[256];
    if (!v->exact || is_last(v, now))
        voice_take_newest(v); /* while it was closed another one may have begun */
    lookout_begin(&v->lookout);
    const int err = open_output(v, now, why, sizeof why);
    const int64_t ended = v->clock();
    spend_opening(v, now, ended);
    if (err == 0) {
        begin_playing(v, ended);
        return 0;
    }
    if (voice_for_ever(v, err)) {
        telling_say(&v->telling, ended, LOG_LEVEL_ERROR, "%s", why);
        return err;
    }
    wait_for_news(v, ended, why);
    return 0;
}
