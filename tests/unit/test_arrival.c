#include "test.h"

#include "../sim/dice.h"
#include "arrival.h"
#include "clock.h"

#include <math.h>
#include <stdlib.h>

#define RATE   48000
#define PACKET 288

/* A guest that wakes every 10 ms and sends whole packets of what its clock has counted. */
struct guest {
    struct arrival arrival;
    int64_t start; /* its clock's zero */
    int64_t now;
    uint64_t sent;
};

static void guest_init(struct guest *g, int64_t start)
{
    *g = (struct guest){.start = start, .now = start};
    arrival_init(&g->arrival, RATE);
}

static void guest_tick(struct guest *g, int64_t after, int64_t late)
{
    g->now += after;
    const uint64_t counted = (uint64_t)((g->now - g->start) / 1000 * RATE / 1000000);
    for (; g->sent + PACKET <= counted; g->sent += PACKET)
        arrival_add(&g->arrival, g->now + late, g->sent + PACKET);
}

static void guest_run(struct guest *g, int ticks, int64_t most_late)
{
    for (int i = 0; i < ticks; i++)
        guest_tick(g, 10 * NS_PER_MS, most_late ? random() % most_late : 0);
}

/* ns by which the line is off the guest's own clock; the earliest possible is 0. */
static int64_t line_error(const struct guest *g)
{
    const struct arrival_line line = arrival_line(&g->arrival);
    return line.time - g->start - (int64_t)(line.frame * NS_PER_S / RATE);
}

static void steady_bursts_give_the_clock(void **state)
{
    (void)state;
    struct guest g;
    guest_init(&g, 5 * NS_PER_S);
    guest_run(&g, 30, 0);
    assert_in_range(line_error(&g), 0, 2 * NS_PER_MS);
    const int64_t first = line_error(&g);
    for (int i = 0; i < 1000; i++) {
        guest_run(&g, 1, 0);
        assert_true(llabs(line_error(&g) - first) <
                    10 * NS_PER_US); /* it does not follow the bursts */
    }
    const struct arrival_line line = arrival_line(&g.arrival);
    assert_in_range(line.lag, 9 * NS_PER_MS, 16 * NS_PER_MS);
    assert_int_equal(line.epoch, 0);
}

static void lateness_does_not_move_it(void **state)
{
    (void)state;
    struct guest g;
    guest_init(&g, 0);
    guest_run(&g, 2000, 9 * NS_PER_MS);
    assert_in_range(line_error(&g), 0, 3 * NS_PER_MS);
    assert_true(arrival_line(&g.arrival).lag > 15 * NS_PER_MS); /* but the lag knows */
}

static void a_stall_is_no_pause(void **state)
{
    (void)state;
    struct guest g;
    guest_init(&g, 0);
    guest_run(&g, 100, 0);
    const int64_t before = line_error(&g);
    guest_tick(&g, 250 * NS_PER_MS, 0); /* wakes late, sends all of it */
    assert_int_equal(arrival_line(&g.arrival).epoch, 0);
    guest_run(&g, 20, 0);
    assert_true(llabs(line_error(&g) - before) < NS_PER_MS);
}

static void a_pause_begins_an_epoch(void **state)
{
    (void)state;
    struct guest g;
    guest_init(&g, 0);
    guest_run(&g, 100, 0);
    g.now += 3 * NS_PER_S;
    g.start += 3 * NS_PER_S; /* its clock of samples stood still */
    guest_run(&g, 30, 0);
    assert_int_equal(arrival_line(&g.arrival).epoch, 1);
    assert_in_range(line_error(&g), 0, 3 * NS_PER_MS);
    assert_true(arrival_line(&g.arrival).lag < 20 * NS_PER_MS); /* a pause is no lag */
}

/* Whole packets above the line, and the rate does not know. */
static void lost_packets_are_recognised(void **state)
{
    (void)state;
    for (int lost = 1; lost <= 3; lost++) {
        struct guest g;
        guest_init(&g, 0);
        guest_run(&g, 3000, 100 * NS_PER_US);
        const int64_t before = line_error(&g);
        const double period = arrival_line(&g.arrival).period;
        g.start += lost * PACKET * NS_PER_S /
                   RATE; /* frames that never arrive: all others count as later */
        guest_run(&g, 50, 100 * NS_PER_US);
        assert_int_equal(arrival_line(&g.arrival).losses, 1);
        assert_true(llabs(line_error(&g) - before) < 100 * NS_PER_US);
        assert_true(fabs(arrival_line(&g.arrival).period / period - 1) < 0.2e-6);
    }
}

