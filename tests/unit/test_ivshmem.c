/* The IVSHMEM receiver: its pure parts by models, the driver against a guest in another thread. */
#include "test.h"

#include "../../receivers/ivshmem_header.h"
#include "../../receivers/ivshmem_pace.h"
#include "../../receivers/ivshmem_ring.h"
#include "../sim/dice.h"
#include "clock.h"
#include "receiver.h"
#include "rt.h"
#include "shm_guest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define MIB (1u << 20)
#define MAX 16

static const struct pcm_format cd = {.rate = 48000, .width = 16, .channels = 2, .mask = 3};
static const struct pcm_format widest = {.rate = 192000, .width = 32, .channels = 8, .mask = 0x63f};

/* ---- the header ---- */

static enum shm_fault parse(const uint8_t *memory, uint64_t size, struct shm_header *h)
{
    struct shm_raw raw;
    memcpy(raw.outside, memory, sizeof raw.outside);
    return shm_header_parse(&raw, size, h);
}

static void accepts_all_that_a_driver_writes(void **state)
{
    (void)state;
    uint8_t *memory = calloc(1, 8 * MIB);
    for (uint32_t mib = 1; mib <= 8; mib *= 2)
        for (uint32_t i = 0; i < SHM_GUEST_FORMATS * 2; i++) {
            struct shm_guest g = {.map = memory, .size = mib * MIB, .offset = i % 2 ? 48 : 24};
            g.format = shm_guest_format(i / 2);
            shm_guest_start(&g);
            struct shm_header h;
            assert_int_equal(parse(memory, g.size, &h), SHM_OK);
            assert_true(pcm_format_equal(&h.format, &g.format));
            assert_int_equal(h.max_chunks, g.size / h.chunk_size);
            assert_true(h.chunk_size <= SHM_MAX_CHUNK && h.max_chunks >= 8);
            /* One chunk fewer in the file than there are. */
            assert_int_equal(parse(memory, h.offset + (h.max_chunks - 1u) * h.chunk_size, &h),
                             SHM_BAD_SIZE);
        }
    free(memory);
}

static void tells_faults_apart(void **state)
{
    (void)state;
    uint8_t memory[SHM_HEADER_BYTES] = {0};
    struct shm_header h = {.write_idx = 77};
    assert_int_equal(parse(memory, 2 * MIB, &h), SHM_ABSENT);
    struct shm_guest g = {.map = memory, .size = 2 * MIB, .format = cd, .offset = 24};
    shm_guest_start(&g);
    static const struct {
        uint8_t at, value;
        enum shm_fault fault;
    } cases[] = {
        {0, 0x15, SHM_FOREIGN},  {5, 0xff, SHM_BAD_SIZE},    {6, 23, SHM_BAD_SIZE},
        {6, 0, SHM_BAD_SIZE},    {9, 0xff, SHM_BAD_SIZE},    {13, 0, SHM_BAD_SIZE},
        {15, 1, SHM_BAD_SIZE},   {16, 0x03, SHM_BAD_FORMAT}, {16, 0x81, SHM_BAD_SIZE},
        {17, 8, SHM_BAD_FORMAT}, {17, 24, SHM_BAD_SIZE},     {18, 0, SHM_BAD_FORMAT},
        {18, 9, SHM_BAD_FORMAT}, {18, 1, SHM_BAD_SIZE},      {19, 0xff, SHM_OK},
        {21, 0xff, SHM_OK},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bad[SHM_HEADER_BYTES];
        memcpy(bad, memory, sizeof bad);
        bad[cases[i].at] = cases[i].value;
        assert_int_equal(parse(bad, g.size, &h), cases[i].fault);
    }
    for (uint8_t count = 0; count < SHM_MIN_CHUNKS; count++) {
        memory[8] = count;
        memory[9] = 0;
        assert_int_equal(parse(memory, g.size, &h), SHM_BAD_SIZE);
    }
}

/* Whatever the bytes, what is accepted lies inside the file. */
static void accepts_nothing_outside_the_file(void **state)
{
    (void)state;
    struct dice dice = {1};
    uint8_t memory[SHM_HEADER_BYTES] = {0};
    struct shm_guest g = {.map = memory, .offset = 24};
    int good = 0;
    for (int i = 0; i < 400000; i++) {
        g.size = (uint64_t)1 << dice_below(&dice, 24);
        g.max_chunks = 0;
        g.format = shm_guest_format(dice_below(&dice, SHM_GUEST_FORMATS));
        shm_guest_start(&g);
        for (uint32_t n = dice_below(&dice, 4); n > 0; n--)
            memory[4 + dice_below(&dice, 20)] = (uint8_t)dice_roll(&dice);
        struct shm_header h;
        if (parse(memory, g.size, &h) != SHM_OK)
            continue;
        good++;
        assert_true(h.offset >= 24 && h.write_idx < h.max_chunks && h.max_chunks >= SHM_MIN_CHUNKS);
        assert_true(h.chunk_size > 0 && h.chunk_size <= SHM_MAX_CHUNK);
        assert_true(h.offset + (uint64_t)h.max_chunks * h.chunk_size <= g.size);
    }
    assert_true(good > 10000);
}

/* ---- the ring, against a model of the guest ---- */

struct model {
    struct shm_header h;
    bool magic;
    uint32_t slots[64]; /* number of the chunk in each; 0 is silence */
    uint32_t number;    /* the latest chunk's, over all streams */
    bool halfway;       /* the slot after write_idx is being written to */
    struct dice dice;

    struct shm_ring ring;
    uint32_t heard;  /* number of the latest chunk that was read */
    uint64_t chunks; /* read */
    uint64_t late, began;
};

static void model_write(struct model *m)
{
    m->h.write_idx = (uint16_t)((m->h.write_idx + 1) % m->h.max_chunks);
    m->slots[m->h.write_idx] = ++m->number;
    m->halfway = false;
}

/* One step of the guest: mostly a chunk, sometimes half of one. */
static void model_step(struct model *m)
{
    if (!m->magic)
        return;
    model_write(m);
    m->halfway = dice_below(&m->dice, 2);
}

/* A slot's contents as a reader sees it: what is being written is torn. */
static bool model_torn(const struct model *m, uint16_t index)
{
    return m->halfway && index == (m->h.write_idx + 1) % m->h.max_chunks;
}

static void model_check(struct model *m, uint32_t n, const bool *torn, const uint32_t *read)
{
    for (uint32_t i = 0; i < n; i++, m->chunks++) {
        assert_false(torn[i]);
        /* Later than all before: neither stale nor heard twice. */
        if (read[i] <= m->heard)
            fail_msg("chunk %u after %u (ring of %u)", read[i], m->heard, m->h.max_chunks);
        m->heard = read[i];
        if (shm_ring_index(&m->ring, i) == m->h.max_chunks - 1)
            shm_ring_saw_last(&m->ring, read[i]);
    }
    shm_ring_pass(&m->ring, n);
}

