/* Which headers of a shared memory are accepted, and what is wrong with the others. */
#include "test.h"

#include "../../receivers/ivshmem_header.h"
#include "../sim/dice.h"
#include "shm_guest.h"

#include <stdlib.h>
#include <string.h>

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
    struct shm_guest g = {.map = memory, .size = 2 * MIB, .format = shm_guest_usual, .offset = 24};
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

/* The smallest ring that is served, in a file that ends with it. */
static void a_ring_that_just_fits(void **state)
{
    (void)state;
    uint8_t memory[SHM_HEADER_BYTES] = {0};
    struct shm_guest g = {
        .map = memory, .offset = 24, .format = shm_guest_usual, .max_chunks = SHM_MIN_CHUNKS};
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_all_that_a_driver_writes),
        cmocka_unit_test(tells_faults_apart),
        cmocka_unit_test(accepts_nothing_outside_the_file),
        cmocka_unit_test(a_ring_that_just_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
