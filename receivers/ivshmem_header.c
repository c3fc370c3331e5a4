#include "ivshmem_header.h"

#include <string.h>

static uint16_t get16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t get32(const uint8_t *p)
{
    return get16(p) | (uint32_t)get16(p + 2) << 16;
}

/*
 * The driver's max_chunks is file size / chunk_size, which for its formats leaves room for offset.
 */
static bool fits(const struct shm_header *h, uint64_t file_size)
{
    const uint64_t end = h->offset + (uint64_t)h->max_chunks * h->chunk_size;
    return h->offset >= SHM_HEADER_BYTES && h->max_chunks >= SHM_MIN_CHUNKS && end <= file_size &&
           h->write_idx < h->max_chunks;
}

enum shm_fault shm_header_parse(const struct shm_raw *from, uint64_t file_size,
                                struct shm_header *out)
{
    const uint8_t *raw = from->outside;
    const uint32_t magic = get32(raw);
    if (magic != SHM_MAGIC)
        return magic ? SHM_FOREIGN : SHM_ABSENT;
    /* byte 19 is padding */
    const uint8_t wire[PCM_WIRE_BYTES] = {raw[16], raw[17], raw[18], raw[20], raw[21]};
    struct shm_header h = {
        .write_idx = get16(raw + 4),
        .offset = raw[6],
        .max_chunks = get16(raw + 8),
        .chunk_size = get32(raw + 12),
    };
    if (pcm_format_parse(wire, &h.format) != PCM_OK)
        return SHM_BAD_FORMAT;
    if (h.chunk_size != pcm_bytes_of(&h.format, SHM_CHUNK_NS) || !fits(&h, file_size))
        return SHM_BAD_SIZE;
    *out = h;
    return SHM_OK;
}

bool shm_header_same(const struct shm_header *a, const struct shm_header *b)
{
    return pcm_format_equal(&a->format, &b->format) && a->chunk_size == b->chunk_size &&
           a->max_chunks == b->max_chunks && a->offset == b->offset;
}

uint32_t shm_header_magic(const struct shm_raw *raw)
{
    return get32(raw->outside);
}

bool shm_header_unchanged(const struct shm_raw *a, const struct shm_raw *b)
{
    return memcmp(a->outside, b->outside, sizeof a->outside) == 0;
}
