#include "alsa_attempt.h"

#include "../src/clock.h"
#include "../src/lookout.h"
#include "alsa_pcm.h"
#include "drivers.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAIT_NS (800 * NS_PER_MS)

struct attempt {
    /* immutable once begun */
    char *device;
    bool whole; /* prepares it for the source, too */
    struct pcm_format source;
    struct output_config config;

    /* its thread's, until it is done */
    struct alsa_opened opened;
    int err;
    char why[256];

    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool done, abandoned; /* under the lock; who comes second frees it all */
};

static void release(struct attempt *a)
{
    alsa_pcm_close(a->opened.pcm);
    pthread_cond_destroy(&a->ended);
    pthread_mutex_destroy(&a->lock);
    free(a->device);
    free(a);
}

static int open_whole(struct attempt *a)
{
    struct alsa_opened *o = &a->opened;
    int err = alsa_pcm_open(&o->pcm, a->device, a->why, sizeof a->why);
    if (err < 0 || !a->whole)
        return err;
    err = alsa_setup(&o->setup, o->pcm, a->device, &a->source, &a->config, a->why, sizeof a->why);
    if (err == 0 && snd_pcm_state(o->pcm) == SND_PCM_STATE_SETUP)
        err = snd_pcm_prepare(o->pcm);
    return err;
}

static void *run(void *arg)
{
    struct attempt *a = arg;
    pthread_setname_np(pthread_self(), "scream-alsa");
    a->err = open_whole(a);
    if (a->err < 0) {
        alsa_pcm_close(a->opened.pcm);
        a->opened.pcm = NULL;
    }
    pthread_mutex_lock(&a->lock);
    a->done = true;
    const bool abandoned = a->abandoned;
    pthread_cond_signal(&a->ended);
    pthread_mutex_unlock(&a->lock);
    if (abandoned)
        release(a);
    return NULL;
}

static void abandon(void *attempt)
{
    struct attempt *a = attempt;
    pthread_mutex_lock(&a->lock);
    a->abandoned = true;
    const bool done = a->done;
    pthread_mutex_unlock(&a->lock);
    if (done)
        release(a);
}

static void init_lock(struct attempt *a)
{
    pthread_condattr_t by_clock;
    pthread_mutex_init(&a->lock, NULL);
    pthread_condattr_init(&by_clock);
    pthread_condattr_setclock(&by_clock, CLOCK_MONOTONIC);
    pthread_cond_init(&a->ended, &by_clock);
    pthread_condattr_destroy(&by_clock);
}

/* The thread is nobody's to join: `done` is its last word. */
static int start(struct attempt *a)
{
    pthread_attr_t alone;
    pthread_t thread;
    pthread_attr_init(&alone);
    pthread_attr_setdetachstate(&alone, PTHREAD_CREATE_DETACHED);
    const int err = pthread_create(&thread, &alone, run, a);
    pthread_attr_destroy(&alone);
    return -err;
}

/* NULL: there is no memory, or no thread. */
static struct attempt *begin(const char *device, const struct pcm_format *source,
                             const struct output_config *config)
{
    struct attempt *a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    init_lock(a);
    a->config = *config;
    a->whole = source != NULL;
    if (source)
        a->source = *source;
    a->device = strdup(device);
    if (a->device && start(a) == 0)
        return a;
    release(a);
    return NULL;
}

static bool is_for(const struct attempt *a, const struct pcm_format *source)
{
    return a->whole == (source != NULL) && (!source || pcm_format_equal(&a->source, source));
}

static bool await(struct attempt *a, int64_t ns)
{
    const int64_t until = clock_now() + ns;
    const struct timespec ts = {.tv_sec = until / NS_PER_S, .tv_nsec = until % NS_PER_S};
    pthread_mutex_lock(&a->lock);
    int err = 0;
    while (!a->done && err == 0)
        err = pthread_cond_timedwait(&a->ended, &a->lock, &ts);
    const bool done = a->done;
    pthread_mutex_unlock(&a->lock);
    return done;
}

/* It goes on; the next attempt sees to it, or it is left alone. */
static int leave(struct attempt *a, const struct output_config *config, const char *device,
                 char *why, size_t size)
{
    snprintf(why, size, "ALSA device '%s' does not open: the audio server behind it hangs?",
             device);
    if (config->pending)
        *config->pending = (struct output_pending){.attempt = a, .abandon = abandon};
    else
        abandon(a);
    return -ETIMEDOUT;
}

/*
 * No such card: one that comes makes its devices in that folder. A server that is not there: its plugin
 * does not tell where it would be, but others may wait for the same. What else may be meant by ENOENT
 * (another plugin's server) is not in sight.
 */
static void name_missing(const char *device, struct lookout *l, int err)
{
    const bool hardware = strcmp(device, ALSA_DEFAULT_DEVICE) == 0 || strstr(device, "hw:");
    if (err == -ENODEV || (err == -ENOENT && hardware))
        lookout_name(l, "/dev/snd/");
    else if (err == -ECONNREFUSED || err == -EHOSTDOWN)
        lookout_name_same(l);
}

int alsa_attempt(struct alsa_opened *out, const char *device, const struct pcm_format *source,
                 const struct output_config *config, char *why, size_t size)
{
    struct attempt *a = config->pending ? config->pending->attempt : NULL;
    if (a && !await(a, 0))
        return leave(a, config, device, why, size);
    if (a)
        config->pending->attempt = NULL;
    if (a && !is_for(a, source)) {
        release(a);
        a = NULL;
    }
    if (!a) {
        alsa_pcm_tell(); /* before there is a thread that could say something */
        a = begin(device, source, config);
        if (!a) {
            snprintf(why, size, "out of memory");
            return -ENOMEM;
        }
        if (!await(a, WAIT_NS))
            return leave(a, config, device, why, size);
    }
    const int err = a->err;
    *out = a->opened;
    a->opened.pcm = NULL;
    if (err < 0)
        snprintf(why, size, "%s", a->why);
    name_missing(device, config->lookout, err);
    release(a);
    return err;
}
