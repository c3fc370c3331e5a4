/*
 * News of a path (inotify): a file or a socket that comes, goes, is replaced or changes its size.
 * Control thread. What is written through a mapping makes no news, nor does what is mounted.
 *
 * The path is walked as the kernel does: over links, `.`, `..` and double slashes. Every folder and link on
 * the way is watched for being moved, replaced or deleted, and the last folder for what comes into it.
 */
#ifndef SCREAM_PATHWATCH_H
#define SCREAM_PATHWATCH_H

#include "clock.h"

#include <stdbool.h>
#include <stdint.h>

/* Somebody else's work in the same folder may wake us without end: then no more often than this. */
#define PATH_WATCH_REST (40 * NS_PER_MS)

struct path_watch {
    int fd;           /* of inotify, -1: none can be had; path_watch_fd() is what to poll */
    const char *path; /* the caller's; ends in a slash: whatever is in that folder */
    int dir;          /* the watch of the deepest folder there is, on the way to it */
    char name[256];   /* what of the path is to be found there; "": whatever there is */
    bool complete;    /* every change that matters makes news; else the path has to be looked at */
    int64_t rests;    /* until then what happens is not looked at; 0: it is */
};

/* Before the path is looked at: so nothing is missed between. */
void path_watch_open(struct path_watch *w, const char *path);
void path_watch_close(struct path_watch *w);

/* The path leads to this open file: its size and permissions matter too. */
void path_watch_file(struct path_watch *w, int fd);

/*
 * Takes what news there are, without waiting; none while it rests, after any. True: the path is to be
 * looked at; w->fd is another one then. To be called when path_watch_fd() is readable and at
 * path_watch_due(); harmless at any other time.
 */
bool path_watch_take(struct path_watch *w, int64_t now);

/* To be polled; -1: not now. */
static inline int path_watch_fd(const struct path_watch *w)
{
    return w->rests == 0 ? w->fd : -1;
}

/* When it has rested; INT64_MAX: it does not. */
static inline int64_t path_watch_due(const struct path_watch *w)
{
    return w->rests == 0 ? INT64_MAX : w->rests;
}

#endif
