#include "test.h"

#include "../sim/dice.h"
#include "clock.h"
#include "scatter.h"

#include <math.h>

#define PERIOD (1e9 / 48000)
#define STEP   15360 /* frames from point to point: 320 ms */

struct points {
    struct scatter scatter;
    struct dice dice;
    double time; /* ns */
    uint64_t frame;
};

/* So many points of a clock that is 100 ppm late, each of them up to 50 us late itself. */
static void add(struct points *p, int points)
{
    for (int i = 0; i < points; i++) {
        p->frame += STEP;
        p->time += STEP * PERIOD * (1 + 100e-6);
        scatter_add(&p->scatter, (int64_t)(p->time + dice_part(&p->dice) * 50e3), p->frame, PERIOD);
    }
}

static void assert_clock(const struct points *p)
{
    assert_true(scatter_known(&p->scatter));
    assert_true(fabs(p->scatter.slope - 100e-6) < 120e-6);
    assert_true(p->scatter.spread > 10e-6 && p->scatter.spread < 200e-6);
}

static void ten_slopes_are_enough(void **state)
{
    (void)state;
    struct points p = {0};
    add(&p, SCATTER_LEAST);
    assert_false(scatter_known(&p.scatter)); /* the first point has none */
    add(&p, 1);
    assert_clock(&p);
    add(&p, 1000);
    assert_clock(&p);
}

/* Every third one follows a step. */
static void steps_do_not_bend_it(void **state)
{
    (void)state;
    struct points p = {0};
    for (int i = 0; i < 100; i++) {
        add(&p, 3);
        p.time += 750e3;
        if (i > SCATTER_LEAST)
            assert_clock(&p);
    }
}

static void what_comes_after_a_break_has_no_slope_to_before(void **state)
{
    (void)state;
    struct points p = {0};
    add(&p, 2);
    assert_int_equal(p.scatter.added, 1);
    p.time += 3e9;
    scatter_break(&p.scatter);
    add(&p, 1);
    assert_int_equal(p.scatter.added, 1);
    add(&p, 1);
    assert_int_equal(p.scatter.added, 2);
}

static void points_next_to_each_other_have_none(void **state)
{
    (void)state;
    struct points p = {0};
    add(&p, 1);
    scatter_add(&p.scatter, (int64_t)p.time + 20 * NS_PER_MS, p.frame + 480, PERIOD);
    scatter_add(&p.scatter, (int64_t)p.time, p.frame - 480, PERIOD); /* nor earlier ones */
    assert_int_equal(p.scatter.added, 0);
    add(&p, 1);
    assert_int_equal(p.scatter.added, 1);
    assert_true(fabs(p.scatter.slope - 100e-6) < 160e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_slopes_are_enough),
        cmocka_unit_test(steps_do_not_bend_it),
        cmocka_unit_test(what_comes_after_a_break_has_no_slope_to_before),
        cmocka_unit_test(points_next_to_each_other_have_none),
    };
    return cmocka_run_group_tests_name("scatter", tests, NULL, NULL);
}
