#include "shm_guest.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

const struct pcm_format shm_guest_usual = {.rate = 48000, .width = 16, .channels = 2, .mask = 3};
const struct pcm_format shm_guest_widest = {
    .rate = 192000, .width = 32, .channels = 8, .mask = 0x63f};

struct pcm_format shm_guest_format(uint32_t i)
{
    static const uint32_t rates[] = {44100, 48000, 88200, 96000, 176400, 192000};
    static const uint8_t widths[] = {16, 24, 32};
    return (struct pcm_format){
        .rate = rates[i % 6], .width = widths[i / 6 % 3], .channels = (uint8_t)(i / 18 + 1)};
}

bool shm_guest_map(struct shm_guest *g, const char *path, uint64_t size)
{
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return false;
    g->map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    g->size = size;
    close(fd);
    return g->map != MAP_FAILED;
}

void shm_guest_unmap(struct shm_guest *g)
{
    munmap(g->map, g->size);
}

static void put16(uint8_t *p, uint16_t v)
{
    __atomic_store_n((uint16_t *)(void *)p, v, __ATOMIC_RELEASE);
}

static void put32(uint8_t *p, uint32_t v)
{
    __atomic_store_n((uint32_t *)(void *)p, v, __ATOMIC_RELEASE);
}

void shm_guest_start(struct shm_guest *g)
{
    g->chunk_size = (uint32_t)pcm_bytes_of(&g->format, 20000000);
    if (g->max_chunks == 0)
        g->max_chunks = (uint16_t)(g->size / g->chunk_size);
    g->index = 0;
    memset(g->map, 0, 24);
    g->map[6] = g->offset;
    put16(g->map + 8, g->max_chunks);
    put32(g->map + 12, g->chunk_size);
    uint8_t wire[PCM_WIRE_BYTES];
    pcm_format_wire(&g->format, wire);
    memcpy(g->map + 16, wire, 3);
    memcpy(g->map + 20, wire + 3, 2);
    put32(g->map, 0x11112014);
}

void shm_guest_stop(struct shm_guest *g)
{
    put32(g->map, 0);
    memset(g->map, 0, 24);
}

void shm_guest_copy(struct shm_guest *g, uint32_t number)
{
    g->index = (uint16_t)((g->index + 1) % g->max_chunks);
    uint8_t *to = g->map + g->offset + (uint64_t)g->index * g->chunk_size;
    for (uint32_t i = 0; i + 4 <= g->chunk_size; i += 4)
        memcpy(to + i, &number, 4);
}

void shm_guest_publish(struct shm_guest *g)
{
    put16(g->map + 4, g->index);
}

void shm_guest_write(struct shm_guest *g, uint32_t number)
{
    shm_guest_copy(g, number);
    shm_guest_publish(g);
}

uint32_t shm_guest_number(const uint8_t *bytes, uint32_t n)
{
    uint32_t first;
    memcpy(&first, bytes, 4);
    return memcmp(bytes, bytes + 4, (n & ~3u) - 4) == 0 ? first : 0;
}