/* A whole look as the driver does it; the guest goes on meanwhile by up to `busy` chunks. */
static void model_look(struct model *m, int64_t now, uint32_t busy)
{
    if (!m->magic) {
        shm_ring_none(&m->ring, true, now);
        return;
    }
    const struct shm_header before = m->h;
    enum shm_event event = shm_ring_look(&m->ring, &before, now, false);
    if (event == SHM_UNSURE)
        event = shm_ring_look(&m->ring, &before, now, true);
    m->began += event == SHM_BEGAN;
    uint32_t n = shm_ring_ready(&m->ring, &m->late);
    if (shm_ring_wraps(&m->ring) && !shm_ring_check_wrap(&m->ring, m->slots[0], m->slots[0] == 0)) {
        m->began++;
        n = 0;
    }
    n = n < 8 ? n : 8;
    uint32_t read[8];
    bool torn[8];
    const uint32_t until = m->number + busy;
    for (uint32_t i = 0; i < n; i++) {
        const uint16_t index = shm_ring_index(&m->ring, i);
        torn[i] = model_torn(m, index);
        read[i] = m->slots[index];
        while (m->number < until && dice_below(&m->dice, 2)) {
            model_step(m);
            torn[i] = torn[i] || read[i] != m->slots[index] || model_torn(m, index);
        }
    }
    if (n > 0) {
        const uint32_t lost = shm_ring_torn(&m->ring, n, &m->h, now);
        if (lost > 0)
            shm_ring_lose(&m->ring, lost);
        m->late += lost;
        model_check(m, n - lost, torn + lost, read + lost);
    }
    if (m->ring.prints_due)
        shm_ring_prints(&m->ring, m->slots[0], m->slots[before.max_chunks - 1]);
}

static void model_start(struct model *m, uint16_t max_chunks)
{
    m->h = (struct shm_header){
        .format = cd, .chunk_size = 3840, .max_chunks = max_chunks, .offset = 24};
    m->magic = true;
    m->halfway = false;
}

/*
 * A guest that plays, is late, bursts, pauses, ends and restarts, with and without its end being
 * seen, and a reader that is late too.
 */
static void model_run(struct model *m, uint16_t max_chunks, int steps)
{
    int64_t now = NS_PER_S, guest = now;
    for (int i = 0; i < steps; i++) {
        now += 15 * NS_PER_MS + dice_below(&m->dice, 10) * NS_PER_MS;
        const uint32_t what = dice_below(&m->dice, 200);
        if (what == 0)
            now += dice_below(&m->dice, 2000) * NS_PER_MS; /* the reader is late */
        if (what == 1)
            guest = now; /* the guest pauses: it will not catch up */
        if (what == 2)
            m->magic = false; /* seen, or not when it starts anew at once */
        if (what <= 4 && (what == 3 || !m->magic))
            model_start(m, max_chunks), guest = now;
        if (what == 5)
            model_start(m, (uint16_t)(8 + dice_below(&m->dice, 8))), guest = now;
        const bool stalls = what >= 190; /* the guest is late, and then writes all of it */
        while (!stalls && guest + SHM_CHUNK_NS <= now) {
            model_step(m);
            guest += SHM_CHUNK_NS;
        }
        model_look(m, now, what % 16 == 15 ? m->h.max_chunks - 2u : 0);
    }
}

static void reads_nothing_torn_stale_or_twice(void **state)
{
    (void)state;
    for (uint16_t count = 8; count < 64; count += 5) {
        struct model m = {.dice = {count}};
        shm_ring_init(&m.ring, 0);
        model_start(&m, count);
        for (uint16_t i = 0; i < count; i++)
            m.slots[i] = ++m.number; /* of a stream long ago */
        m.heard = m.number;
        m.h.write_idx = 5;
        model_run(&m, count, 200000);
        if (m.chunks < 100000)
            fail_msg("of a ring of %u only %u chunks were read", count, (unsigned)m.chunks);
        assert_true(m.began > 100 && m.late > 100);
    }
}

/* At each index: a restart that was not seen, and a wrap that looks like one. */
static void tells_a_restart_from_a_wrap(void **state)
{
    (void)state;
    for (uint16_t last = 1; last < 12; last++) {
        struct model m = {.dice = {1}};
        shm_ring_init(&m.ring, 0);
        int64_t now = NS_PER_S;
        shm_ring_none(&m.ring, true, now);
        model_start(&m, 8);
        for (uint16_t i = 0; i < 8; i++)
            m.slots[i] = ++m.number; /* of a stream long ago */
        m.heard = m.number;
        for (uint16_t i = 0; i < last; i++, now += SHM_CHUNK_NS) {
            model_look(&m, now, 0);
            model_write(&m);
        }
        model_look(&m, now, 0);
        assert_int_equal(m.chunks, last); /* across the wrap, none lost */
        assert_int_equal(m.began, 1);
        model_start(&m, 8);
        model_look(&m, now += SHM_CHUNK_NS, 0);
        assert_int_equal(m.chunks, last);
        model_write(&m);
        model_look(&m, now += SHM_CHUNK_NS, 0);
        assert_int_equal(m.chunks, last + 1); /* and nothing of the lap before */
    }
}

/* Tones that fit the ring and silence are no restarts. */
static void plays_what_is_the_same_in_each_lap(void **state)
{
    (void)state;
    for (int silent = 0; silent < 2; silent++) {
        struct shm_ring r;
        uint64_t late = 0;
        shm_ring_init(&r, 0);
        shm_ring_none(&r, true, 0);
        struct shm_header h = {.format = cd, .chunk_size = 3840, .max_chunks = 10, .offset = 24};
        assert_int_equal(shm_ring_look(&r, &h, 0, false), SHM_BEGAN);
        shm_ring_prints(&r, 100, 109);
        for (int i = 1; i < 100; i++) {
            h.write_idx = (uint16_t)(i % 10);
            assert_int_equal(shm_ring_look(&r, &h, i * SHM_CHUNK_NS, false), SHM_CONTINUES);
            assert_int_equal(shm_ring_ready(&r, &late), 1);
            const uint64_t print = silent ? 0 : 100 + h.write_idx;
            if (h.write_idx == 0) {
                assert_true(shm_ring_wraps(&r));
                assert_true(shm_ring_check_wrap(&r, print, silent));
            }
            if (h.write_idx == 9)
                shm_ring_saw_last(&r, print);
            shm_ring_pass(&r, 1);
        }
    }
}

static void a_torn_index_is_read_again(void **state)
{
    (void)state;
    struct shm_ring r;
    uint64_t late = 0;
    shm_ring_init(&r, 0);
    struct shm_header h = {.format = cd, .chunk_size = 3840, .max_chunks = 546, .write_idx = 0xff};
    assert_int_equal(shm_ring_look(&r, &h, 0, false), SHM_BEGAN);
    assert_int_equal(shm_ring_ready(&r, &late), 0);
    h.write_idx = 0x1ff;
    assert_int_equal(shm_ring_look(&r, &h, SHM_CHUNK_NS, false), SHM_UNSURE);
    h.write_idx = 0x100;
    assert_int_equal(shm_ring_look(&r, &h, SHM_CHUNK_NS, true), SHM_CONTINUES);
    assert_int_equal(shm_ring_ready(&r, &late), 1);
}

/*
 * Every place to read from, index then and index after, of small rings: no slot that the guest has written
 * to meanwhile, from the one after its newest on, is taken for whole; no index leaves the ring.
 */
static void proves_that_nothing_torn_is_whole(void **state)
{
    (void)state;
    uint32_t whole = 0;
    for (uint32_t count = SHM_MIN_CHUNKS; count <= 20; count++)
        for (uint32_t i = 0; i < count * count * count; i++) {
            const uint32_t read = i % count, then = i / count % count, moved = i / count / count;
            struct shm_header h = {.format = cd, .chunk_size = 3840, .offset = 24};
            struct shm_ring r = {.known = true, .read = (uint16_t)read};
            uint64_t late = 0;
            h.max_chunks = (uint16_t)count;
            h.write_idx = (uint16_t)then;
            r.stream = h;
            const uint32_t n = shm_ring_ready(&r, &late);
            h.write_idx = (uint16_t)((then + moved) % count);
            const uint32_t torn = shm_ring_torn(&r, n, &h, 0);
            assert_true(n + late == (then + count - read) % count && n < count && torn <= n);
            assert_int_equal(late > 0, n + late == count - 1); /* too many to be in time for */
            for (uint32_t k = torn; k < n; k++, whole++) {
                const uint32_t slot = shm_ring_index(&r, k);
                assert_true(slot < count);
                for (uint32_t step = 1; step <= moved + 1; step++)
                    assert_int_not_equal(slot, (then + step) % count);
            }
        }
    assert_true(whole > 10000);
}

