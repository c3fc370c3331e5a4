/* What was sent: read from scream-send's log, or given on the command line. Pure. */
#ifndef SCREAM_LISTEN_LOG_H
#define SCREAM_LISTEN_LOG_H

#include "../src/format.h"
#include "signal.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define FRAMES_UNKNOWN (UINT64_MAX / 4)

/* A stretch of one signal in one format, frame 0 at its start. */
struct segment {
    struct pcm_format format;
    enum signal_kind signal;
    uint64_t frames; /* how many were sent, at most; FRAMES_UNKNOWN when nobody says */
    bool timed;      /* t0 is known */
    int64_t t0;      /* ns, CLOCK_MONOTONIC: when frame 0 existed in the guest */
    double ppm;      /* the guest's clock against ours */
    double speed;    /* times real time */
};

struct segment_list {
    struct segment *at;
    size_t count;
};

/* Appends; 0 or -ENOMEM. */
int segment_add(struct segment_list *list, const struct segment *s);
void segments_finish(struct segment_list *list);

/* When that frame existed in the guest: ns. */
double segment_time(const struct segment *s, double frame);

/* "48000/16/2[/MASK]"; the mask is 3 for stereo and 0 for others when it is not given. */
bool segment_format_parse(const char *text, struct pcm_format *f);

/*
 * Appends a log's segments. Unknown lines and keys are passed over, so that the log may grow.
 * 0, -ENOMEM, or -EINVAL for a segment line that makes no sense.
 */
int segments_read_log(struct segment_list *list, FILE *log);

#endif
