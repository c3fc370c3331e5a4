/* The IVSHMEM receiver: what it reads, drops and counts, a chunk at a time. */
#include "test.h"

#include "clock.h"
#include "shm_rig.h"

#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* A guest's file from a stream before, then a stream that runs while we look at it. */
static void plays_from_now_on(void **state)
{
    (void)state;
    struct shm_rig s;
    shm_rig_make(&s, 2 * MIB);
    shm_guest_start(&s.guest);
    for (uint32_t i = 1; i < 20; i++)
        shm_guest_write(&s.guest, i);
    shm_rig_open(&s);
    shm_rig_settle(&s); /* a frozen index: nothing */
    shm_guest_write(&s.guest, 20);
    shm_rig_expect_chunk(&s, 20, true);
    shm_guest_write(&s.guest, 21);
    shm_rig_expect_chunk(&s, 21, false);
    char text[96];
    s.r->driver->describe(s.r, text, sizeof text);
    assert_non_null(strstr(text, s.path));
    shm_rig_finish(&s);
}

/* Each dropped header once, however often it is looked at; each chunk that is too late. */
static void counts_what_it_drops(void **state)
{
    (void)state;
    struct shm_rig s;
    shm_rig_make(&s, 2 * MIB);
    const struct receiver_counters *c = &s.counters;
    s.guest.max_chunks = 8;
    shm_guest_start(&s.guest);
    s.guest.map[0]++;
    shm_rig_open(&s);
    shm_rig_settle(&s);
    shm_rig_settle(&s);
    assert_int_equal(count_read(&c->foreign), 1);
    s.guest.map[0]--;
    s.guest.map[17] = 12;
    shm_rig_settle(&s);
    assert_int_equal(count_read(&c->bad_format), 1);
    s.guest.map[17] = 16;
    s.guest.map[9] = 0xff;
    shm_rig_settle(&s);
    assert_int_equal(count_read(&c->bad_size), 1);
    s.guest.map[9] = 0;
    shm_rig_settle(&s);
    s.guest.map[4] = 7; /* the slot of the first one is being written to already */
    assert_int_equal(shm_rig_listen(&s, 5 * NS_PER_S), 1);
    assert_int_equal(count_read(&c->late_chunks), 6);
    assert_int_equal(count_read(&c->left_chunks), 0);
    s.guest.map[6] = 48; /* another stream, at a moment when nothing waits */
    shm_rig_settle(&s);
    assert_int_equal(count_read(&c->left_chunks), 0);
    shm_rig_finish(&s);
}

/* Slot 0, by which a restart is told from a lap, lies behind the end: no reason to look again at once. */
static void a_file_cut_at_a_wrap_is_no_hurry(void **state)
{
    (void)state;
    struct shm_rig s;
    struct rusage before, after;
    shm_rig_make(&s, MIB);
    s.guest.format = shm_guest_widest;
    shm_guest_start(&s.guest);
    s.guest.map[4] = (uint8_t)(s.guest.max_chunks - 1);
    shm_rig_open(&s);
    shm_rig_settle(&s);
    shm_rig_settle(&s);
    assert_int_equal(ftruncate(s.fd, 100000), 0);
    s.guest.map[4] = 0;
    getrusage(RUSAGE_THREAD, &before);
    shm_rig_settle(&s);
    getrusage(RUSAGE_THREAD, &after);
    assert_int_equal(count_read(&s.counters.left_chunks), 1);
    assert_in_range(after.ru_nvcsw - before.ru_nvcsw, 1, 200); /* it slept */
    shm_rig_finish(&s);
}

static void a_streams_first_chunk_is_heard(void **state)
{
    (void)state;
    struct shm_rig s;
    shm_rig_make(&s, 2 * MIB);
    shm_rig_open(&s);
    shm_rig_settle(&s);
    shm_guest_start(&s.guest);
    shm_guest_write(&s.guest, 1);
    shm_rig_expect_chunk(&s, 1, true);
    /* Ends and begins between two looks, in another format. */
    shm_guest_stop(&s.guest);
    s.guest.format.width = 24;
    s.guest.max_chunks = 0;
    shm_guest_start(&s.guest);
    shm_guest_write(&s.guest, 2);
    shm_rig_expect_chunk(&s, 2, true);
    /* In the same format, with its end seen. */
    shm_guest_stop(&s.guest);
    shm_rig_settle(&s);
    shm_guest_start(&s.guest);
    shm_guest_write(&s.guest, 3);
    shm_rig_expect_chunk(&s, 3, true);
    assert_int_equal(count_read(&s.counters.restarts), 3);
    shm_rig_finish(&s);
}

/* All formats, at both offsets. */
static void reads_all_formats(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < SHM_GUEST_FORMATS; i++) {
        struct shm_rig s;
        shm_rig_make(&s, (4 + 4 * (i % 2)) * MIB);
        s.guest.offset = i % 3 ? 24 : 48;
        s.guest.format = shm_guest_format(i);
        shm_rig_open(&s);
        shm_guest_start(&s.guest);
        while (count_read(&s.counters.restarts) == 0) /* known before anything is in it */
            assert_int_equal(shm_rig_listen(&s, NS_PER_MS), 0);
        for (uint32_t n = 1, seen = 0; n <= 8; n += 4) {
            for (uint32_t k = n; k < n + 4; k++)
                shm_guest_write(&s.guest, k);
            while (seen < n + 3) {
                const int got = shm_rig_listen(&s, 5 * NS_PER_S);
                assert_in_range(got, 1, 4);
                for (int k = 0; k < got; k++)
                    assert_int_equal(shm_guest_number(s.packets[k].data, s.packets[k].bytes),
                                     ++seen);
            }
        }
        shm_rig_finish(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plays_from_now_on),
        cmocka_unit_test(counts_what_it_drops),
        cmocka_unit_test(a_file_cut_at_a_wrap_is_no_hurry),
        cmocka_unit_test(a_streams_first_chunk_is_heard),
        cmocka_unit_test(reads_all_formats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
