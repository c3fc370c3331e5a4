/*
 * Samples to float and back, the whole of it: a guest's integers in, an output's type out.
 * Real-time safe, no state. Full scale is 1.0; a value beyond it is clipped. 16 and 24 bit survive
 * the way there and back unaltered, 32 bit keeps the 24 that a float has.
 */
#ifndef SCREAM_SAMPLE_H
#define SCREAM_SAMPLE_H

#include "chmap.h"
#include "format.h"

#include <stddef.h>
#include <stdint.h>

/* n samples (not frames) of the given type from src, which need not be aligned. */
void sample_decode(float *dst, const uint8_t *src, enum sample_type type, size_t n);
void sample_encode(uint8_t *dst, const float *src, enum sample_type type, size_t n);

/*
 * Triangular noise of one step of 16 bits, so that what is rounded to them is not distorted; nothing is
 * added to silence. *state: any number but 0.
 */
void sample_dither(float *x, uint32_t *state, size_t n);

/* frames of mix->in interleaved channels into mix->out ones; dst and src must not overlap. */
void sample_mix(float *dst, const float *src, const struct chmix *mix, size_t frames);

#endif