/* A ring that was read up to chunk 0, which is its newest as well. */
static struct shm_ring ring_of(uint32_t count, struct shm_header *h)
{
    struct shm_ring r;
    *h = (struct shm_header){.format = cd, .chunk_size = 3840, .offset = 24};
    h->max_chunks = (uint16_t)count;
    shm_ring_init(&r, 0);
    assert_int_equal(shm_ring_look(&r, h, 0, false), SHM_BEGAN);
    shm_ring_prints(&r, 1, 2);
    return r;
}

/*
 * A guest that is up to two chunks ahead of the clock, and a look that is late: unless the reader takes
 * it for a lap, it was none. One that is on time is not taken for a lap before it must be.
 */
static void a_lap_is_not_overlooked(void **state)
{
    (void)state;
    for (uint32_t count = SHM_MIN_CHUNKS; count <= 40; count++)
        for (int64_t ms = 0; ms <= 20 * (int64_t)count + 100; ms++)
            for (uint32_t ahead = 0; ahead <= 3; ahead++) { /* one of them is the next one's turn */
                const uint32_t due = (uint32_t)(ms / 20), written = due + ahead;
                struct shm_header h;
                struct shm_ring r = ring_of(count, &h);
                uint64_t late = 0;
                h.write_idx = (uint16_t)(written % count);
                if (shm_ring_look(&r, &h, ms * NS_PER_MS, true) != SHM_CONTINUES)
                    continue;
                const uint32_t ready = shm_ring_ready(&r, &late);
                const bool told = late > 0 || r.prints_due;
                if (written >= count)
                    assert_true(told);
                if (ready > 1)
                    assert_int_equal(ready, written);
                if (ready > 0)
                    assert_int_equal(shm_ring_index(&r, ready - 1), h.write_idx);
                if (ms <= 20 * ((int64_t)count - 4) && ahead == 0)
                    assert_true(ready == written && !told);
            }
}

/* Likewise while chunks are copied out: what the guest can have come to meanwhile is not whole. */
static void copied_during(uint32_t count, uint32_t n, int64_t ms, uint32_t ahead)
{
    const uint32_t moved = (uint32_t)(ms / 20) + ahead;
    const int64_t now = (20 * n + ms) * NS_PER_MS;
    struct shm_header h, other;
    struct shm_ring r = ring_of(count, &h);
    uint64_t late = 0;
    h.write_idx = (uint16_t)n;
    shm_ring_look(&r, &h, 20 * n * NS_PER_MS, true);
    r.lapped = false;
    assert_int_equal(shm_ring_ready(&r, &late), n);
    h.write_idx = (uint16_t)((n + moved) % count);
    const uint32_t torn = shm_ring_torn(&r, n, &h, now), ended = shm_ring_torn(&r, n, NULL, now);
    uint32_t hit = 0; /* so many: all from the oldest on, to the slot after the newest */
    for (uint32_t step = 1; step <= moved + 1; step++)
        for (uint32_t i = 0; i < n; i++)
            if (shm_ring_index(&r, i) == (n + step) % count && hit < i + 1)
                hit = i + 1;
    assert_true(torn >= hit && ended >= hit);
    if (ms <= 20 * ((int64_t)count - 4))
        assert_int_equal(torn, hit);
    other = h;
    other.offset = 48;
    assert_int_equal(shm_ring_torn(&r, n, &other, now), n); /* another stream's by now */
}

static void a_lap_during_the_copying_is_not_overlooked(void **state)
{
    (void)state;
    for (uint32_t count = SHM_MIN_CHUNKS; count <= 20; count++)
        for (uint32_t n = 1; n <= count - 2; n++)
            for (int64_t ms = 0; ms <= 20 * (int64_t)count + 100; ms++)
                for (uint32_t ahead = 0; ahead <= 1; ahead++)
                    copied_during(count, n, ms, ahead);
}

/* What was doubtful once is not so for ever; nor in the stream after it. */
static void a_lap_is_forgotten(void **state)
{
    (void)state;
    for (int anew = 0; anew < 2; anew++) {
        struct shm_header h;
        struct shm_ring r = ring_of(10, &h);
        uint64_t late = 0;
        h.write_idx = 5;
        assert_int_equal(shm_ring_look(&r, &h, 7 * SHM_CHUNK_NS, false), SHM_CONTINUES);
        if (!anew) {
            assert_int_equal(shm_ring_ready(&r, &late), 1);
            assert_int_equal(late, 4);
            shm_ring_pass(&r, 1);
        }
        h.offset = anew ? 48 : 24;
        h.write_idx = anew ? 3 : 8;
        assert_int_equal(shm_ring_look(&r, &h, 10 * SHM_CHUNK_NS, false),
                         anew ? SHM_BEGAN : SHM_CONTINUES);
        assert_int_equal(shm_ring_ready(&r, &late), 3);
    }
}

/* A stream that was not there at the latest look: all that it can have written since is fresh. */
static void a_new_stream_is_fresh_if_it_can_be(void **state)
{
    (void)state;
    for (uint16_t count = 8; count <= 32; count += 8)
        for (uint16_t ms = 0; ms < 20 * count; ms++)
            for (uint16_t more = 0; more < 2; more++) {
                struct shm_ring r;
                struct shm_header h = {.format = cd, .chunk_size = 3840, .offset = 24};
                uint64_t late = 0;
                const uint16_t most = (uint16_t)(ms / 20 + (count < 16 ? count / 2 : 8));
                if (most + more > count - 2)
                    continue;
                h.max_chunks = count;
                h.write_idx = (uint16_t)(most + more);
                shm_ring_init(&r, 0);
                shm_ring_none(&r, true, NS_PER_S);
                assert_int_equal(shm_ring_look(&r, &h, NS_PER_S + ms * NS_PER_MS, false),
                                 SHM_BEGAN);
                assert_int_equal(shm_ring_ready(&r, &late), more ? 0 : most);
            }
}

/* Looks that find nothing new for so long, then so many chunks at once. */
static enum shm_event after_stall(struct shm_ring *r, int64_t ms, uint16_t steps)
{
    struct shm_header h;
    *r = ring_of(100, &h);
    for (int64_t t = 20; t < ms; t += 20) {
        assert_int_equal(shm_ring_look(r, &h, t * NS_PER_MS, false), SHM_CONTINUES);
        assert_false(r->prints_due);
    }
    h.write_idx = steps;
    return shm_ring_look(r, &h, ms * NS_PER_MS, false);
}

/* A guest that was held up for less than half a second catches up; later it is another stream. */
static void what_was_held_up_is_caught_up_with(void **state)
{
    (void)state;
    struct shm_ring r;
    assert_int_equal(after_stall(&r, 480, 24 + SHM_BURST_CHUNKS), SHM_CONTINUES);
    assert_int_equal(after_stall(&r, 480, 25 + SHM_BURST_CHUNKS), SHM_UNSURE);
    assert_int_equal(after_stall(&r, 500, 1 + SHM_BURST_CHUNKS), SHM_CONTINUES);
    assert_int_equal(after_stall(&r, 500, 2 + SHM_BURST_CHUNKS), SHM_UNSURE);
    assert_int_equal(after_stall(&r, 96 * 20, 1), SHM_CONTINUES);
    assert_false(r.prints_due);
    assert_int_equal(after_stall(&r, 97 * 20, 1), SHM_CONTINUES); /* or a lap and one */
    assert_true(r.prints_due);
}

