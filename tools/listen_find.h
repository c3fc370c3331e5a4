/* The exact matcher's search: which place of which segment is heard at a recorded frame. */
#ifndef SCREAM_LISTEN_FIND_H
#define SCREAM_LISTEN_FIND_H

#include "listen_expect.h"
#include "listen_range.h"

#define FIND_PROBE 32 /* frames that must match for a place to be believed */

struct exact {
    const struct track_request *request;
    struct expect expect;
};

/*
 * Looks for the FIND_PROBE frames at `recorded`; `thorough`: on any channel, else on those alone
 * that the request's map names. 1 with *run of FIND_PROBE frames, 0, or -ENOMEM.
 */
int find_run(struct exact *e, const struct finder *f, uint64_t recorded, bool thorough,
             struct run *run);

#endif
