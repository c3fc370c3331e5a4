/* What is news of a path, whichever way it goes; and that others' work beside it costs little. */
#include "test.h"

#include "pathwatch.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATHS 512

struct scene {
    char folder[64], path[PATHS];
    struct path_watch watch;
    int64_t now;
};

static const char *in(const struct scene *s, const char *name, char path[PATHS])
{
    snprintf(path, PATHS, "%s/%s", s->folder, name);
    return path;
}

static void scene_make(struct scene *s)
{
    *s = (struct scene){.now = NS_PER_S};
    strcpy(s->folder, "/tmp/scream-test-pathwatch-XXXXXX");
    assert_non_null(mkdtemp(s->folder));
}

static void scene_watch(struct scene *s, const char *name)
{
    in(s, name, s->path);
    path_watch_open(&s->watch, s->path);
}

static void scene_end(struct scene *s)
{
    char command[PATHS];
    path_watch_close(&s->watch);
    snprintf(command, sizeof command, "rm -rf %s", s->folder);
    assert_int_equal(system(command), 0);
}

static void make_folder(const struct scene *s, const char *name)
{
    char path[PATHS];
    assert_int_equal(mkdir(in(s, name, path), 0700), 0);
}

static void make_file(const struct scene *s, const char *name)
{
    char path[PATHS];
    FILE *f = fopen(in(s, name, path), "w");
    assert_non_null(f);
    fclose(f);
}

static void make_link(const struct scene *s, const char *name, const char *to)
{
    char path[PATHS];
    assert_int_equal(symlink(to, in(s, name, path)), 0);
}

static void replace(const struct scene *s, const char *name, const char *by)
{
    char from[PATHS], to[PATHS];
    assert_int_equal(rename(in(s, by, from), in(s, name, to)), 0);
}

static bool wakes(const struct scene *s)
{
    struct pollfd fd = {.fd = path_watch_fd(&s->watch), .events = POLLIN};
    return poll(&fd, 1, 0) > 0;
}

/* All news that there are, well rested. */
static bool news(struct scene *s)
{
    bool any = false;
    do {
        s->now += PATH_WATCH_REST;
        any |= path_watch_take(&s->watch, s->now);
    } while (path_watch_due(&s->watch) != INT64_MAX);
    return any;
}

/* Nothing more to be told of it, and no need to look. */
static void expect_quiet(struct scene *s)
{
    assert_true(s->watch.complete);
    assert_false(wakes(s));
    assert_false(news(s));
}

static void expect_news(struct scene *s)
{
    assert_true(wakes(s));
    assert_true(news(s));
    expect_quiet(s);
}

/* The folder `run` and the file `run/a` in it come, go, and come again. */
static void it_comes_and_goes(struct scene *s)
{
    char path[PATHS];
    expect_quiet(s);
    make_file(s, "run/a");
    expect_news(s);
    make_file(s, "run/b");
    replace(s, "run/a", "run/b");
    expect_news(s);
    assert_int_equal(unlink(in(s, "run/a", path)), 0);
    expect_news(s);
    replace(s, "gone", "run");
    expect_news(s);
    make_folder(s, "run");
    expect_news(s);
    make_file(s, "run/a");
    expect_news(s);
    assert_int_equal(unlink(in(s, "run/a", path)), 0);
    assert_true(news(s));
    assert_int_equal(rmdir(in(s, "run", path)), 0);
    assert_int_equal(rmdir(in(s, "gone", path)), 0);
    assert_true(news(s));
}

static void however_it_is_spelt(void **state)
{
    (void)state;
    static const char *const spellings[] = {
        "run/a", "run//a", "/run/a", "run/./a", "./run/.//a", "run/../run/a", "more/../run/a",
    };
    struct scene s;
    scene_make(&s);
    make_folder(&s, "more");
    for (size_t i = 0; i < sizeof spellings / sizeof spellings[0]; i++) {
        make_folder(&s, "run");
        scene_watch(&s, spellings[i]);
        it_comes_and_goes(&s);
        path_watch_close(&s.watch);
    }
    scene_end(&s);
}

