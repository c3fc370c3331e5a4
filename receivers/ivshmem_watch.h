/*
 * News of a path (inotify): a file that comes, goes, is replaced or changes its size. Control
 * thread. What a guest writes through a mapping makes no news.
 */
#ifndef SCREAM_IVSHMEM_WATCH_H
#define SCREAM_IVSHMEM_WATCH_H

#include <stdbool.h>

struct shm_watch {
    int fd;           /* readable when there are news, -1: none can be had */
    const char *path; /* the caller's */
    int dir;          /* the watch of the deepest folder there is, on the way to the file */
    char name[256];   /* what of the path is to be found in it */
    bool complete;    /* every change that matters makes news; else the path has to be looked at */
};

/* Before the path is looked at: so nothing is missed between. */
void shm_watch_open(struct shm_watch *w, const char *path);
void shm_watch_close(struct shm_watch *w);

/* The path leads to this open file: its size and permissions matter too. */
void shm_watch_file(struct shm_watch *w, int fd);

/*
 * Takes all news there are, without waiting. True: the path is to be looked at; w->fd is another
 * one then.
 */
bool shm_watch_take(struct shm_watch *w);

#endif
