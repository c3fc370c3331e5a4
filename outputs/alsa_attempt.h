/*
 * Opening a PCM in bounded time. A plugin waits for its server for as long as it likes (pulse: half a
 * minute for one that hangs), in snd_pcm_open() as in what follows; so a thread of its own does that,
 * and is left alone with it when it takes too long. What it comes to then is had by the next attempt
 * (config->pending), so that there is never more than one of them; or closed, when nobody wants it any
 * more. Control thread.
 */
#ifndef SCREAM_ALSA_ATTEMPT_H
#define SCREAM_ALSA_ATTEMPT_H

#include "alsa_setup.h"

#include <alsa/asoundlib.h>
#include <stddef.h>

struct alsa_opened {
    snd_pcm_t *pcm;
    struct alsa_setup setup;
};

/*
 * Opens `device`, and prepares it for `source`; NULL: it only opens it. At most 0.8 s, no time at all
 * when an attempt is still going on. On 0 the PCM is the caller's, by alsa_pcm_close(). -ETIMEDOUT: it
 * takes longer; try again. Otherwise -errno. `why` says in a clause what stands in the way.
 */
int alsa_attempt(struct alsa_opened *out, const char *device, const struct pcm_format *source,
                 const struct output_config *config, char *why, size_t size);

#endif
