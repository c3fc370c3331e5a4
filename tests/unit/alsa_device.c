#include "alsa_device.h"

#ifdef HAVE_ALSA
#include "clock.h"

#include <alsa/pcm_external.h>
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

struct device {
    snd_pcm_ioplug_t io;
    struct sim *sim;
    int64_t started;  /* ns */
    int64_t stalled;  /* since when, 0: it is not */
    uint64_t written; /* frames since then and before */
};

static struct sim *next;

void sim_use(struct sim *s)
{
    next = s;
}

static bool happens(atomic_int *times)
{
    return atomic_load(times) > 0 && atomic_fetch_sub(times, 1) > 0;
}

static uint64_t played(const struct device *d)
{
    const int64_t now = d->stalled ? d->stalled : clock_now();
    return d->started ? (uint64_t)((now - d->started) * d->io.rate / NS_PER_S) : 0;
}

/* It goes on where it was. */
static void stall(struct device *d)
{
    const bool stalls = atomic_load(&d->sim->stalled);
    if (stalls == (d->stalled != 0))
        return;
    if (!stalls)
        d->started += clock_now() - d->stalled;
    d->stalled = stalls ? clock_now() : 0;
}

static int device_start(snd_pcm_ioplug_t *io)
{
    struct device *d = io->private_data;
    d->sim->io = io;
    d->started = clock_now();
    d->stalled = atomic_load(&d->sim->stalled) ? d->started : 0;
    return 0;
}

static int device_stop(snd_pcm_ioplug_t *io)
{
    struct device *d = io->private_data;
    d->started = 0;
    return 0;
}

static int device_prepare(snd_pcm_ioplug_t *io)
{
    struct device *d = io->private_data;
    atomic_fetch_add(&d->sim->prepares, 1);
    if (atomic_load(&d->sim->gone))
        return -ENODEV;
    d->started = 0;
    d->written = 0;
    return 0;
}

static snd_pcm_sframes_t device_pointer(snd_pcm_ioplug_t *io)
{
    struct device *d = io->private_data;
    if (d->started && happens(&d->sim->asleep)) {
        snd_pcm_ioplug_set_state(io, SND_PCM_STATE_SUSPENDED);
        return 0;
    }
    if (d->started && happens(&d->sim->dry))
        return -EPIPE;
    if (atomic_load(&d->sim->gone))
        return -ENODEV;
    stall(d);
    const uint64_t at = played(d);
    return at > d->written ? -EPIPE : (snd_pcm_sframes_t)(at % io->buffer_size);
}

static snd_pcm_sframes_t device_transfer(snd_pcm_ioplug_t *io, const snd_pcm_channel_area_t *areas,
                                         snd_pcm_uframes_t offset, snd_pcm_uframes_t size)
{
    struct device *d = io->private_data;
    const size_t frame = areas[0].step / 8;
    const uint8_t *at = (const uint8_t *)areas[0].addr + areas[0].first / 8 + offset * frame;
    for (snd_pcm_uframes_t i = 0; i < size; i++)
        for (size_t byte = 0; byte < frame; byte++)
            if (at[i * frame + byte] != 0) {
                atomic_fetch_add(&d->sim->heard, 1);
                break;
            }
    atomic_fetch_add(&d->sim->taken, size);
    d->written += size;
    return (snd_pcm_sframes_t)size;
}

static int device_close(snd_pcm_ioplug_t *io)
{
    struct device *d = io->private_data;
    atomic_fetch_add(&d->sim->closed, 1);
    close(io->poll_fd);
    free(d);
    return 0;
}

static void fill_map(const struct sim *s, snd_pcm_chmap_t *map)
{
    map->channels = s->channels;
    memcpy(map->pos, s->chmap, s->channels * sizeof *s->chmap);
}

static snd_pcm_chmap_query_t **device_query(snd_pcm_ioplug_t *io)
{
    const struct sim *s = ((struct device *)io->private_data)->sim;
    if (!s->chmap)
        return NULL;
    snd_pcm_chmap_query_t **maps = calloc(2, sizeof *maps);
    maps[0] = calloc(1, sizeof **maps + s->channels * sizeof(unsigned));
    maps[0]->type = SND_CHMAP_TYPE_FIXED;
    fill_map(s, &maps[0]->map);
    return maps;
}

static snd_pcm_chmap_t *device_chmap(snd_pcm_ioplug_t *io)
{
    const struct sim *s = ((struct device *)io->private_data)->sim;
    if (!s->chmap)
        return NULL;
    snd_pcm_chmap_t *map = calloc(1, sizeof *map + s->channels * sizeof(unsigned));
    fill_map(s, map);
    return map;
}

static const snd_pcm_ioplug_callback_t callbacks = {
    .start = device_start,
    .stop = device_stop,
    .pointer = device_pointer,
    .transfer = device_transfer,
    .close = device_close,
    .prepare = device_prepare,
    .query_chmaps = device_query,
    .get_chmap = device_chmap,
};

static int constrain(struct device *d)
{
    const struct sim *s = d->sim;
    const unsigned access[] = {SND_PCM_ACCESS_RW_INTERLEAVED, SND_PCM_ACCESS_MMAP_INTERLEAVED};
    const unsigned any[] = {SND_PCM_FORMAT_S16_LE, SND_PCM_FORMAT_S24_3LE, SND_PCM_FORMAT_S32_LE};
    snd_pcm_ioplug_t *io = &d->io;
    int err = snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_ACCESS, s->mmap ? 2 : 1, access);
    if (err >= 0)
        err = snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_FORMAT, s->s16_only ? 1 : 3, any);
    if (err >= 0 && s->rate)
        err = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_RATE, s->rate, s->rate);
    if (err >= 0 && s->channels)
        err = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_CHANNELS, s->channels,
                                              s->channels);
    return err;
}

static int sim_open(snd_pcm_t **pcm, const char *name, snd_pcm_stream_t stream, int mode)
{
    atomic_fetch_add(&next->opens, 1);
    while (atomic_load(&next->hangs))
        poll(NULL, 0, 1);
    if (next->open_error)
        return next->open_error;
    struct device *d = calloc(1, sizeof *d);
    d->sim = next;
    d->io.version = SND_PCM_IOPLUG_VERSION;
    d->io.name = "simulated";
    d->io.callback = &callbacks;
    d->io.private_data = d;
    d->io.poll_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    d->io.poll_events = POLLIN;
    int err = snd_pcm_ioplug_create(&d->io, name, stream, mode);
    if (err >= 0)
        err = constrain(d);
    *pcm = d->io.pcm;
    atomic_fetch_add(&next->opened, 1);
    return err;
}

int snd_pcm_open(snd_pcm_t **pcm, const char *name, snd_pcm_stream_t stream, int mode)
{
    int (*real)(snd_pcm_t **, const char *, snd_pcm_stream_t, int);
    if (strcmp(name, SIM_NAME) == 0)
        return sim_open(pcm, name, stream, mode);
    *(void **)&real = dlsym(RTLD_NEXT, "snd_pcm_open");
    return real(pcm, name, stream, mode);
}
/* A plugin cannot refuse to resume, and never does; hardware can. */
int snd_pcm_resume(snd_pcm_t *pcm)
{
    (void)pcm;
    atomic_fetch_add(&next->resumes, 1);
    if (happens(&next->resume_fails))
        return -EAGAIN;
    if (next->wakes)
        snd_pcm_ioplug_set_state(next->io, SND_PCM_STATE_RUNNING);
    return next->resume_error;
}
#else
typedef int alsa_left_out; /* ISO C wants something in a file */
#endif
