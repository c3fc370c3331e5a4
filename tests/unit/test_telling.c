/* How often a topic is told of, by a clock that is told too. */
#include "test.h"

#include "captured.h"
#include "telling.h"

#include <stdlib.h>
#include <string.h>

static char text[1 << 16];

static void six_in_a_row(void **state)
{
    (void)state;
    struct telling t = {0};
    const struct capture c = capture();
    int64_t now = 5 * NS_PER_S;
    for (int i = 0; i < 6; i++) {
        telling_say(&t, now, LOG_LEVEL_INFO, "state %d", i);
        now += NS_PER_MS;
        assert_int_equal(telling_turn(&t, now), TELLING_NEVER);
    }
    captured(&c, text, sizeof text);
    assert_string_equal(text, "scream: state 0\nscream: state 1\nscream: state 2\nscream: state 3\n"
                              "scream: state 4\nscream: state 5\n");
}

/* The seventh is the last: late, but within a second, and nothing was left out. */
static void the_last_one_is_told(void **state)
{
    (void)state;
    struct telling t = {0};
    const struct capture c = capture();
    const int64_t begin = 5 * NS_PER_S;
    for (int i = 0; i < 7; i++)
        telling_say(&t, begin, LOG_LEVEL_WARNING, "state %d", i);
    const int64_t due = telling_turn(&t, begin);
    assert_true(due > begin && due < begin + NS_PER_S);
    assert_int_equal(telling_turn(&t, due - 1), due);
    assert_int_equal(telling_turn(&t, due), TELLING_NEVER);
    assert_int_equal(telling_turn(&t, due + 1), TELLING_NEVER);
    captured(&c, text, sizeof text);
    assert_int_equal(count_of(text, "\n"), 7);
    assert_string_equal(text + strlen(text) - strlen("scream: state 6\n"), "scream: state 6\n");
}

/* And so is what it returns to, though that is the line that was told before. */
static void the_way_back_is_told(void **state)
{
    (void)state;
    struct telling t = {0};
    const struct capture c = capture();
    const int64_t begin = 5 * NS_PER_S;
    for (int i = 0; i < 6; i++)
        telling_say(&t, begin, LOG_LEVEL_INFO, "listening");
    telling_say(&t, begin, LOG_LEVEL_WARNING, "waiting");
    telling_say(&t, begin, LOG_LEVEL_INFO, "listening");
    telling_turn(&t, begin + NS_PER_S);
    captured(&c, text, sizeof text);
    assert_int_equal(count_of(text, "scream: listening"), 7);
    assert_int_equal(count_of(text, "waiting"), 0);
    assert_int_equal(count_of(text, "listening (1 like it were left out)\n"), 1);
}

/* 2000 a second for ten minutes. */
static void a_storm_gets_a_line_a_minute(void **state)
{
    (void)state;
    struct telling t = {0};
    const struct capture c = capture();
    const int64_t begin = 5 * NS_PER_S, step = NS_PER_S / 2000;
    int64_t now = begin;
    unsigned long long told = 0;
    for (int i = 0; now < begin + 600 * NS_PER_S; i++, now += step) {
        telling_say(&t, now, LOG_LEVEL_INFO, i % 2 ? "there" : "gone");
        telling_turn(&t, now);
    }
    telling_say(&t, now, LOG_LEVEL_INFO, "there at last");
    telling_turn(&t, now + NS_PER_S);
    captured(&c, text, sizeof text);
    assert_in_range(count_of(text, "\n"), 6 + 9, 6 + 11);
    assert_int_equal(count_of(text, "scream: there at last ("), 1);
    for (const char *at = strchr(text, '('); at; at = strchr(at + 1, '('))
        told += strtoull(at + 1, NULL, 10);
    assert_int_equal(told + (unsigned)count_of(text, "\n"), 2000 * 600 + 1); /* each is counted */
}

static void quiet_makes_free_again(void **state)
{
    (void)state;
    struct telling t = {0};
    const struct capture c = capture();
    int64_t now = 5 * NS_PER_S;
    for (int i = 0; i < 1000; i++)
        telling_say(&t, now, LOG_LEVEL_INFO, "storm");
    telling_turn(&t, now += NS_PER_S);
    now += TELLING_QUIET_NS;
    for (int i = 0; i < 6; i++)
        telling_say(&t, now, LOG_LEVEL_INFO, "calm");
    captured(&c, text, sizeof text);
    assert_int_equal(count_of(text, "storm"), 7);
    assert_int_equal(count_of(text, "calm\n"), 6);
}

/* Who leaves just enough between them that each one settles gets no more than one in that time. */
static void a_slow_storm(void **state)
{
    (void)state;
    struct telling t = {0};
    const struct capture c = capture();
    int64_t now = 5 * NS_PER_S;
    for (int i = 0; i < 100; i++, now += TELLING_SETTLED_NS) {
        telling_turn(&t, now);
        telling_say(&t, now, LOG_LEVEL_INFO, "slow");
    }
    captured(&c, text, sizeof text);
    assert_int_equal(count_of(text, "slow"), 99);
    assert_int_equal(count_of(text, "left out"), 0);
}

/* Two topics know nothing of each other, and what nobody would see takes no place. */
static void each_topic_for_itself(void **state)
{
    (void)state;
    struct telling a = {0}, b = {0};
    const struct capture c = capture();
    for (int i = 0; i < 100; i++)
        telling_say(&a, NS_PER_S, LOG_LEVEL_INFO, "one");
    for (int i = 0; i < 100; i++)
        telling_say(&b, NS_PER_S, LOG_LEVEL_DEBUG, "hidden");
    assert_int_equal(telling_turn(&b, 3 * NS_PER_S), TELLING_NEVER);
    telling_say(&b, NS_PER_S, LOG_LEVEL_INFO, "other");
    captured(&c, text, sizeof text);
    assert_int_equal(count_of(text, "one"), 6);
    assert_int_equal(count_of(text, "other\n"), 1);
    assert_int_equal(count_of(text, "hidden"), 0);
}

static void the_end_tells_what_is_kept(void **state)
{
    (void)state;
    struct telling t = {0};
    const struct capture c = capture();
    for (int i = 0; i < 9; i++)
        telling_say(&t, NS_PER_S, LOG_LEVEL_INFO, "state %d", i);
    telling_finish(&t);
    telling_finish(&t);
    captured(&c, text, sizeof text);
    assert_int_equal(count_of(text, "\n"), 7);
    assert_int_equal(count_of(text, "state 8 (2 like it were left out)\n"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(six_in_a_row),           cmocka_unit_test(the_last_one_is_told),
        cmocka_unit_test(the_way_back_is_told),   cmocka_unit_test(a_storm_gets_a_line_a_minute),
        cmocka_unit_test(quiet_makes_free_again), cmocka_unit_test(a_slow_storm),
        cmocka_unit_test(each_topic_for_itself),  cmocka_unit_test(the_end_tells_what_is_kept),
    };
    unsetenv("JOURNAL_STREAM");
    return cmocka_run_group_tests_name("telling", tests, NULL, NULL);
}
