/* A stream that is new for every input, while its memory, which takes long to make, is not. */
#ifndef SCREAM_FUZZ_AGAIN_H
#define SCREAM_FUZZ_AGAIN_H

#include "../../src/stream.h"
#include "input.h"

#include <sys/eventfd.h>

struct again {
    bool made;
    struct stream fresh;
    uint16_t order[STREAM_SLOTS];
};

static inline void again_stream(struct again *a, struct stream *s)
{
    eventfd_t count;
    if (!a->made) {
        MUST(stream_init(&a->fresh, 0) == 0);
        MUST(a->fresh.ring.count == STREAM_SLOTS);
        memcpy(a->order, a->fresh.ring.order, sizeof a->order);
        a->made = true;
    }
    *s = a->fresh;
    memcpy(s->ring.order, a->order, sizeof a->order);
    eventfd_read(s->wake_fd, &count);
}

#endif
