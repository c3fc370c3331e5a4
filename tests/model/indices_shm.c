/*
 * The arithmetic of a guest's header and ring (receivers/ivshmem_header.c, ivshmem_ring.c): over all formats,
 * ring sizes and offsets at the edges of what a file has room for; and over all places of reader and writer in all
 * small rings, and those near the ends in rings of every size. What is read lies inside the file, is what the
 * guest has published, and is not what it may be writing to.
 */
#include "../../receivers/ivshmem_header.h"
#include "../../receivers/ivshmem_ring.h"
#include "require.h"

#include <string.h>

#define SMALL_RING 24 /* chunks: all places in all rings of up to so many */
#define BATCH      8  /* the driver copies so many at a time */

static unsigned long long cases;

/* ---- the header ---- */

static void put(struct shm_raw *raw, int at, uint32_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        raw->outside[at + i] = (uint8_t)(value >> 8 * i);
}

static void try_header(struct shm_raw *raw, uint32_t chunk, uint32_t chunks, uint32_t offset,
                       uint64_t size)
{
    const uint32_t indices[] = {0, chunks - 1, chunks, 65535};
    put(raw, 6, offset, 1);
    put(raw, 8, chunks, 2);
    put(raw, 12, chunk, 4);
    const bool inside = offset >= SHM_HEADER_BYTES && chunks >= SHM_MIN_CHUNKS &&
                        (size - offset) / chunk >= chunks && size >= offset;
    for (int i = 0; i < 4; i++) {
        struct shm_header h;
        put(raw, 4, indices[i], 2);
        const bool good = inside && (uint16_t)indices[i] < chunks;
        require((shm_header_parse(raw, size, &h) == SHM_OK) == good, "a header is misjudged");
        require(!good || (h.chunk_size == chunk && h.max_chunks == chunks && h.offset == offset &&
                          h.write_idx == (uint16_t)indices[i] && chunk <= SHM_MAX_CHUNK),
                "a header is misread");
        cases++;
    }
}

/* Files that end a byte before the ring does, with it, and elsewhere. */
static void try_sizes(struct shm_raw *raw, uint32_t chunk, uint32_t chunks, uint32_t offset)
{
    const uint64_t end = offset + (uint64_t)chunks * chunk;
    const uint64_t sizes[] = {end - 1, end, end + 1, INT64_MAX};
    for (int i = 0; i < 4; i++)
        try_header(raw, chunk, chunks, offset, sizes[i]);
}

static void try_format(struct shm_raw *raw, const struct pcm_format *f, bool all)
{
    const uint32_t chunk = f->rate / 50 * (f->width / 8u * f->channels);
    struct shm_header h;
    for (uint32_t chunks = 0; chunks <= 65535;
         chunks += all || chunks < 64 || chunks > 65470 ? 1 : 97)
        for (uint32_t offset = 0; offset <= 255;
             offset += all && chunks % 257 == 0 ? 1 : 24 - offset % 24)
            try_sizes(raw, chunk, chunks, offset);
    /* a chunk's size is told by the format: no other one is taken */
    try_header(raw, chunk, 100, 24, INT64_MAX);
    for (uint32_t bit = 1; bit != 0; bit <<= 1) {
        put(raw, 12, chunk ^ bit, 4);
        require(shm_header_parse(raw, INT64_MAX, &h) == SHM_BAD_SIZE,
                "another chunk size is taken");
    }
}

static void try_headers(void)
{
    struct shm_raw raw = {{0}};
    put(&raw, 0, SHM_MAGIC, 4);
    for (uint32_t wire = 0; wire < 1u << 24; wire++) {
        const uint8_t bytes[PCM_WIRE_BYTES] = {(uint8_t)wire, (uint8_t)(wire >> 8),
                                               (uint8_t)(wire >> 16)};
        struct pcm_format f;
        if (pcm_format_parse(bytes, &f) != PCM_OK)
            continue;
        put(&raw, 16, wire, 3);
        try_format(&raw, &f, f.channels == 8 && f.width == 32 && f.rate == 192000);
    }
}

/* ---- the ring ---- */

/* A reader that has read up to `read`, and looks when the guest has published `written`. */
static struct shm_ring ring_at(uint16_t count, uint16_t read, uint16_t written)
{
    struct shm_ring r;
    shm_ring_init(&r, 0);
    r.stream = (struct shm_header){
        .max_chunks = count, .write_idx = written, .chunk_size = 3840, .offset = 24};
    r.known = true;
    r.read = read;
    return r;
}