/* A lap of a ring of 10 up to its last slot, which is `last` and is lost or read; then slot 0. */
static bool goes_on(uint64_t last, bool lost, uint64_t first, bool silent)
{
    struct shm_header h;
    struct shm_ring r = ring_of(10, &h);
    uint64_t late = 0;
    for (uint16_t i = 1; i < 10; i++) {
        h.write_idx = i;
        shm_ring_look(&r, &h, i * SHM_CHUNK_NS, false);
        assert_int_equal(shm_ring_ready(&r, &late), 1);
        if (i == 9 && lost)
            shm_ring_lose(&r, 1);
        else if (i == 9)
            shm_ring_saw_last(&r, last);
        if (i < 9 || !lost)
            shm_ring_pass(&r, 1);
    }
    assert_int_equal(r.prints_due, lost);
    h.write_idx = 0;
    shm_ring_look(&r, &h, 10 * SHM_CHUNK_NS, false);
    assert_true(shm_ring_wraps(&r));
    return shm_ring_check_wrap(&r, first, silent);
}

/* Slot 0 held 1 before, the last one 2. */
static void what_shows_that_slot_0_is_fresh(void **state)
{
    (void)state;
    assert_true(goes_on(7, false, 8, false));  /* another sound */
    assert_false(goes_on(7, false, 1, false)); /* the same, though the one before it is another */
    assert_true(goes_on(2, false, 1, false));  /* both as before: a tone */
    assert_true(goes_on(7, false, 1, true));   /* it falls silent again */
    assert_false(goes_on(0, true, 1, true));   /* who knows, when the last one was lost */
    assert_false(goes_on(0, true, 8, false));  /* or which lap's prints these are */
}

static void any_other_byte_is_another_print(void **state)
{
    (void)state;
    static struct shm_chunk c;
    static const uint32_t sizes[] = {1764, 3528, 3840, 2646, 1323};
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        const struct shm_header h = {.chunk_size = sizes[k]};
        const uint64_t zeros = shm_print(&h, &c);
        assert_true(shm_silent(&h, &c));
        for (uint32_t i = 0; i < sizes[k]; i++) {
            c.outside[i] = 1;
            assert_true(shm_print(&h, &c) != zeros);
            assert_false(shm_silent(&h, &c));
            c.outside[i] = 0;
        }
        c.outside[sizes[k]] = 1; /* which is the next one's */
        assert_true(shm_print(&h, &c) == zeros);
        assert_true(shm_silent(&h, &c));
        memset(c.outside, 1, sizes[k]);
        assert_false(shm_silent(&h, &c));
        memset(c.outside, 0, sizeof c.outside);
    }
}

/* Another format may have chunks, and a ring, of the same size. */
static void another_format_of_the_same_size_is_another_stream(void **state)
{
    (void)state;
    struct shm_header h;
    struct shm_ring r = ring_of(20, &h);
    h.format = (struct pcm_format){.rate = cd.rate, .width = 32, .channels = 1};
    assert_int_equal(pcm_frame_bytes(&h.format), pcm_frame_bytes(&cd));
    assert_int_equal(shm_ring_look(&r, &h, SHM_CHUNK_NS, false), SHM_BEGAN);
}

/* The smallest ring that is served, in a file that ends with it. */
static void a_ring_that_just_fits(void **state)
{
    (void)state;
    uint8_t memory[SHM_HEADER_BYTES] = {0};
    struct shm_guest g = {.map = memory, .offset = 24, .format = cd, .max_chunks = SHM_MIN_CHUNKS};
    struct shm_header h;
    shm_guest_start(&g);
    const uint64_t size = 24 + SHM_MIN_CHUNKS * g.chunk_size;
    assert_int_equal(parse(memory, size, &h), SHM_OK);
    assert_int_equal(parse(memory, size - 1, &h), SHM_BAD_SIZE);
    memory[4] = SHM_MIN_CHUNKS - 1; /* its last chunk is the newest */
    assert_int_equal(parse(memory, size, &h), SHM_OK);
    memory[4] = SHM_MIN_CHUNKS;
    assert_int_equal(parse(memory, size, &h), SHM_BAD_SIZE);
}

/* What was ready and is not read any more: its stream ends, another begins, its index jumps. */
static void what_is_given_up_is_counted(void **state)
{
    (void)state;
    struct shm_ring r;
    uint64_t late = 0;
    struct shm_header h = {.format = cd, .chunk_size = 3840, .max_chunks = 546, .write_idx = 10};
    shm_ring_init(&r, 0);
    assert_int_equal(shm_ring_look(&r, &h, 0, false), SHM_BEGAN);
    h.write_idx = 13;
    shm_ring_look(&r, &h, SHM_CHUNK_NS, false);
    assert_int_equal(shm_ring_ready(&r, &late), 3);
    shm_ring_none(&r, true, SHM_CHUNK_NS);
    assert_int_equal(shm_ring_left(&r), 3);
    assert_int_equal(shm_ring_left(&r), 0);
    shm_ring_none(&r, true, SHM_CHUNK_NS);
    assert_int_equal(shm_ring_left(&r), 0);
    h.write_idx = 2;
    assert_int_equal(shm_ring_look(&r, &h, SHM_CHUNK_NS, false), SHM_BEGAN);
    h.offset = 48;
    h.write_idx = 0;
    assert_int_equal(shm_ring_look(&r, &h, SHM_CHUNK_NS, false), SHM_BEGAN);
    assert_int_equal(shm_ring_left(&r), 2);
    h.write_idx = 100;
    assert_int_equal(shm_ring_look(&r, &h, SHM_CHUNK_NS, true), SHM_BEGAN);
    assert_int_equal(shm_ring_left(&r), 100);
    assert_int_equal(shm_ring_ready(&r, &late), 0);
    assert_int_equal(late, 0);
}

/* ---- the pace ---- */

struct paced {
    double looks_a_second, late_ms; /* from there to found: mean */
    double worst_ms;
    double noise_ms; /* of what is told to be their arrival */
};

/*
 * 60 s of a guest whose chunks come up to jitter late, off by ppm; and a machine whose timers are
 * up to slack late.
 */
static struct paced pace_run(int64_t jitter, int64_t ppm, int64_t slack)
{
    struct dice dice = {1};
    struct shm_pace p;
    struct paced out = {0};
    const int64_t period = SHM_CHUNK_NS + SHM_CHUNK_NS * ppm / 1000000;
    int64_t begin = 7 * NS_PER_MS + 123, next = begin, now = 0, late = 0;
    int looks = 0, found = 0;
    double least = 1e9, most = -1e9;
    shm_pace_init(&p, 0);
    for (int64_t i = 1; now < 70 * NS_PER_S;) {
        const bool there = next <= now;
        const bool counts = now > 10 * NS_PER_S;
        looks += counts;
        if (there && counts) {
            late += now - next;
            out.worst_ms = (double)(now - next) / 1e6 > out.worst_ms ? (double)(now - next) / 1e6
                                                                     : out.worst_ms;
            found++;
        }
        for (; next <= now; i++)
            next = begin + i * period + (jitter ? (int64_t)dice_below(&dice, (uint32_t)jitter) : 0);
        const int64_t look = there ? shm_pace_found(&p, now, 1) : shm_pace_missed(&p, now);
        if (there && counts) {
            const double told = (double)(p.arrival - begin - (i - 2) * period) / 1e6;
            least = told < least ? told : least;
            most = told > most ? told : most;
        }
        now = look + dice_below(&dice, (uint32_t)slack);
    }
    out.noise_ms = most - least;
    out.looks_a_second = looks / 60.0;
    out.late_ms = (double)late / found / 1e6;
    return out;
}

