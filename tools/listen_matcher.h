/*
 * A way to find runs and to follow them; track() goes through the recording with it. The context is
 * the matcher's own. Pure but for memory.
 */
#ifndef SCREAM_LISTEN_MATCHER_H
#define SCREAM_LISTEN_MATCHER_H

#include "listen_range.h"

struct matcher {
    uint64_t probe;      /* frames that find() needs */
    uint64_t stride_max; /* frames between attempts where nothing matches for long, */
    unsigned stride_by;  /* to which they grow by one part in so many each time */
    bool any_rate;

    /* 0 or -ENOMEM; close() is called either way. */
    int (*open)(void **context, const struct track_request *request);
    void (*close)(void *context);
    /*
     * A place at `recorded` or a little later that is sent sound, as a short run without a path.
     * `thorough`: any channel may hold any other. 1, 0, or -ENOMEM.
     */
    int (*find)(void *context, const struct finder *f, uint64_t recorded, bool thorough,
                struct run *run);
    /* Extends what find() found as far as it goes both ways, not before `limit`. 0 or -ENOMEM. */
    int (*extend)(void *context, struct run *run, uint64_t limit);
};

extern const struct matcher matcher_exact, matcher_resampled;

#endif
