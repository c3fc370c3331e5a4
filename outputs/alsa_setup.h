/* What an ALSA device and a source agree on. Any thread; may block for as long as the device likes. */
#ifndef SCREAM_ALSA_SETUP_H
#define SCREAM_ALSA_SETUP_H

#include "../src/chmap.h"
#include "../src/format.h"
#include "../src/output.h"

#include <alsa/asoundlib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct alsa_setup {
    bool mmap;
    enum sample_type type;
    uint32_t rate;                    /* Hz */
    snd_pcm_uframes_t period, buffer; /* frames */
    snd_pcm_uframes_t first;          /* frames of silence with which it is to start */
    struct chmap map;
};

/*
 * Negotiates by the source: its own rate, config->type if the device takes it, its channels. The
 * buffer has room for config->target_latency and more. On 0 the PCM is
 * prepared; on -errno `why` names `device`, what it refused and the remedy.
 */
int alsa_setup(struct alsa_setup *setup, snd_pcm_t *pcm, const char *device,
               const struct pcm_format *source, const struct output_config *config, char *why,
               size_t size);

/* "48 kHz S16 FL FR, period 5.0 ms, buffer 20.0 ms, mmap", terminated. */
void alsa_setup_text(const struct alsa_setup *setup, char *buf, size_t size);

#endif
