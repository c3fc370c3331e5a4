/* What may be read of a guest's ring, what is given up, and how chunks are told apart. */
#include "test.h"

#include "../../receivers/ivshmem_ring.h"
#include "clock.h"
#include "shm_guest.h"

#include <string.h>

static void a_torn_index_is_read_again(void **state)
{
    (void)state;
    struct shm_ring r;
    uint64_t late = 0;
    shm_ring_init(&r, 0);
    struct shm_header h = {
        .format = shm_guest_usual, .chunk_size = 3840, .max_chunks = 546, .write_idx = 0xff};
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
            struct shm_header h = {.format = shm_guest_usual, .chunk_size = 3840, .offset = 24};
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

/* A stream that was not there at the latest look: all that it can have written since is fresh. */
static void a_new_stream_is_fresh_if_it_can_be(void **state)
{
    (void)state;
    for (uint16_t count = 8; count <= 32; count += 8)
        for (uint16_t ms = 0; ms < 20 * count; ms++)
            for (uint16_t more = 0; more < 2; more++) {
                struct shm_ring r;
                struct shm_header h = {.format = shm_guest_usual, .chunk_size = 3840, .offset = 24};
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

/* What was ready and is not read any more: its stream ends, another begins, its index jumps. */
static void what_is_given_up_is_counted(void **state)
{
    (void)state;
    struct shm_ring r;
    uint64_t late = 0;
    struct shm_header h = {
        .format = shm_guest_usual, .chunk_size = 3840, .max_chunks = 546, .write_idx = 10};
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_torn_index_is_read_again),
        cmocka_unit_test(proves_that_nothing_torn_is_whole),
        cmocka_unit_test(a_new_stream_is_fresh_if_it_can_be),
        cmocka_unit_test(any_other_byte_is_another_print),
        cmocka_unit_test(what_is_given_up_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