/* ppm by which the rate is off at the worst, from a minute on, when packets of so many frames are lost at random. */
static double rate_off_when_lost(uint32_t rate, uint32_t packet, double lost, uint64_t seed)
{
    struct dice dice = {seed};
    struct arrival a = {0};
    uint64_t counted = 0, sent = 0, arrived = 0;
    double worst = 0;
    arrival_init(&a, rate);
    for (int64_t tick = 1; tick < 18000; tick++) {
        const int64_t now = tick * 10 * NS_PER_MS + (int64_t)(dice_part(&dice) * 50e3);
        for (counted += rate / 100; sent + packet <= counted; sent += packet)
            if (dice_part(&dice) >= lost)
                arrival_add(&a, now, arrived += packet);
        if (tick > 6000)
            worst = fmax(worst, fabs(a.period * rate / NS_PER_S - 1) * 1e6);
    }
    return worst;
}

/* Each of them says that the guest is slower, until it is known for what it is. */
static void lost_packets_are_no_rate(void **state)
{
    (void)state;
    static const struct {
        uint32_t rate, packet;
        double most; /* ppm */
    } cases[] = {{48000, 288, 2}, {96000, 288, 2}, {192000, 288, 20}, {192000, 144, 90}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (uint64_t seed = 1; seed <= 8; seed++) {
            const double off = rate_off_when_lost(cases[i].rate, cases[i].packet, 1e-3, seed);
            if (off > cases[i].most)
                fail_msg("%u Hz, packets of %u frames: %.1f ppm off", cases[i].rate,
                         cases[i].packet, off);
        }
}

/* Late bursts, and a stall that is caught up with, are no loss. */
static void lateness_is_no_loss(void **state)
{
    (void)state;
    struct guest g;
    guest_init(&g, 0);
    for (int i = 0; i < 200; i++) {
        guest_run(&g, 20, 100 * NS_PER_US);
        guest_tick(&g, 10 * NS_PER_MS, random() % (9 * NS_PER_MS));
        if (i % 10 == 0)
            guest_tick(&g, 90 * NS_PER_MS, 0);
    }
    assert_int_equal(arrival_line(&g.arrival).losses, 0);
    assert_int_equal(arrival_line(&g.arrival).epoch, 0);
}

static double ppm_of(const struct guest *g)
{
    return (1e9 / RATE / arrival_line(&g->arrival).period - 1) * 1e6;
}

static void run_faster(struct guest *g, int ticks)
{
    for (int i = 0; i < ticks; i++) {
        g->start -= 2 * NS_PER_US; /* 200 ppm */
        guest_tick(g, 9998 * NS_PER_US, random() % (300 * NS_PER_US));
    }
}

/* A clock that goes faster is found out within seconds, and for good, and however much its bursts vary. */
static void a_clock_that_steps_is_followed(void **state)
{
    (void)state;
    struct guest g;
    guest_init(&g, 0);
    guest_run(&g, 10000, 300 * NS_PER_US);
    run_faster(&g, 1000);
    assert_true(fabs(ppm_of(&g) - 200) < 40);
    run_faster(&g, 4000);
    assert_true(fabs(ppm_of(&g) - 200) < 5);
}

/* Another format of the same guest: its clock is the same. */
static void a_beginning_keeps_the_rate(void **state)
{
    (void)state;
    struct arrival a = {0};
    arrival_init(&a, RATE);
    assert_true(a.period == 1e9 / RATE);
    a.period *= 1 - 300e-6;
    arrival_init(&a, 96000);
    assert_true(fabs(a.period / (1e9 / 96000) - (1 - 300e-6)) < 1e-9);
}

static void the_line_goes_on_between_arrivals(void **state)
{
    (void)state;
    const struct arrival_line line = {.time = 7 * NS_PER_S, .frame = 1000, .period = 1e9 / RATE};
    assert_true(fabs(arrival_line_at(&line, 7 * NS_PER_S) - 1000) < 1e-6);
    assert_true(fabs(arrival_line_at(&line, 7 * NS_PER_S + 10 * NS_PER_MS) - 1480) < 1e-6);
    assert_true(fabs(arrival_line_at(&line, 6 * NS_PER_S) - (1000 - RATE)) < 1e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steady_bursts_give_the_clock),
        cmocka_unit_test(lateness_does_not_move_it),
        cmocka_unit_test(a_stall_is_no_pause),
        cmocka_unit_test(a_pause_begins_an_epoch),
        cmocka_unit_test(lost_packets_are_recognised),
        cmocka_unit_test(lost_packets_are_no_rate),
        cmocka_unit_test(lateness_is_no_loss),
        cmocka_unit_test(a_clock_that_steps_is_followed),
        cmocka_unit_test(a_beginning_keeps_the_rate),
        cmocka_unit_test(the_line_goes_on_between_arrivals),
    };
    return cmocka_run_group_tests_name("arrival", tests, NULL, NULL);
}
