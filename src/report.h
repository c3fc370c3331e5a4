/*
 * What was dropped or interrupted and why, told once a minute at most, and with --verbose how playing goes. Control
 * thread only.
 */
#ifndef SCREAM_REPORT_H
#define SCREAM_REPORT_H

#include "counters.h"

#include <stdbool.h>
#include <stdint.h>

#define REPORT_REASONS 14

struct report {
    const struct receiver_counters *receiver;
    const struct stream_counters *stream;
    uint64_t told[REPORT_REASONS]; /* the counters' values when they were last told of */
    int64_t quiet_until;
    bool told_bound;
};

void report_init(struct report *r, const struct receiver_counters *receiver,
                 const struct stream_counters *stream);

/* Says what is new since the last time, unless it has just done so. */
void report_drops(struct report *r, int64_t now);

/* Once: the bound, ns, that was asked for is less than what plays can do with. */
void report_bound(struct report *r, int64_t bound);

/* One debug line: latency, dropouts. */
void report_playing(const struct report *r);

#endif
