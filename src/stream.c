#include "stream.h"

#include "rt.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define READY_SLOTS                                                                                \
    24 /* 144 ms of 48 kHz/16/2: few fills of it are higher, and what is above comes when touched */

struct record {
    uint64_t position; /* of its first byte since the beginning */
    struct pcm_format format;
    uint32_t serial;
    uint32_t formats;
    uint32_t bytes; /* 0: a format begins */
    uint8_t pcm[SCREAM_PAYLOAD];
};

int stream_init(struct stream *s, uint32_t first)
{
    *s = (struct stream){0};
    s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (s->wake_fd < 0)
        return -errno;
    const int err = ring_init(&s->ring, STREAM_SLOTS, sizeof(struct record), READY_SLOTS, first);
    if (err < 0)
        close(s->wake_fd);
    return err;
}

void stream_finish(struct stream *s)
{
    close(s->wake_fd);
    ring_finish(&s->ring);
}

/* ---- producer ---- */

static struct record *claim(struct stream *s)
{
    struct record *r = ring_claim(&s->ring, s->claimed);
    if (r)
        s->claimed++;
    return r;
}

static bool put_beginning(struct stream *s)
{
    struct record *r = claim(s);
    if (r) {
        r->format = s->format;
        r->serial = s->serial;
        r->formats = atomic_load_explicit(&s->formats, memory_order_relaxed);
        r->position = 0;
        r->bytes = 0;
    }
    return r != NULL;
}

bool stream_begin(struct stream *s, const struct pcm_format *f, struct source_id source)
{
    atomic_store_explicit(&s->source, source_number(source), memory_order_relaxed);
    const bool other = s->serial == 0 || !pcm_format_equal(&s->format, f);
    if (other)
        atomic_fetch_add_explicit(&s->formats, 1, memory_order_relaxed);
    s->format = *f;
    s->received = 0;
    s->gap = false;
    s->serial++;
    arrival_init(&s->arrival, f->rate);
    s->begin_due = !put_beginning(s);
    return other;
}

static bool put_audio(struct stream *s, const uint8_t *data, uint32_t bytes, uint32_t ahead)
{
    struct record *r = claim(s);
    if (r) {
        r->position = s->received + ahead;
        r->serial = s->serial;
        r->bytes = bytes;
        memcpy(r->pcm, data, bytes);
    }
    return r != NULL;
}

void stream_write(struct stream *s, const uint8_t *data, uint32_t bytes, int64_t arrival)
{
    const uint32_t frame = pcm_frame_bytes(&s->format);
    if (s->begin_due)
        s->begin_due = !put_beginning(s);
    for (uint32_t done = 0, n; done < bytes; done += n) {
        const uint32_t ragged = (uint32_t)((s->received + done) % frame);
        const uint32_t most = s->gap && ragged ? frame - ragged : SCREAM_PAYLOAD;
        n = bytes - done < most ? bytes - done : most;
        s->gap = s->begin_due || (s->gap && ragged) || !put_audio(s, data + done, n, done);
        if (s->gap)
            count_add(&s->counters.overrun_bytes, n);
    }
    s->received += bytes;
    arrival_add(&s->arrival, arrival, s->received / frame);
}

static void publish_line(struct stream *s)
{
    const struct arrival_line line = arrival_line(&s->arrival);
    const uint32_t seq = atomic_load_explicit(&s->line_seq, memory_order_relaxed);
    /* Odd first, and seen before any field changes; even again after all of them (Boehm 2012). */
    atomic_store_explicit(&s->line_seq, seq + 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    atomic_store_explicit(&s->line_time, line.time, memory_order_relaxed);
    atomic_store_explicit(&s->line_frame, line.frame, memory_order_relaxed);
    atomic_store_explicit(&s->line_period, line.period, memory_order_relaxed);
    atomic_store_explicit(&s->line_lag, line.lag, memory_order_relaxed);
    atomic_store_explicit(&s->line_last, line.last, memory_order_relaxed);
    atomic_store_explicit(&s->line_begun, line.begun, memory_order_relaxed);
    atomic_store_explicit(&s->line_grain, line.grain, memory_order_relaxed);
    atomic_store_explicit(&s->line_epoch, line.epoch, memory_order_relaxed);
    atomic_store_explicit(&s->line_losses, line.losses, memory_order_relaxed);
    atomic_store_explicit(&s->line_serial, s->serial, memory_order_relaxed);
    atomic_store_explicit(&s->line_seq, seq + 2, memory_order_release);
}

void stream_commit(struct stream *s)
{
    if (s->arrival.anchored)
        publish_line(s);
    if (s->claimed == 0)
        return;
    ring_publish(&s->ring, s->claimed);
    s->claimed = 0;
    /* Either this sees `asleep`, or the sleeper sees the records: both look after a full fence. */
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load_explicit(&s->asleep, memory_order_relaxed)) {
        atomic_store_explicit(&s->asleep, false, memory_order_relaxed);
        const uint64_t one = 1;
        if (write(s->wake_fd, &one, sizeof one) < 0)
            return; /* full: readable all the same */
    }
}

/* ---- consumer ---- */

