/*
 * The thread for outputs that have no callback of their own (alsa, raw, wav): it asks the driver
 * for one turn after the other, with real-time scheduling where the user may have it.
 */
#ifndef SCREAM_FEEDER_H
#define SCREAM_FEEDER_H

#include "output.h"

struct feeder;

/*
 * One turn, on the feeder's thread: wait until the device wants frames (or, for an exact output,
 * the player has some) or wake_fd is readable; take them from the player; hand them over. Returns 0
 * for another turn, or -errno, which ends the thread and is passed to output_fail(). When wake_fd
 * is readable the turn returns 0 without delay: the feeder ends by itself.
 */
typedef int feeder_turn(struct output *o, int wake_fd);

/* Control thread. 0 or -errno. */
int feeder_start(struct feeder **out, struct output *o, feeder_turn *turn);

/* Control thread: wakes the turn and joins the thread; nobody reads the player on return. NULL is
 * fine. */
void feeder_stop(struct feeder *f);

#endif
