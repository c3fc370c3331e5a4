/* What --check looks at beside the receiver. Control thread, with nothing running. */
#ifndef SCREAM_CHECK_PARTS_H
#define SCREAM_CHECK_PARTS_H

#include "findings.h"
#include "options.h"

/* Which output would play: opens and closes it, without a sound. */
void check_output(const struct options *options, struct findings *f);

/* What the real-time threads would be granted; leaves this process as it is. */
void check_schedule(struct findings *f);

#endif
