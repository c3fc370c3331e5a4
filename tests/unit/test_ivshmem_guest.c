/* The IVSHMEM receiver and a guest in another thread, an honest one and a hostile one. */
#include "test.h"

#include "../../receivers/ivshmem_header.h"
#include "../sim/dice.h"
#include "clock.h"
#include "shm_rig.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

struct playing {
    struct shm_rig rig;
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
    shm_rig_deadline(&p->rig, NS_PER_S / 4); /* what was the last may have been lost */
    return NULL;
}

/* Reads all of it; how many chunks came. They are whole and each is newer than the one before. */
static uint32_t play_out(struct playing *p)
{
    pthread_t thread;
    uint32_t heard = 0, count = 0;
    while (count_read(&p->rig.counters.restarts) == 0)
        assert_int_equal(shm_rig_listen(&p->rig, NS_PER_MS), 0);
    assert_int_equal(pthread_create(&thread, NULL, guest_thread, p), 0);
    shm_rig_deadline(&p->rig, 60 * NS_PER_S);
    while (heard < p->chunks) {
        const int n = shm_rig_read(&p->rig, SHM_RIG_PACKETS);
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
    shm_rig_make(&p.rig, 2 * MIB);
    shm_guest_start(&p.rig.guest);
    shm_rig_open(&p.rig);
    const uint32_t got = play_out(&p);
    print_message("%u of %u chunks, %u late\n", got, p.chunks,
                  (unsigned)count_read(&p.rig.counters.late_chunks));
    expect_all(&p, got);
    assert_int_equal(count_read(&p.rig.counters.packets), got);
    shm_rig_finish(&p.rig);
}

/* The smallest ring, and a guest that restarts at any moment, its end seen or not. */
static void plays_a_small_ring_that_restarts(void **state)
{
    (void)state;
    static struct playing p;
    p = (struct playing){.period = 20 * NS_PER_MS, .chunks = 150, .restarts = 6};
    shm_rig_make(&p.rig, MIB);
    p.rig.guest.format = shm_guest_widest;
    memset(p.rig.guest.map, 0xaa, MIB); /* what is stale is no silence */
    shm_guest_start(&p.rig.guest);
    shm_rig_open(&p.rig);
    const uint32_t got = play_out(&p);
    print_message("%u of %u chunks, %u late, %u restarts\n", got, p.chunks,
                  (unsigned)count_read(&p.rig.counters.late_chunks),
                  (unsigned)count_read(&p.rig.counters.restarts));
    assert_true(got > p.chunks / 2);
    assert_true(count_read(&p.rig.counters.restarts) > 5);
    shm_rig_finish(&p.rig);
}

static void wakes_up_seldom(void **state)
{
    (void)state;
    static struct playing p;
    p = (struct playing){.period = 20 * NS_PER_MS, .chunks = 100};
    shm_rig_make(&p.rig, 2 * MIB);
    shm_guest_start(&p.rig.guest);
    shm_rig_open(&p.rig);
    struct rusage before, after, idle, end;
    getrusage(RUSAGE_THREAD, &before);
    expect_all(&p, play_out(&p));
    getrusage(RUSAGE_THREAD, &after);
    assert_int_equal(shm_rig_listen(&p.rig, NS_PER_S), 0); /* it does not give up at once */
    getrusage(RUSAGE_THREAD, &idle);
    assert_int_equal(shm_rig_listen(&p.rig, 2 * NS_PER_S), 0);
    getrusage(RUSAGE_THREAD, &end);
    const double playing = (double)(after.ru_nvcsw - before.ru_nvcsw) / 2;
    const double waiting = (double)(end.ru_nvcsw - idle.ru_nvcsw) / 2;
    print_message("%.1f wake-ups a second playing, %.1f waiting\n", playing, waiting);
    assert_true(playing < 200); /* a busy machine's timers are late: see test_ivshmem_pace.c */
    assert_true(waiting < 30);
    shm_rig_finish(&p.rig);
}

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
            g.format = shm_guest_usual;
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
    shm_rig_make(&p.rig, MIB);
    shm_rig_open(&p.rig);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, scribbler_thread, &p), 0);
    shm_rig_deadline(&p.rig, 2 * NS_PER_S);
    struct rusage before, after;
    getrusage(RUSAGE_THREAD, &before);
    int n;
    while ((n = shm_rig_read(&p.rig, SHM_RIG_PACKETS)) != 0) {
        assert_in_range(n, 1, SHM_RIG_PACKETS);
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
    shm_rig_finish(&p.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plays_every_chunk_at_speed),
        cmocka_unit_test(plays_a_small_ring_that_restarts),
        cmocka_unit_test(wakes_up_seldom),
        cmocka_unit_test(survives_a_scribbler),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
