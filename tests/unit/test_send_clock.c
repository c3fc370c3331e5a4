#include "../../src/clock.h"
#include "../../tools/send_clock.h"
#include "test.h"

static void a_second_has_its_frames(void **state)
{
    (void)state;
    const uint32_t rates[] = {44100, 48000, 88200, 96000, 176400, 192000};
    for (size_t i = 0; i < 6; i++) {
        struct guest_clock clock;
        guest_clock_start(&clock, 1000, rates[i], 0, 1);
        assert_int_equal(guest_frames(&clock, 0), 0);
        assert_int_equal(guest_frames(&clock, 1000), 0);
        assert_int_equal(guest_frames(&clock, 1000 + NS_PER_S - 1), rates[i] - 1);
        assert_int_equal(guest_frames(&clock, 1000 + NS_PER_S), rates[i]);
        assert_int_equal(guest_frames(&clock, 1000 + 3600 * 24 * 21 * NS_PER_S),
                         (uint64_t)rates[i] * 3600 * 24 * 21);
    }
}

static void a_frame_is_there_at_its_time_and_not_before(void **state)
{
    (void)state;
    struct guest_clock clock;
    guest_clock_start(&clock, 77 * NS_PER_S + 5, 44100, 123.4, 1);
    for (uint64_t frame = 1; frame < 44100ull * 86400; frame = frame * 3 + 1) {
        const int64_t at = guest_time(&clock, frame);
        assert_true(guest_frames(&clock, at) >= frame);
        assert_true(guest_frames(&clock, at - 2) < frame);
    }
}

static void offset_and_speed_scale_the_clock(void **state)
{
    (void)state;
    struct guest_clock clock;
    guest_clock_start(&clock, 0, 48000, 500, 1);
    assert_int_equal(guest_frames(&clock, 1000 * NS_PER_S), 48024000);
    guest_clock_start(&clock, 0, 48000, -500, 1);
    assert_int_equal(guest_frames(&clock, 1000 * NS_PER_S), 47976000);
    guest_clock_start(&clock, 0, 48000, 0, 16);
    assert_int_equal(guest_frames(&clock, NS_PER_S), 768000);
}

static void wakes_keep_their_grid(void **state)
{
    (void)state;
    struct guest_pacer pacer = {.start = 500, .burst = 10 * NS_PER_MS};
    assert_int_equal(guest_next_wake(&pacer, 0).at, 500 + 10 * NS_PER_MS);
    assert_int_equal(guest_next_wake(&pacer, 500).at, 500 + 10 * NS_PER_MS);
    assert_int_equal(guest_next_wake(&pacer, 499 + 10 * NS_PER_MS).at, 500 + 10 * NS_PER_MS);
    assert_int_equal(guest_next_wake(&pacer, 500 + 10 * NS_PER_MS).at, 500 + 20 * NS_PER_MS);
    /* Woken 37 ms late: the missed ones are not made up for. */
    assert_int_equal(guest_next_wake(&pacer, 500 + 47 * NS_PER_MS).at, 500 + 50 * NS_PER_MS);
    assert_int_equal(guest_next_wake(&pacer, 500).stall_from, 0);
}

static void jitter_is_late_never_early_and_seeded(void **state)
{
    (void)state;
    struct guest_pacer a = {.burst = 10 * NS_PER_MS, .jitter = 8 * NS_PER_MS, .random = {7}};
    struct guest_pacer b = a;
    int64_t now = 0, least = NS_PER_S, most = 0;
    for (int i = 0; i < 2000; i++) {
        const struct guest_wake wake = guest_next_wake(&a, now);
        const int64_t late = wake.at - (int64_t)(i + 1) * 10 * NS_PER_MS;
        assert_int_equal(wake.at, guest_next_wake(&b, now).at);
        assert_true(late >= 0 && late < 8 * NS_PER_MS);
        least = late < least ? late : least;
        most = late > most ? late : most;
        now = wake.at;
    }
    assert_true(least < NS_PER_MS / 10 && most > 79 * NS_PER_MS / 10);
}

