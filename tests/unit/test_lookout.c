/* What is news of a place, and when there will be none. */
#include "test.h"

#include "clock.h"
#include "lookout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LONG_AGO (60 * NS_PER_S)

struct scene {
    char folder[64], path[128];
    struct lookout lookout;
    int64_t now;
};

/* It awaits folder/run/socket, of which there is nothing yet; name: what of it is told. */
static void scene_open(struct scene *s, const char *name)
{
    *s = (struct scene){.now = LONG_AGO};
    strcpy(s->folder, "/tmp/scream-test-lookout-XXXXXX");
    assert_non_null(mkdtemp(s->folder));
    snprintf(s->path, sizeof s->path, "%s/%s", s->folder, name);
    lookout_init(&s->lookout);
}

static void scene_close(struct scene *s)
{
    char command[128];
    lookout_clear(&s->lookout);
    snprintf(command, sizeof command, "rm -rf %s", s->folder);
    assert_int_equal(system(command), 0);
}

/* What lookout_news() says, when it has rested from the news before. */
static bool has_news(struct scene *s)
{
    if (lookout_due(&s->lookout) != INT64_MAX)
        s->now += PATH_WATCH_REST;
    return lookout_news(&s->lookout, s->now);
}

static bool attempt(struct scene *s, const char *path)
{
    lookout_begin(&s->lookout);
    lookout_name(&s->lookout, path);
    return lookout_end(&s->lookout, s->now);
}

/* Something has happened, which it is woken for at once or when it has rested. */
static bool wakes(const struct scene *s)
{
    struct pollfd fds[LOOKOUT_PLACES];
    const size_t n = lookout_fds(&s->lookout, fds);
    for (size_t i = 0, at = 0; i < LOOKOUT_PLACES; i++)
        if (s->lookout.places[i].path[0])
            fds[at++].fd = s->lookout.places[i].watch.fd;
    return poll(fds, n, 0) > 0;
}

static void make(const struct scene *s, const char *name)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", s->folder, name);
    if (strchr(name, '.')) {
        fclose(fopen(path, "w"));
        return;
    }
    assert_int_equal(mkdir(path, 0700), 0);
}

static void the_first_attempt_sees_nothing_yet(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s, "run/a.socket");
    assert_false(attempt(&s, s.path));
    assert_true(attempt(&s, s.path));
    assert_false(wakes(&s));
    make(&s, "run"); /* which is not what it waits for */
    assert_true(wakes(&s));
    assert_false(has_news(&s));
    make(&s, "run/b.socket");
    assert_false(has_news(&s));
    make(&s, "run/a.socket");
    assert_true(wakes(&s));
    assert_true(has_news(&s));
    assert_false(wakes(&s));
    assert_false(attempt(&s, s.path)); /* it may be on its way */
    s.now += LONG_AGO;
    assert_true(attempt(&s, s.path)); /* nobody listens to it */
    scene_close(&s);
}

/* libpulse sets the mode of the folder at each attempt. */
static void a_touched_folder_is_no_news(void **state)
{
    (void)state;
    struct scene s;
    char folder[96];
    scene_open(&s, "run/a.socket");
    make(&s, "run");
    attempt(&s, s.path);
    attempt(&s, s.path);
    snprintf(folder, sizeof folder, "%s/run", s.folder);
    assert_int_equal(chmod(folder, 0700), 0);
    assert_true(wakes(&s));
    assert_false(has_news(&s));
    scene_close(&s);
}

static void a_socket_that_is_replaced_or_opened_to_us_is_news(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s, "run/a.socket");
    make(&s, "run");
    make(&s, "run/a.socket");
    attempt(&s, s.path);
    assert_true(attempt(&s, s.path));
    assert_int_equal(chmod(s.path, 0666), 0);
    assert_true(has_news(&s));
    assert_int_equal(unlink(s.path), 0);
    make(&s, "run/a.socket");
    assert_true(has_news(&s));
    scene_close(&s);
}

