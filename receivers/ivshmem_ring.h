/*
 * Which chunks of a guest's ring may be read. Pure: headers, fingerprints and times in, indices
 * out.
 *
 * The guest copies a chunk to the index after write_idx and then publishes it, so that the slot
 * after the newest is never safe. Its indices say nothing about laps, and the end of a stream with
 * the start of the next may fall between two looks. Hence three questions beside the index:
 * - time: no guest writes more chunks than 20 ms each, from its last one on, and a burst's worth;
 * - what a restart would have written: after one, chunks 1 to write_idx are fresh, and so are the
 *   chunks after the last read one as long as the index has not wrapped;
 * - contents: a restart leaves slot 0 as it was, a wrap writes it.
 */
#ifndef SCREAM_IVSHMEM_RING_H
#define SCREAM_IVSHMEM_RING_H

#include "../src/packet.h"
#include "ivshmem_header.h"

#include <stdbool.h>
#include <stdint.h>

#define SHM_BURST_CHUNKS 8           /* a guest that was late may be so far ahead of the clock */
#define SHM_STALL_NS     500000000LL /* after a longer silence nothing is caught up with */

struct shm_ring {
    struct shm_header stream; /* its write_idx as of the latest look */
    bool known;               /* a stream is being read */
    bool starts;              /* the next chunk is its first one; the reader clears it */
    bool ended;               /* not known: the guest itself said that there is none */
    bool lapped;              /* looked at too late to know what is whole */
    bool skipped;             /* the chunks before the next one were passed over unread */
    uint16_t read;            /* index of the last chunk that was read or passed over */
    int64_t looked;           /* time of the latest look */
    int64_t advanced;         /* time when the index was last seen to move */
    uint32_t left;            /* chunks that were ready and given up */
    bool wrap_checked;        /* slot 0, which is ready, is known to be fresh */
    bool prints_due;          /* shm_ring_prints() has to be given before the next look */
    bool blind;               /* the prints below say nothing */
    uint64_t first_print;     /* of slot 0 as it was when last read */
    uint64_t last_print;      /* of the last slot likewise */
    bool last_changed;        /* the last slot was another one a lap before */
};

enum shm_event {
    SHM_CONTINUES, /* nothing special */
    SHM_BEGAN,     /* a stream was found */
    SHM_UNSURE,    /* nothing was changed: read the header once more, and be sure */
};

void shm_ring_init(struct shm_ring *r, int64_t now);

/*
 * A look found this header. `sure`: it was read anew after SHM_UNSURE (an index of two bytes need
 * not be copied in one piece). A jump that no honest guest makes passes over all that is not known
 * to be fresh.
 */
enum shm_event shm_ring_look(struct shm_ring *r, const struct shm_header *h, int64_t now,
                             bool sure);

/* A look found no stream. `ended`: the guest says so itself (SHM_ABSENT). */
void shm_ring_none(struct shm_ring *r, bool ended, int64_t now);

/*
 * Fingerprints of slot 0 and the last slot as they are now, when they are due after a look's
 * chunks.
 */
void shm_ring_prints(struct shm_ring *r, uint64_t first, uint64_t last);

/* Chunks that may be read; those overwritten already are passed over and added to *late. */
uint32_t shm_ring_ready(struct shm_ring *r, uint64_t *late);

/* Index of the i-th of them, i < shm_ring_ready(). */
uint16_t shm_ring_index(const struct shm_ring *r, uint32_t i);

/*
 * After the first n ready chunks were copied out at `now`, with the header that was read afterwards
 * (NULL: the stream ended meanwhile): how many of them, from the front, the guest may have been
 * writing to.
 */
uint32_t shm_ring_torn(const struct shm_ring *r, uint32_t n, const struct shm_header *after,
                       int64_t now);

/*
 * Slot 0 is among the ready chunks: before any of them is read, shm_ring_check_wrap() has to be
 * asked.
 */
bool shm_ring_wraps(const struct shm_ring *r);

/*
 * Slot 0 has this fingerprint, and is all zeros. False: the guest has not written it, the stream
 * was restarted unseen, and r is at the beginning of the new one (shm_ring_ready() anew).
 */
bool shm_ring_check_wrap(struct shm_ring *r, uint64_t first, bool silent);

/* The last slot was read, with this fingerprint. */
void shm_ring_saw_last(struct shm_ring *r, uint64_t last);

/* The first n ready chunks are done with; are lost unread. */
void shm_ring_pass(struct shm_ring *r, uint32_t n);
void shm_ring_lose(struct shm_ring *r, uint32_t n);

/* How many ready chunks were given up with their stream since this was last asked. */
uint32_t shm_ring_left(struct shm_ring *r);

/* Copied out of the guest's memory: as many bytes as the stream's chunks have. */
struct shm_chunk {
    uint8_t outside[SHM_MAX_CHUNK];
};

/* Of a chunk of that stream: some 64 bits that differ when the bytes do; all zeros. */
uint64_t shm_print(const struct shm_header *h, const struct shm_chunk *c);
bool shm_silent(const struct shm_header *h, const struct shm_chunk *c);

/* What is handed on of it; arrival and starts are the caller's to fill in. */
struct packet shm_packet(const struct shm_header *h, const struct shm_chunk *c);

#endif
