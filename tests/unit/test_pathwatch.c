/* What is news of a path, whichever way it goes. */
#include "test.h"

#include "watched.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The folder `run` and the file `run/a` in it come, go, and come again. */
static void it_comes_and_goes(struct watched *s)
{
    char path[PATHS];
    expect_quiet(s);
    make_file(s, "run/a");
    expect_news(s);
    make_file(s, "run/b");
    replace(s, "run/a", "run/b");
    expect_news(s);
    assert_int_equal(unlink(path_in(s, "run/a", path)), 0);
    expect_news(s);
    replace(s, "gone", "run");
    expect_news(s);
    make_folder(s, "run");
    expect_news(s);
    make_file(s, "run/a");
    expect_news(s);
    assert_int_equal(unlink(path_in(s, "run/a", path)), 0);
    assert_true(news(s));
    assert_int_equal(rmdir(path_in(s, "run", path)), 0);
    assert_int_equal(rmdir(path_in(s, "gone", path)), 0);
    assert_true(news(s));
}

static void however_it_is_spelt(void **state)
{
    (void)state;
    static const char *const spellings[] = {
        "run/a", "run//a", "/run/a", "run/./a", "./run/.//a", "run/../run/a", "more/../run/a",
    };
    struct watched s;
    watched_make(&s);
    make_folder(&s, "more");
    for (size_t i = 0; i < sizeof spellings / sizeof spellings[0]; i++) {
        make_folder(&s, "run");
        watched_open(&s, spellings[i]);
        it_comes_and_goes(&s);
        path_watch_close(&s.watch);
    }
    watched_end(&s);
}

static void seen_from_the_current_folder(void **state)
{
    (void)state;
    static const char *const spellings[] = {"run/a", "./run/a", ".//run//a", "../here/run/a",
                                            "../../../../../../../../../../.."};
    struct watched s;
    char before[PATHS], here[PATHS], far[2 * PATHS];
    watched_make(&s);
    assert_non_null(getcwd(before, sizeof before));
    make_folder(&s, "here");
    assert_int_equal(chdir(path_in(&s, "here", here)), 0);
    for (size_t i = 0; i < sizeof spellings / sizeof spellings[0]; i++) {
        make_folder(&s, "here/run");
        snprintf(far, sizeof far, "%s%s", spellings[i], i == 4 ? here : "");
        if (i == 4)
            strcat(far, "/run/a");
        path_watch_open(&s.watch, far);
        expect_quiet(&s);
        make_file(&s, "here/run/a");
        expect_news(&s);
        assert_int_equal(unlink("run/a"), 0);
        expect_news(&s);
        assert_int_equal(rmdir("run"), 0);
        expect_news(&s);
        path_watch_close(&s.watch);
    }
    assert_int_equal(chdir(before), 0);
    watched_end(&s);
}

/* A folder that has to be there only to be left again. */
static void way_up_from_a_folder_to_come(void **state)
{
    (void)state;
    struct watched s;
    watched_make(&s);
    make_file(&s, "a");
    watched_open(&s, "late/../a");
    expect_quiet(&s);
    make_folder(&s, "late");
    expect_news(&s);
    make_file(&s, "b");
    assert_false(news(&s));
    replace(&s, "a", "b");
    expect_news(&s);
    watched_end(&s);
}

/* As /var/run is one, to /run. */
static void over_links(void **state)
{
    (void)state;
    static const char *const targets[] = {"run", "./run", "deep/../run", "other", NULL};
    struct watched s;
    char absolute[PATHS];
    watched_make(&s);
    make_folder(&s, "deep");
    make_link(&s, "other", "run");
    for (int i = 0; i < 5; i++) {
        make_folder(&s, "run");
        make_link(&s, "link", targets[i] ? targets[i] : path_in(&s, "run", absolute));
        watched_open(&s, i % 2 ? "link/a" : "deep/..//link/a");
        it_comes_and_goes(&s);
        path_watch_close(&s.watch);
        assert_int_equal(unlink(path_in(&s, "link", absolute)), 0);
    }
    watched_end(&s);
}