static void one_look_a_chunk_is_enough(void **state)
{
    (void)state;
    static const struct {
        int64_t jitter, ppm, slack;
        double looks;
    } cases[] = {{0, 0, 100000, 53},         {0, 200, 100000, 53},      {0, -200, 100000, 53},
                 {0, 1000, 100000, 53},      {1000000, 0, 100000, 53},  {2000000, 50, 100000, 53},
                 {5000000, -50, 100000, 55}, {10000000, 0, 100000, 58}, {0, 0, 3000000, 55},
                 {2000000, 0, 10000000, 55}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct paced p = pace_run(cases[i].jitter, cases[i].ppm, cases[i].slack);
        print_message("jitter %2d ms %4d ppm: %.1f looks/s, found %.2f ms late, worst %.2f; "
                      "arrivals told within %.2f\n",
                      (int)(cases[i].jitter / NS_PER_MS), (int)cases[i].ppm, p.looks_a_second,
                      p.late_ms, p.worst_ms, p.noise_ms);
        if (cases[i].jitter == 0 && cases[i].slack <= 100000)
            assert_true(p.noise_ms <= 0.2);
        assert_true(p.looks_a_second <= cases[i].looks);
        assert_true(p.worst_ms < (double)(cases[i].jitter + cases[i].slack) / 1e6 + 1.0);
    }
}

/* However late the looks themselves are: a thread that did not get to run must not spin afterwards. */
static void no_look_is_due_at_once(void **state)
{
    (void)state;
    for (int64_t late = 0; late < 2 * NS_PER_S; late += 7 * NS_PER_MS)
        for (int locked = 0; locked < 2; locked++) {
            struct shm_pace p;
            int64_t now = 0;
            shm_pace_init(&p, now);
            for (int i = 0; locked && i < 200; i++)
                now = i % 20 < 10 ? shm_pace_found(&p, now, 1) : shm_pace_missed(&p, now);
            now += late;
            int looks = 0;
            for (const int64_t end = now + NS_PER_S; now < end; looks++) {
                const int64_t next = shm_pace_missed(&p, now);
                assert_true(next > now);
                now = next;
            }
            assert_in_range(looks, 1, 150);
        }
}

static void waiting_costs_little(void **state)
{
    (void)state;
    struct shm_pace p;
    shm_pace_init(&p, 0);
    int64_t now = 0;
    int looks = 0;
    for (; !shm_pace_is_idle(&p); looks++)
        now = shm_pace_missed(&p, now);
    assert_in_range(looks, 10, 120);
    assert_true(now < NS_PER_S / 4);
    assert_int_equal(shm_pace_missed(&p, now), now + SHM_IDLE_NS);
    /* A guest that begins a stream at each look does not keep us busy. */
    for (looks = 0; now < 60 * NS_PER_S; looks++) {
        shm_pace_begin(&p, now);
        now = looks % 2 ? shm_pace_found(&p, now, 1) : shm_pace_missed(&p, now);
    }
    assert_true(looks < 60 * 400);
}

/* ---- the driver ---- */

struct rig {
    char path[64];
    int fd; /* of the file */
    struct shm_guest guest;
    struct receiver *r;
    struct receiver_counters counters;
    int wake;
    struct packet packets[MAX];
};

