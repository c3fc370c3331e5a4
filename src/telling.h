/*
 * Lines about one topic ("the receiver's state") that may change as fast as somebody else likes: a guest that
 * renames its file or changes its format all the time must not fill the log.
 *
 * Six in a row are told, then one a minute with how many were left out, and freely again after ten seconds
 * without any. What was said last is always told, as soon as nothing else is said for a while: a storm ends with
 * the truth in the log within a second. Lines above the log's level do not count. Control thread only; the time
 * is the caller's.
 */
#ifndef SCREAM_TELLING_H
#define SCREAM_TELLING_H

#include "clock.h"
#include "log.h"

#include <stdbool.h>
#include <stdint.h>

#define TELLING_FREELY     6
#define TELLING_EVERY_NS   (60 * NS_PER_S)
#define TELLING_QUIET_NS   (10 * NS_PER_S)
#define TELLING_SETTLED_NS (750 * NS_PER_MS)
#define TELLING_NEVER      INT64_MAX

/* All zero to begin with. */
struct telling {
    unsigned told;        /* in a row */
    int64_t told_at;      /* the latest of them */
    int64_t said_at;      /* the latest one, told or not */
    bool held;            /* that one waits to be told: */
    enum log_level level; /* its level, */
    char text[512];       /* and itself */
    uint64_t left_out;    /* before it, since one was told */
};

/* Tells it, or keeps it in the place of the one that is kept. */
void telling_say(struct telling *t, int64_t now, enum log_level level, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Tells what is kept if it is time to; when to call again at the latest, TELLING_NEVER: after the next one. */
int64_t telling_turn(struct telling *t, int64_t now);

/* The end of it: what is kept is told. */
void telling_finish(struct telling *t);

#endif