static void wakes_go_forward_when_jitter_exceeds_the_burst(void **state)
{
    (void)state;
    struct guest_pacer pacer = {.burst = NS_PER_MS, .jitter = 30 * NS_PER_MS, .random = {1}};
    for (int64_t now = 0; now < 20 * NS_PER_S;) {
        const int64_t at = guest_next_wake(&pacer, now).at;
        assert_true(at > now && at <= now + 31 * NS_PER_MS);
        now = at;
    }
}

static void no_wake_falls_into_a_stall(void **state)
{
    (void)state;
    struct guest_pacer pacer = {.start = 3,
                                .burst = 10 * NS_PER_MS,
                                .jitter = 5 * NS_PER_MS,
                                .stall = 250 * NS_PER_MS,
                                .stall_every = NS_PER_S};
    int stalls = 0;
    for (int64_t now = 3; now < 10 * NS_PER_S;) {
        const struct guest_wake wake = guest_next_wake(&pacer, now);
        const int64_t since = wake.at - 3;
        assert_true(since < NS_PER_S || since % NS_PER_S >= 250 * NS_PER_MS);
        if (wake.stall_from != 0) {
            stalls++;
            assert_int_equal((wake.stall_from - 3) % NS_PER_S, 0);
            assert_int_equal(wake.at, wake.stall_from + 250 * NS_PER_MS);
        }
        now = wake.at;
    }
    assert_int_equal(stalls, 9 + 1); /* the last one ends after the loop's end */
}

static void random_is_even(void **state)
{
    (void)state;
    struct guest_random random = {.state = 4};
    int tenths[10] = {0};
    for (int i = 0; i < 100000; i++) {
        const double x = guest_random_next(&random);
        assert_true(x >= 0 && x < 1);
        tenths[(int)(x * 10)]++;
    }
    for (int i = 0; i < 10; i++)
        assert_in_range(tenths[i], 9700, 10300);
}

static void only_full_units_go(void **state)
{
    (void)state;
    struct guest_cut cut = {.frame_bytes = 4, .unit_bytes = 1152};
    assert_int_equal(guest_units_due(&cut, 287), 0);
    assert_int_equal(guest_units_due(&cut, 288), 1);
    assert_int_equal(guest_units_due(&cut, 48000), 166);
    cut.units = 160;
    assert_int_equal(guest_units_due(&cut, 48000), 6);
}

static void straddling_frames_count_for_both_units(void **state)
{
    (void)state;
    uint64_t first, frames;
    /* 5 channels of 24 bits: 76.8 frames a datagram */
    struct guest_cut cut = {.frame_bytes = 15, .unit_bytes = 1152};
    assert_int_equal(guest_units_due(&cut, 76), 0);
    assert_int_equal(guest_units_due(&cut, 77), 1);
    guest_unit_frames(&cut, 1, &first, &frames);
    assert_int_equal(first, 0);
    assert_int_equal(frames, 77);
    cut.units = 1;
    guest_unit_frames(&cut, 1, &first, &frames);
    assert_int_equal(first, 76);
    assert_int_equal(frames, 78); /* 76 to 153: bytes 1152 to 2304 */
    guest_unit_frames(&cut, 4, &first, &frames);
    assert_int_equal(first + frames, 384); /* five datagrams are whole frames again */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_has_its_frames),
        cmocka_unit_test(a_frame_is_there_at_its_time_and_not_before),
        cmocka_unit_test(offset_and_speed_scale_the_clock),
        cmocka_unit_test(wakes_keep_their_grid),
        cmocka_unit_test(jitter_is_late_never_early_and_seeded),
        cmocka_unit_test(wakes_go_forward_when_jitter_exceeds_the_burst),
        cmocka_unit_test(no_wake_falls_into_a_stall),
        cmocka_unit_test(random_is_even),
        cmocka_unit_test(only_full_units_go),
        cmocka_unit_test(straddling_frames_count_for_both_units),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
