#include "../../src/arrival.h"
#include "../../src/clock.h"
#include "../../tools/send_clock.h"
#include "test.h"

#include <math.h>

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

/* However far the clocks are apart: a wake's worth of frames at each wake, and no more. */
static void wakes_are_by_the_guests_clock(void **state)
{
    (void)state;
    static const double ppm[] = {500, -500, 30, -4999.9, 10000};
    for (size_t i = 0; i < sizeof ppm / sizeof ppm[0]; i++) {
        const int64_t t0 = 7 * NS_PER_S + 3;
        struct guest_pacer pacer = {.start = t0, .burst = 10 * NS_PER_MS, .ppm = ppm[i]};
        struct guest_clock clock;
        guest_clock_start(&clock, t0, 48000, ppm[i], 1);
        int64_t now = t0;
        for (uint64_t wakes = 1; wakes <= 360000; wakes++) {
            now = guest_next_wake(&pacer, now).at;
            if (guest_frames(&clock, now) != 480 * wakes)
                fail_msg("%g ppm: %llu frames at wake %llu", ppm[i],
                         (unsigned long long)guest_frames(&clock, now), (unsigned long long)wakes);
        }
    }
}

/* The arrivals' line, from 10 s after the beginning on: by how much it is off at most. */
struct off {
    double ppm, ms;
};

static struct off follow(double ppm, uint32_t unit_frames, uint64_t seed)
{
    const int64_t t0 = 100 * NS_PER_S;
    struct guest_pacer pacer = {.start = t0,
                                .burst = 10 * NS_PER_MS,
                                .ppm = ppm,
                                .jitter = NS_PER_MS / 10,
                                .random = {seed}};
    struct guest_cut cut = {.frame_bytes = 4, .unit_bytes = 4 * unit_frames};
    struct guest_clock clock;
    struct arrival arrival = {0};
    struct off most = {0};
    guest_clock_start(&clock, t0, 48000, ppm, 1);
    arrival_init(&arrival, 48000);
    for (int64_t now = t0; now < t0 + 75 * NS_PER_S;) {
        now = guest_next_wake(&pacer, now).at;
        const uint64_t due = guest_units_due(&cut, guest_frames(&clock, now));
        cut.units += due;
        if (due > 0)
            arrival_add(&arrival, now, cut.units * unit_frames);
        if (now < t0 + 10 * NS_PER_S)
            continue;
        const struct arrival_line line = arrival_line(&arrival);
        const double rate = (double)NS_PER_S / 48000 / line.period;
        most.ppm = fmax(most.ppm, fabs((rate - 1) * 1e6 - ppm));
        most.ms = fmax(most.ms, fabs((double)(line.time - guest_time(&clock, line.frame))) / 1e6);
    }
    return most;
}

/* What a receiver makes of it, packets or chunks: no beat of two clocks, but the guest's line and rate. */
static void arrivals_tell_the_guests_clock(void **state)
{
    (void)state;
    struct off most = {0};
    for (int ppm = -500; ppm <= 500; ppm += 1000)
        for (uint64_t seed = 1; seed <= 4; seed++)
            for (uint32_t unit = 288; unit <= 960; unit += 672) {
                const struct off off = follow(ppm, unit, seed);
                most.ppm = fmax(most.ppm, off.ppm);
                most.ms = fmax(most.ms, off.ms);
            }
    print_message("arrivals: rate off by %.2f ppm at most, line by %.3f ms\n", most.ppm, most.ms);
    assert_true(most.ppm < 5 && most.ms < 0.05);
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
        cmocka_unit_test(wakes_are_by_the_guests_clock),
        cmocka_unit_test(arrivals_tell_the_guests_clock),
        cmocka_unit_test(jitter_is_late_never_early_and_seeded),
        cmocka_unit_test(wakes_go_forward_when_jitter_exceeds_the_burst),
        cmocka_unit_test(no_wake_falls_into_a_stall),
        cmocka_unit_test(random_is_even),
        cmocka_unit_test(only_full_units_go),
        cmocka_unit_test(straddling_frames_count_for_both_units),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
