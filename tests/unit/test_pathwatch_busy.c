/* That others' work beside a watched path costs little, and hides no news. */
#include "test.h"

#include "clock.h"
#include "watched.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* In a folder that is only passed on the way others may do what they like. */
static void neighbours_of_the_way_cost_nothing(void **state)
{
    (void)state;
    struct watched s;
    char path[PATHS];
    watched_make(&s);
    make_folder(&s, "run");
    make_link(&s, "way", "run");
    watched_open(&s, "way/a");
    make_file(&s, "x");
    assert_int_equal(chmod(path_in(&s, "x", path), 0600), 0);
    make_folder(&s, "y");
    assert_int_equal(chmod(path_in(&s, "y", path), 0711), 0);
    replace(&s, "z", "x");
    assert_int_equal(unlink(path_in(&s, "z", path)), 0);
    expect_quiet(&s);
    make_file(&s, "run/a");
    expect_news(&s);
    watched_end(&s);
}

/* A turn of the control thread's, at that time: it polls, and takes the news when there may be any. */
static bool turn(struct watched *s, unsigned *wakings)
{
    if (!wakes(s) && s->now < path_watch_due(&s->watch))
        return false;
    ++*wakings;
    return path_watch_take(&s->watch, s->now);
}

/* Somebody makes and renames files for a second, as fast as it goes; seldom it is ours. */
static void busy_neighbours_cost_little(void **state)
{
    (void)state;
    for (int ours = 0; ours < 2; ours++) {
        struct watched s;
        struct stat st;
        unsigned wakings = 0;
        bool last = false;
        watched_make(&s);
        watched_open(&s, "a");
        for (int i = 0; i < 1000; i++, s.now += NS_PER_MS) {
            make_file(&s, "x");
            replace(&s, ours ? "a" : "y", "x");
            turn(&s, &wakings);
        }
        assert_in_range(wakings, 20, 25);
        make_file(&s, "x");
        replace(&s, "a", "x"); /* the last of it is not missed */
        for (int i = 0; i < 100; i++, s.now += NS_PER_MS)
            last |= turn(&s, &wakings);
        assert_true(last);
        assert_int_equal(stat(s.path, &st), 0);
        assert_in_range(wakings, 21, 28);
        assert_int_equal(path_watch_due(&s.watch), INT64_MAX);
        expect_quiet(&s);
        watched_end(&s);
    }
}

/* More happens than the kernel keeps: that itself is news. */
static void a_flood_is_no_end(void **state)
{
    (void)state;
    struct watched s;
    char a[PATHS], b[PATHS];
    int most = 16384;
    FILE *f = fopen("/proc/sys/fs/inotify/max_queued_events", "r");
    if (f && fscanf(f, "%d", &most) != 1)
        most = 16384;
    if (f)
        fclose(f);
    watched_make(&s);
    watched_open(&s, "a");
    make_file(&s, "x");
    path_in(&s, "x", a);
    path_in(&s, "y", b);
    for (int i = 0; i < most; i += 4) {
        assert_int_equal(rename(a, b), 0);
        assert_int_equal(rename(b, a), 0);
    }
    make_file(&s, "a");
    assert_true(path_watch_take(&s.watch, s.now));
    expect_quiet(&s);
    watched_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbours_of_the_way_cost_nothing),
        cmocka_unit_test(busy_neighbours_cost_little),
        cmocka_unit_test(a_flood_is_no_end),
    };
    return cmocka_run_group_tests_name("pathwatch_busy", tests, NULL, NULL);
}
