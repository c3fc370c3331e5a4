/*
 * Where a guest's shared memory is or will be: a file that comes late, is made larger, replaced,
 * emptied and removed. Control thread, but for reading the file.
 */
#ifndef SCREAM_IVSHMEM_PLACE_H
#define SCREAM_IVSHMEM_PLACE_H

#include "../src/pathwatch.h"
#include "ivshmem_file.h"

#include <stdbool.h>
#include <stdint.h>

struct shm_place {
    /* immutable, but for the reader's size in it */
    struct shm_file file; /* fd -1: there is none */
    bool usable;          /* there is one, and it is large enough to be read */

    /* control thread's */
    const char *path; /* the caller's */
    struct path_watch watch;
    bool passing;     /* it could not be opened, for a reason of which no news will come */
    int64_t look_at;  /* when the path is looked at even without news */
    uint64_t packets; /* read, as of the latest look */
    int64_t heard;    /* time of the latest look that found more of them */
};

/* Finds what there is; `waiting`: what is missing, or "". */
void shm_place_open(struct shm_place *p, const char *path, char *waiting, size_t size);
void shm_place_close(struct shm_place *p);

/* As receiver_driver.tend says; so many packets have been read so far. */
int shm_place_tend(struct shm_place *p, uint64_t packets, int64_t now, char *waiting, size_t size);

/* When that is to be called without news; those are told of by path_watch_fd(). */
int64_t shm_place_due(const struct shm_place *p);

#endif
