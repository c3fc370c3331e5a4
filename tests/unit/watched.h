/*
 * A watched path in a folder of the test's own, by the test's clock, and what happens there. Names are from that
 * folder on; what does not work fails the test.
 */
#ifndef SCREAM_WATCHED_H
#define SCREAM_WATCHED_H

#include "pathwatch.h"

#include <stdbool.h>
#include <stdint.h>

#define PATHS 512

struct watched {
    char folder[64], path[PATHS];
    struct path_watch watch;
    int64_t now;
};

/* The folder, in which nothing is yet; away with it, and with the watch. */
void watched_make(struct watched *s);
void watched_end(struct watched *s);

/* The watch begins; the caller's to close before it is opened again. */
void watched_open(struct watched *s, const char *name);

/* Its whole path, which is returned. */
const char *path_in(const struct watched *s, const char *name, char path[PATHS]);

void make_folder(const struct watched *s, const char *name);
void make_file(const struct watched *s, const char *name);
void make_link(const struct watched *s, const char *name, const char *to);

/* What has the name `by` takes that name, whatever had it. */
void replace(const struct watched *s, const char *name, const char *by);

/* It wakes who polls it. */
bool wakes(const struct watched *s);

/* All news that there are, well rested. */
bool news(struct watched *s);

/* Nothing more to be told of it, and no need to look. */
void expect_quiet(struct watched *s);

/* It wakes, there are news, and then it is quiet. */
void expect_news(struct watched *s);

#endif