static const struct record *record_at(const struct stream *s, uint32_t i)
{
    return ring_at(&s->ring, i);
}

static const struct record *edge_record(const struct stream *s)
{
    return ring_filled(&s->ring) > s->scanned ? record_at(s, s->scanned) : NULL;
}

/* It is the audio that follows what is ready. */
static bool continues(const struct stream *s, const struct record *r)
{
    return r->bytes > 0 && r->serial == s->playing_serial && r->position == s->position + s->ready;
}

uint64_t stream_ready(struct stream *s)
{
    const uint32_t filled = ring_filled(&s->ring);
    while (s->scanned < filled) {
        const struct record *r = record_at(s, s->scanned);
        if (!continues(s, r))
            break;
        s->ready += r->bytes;
        s->scanned++;
    }
    return s->ready;
}

enum stream_edge stream_edge(struct stream *s)
{
    stream_ready(s);
    const struct record *r = edge_record(s);
    if (!r || continues(s, r)) /* what has come since that look is no edge */
        return STREAM_OPEN;
    if (r->bytes == 0 && !pcm_format_equal(&r->format, &s->playing))
        return STREAM_FORMAT;
    return STREAM_BREAK;
}

void stream_read(struct stream *s, uint8_t *dst, uint64_t bytes)
{
    s->ready -= bytes;
    s->position += bytes;
    while (bytes > 0) {
        const struct record *r = record_at(s, 0);
        const uint32_t left = r->bytes - s->used;
        const uint32_t n = bytes < left ? (uint32_t)bytes : left;
        if (dst) {
            memcpy(dst, r->pcm + s->used, n);
            dst += n;
        }
        bytes -= n;
        s->used += n;
        if (s->used == r->bytes) {
            ring_release(&s->ring, 1);
            s->scanned--;
            s->used = 0;
        }
    }
}

void stream_drop(struct stream *s)
{
    const uint64_t ready = stream_ready(s);
    if (ready >= pcm_frame_bytes(&s->playing))
        count_add(&s->counters.passed_bytes, ready);
    stream_read(s, NULL, ready);
}

void stream_pass(struct stream *s)
{
    stream_drop(s);
    const struct record *r = edge_record(s);
    if (!r)
        return;
    s->position = r->position;
    if (r->bytes == 0) {
        s->playing = r->format;
        s->playing_serial = r->serial;
        s->playing_formats = r->formats;
        ring_release(&s->ring, 1);
    }
}

bool stream_pass_to_newest(struct stream *s)
{
    uint32_t beginnings = 0;
    for (uint32_t i = ring_filled(&s->ring); i-- > 0;)
        beginnings += record_at(s, i)->bytes == 0;
    const bool found = beginnings > 0;
    while (beginnings > 0) {
        stream_ready(s);
        const struct record *r = edge_record(s);
        beginnings -= r->bytes == 0;
        stream_pass(s);
    }
    return found;
}

uint64_t stream_frame(const struct stream *s)
{
    return s->position / pcm_frame_bytes(&s->playing);
}

bool stream_line(const struct stream *s, struct arrival_line *line)
{
    for (int tries = 0; tries < 4; tries++) { /* the producer writes for nanoseconds, rarely */
        const uint32_t seq = atomic_load_explicit(&s->line_seq, memory_order_acquire);
        const struct arrival_line l = {
            .time = atomic_load_explicit(&s->line_time, memory_order_relaxed),
            .frame = atomic_load_explicit(&s->line_frame, memory_order_relaxed),
            .period = atomic_load_explicit(&s->line_period, memory_order_relaxed),
            .lag = atomic_load_explicit(&s->line_lag, memory_order_relaxed),
            .last = atomic_load_explicit(&s->line_last, memory_order_relaxed),
            .begun = atomic_load_explicit(&s->line_begun, memory_order_relaxed),
            .grain = atomic_load_explicit(&s->line_grain, memory_order_relaxed),
            .epoch = atomic_load_explicit(&s->line_epoch, memory_order_relaxed),
            .losses = atomic_load_explicit(&s->line_losses, memory_order_relaxed),
            .serial = atomic_load_explicit(&s->line_serial, memory_order_relaxed),
        };
        atomic_thread_fence(memory_order_acquire);
        if (seq % 2 != 0 || seq != atomic_load_explicit(&s->line_seq, memory_order_relaxed))
            continue;
        if (l.serial != s->playing_serial || l.serial == 0)
            return false;
        *line = l;
        return true;
    }
    return false;
}

bool stream_sleep(struct stream *s)
{
    atomic_store_explicit(&s->asleep, true, memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst); /* see stream_commit() */
    /* What any earlier look has counted was there before `asleep`: nobody wakes for that. */
    const uint64_t whole = pcm_frame_bytes(&s->playing);
    const bool nothing = stream_ready(s) == 0 || stream_ready(s) < whole;
    if (nothing && stream_edge(s) == STREAM_OPEN)
        return true;
    atomic_store_explicit(&s->asleep, false, memory_order_relaxed);
    return false;
}

struct source_id stream_source(const struct stream *s)
{
    return source_of(atomic_load_explicit(&s->source, memory_order_relaxed));
}
