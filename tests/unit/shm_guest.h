/*
 * A guest that writes a shared memory as the Windows driver does: plain stores into a mapping, a
 * chunk and then its index, the magic last. Every 32 bit word of chunk number n (from 1) holds n.
 */
#ifndef SCREAM_SHM_GUEST_H
#define SCREAM_SHM_GUEST_H

#include "format.h"

#include <stdint.h>

#define MIB (1u << 20) /* files have a power of two of them */

struct shm_guest {
    uint8_t *map;
    uint64_t size;
    struct pcm_format format;
    uint8_t offset;      /* of chunk 0: 24, or 48 as another branch of the driver has it */
    uint16_t max_chunks; /* 0: as many as fit, as the driver does */
    uint32_t chunk_size;
    uint16_t index; /* newest chunk */
};

/* 48 kHz/16/2; the most that the driver can be set to. */
extern const struct pcm_format shm_guest_usual, shm_guest_widest;

/* All formats that the driver can be set to, without a mask: the i-th of so many. */
#define SHM_GUEST_FORMATS 144u
struct pcm_format shm_guest_format(uint32_t i);

/* Maps the file, which has to have that size. False: it cannot. */
bool shm_guest_map(struct shm_guest *g, const char *path, uint64_t size);
void shm_guest_unmap(struct shm_guest *g);

/* A stream begins with the header's fields as they are in g; ends. */
void shm_guest_start(struct shm_guest *g);
void shm_guest_stop(struct shm_guest *g);

/* The two halves of writing a chunk, and both. */
void shm_guest_copy(struct shm_guest *g, uint32_t number);
void shm_guest_publish(struct shm_guest *g);
void shm_guest_write(struct shm_guest *g, uint32_t number);

/* The number in all words of those bytes; 0: they differ, the chunk is torn. */
uint32_t shm_guest_number(const uint8_t *bytes, uint32_t n);

#endif
