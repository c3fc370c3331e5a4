/*
 * Channel maps: which speaker each channel of a source belongs to, and how a source is brought onto
 * an output whose speakers stand in another order or are fewer.
 *
 * The guest's mask is not trustworthy (0, 0xFFFF, 0x0003 for everything plain): chmap_from_mask()
 * gives every mask with every channel count one map, the same for all outputs, in which no speaker
 * is named twice and no channel is dropped. Pure functions, any thread.
 */
#ifndef SCREAM_CHMAP_H
#define SCREAM_CHMAP_H

#include "format.h"

#include <stdbool.h>
#include <stdint.h>

/* Speakers in the order of Windows' SPEAKER_* bits, so that bit n of a mask is position n. */
enum chpos {
    CHPOS_FL,
    CHPOS_FR,
    CHPOS_FC,
    CHPOS_LFE,
    CHPOS_BL,
    CHPOS_BR,
    CHPOS_FLC,
    CHPOS_FRC,
    CHPOS_BC,
    CHPOS_SL,
    CHPOS_SR,
    CHPOS_TC,
    CHPOS_TFL,
    CHPOS_TFC,
    CHPOS_TFR,
    CHPOS_TBL,
    CHPOS_MONO, /* one channel for no speaker in particular: goes to all */
    CHPOS_COUNT
};

struct chmap {
    uint8_t channels;              /* 1 to PCM_MAX_CHANNELS */
    uint8_t pos[PCM_MAX_CHANNELS]; /* enum chpos, distinct */
};

/* gain[out][in]: output channel `out` is the sum over `in` of gain * source channel `in`. */
struct chmix {
    uint8_t in, out;
    bool identity; /* in == out, and the matrix is the unit matrix: copy */
    float gain[PCM_MAX_CHANNELS][PCM_MAX_CHANNELS];
};

/* channels: 1 to PCM_MAX_CHANNELS; any mask. */
void chmap_from_mask(struct chmap *map, uint16_t mask, uint8_t channels);

/* The usual map of a device with so many channels, and what a missing mask stands for. */
void chmap_default(struct chmap *map, uint8_t channels);

bool chmap_equal(const struct chmap *a, const struct chmap *b);

/*
 * Same speakers in another order: a permutation. A speaker that the output lacks is folded onto its
 * neighbours by ITU-R BS.775's coefficients, scaled so that no output can exceed full scale.
 */
void chmix_build(struct chmix *mix, const struct chmap *from, const struct chmap *to);

/* "FL FR FC LFE", always terminated. */
void chmap_text(const struct chmap *map, char *buf, size_t size);

#endif