static void seen_from_the_current_folder(void **state)
{
    (void)state;
    static const char *const spellings[] = {"run/a", "./run/a", ".//run//a", "../here/run/a",
                                            "../../../../../../../../../../.."};
    struct scene s;
    char before[PATHS], here[PATHS], far[2 * PATHS];
    scene_make(&s);
    assert_non_null(getcwd(before, sizeof before));
    make_folder(&s, "here");
    assert_int_equal(chdir(in(&s, "here", here)), 0);
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
    scene_end(&s);
}

/* A folder that has to be there only to be left again. */
static void way_up_from_a_folder_to_come(void **state)
{
    (void)state;
    struct scene s;
    scene_make(&s);
    make_file(&s, "a");
    scene_watch(&s, "late/../a");
    expect_quiet(&s);
    make_folder(&s, "late");
    expect_news(&s);
    make_file(&s, "b");
    assert_false(news(&s));
    replace(&s, "a", "b");
    expect_news(&s);
    scene_end(&s);
}

/* As /var/run is one, to /run. */
static void over_links(void **state)
{
    (void)state;
    static const char *const targets[] = {"run", "./run", "deep/../run", "other", NULL};
    struct scene s;
    char absolute[PATHS];
    scene_make(&s);
    make_folder(&s, "deep");
    make_link(&s, "other", "run");
    for (int i = 0; i < 5; i++) {
        make_folder(&s, "run");
        make_link(&s, "link", targets[i] ? targets[i] : in(&s, "run", absolute));
        scene_watch(&s, i % 2 ? "link/a" : "deep/..//link/a");
        it_comes_and_goes(&s);
        path_watch_close(&s.watch);
        assert_int_equal(unlink(in(&s, "link", absolute)), 0);
    }
    scene_end(&s);
}

static void a_link_on_the_way_is_replaced(void **state)
{
    (void)state;
    struct scene s;
    char path[PATHS];
    scene_make(&s);
    make_folder(&s, "one");
    make_folder(&s, "two");
    make_link(&s, "link", "one");
    make_link(&s, "next", "two");
    make_file(&s, "two/a");
    scene_watch(&s, "link/a");
    expect_quiet(&s);
    replace(&s, "link", "next");
    expect_news(&s);
    assert_int_equal(unlink(in(&s, "two/a", path)), 0);
    expect_news(&s);
    make_file(&s, "one/a"); /* where it led before */
    expect_quiet(&s);
    assert_int_equal(unlink(in(&s, "link", path)), 0);
    expect_news(&s);
    make_link(&s, "link", "one");
    expect_news(&s);
    scene_end(&s);
}

static void a_link_at_the_end_is_replaced(void **state)
{
    (void)state;
    struct scene s;
    char path[PATHS];
    scene_make(&s);
    make_folder(&s, "run");
    make_link(&s, "a", "run/one");
    scene_watch(&s, "a");
    expect_quiet(&s);
    make_file(&s, "run/one");
    expect_news(&s);
    make_file(&s, "beside");
    make_file(&s, "run/two");
    assert_false(news(&s));
    make_link(&s, "b", "run/two");
    replace(&s, "a", "b");
    expect_news(&s);
    assert_int_equal(unlink(in(&s, "run/two", path)), 0);
    expect_news(&s);
    make_file(&s, "b");
    replace(&s, "a", "b"); /* a file in its place */
    expect_news(&s);
    make_file(&s, "run/two");
    expect_quiet(&s);
    scene_end(&s);
}

