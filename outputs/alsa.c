/*
 * alsa: straight into a device's buffer, or into whatever plugin bears its name.
 *
 * The PCM is non-blocking throughout. Control thread: open, stop, close. Between start and stop the
 * feeder's thread alone touches it: it waits for a period's room, asks where the device is, lets the
 * player fill.
 */
#include "../src/clock.h"
#include "../src/counters.h"
#include "../src/feeder.h"
#include "../src/log.h"
#include "../src/output.h"
#include "../src/player.h"
#include "alsa_pcm.h"
#include "alsa_setup.h"
#include "alsa_wait.h"

#include <alsa/asoundlib.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALSA_DEFAULT_DEVICE "default"
#define STAMP_MAX_AGE_NS    (100 * NS_PER_MS) /* an older stamp is of another clock */
#define RESUME_WAIT_MS      50
#define MAX_RECOVERIES      20 /* with nothing played between them: it will not come back */

struct alsa {
    struct output output;
    struct player *player;
    struct feeder *feeder;
    const char *device;
    snd_pcm_t *pcm;
    struct alsa_setup setup;
    uint32_t frame_bytes;
    counter xruns;

    /* the feeder's thread */
    snd_pcm_status_t *status;
    int recoveries; /* in a row */
    struct alsa_wait wait;

    void *scratch; /* a period, for devices without mmap */
};

/* ---- opening ---- */

static const char *device_of(const struct output_config *config)
{
    return config->device ? config->device : ALSA_DEFAULT_DEVICE;
}

static int alsa_probe(const struct output_config *config)
{
    snd_pcm_t *pcm;
    char why[256];
    const int err = alsa_pcm_open(&pcm, device_of(config), why, sizeof why);
    if (err == 0)
        alsa_pcm_close(pcm);
    return err;
}

static int set_sink(struct alsa *a, const struct pcm_format *source, char *why, size_t size)
{
    const struct player_sink sink = {
        .type = a->setup.type,
        .rate = source->rate,
        .map = a->setup.map,
        .quantum = (uint32_t)a->setup.period,
    };
    a->frame_bytes = sample_bytes(sink.type) * sink.map.channels;
    a->scratch = malloc(a->setup.period * a->frame_bytes);
    const int err = a->scratch ? player_set_sink(a->player, &sink) : -ENOMEM;
    if (err < 0)
        snprintf(why, size, "cannot play to ALSA device '%s': %s", a->device, snd_strerror(err));
    return err;
}

static void log_setup(const struct alsa *a)
{
    char text[160];
    alsa_setup_text(&a->setup, text, sizeof text);
    log_debug("ALSA device '%s' (%s): %s", a->device, snd_pcm_type_name(snd_pcm_type(a->pcm)),
              text);
}

static void alsa_close(struct output *o)
{
    struct alsa *a = (struct alsa *)o;
    if (!a)
        return;
    alsa_pcm_close(a->pcm);
    if (a->status)
        snd_pcm_status_free(a->status);
    free(a->scratch);
    free(a);
}

static int alsa_open(struct output **out, const struct output_config *config,
                     const struct pcm_format *source, struct player *player, char *why, size_t size)
{
    struct alsa *a = calloc(1, sizeof *a);
    if (!a || snd_pcm_status_malloc(&a->status) < 0) {
        snprintf(why, size, "out of memory");
        free(a);
        return -ENOMEM;
    }
    a->output.notifier = config->notifier;
    a->player = player;
    a->device = device_of(config);
    int err = alsa_pcm_open(&a->pcm, a->device, why, size);
    if (err == 0)
        err = alsa_setup(&a->setup, a->pcm, a->device, source, config, why, size);
    if (err == 0)
        err = set_sink(a, source, why, size);
    if (err < 0) {
        alsa_close(&a->output);
        return err;
    }
    a->wait = (struct alsa_wait){
        .pcm = a->pcm, .rate = a->setup.rate, .period = a->setup.period, .buffer = a->setup.buffer};
    log_setup(a);
    *out = &a->output;
    return 0;
}