static void rig_make(struct rig *s, uint64_t size)
{
    memset(s, 0, sizeof *s);
    snprintf(s->path, sizeof s->path, "%s/scream-test-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    s->fd = mkostemp(s->path, O_CLOEXEC);
    assert_true(s->fd >= 0);
    assert_int_equal(ftruncate(s->fd, (off_t)size), 0);
    s->wake = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    if (size > 0)
        assert_true(shm_guest_map(&s->guest, s->path, size));
    s->guest.offset = 24;
    s->guest.format = cd;
}

static void rig_open(struct rig *s)
{
    char why[256] = "";
    const struct receiver_config config = {.file = s->path};
    const int ret = receiver_find("ivshmem")->open(&s->r, &config, &s->counters, why, sizeof why);
    if (ret < 0)
        fail_msg("open: %s (%d)", why, ret);
}

static void rig_finish(struct rig *s)
{
    if (s->r)
        s->r->driver->close(s->r);
    if (s->guest.map)
        shm_guest_unmap(&s->guest);
    close(s->wake);
    close(s->fd);
    unlink(s->path);
}

static void rig_deadline(struct rig *s, int64_t ns)
{
    const struct itimerspec in = {.it_value = {.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S}};
    timerfd_settime(s->wake, 0, &in, NULL);
}

static int rig_read(struct rig *s, int max)
{
    rt_enter();
    const int n = s->r->driver->read(s->r, s->wake, s->packets, max);
    rt_leave();
    return n;
}

/* Reads for that long, or until something comes. */
static int rig_listen(struct rig *s, int64_t ns)
{
    rig_deadline(s, ns);
    return rig_read(s, MAX);
}

/* Has the receiver look at the file as it is now, which takes an idle period at most. */
static void rig_settle(struct rig *s)
{
    assert_int_equal(rig_listen(s, 2 * SHM_IDLE_NS), 0);
}

/* Awaits news of the path, and has the receiver see to them: what tend() says. */
static int rig_news(struct rig *s)
{
    const int64_t end = clock_now() + 5 * NS_PER_S;
    int ret = 0;
    do { /* until it rests, which is after any */
        struct pollfd fd = {.fd = s->r->watch_fd, .events = POLLIN};
        const int64_t until = s->r->tend_at < end ? s->r->tend_at : end;
        const int64_t wait = until - clock_now();
        assert_true(clock_now() < end);
        poll(&fd, 1, wait > 0 ? (int)(wait / NS_PER_MS) + 1 : 0);
        ret = s->r->driver->tend(s->r, clock_now());
    } while (ret == 0 && s->r->watch_fd >= 0);
    return ret;
}

/* Sees to it at the times that it asks for, until it is to be opened anew. */
static void rig_await_stale(struct rig *s, int64_t within)
{
    const int64_t end = clock_now() + within;
    int ret = 0;
    while (ret == 0 && clock_now() < end) {
        struct pollfd fd = {.fd = s->r->watch_fd, .events = POLLIN};
        const int64_t until = s->r->tend_at < end ? s->r->tend_at : end;
        const int64_t wait = until - clock_now();
        poll(&fd, 1, wait > 0 ? (int)(wait / NS_PER_MS) + 1 : 0);
        ret = s->r->driver->tend(s->r, clock_now());
    }
    assert_int_equal(ret, -ESTALE);
}

static void rig_reopen(struct rig *s)
{
    s->r->driver->close(s->r);
    rig_open(s);
}

static void expect_waiting(struct rig *s, const char *name)
{
    if (!strstr(s->r->waiting, s->path) || !strstr(s->r->waiting, name))
        fail_msg("'%s' does not name %s and %s", s->r->waiting, s->path, name);
    /* nothing is looked at, and a wake-up is heard */
    struct rusage before, after;
    getrusage(RUSAGE_THREAD, &before);
    assert_int_equal(rig_listen(s, NS_PER_S / 5), 0);
    getrusage(RUSAGE_THREAD, &after);
    assert_in_range(after.ru_nvcsw - before.ru_nvcsw, 0, 1);
}

static void expect_chunk(struct rig *s, uint32_t number, bool starts)
{
    assert_int_equal(rig_listen(s, 5 * NS_PER_S), 1);
    const struct packet *p = &s->packets[0];
    assert_int_equal(p->bytes, s->guest.chunk_size);
    assert_int_equal(shm_guest_number(p->data, p->bytes), number);
    assert_true(pcm_format_equal(&p->format, &s->guest.format));
    assert_int_equal(p->starts, starts);
    assert_int_equal(p->source.address, 0);
}

/* A guest's file from a stream before, then a stream that runs while we look at it. */
static void plays_from_now_on(void **state)
{
    (void)state;
    struct rig s;
    rig_make(&s, 2 * MIB);
    shm_guest_start(&s.guest);
    for (uint32_t i = 1; i < 20; i++)
        shm_guest_write(&s.guest, i);
    rig_open(&s);
    rig_settle(&s); /* a frozen index: nothing */
    shm_guest_write(&s.guest, 20);
    expect_chunk(&s, 20, true);
    shm_guest_write(&s.guest, 21);
    expect_chunk(&s, 21, false);
    char text[96];
    s.r->driver->describe(s.r, text, sizeof text);
    assert_non_null(strstr(text, s.path));
    rig_finish(&s);
}

/* Each dropped header once, however often it is looked at; each chunk that is too late. */
static void counts_what_it_drops(void **state)
{
    (void)state;
    struct rig s;
    rig_make(&s, 2 * MIB);
    const struct receiver_counters *c = &s.counters;
    s.guest.max_chunks = 8;
    shm_guest_start(&s.guest);
    s.guest.map[0]++;
    rig_open(&s);
    rig_settle(&s);
    rig_settle(&s);
    assert_int_equal(count_read(&c->foreign), 1);
    s.guest.map[0]--;
    s.guest.map[17] = 12;
    rig_settle(&s);
    assert_int_equal(count_read(&c->bad_format), 1);
    s.guest.map[17] = 16;
    s.guest.map[9] = 0xff;
    rig_settle(&s);
    assert_int_equal(count_read(&c->bad_size), 1);
    s.guest.map[9] = 0;
    rig_settle(&s);
    s.guest.map[4] = 7; /* the slot of the first one is being written to already */
    assert_int_equal(rig_listen(&s, 5 * NS_PER_S), 1);
    assert_int_equal(count_read(&c->late_chunks), 6);
    assert_int_equal(count_read(&c->left_chunks), 0);
    s.guest.map[6] = 48; /* another stream, at a moment when nothing waits */
    rig_settle(&s);
    assert_int_equal(count_read(&c->left_chunks), 0);
    rig_finish(&s);
}

/* Slot 0, by which a restart is told from a lap, lies behind the end: no reason to look again at once. */
static void a_file_cut_at_a_wrap_is_no_hurry(void **state)
{
    (void)state;
    struct rig s;
    struct rusage before, after;
    rig_make(&s, MIB);
    s.guest.format = widest;
    shm_guest_start(&s.guest);
    s.guest.map[4] = (uint8_t)(s.guest.max_chunks - 1);
    rig_open(&s);
    rig_settle(&s);
    rig_settle(&s);
    assert_int_equal(ftruncate(s.fd, 100000), 0);
    s.guest.map[4] = 0;
    getrusage(RUSAGE_THREAD, &before);
    rig_settle(&s);
    getrusage(RUSAGE_THREAD, &after);
    assert_int_equal(count_read(&s.counters.left_chunks), 1);
    assert_in_range(after.ru_nvcsw - before.ru_nvcsw, 1, 200); /* it slept */
    rig_finish(&s);
}

static void a_streams_first_chunk_is_heard(void **state)
{
    (void)state;
    struct rig s;
    rig_make(&s, 2 * MIB);
    rig_open(&s);
    rig_settle(&s);
    shm_guest_start(&s.guest);
    shm_guest_write(&s.guest, 1);
    expect_chunk(&s, 1, true);
    /* Ends and begins between two looks, in another format. */
    shm_guest_stop(&s.guest);
    s.guest.format.width = 24;
    s.guest.max_chunks = 0;
    shm_guest_start(&s.guest);
    shm_guest_write(&s.guest, 2);
    expect_chunk(&s, 2, true);
    /* In the same format, with its end seen. */
    shm_guest_stop(&s.guest);
    rig_settle(&s);
    shm_guest_start(&s.guest);
    shm_guest_write(&s.guest, 3);
    expect_chunk(&s, 3, true);
    assert_int_equal(count_read(&s.counters.restarts), 3);
    rig_finish(&s);
}

/* All formats, at both offsets. */
static void reads_all_formats(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < SHM_GUEST_FORMATS; i++) {
        struct rig s;
        rig_make(&s, (4 + 4 * (i % 2)) * MIB);
        s.guest.offset = i % 3 ? 24 : 48;
        s.guest.format = shm_guest_format(i);
        rig_open(&s);
        shm_guest_start(&s.guest);
        while (count_read(&s.counters.restarts) == 0) /* known before anything is in it */
            assert_int_equal(rig_listen(&s, NS_PER_MS), 0);
        for (uint32_t n = 1, seen = 0; n <= 8; n += 4) {
            for (uint32_t k = n; k < n + 4; k++)
                shm_guest_write(&s.guest, k);
            while (seen < n + 3) {
                const int got = rig_listen(&s, 5 * NS_PER_S);
                assert_in_range(got, 1, 4);
                for (int k = 0; k < got; k++)
                    assert_int_equal(shm_guest_number(s.packets[k].data, s.packets[k].bytes),
                                     ++seen);
            }
        }
        rig_finish(&s);
    }
}

static void waits_for_an_empty_file_to_grow(void **state)
{
    (void)state;
    struct rig s;
    rig_make(&s, 0);
    rig_open(&s);
    expect_waiting(&s, "empty");
    assert_int_equal(ftruncate(s.fd, 24), 0); /* no more than a header */
    assert_int_equal(rig_news(&s), 0);
    expect_waiting(&s, "24 bytes");
    assert_int_equal(ftruncate(s.fd, MIB), 0);
    assert_int_equal(rig_news(&s), -ESTALE);
    rig_reopen(&s);
    assert_string_equal(s.r->waiting, "");
    rig_settle(&s);
    assert_true(shm_guest_map(&s.guest, s.path, MIB));
    s.guest.format = widest;
    shm_guest_start(&s.guest);
    assert_int_equal(s.guest.max_chunks, 8);
    shm_guest_write(&s.guest, 1);
    expect_chunk(&s, 1, true);
    /* Cut into the ring: what lies behind the cut is not there, and nothing faults. */
    shm_guest_copy(&s.guest, 2);
    assert_int_equal(ftruncate(s.fd, 4096), 0);
    assert_int_equal(pwrite(s.fd, &s.guest.index, 2, 4), 2);
    rig_settle(&s);
    assert_true(count_read(&s.counters.bad_size) > 0);
    assert_int_equal(ftruncate(s.fd, MIB), 0); /* grown back */
    rig_settle(&s);
    shm_guest_write(&s.guest, 3);
    expect_chunk(&s, 3, true);
    rig_finish(&s);
}

