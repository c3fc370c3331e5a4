/*
 * alsa: straight into a device's buffer, or into whatever plugin bears its name.
 *
 * The PCM is non-blocking throughout. Opened by a thread of alsa_attempt.h, closed by one of alsa_pcm.h.
 * Between start and stop the feeder's thread alone touches it: once in a period, by the clock, it asks
 * where the device is and hands over what has come.
 */
#include "../src/clock.h"
#include "../src/counters.h"
#include "../src/feeder.h"
#include "../src/log.h"
#include "../src/player.h"
#include "alsa_attempt.h"
#include "alsa_pcm.h"
#include "alsa_queue.h"
#include "alsa_setup.h"
#include "alsa_standstill.h"
#include "drivers.h"

#include <alsa/asoundlib.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RESUME_WAIT_NS (50 * NS_PER_MS)
#define SILENT_RESUMED 0
#define SILENT_TURNS   5  /* before the player is read: by then a plugin's timing is steady */
#define MAX_RECOVERIES 20 /* with nothing played between them: it will not come back */

struct alsa {
    struct output output;
    struct feeder *feeder;
    struct output_config config; /* for opening the device again */
    struct pcm_format source;
    const char *device;
    struct alsa_setup setup;
    counter xruns;

    /* the feeder's thread */
    struct alsa_queue queue;
    unsigned silent; /* turns to be met with silence yet */
    int recoveries;  /* in a row */
    bool dry;        /* it ran dry, and has not run since */
    struct alsa_standstill standstill;
};

/* ---- opening ---- */

static const char *device_of(const struct output_config *config)
{
    return config->device ? config->device : ALSA_DEFAULT_DEVICE;
}

static int alsa_probe(const struct output_config *config)
{
    struct alsa_opened opened;
    char why[256];
    const int err = alsa_attempt(&opened, device_of(config), NULL, config, why, sizeof why);
    if (err == 0)
        alsa_pcm_close(opened.pcm);
    return err;
}

static int set_pcm(struct alsa *a, snd_pcm_t *pcm, char *why, size_t size)
{
    const struct player_sink sink = {
        .type = a->setup.type,
        .rate = a->source.rate,
        .map = a->setup.map,
        .quantum = (uint32_t)a->setup.period,
        .queued = true,
    };
    int err = alsa_queue_init(&a->queue, pcm, &a->setup);
    if (err == 0)
        err = player_set_sink(a->queue.player, &sink);
    if (err < 0)
        snprintf(why, size, "cannot play to ALSA device '%s': %s", a->device, snd_strerror(err));
    return err;
}

static void log_setup(const struct alsa *a)
{
    char text[160];
    alsa_setup_text(&a->setup, text, sizeof text);
    log_debug("ALSA device '%s' (%s): %s", a->device, snd_pcm_type_name(snd_pcm_type(a->queue.pcm)),
              text);
}

static void alsa_close(struct output *o)
{
    struct alsa *a = (struct alsa *)o;
    if (!a)
        return;
    alsa_pcm_close(a->queue.pcm);
    snd_pcm_status_free(a->queue.status);
    free(a->queue.scratch);
    free(a);
}

static int open_pcm(struct alsa *a, char *why, size_t size)
{
    struct alsa_opened opened;
    const int err = alsa_attempt(&opened, a->device, &a->source, &a->config, why, size);
    if (err < 0)
        return err;
    a->setup = opened.setup;
    return set_pcm(a, opened.pcm, why, size);
}

static int alsa_open(struct output **out, const struct output_config *config,
                     const struct pcm_format *source, struct player *player, char *why, size_t size)
{
    struct alsa *a = calloc(1, sizeof *a);
    if (!a || snd_pcm_status_malloc(&a->queue.status) < 0) {
        snprintf(why, size, "out of memory");
        free(a);
        return -ENOMEM;
    }
    a->output.notifier = config->notifier;
    a->config = *config;
    a->source = *source;
    a->device = device_of(config);
    a->queue.player = player;
    const int err = open_pcm(a, why, size);
    if (err < 0) {
        alsa_close(&a->output);
        return err;
    }
    log_setup(a);
    *out = &a->output;
    return 0;
}

/* ---- the feeder's thread ---- */

/* The device ran dry, or was asleep: 0 for another turn after *pause ns. */
static int recover(struct alsa *a, int err, int64_t *pause)
{
    snd_pcm_t *pcm = a->queue.pcm;
    if (err == -EAGAIN || err == -EINTR)
        return 0;
    if (err != -EPIPE && err != -ESTRPIPE)
        return err;
    if (++a->recoveries > MAX_RECOVERIES)
        return -EIO;
    *pause = 0;
    if (err == -ESTRPIPE) {
        err = snd_pcm_resume(pcm);
        if (err == 0 && snd_pcm_state(pcm) != SND_PCM_STATE_SUSPENDED) /* plugins always say 0 */
            return 0;
        if (err == -EAGAIN) { /* the hardware is still waking up */
            a->recoveries = 0;
            *pause = RESUME_WAIT_NS;
            return 0;
        }
    } else {
        count_add(&a->xruns, 1);
        a->dry = true;
    }
    return snd_pcm_prepare(pcm);
}

