/* The signal that was sent, rendered in stretches that are kept, one for each channel. */
#ifndef SCREAM_LISTEN_EXPECT_H
#define SCREAM_LISTEN_EXPECT_H

#include "listen_log.h"

#include <stdint.h>

struct expect_window {
    const struct segment *segment;
    uint64_t first;
    size_t count, room;
    int32_t *samples;
};

struct expect {
    struct expect_window windows[PCM_MAX_CHANNELS];
};

void expect_finish(struct expect *e);

/*
 * The samples of frames [first, first + count) of that channel, as the guest's width leaves them,
 * full scale being the int32_t. Valid until the next call for this channel. NULL: out of memory.
 */
const int32_t *expect_samples(struct expect *e, const struct segment *s, unsigned channel,
                              uint64_t first, size_t count);

/* One of them. */
int32_t expect_sample(const struct segment *s, unsigned channel, uint64_t frame);

#endif
