/*
 * The IVSHMEM receiver under test with a file of its own, and a guest that has it mapped: what the
 * receiver thread does, by hand. What does not work fails the test.
 */
#ifndef SCREAM_SHM_RIG_H
#define SCREAM_SHM_RIG_H

#include "receiver.h"
#include "shm_guest.h"

#include <stdint.h>

#define SHM_RIG_PACKETS 16

struct shm_rig {
    char path[64]; /* in /dev/shm if that is there */
    int fd;        /* of the file */
    struct shm_guest guest;
    struct receiver *r; /* NULL: not open */
    struct receiver_counters counters;
    int wake; /* of read(): a timer */
    struct packet packets[SHM_RIG_PACKETS];
};

/*
 * A file of so many bytes, all zeros, and a guest that has begun no stream yet: set to
 * shm_guest_usual and chunks from 24 on. An empty file is not mapped.
 */
void shm_rig_make(struct shm_rig *s, uint64_t size);

/* The receiver's open(), which waits for a file that is not there. */
void shm_rig_open(struct shm_rig *s);

/* Closes, unmaps and removes what there is of it. */
void shm_rig_finish(struct shm_rig *s);

/* Reads end so many ns from now, and do not wait after that. Any thread. */
void shm_rig_deadline(struct shm_rig *s, int64_t ns);

/* The receiver's read() as its thread calls it (see rt.h), into at most so many of the packets. */
int shm_rig_read(struct shm_rig *s, int max);

/* Reads for that long, or until something comes. */
int shm_rig_listen(struct shm_rig *s, int64_t ns);

/* Has the receiver look at the file as it is now, an idle period at most: nothing new is there. */
void shm_rig_settle(struct shm_rig *s);

/* The next read gives this chunk of the guest's and no other; `starts` as in a packet. */
void shm_rig_expect_chunk(struct shm_rig *s, uint32_t number, bool starts);

#endif