/* By the clock: a device's own word that it has room is for buffers that are kept full. */
static int wait_or_wake(int wake_fd, int64_t ns)
{
    struct pollfd fd = {.fd = wake_fd, .events = POLLIN};
    const struct timespec time = {.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S};
    return ppoll(&fd, 1, &time, NULL) < 0 && errno != EINTR ? -errno : 0;
}

/* Fills what has been emptied, and lets it run. */
static int feed_prepared(struct alsa *a)
{
    alsa_queue_begin(&a->queue);
    alsa_standstill_begin(&a->standstill);
    const int err = alsa_queue_fill(&a->queue, true);
    return err < 0 || snd_pcm_state(a->queue.pcm) != SND_PCM_STATE_PREPARED
               ? err
               : snd_pcm_start(a->queue.pcm);
}

static int feed_running(struct alsa *a)
{
    const int err = alsa_queue_fill(&a->queue, a->silent > 0);
    if (err < 0)
        return err;
    if (alsa_standstill_hung(&a->standstill, clock_now(), a->queue.taken, (int64_t)a->queue.buffer,
                             a->queue.rate))
        return -ETIMEDOUT;
    if (a->dry && a->silent == 0)
        player_ran_dry(a->queue.player); /* not by the end of the device */
    a->dry = false;
    a->silent -= a->silent > 0;
    a->recoveries = 0;
    return 0;
}

static int feed(struct alsa *a)
{
    switch (snd_pcm_state(a->queue.pcm)) {
    case SND_PCM_STATE_PREPARED:
        return feed_prepared(a);
    case SND_PCM_STATE_RUNNING:
        return feed_running(a);
    case SND_PCM_STATE_XRUN:
        return -EPIPE;
    case SND_PCM_STATE_SUSPENDED:
        return -ESTRPIPE;
    case SND_PCM_STATE_DISCONNECTED:
        return -ENODEV;
    default: /* nothing that we have brought it to */
        return -EBADFD;
    }
}

static int alsa_turn(struct output *o, int wake_fd)
{
    struct alsa *a = (struct alsa *)o;
    int err = feed(a);
    int64_t pause = alsa_queue_ns(&a->queue, (int64_t)a->queue.period);
    if (err < 0)
        err = recover(a, err, &pause);
    if (err < 0)
        return err;
    return wait_or_wake(wake_fd, pause);
}

/* ---- the rest ---- */

static int alsa_start(struct output *o)
{
    struct alsa *a = (struct alsa *)o;
    a->silent = SILENT_TURNS;
    return feeder_start(&a->feeder, o, alsa_turn);
}

/*
 * Closed: a card's driver lets it sleep when it is not open (snd_pcm_drop() alone is not enough for
 * HDA and USB), others may have it, and a plugin's own thread is gone.
 */
static int alsa_pause(struct output *o)
{
    struct alsa *a = (struct alsa *)o;
    feeder_stop(a->feeder);
    a->feeder = NULL;
    alsa_pcm_close(a->queue.pcm);
    a->queue.pcm = NULL;
    return 0;
}

static int alsa_resume(struct output *o)
{
    struct alsa *a = (struct alsa *)o;
    char why[256];
    a->queue.lasts_until = 0;
    const int err = open_pcm(a, why, sizeof why);
    if (err < 0)
        log_debug("%s", why);
    a->silent = SILENT_RESUMED;
    return err < 0 ? err : feeder_start(&a->feeder, o, alsa_turn);
}

/* What the device still holds, its target latency, is played; alsa_close() takes it away. */
static void alsa_stop(struct output *o)
{
    struct alsa *a = (struct alsa *)o;
    feeder_stop(a->feeder);
    a->feeder = NULL;
    log_debug("ALSA device '%s' had %llu xruns", a->device,
              (unsigned long long)count_read(&a->xruns));
}

static void alsa_describe(const struct output *o, char *buf, size_t size)
{
    const struct alsa *a = (const struct alsa *)o;
    char text[160];
    alsa_setup_text(&a->setup, text, sizeof text);
    snprintf(buf, size, "ALSA device '%s', %s, %llu xruns", a->device, text,
             (unsigned long long)count_read(&a->xruns));
}

const struct output_driver alsa_driver = {
    ABOUT_ALSA,          .probe = alsa_probe, .open = alsa_open,
    .start = alsa_start, .pause = alsa_pause, .resume = alsa_resume,
    .stop = alsa_stop,   .close = alsa_close, .describe = alsa_describe,
};
