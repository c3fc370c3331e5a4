/* Opening and letting go of a PCM, whatever plugin stands behind its name. */
#ifndef SCREAM_ALSA_PCM_H
#define SCREAM_ALSA_PCM_H

#include <alsa/asoundlib.h>
#include <stddef.h>

/* What alsa-lib says goes to our log. Control thread. */
void alsa_pcm_tell(void);

/*
 * Non-blocking from the start; the opening itself may block for as long as a plugin likes (alsa_attempt.h).
 * Any thread. 0, or -errno with `why` saying what stands in the way.
 */
int alsa_pcm_open(snd_pcm_t **pcm, const char *device, char *why, size_t size);

/*
 * Closes it. A plugin may wait for its server for as long as it likes (pulse: a minute for one that
 * hangs); this returns after 0.4 s, and the rest goes on behind our back. Any
 * thread. NULL is fine.
 */
void alsa_pcm_close(snd_pcm_t *pcm);

#endif
