#include "test.h"

#include "clock.h"
#include "slack.h"

#define FILL (10 * NS_PER_MS)

/* So many seconds in which the least that is left is `left` ms. */
static void pass(struct slack *s, double seconds, double left)
{
    const int fills = (int)(seconds * 100);
    for (int i = 0; i < fills; i++)
        slack_note(s, (int64_t)((left + i % 7) * NS_PER_MS), FILL);
}

static double ms(const struct slack *s)
{
    return (double)s->amount / NS_PER_MS;
}

static void a_dropout_makes_it_grow(void **state)
{
    (void)state;
    struct slack s;
    slack_init(&s, 14 * NS_PER_MS);
    pass(&s, 60, 10);
    slack_dropout(&s, 20 * NS_PER_MS);
    assert_true(ms(&s) == 19);
    slack_dropout(&s, 0); /* the same one, told twice */
    assert_true(ms(&s) == 19);
    pass(&s, 60, 10);
    slack_dropout(&s, 20 * NS_PER_MS);
    assert_true(ms(&s) == 24);
    pass(&s, 60, 10);
    slack_dropout(&s, 200 * NS_PER_MS); /* the guest stood still */
    assert_true(ms(&s) == 24);
}

static void dropouts_in_a_row_make_it_leap(void **state)
{
    (void)state;
    struct slack s;
    slack_init(&s, 14 * NS_PER_MS);
    for (int i = 0; i < 10; i++) {
        slack_dropout(&s, 20 * NS_PER_MS);
        pass(&s, 1, 10);
        assert_true(ms(&s) == (i == 0 ? 19 : i == 1 ? 29 : i == 2 ? 49 : i == 3 ? 69 : 80));
    }
}

static void near_ones_count_a_little_and_once(void **state)
{
    (void)state;
    struct slack s;
    slack_init(&s, 14 * NS_PER_MS);
    pass(&s, 10, 5);
    for (int i = 0; i < 50; i++)
        slack_note(&s, 0, FILL);
    assert_true(ms(&s) == 14); /* it may yet become a stall, */
    pass(&s, 10, 5);
    assert_true(ms(&s) == 16); /* and did not */
    slack_note(&s, 0, FILL);
    slack_dropout(&s, 200 * NS_PER_MS); /* this one did */
    pass(&s, 10, 5);
    assert_true(ms(&s) == 16);
}

/* A sound's end runs the store dry: that is neither near a dropout nor a reason to keep more. */
static void the_end_of_a_sound_says_nothing(void **state)
{
    (void)state;
    struct slack s;
    slack_init(&s, 30 * NS_PER_MS);
    for (int sounds = 0; sounds < 61; sounds++) {
        pass(&s, 9.95, 20);
        for (int left = 20; left >= 0; left -= 5)
            slack_note(&s, left * NS_PER_MS, FILL);
        slack_paused(&s);
    }
    assert_true(ms(&s) < 30);
}

static void what_nothing_needs_is_given_back(void **state)
{
    (void)state;
    struct slack s;
    slack_init(&s, 30 * NS_PER_MS);
    pass(&s, 599, 20);
    assert_true(ms(&s) == 30); /* nothing moves within the first minutes */
    double left = 20;
    for (int tens = 0; tens < 12; tens++) {
        const double before = ms(&s);
        pass(&s, 600, left);
        assert_true(ms(&s) <= before && ms(&s) >= before - 9);
        left -= before - ms(&s);
    }
    assert_true(left > 3 && left < 5.1);
    pass(&s, 1300, 100);
    assert_true(ms(&s) == 2);
    slack_dropout(&s, FILL);
    pass(&s, 1300, 2.5);
    assert_true(ms(&s) == 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dropout_makes_it_grow),
        cmocka_unit_test(dropouts_in_a_row_make_it_leap),
        cmocka_unit_test(near_ones_count_a_little_and_once),
        cmocka_unit_test(the_end_of_a_sound_says_nothing),
        cmocka_unit_test(what_nothing_needs_is_given_back),
    };
    return cmocka_run_group_tests_name("slack", tests, NULL, NULL);
}
