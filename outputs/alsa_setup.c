#include "alsa_setup.h"

#include "../src/clock.h"
#include "alsa_chmap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PERIOD_MIN_NS (2 * NS_PER_MS)
#define PERIOD_MAX_NS (5 * NS_PER_MS) /* half a guest's tick: finer only costs wake-ups */
#define FIRST_PERIODS 4
#define QUEUE_NS      (100 * NS_PER_MS) /* room for what the player adds when it runs dry */

/* In the order of preference, after the source's own. */
static const struct {
    snd_pcm_format_t theirs;
    enum sample_type ours;
    const char *name;
} formats[] = {
    {SND_PCM_FORMAT_S32_LE, SAMPLE_S32, "S32"},
    {SND_PCM_FORMAT_FLOAT_LE, SAMPLE_F32, "F32"},
    {SND_PCM_FORMAT_S24_3LE, SAMPLE_S24_3, "S24_3"},
    {SND_PCM_FORMAT_S16_LE, SAMPLE_S16, "S16"},
};
#define FORMATS (sizeof formats / sizeof formats[0])

/* One negotiation's state. */
struct negotiation {
    snd_pcm_t *pcm;
    snd_pcm_hw_params_t *hw;
    const char *device;
    const struct pcm_format *source;
    enum sample_type type; /* preferred */
    struct alsa_setup *setup;
    char *why;
    size_t size;
};

/* "plughw:0" converts what "hw:0" refuses. */
static int refuse(struct negotiation *n, int err, const char *what)
{
    char converts[96];
    if (strncmp(n->device, "hw:", 3) == 0)
        snprintf(converts, sizeof converts, "-d plug%s", n->device);
    else
        snprintf(converts, sizeof converts, "-d \"plug:'%s'\"", n->device);
    snprintf(n->why, n->size, "ALSA device '%s' does not take %s (%s): %s converts", n->device,
             what, snd_strerror(err), converts);
    return err < 0 ? err : -EINVAL;
}

static int choose_access(struct negotiation *n)
{
    n->setup->mmap =
        snd_pcm_hw_params_set_access(n->pcm, n->hw, SND_PCM_ACCESS_MMAP_INTERLEAVED) == 0;
    if (n->setup->mmap)
        return 0;
    const int err = snd_pcm_hw_params_set_access(n->pcm, n->hw, SND_PCM_ACCESS_RW_INTERLEAVED);
    return err < 0 ? refuse(n, err, "interleaved samples") : 0;
}

static bool try_format(struct negotiation *n, size_t i)
{
    n->setup->type = formats[i].ours;
    return snd_pcm_hw_params_set_format(n->pcm, n->hw, formats[i].theirs) == 0;
}

static int choose_format(struct negotiation *n)
{
    for (size_t i = 0; i < FORMATS; i++)
        if (formats[i].ours == n->type && try_format(n, i))
            return 0;
    for (size_t i = 0; i < FORMATS; i++)
        if (try_format(n, i))
            return 0;
    return refuse(n, -EINVAL, "16, 24 (packed) or 32 bit samples or floats");
}

static int choose_rate(struct negotiation *n)
{
    char text[32];
    snd_pcm_hw_params_set_rate_resample(n->pcm, n->hw, 1);
    const int err = snd_pcm_hw_params_set_rate(n->pcm, n->hw, n->source->rate, 0);
    n->setup->rate = n->source->rate;
    snprintf(text, sizeof text, "%u Hz", n->source->rate);
    return err < 0 ? refuse(n, err, text) : 0;
}

static int choose_channels(struct negotiation *n, snd_pcm_chmap_query_t *const *offers,
                           struct alsa_layout *layout)
{
    uint32_t accepts = 0;
    struct chmap source;
    char text[32];
    for (unsigned c = 1; c <= PCM_MAX_CHANNELS; c++)
        if (snd_pcm_hw_params_test_channels(n->pcm, n->hw, c) == 0)
            accepts |= 1u << c;
    chmap_from_mask(&source, n->source->mask, n->source->channels);
    alsa_chmap_choose(layout, accepts, offers, &source);
    snprintf(text, sizeof text, "%u channels or near it", n->source->channels);
    const int err = layout->channels
                        ? snd_pcm_hw_params_set_channels(n->pcm, n->hw, layout->channels)
                        : -EINVAL;
    return err < 0 ? refuse(n, err, text) : 0;
}

