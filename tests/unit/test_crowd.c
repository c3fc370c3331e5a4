/* When many other senders are a crowd, and for how long they are kept out. */
#include "test.h"

#include "crowd.h"

static void two_large_senders_are_no_crowd(void **state)
{
    (void)state;
    struct crowd_count c = {0};
    for (int64_t i = 0; i < 60000; i++) /* 192 kHz/32/8 */
        assert_false(crowd_counts(&c, NS_PER_S + i * NS_PER_S / 5334));
}

static void a_flood_is_one(void **state)
{
    (void)state;
    struct crowd_count c = {0};
    int times = 0;
    for (int64_t i = 0; i < 100000; i++)
        times += crowd_counts(&c, NS_PER_S + i * 10 * NS_PER_US);
    assert_in_range(times, 9, 10); /* in a second: each is a wake-up of the control thread */
}

static void it_is_kept_out_while_somebody_plays(void **state)
{
    (void)state;
    struct crowd c;
    int64_t now = NS_PER_S;
    uint64_t packets = 7;
    crowd_init(&c);
    assert_int_equal(crowd_look(&c, packets, now), CROWD_AS_BEFORE);
    assert_int_equal(c.look_at, CROWD_NEVER);
    assert_int_equal(crowd_came(&c, packets, now), CROWD_KEEP_OUT);
    assert_int_equal(crowd_came(&c, packets, now), CROWD_AS_BEFORE);
    int looks = 0;
    for (; c.kept_out; looks++) {
        now = c.look_at;
        assert_int_equal(crowd_look(&c, packets + 1, now - 1), CROWD_AS_BEFORE);
        assert_int_equal(c.look_at, now); /* not before its time */
        const enum crowd_change change = crowd_look(&c, packets += 40, now);
        assert_int_equal(change, c.kept_out ? CROWD_AS_BEFORE : CROWD_LET_IN);
    }
    assert_int_equal(now, NS_PER_S + CROWD_LASTS_NS);
    assert_int_equal(looks, CROWD_LASTS_NS / CROWD_LOOK_NS);
    assert_int_equal(crowd_came(&c, packets, now), CROWD_KEEP_OUT); /* it is still there */
}

static void a_silent_sender_keeps_nobody_out(void **state)
{
    (void)state;
    struct crowd c;
    int64_t now = 0;
    crowd_init(&c);
    crowd_came(&c, 7, now);
    assert_int_equal(crowd_look(&c, 8, now = c.look_at), CROWD_AS_BEFORE);
    while (crowd_look(&c, 8, now = c.look_at) == CROWD_AS_BEFORE)
        ;
    assert_int_equal(now, CROWD_LOOK_NS + CROWD_SILENCE_NS);
    assert_int_equal(c.look_at, CROWD_NEVER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_large_senders_are_no_crowd),
        cmocka_unit_test(a_flood_is_one),
        cmocka_unit_test(it_is_kept_out_while_somebody_plays),
        cmocka_unit_test(a_silent_sender_keeps_nobody_out),
    };
    return cmocka_run_group_tests_name("crowd", tests, NULL, NULL);
}
