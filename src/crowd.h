/*
 * A crowd: others than the sender that plays send so much that reading it, only to drop it, costs a good
 * part of a processor and may fill the socket's buffer. Then the kernel is to drop it, for a while: as
 * long as that sender plays, and no longer than some seconds, so that the end of the crowd is noticed; if
 * it is still there, it is back within milliseconds. Pure.
 */
#ifndef SCREAM_CROWD_H
#define SCREAM_CROWD_H

#include "clock.h"

#include <stdbool.h>
#include <stdint.h>

#define CROWD_PACKETS    1000 /* in a span: two senders of the largest format are none */
#define CROWD_SPAN_NS    (100 * NS_PER_MS)
#define CROWD_SILENCE_NS NS_PER_S /* of the one that plays: others may take its place */
#define CROWD_LOOK_NS    (250 * NS_PER_MS)
#define CROWD_LASTS_NS   (10 * NS_PER_S)
#define CROWD_NEVER      INT64_MAX

/* The receiver thread's. */
struct crowd_count {
    int64_t since;
    uint32_t packets;
};

/* Another sender's packet arrived at t. True, once a span: that is a crowd. */
bool crowd_counts(struct crowd_count *c, int64_t t);

/* The control thread's. */
struct crowd {
    bool kept_out;
    uint64_t packets; /* of the sender that plays, at the latest look */
    int64_t heard;    /* time of the latest look that found more of them */
    int64_t until;
    int64_t look_at; /* CROWD_NEVER: there is nothing to look at */
};

enum crowd_change { CROWD_AS_BEFORE, CROWD_KEEP_OUT, CROWD_LET_IN };

void crowd_init(struct crowd *c);

/* There is a crowd. CROWD_KEEP_OUT, or CROWD_AS_BEFORE while it is kept out. */
enum crowd_change crowd_came(struct crowd *c, uint64_t packets, int64_t now);

/* At any time; does something from look_at on. packets: received so far. */
enum crowd_change crowd_look(struct crowd *c, uint64_t packets, int64_t now);

#endif
