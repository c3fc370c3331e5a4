/*
 * ALSA's channel maps and ours. What a device says of its channels is taken where it makes sense;
 * many plugins say nothing or name a speaker twice, and then ALSA's conventional order holds.
 * Control thread.
 */
#ifndef SCREAM_ALSA_CHMAP_H
#define SCREAM_ALSA_CHMAP_H

#include "../src/chmap.h"

#include <alsa/asoundlib.h>

/* How a source's channels will lie on a device. */
struct alsa_layout {
    uint8_t channels;           /* of the device; 0: it has no count that we can serve */
    const snd_pcm_chmap_t *ask; /* the offer to ask for by snd_pcm_set_chmap(), or NULL */
};

/* ALSA's conventional order for 1 to PCM_MAX_CHANNELS: 5.1 is FL FR RL RR FC LFE. */
void alsa_chmap_usual(struct chmap *map, uint8_t channels);

/*
 * What the device told of its channels (NULL: nothing) as a map of ours. A channel for a speaker
 * that we have no name for gets one that `source` lacks, so that it stays silent.
 */
void alsa_chmap_read(struct chmap *map, const snd_pcm_chmap_t *told, uint8_t channels,
                     const struct chmap *source);

/*
 * Chooses the layout on which every channel of the source has a speaker of its own, with as few
 * more as may be; failing that the nearest number of channels, more rather than fewer.
 * accepts: bit n: the device takes n channels; offers: from snd_pcm_query_chmaps(), may be NULL.
 */
void alsa_chmap_choose(struct alsa_layout *layout, uint32_t accepts,
                       snd_pcm_chmap_query_t *const *offers, const struct chmap *source);

#endif