static uint32_t ahead(uint32_t count, uint32_t from, uint32_t to)
{
    return to >= from ? to - from : to + count - from;
}

/* True if a guest that has gone on by `moved` chunks from `written`, and may be writing the next, has written to it. */
static bool is_hit(uint32_t count, uint32_t written, uint32_t moved, uint32_t index)
{
    return ahead(count, written, index) >= 1 && ahead(count, written, index) <= moved + 1;
}

static void try_torn(const struct shm_ring *r, uint32_t n, uint32_t moved)
{
    const uint32_t count = r->stream.max_chunks;
    struct shm_header after = r->stream;
    after.write_idx = (uint16_t)((after.write_idx + moved) % count);
    const uint32_t torn = shm_ring_torn(r, n, &after, 0);
    require(torn <= n, "more are torn than there are");
    for (uint32_t i = torn; i < n; i++)
        require(!is_hit(count, r->stream.write_idx, moved, shm_ring_index(r, i)),
                "a torn chunk is taken");
    /* and no more are given up than those and what lies before them, with one slot of margin */
    require(torn == 0 || is_hit(count, r->stream.write_idx, moved + 1, shm_ring_index(r, torn - 1)),
            "a whole chunk is given up");
    cases++;
}

static void try_places(uint16_t count, uint16_t read, uint16_t written, bool all)
{
    struct shm_ring r = ring_at(count, read, written);
    const uint32_t there = ahead(count, read, written);
    uint64_t late = 0;
    const uint32_t n = shm_ring_ready(&r, &late);
    require(n + late == there, "chunks are gained or lost");
    require(n == there || n == 1, "neither all nor the newest");
    require(n <= count - 2u, "the slot that is being written to is taken");
    for (uint32_t i = 0; i < n; i += all || i + 3 > n ? 1 : n - i - 2) {
        const uint16_t index = shm_ring_index(&r, i);
        require(index < count, "an index beyond the ring");
        require(ahead(count, index, written) == n - 1 - i, "another chunk than the next");
    }
    cases++;
    if (n == 0)
        return;
    const uint32_t most = all || n < BATCH ? n : BATCH;
    for (uint32_t m = all ? 1 : most; m <= most; m++)
        for (uint32_t moved = 0; moved < count - 1u;
             moved += all || moved + 3 >= count ? 1 : count - moved - 3)
            try_torn(&r, m, moved);
    shm_ring_pass(&r, n);
    require(r.read == written && shm_ring_ready(&r, &late) == 0, "not at the newest");
}

static void try_rings(void)
{
    for (uint16_t count = SHM_MIN_CHUNKS; count <= SMALL_RING; count++)
        for (uint16_t read = 0; read < count; read++)
            for (uint16_t written = 0; written < count; written++)
                try_places(count, read, written, true);
    for (uint32_t count = SHM_MIN_CHUNKS; count <= 65535; count++) {
        const uint32_t places[] = {0, 1, 2, count / 2, count - 3, count - 2, count - 1};
        for (int i = 0; i < 49; i++)
            try_places((uint16_t)count, (uint16_t)places[i / 7], (uint16_t)places[i % 7], false);
    }
}

/* ---- a look at a moved index, at every distance and after every time ---- */

static void try_looks(void)
{
    for (uint16_t count = SHM_MIN_CHUNKS; count <= SMALL_RING; count++)
        for (uint32_t places = 0; places < (uint32_t)count * count * count; places++)
            for (int ms = 0; ms <= 1200; ms += 10) {
                struct shm_ring r =
                    ring_at(count, (uint16_t)(places % count), (uint16_t)(places / count % count));
                struct shm_header h = r.stream;
                h.write_idx = (uint16_t)(places / count / count);
                const uint32_t before = ahead(count, r.read, r.stream.write_idx);
                const uint32_t steps = ahead(count, r.stream.write_idx, h.write_idx);
                const enum shm_event event = shm_ring_look(&r, &h, ms * 1000000LL, true);
                require(r.read < count && r.stream.write_idx == h.write_idx,
                        "a look loses its place");
                uint64_t late = 0;
                const uint32_t n = shm_ring_ready(&r, &late);
                require(n <= count - 2u, "the slot that is being written to is taken");
                if (event == SHM_CONTINUES && before + steps < count)
                    require(n + late == before + steps, "chunks are gained or lost in a look");
                cases++;
            }
}

int main(void)
{
    try_headers();
    const unsigned long long headers = cases;
    try_rings();
    const unsigned long long rings = cases;
    try_looks();
    printf("%llu headers, %llu places, %llu looks\n", headers, rings - headers, cases - rings);
    return 0;
}
