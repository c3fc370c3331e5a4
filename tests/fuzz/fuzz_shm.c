/* Headers that a guest writes at will, and what is made of them: no index or place outside the file. */
#include "../../receivers/ivshmem_pace.h"
#include "../../receivers/ivshmem_ring.h"
#include "input.h"

struct reading {
    struct shm_ring ring;
    struct shm_pace pace;
    struct shm_raw raw;
    uint64_t size; /* of the file */
    int64_t now;
};

/* A valid header, of a format and a ring that the input chooses. */
static void begin_some(struct reading *r, struct input *in)
{
    uint8_t *raw = r->raw.outside;
    struct pcm_format f;
    uint32_t chunk = 0;
    input_take(in, raw + 16, 3);
    const uint8_t wire[PCM_WIRE_BYTES] = {raw[16], raw[17], raw[18]};
    if (pcm_format_parse(wire, &f) == PCM_OK)
        chunk = (uint32_t)pcm_bytes_of(&f, SHM_CHUNK_NS);
    memcpy(raw, (uint8_t[]){0x14, 0x20, 0x11, 0x11}, 4);
    memcpy(raw + 12, &chunk, 4);
    raw[6] = 24;
    input_take(in, raw + 8, 2);
}

/* The header changes in some places, the file's size sometimes. */
static enum shm_fault look(struct reading *r, struct input *in, struct shm_header *h)
{
    const uint8_t how = input_8(in);
    if (how & 1)
        begin_some(r, in);
    if (how & 2)
        input_take(in, r->raw.outside + 4, 2);
    for (int i = how >> 6; i > 0; i--) {
        const uint8_t at = input_8(in) % SHM_HEADER_BYTES;
        r->raw.outside[at] = input_8(in);
    }
    if (how & 4)
        r->size = (uint64_t)input_32(in) << (how >> 3 & 3);
    r->now += how & 0x20 ? input_32(in) : (how & 0x18) * 1000000;
    const enum shm_fault fault = shm_header_parse(&r->raw, r->size, h);
    if (fault == SHM_OK) {
        MUST(h->chunk_size > 0 && h->chunk_size <= SHM_MAX_CHUNK);
        MUST(h->write_idx < h->max_chunks && h->max_chunks >= SHM_MIN_CHUNKS);
        MUST(h->offset + (uint64_t)h->max_chunks * h->chunk_size <= r->size);
    }
    return fault;
}

static void check_ready(struct reading *r, uint32_t ready)
{
    const struct shm_header *h = &r->ring.stream;
    MUST(ready < h->max_chunks);
    for (uint32_t i = 0; i < ready && i < 8; i++)
        MUST(shm_ring_index(&r->ring, i) < h->max_chunks);
}

/* As the reader does it, with a header read again in between. */
static bool take(struct reading *r, struct input *in)
{
    struct shm_header after;
    uint64_t late = 0;
    const uint32_t ready = shm_ring_ready(&r->ring, &late);
    if (ready == 0)
        return false;
    check_ready(r, ready);
    if (shm_ring_wraps(&r->ring) && !shm_ring_check_wrap(&r->ring, input_8(in), input_8(in) & 1))
        return false;
    const uint32_t n = ready < 8 ? ready : 8;
    const enum shm_fault fault = look(r, in, &after);
    uint32_t torn = n;
    if (fault == SHM_OK || fault == SHM_ABSENT)
        torn = shm_ring_torn(&r->ring, n, fault == SHM_OK ? &after : NULL, r->now);
    MUST(torn <= n);
    if (torn > 0)
        shm_ring_lose(&r->ring, torn);
    for (uint32_t i = 0; i < n - torn; i++)
        if (shm_ring_index(&r->ring, i) == r->ring.stream.max_chunks - 1)
            shm_ring_saw_last(&r->ring, input_8(in));
    shm_ring_pass(&r->ring, n - torn);
    MUST(r->ring.read < r->ring.stream.max_chunks);
    return n > torn;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input in = {bytes, size};
    struct reading r = {.size = 1 << 20, .now = 1};
    shm_ring_init(&r.ring, r.now);
    shm_pace_init(&r.pace, r.now);
    while (in.left > 0) {
        struct shm_header h;
        const enum shm_fault fault = look(&r, &in, &h);
        enum shm_event event = SHM_CONTINUES;
        if (fault == SHM_OK)
            event = shm_ring_look(&r.ring, &h, r.now, false);
        else
            shm_ring_none(&r.ring, fault == SHM_ABSENT, r.now);
        if (event == SHM_UNSURE)
            event = shm_ring_look(&r.ring, &h, r.now, true);
        MUST(event != SHM_UNSURE);
        if (event == SHM_BEGAN)
            shm_pace_begin(&r.pace, r.now);
        const bool found = take(&r, &in);
        const int64_t before = r.pace.arrival,
                      next = found ? shm_pace_found(&r.pace, r.now, 1 + (int)(r.now % 2))
                                   : shm_pace_missed(&r.pace, r.now);
        MUST(next > r.now);
        MUST(r.pace.arrival <= r.now && (!found || r.pace.arrival >= before));
        if (r.ring.known && r.ring.prints_due)
            shm_ring_prints(&r.ring, input_8(&in), input_8(&in));
        shm_ring_left(&r.ring);
    }
    return 0;
}
