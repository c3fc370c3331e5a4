#include "test.h"

#include "ring.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>

#define SLOTS     8
#define COUNT     200000u
#define NEAR_WRAP (UINT32_MAX - COUNT / 2)

static void refuses_what_cannot_be(void **state)
{
    (void)state;
    struct ring r;
    assert_int_equal(ring_init(&r, 0, 4, 0, 0), -EINVAL);
    assert_int_equal(ring_init(&r, 12, 4, 0, 0), -EINVAL);
    assert_int_equal(ring_init(&r, 8, 0, 0, 0), -EINVAL);
}

/* From any first index, across the wrap: what is put in comes out, in order, and no more fits than does. */
static void fills_and_empties(void **state)
{
    (void)state;
    static const uint32_t firsts[] = {0, 1, UINT32_MAX - 3, UINT32_MAX, 0x7ffffffe};
    for (size_t f = 0; f < sizeof firsts / sizeof firsts[0]; f++) {
        struct ring r;
        assert_int_equal(ring_init(&r, SLOTS, sizeof(uint32_t), (uint32_t)f, firsts[f]), 0);
        uint32_t in = 0, out = 0;
        for (uint32_t round = 0; round < 40; round++) {
            assert_int_equal(ring_filled(&r), 0);
            for (uint32_t i = 0; i < SLOTS; i++)
                *(uint32_t *)ring_claim(&r, i) = in++;
            assert_null(ring_claim(&r, SLOTS));
            assert_int_equal(ring_filled(&r), 0); /* not before they are published */
            ring_publish(&r, SLOTS);
            assert_int_equal(ring_filled(&r), SLOTS);
            assert_null(ring_claim(&r, 0));
            for (uint32_t i = 0; i < SLOTS; i++)
                assert_int_equal(*(const uint32_t *)ring_at(&r, i), out + i);
            out += SLOTS;
            ring_release(&r, 3);
            assert_non_null(ring_claim(&r, 2));
            assert_null(ring_claim(&r, 3));
            ring_release(&r, SLOTS - 3);
        }
        ring_finish(&r);
    }
}

/* However often it goes round, in bursts and takings of whatever size. */
static void touches_no_more_than_was_filled_at_once(void **state)
{
    (void)state;
    enum { COUNT_OF = 256, DEEPEST = 20, READY = 4 };
    struct ring r;
    bool touched[COUNT_OF] = {false};
    uint32_t random = 1, in = 0, out = 0, all = 0;
    assert_int_equal(ring_init(&r, COUNT_OF, sizeof(uint32_t), READY, UINT32_MAX - 5000), 0);
    for (uint32_t round = 0; round < 20000; round++) {
        random = random * 1664525 + 1013904223;
        const uint32_t room = DEEPEST - ring_filled(&r);
        const uint32_t put = (random >> 24) % (room + 1);
        for (uint32_t i = 0; i < put; i++) {
            uint32_t *slot = ring_claim(&r, i);
            *slot = in++;
            touched[slot - (uint32_t *)(void *)r.slots] = true;
        }
        ring_publish(&r, put);
        const uint32_t take = (random >> 16 & 0xff) % (ring_filled(&r) + 1);
        for (uint32_t i = 0; i < take; i++)
            assert_int_equal(*(const uint32_t *)ring_at(&r, i), out++);
        ring_release(&r, take);
    }
    for (uint32_t i = 0; i < COUNT_OF; i++)
        all += touched[i];
    /* what was freed since the latest publishing is not known yet: at most once more */
    assert_in_range(all, DEEPEST / 2, 2 * DEEPEST);
    ring_finish(&r);
}

static void *produce(void *arg)
{
    struct ring *r = arg;
    for (uint32_t i = 0, n; i < COUNT; i += n) {
        for (n = 0; n < 1 + i % 5 && i + n < COUNT; n++) {
            uint32_t *slot = ring_claim(r, n);
            if (!slot)
                break;
            slot[0] = i + n;
            slot[1] = ~(i + n);
        }
        ring_publish(r, n);
        if (n == 0)
            sched_yield();
    }
    return NULL;
}

static void two_threads_across_the_wrap(void **state)
{
    (void)state;
    struct ring r;
    pthread_t producer;
    assert_int_equal(ring_init(&r, SLOTS, 2 * sizeof(uint32_t), 2, NEAR_WRAP), 0);
    assert_int_equal(pthread_create(&producer, NULL, produce, &r), 0);
    for (uint32_t next = 0; next < COUNT;) {
        const uint32_t n = ring_filled(&r);
        assert_true(n <= SLOTS);
        for (uint32_t i = 0; i < n; i++, next++) {
            const uint32_t *slot = ring_at(&r, i);
            assert_int_equal(slot[0], next);
            assert_int_equal(slot[1], ~next);
        }
        ring_release(&r, n);
        if (n == 0)
            sched_yield();
    }
    pthread_join(producer, NULL);
    ring_finish(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_cannot_be),
        cmocka_unit_test(fills_and_empties),
        cmocka_unit_test(touches_no_more_than_was_filled_at_once),
        cmocka_unit_test(two_threads_across_the_wrap),
    };
    return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
