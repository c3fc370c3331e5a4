/*
 * A stream: what one source sends, on its way from the receiver thread to the player.
 *
 * A ring of records. Audio, the beginning of a format and gaps travel in it in order; only the
 * consumer drops, except that the producer drops what comes when the ring is full, which the
 * consumer then finds as a gap. A source is a stream of bytes: a frame may straddle records.
 *
 * The producer is the receiver thread. The consumer is the output's real-time thread while an
 * output runs, and the control thread while none does: never two at a time.
 */
#ifndef SCREAM_STREAM_H
#define SCREAM_STREAM_H

#include "arrival.h"
#include "counters.h"
#include "format.h"
#include "packet.h"
#include "ring.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* 12 s of 48 kHz/16/2, 384 ms of 192 kHz/32/8: there it bounds -t and -l. */
#define STREAM_SLOTS 2048

/* What ends the audio that is ready. */
enum stream_edge {
    STREAM_OPEN,   /* nothing yet: more is to come */
    STREAM_BREAK,  /* the same format, but not the next frame: bytes are missing, or a new beginning
                    */
    STREAM_FORMAT, /* another format begins */
};

struct stream {
    struct ring ring;
    struct stream_counters counters;

    /* producer's */
    struct arrival arrival;
    struct pcm_format format;
    uint64_t received; /* bytes since the beginning, dropped ones included */
    uint32_t serial;   /* of the beginning */
    uint32_t claimed;  /* slots filled and not yet published */
    bool begin_due;    /* the beginning has not found room in the ring yet */
    bool gap;          /* the latest bytes were dropped: it goes on at a whole frame */

    /* the arrival line, by a sequence lock: odd while the producer writes */
    alignas(RING_LINE) _Atomic uint32_t line_seq;
    _Atomic int64_t line_time;
    _Atomic uint64_t line_frame;
    _Atomic double line_period;
    _Atomic int64_t line_lag;
    _Atomic int64_t line_last;
    _Atomic int64_t line_begun;
    _Atomic uint64_t line_grain;
    _Atomic uint32_t line_epoch;
    _Atomic uint32_t line_losses;
    _Atomic uint32_t line_serial;

    _Atomic uint32_t formats; /* that have begun, the same one anew not counted */
    _Atomic uint64_t source;  /* who sends it, as source_number() has it */

    /* a sleeping consumer */
    atomic_bool asleep;
    int wake_fd;

    /* consumer's */
    alignas(RING_LINE) struct pcm_format playing; /* what the audio at the front is */
    uint32_t playing_serial;
    uint32_t playing_formats; /* `formats` when it began */
    uint64_t position;        /* bytes since that beginning: where the next read is */
    uint32_t used;            /* bytes of the front record already read */
    uint32_t scanned;         /* records from the front that `ready` counts */
    uint64_t ready;
};

/* Any one thread, before both sides begin; first: the ring's first index (ring.h). 0 or -errno. */
int stream_init(struct stream *s, uint32_t first);
void stream_finish(struct stream *s);

/* ---- producer ---- */

/*
 * A format begins, or the same one anew, perhaps of another source: frames are counted from here. True
 * if it is another one than before (or the first), so that an output must be opened for it.
 */
bool stream_begin(struct stream *s, const struct pcm_format *f, struct source_id source);

/* Bytes that arrived at time `arrival`. What finds no room is dropped and counted. */
void stream_write(struct stream *s, const uint8_t *data, uint32_t bytes, int64_t arrival);

/* Everything since the last one becomes the consumer's, and a consumer that sleeps is woken. */
void stream_commit(struct stream *s);

/* ---- consumer ---- */

/* Bytes of `playing` that can be read now without an edge between them. */
uint64_t stream_ready(struct stream *s);

/* What lies behind those bytes. */
enum stream_edge stream_edge(struct stream *s);

/* Reads, or with dst NULL drops, that many; bytes <= stream_ready(). */
void stream_read(struct stream *s, uint8_t *dst, uint64_t bytes);

/* Drops all that is ready. If that is a frame or more, it is counted: less is no sound. */
void stream_drop(struct stream *s);

/* Passes a STREAM_BREAK or STREAM_FORMAT; what was ready before it is dropped as above. Then at a whole
 * frame. */
void stream_pass(struct stream *s);

/* Drops everything before the last format that begins in the ring and passes it; false: none does.
 */
bool stream_pass_to_newest(struct stream *s);

/* The first frame that the next read gives, counted from the beginning. */
uint64_t stream_frame(const struct stream *s);

/* The line of the arrivals of `playing`; false, and *line as it was, when there is none (yet). */
bool stream_line(const struct stream *s, struct arrival_line *line);

/* Any thread: who sends what is received now. */
struct source_id stream_source(const struct stream *s);

/* No whole frame is ready and no edge: wake_fd becomes readable when more comes. False: there is. */
bool stream_sleep(struct stream *s);

#endif