/* The file's folder is not there either, and neither is the folder's own. */
static void waits_for_a_folder(void **state)
{
    (void)state;
    struct rig s;
    rig_make(&s, 0);
    unlink(s.path);
    char folder[sizeof s.path], file[sizeof s.path + 8];
    strcpy(folder, s.path);
    snprintf(file, sizeof file, "%s/a/b", folder);
    strcpy(s.path, file);
    rig_open(&s);
    expect_waiting(&s, "yet");
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_int_equal(rig_news(&s), 0);
    snprintf(file, sizeof file, "%s/a", folder);
    assert_int_equal(mkdir(file, 0700), 0);
    assert_int_equal(rig_news(&s), 0);
    const int fd = open(s.path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(rig_news(&s), 0);
    expect_waiting(&s, "empty");
    assert_int_equal(ftruncate(fd, MIB), 0);
    assert_int_equal(rig_news(&s), -ESTALE);
    close(fd);
    unlink(s.path);
    rig_finish(&s);
    rmdir(file);
    rmdir(folder);
}

/* However the path is spelt; and somebody else makes files beside it as fast as he can. */
static void waits_among_busy_neighbours(void **state)
{
    (void)state;
    struct rig s;
    unsigned wakings = 0;
    int64_t now = clock_now();
    rig_make(&s, MIB);
    char other[sizeof s.path + 8], path[sizeof s.path], *slash = strrchr(s.path, '/');
    strcpy(path, s.path);
    snprintf(other, sizeof other, "%s-other", path);
    const int n = (int)(slash - s.path);
    snprintf(s.path, sizeof s.path, "/.%.*s/./%s", n, path, path + n);
    assert_int_equal(rename(path, other), 0);
    rig_open(&s);
    expect_waiting(&s, "yet");
    for (int i = 0; i < 1000; i++, now += NS_PER_MS) {
        const int fd = open(path, O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        close(fd);
        assert_int_equal(unlink(path), 0);
        struct pollfd p = {.fd = s.r->watch_fd, .events = POLLIN};
        if (poll(&p, 1, 0) > 0 || now >= s.r->tend_at) {
            wakings++;
            assert_int_equal(s.r->driver->tend(s.r, now), 0);
        }
    }
    assert_in_range(wakings, 20, 26); /* the first is for what was before */
    assert_int_equal(rename(other, path), 0);
    rig_await_stale(&s, 2 * NS_PER_S);
    rig_reopen(&s);
    assert_string_equal(s.r->waiting, "");
    unlink(path);
    rig_finish(&s);
}

static void notices_another_file(void **state)
{
    (void)state;
    struct rig s;
    rig_make(&s, 2 * MIB);
    shm_guest_start(&s.guest);
    rig_open(&s);
    rig_settle(&s);
    assert_int_equal(unlink(s.path), 0);
    /* Whoever has it mapped may still be writing. */
    assert_int_equal(rig_news(&s), 0);
    shm_guest_write(&s.guest, 1);
    expect_chunk(&s, 1, true);
    const int fd = open(s.path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(rig_news(&s), 0);
    assert_true(s.r->tend_at != RECEIVER_UNTENDED);
    rig_await_stale(&s, 2 * NS_PER_S);
    close(fd);
    rig_finish(&s);

    rig_make(&s, 2 * MIB);
    shm_guest_start(&s.guest);
    rig_open(&s);
    rig_settle(&s);
    assert_int_equal(ftruncate(s.fd, 0), 0);
    assert_int_equal(rig_news(&s), -ESTALE);
    assert_int_equal(rig_listen(&s, 2 * NS_PER_S), -ESTALE); /* as the reader sees for itself */
    rig_finish(&s);
}

/* It is read while somebody else has it open for writing, who may play into it again. */
static void lets_a_file_without_a_name_go(void **state)
{
    (void)state;
    struct rig s;
    rig_make(&s, 2 * MIB);
    shm_guest_start(&s.guest);
    rig_open(&s);
    rig_settle(&s);
    assert_int_equal(unlink(s.path), 0);
    const int64_t end = clock_now() + NS_PER_S;
    while (clock_now() < end) {
        struct pollfd none = {.fd = -1};
        poll(&none, 1, 50); /* is the time in which it is kept */
        assert_int_equal(s.r->driver->tend(s.r, clock_now()), 0);
    }
    shm_guest_unmap(&s.guest);
    s.guest.map = NULL;
    close(s.fd);
    s.fd = -1;
    rig_await_stale(&s, 2 * NS_PER_S);
    rig_reopen(&s);
    expect_waiting(&s, "yet");
    rig_finish(&s);
}

/* For want of a descriptor just now, of which no news will come: it is looked for again. */
static void what_passes_by_itself_is_tried_again(void **state)
{
    (void)state;
    struct rig s;
    struct rlimit files;
    rig_make(&s, MIB);
    const int next = dup(s.fd);
    close(next);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
    /* of the next two, which is one for the news and one for the file */
    const struct rlimit one = {.rlim_cur = (rlim_t)next + 1, .rlim_max = files.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &one), 0);
    rig_open(&s);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
    assert_true(s.r->watch_fd >= 0);
    expect_waiting(&s, "Too many open files");
    rig_await_stale(&s, 2 * NS_PER_S);
    rig_reopen(&s);
    assert_string_equal(s.r->waiting, "");
    rig_finish(&s);
}

static void waits_for(const char *path, const char *name)
{
    struct receiver_counters counters = {0};
    struct receiver *r = NULL;
    char why[256] = "";
    const struct receiver_config config = {.file = path};
    assert_int_equal(receiver_find("ivshmem")->open(&r, &config, &counters, why, sizeof why), 0);
    if (!strstr(r->waiting, path) || !strstr(r->waiting, name))
        fail_msg("'%s' does not name %s and %s", r->waiting, path, name);
    r->driver->close(r);
}

static void explains_what_is_wrong(void **state)
{
    (void)state;
    waits_for("/dev/shm/there-is-no-such-file", "yet");
    waits_for("/dev/shm", "directory");
    waits_for("/dev/zero", "device");
    char path[] = "/tmp/scream-test-XXXXXX";
    assert_non_null(mkdtemp(path));
    char fifo[64];
    snprintf(fifo, sizeof fifo, "%s/fifo", path);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    waits_for(fifo, "pipe"); /* without waiting for a writer */
    unlink(fifo);
    rmdir(path);
}

/* ---- the driver and a guest in another thread ---- */

struct playing {
    struct rig rig;
    int64_t period;    /* ns between chunks */
    uint32_t chunks;   /* to write */
    uint32_t restarts; /* one in so many chunks is a restart; 0: none */
    atomic_bool done;
    atomic_int_fast64_t published[4096]; /* time of each chunk's, while it is short */
};

static void *guest_thread(void *arg)
{
    struct playing *p = arg;
    struct dice dice = {5};
    struct timespec next;
    clock_gettime(CLOCK_MONOTONIC, &next);
    for (uint32_t i = 1; i <= p->chunks; i++) {
        if (p->restarts && dice_below(&dice, p->restarts) == 0) {
            if (dice_below(&dice, 2))
                shm_guest_stop(&p->rig.guest);
            shm_guest_start(&p->rig.guest);
        }
        shm_guest_copy(&p->rig.guest, i);
        p->published[i % 4096] = clock_now();
        shm_guest_publish(&p->rig.guest);
        next.tv_nsec += p->period;
        for (; next.tv_nsec >= NS_PER_S; next.tv_sec++)
            next.tv_nsec -= NS_PER_S;
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
    }
    rig_deadline(&p->rig, NS_PER_S / 4); /* what was the last may have been lost */
    return NULL;
}

/* Reads all of it; how many chunks came. They are whole and each is newer than the one before. */
static uint32_t play_out(struct playing *p)
{
    pthread_t thread;
    uint32_t heard = 0, count = 0;
    while (count_read(&p->rig.counters.restarts) == 0)
        assert_int_equal(rig_listen(&p->rig, NS_PER_MS), 0);
    assert_int_equal(pthread_create(&thread, NULL, guest_thread, p), 0);
    rig_deadline(&p->rig, 60 * NS_PER_S);
    while (heard < p->chunks) {
        const int n = rig_read(&p->rig, MAX);
        if (n == 0)
            break;
        assert_true(n > 0);
        for (int i = 0; i < n; i++, count++) {
            const struct packet *k = &p->rig.packets[i];
            const uint32_t number = shm_guest_number(k->data, k->bytes);
            if (number <= heard)
                fail_msg("chunk %u after %u", number, heard);
            heard = number;
        }
    }
    pthread_join(thread, NULL);
    return count;
}

/* Unless this machine stood still for half a second, after which a burst is not played. */
static void expect_all(struct playing *p, uint32_t got)
{
    if (count_read(&p->rig.counters.restarts) == 1)
        assert_int_equal(got + count_read(&p->rig.counters.late_chunks), p->chunks);
}

static void plays_every_chunk_at_speed(void **state)
{
    (void)state;
    static struct playing p;
    p = (struct playing){.period = 10 * NS_PER_MS, .chunks = 250};
    rig_make(&p.rig, 2 * MIB);
    shm_guest_start(&p.rig.guest);
    rig_open(&p.rig);
    const uint32_t got = play_out(&p);
    print_message("%u of %u chunks, %u late\n", got, p.chunks,
                  (unsigned)count_read(&p.rig.counters.late_chunks));
    expect_all(&p, got);
    assert_int_equal(count_read(&p.rig.counters.packets), got);
    rig_finish(&p.rig);
}

/* The smallest ring, and a guest that restarts at any moment, its end seen or not. */
static void plays_a_small_ring_that_restarts(void **state)
{
    (void)state;
    static struct playing p;
    p = (struct playing){.period = 20 * NS_PER_MS, .chunks = 150, .restarts = 6};
    rig_make(&p.rig, MIB);
    p.rig.guest.format = widest;
    memset(p.rig.guest.map, 0xaa, MIB); /* what is stale is no silence */
    shm_guest_start(&p.rig.guest);
    rig_open(&p.rig);
    const uint32_t got = play_out(&p);
    print_message("%u of %u chunks, %u late, %u restarts\n", got, p.chunks,
                  (unsigned)count_read(&p.rig.counters.late_chunks),
                  (unsigned)count_read(&p.rig.counters.restarts));
    assert_true(got > p.chunks / 2);
    assert_true(count_read(&p.rig.counters.restarts) > 5);
    rig_finish(&p.rig);
}

static void wakes_up_seldom(void **state)
{
    (void)state;
    static struct playing p;
    p = (struct playing){.period = 20 * NS_PER_MS, .chunks = 100};
    rig_make(&p.rig, 2 * MIB);
    shm_guest_start(&p.rig.guest);
    rig_open(&p.rig);
    struct rusage before, after, idle, end;
    getrusage(RUSAGE_THREAD, &before);
    expect_all(&p, play_out(&p));
    getrusage(RUSAGE_THREAD, &after);
    assert_int_equal(rig_listen(&p.rig, NS_PER_S), 0); /* it does not give up at once */
    getrusage(RUSAGE_THREAD, &idle);
    assert_int_equal(rig_listen(&p.rig, 2 * NS_PER_S), 0);
    getrusage(RUSAGE_THREAD, &end);
    const double playing = (double)(after.ru_nvcsw - before.ru_nvcsw) / 2;
    const double waiting = (double)(end.ru_nvcsw - idle.ru_nvcsw) / 2;
    print_message("%.1f wake-ups a second playing, %.1f waiting\n", playing, waiting);
    assert_true(playing < 200); /* a busy machine's timers are late: the pace is tested above */
    assert_true(waiting < 30);
    rig_finish(&p.rig);
}

/* ---- a hostile guest ---- */

static void *scribbler_thread(void *arg)
{
    struct playing *p = arg;
    struct dice dice = {9};
    for (uint32_t i = 0; !atomic_load(&p->done); i++) {
        uint8_t raw[SHM_HEADER_BYTES];
        struct shm_guest g = {.map = raw, .size = MIB, .offset = 24};
        g.format = shm_guest_format(dice_below(&dice, SHM_GUEST_FORMATS));
        shm_guest_start(&g);
        /* For a while one stream whose index jumps, so that some of it is played. */
        if (i / 4096 % 2) {
            g.format = cd;
            g.max_chunks = 8;
            shm_guest_start(&g);
        }
        raw[4] = (uint8_t)dice_below(&dice, 8);
        if (dice_below(&dice, 4) == 0 && i / 4096 % 2 == 0)
            raw[dice_below(&dice, sizeof raw)] = (uint8_t)dice_roll(&dice);
        static const off_t sizes[] = {MIB, MIB, 2 * MIB, 24, 25, 5000};
        if (dice_below(&dice, 64) == 0 && ftruncate(p->rig.fd, sizes[dice_below(&dice, 6)]) < 0)
            break;
        if (pwrite(p->rig.fd, raw, sizeof raw, 0) < 0)
            break;
    }
    return NULL;
}

static void survives_a_scribbler(void **state)
{
    (void)state;
    static struct playing p;
    p = (struct playing){.chunks = 0};
    rig_make(&p.rig, MIB);
    rig_open(&p.rig);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, scribbler_thread, &p), 0);
    rig_deadline(&p.rig, 2 * NS_PER_S);
    struct rusage before, after;
    getrusage(RUSAGE_THREAD, &before);
    int n;
    while ((n = rig_read(&p.rig, MAX)) != 0) {
        assert_in_range(n, 1, MAX);
        for (int i = 0; i < n; i++) {
            const struct packet *k = &p.rig.packets[i];
            assert_true(k->bytes <= SHM_MAX_CHUNK && k->bytes > 0);
            shm_guest_number(k->data, k->bytes); /* reads it all */
        }
    }
    getrusage(RUSAGE_THREAD, &after);
    atomic_store(&p.done, true);
    pthread_join(thread, NULL);
    print_message("%u packets, %ld wake-ups in 2 s\n",
                  (unsigned)count_read(&p.rig.counters.packets), after.ru_nvcsw - before.ru_nvcsw);
    assert_true(count_read(&p.rig.counters.bad_size) > 0);
    assert_true(count_read(&p.rig.counters.restarts) > 0);
    rig_finish(&p.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_all_that_a_driver_writes),
        cmocka_unit_test(tells_faults_apart),
        cmocka_unit_test(accepts_nothing_outside_the_file),
        cmocka_unit_test(reads_nothing_torn_stale_or_twice),
        cmocka_unit_test(tells_a_restart_from_a_wrap),
        cmocka_unit_test(plays_what_is_the_same_in_each_lap),
        cmocka_unit_test(a_torn_index_is_read_again),
        cmocka_unit_test(proves_that_nothing_torn_is_whole),
        cmocka_unit_test(a_lap_is_not_overlooked),
        cmocka_unit_test(a_lap_during_the_copying_is_not_overlooked),
        cmocka_unit_test(a_lap_is_forgotten),
        cmocka_unit_test(a_new_stream_is_fresh_if_it_can_be),
        cmocka_unit_test(what_was_held_up_is_caught_up_with),
        cmocka_unit_test(what_shows_that_slot_0_is_fresh),
        cmocka_unit_test(any_other_byte_is_another_print),
        cmocka_unit_test(another_format_of_the_same_size_is_another_stream),
        cmocka_unit_test(a_ring_that_just_fits),
        cmocka_unit_test(what_is_given_up_is_counted),
        cmocka_unit_test(one_look_a_chunk_is_enough),
        cmocka_unit_test(no_look_is_due_at_once),
        cmocka_unit_test(waiting_costs_little),
        cmocka_unit_test(plays_from_now_on),
        cmocka_unit_test(counts_what_it_drops),
        cmocka_unit_test(a_file_cut_at_a_wrap_is_no_hurry),
        cmocka_unit_test(a_streams_first_chunk_is_heard),
        cmocka_unit_test(reads_all_formats),
        cmocka_unit_test(waits_for_an_empty_file_to_grow),
        cmocka_unit_test(waits_for_a_folder),
        cmocka_unit_test(what_passes_by_itself_is_tried_again),
        cmocka_unit_test(waits_among_busy_neighbours),
        cmocka_unit_test(notices_another_file),
        cmocka_unit_test(lets_a_file_without_a_name_go),
        cmocka_unit_test(explains_what_is_wrong),
        cmocka_unit_test(plays_every_chunk_at_speed),
        cmocka_unit_test(plays_a_small_ring_that_restarts),
        cmocka_unit_test(wakes_up_seldom),
        cmocka_unit_test(survives_a_scribbler),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
