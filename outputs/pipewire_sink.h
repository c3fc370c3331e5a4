/* Is there anything to play to? */
#ifndef SCREAM_PIPEWIRE_SINK_H
#define SCREAM_PIPEWIRE_SINK_H

#include "pipewire_link.h"

/*
 * Locked. 0 when the server has the node that `target` says by its name or serial number, or with
 * NULL any sink: a server that runs for cameras and screens only has none. -ENODEV when it has
 * not, or -errno; timeout in ns.
 */
int pipewire_find_sink(struct pipewire_link *l, const char *target, int64_t timeout);

#endif
