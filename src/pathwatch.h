/*
 * News of a path (inotify): a file or a socket that comes, goes, is replaced or changes its size.
 * Control thread. What is written through a mapping makes no news.
 */
#ifndef SCREAM_PATHWATCH_H
#define SCREAM_PATHWATCH_H

#include <stdbool.h>

struct path_watch {
    int fd;           /* readable when there are news, -1: none can be had */
    const char *path; /* the caller's; ends in a slash: whatever is in that folder */
    int dir;          /* the watch of the deepest folder there is, on the way to it */
    char name[256];   /* what of the path is to be found there; "": whatever there is */
    bool complete;    /* every change that matters makes news; else the path has to be looked at */
};

/* Before the path is looked at: so nothing is missed between. */
void path_watch_open(struct path_watch *w, const char *path);
void path_watch_close(struct path_watch *w);

/* The path leads to this open file: its size and permissions matter too. */
void path_watch_file(struct path_watch *w, int fd);

/*
 * Takes all news there are, without waiting. True: the path is to be looked at; w->fd is another
 * one then.
 */
bool path_watch_take(struct path_watch *w);

#endif