static void a_link_on_the_way_is_replaced(void **state)
{
    (void)state;
    struct watched s;
    char path[PATHS];
    watched_make(&s);
    make_folder(&s, "one");
    make_folder(&s, "two");
    make_link(&s, "link", "one");
    make_link(&s, "next", "two");
    make_file(&s, "two/a");
    watched_open(&s, "link/a");
    expect_quiet(&s);
    replace(&s, "link", "next");
    expect_news(&s);
    assert_int_equal(unlink(path_in(&s, "two/a", path)), 0);
    expect_news(&s);
    make_file(&s, "one/a"); /* where it led before */
    expect_quiet(&s);
    assert_int_equal(unlink(path_in(&s, "link", path)), 0);
    expect_news(&s);
    make_link(&s, "link", "one");
    expect_news(&s);
    watched_end(&s);
}

static void a_link_at_the_end_is_replaced(void **state)
{
    (void)state;
    struct watched s;
    char path[PATHS];
    watched_make(&s);
    make_folder(&s, "run");
    make_link(&s, "a", "run/one");
    watched_open(&s, "a");
    expect_quiet(&s);
    make_file(&s, "run/one");
    expect_news(&s);
    make_file(&s, "beside");
    make_file(&s, "run/two");
    assert_false(news(&s));
    make_link(&s, "b", "run/two");
    replace(&s, "a", "b");
    expect_news(&s);
    assert_int_equal(unlink(path_in(&s, "run/two", path)), 0);
    expect_news(&s);
    make_file(&s, "b");
    replace(&s, "a", "b"); /* a file in its place */
    expect_news(&s);
    make_file(&s, "run/two");
    expect_quiet(&s);
    watched_end(&s);
}

/* Too far to be watched, or by ways that only the kernel knows: then the path is to be looked at. */
static void a_way_too_far(void **state)
{
    (void)state;
    struct watched s;
    char name[16], to[16], path[PATHS];
    watched_make(&s);
    make_file(&s, "0");
    for (int i = 1; i < 20; i++) {
        snprintf(name, sizeof name, "%d", i);
        snprintf(to, sizeof to, "%d", i - 1);
        make_link(&s, name, to);
        watched_open(&s, name);
        if (s.watch.complete != (i <= 8))
            fail_msg("over %d links it is said to be %s", i, i <= 8 ? "incomplete" : "complete");
        path_watch_close(&s.watch);
    }
    make_link(&s, "round", "round");
    watched_open(&s, "round");
    assert_false(s.watch.complete);
    path_watch_close(&s.watch);
    FILE *f = fopen(path_in(&s, "0", path), "r");
    assert_non_null(f);
    assert_int_equal(unlink(path), 0);
    snprintf(s.path, sizeof s.path, "/proc/self/fd/%d", fileno(f));
    path_watch_open(&s.watch, s.path);
    assert_false(s.watch.complete);
    fclose(f);
    watched_end(&s);
}

static void whatever_is_in_a_folder(void **state)
{
    (void)state;
    struct watched s;
    watched_make(&s);
    make_link(&s, "link", "snd");
    watched_open(&s, "link/");
    expect_quiet(&s);
    make_folder(&s, "snd");
    expect_news(&s);
    make_file(&s, "snd/any");
    expect_news(&s);
    make_file(&s, "any");
    expect_quiet(&s);
    watched_end(&s);
}

static void without_any_watch(void **state)
{
    (void)state;
    struct watched s;
    char far[2 * 4096];
    watched_make(&s);
    memset(far, '/', sizeof far - 1);
    far[sizeof far - 1] = '\0';
    path_watch_open(&s.watch, far);
    assert_false(s.watch.complete);
    path_watch_close(&s.watch);
    path_watch_open(&s.watch, "");
    assert_false(s.watch.complete);
    path_watch_close(&s.watch);
    assert_false(path_watch_take(&s.watch, s.now));
    assert_int_equal(path_watch_due(&s.watch), INT64_MAX);
    watched_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(however_it_is_spelt),
        cmocka_unit_test(seen_from_the_current_folder),
        cmocka_unit_test(way_up_from_a_folder_to_come),
        cmocka_unit_test(over_links),
        cmocka_unit_test(a_link_on_the_way_is_replaced),
        cmocka_unit_test(a_link_at_the_end_is_replaced),
        cmocka_unit_test(a_way_too_far),
        cmocka_unit_test(whatever_is_in_a_folder),
        cmocka_unit_test(without_any_watch),
    };
    return cmocka_run_group_tests_name("pathwatch", tests, NULL, NULL);
}
