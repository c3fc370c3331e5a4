/* Whether a guest's ring goes on, was lapped or is another stream's: by time and contents. */
#include "test.h"

#include "../../receivers/ivshmem_ring.h"
#include "clock.h"
#include "shm_guest.h"

/* Tones that fit the ring and silence are no restarts. */
static void plays_what_is_the_same_in_each_lap(void **state)
{
    (void)state;
    for (int silent = 0; silent < 2; silent++) {
        struct shm_ring r;
        uint64_t late = 0;
        shm_ring_init(&r, 0);
        shm_ring_none(&r, true, 0);
        struct shm_header h = {
            .format = shm_guest_usual, .chunk_size = 3840, .max_chunks = 10, .offset = 24};
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

/* A ring that was read up to chunk 0, which is its newest as well. */
static struct shm_ring ring_of(uint32_t count, struct shm_header *h)
{
    struct shm_ring r;
    *h = (struct shm_header){.format = shm_guest_usual, .chunk_size = 3840, .offset = 24};
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

/* Another format may have chunks, and a ring, of the same size. */
static void another_format_of_the_same_size_is_another_stream(void **state)
{
    (void)state;
    struct shm_header h;
    struct shm_ring r = ring_of(20, &h);
    h.format = (struct pcm_format){.rate = shm_guest_usual.rate, .width = 32, .channels = 1};
    assert_int_equal(pcm_frame_bytes(&h.format), pcm_frame_bytes(&shm_guest_usual));
    assert_int_equal(shm_ring_look(&r, &h, SHM_CHUNK_NS, false), SHM_BEGAN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plays_what_is_the_same_in_each_lap),
        cmocka_unit_test(a_lap_is_not_overlooked),
        cmocka_unit_test(a_lap_during_the_copying_is_not_overlooked),
        cmocka_unit_test(a_lap_is_forgotten),
        cmocka_unit_test(what_was_held_up_is_caught_up_with),
        cmocka_unit_test(what_shows_that_slot_0_is_fresh),
        cmocka_unit_test(another_format_of_the_same_size_is_another_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
