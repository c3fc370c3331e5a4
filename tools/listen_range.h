/* Where in what was sent to look for a place of the recording. Pure. */
#ifndef SCREAM_LISTEN_RANGE_H
#define SCREAM_LISTEN_RANGE_H

#include "listen_track.h"

/* Places to look at, of one segment: sent frames [from, to). */
struct range {
    size_t segment;
    uint64_t from, to;
    bool newest_first;
};

/* What a search knows. */
struct finder {
    const struct track_request *request;
    const struct run *last; /* NULL: nothing found yet */
    bool timed;             /* the recording's and the log's clocks are known */
    bool any_rate;          /* segments at other rates than the recording's can be found, too */
};

/* Looks there for what is heard from `recorded` on; 1 with *run, 0, or -ENOMEM. */
typedef int look_fn(void *context, uint64_t recorded, const struct range *r, struct run *run);

/* Range by range, the likeliest first, until `look` returns other than 0; that. */
int ranges_search(const struct finder *f, uint64_t recorded, look_fn *look, void *context,
                  struct run *run);

#endif
