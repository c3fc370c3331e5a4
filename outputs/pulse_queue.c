#include "pulse_queue.h"

#include "../src/clock.h"
#include "../src/player.h"

#include <errno.h>
#include <pulse/timeval.h>
#include <string.h>

#define FURTHER_US      (5 * PA_USEC_PER_MSEC)
#define SEEN            4 /* the least of so many requests is what is taken at a time */
#define AHEAD_US        (15 * PA_USEC_PER_MSEC) /* what is so soon to be heard is not taken back */
#define LONG_US         (50 * PA_USEC_PER_MSEC) /* a shorter queue need not be */
#define FADED_NS        (10 * NS_PER_MS)
#define TIMING_REQUESTS 256  /* from one question for the timing to the next, at most */
#define MARGIN_US       2500 /* by which our thread may be late when the queue is low */

/* Bytes in the server's queue at its latest request; negative when it has run dry and time goes on. */
static int64_t queued(const struct pulse_queue *q)
{
    return (int64_t)q->attr.tlength - (int64_t)q->room;
}

static int64_t queued_ns(const struct pulse_queue *q)
{
    const int64_t frames = queued(q) / (int64_t)pa_frame_size(q->spec);
    return frames * NS_PER_S / q->spec->rate;
}

/*
 * A server that moves in steps tells times that are off by up to a step, differently each time; but its
 * requests come at the steps, and how much is in the queue then is exact.
 */
static struct player_moment moment_by_cycles(struct pulse_queue *q, const pa_timing_info *info)
{
    if (q->behind == 0 && info && info->sink_usec > 0)
        q->behind = (int64_t)info->sink_usec * NS_PER_US;
    const int64_t held = queued_ns(q);
    return (struct player_moment){.now = clock_now(), .delay = held + q->behind, .held = held};
}

/*
 * When a frame written now is heard, in the past after a stall. The sink's own buffer is as full as it
 * may be while it asks; what is more than that (Bluetooth) lies behind it.
 */
static struct player_moment moment(struct pulse_queue *q)
{
    const pa_timing_info *info = pa_stream_get_timing_info(q->stream);
    pa_usec_t heard = 0;
    if (q->by_cycles || !info || info->write_index_corrupt ||
        pa_stream_get_time(q->stream, &heard) < 0)
        return moment_by_cycles(q, info);
    /* Not pa_stream_get_latency(): it says 0 for all that is negative. */
    const pa_usec_t written = pa_bytes_to_usec((uint64_t)info->write_index, q->spec);
    const pa_usec_t buffer = info->configured_sink_usec;
    const bool more = info->sink_usec > buffer + FURTHER_US;
    struct player_moment m = {.now = clock_now(), .delay = (int64_t)(written - heard) * NS_PER_US};
    m.held = m.delay - (int64_t)(more ? info->sink_usec : buffer) * NS_PER_US;
    return m;
}

/* What the queue must hold at a request to last until the next one, bytes. */
static int64_t low_water(const struct pulse_queue *q)
{
    const size_t minreq = q->attr.minreq;
    const size_t period = q->period * pa_frame_size(q->spec);
    return (int64_t)((period > minreq ? period : minreq) + pa_usec_to_bytes(MARGIN_US, q->spec));
}

void pulse_queue_begin(struct pulse_queue *q, size_t room)
{
    const pa_buffer_attr *attr = pa_stream_get_buffer_attr(q->stream); /* a move changes it */
    if (attr)
        q->attr = *attr;
    q->room = room;
}

/*
 * How late a frame is heard is asked for often at first, then seldom, as libpulse would by itself:
 * but its timer would wake us while the stream is corked, too.
 */
static void ask_timing(struct pulse_queue *q)
{
    const unsigned n = q->timing++;
    if ((n & (n - 1)) != 0 && n % TIMING_REQUESTS != 0)
        return;
    pa_operation *op = pa_stream_update_timing_info(q->stream, NULL, NULL);
    if (op)
        pa_operation_unref(op);
}

void pulse_queue_asked(struct pulse_queue *q, size_t room)
{
    ask_timing(q);
    const uint32_t asked =
        room > q->room ? (uint32_t)((room - q->room) / pa_frame_size(q->spec)) : 0;
    pulse_queue_begin(q, room);
    if (q->seen == 0 || asked < q->least)
        q->least = asked;
    if (++q->seen < SEEN)
        return;
    q->period = q->least;
    q->seen = 0;
}

/*
 * Hands over at most `most` bytes, from the player, which gives `least`, or silence. True if that was
 * all there is room for in a block, and there may be more; on_stream_state() reports failure.
 */
static bool write_block(struct pulse_queue *q, size_t least, size_t most, bool silence)
{
    const size_t frame = pa_frame_size(q->spec);
    void *dst = NULL;
    size_t room = most;
    if (pa_stream_begin_write(q->stream, &dst, &room) < 0 || !dst)
        return false;
    const uint32_t frames = (uint32_t)((room < most ? room : most) / frame);
    const uint32_t must = (uint32_t)((least + frame - 1) / frame);
    uint32_t done = frames;
    if (silence) {
        memset(dst, 0, frames * frame);
    } else {
        struct player_moment m = moment(q);
        m.period = q->period;
        done = player_pour(q->player, dst, must < frames ? must : frames, frames, &m);
    }
    if (done == 0)
        pa_stream_cancel_write(q->stream);
    else {
        pulse_memory_add(&q->memory, dst, done * frame);
        if (pa_stream_write(q->stream, dst, done * frame, NULL, 0, PA_SEEK_RELATIVE) < 0)
            return false;
    }
    const size_t written = done * frame;
    q->room -= written < q->room ? written : q->room;
    return done > 0 && done == frames;
}

void pulse_queue_fill(struct pulse_queue *q, bool silence)
{
    bool more = true;
    while (more) {
        const int64_t lacks = low_water(q) - queued(q);
        const size_t least = lacks > 0 ? (size_t)lacks : 0;
        const size_t most = silence && least < q->room ? least : q->room;
        more = most >= pa_frame_size(q->spec) && write_block(q, least, most, silence);
    }
}

int64_t pulse_queue_fade(struct pulse_queue *q)
{
    const size_t frame = pa_frame_size(q->spec);
    const int64_t cycle = (int64_t)(q->period * frame);
    const int64_t keep = cycle + (int64_t)pa_usec_to_bytes(AHEAD_US, q->spec);
    if (q->by_cycles || queued(q) < keep + (int64_t)pa_usec_to_bytes(LONG_US, q->spec))
        return -ENOTSUP;
    const struct player_moment m = moment(q);
    const int err = pulse_fade(&q->memory, q->stream, q->type, (size_t)(queued(q) - keep));
    const int64_t kept = keep / (int64_t)frame * NS_PER_S / q->spec->rate;
    return err < 0 ? err : m.delay - m.held + kept + FADED_NS;
}
