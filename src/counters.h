/*
 * What the real-time threads count and the control thread reports: relaxed atomics, written by one
 * thread each, so that reading them never disturbs anything. They only grow.
 */
#ifndef SCREAM_COUNTERS_H
#define SCREAM_COUNTERS_H

#include <stdatomic.h>
#include <stdint.h>

typedef atomic_uint_fast64_t counter;

static inline void count_add(counter *c, uint64_t n)
{
    /* one writer: a plain add, published */
    uint64_t v = atomic_load_explicit(c, memory_order_relaxed);
    atomic_store_explicit(c, v + n, memory_order_relaxed);
}

static inline uint64_t count_read(const counter *c)
{
    return atomic_load_explicit((counter *)c, memory_order_relaxed);
}

/* Written by the receiver thread, but for what the control thread finds out from the kernel. */
struct receiver_counters {
    counter packets;      /* handed on */
    counter bad_size;     /* sizes that cannot be; of datagrams, where the kernel lets them pass */
    counter bad_format;   /* rate, width or channel count that does not exist */
    counter broadcasts;   /* valid, and sent to everybody instead of to this host */
    counter foreign;      /* shm: headers of something else than a guest with Scream */
    counter other_source; /* valid, from a sender that is not the one being played */
    counter kernel_drops; /* datagrams that the socket buffer had no room for */
    counter late_chunks;  /* shm: overwritten by the guest before they were read */
    counter left_chunks;  /* shm: their stream ended before they were read */
    counter restarts;     /* shm: streams that began */
    counter refused;      /* control thread's: datagrams that the socket's filter dropped */
};

/* Written by the producer (overruns), the consumer (what is passed) and the player (all others). */
struct stream_counters {
    counter overrun_bytes;  /* no room in the ring */
    counter passed_bytes;   /* what another format or beginning came behind, before it was read */
    counter frames;         /* played */
    counter underruns;      /* the ring ran dry while the source was still sending */
    counter pauses;         /* the ring ran dry because the source ceased */
    counter skips;          /* jumps back to the target latency */
    counter skipped_frames; /* frames dropped by them */
    counter losses;         /* silences in the place of what the guest sent and never came */
    counter latency_us;     /* a gauge: arrival to ear, of the last period played */
    counter delay_us;       /* a gauge: the part of it that lies behind the player */
    counter least_us;  /* a gauge: what latency must be for this guest and output to play at all */
    counter drift_ppb; /* a gauge, signed: how much faster than nominal the guest is played */
    counter passes;    /* through the player, two each: odd while its reader is inside */
};

static inline void gauge_set(counter *c, uint64_t v)
{
    atomic_store_explicit(c, v, memory_order_relaxed);
}

#endif