/* Too far to be watched, or by ways that only the kernel knows: then the path is to be looked at. */
static void a_way_too_far(void **state)
{
    (void)state;
    struct scene s;
    char name[16], to[16], path[PATHS];
    scene_make(&s);
    make_file(&s, "0");
    for (int i = 1; i < 20; i++) {
        snprintf(name, sizeof name, "%d", i);
        snprintf(to, sizeof to, "%d", i - 1);
        make_link(&s, name, to);
        scene_watch(&s, name);
        if (s.watch.complete != (i <= 8))
            fail_msg("over %d links it is said to be %s", i, i <= 8 ? "incomplete" : "complete");
        path_watch_close(&s.watch);
    }
    make_link(&s, "round", "round");
    scene_watch(&s, "round");
    assert_false(s.watch.complete);
    path_watch_close(&s.watch);
    FILE *f = fopen(in(&s, "0", path), "r");
    assert_non_null(f);
    assert_int_equal(unlink(path), 0);
    snprintf(s.path, sizeof s.path, "/proc/self/fd/%d", fileno(f));
    path_watch_open(&s.watch, s.path);
    assert_false(s.watch.complete);
    fclose(f);
    scene_end(&s);
}

static void whatever_is_in_a_folder(void **state)
{
    (void)state;
    struct scene s;
    scene_make(&s);
    make_link(&s, "link", "snd");
    scene_watch(&s, "link/");
    expect_quiet(&s);
    make_folder(&s, "snd");
    expect_news(&s);
    make_file(&s, "snd/any");
    expect_news(&s);
    make_file(&s, "any");
    expect_quiet(&s);
    scene_end(&s);
}

/* A turn of the control thread's, at that time: it polls, and takes the news when there may be any. */
static bool turn(struct scene *s, unsigned *wakings)
{
    if (!wakes(s) && s->now < path_watch_due(&s->watch))
        return false;
    ++*wakings;
    return path_watch_take(&s->watch, s->now);
}

/* In a folder that is only passed on the way others may do what they like. */
static void neighbours_of_the_way_cost_nothing(void **state)
{
    (void)state;
    struct scene s;
    char path[PATHS];
    scene_make(&s);
    make_folder(&s, "run");
    make_link(&s, "way", "run");
    scene_watch(&s, "way/a");
    make_file(&s, "x");
    assert_int_equal(chmod(in(&s, "x", path), 0600), 0);
    make_folder(&s, "y");
    assert_int_equal(chmod(in(&s, "y", path), 0711), 0);
    replace(&s, "z", "x");
    assert_int_equal(unlink(in(&s, "z", path)), 0);
    expect_quiet(&s);
    make_file(&s, "run/a");
    expect_news(&s);
    scene_end(&s);
}

/* Somebody makes and renames files for a second, as fast as it goes; seldom it is ours. */
static void busy_neighbours_cost_little(void **state)
{
    (void)state;
    for (int ours = 0; ours < 2; ours++) {
        struct scene s;
        struct stat st;
        unsigned wakings = 0;
        bool last = false;
        scene_make(&s);
        scene_watch(&s, "a");
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
        scene_end(&s);
    }
}

/* More happens than the kernel keeps: that itself is news. */
static void a_flood_is_no_end(void **state)
{
    (void)state;
    struct scene s;
    char a[PATHS], b[PATHS];
    int most = 16384;
    FILE *f = fopen("/proc/sys/fs/inotify/max_queued_events", "r");
    if (f && fscanf(f, "%d", &most) != 1)
        most = 16384;
    if (f)
        fclose(f);
    scene_make(&s);
    scene_watch(&s, "a");
    make_file(&s, "x");
    in(&s, "x", a);
    in(&s, "y", b);
    for (int i = 0; i < most; i += 4) {
        assert_int_equal(rename(a, b), 0);
        assert_int_equal(rename(b, a), 0);
    }
    make_file(&s, "a");
    assert_true(path_watch_take(&s.watch, s.now));
    expect_quiet(&s);
    scene_end(&s);
}

static void without_any_watch(void **state)
{
    (void)state;
    struct scene s;
    char far[2 * 4096];
    scene_make(&s);
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
    scene_end(&s);
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
        cmocka_unit_test(neighbours_of_the_way_cost_nothing),
        cmocka_unit_test(busy_neighbours_cost_little),
        cmocka_unit_test(a_flood_is_no_end),
        cmocka_unit_test(without_any_watch),
    };
    return cmocka_run_group_tests_name("pathwatch", tests, NULL, NULL);
}
