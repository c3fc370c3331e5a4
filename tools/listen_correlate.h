/* Finds a piece of the recording in a long range of what was sent. Pure but for memory. */
#ifndef SCREAM_LISTEN_CORRELATE_H
#define SCREAM_LISTEN_CORRELATE_H

#include "listen_ear.h"
#include "listen_range.h"

#define CORRELATE_PROBE EAR_MOST

struct correlator;

/* 0 or -ENOMEM; closing NULL is fine. */
int correlator_open(struct correlator **out);
void correlator_close(struct correlator *c);

/*
 * Where in the range the CORRELATE_PROBE frames are that are heard from `recorded` on, to a fraction
 * of a frame, whatever their level. The ear is tuned to the range's segment. False: nowhere.
 */
bool correlate(struct correlator *c, struct ear *e, const float *probe, unsigned channel,
               const struct range *r, double *position);

#endif
