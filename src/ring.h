/*
 * A wait-free ring of equal slots for one producer and one consumer.
 *
 * The one rule: a slot belongs to the producer until its publish, then to the consumer until its
 * release. Indices run freely over 32 bits and wrap; only differences of them count.
 *
 * Which slot an index means is told by a table that the producer permutes where it holds no published
 * slot: those that have been in use before come first, so that no more memory is ever touched than
 * the most that was filled at once.
 */
#ifndef SCREAM_RING_H
#define SCREAM_RING_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>

#define RING_MOST 65536 /* slots */
#define RING_LINE 64    /* bytes of a cache line: the two sides' indices must not share one */

struct ring {
    /* immutable */
    unsigned char *slots;
    uint32_t count; /* slots, a power of two */
    uint32_t slot_bytes;
    uint16_t *order; /* index -> slot; an entry belongs to whom its slot belongs */

    /* producer's */
    alignas(RING_LINE) _Atomic uint32_t written; /* release: the slots before it are filled */
    uint32_t known_read;                         /* what `read` was when last looked at */
    uint32_t warm; /* of the free slots the first so many, which have been in use */

    /* consumer's */
    alignas(RING_LINE) _Atomic uint32_t read; /* release: the slots before it are free again */
};

/*
 * Any one thread, before the two sides begin. count: a power of two; first: the index to begin with
 * (0, or in tests just below the wrap); ready: slots whose memory is there at once, the others' comes with
 * their first use. 0 or -ENOMEM, -EINVAL.
 */
int ring_init(struct ring *r, uint32_t count, uint32_t slot_bytes, uint32_t ready, uint32_t first);
void ring_finish(struct ring *r);

/* Producer: the i-th slot after the last published one, or NULL when the ring has no room for it.
 */
void *ring_claim(struct ring *r, uint32_t i);

/* Producer: the next n claimed slots are the consumer's now. */
void ring_publish(struct ring *r, uint32_t n);

/* Consumer: published slots that it has not released. */
uint32_t ring_filled(const struct ring *r);

/* Consumer: the i-th of them, i < ring_filled(). */
const void *ring_at(const struct ring *r, uint32_t i);

/* Consumer: the first n of them are the producer's again. */
void ring_release(struct ring *r, uint32_t n);

#endif