/* Then it is not polled, and says when to come. */
static void it_rests_after_news(void **state)
{
    (void)state;
    struct scene s;
    struct pollfd fds[LOOKOUT_PLACES];
    scene_open(&s, "a.socket");
    attempt(&s, s.path);
    assert_int_equal(lookout_due(&s.lookout), INT64_MAX);
    make(&s, "b.socket");
    assert_false(lookout_news(&s.lookout, s.now));
    assert_int_equal(lookout_due(&s.lookout), s.now + PATH_WATCH_REST);
    make(&s, "a.socket");
    assert_int_equal(lookout_fds(&s.lookout, fds), 1);
    assert_int_equal(fds[0].fd, -1);
    assert_false(lookout_news(&s.lookout, s.now + PATH_WATCH_REST - 1));
    assert_true(lookout_news(&s.lookout, s.now + PATH_WATCH_REST));
    assert_false(lookout_news(&s.lookout, s.now + 2 * PATH_WATCH_REST));
    assert_int_equal(lookout_due(&s.lookout), INT64_MAX);
    assert_int_equal(lookout_fds(&s.lookout, fds), 1);
    assert_true(fds[0].fd >= 0);
    scene_close(&s);
}

/* As /dev/snd/ is, where a card makes devices of whatever number. */
static void whatever_comes_into_a_folder_is_news(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s, "snd/");
    attempt(&s, s.path);
    assert_true(attempt(&s, s.path));
    make(&s, "snd");
    assert_true(has_news(&s));
    assert_false(has_news(&s));
    make(&s, "snd/any.thing");
    assert_true(wakes(&s));
    assert_true(has_news(&s));
    scene_close(&s);
}

static void what_is_no_path_cannot_be_watched(void **state)
{
    (void)state;
    struct scene s;
    char far[LOOKOUT_PATH + 1];
    memset(far, '/', sizeof far - 1);
    far[sizeof far - 1] = '\0';
    scene_open(&s, "a.socket");
    const char *const others[] = {NULL, "", "tcp:far", far};
    for (int i = 0; i < 4; i++) {
        assert_false(attempt(&s, others[i]));
        assert_false(attempt(&s, others[i]));
        assert_false(wakes(&s));
    }
    attempt(&s, s.path);
    assert_true(attempt(&s, s.path));
    lookout_begin(&s.lookout); /* one of two is not enough */
    lookout_name(&s.lookout, s.path);
    lookout_name(&s.lookout, "tcp:far");
    assert_false(lookout_end(&s.lookout, s.now));
    lookout_name(NULL, s.path);
    scene_close(&s);
}

/* A plugin that waits for a server has news only where somebody waits for servers. */
static void another_waits_for_the_same(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s, "a.socket");
    lookout_begin(&s.lookout);
    lookout_name_same(&s.lookout);
    assert_int_equal(s.lookout.names, 0);
    assert_false(lookout_end(&s.lookout, s.now));
    lookout_name(&s.lookout, s.path);
    lookout_name_same(&s.lookout);
    assert_int_equal(s.lookout.names, 2);
    lookout_name_same(NULL);
    scene_close(&s);
}

/* More than there is room for: the others are not watched, and it says so. */
static void too_many_places(void **state)
{
    (void)state;
    struct scene s;
    char path[LOOKOUT_PLACES + 1][96];
    scene_open(&s, "a.socket");
    for (int more = 0; more < 2; more++) {
        for (int twice = 0; twice < 2; twice++) {
            lookout_begin(&s.lookout);
            for (int i = 0; i < LOOKOUT_PLACES + more; i++) {
                snprintf(path[i], sizeof path[i], "%s/%d", s.folder, i);
                lookout_name(&s.lookout, path[i]);
            }
            assert_int_equal(lookout_end(&s.lookout, s.now), twice && !more);
        }
    }
    assert_true(attempt(&s, path[0])); /* the rest are forgotten */
    struct pollfd fds[LOOKOUT_PLACES];
    assert_int_equal(lookout_fds(&s.lookout, fds), 1);
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_attempt_sees_nothing_yet),
        cmocka_unit_test(a_touched_folder_is_no_news),
        cmocka_unit_test(a_socket_that_is_replaced_or_opened_to_us_is_news),
        cmocka_unit_test(it_rests_after_news),
        cmocka_unit_test(whatever_comes_into_a_folder_is_news),
        cmocka_unit_test(what_is_no_path_cannot_be_watched),
        cmocka_unit_test(another_waits_for_the_same),
        cmocka_unit_test(too_many_places),
    };
    return cmocka_run_group_tests_name("lookout", tests, NULL, NULL);
}
