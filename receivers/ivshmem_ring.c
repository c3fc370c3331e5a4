#include "ivshmem_ring.h"

#include <string.h>

void shm_ring_init(struct shm_ring *r, int64_t now)
{
    *r = (struct shm_ring){.looked = now, .advanced = now};
}

/* Steps forward from one index to another. */
static uint32_t distance(const struct shm_ring *r, uint32_t from, uint32_t to)
{
    const uint32_t count = r->stream.max_chunks;
    return (to + count - from) % count;
}

/*
 * Chunks that a guest can have written in that time; in a small ring a burst is less likely than a
 * restart.
 */
static int64_t possible(const struct shm_header *h, int64_t elapsed)
{
    const int half = h->max_chunks / 2;
    return elapsed / SHM_CHUNK_NS + (half < SHM_BURST_CHUNKS ? half : SHM_BURST_CHUNKS);
}

/* fresh: all that the stream has written so far is; else only what is still to come. */
static enum shm_event begin(struct shm_ring *r, const struct shm_header *h, bool fresh, int64_t now)
{
    r->stream = *h;
    r->read = fresh ? 0 : h->write_idx;
    r->known = r->starts = r->last_changed = r->prints_due = r->blind = true;
    r->lapped = r->skipped = r->wrap_checked = false;
    r->looked = r->advanced = now;
    return SHM_BEGAN;
}

/* The stream was not there at the latest look: has it written no more than it can have since? */
static bool is_fresh(const struct shm_ring *r, const struct shm_header *h, int64_t now)
{
    return h->write_idx <= possible(h, now - r->looked);
}

/* How long the guest may have been writing, unseen. */
static int64_t unseen(const struct shm_ring *r, int64_t now)
{
    const int64_t still = now - r->advanced;
    return still < SHM_STALL_NS ? still : now - r->looked;
}

/* So long after the latest look that the guest, which may be a little ahead, was once around. */
static bool may_have_lapped(const struct shm_ring *r, int64_t now)
{
    return now - r->looked > (r->stream.max_chunks - 4) * SHM_CHUNK_NS;
}

/* The stream is not gone on with: what the latest look found and nobody has read. */
static void give_up(struct shm_ring *r)
{
    if (r->known)
        r->left += distance(r, r->read, r->stream.write_idx);
}

uint32_t shm_ring_left(struct shm_ring *r)
{
    const uint32_t n = r->left;
    r->left = 0;
    return n;
}

enum shm_event shm_ring_look(struct shm_ring *r, const struct shm_header *h, int64_t now, bool sure)
{
    if (!r->known)
        return begin(r, h, r->ended && is_fresh(r, h, now), now);
    if (!shm_header_same(&r->stream, h)) {
        give_up(r);
        return begin(r, h, is_fresh(r, h, now), now);
    }
    const uint32_t steps = distance(r, r->stream.write_idx, h->write_idx);
    if (steps > possible(h, unseen(r, now))) {
        if (!sure)
            return SHM_UNSURE;
        const bool back = h->write_idx < r->stream.write_idx;
        const bool fresh = back && is_fresh(r, h, now);
        give_up(r);
        r->left += fresh ? 0 : steps;
        return begin(r, h, fresh, now);
    }
    if (may_have_lapped(r, now)) {
        r->lapped = r->lapped || steps > 0;
        r->prints_due = r->blind = true;
    }
    if (steps > 0) {
        /* What was held up so long may have been written at once, a lap more than it seems. */
        r->prints_due |= now - r->advanced > (r->stream.max_chunks - 4) * SHM_CHUNK_NS;
        r->advanced = now;
    }
    r->stream.write_idx = h->write_idx;
    r->looked = now;
    return SHM_CONTINUES;
}

void shm_ring_none(struct shm_ring *r, bool ended, int64_t now)
{
    give_up(r);
    r->known = false;
    r->ended = ended;
    r->looked = now;
}

