/* Opening and letting go of a PCM, whatever plugin stands behind its name. Control thread. */
#ifndef SCREAM_ALSA_PCM_H
#define SCREAM_ALSA_PCM_H

#include <alsa/asoundlib.h>
#include <stddef.h>

/* Non-blocking from the start. 0, or -errno with `why` saying what stands in the way. */
int alsa_pcm_open(snd_pcm_t **pcm, const char *device, char *why, size_t size);

/*
 * Closes it. A plugin may wait for its server for as long as it likes (pulse: a minute for one that
 * hangs); this returns after 0.4 s, and the rest goes on behind our back. NULL is fine.
 */
void alsa_pcm_close(snd_pcm_t *pcm);

#endif
