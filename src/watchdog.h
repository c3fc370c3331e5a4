/*
 * Whether the real-time threads move, so that systemd may be told that all is well. Pure.
 *
 * A guest that is silent, an output that is idle and a server that has suspended the sink make them wait,
 * for hours; that is no standing still. So the receiver thread is asked to come out of its wait and
 * answers if it does (ingest.h), and the output's thread must not be found twice in the same pass
 * through the player: outside of it, it is the server's and may wait for that. Whether the control
 * thread moves shows in its doing this at all. No clock is asked here: between two looks there must have been time to
 * run in, which the caller sees to (status.c).
 */
#ifndef SCREAM_WATCHDOG_H
#define SCREAM_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

struct watchdog {
    uint64_t passes; /* when it last looked */
};

/*
 * A look, some times in what systemd allows. answered: what the receiver was asked the last time, or
 * there is none; passes: of all players of the stream (counters.h). True if both move.
 */
static inline bool watchdog_look(struct watchdog *w, bool answered, uint64_t passes)
{
    const bool stuck = passes % 2 != 0 && passes == w->passes;
    w->passes = passes;
    return answered && !stuck;
}

#endif
