/* Exact outputs: the source's own bytes, on the feeder's thread. */
#include "player_internal.h"
#include "rt.h"

uint32_t player_take(struct player *p, void *dst, uint32_t max)
{
    rt_enter();
    player_pass(p);
    const uint64_t ready = player_frames_ready(p);
    const uint32_t room = max / p->frame_bytes;
    const uint32_t n = ready < room ? (uint32_t)ready : room;
    stream_read(p->config.stream, dst, (uint64_t)n * p->frame_bytes);
    count_add(&p->config.stream->counters.frames, n);
    player_pass(p);
    rt_leave();
    return n * p->frame_bytes;
}

bool player_sleep(struct player *p)
{
    return player_finished(p) || stream_sleep(p->config.stream);
}

int player_wake_fd(const struct player *p)
{
    return p->config.stream->wake_fd;
}
