/* Whether a device has hung. */
#include "test.h"

#include "../../outputs/alsa_standstill.h"
#include "clock.h"

#define RATE   48000
#define BUFFER (RATE / 10)

/* A device that is looked at every 5 ms. */
struct looked {
    struct alsa_standstill s;
    int64_t now, taken; /* ns, frames */
    int hung;           /* so many times */
};

static void look(struct looked *l, int64_t later, int64_t takes)
{
    l->now += later;
    l->taken += takes;
    l->hung += alsa_standstill_hung(&l->s, l->now, l->taken, BUFFER, RATE);
}

static void stands_still(struct looked *l, int ms)
{
    for (int i = 0; i < ms / 5; i++)
        look(l, 5 * NS_PER_MS, 0);
}

static void runs(struct looked *l, int ms)
{
    for (int i = 0; i < ms / 5; i++)
        look(l, 5 * NS_PER_MS, RATE / 200);
}

static void begins(struct looked *l)
{
    l->taken = 0;
    alsa_standstill_begin(&l->s);
    look(l, 5 * NS_PER_MS, 0);
}

static void what_stood_still_for_long_has_hung(void **state)
{
    (void)state;
    for (int ms = 400; ms <= 600; ms += 200) { /* 500: 100 of them, its buffer */
        struct looked l = {.now = 7 * NS_PER_S};
        begins(&l);
        runs(&l, 1000);
        stands_still(&l, ms);
        assert_int_equal(l.hung, 0);
        runs(&l, 1000);
        assert_int_equal(l.hung, ms > 500);
        l.taken = 0;
        begins(&l); /* without a memory of it */
        runs(&l, 100);
        stands_still(&l, ms);
        runs(&l, 100);
        assert_int_equal(l.hung, 2 * (ms > 500));
    }
}

static void what_ran_dry_in_a_long_standstill_has_hung(void **state)
{
    (void)state;
    struct looked l = {.now = 7 * NS_PER_S};
    begins(&l);
    runs(&l, 1000);
    stands_still(&l, 1495);
    look(&l, 5 * NS_PER_MS, BUFFER); /* all that it had */
    assert_int_equal(l.hung, 1);
}

static void what_is_ahead_at_first_is_waited_for(void **state)
{
    (void)state;
    for (int ms = 2000; ms <= 2600; ms += 600) {
        struct looked l = {.now = 7 * NS_PER_S};
        for (int begun = 0; begun < 2; begun++) {
            begins(&l);
            stands_still(&l, ms);
            runs(&l, 100);
            assert_int_equal(l.hung, (begun + 1) * (ms > 2500));
        }
        stands_still(&l, 600);
        runs(&l, 100);
        assert_int_equal(l.hung, 1 + 2 * (ms > 2500));
    }
}

static void gulps_are_borne_and_a_hang_is_not(void **state)
{
    (void)state;
    struct looked l = {.now = 7 * NS_PER_S};
    begins(&l);
    for (int gulps = 0; gulps < 5; gulps++) {
        stands_still(&l, 1995);
        look(&l, 5 * NS_PER_MS, 2 * RATE);
    }
    assert_int_equal(l.hung, 0);
    stands_still(&l, 1995);
    look(&l, 5 * NS_PER_MS,
         RATE); /* less than it owed, but it is known to stand still for so long */
    assert_int_equal(l.hung, 0);
    stands_still(&l, 3100);
    look(&l, 5 * NS_PER_MS, RATE);
    assert_int_equal(l.hung, 1);
}

/* It was we who stood still: the device may have run dry meanwhile, and that is no gulp. */
static void what_was_not_looked_at_is_no_gulp(void **state)
{
    (void)state;
    struct looked l = {.now = 7 * NS_PER_S};
    begins(&l);
    runs(&l, 1000);
    look(&l, 2 * NS_PER_S, 2 * RATE);
    assert_int_equal(l.hung, 1);
    runs(&l, 1000);
    stands_still(&l, 600);
    runs(&l, 100);
    assert_int_equal(l.hung, 2);
}

static void it_is_as_exact_after_a_year(void **state)
{
    (void)state;
    struct looked l = {.now = 7 * NS_PER_S};
    begins(&l);
    runs(&l, 100);
    l.now += 365 * 86400 * NS_PER_S;
    l.taken += (int64_t)365 * 86400 * RATE;
    l.s.moved = l.s.seen = l.now;
    l.s.taken = l.taken;
    runs(&l, 100);
    assert_int_equal(l.hung, 0);
    stands_still(&l, 600);
    runs(&l, 100);
    assert_int_equal(l.hung, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_stood_still_for_long_has_hung),
        cmocka_unit_test(what_ran_dry_in_a_long_standstill_has_hung),
        cmocka_unit_test(what_is_ahead_at_first_is_waited_for),
        cmocka_unit_test(gulps_are_borne_and_a_hang_is_not),
        cmocka_unit_test(what_was_not_looked_at_is_no_gulp),
        cmocka_unit_test(it_is_as_exact_after_a_year),
    };
    return cmocka_run_group_tests_name("alsa_standstill", tests, NULL, NULL);
}
