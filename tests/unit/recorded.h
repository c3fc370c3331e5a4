/* A recording for scream-listen that is put together piece by piece, and its judgement. */
#ifndef SCREAM_RECORDED_H
#define SCREAM_RECORDED_H

#include "../../tools/listen_judge.h"

#include <stdint.h>

struct recorded {
    struct recording recording; /* at first 48 kHz/16/2, of no frames */
    struct segment segment;     /* noise of that format without end */
    struct track_request request;
    struct timeline line; /* unknown to the request at first */
    struct run_list runs;
    struct verdict verdict;
};

void recorded_init(struct recorded *r);
void recorded_finish(struct recorded *r);

/* So many more frames of silence; where they are. */
uint8_t *recorded_more(struct recorded *r, uint32_t frames);

/* The clocks of both are known: the guest's, and the recorder's, which began at 5 s. */
void recorded_timed(struct recorded *r, int64_t sent_at);

/* Once. */
const struct verdict *recorded_judged(struct recorded *r);

#endif