/* A buffer that always has room for the target and more: how much is in it is for the player to say. */
static int choose_times(struct negotiation *n, int64_t target)
{
    int64_t period = target / 6;
    period = period > PERIOD_MAX_NS ? PERIOD_MAX_NS : period;
    period = period < PERIOD_MIN_NS ? PERIOD_MIN_NS : period;
    const int64_t buffer = target + QUEUE_NS;

    struct alsa_setup *s = n->setup;
    s->period = (snd_pcm_uframes_t)(period * s->rate / NS_PER_S);
    s->buffer = (snd_pcm_uframes_t)(buffer * s->rate / NS_PER_S);
    int err = snd_pcm_hw_params_set_period_size_near(n->pcm, n->hw, &s->period, NULL);
    if (err < 0)
        return refuse(n, err, "short periods");
    if (s->buffer < 2 * s->period)
        s->buffer = 2 * s->period;
    err = snd_pcm_hw_params_set_buffer_size_near(n->pcm, n->hw, &s->buffer);
    return err < 0 ? refuse(n, err, "short buffers") : 0;
}

static int apply(struct negotiation *n)
{
    const int err = snd_pcm_hw_params(n->pcm, n->hw);
    if (err < 0)
        return refuse(n, err, "this combination");
    snd_pcm_hw_params_get_period_size(n->hw, &n->setup->period, NULL);
    snd_pcm_hw_params_get_buffer_size(n->hw, &n->setup->buffer);
    const snd_pcm_uframes_t first = FIRST_PERIODS * n->setup->period;
    n->setup->first = first < n->setup->buffer ? first : n->setup->buffer;
    return 0;
}

/*
 * It starts when told, or when so much is in it as is to be there at first: the pulse plugin's server takes
 * several periods at once, and has run dry when there are fewer. It wakes nobody, and stamps on our clock.
 */
static int apply_software(struct negotiation *n)
{
    snd_pcm_sw_params_t *sw;
    snd_pcm_sw_params_alloca(&sw);
    int err = snd_pcm_sw_params_current(n->pcm, sw);
    if (err == 0)
        err = snd_pcm_sw_params_set_start_threshold(n->pcm, sw, n->setup->first);
    if (err == 0)
        err = snd_pcm_sw_params_set_avail_min(n->pcm, sw, n->setup->buffer);
    if (err == 0)
        err = snd_pcm_sw_params_set_tstamp_mode(n->pcm, sw, SND_PCM_TSTAMP_ENABLE);
    if (err == 0) /* not every kernel: alsa.c looks whether a stamp makes sense */
        snd_pcm_sw_params_set_tstamp_type(n->pcm, sw, SND_PCM_TSTAMP_TYPE_MONOTONIC);
    if (err == 0)
        err = snd_pcm_sw_params(n->pcm, sw);
    return err < 0 ? refuse(n, err, "its own buffer's thresholds") : 0;
}

static void settle_map(struct negotiation *n, const struct alsa_layout *layout)
{
    struct chmap source;
    chmap_from_mask(&source, n->source->mask, n->source->channels);
    const snd_pcm_chmap_t *told = NULL;
    if (layout->ask && snd_pcm_set_chmap(n->pcm, layout->ask) == 0)
        told = layout->ask;
    snd_pcm_chmap_t *now = snd_pcm_get_chmap(n->pcm);
    alsa_chmap_read(&n->setup->map, now ? now : told, layout->channels, &source);
    free(now);
}

int alsa_setup(struct alsa_setup *setup, snd_pcm_t *pcm, const char *device,
               const struct pcm_format *source, const struct output_config *config, char *why,
               size_t size)
{
    struct negotiation n = {.pcm = pcm,
                            .device = device,
                            .source = source,
                            .type = config->type,
                            .setup = setup,
                            .why = why,
                            .size = size};
    struct alsa_layout layout = {0};
    snd_pcm_chmap_query_t **offers = snd_pcm_query_chmaps(pcm);
    snd_pcm_hw_params_alloca(&n.hw);
    int err = snd_pcm_hw_params_any(pcm, n.hw);
    if (err < 0)
        refuse(&n, err, "any format");
    if (err >= 0)
        err = choose_access(&n);
    if (err == 0)
        err = choose_format(&n);
    if (err == 0)
        err = choose_channels(&n, offers, &layout);
    if (err == 0)
        err = choose_rate(&n);
    if (err == 0)
        err = choose_times(&n, config->target_latency);
    if (err == 0)
        err = apply(&n);
    if (err == 0)
        err = apply_software(&n);
    if (err == 0)
        settle_map(&n, &layout);
    if (offers)
        snd_pcm_free_chmaps(offers);
    return err;
}

void alsa_setup_text(const struct alsa_setup *setup, char *buf, size_t size)
{
    char map[64];
    const char *format = "";
    for (size_t i = 0; i < FORMATS; i++)
        if (formats[i].ours == setup->type)
            format = formats[i].name;
    chmap_text(&setup->map, map, sizeof map);
    snprintf(buf, size, "%g kHz %s %s, period %.1f ms, buffer %.1f ms, %s", setup->rate / 1e3,
             format, map, (double)setup->period * 1e3 / setup->rate,
             (double)setup->buffer * 1e3 / setup->rate, setup->mmap ? "mmap" : "read/write");
}
