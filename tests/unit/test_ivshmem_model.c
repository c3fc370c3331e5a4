/* A guest's ring and its reader, against a model of the guest. */
#include "test.h"

#include "../../receivers/ivshmem_ring.h"
#include "../sim/dice.h"
#include "clock.h"
#include "shm_guest.h"

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
        .format = shm_guest_usual, .chunk_size = 3840, .max_chunks = max_chunks, .offset = 24};
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_nothing_torn_stale_or_twice),
        cmocka_unit_test(tells_a_restart_from_a_wrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
