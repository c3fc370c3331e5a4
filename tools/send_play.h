/* Plays a guest: the source's bytes to the sink, when a guest's driver would send them. One thread. */
#ifndef SCREAM_SEND_PLAY_H
#define SCREAM_SEND_PLAY_H

#include "send_log.h"
#include "send_options.h"
#include "send_script.h"
#include "send_sink.h"
#include "send_source.h"
#include "send_wait.h"

/* All of it the caller's, and only lent. */
struct send_parts {
    const struct send_options *options; /* of them: when, duration, packets, repeat */
    const struct script *script;        /* NULL: the source, once, in its own format */
    struct send_source *source;
    struct send_sink *sink;
    const struct send_log *log;
    const struct send_wait *wait;
};

struct send_totals {
    uint64_t units; /* sent and lost */
    uint64_t lost;
    int failure; /* the last -errno of a unit that the sink refused, or 0 */
};

/*
 * Until the source's, script's or options' end, or a signal; the last stream is ended then. Units
 * that the sink refuses are lost, as a guest's are, but when the very first is: that is -errno, as
 * is a source that cannot be read. Else 0.
 */
int send_play(const struct send_parts *parts, struct send_totals *totals);

#endif
