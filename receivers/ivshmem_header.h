/*
 * The one place where the shared memory's header is looked at (`make lint` sees to it). Pure: bytes
 * in, a ring that lies inside the file or a fault out.
 */
#ifndef SCREAM_IVSHMEM_HEADER_H
#define SCREAM_IVSHMEM_HEADER_H

#include "../src/format.h"

#include <stdint.h>

#define SHM_HEADER_BYTES 24
#define SHM_MAGIC        0x11112014u
#define SHM_CHUNK_NS     20000000LL /* every chunk lasts 20 ms */
#define SHM_MIN_CHUNKS   6 /* a guest's smallest ring has 8; of fewer than 6 no look is in time */
#define SHM_MAX_CHUNK    122880 /* bytes: 192 kHz/32/8 */

/* Copied out of the guest's memory; it may have been written to meanwhile. */
struct shm_raw {
    uint8_t outside[SHM_HEADER_BYTES];
};

enum shm_fault {
    SHM_OK,
    SHM_ABSENT,     /* magic is 0: no stream, or a beginning one */
    SHM_FOREIGN,    /* another magic */
    SHM_BAD_FORMAT, /* rate, width or channel count that does not exist */
    SHM_BAD_SIZE,   /* offset, chunk size, ring or index that cannot be in a file of this size */
};

/* Invariant: offset + max_chunks * chunk_size lies inside the file, write_idx < max_chunks. */
struct shm_header {
    struct pcm_format format;
    uint32_t chunk_size; /* bytes: 20 ms of format, at most SHM_MAX_CHUNK */
    uint16_t max_chunks; /* at least SHM_MIN_CHUNKS */
    uint16_t write_idx;  /* the newest complete chunk */
    uint8_t offset;      /* of chunk 0 */
};

/* *out is written on SHM_OK only. */
enum shm_fault shm_header_parse(const struct shm_raw *from, uint64_t file_size,
                                struct shm_header *out);

/* SHM_MAGIC, 0, or what another device has there: to be told. */
uint32_t shm_header_magic(const struct shm_raw *raw);

/* Bit by bit. */
bool shm_header_unchanged(const struct shm_raw *a, const struct shm_raw *b);

/* The same stream's, as far as a header can tell: all but write_idx. */
bool shm_header_same(const struct shm_header *a, const struct shm_header *b);

#endif
