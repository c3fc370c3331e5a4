/* What the graph's own thread does, once in each cycle: it takes frames from the player. */
#include "../src/clock.h"
#include "pipewire_internal.h"
#include "pipewire_spec.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define STOOD_STILL_NS (400 * NS_PER_MS) /* from one cycle to the next, while it runs */

static void count_cycle(struct pipewire *p)
{
    const uint64_t one = 1;
    if (p->cycles < PIPEWIRE_SILENT_CYCLES && ++p->cycles == PIPEWIRE_SILENT_CYCLES &&
        write(p->cycling_fd, &one, sizeof one) < 0)
        p->cycles--; /* start() still waits: once more in the next cycle */
}

/*
 * A server that hung is begun with anew: its clock catches up in cycles that would find nothing to play.
 * Where the stream was without a sink, the sound goes on as after a start.
 */
static void note_cycle(struct pipewire *p, int64_t before, int64_t now)
{
    if (before == 0) {
        p->silent = PIPEWIRE_SILENT_CYCLES;
        p->broken = true;
    } else if (before > 0 && now - before > STOOD_STILL_NS && !p->no_connect) {
        p->silent = UINT32_MAX;
        output_fail(&p->output, -ETIMEDOUT);
    }
}

static void fill(struct pipewire *p, void *dst, uint32_t frames)
{
    struct pw_time t = {0};
    const int64_t now = clock_now();
    const int64_t before = atomic_exchange_explicit(&p->cycled, now, memory_order_relaxed);
    if (!pipewire_gate_enter(&p->gate)) {
        memset(dst, 0, (size_t)frames * p->frame_bytes);
        count_cycle(p);
        return;
    }
    note_cycle(p, before, now);
    if (p->silent > 0) {
        if (--p->silent == 0 && p->broken)
            player_break(p->player, now);
        p->broken = p->broken && p->silent > 0;
        memset(dst, 0, (size_t)frames * p->frame_bytes);
        pipewire_gate_leave(&p->gate);
        return;
    }
    pw_stream_get_time_n(p->stream, &t, sizeof t);
    const struct pipewire_moment m = pipewire_moment(&t, p->sink.rate, now);
    player_fill(p->player, dst, frames, m.now, m.delay);
    pipewire_gate_leave(&p->gate);
}

void pipewire_cycle(void *data)
{
    struct pipewire *p = data;
    struct pw_buffer *b = pw_stream_dequeue_buffer(p->stream);
    if (!b)
        return; /* all are on their way: the graph has what it needs */
    struct spa_data *d = &b->buffer->datas[0];
    const uint64_t room = d->data ? d->maxsize / p->frame_bytes : 0;
    const uint64_t wanted = b->requested ? b->requested : p->sink.quantum;
    const uint32_t frames = (uint32_t)(wanted < room ? wanted : room);
    if (frames > 0)
        fill(p, d->data, frames);
    d->chunk->offset = 0;
    d->chunk->stride = (int32_t)p->frame_bytes;
    d->chunk->size = frames * p->frame_bytes;
    b->size = frames;
    pw_stream_queue_buffer(p->stream, b);
    atomic_store_explicit(&p->quantum, frames, memory_order_relaxed);
}