void shm_ring_prints(struct shm_ring *r, uint64_t first, uint64_t last)
{
    r->first_print = first;
    r->last_print = last;
    r->prints_due = r->blind = false;
}

uint32_t shm_ring_ready(struct shm_ring *r, uint64_t *late)
{
    const uint32_t count = r->stream.max_chunks;
    const uint32_t n = r->known ? distance(r, r->read, r->stream.write_idx) : 0;
    if (n == 0 || (n <= count - 2 && !r->lapped))
        return n;
    /* The newest is the only one that is surely whole. */
    *late += n - 1;
    r->lapped = false;
    shm_ring_lose(r, n - 1);
    return 1;
}

uint16_t shm_ring_index(const struct shm_ring *r, uint32_t i)
{
    return (uint16_t)((r->read + 1 + i) % r->stream.max_chunks);
}

uint32_t shm_ring_torn(const struct shm_ring *r, uint32_t n, const struct shm_header *after,
                       int64_t now)
{
    const uint32_t count = r->stream.max_chunks;
    const int64_t elapsed = now - r->looked;
    if (after && !shm_header_same(&r->stream, after))
        return n;
    if (may_have_lapped(r, now))
        return n;
    const uint32_t moved = after ? distance(r, r->stream.write_idx, after->write_idx)
                                 : (uint32_t)(elapsed / SHM_CHUNK_NS) + 1;
    /* The guest writes to the slot after its newest: chunk i is hit when that is one lap on. */
    uint32_t torn = 0;
    while (torn < n &&
           distance(r, shm_ring_index(r, torn), r->stream.write_idx) + moved + 2 > count)
        torn++;
    return torn;
}

bool shm_ring_wraps(const struct shm_ring *r)
{
    return r->known && r->stream.write_idx < r->read && !r->wrap_checked;
}

bool shm_ring_check_wrap(struct shm_ring *r, uint64_t first, bool silent)
{
    /*
     * The same as a lap before: silence is, and so is a tone whose period fits, which the slot
     * before shows too, unless it is in doubt itself.
     */
    const bool same = r->blind || first == r->first_print;
    const bool alone = r->read == r->stream.max_chunks - 1 && !r->skipped;
    r->first_print = first;
    r->wrap_checked = true;
    if (!same || (alone && (silent || !r->last_changed)))
        return true;
    /* The index has wrapped since then, or a stream began: either way these are fresh. */
    const struct shm_header h = r->stream;
    begin(r, &h, true, r->looked);
    return false;
}

void shm_ring_saw_last(struct shm_ring *r, uint64_t last)
{
    r->last_changed = last != r->last_print;
    r->last_print = last;
}

void shm_ring_pass(struct shm_ring *r, uint32_t n)
{
    const uint16_t before = r->read;
    if (n > 0)
        r->read = shm_ring_index(r, n - 1);
    if (r->read < before)
        r->wrap_checked = false;
    r->skipped = false;
}

void shm_ring_lose(struct shm_ring *r, uint32_t n)
{
    shm_ring_pass(r, n);
    r->skipped = r->prints_due = r->blind = true;
}

uint64_t shm_print(const struct shm_header *h, const struct shm_chunk *c)
{
    const uint32_t n = h->chunk_size;
    uint64_t print = n;
    for (uint32_t i = 0; i < n; i += 8) {
        uint64_t word = 0;
        memcpy(&word, c->outside + i, n - i < 8 ? n - i : 8);
        print = (print ^ word) * 0x9e3779b97f4a7c15u;
        print ^= print >> 32;
    }
    return print;
}

bool shm_silent(const struct shm_header *h, const struct shm_chunk *c)
{
    return c->outside[0] == 0 && memcmp(c->outside, c->outside + 1, h->chunk_size - 1) == 0;
}

struct packet shm_packet(const struct shm_header *h, const struct shm_chunk *c)
{
    return (struct packet){.format = h->format, .data = c->outside, .bytes = h->chunk_size};
}