/* ---- the feeder's thread: what ---- */

/* The device ran dry, or was asleep: 0 for another turn. */
static int recover(struct alsa *a, int err, int wake_fd)
{
    if (err == -EAGAIN || err == -EINTR) {
        a->wait.idle = true;
        return 0;
    }
    if ((err != -EPIPE && err != -ESTRPIPE) || ++a->recoveries > MAX_RECOVERIES)
        return err;
    if (err == -ESTRPIPE) {
        err = snd_pcm_resume(a->pcm);
        if (err == 0 && snd_pcm_state(a->pcm) != SND_PCM_STATE_SUSPENDED) /* plugins always say 0 */
            return 0;
        if (err == -EAGAIN) { /* the hardware is still waking up */
            a->recoveries = 0;
            alsa_wait_clock(wake_fd, RESUME_WAIT_MS * NS_PER_MS);
            return 0;
        }
    } else {
        count_add(&a->xruns, 1);
    }
    return snd_pcm_prepare(a->pcm);
}

/* When, on our clock, the frame that is written next will be heard. */
static int heard_at(struct alsa *a, int64_t *now, int64_t *heard)
{
    const int err = snd_pcm_status(a->pcm, a->status);
    *now = clock_now();
    if (err < 0)
        return err;
    snd_htimestamp_t stamp;
    snd_pcm_status_get_htstamp(a->status, &stamp);
    const int64_t stamped = (int64_t)stamp.tv_sec * NS_PER_S + stamp.tv_nsec;
    const int64_t age = *now - stamped;
    const snd_pcm_sframes_t delay = snd_pcm_status_get_delay(a->status);
    const bool moves = snd_pcm_status_get_state(a->status) == SND_PCM_STATE_RUNNING;
    const bool makes_sense = moves && age >= 0 && age < STAMP_MAX_AGE_NS;
    *heard = (makes_sense ? stamped : *now) + alsa_wait_ns(&a->wait, delay > 0 ? delay : 0);
    if (*heard < *now)
        *heard = *now;
    return 0;
}

/* The first buffer is silence: the player counts on a period at a time, and this asks for all at once. */
static void take_frames(struct alsa *a, void *dst, snd_pcm_uframes_t frames, int64_t now,
                        int64_t delay)
{
    if (snd_pcm_state(a->pcm) == SND_PCM_STATE_PREPARED)
        memset(dst, 0, frames * a->frame_bytes);
    else
        player_fill(a->player, dst, (uint32_t)frames, now, delay);
}

/* At most `frames`: returns how many, or -errno. */
static snd_pcm_sframes_t fill_mapped(struct alsa *a, snd_pcm_uframes_t frames, int64_t now,
                                     int64_t delay)
{
    const snd_pcm_channel_area_t *areas;
    snd_pcm_uframes_t offset;
    const int err = snd_pcm_mmap_begin(a->pcm, &areas, &offset, &frames);
    if (err < 0)
        return err;
    uint8_t *at = (uint8_t *)areas[0].addr + areas[0].first / 8 + offset * (areas[0].step / 8);
    take_frames(a, at, frames, now, delay);
    const snd_pcm_sframes_t done = snd_pcm_mmap_commit(a->pcm, offset, frames);
    return done >= 0 && (snd_pcm_uframes_t)done < frames ? -EPIPE : done;
}

static snd_pcm_sframes_t fill_written(struct alsa *a, snd_pcm_uframes_t frames, int64_t now,
                                      int64_t delay)
{
    take_frames(a, a->scratch, frames, now, delay);
    snd_pcm_uframes_t done = 0;
    while (done < frames) {
        const uint8_t *at = (uint8_t *)a->scratch + done * a->frame_bytes;
        const snd_pcm_sframes_t n = snd_pcm_writei(a->pcm, at, frames - done);
        if (n <= 0)
            return n < 0 ? n : -EPIPE;
        done += (snd_pcm_uframes_t)n;
    }
    return (snd_pcm_sframes_t)done;
}

