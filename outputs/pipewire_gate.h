/*
 * Whether the graph's thread may read the player. That thread never waits; the control thread does, for
 * the microseconds of a pass through the player.
 */
#ifndef SCREAM_PIPEWIRE_GATE_H
#define SCREAM_PIPEWIRE_GATE_H

#include "../src/clock.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

enum { GATE_CLOSED, GATE_OPEN, GATE_PASSED };

struct pipewire_gate {
    atomic_int state;
};

/* Graph's thread: true if it may read; then leave() follows. */
static inline bool pipewire_gate_enter(struct pipewire_gate *g)
{
    int open = GATE_OPEN;
    return atomic_compare_exchange_strong(&g->state, &open, GATE_PASSED);
}

static inline void pipewire_gate_leave(struct pipewire_gate *g)
{
    atomic_store(&g->state, GATE_OPEN);
}

/* Control thread. */
static inline void pipewire_gate_open(struct pipewire_gate *g)
{
    atomic_store(&g->state, GATE_OPEN);
}

/* Control thread: on return nobody reads. */
static inline void pipewire_gate_close(struct pipewire_gate *g)
{
    const struct timespec moment = {.tv_nsec = 50 * NS_PER_US};
    int open = GATE_OPEN;
    while (!atomic_compare_exchange_strong(&g->state, &open, GATE_CLOSED) && open != GATE_CLOSED) {
        open = GATE_OPEN;
        nanosleep(&moment, NULL);
    }
}

#endif
