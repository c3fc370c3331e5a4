#include "watched.h"

#include "clock.h"
#include "test.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *path_in(const struct watched *s, const char *name, char path[PATHS])
{
    snprintf(path, PATHS, "%s/%s", s->folder, name);
    return path;
}

void watched_make(struct watched *s)
{
    *s = (struct watched){.now = NS_PER_S};
    strcpy(s->folder, "/tmp/scream-test-pathwatch-XXXXXX");
    assert_non_null(mkdtemp(s->folder));
}

void watched_open(struct watched *s, const char *name)
{
    path_in(s, name, s->path);
    path_watch_open(&s->watch, s->path);
}

void watched_end(struct watched *s)
{
    char command[PATHS];
    path_watch_close(&s->watch);
    snprintf(command, sizeof command, "rm -rf %s", s->folder);
    assert_int_equal(system(command), 0);
}

void make_folder(const struct watched *s, const char *name)
{
    char path[PATHS];
    assert_int_equal(mkdir(path_in(s, name, path), 0700), 0);
}

void make_file(const struct watched *s, const char *name)
{
    char path[PATHS];
    FILE *f = fopen(path_in(s, name, path), "w");
    assert_non_null(f);
    fclose(f);
}

void make_link(const struct watched *s, const char *name, const char *to)
{
    char path[PATHS];
    assert_int_equal(symlink(to, path_in(s, name, path)), 0);
}

void replace(const struct watched *s, const char *name, const char *by)
{
    char from[PATHS], to[PATHS];
    assert_int_equal(rename(path_in(s, by, from), path_in(s, name, to)), 0);
}

bool wakes(const struct watched *s)
{
    struct pollfd fd = {.fd = path_watch_fd(&s->watch), .events = POLLIN};
    return poll(&fd, 1, 0) > 0;
}

bool news(struct watched *s)
{
    bool any = false;
    do {
        s->now += PATH_WATCH_REST;
        any |= path_watch_take(&s->watch, s->now);
    } while (path_watch_due(&s->watch) != INT64_MAX);
    return any;
}

void expect_quiet(struct watched *s)
{
    assert_true(s->watch.complete);
    assert_false(wakes(s));
    assert_false(news(s));
}

void expect_news(struct watched *s)
{
    assert_true(wakes(s));
    assert_true(news(s));
    expect_quiet(s);
}
