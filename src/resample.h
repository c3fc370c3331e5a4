/*
 * A polyphase resampler whose ratio may change with every sample.
 *
 * 64 taps of a Kaiser-windowed sinc in 512 phases, coefficients interpolated between them. Where the
 * ratio brings the rate down, the cut-off moves down with it. Its delay is exact: an output frame at
 * position x is what the band-limited input is at x, so that x is all a clock needs to know; the first
 * RESAMPLE_HALF frames of an input are heard against silence.
 *
 * Positions are in input frames since the latest reset. Frames are interleaved floats.
 */
#ifndef SCREAM_RESAMPLE_H
#define SCREAM_RESAMPLE_H

#include <stdint.h>

#define RESAMPLE_TAPS 64
#define RESAMPLE_HALF (RESAMPLE_TAPS / 2) /* input frames that it looks ahead */
#define RESAMPLE_ROOM 1024                /* input frames that it holds beyond its taps */

struct resampler;

/*
 * Control thread. channels: 1 to 8; nominal: input frames per output frame, about which the ratio will
 * vary by a per cent at most. 0, -EINVAL or -ENOMEM.
 */
int resampler_open(struct resampler **out, uint32_t channels, double nominal);
void resampler_close(struct resampler *r);

/* ---- the real-time thread's ---- */

/* Forgets all input; the next frame pushed is at position 0, and so is the next one pulled. */
void resampler_reset(struct resampler *r);

/* Input frames that a pull of so many at that step still lacks; push no more than RESAMPLE_ROOM at once. */
uint32_t resampler_lacks(const struct resampler *r, uint32_t frames, double step);

/* Output frames that can be pulled at that step from what is held. */
uint32_t resampler_has(const struct resampler *r, double step);

/* Input, at most RESAMPLE_ROOM frames more than what pulls have passed. */
void resampler_push(struct resampler *r, const float *in, uint32_t frames);

/*
 * Exactly so many output frames, with the step between them going evenly from what it was to `step`
 * (input frames per output frame) over them. resampler_lacks() must be 0 for the larger of the two.
 */
void resampler_pull(struct resampler *r, float *out, uint32_t frames, double step);

/* The position of the next output frame, and how many input frames have been pushed from there on. */
double resampler_position(const struct resampler *r);
double resampler_ahead(const struct resampler *r);

/* Moves it by so many input frames, back or forth, within what is held. */
void resampler_shift(struct resampler *r, double frames);

#endif