/* A period at a time, so that a player's fill is never larger than that. Frames or -errno. */
static snd_pcm_sframes_t fill(struct alsa *a)
{
    int64_t now, heard;
    const int err = heard_at(a, &now, &heard);
    const snd_pcm_sframes_t avail = err < 0 ? err : snd_pcm_avail_update(a->pcm);
    const snd_pcm_sframes_t room =
        avail < a->wait.credit ? avail : (snd_pcm_sframes_t)a->wait.credit;
    snd_pcm_sframes_t filled = avail < 0 ? avail : 0;
    while (filled >= 0 && filled < room) {
        const snd_pcm_uframes_t left = (snd_pcm_uframes_t)(room - filled);
        const snd_pcm_uframes_t n = left < a->setup.period ? left : a->setup.period;
        const snd_pcm_sframes_t done = a->setup.mmap ? fill_mapped(a, n, now, heard - now)
                                                     : fill_written(a, n, now, heard - now);
        if (done <= 0)
            return done < 0 ? done : filled;
        filled += done;
        a->wait.credit -= done;
        now += alsa_wait_ns(&a->wait, done); /* as if each period had its own wake-up */
        heard += alsa_wait_ns(&a->wait, done);
    }
    return filled;
}

static int feed_prepared(struct alsa *a, int wake_fd)
{
    const int err = alsa_wait_pace(&a->wait, wake_fd);
    if (err <= 0)
        return err;
    const snd_pcm_sframes_t filled = fill(a);
    if (filled < 0)
        return (int)filled;
    a->wait.idle = true; /* should it not start */
    return snd_pcm_state(a->pcm) == SND_PCM_STATE_PREPARED ? snd_pcm_start(a->pcm) : 0;
}

static int feed_running(struct alsa *a, int wake_fd)
{
    int err = alsa_wait_pace(&a->wait, wake_fd);
    if (err > 0)
        err = alsa_wait_device(&a->wait, wake_fd);
    if (err <= 0)
        return err;
    const snd_pcm_sframes_t filled = fill(a);
    if (filled < 0)
        return (int)filled;
    a->wait.idle = filled < (snd_pcm_sframes_t)a->setup.period / 2;
    if (filled > 0)
        a->recoveries = 0;
    return 0;
}

static int alsa_turn(struct output *o, int wake_fd)
{
    struct alsa *a = (struct alsa *)o;
    int err = -EBADFD;
    switch (snd_pcm_state(a->pcm)) {
    case SND_PCM_STATE_PREPARED:
        err = feed_prepared(a, wake_fd);
        break;
    case SND_PCM_STATE_RUNNING:
        err = feed_running(a, wake_fd);
        break;
    case SND_PCM_STATE_XRUN:
        err = -EPIPE;
        break;
    case SND_PCM_STATE_SUSPENDED:
        err = -ESTRPIPE;
        break;
    case SND_PCM_STATE_DISCONNECTED:
        err = -ENODEV;
        break;
    default: /* nothing that we have brought it to */
        break;
    }
    return err < 0 ? recover(a, err, wake_fd) : 0;
}

/* ---- the rest ---- */

static int alsa_start(struct output *o)
{
    struct alsa *a = (struct alsa *)o;
    const int err = snd_pcm_state(a->pcm) == SND_PCM_STATE_SETUP ? snd_pcm_prepare(a->pcm) : 0;
    return err < 0 ? err : feeder_start(&a->feeder, o, alsa_turn);
}

/* What the device still holds, some 20 ms, is played; alsa_close() takes it away. */
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

extern const struct output_driver alsa_driver;
const struct output_driver alsa_driver = {
    .name = "alsa",
    .summary = "an ALSA device; -d DEVICE (" ALSA_DEFAULT_DEVICE ")",
    .flags = OUTPUT_AUTOMATIC | OUTPUT_DEVICE,
    .probe = alsa_probe,
    .open = alsa_open,
    .start = alsa_start,
    .stop = alsa_stop,
    .close = alsa_close,
    .describe = alsa_describe,
};
