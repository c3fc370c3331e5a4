/*
 * What ends the wait for a sound server that is not there: something new at the place of its socket.
 *
 * An attempt that fails names the places where what it misses will be. When all that failed have, and
 * every place was watched before the attempt began, so that nothing has been missed, there is no need
 * to try again before there are news. Control thread.
 */
#ifndef SCREAM_LOOKOUT_H
#define SCREAM_LOOKOUT_H

#include "pathwatch.h"

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#define LOOKOUT_PLACES 6
#define LOOKOUT_PATH   256

struct lookout_place {
    char path[LOOKOUT_PATH]; /* "": there is none here */
    struct path_watch watch;
    struct stat seen; /* what was there when the latest attempt began; st_nlink 0: nothing */
    bool named;       /* by an attempt since */
};

struct lookout {
    struct lookout_place places[LOOKOUT_PLACES];
    unsigned names; /* so many times has something been named */
    bool blind;     /* something is missed that cannot be watched, or has not been from the start */
    int64_t news_at; /* time of the latest news, 0: none */
};

void lookout_init(struct lookout *l);

/* Nothing is missed any more; or for ever. */
void lookout_clear(struct lookout *l);

/* Attempts begin: whatever is new from here on is news. */
void lookout_begin(struct lookout *l);

/*
 * From within an attempt that fails: it would not if that path (an absolute one) led to something else.
 * One that ends in a slash: if there were something else in that folder. NULL, or what is no path: it
 * cannot be told where it will be. Fine if l is NULL.
 */
void lookout_name(struct lookout *l, const char *path);

/* Likewise: it misses what others miss that have named their places, if any has. Fine if l is NULL. */
void lookout_name_same(struct lookout *l);

/* The attempts have all failed, and what they have not named is forgotten. True: there will be news. */
bool lookout_end(struct lookout *l, int64_t now);

/* Takes all that has happened, without waiting. True: something is there that was not. */
bool lookout_news(struct lookout *l, int64_t now);

/* The latest news are so young that a server may still be busy with its start. */
bool lookout_recent(const struct lookout *l, int64_t now);

/* What to poll for news: how many of the LOOKOUT_PLACES, which are filled in. */
size_t lookout_fds(const struct lookout *l, struct pollfd *fds);

/* And when to take the news without: some places rest (pathwatch.h). INT64_MAX: none does. */
int64_t lookout_due(const struct lookout *l);

#endif
